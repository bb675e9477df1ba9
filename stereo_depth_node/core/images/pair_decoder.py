# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a pair of images as published to a pair of 8-bit grey images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass
from typing import Any

from stereo_depth_node.core.arrays import AnyGrey, Grey
from stereo_depth_node.core.errors import ImageError, PairSizeError
from stereo_depth_node.core.images.compressed import (
    decode_compressed,
    decode_compressed_grey,
    grey_of_compressed,
    mosaic_of_format,
)
from stereo_depth_node.core.images.layouts import Half, halves_of
from stereo_depth_node.core.images.raw import (
    check_that_data_is_used,
    decode_grey,
    RawImage,
    reduce_to_8bit,
)

__all__ = ['CompressedImage', 'PairDecoder']

_SIDES = ('left', 'right')


@dataclass(frozen=True, slots=True)
class CompressedImage:
    """A compressed image as ROS describes it.

    Attributes
    ----------
    format : str
        The format field of the message, such as ``'bgr8; jpeg compressed bgr8'``.
    data : buffer
        The compressed image.
    half : Half or None
        What of it is meant; None for the whole.
    """

    format: str
    data: Any
    half: Half | None = None


class PairDecoder:
    """Decodes pairs of images, into buffers that are made once per size.

    Parameters
    ----------
    fallback : callable, optional
        Decodes the raw images whose encoding the core does not know.
    """

    def __init__(self, fallback: Callable[[RawImage], AnyGrey] | None = None) -> None:
        self._fallback = fallback
        self._buffers: list[AnyGrey | None] = [None, None]
        self._reduced: tuple[Grey, Grey] | tuple[None, None] = (None, None)

    def decode(
        self,
        left: RawImage | CompressedImage,
        right: RawImage | CompressedImage,
        largest: tuple[int, int] | None = None,
    ) -> tuple[Grey, Grey]:
        """Decode a pair.

        Images of 16 bit are reduced to 8 with one scale for both.

        Parameters
        ----------
        left, right : RawImage or CompressedImage
            The pair. Halves of a compressed image are those of one, which is decoded once.
        largest : tuple of 2 int, optional
            Width and height that no compressed image exceeds, pixels.

        Returns
        -------
        left, right : (H, W) uint8 ndarray
            Good until the next pair, or as long as the data of the images lives.

        Raises
        ------
        ImageError
            If an image cannot be decoded, or the two differ in size or depth.
        """
        if isinstance(left, CompressedImage) and left.half is not None:
            decoded = _decode_halves(left, left.half.layout, largest)
        else:
            pair = enumerate((left, right))
            decoded = [self._decode_one(image, side, largest) for side, image in pair]
        (height, width), (right_height, right_width) = (image.shape for image in decoded)
        if (height, width) != (right_height, right_width):
            raise PairSizeError(
                f'the left image is {width}x{height}, the right one {right_width}x{right_height}: '
                'set both cameras to one size'
            )
        for side, image in zip(_SIDES, (left, right), strict=True):
            if isinstance(image, RawImage):
                with _named(side):
                    check_that_data_is_used(image)
        reduced = reduce_to_8bit(*decoded, *self._reduced)
        if reduced[0] is not decoded[0]:
            self._reduced = reduced
        return reduced

    def _decode_one(
        self, image: RawImage | CompressedImage, side: int, largest: tuple[int, int] | None
    ) -> AnyGrey:
        with _named(_SIDES[side]):
            if isinstance(image, CompressedImage):
                return decode_compressed_grey(image.data, image.format, largest)
            decoded = decode_grey(image, self._buffers[side], fallback=self._fallback)
        if decoded.base is None:  # not a view of the image's data
            self._buffers[side] = decoded
        return decoded


@contextlib.contextmanager
def _named(side: str) -> Iterator[None]:
    """Name the image in what is wrong with it."""
    try:
        yield
    except ImageError as error:
        raise type(error)(f'the {side} image: {error}') from error


def _decode_halves(
    image: CompressedImage, layout: str, largest: tuple[int, int] | None
) -> list[AnyGrey]:
    """Return the left and the right half of an image that holds both.

    A mosaic is cut before it becomes grey, so that no pixel is mixed from both.
    """
    stored = decode_compressed(image.data, image.format, largest, layout)
    encoding = mosaic_of_format(image.format)
    return [
        grey_of_compressed(half.of_pixels(stored, encoding), image.format)
        for half in halves_of(layout)
    ]
