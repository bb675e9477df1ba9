# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images as they come become images in RGB, for outputs in colour; matching needs none of it."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Colour
from stereo_depth_node.core.errors import EncodingError, ImageError
from stereo_depth_node.core.images.compressed import (
    decode_compressed,
    encoding_of_format,
    mosaic_of_format,
)
from stereo_depth_node.core.images.encodings import Encoding, ENCODINGS
from stereo_depth_node.core.images.pair_decoder import CompressedImage
from stereo_depth_node.core.images.raw import pixels_of, RawImage, reduce_to_8bit

__all__ = ['decode_colour', 'has_colour']


def has_colour(image: RawImage | CompressedImage) -> bool:
    """Say whether an image is in colour; a compressed one whose format does not tell may be."""
    if isinstance(image, CompressedImage):
        encoding = encoding_of_format(image.format)
        return encoding is None or encoding.has_colour
    encoding = ENCODINGS.get(image.encoding)
    if encoding is None or not encoding.has_colour:
        return False
    return not encoding.is_planar or _has_planes(image)


def decode_colour(image: RawImage | CompressedImage) -> Colour:
    """Return an image in RGB.

    Parameters
    ----------
    image : RawImage or CompressedImage
        One that has colour (:func:`has_colour`), and was decoded to grey without an error.

    Returns
    -------
    (H, W, 3) uint8 ndarray
        A view of the data where it is RGB of 8 bits; it may be read-only and have padded rows.
        Colours of 16 bits are reduced with the scale of the image's own range.

    Raises
    ------
    ImageError
        The image cannot be decoded.
    """
    try:
        if isinstance(image, CompressedImage):
            return _decode_compressed(image)
        encoding = ENCODINGS.get(image.encoding)
        if encoding is None or not encoding.has_colour:
            raise EncodingError(f'encoding {image.encoding[:40]!r} has no colour that is known')
        return _to_rgb(_samples(image, encoding), encoding.rgb_code)[:, : image.width]
    except cv2.error as error:
        raise ImageError(f'OpenCV cannot convert this image to RGB: {error}') from error


def _samples(image: RawImage, encoding: Encoding) -> npt.NDArray[Any]:
    """Return the pixels; of planar YUV all planes, as many rows as OpenCV expects.

    Where two pixels share their colours (YUV 4:2:2), an odd width is made even.
    """
    pixels = pixels_of(image, encoding)
    if encoding.is_planar:
        shape = (image.height * 3 // 2, image.width)
        return np.ndarray(shape, np.uint8, image.data, strides=(image.step, 1))
    if encoding.channels == 2 and image.width % 2:
        # The last pixel has one of U and V. The one before it, seen as the next, has the other.
        pixels = np.pad(pixels, ((0, 0), (0, 1), (0, 0)), 'reflect')
    # OpenCV takes no rows that begin in the middle of a value.
    return np.require(pixels, pixels.dtype.newbyteorder('='), ['ALIGNED'])


def _has_planes(image: RawImage) -> bool:
    """Say whether planes of colour, half as many rows, follow behind that of Y."""
    last_row = image.height * 3 // 2 - 1
    is_even = image.height % 2 == 0 and image.width % 2 == 0
    return is_even and memoryview(image.data).nbytes >= last_row * image.step + image.width


def _to_rgb(samples: npt.NDArray[Any], code: int | None) -> Colour:
    """Return RGB of 8 bits; without a code of OpenCV the samples are RGB."""
    if code is not None:
        samples = np.asarray(cv2.cvtColor(samples, code))
    if samples.dtype == np.uint8:
        return samples
    height, width, _ = samples.shape
    flat = np.ascontiguousarray(samples).reshape(height, 3 * width)
    return cast(Colour, reduce_to_8bit(flat, flat)[0].reshape(height, width, 3))


def _decode_compressed(image: CompressedImage) -> Colour:
    stored = decode_compressed(image.data, image.format)
    if image.half is not None:
        stored = image.half.of_pixels(stored)
    mosaic = mosaic_of_format(image.format)
    if stored.ndim == 3:
        return _to_rgb(stored[:, :, :3], cv2.COLOR_BGR2RGB)
    return _to_rgb(stored, cv2.COLOR_GRAY2RGB if mosaic is None else mosaic.rgb_code)
