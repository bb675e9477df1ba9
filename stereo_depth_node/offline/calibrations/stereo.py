# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The stereo camera that calibration files describe, for images whose size comes later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import CalibrationError, CalibrationSizeError

__all__ = [
    'IDENTITY',
    'CameraPair',
    'Cameras',
    'RawPair',
    'RectifiedPair',
    'StereoCalibration',
    'rectified_cameras',
]

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
"""R of a camera that is not turned, row by row."""

Cameras = tuple[CameraCalibration, CameraCalibration]
"""Left and right."""


class CameraPair(Protocol):
    """Calibrations of both cameras, for images of one size or, without a size, of any."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images, pixels; 0 and 0 for any."""

    @property
    def can_rectify(self) -> bool:
        """Whether raw images can be rectified with it."""

    def cameras(self, width: int, height: int) -> Cameras:
        """Return the calibrations for images of this size."""


@dataclass(frozen=True)
class RectifiedPair:
    """Calibrations that have their projection matrices.

    Attributes
    ----------
    left, right : CameraCalibration
        Width and height 0 stand for images of any size.
    can_rectify : bool
        Whether K, D and R are known, too.
    """

    left: CameraCalibration
    right: CameraCalibration
    can_rectify: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images, pixels."""
        return self.left.image_size

    def cameras(self, width: int, height: int) -> Cameras:
        """Return the calibrations."""
        return self.left.sized(width, height), self.right.sized(width, height)

    @classmethod
    def of_matrices(
        cls,
        left: npt.ArrayLike,
        right: npt.ArrayLike,
        size: tuple[int, int] = (0, 0),
    ) -> RectifiedPair:
        """Return the pair of rectified cameras that two projection matrices, (3, 4), describe."""
        return cls(_rectified(left, size), _rectified(right, size), can_rectify=False)


@dataclass(frozen=True)
class RawPair:
    """Two cameras and how they stand, from which cv2.stereoRectify makes a rectified pair.

    Attributes
    ----------
    left, right : CameraCalibration
        K, D and distortion model; R and P are not looked at.
    rotation : tuple of 9 float
        R of the right camera: x_right = R x_left + t.
    translation : tuple of 3 float
        t, metres.
    """

    left: CameraCalibration
    right: CameraCalibration
    rotation: tuple[float, ...]
    translation: tuple[float, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images, pixels; 0 and 0 for any."""
        return self.left.width, self.left.height

    @property
    def can_rectify(self) -> bool:
        """It is for raw images."""
        return True

    def cameras(self, width: int, height: int) -> Cameras:
        """Return the calibrations with R and P, only valid pixels in the rectified images.

        Raises
        ------
        CalibrationError
            If the cameras do not stand side by side, or OpenCV cannot use the numbers.
        """
        x, y, z = np.abs(self.translation)
        if y > x:
            raise CalibrationError(
                f'the cameras are {x:g} m apart in x and {y:g} m in y: they stand one above the '
                'other, expected side by side'
            )
        if z > x:
            raise CalibrationError(
                f'the cameras are {x:g} m apart in x and {z:g} m in z: they stand one behind the '
                'other, expected side by side'
            )
        k, d = [], []
        for camera in (self.left, self.right):
            k.append(np.reshape(camera.k, (3, 3)))
            d.append(np.array(camera.d or (0.0,) * 4))
        r = np.reshape(self.rotation, (3, 3))
        t = np.reshape(self.translation, (3, 1))
        size = (width, height)
        try:
            if self.left.distortion_model == 'equidistant':
                found = cv2.fisheye.stereoRectify(
                    k[0], d[0], k[1], d[1], size, r, t, cv2.CALIB_ZERO_DISPARITY
                )[:4]
            else:
                found = cv2.stereoRectify(
                    k[0], d[0], k[1], d[1], size, r, t, flags=cv2.CALIB_ZERO_DISPARITY, alpha=0
                )[:4]
        except cv2.error as error:
            raise CalibrationError(
                f'OpenCV cannot rectify with this calibration ({error.err}): calibrate again'
            ) from error
        r_left, r_right, p_left, p_right = map(_tuple, found)
        return (
            replace(self.left, width=width, height=height, r=r_left, p=p_left),
            replace(self.right, width=width, height=height, r=r_right, p=p_right),
        )


@dataclass(frozen=True)
class StereoCalibration:
    """What calibration files say of a stereo camera.

    Attributes
    ----------
    source : str
        Kind and names of the files, for people.
    pairs : tuple of CameraPair
        One for each size of images that the files are for.
    """

    source: str
    pairs: tuple[CameraPair, ...]

    @property
    def can_rectify(self) -> bool:
        """Whether raw images can be rectified with it."""
        return any(pair.can_rectify for pair in self.pairs)

    @property
    def is_of_raw_images(self) -> bool:
        """Whether it has no projection matrices: those in use are computed here."""
        return all(isinstance(pair, RawPair) for pair in self.pairs)

    def cameras_for(self, width: int, height: int) -> Cameras:
        """Return the calibrations of both cameras for images of this size.

        Raises
        ------
        CalibrationSizeError
            If the files are for images of other sizes.
        CalibrationError
            If the numbers do not make a stereo camera.
        """
        for pair in self.pairs:
            if pair.size in ((width, height), (0, 0)):
                return pair.cameras(width, height)
        sizes = ', '.join('{}x{}'.format(*pair.size) for pair in self.pairs)
        raise CalibrationSizeError(
            f'{self.source} is for images of {sizes}, these are {width}x{height}: '
            'give the calibration of this size'
        )


def rectified_cameras(geometry: StereoGeometry) -> Cameras:
    """Return the calibrations of the rectified cameras that a geometry describes."""
    f, cx, cy = geometry.f, geometry.cx, geometry.cy
    left = np.array([[f, 0.0, cx, 0.0], [0.0, geometry.fy, cy, 0.0], [0.0, 0.0, 1.0, 0.0]])
    right = left.copy()
    # P[3] = -f * B of the right camera, 0 of the left (REP 104).
    right[0, 2:] = geometry.cx_right, -f * geometry.baseline
    size = geometry.width, geometry.height
    return _rectified(left, size), _rectified(right, size)


def _rectified(matrix: npt.ArrayLike, size: tuple[int, int]) -> CameraCalibration:
    matrix = np.asarray(matrix, np.float64)
    return CameraCalibration(
        *size,
        distortion_model='plumb_bob',
        d=(0.0,) * 5,
        k=_tuple(matrix[:, :3]),
        r=IDENTITY,
        p=_tuple(matrix),
    )


def _tuple(matrix: npt.NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(number) for number in matrix.ravel())
