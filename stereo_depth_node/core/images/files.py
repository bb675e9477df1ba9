# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Image files, read alike by every tool and converted to grey as the node converts messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import AnyGrey, Colour, Grey
from stereo_depth_node.core.errors import ImageError, InputError, LayoutError, PairSizeError
from stereo_depth_node.core.images.compressed import (
    AS_STORED,
    claimed_size,
    MAX_PIXELS_PER_BYTE,
)
from stereo_depth_node.core.images.layouts import halves_of
from stereo_depth_node.core.images.npy import array_of_npy, NPY_MAGIC
from stereo_depth_node.core.images.raw import grey_of_bgr, reduce_to_8bit
from stereo_depth_node.core.settings.text_files import read_bytes

__all__ = [
    'ImagePair',
    'image_pair',
    'read_grey',
    'read_image',
    'read_image_pair',
    'split_image',
]

_MOST_BYTES = 1 << 30
_WHOLE = (np.uint8, np.uint16)
_UINT16_MAX = 65535.0


@dataclass(frozen=True, eq=False)
class ImagePair:
    """The images of two files.

    Attributes
    ----------
    left, right : (H, W) uint8 ndarray
        Grey.
    colours : tuple of two (H, W, 3) uint8 ndarrays
        The same images in RGB, left and right.
    """

    left: Grey
    right: Grey
    colours: tuple[Colour, Colour]


def read_image_pair(left: Path, right: Path) -> ImagePair:
    """Read a pair of images, as :func:`image_pair` makes it.

    Raises
    ------
    InputError
        A file is missing, cannot be read or is no image.
    ImageError
        The images differ in depth, or their pixels are of a kind that is not known.
    PairSizeError
        The images differ in size.
    """
    return image_pair(read_image(left), read_image(right), (str(left), str(right)))


def image_pair(
    left: npt.NDArray[Any], right: npt.NDArray[Any], names: tuple[str, str] = ('left', 'right')
) -> ImagePair:
    """Make a pair of images as they are stored, (H, W) or (H, W, 3) BGR.

    Whole numbers of 8 or 16 bits, or floating point; the latter and 16 bits are reduced to 8 bits
    with one scale for both.

    Raises
    ------
    ImageError
        The images differ in depth.
    PairSizeError
        The images differ in size.
    """
    stored = left, right
    sizes = [f'{image.shape[1]}x{image.shape[0]}' for image in stored]
    if sizes[0] != sizes[1]:
        raise PairSizeError(
            f'{names[0]} is {sizes[0]}, {names[1]} is {sizes[1]}: both images must have one size'
        )
    if stored[0].dtype != stored[1].dtype:
        bits = [8 * image.dtype.itemsize for image in stored]
        raise ImageError(
            f'{names[0]} has {bits[0]} bits, {names[1]} has {bits[1]}: both images must have one '
            'depth'
        )
    if left.dtype not in _WHOLE:
        stored = _whole_numbers(left, right)
    grey = reduce_to_8bit(_grey(stored[0]), _grey(stored[1]))
    # In rows of values, colours are reduced as grey is.
    values = (np.ascontiguousarray(image).reshape(len(image), -1) for image in stored)
    left_values, right_values = reduce_to_8bit(*values)
    colours = (
        _rgb(left_values.reshape(stored[0].shape)),
        _rgb(right_values.reshape(stored[1].shape)),
    )
    return ImagePair(*grey, colours)


def split_image(
    image: npt.NDArray[Any], layout: str, name: str
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the left and the right half of an image that holds both.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray
        Both.
    layout : str
        One of :data:`.layouts.LAYOUTS`.
    name : str
        Of the image, for the error.

    Raises
    ------
    LayoutError
        If it cannot be halved.
    """
    try:
        left, right = (half.of_pixels(image) for half in halves_of(layout))
    except LayoutError as error:
        raise LayoutError(f'{name}: {error}') from None
    return np.ascontiguousarray(left), np.ascontiguousarray(right)


def read_grey(path: Path) -> AnyGrey:
    """Read one image as grey, (H, W) uint8 or uint16, whichever the file has.

    Raises
    ------
    InputError
        The file is missing, cannot be read or is no image.
    ImageError
        The image is neither 8 nor 16 bits deep.
    """
    image = read_image(path)
    if image.dtype not in _WHOLE:
        raise ImageError(f'{path} holds {image.dtype} pixels: expected 8 or 16 bits')
    return _grey(image)


def read_image(path: Path) -> npt.NDArray[Any]:
    """Return an image as it is stored, (H, W) or (H, W, 3) BGR: whole numbers or floating point.

    Raises
    ------
    InputError
        The file is missing, cannot be read or is no image.
    ImageError
        Its pixels are of a kind that is not known.
    """
    try:
        exists = path.exists()
    except OSError:
        exists = True
    if not exists:
        raise InputError(f'{path} is missing')
    data = read_bytes(path, _MOST_BYTES)
    if data.startswith(NPY_MAGIC):
        return _of_array(array_of_npy(data, path), path)
    _check_claim(data, path)
    try:
        # Not imread, which on some systems cannot open names beyond ASCII.
        image = cv2.imdecode(np.frombuffer(data, np.uint8), AS_STORED) if data else None
    except cv2.error as error:
        raise _illegible(path, data) from error
    if image is None:
        raise _illegible(path, data)
    if image.dtype not in _WHOLE and image.dtype.kind != 'f':
        raise ImageError(f'{path} holds {image.dtype} pixels: expected 8 or 16 bits, or float')
    return image


def _illegible(path: Path, data: bytes) -> InputError:
    if not data:
        return InputError(f'{path} is empty: was it written, or copied, to its end?')
    return InputError(
        f'{path} is no image that OpenCV can read: it is damaged or cut short, or of a kind that '
        'is to be converted first, to PNG for instance'
    )


def _check_claim(data: bytes, path: Path) -> None:
    """Refuse a file whose header claims more pixels than it can hold, before they take memory."""
    width, height = claimed_size(memoryview(data)) or (1, 1)
    if data and width * height > MAX_PIXELS_PER_BYTE * len(data):
        raise InputError(
            f'{path} claims {width}x{height} pixels, which its {len(data)} bytes cannot hold: it '
            'was cut short, or is damaged'
        )


def _of_array(array: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    """Return an array as an image; colours are RGB in NumPy's world."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    is_colour = array.ndim == 3 and array.shape[2] == 3
    if not (array.ndim == 2 or is_colour) or 0 in array.shape:
        raise ImageError(f'{path} has the shape {array.shape}: expected (H, W) or (H, W, 3)')
    if array.dtype not in _WHOLE:
        with np.errstate(over='ignore'):  # beyond its range is unknown
            array = array.astype(np.float32)
    return np.ascontiguousarray(array[:, :, ::-1] if is_colour else array)


def _whole_numbers(
    left: npt.NDArray[Any], right: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Return images of floating point with 16 bits, one scale for both, unknown pixels black."""
    # Of half precision, or near the end of single, differences would overflow.
    images = [np.asarray(image, np.float64) for image in (left, right)]
    known = [image[np.isfinite(image)] for image in images]
    low = min((float(values.min()) for values in known if values.size), default=0.0)
    high = max((float(values.max()) for values in known if values.size), default=1.0)
    scale = _UINT16_MAX / (high - low) if high > low else 0.0

    def whole(image: npt.NDArray[np.float64]) -> npt.NDArray[np.uint16]:
        scaled = (np.nan_to_num(image, nan=low, posinf=high, neginf=low) - low) * scale
        return np.asarray(np.clip(np.rint(scaled), 0, _UINT16_MAX), np.uint16)

    return whole(images[0]), whole(images[1])


def _grey(image: npt.NDArray[Any]) -> AnyGrey:
    return image if image.ndim == 2 else grey_of_bgr(image)


def _rgb(image: Grey | Colour) -> Colour:
    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code), np.uint8)
