# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From the images that come to those that are matched: rectified, and reduced."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Colour, Grey
from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.core.errors import ImageError, SizeError

__all__ = ['ImagePreparation']


class ImagePreparation:
    """Rectifies raw images, and reduces all, into buffers that are made once.

    Parameters
    ----------
    width, height : int
        Size of the images that come, pixels.
    factor : int
        By which they are reduced; 1 leaves them as they are.
    cameras : tuple of two CameraCalibration or None
        For raw images: the left and the right camera.

    Raises
    ------
    CalibrationError
        If a camera has no usable calibration.
    """

    def __init__(
        self,
        width: int,
        height: int,
        factor: int,
        cameras: tuple[CameraCalibration, CameraCalibration] | None = None,
    ) -> None:
        self._shape = (height, width)
        self._factor = factor
        self._rectifiers = [Rectifier(camera) for camera in cameras or ()]
        self._rectified = [np.empty(self._shape, np.uint8) for _ in self._rectifiers]
        reduced = (height // factor, width // factor)
        self._reduced = [np.empty(reduced, np.uint8) for _ in range(2 if factor > 1 else 0)]

    def check(self, left: Grey, right: Grey) -> None:
        """Check that a pair can be prepared.

        Raises
        ------
        ImageError
            If an image is not grey, in 8 bits.
        SizeError
            If an image has another size.
        """
        for side, image in (('left', left), ('right', right)):
            if image.ndim != 2 or image.dtype != np.uint8:
                raise ImageError(
                    f'the {side} image is {image.shape} {image.dtype}, expected (H, W) uint8: '
                    'convert it to grey values of 8 bits'
                )
            if image.shape != self._shape:
                raise SizeError(
                    f'the {side} image is {image.shape[1]}x{image.shape[0]}, expected '
                    f'{self._shape[1]}x{self._shape[0]}: publish both at one size'
                )

    def prepare(self, image: Grey, side: int) -> Grey:
        """Return the image of a side (0 left, 1 right) as it is matched.

        Returns
        -------
        (h, w) uint8 ndarray
            A buffer that the next image of the side overwrites, or the image itself where there
            is nothing to do.
        """
        if self._rectifiers:
            self._rectifiers[side].rectify(image, self._rectified[side])
            image = self._rectified[side]
        return self._reduce(image, self._reduced[side]) if self._reduced else image

    def colour(self, image: Colour) -> Colour:
        """Return the left image in colour, (H, W, 3) uint8, as its grey values are matched."""
        if self._rectifiers:
            rectified = np.empty_like(image)
            self._rectifiers[0].rectify(image, rectified)
            image = rectified
        return self._reduce(image) if self._reduced else image

    def seen_areas(self) -> tuple[Grey, ...]:
        """Return for each side which pixels of the matched image the raw image covers.

        (h, w) uint8, 255 where it does; nothing when the images are not rectified here.
        """
        white = np.full(self._shape, 255, np.uint8)
        return tuple(self.prepare(white, side).copy() for side in range(len(self._rectifiers)))

    def _reduce(self, image: Grey | Colour, out: Grey | None = None) -> Grey | Colour:
        """Return an image in the size of the result: rows and columns that are left go."""
        height, width = (length // self._factor for length in self._shape)
        whole = image[: height * self._factor, : width * self._factor]
        return cast(Grey, cv2.resize(whole, (width, height), out, interpolation=cv2.INTER_AREA))
