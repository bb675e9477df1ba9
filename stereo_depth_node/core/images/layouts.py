# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images that hold both: the left one on the left, or on top.

A half of a raw image is a view of it: nothing is copied. Its first pixel lies further in, and its
rows are as far apart as those of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from stereo_depth_node.core.errors import (
    CalibrationSizeError,
    EncodingError,
    LayoutError,
    SizeError,
)
from stereo_depth_node.core.images.encodings import Encoding, ENCODINGS, SUPPORTED_ENCODINGS
from stereo_depth_node.core.images.raw import pixels_of, RawImage

__all__ = ['LAYOUTS', 'SEPARATE', 'Half', 'halves_of', 'size_error', 'whole_size']

SEPARATE = 'separate'
"""The layout of images that come one by one."""

LAYOUTS: Mapping[str, int] = MappingProxyType({'side_by_side': 1, 'top_bottom': 0})
"""How both images can be in one -> the axis that is halved, 0 for rows and 1 for columns."""

_PLACES = {'side_by_side': 'side by side', 'top_bottom': 'one above the other'}

Pixels = TypeVar('Pixels', bound=np.ndarray)
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two images in an image that holds both.

    Attributes
    ----------
    layout : str
        One of `LAYOUTS`.
    index : int
        0 for the first half, that of the left camera, and 1 for the second.
    """

    layout: str
    index: int

    def of_pixels(self, pixels: Pixels, encoding: Encoding | None = None) -> Pixels:
        """Return this half of an image, a view.

        Parameters
        ----------
        pixels : (H, W) or (H, W, channels) ndarray
            The whole.
        encoding : Encoding, optional
            Of the pixels, where it matters whether a cut goes through a group of them.

        Raises
        ------
        LayoutError
            If it cannot be halved.
        """
        axis = LAYOUTS[self.layout]
        half = _half_of(pixels.shape[axis], self.layout, encoding)
        part = slice(self.index * half, (self.index + 1) * half)
        return pixels[:, part] if axis else pixels[part]  # type: ignore[return-value]

    def of_raw(self, image: RawImage) -> RawImage:
        """Return this half of a raw image; its data is a view.

        Of planar YUV one above the other the halves are grey: their colours lie elsewhere.

        Raises
        ------
        EncodingError
            If it is not known how many bytes a pixel has.
        SizeError
            If size, step and amount of data contradict each other, or it cannot be halved.
        """
        encoding = ENCODINGS.get(image.encoding)
        if encoding is None:
            raise EncodingError(
                f'images of encoding {image.encoding[:40]!r} cannot be halved. Supported are '
                f'{SUPPORTED_ENCODINGS}: set the camera driver to one of them'
            )
        pixels_of(image, encoding)  # checks the header against the data
        data = memoryview(image.data).cast('B')
        height, width = image.height, image.width
        if LAYOUTS[self.layout]:
            width = _half_of(width, self.layout, encoding)
            data = data[self.index * width * encoding.bytes_per_pixel :]
        else:
            height = _half_of(height, self.layout, encoding)
            start = self.index * height * image.step
            data = data[start : start + height * image.step]
        return RawImage(height, width, image.encoding, image.is_bigendian, image.step, data)


def halves_of(layout: str) -> tuple[Half, Half]:
    """Return the left and the right image of a layout."""
    return Half(layout, 0), Half(layout, 1)


def whole_size(layout: str, width: int, height: int) -> Size:
    """Return width and height of the images that come, pixels, from those of one camera's."""
    axis = LAYOUTS.get(layout)
    return (2 * width if axis == 1 else width), (2 * height if axis == 0 else height)


def size_error(whole: Size, layout: str, calibrated: Size, advice: str) -> SizeError:
    """Return the error for images that have not the size that was calibrated.

    Parameters
    ----------
    whole : tuple of 2 int
        Width and height of the images as they come, pixels.
    layout : str
        `SEPARATE` or one of `LAYOUTS`, as they are taken.
    calibrated : tuple of 2 int
        Width and height that one camera is calibrated for, pixels.
    advice : str
        What to do unless another layout explains the size.
    """
    came = f'the images are {whole[0]}x{whole[1]}'
    if layout != SEPARATE:
        came += f', taken as {layout}'
    facts = f'{came}, the calibration is for {calibrated[0]}x{calibrated[1]}'
    if whole == calibrated:
        return LayoutError(
            f'{facts} (one image, not two): set stereo_layout to separate if they come one by '
            'one, else calibrate each half'
        )
    for fitting in LAYOUTS:
        if whole == whole_size(fitting, *calibrated):
            return LayoutError(
                f'{facts}: if each of them holds both images, set stereo_layout to {fitting} '
                'and remap stereo/image_raw to their topic'
            )
    return CalibrationSizeError(f'{facts}: {advice}')


def _half_of(length: int, layout: str, encoding: Encoding | None) -> int:
    """Return half of a width or height, pixels."""
    side = 'width' if LAYOUTS[layout] else 'height'
    unit = 2 * _pixels_of_a_group(encoding, LAYOUTS[layout])
    if length % unit or not length:
        number = 'odd' if unit == 2 else f'no multiple of {unit}, as its encoding needs'
        raise LayoutError(
            f'its {side} of {length} px is {number}, it is not two images {_PLACES[layout]}: take '
            'another layout (separate for images that come one by one), or send both in full'
        )
    return length // 2


def _pixels_of_a_group(encoding: Encoding | None, axis: int) -> int:
    """Return how many pixels in a row or column share their colours."""
    if encoding is None:
        return 1
    is_yuv422 = encoding.channels == 2 and axis == 1
    return 2 if encoding.is_mosaic or is_yuv422 else 1
