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
from stereo_depth_node.core.errors import ImageError, InputError, PairSizeError
from stereo_depth_node.core.images.raw import reduce_to_8bit

__all__ = ['ImagePair', 'read_grey', 'read_image_pair']

# Grey or BGR, 8 or 16 bits, as the file has it. An orientation tag is ignored: it could turn one
# image and not the other, and calibrations are for the rows of the sensor.
_AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


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
    """Read a pair of images; 16-bit images are reduced to 8 bits with one scale for both.

    Raises
    ------
    InputError
        A file is missing, cannot be read or is no image.
    ImageError
        The images differ in depth, or are neither 8 nor 16 bits deep.
    PairSizeError
        The images differ in size.
    """
    stored = _read(left), _read(right)
    sizes = [f'{image.shape[1]}x{image.shape[0]}' for image in stored]
    if sizes[0] != sizes[1]:
        raise PairSizeError(
            f'{left} is {sizes[0]}, {right} is {sizes[1]}: both images must have one size'
        )
    if stored[0].dtype != stored[1].dtype:
        bits = [8 * image.dtype.itemsize for image in stored]
        raise ImageError(
            f'{left} has {bits[0]} bits, {right} has {bits[1]}: both images must have one depth'
        )
    grey = reduce_to_8bit(_grey(stored[0]), _grey(stored[1]))
    return ImagePair(*grey, (_colour(stored[0], grey[0]), _colour(stored[1], grey[1])))


def read_grey(path: Path) -> AnyGrey:
    """Read one image as grey, (H, W) uint8 or uint16, whichever the file has.

    Raises
    ------
    InputError
        The file is missing, cannot be read or is no image.
    ImageError
        The image is neither 8 nor 16 bits deep.
    """
    return _grey(_read(path))


def _read(path: Path) -> npt.NDArray[Any]:
    """Return an image as it is stored, (H, W) or (H, W, 3) BGR, uint8 or uint16."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f'{path} is missing') from error
    except OSError as error:
        raise InputError(f'cannot read {path}: {error.strerror or error}') from error
    try:
        # Not imread, which on some systems cannot open names beyond ASCII.
        image = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED) if data else None
    except cv2.error as error:
        raise InputError(f'{path} is no image that OpenCV can read ({error})') from error
    if image is None:
        raise InputError(f'{path} is no image that OpenCV can read')
    if image.dtype not in (np.uint8, np.uint16):
        raise ImageError(f'{path} holds {image.dtype} pixels: expected 8 or 16 bits')
    return image


def _grey(image: npt.NDArray[Any]) -> AnyGrey:
    """Weight colours as the node does in messages of the encodings bgr8 and bgr16."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _colour(image: npt.NDArray[Any], grey: Grey) -> Colour:
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
