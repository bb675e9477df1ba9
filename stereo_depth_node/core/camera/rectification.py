# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rectification of raw images with the calibration of their camera."""

from __future__ import annotations

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.camera.calibration import are_plausible, CameraCalibration
from stereo_depth_node.core.errors import CalibrationError, SizeError, UncalibratedError

__all__ = ['Rectifier']


# Coefficients that OpenCV's model behind plumb_bob and rational_polynomial can have.
_PINHOLE_COUNTS = (0, 4, 5, 8, 12, 14)
_FISHEYE_COUNT = 4


class Rectifier:
    """Undistorts and rotates the images of one camera, with maps made once.

    The rotation R is applied whether or not there is distortion.

    Parameters
    ----------
    calibration : CameraCalibration
        Of the raw images; roi and binning are applied here.

    Raises
    ------
    CalibrationError
        If the camera is uncalibrated, the distortion model is unknown, or the number of its
        coefficients does not fit.
    """

    def __init__(self, calibration: CameraCalibration) -> None:
        image = calibration.for_image()
        if not image.is_rectifiable or not are_plausible((*image.k, *image.d, *image.r)):
            raise UncalibratedError(
                'rectify is on, but the camera is not calibrated (K[0] or P[0] is 0, or a number '
                'of K, D or R is not finite): calibrate it, or set rectify to false if the '
                'images are rectified already'
            )
        size = image.image_size
        k = np.array(image.k).reshape(3, 3)
        r = np.array(image.r).reshape(3, 3) if any(image.r) else np.identity(3)
        p = np.array(image.p).reshape(3, 4)[:, :3]
        d = np.array(image.d)
        model = image.distortion_model or 'plumb_bob'
        if model in ('plumb_bob', 'rational_polynomial'):
            _check_count(model, len(d), _PINHOLE_COUNTS)
            maps = cv2.initUndistortRectifyMap(k, d, r, p, size, cv2.CV_16SC2)
        elif model in ('equidistant', 'fisheye'):
            _check_count(model, len(d), (0, _FISHEYE_COUNT))
            d = d if len(d) else np.zeros(_FISHEYE_COUNT)
            maps = cv2.fisheye.initUndistortRectifyMap(k, d, r, p, size, cv2.CV_16SC2)
        else:
            raise CalibrationError(
                f'the distortion model is {model!r}, known are plumb_bob, rational_polynomial '
                'and equidistant: calibrate with one of them, or rectify before this node'
            )
        self._maps = maps

    def rectify(self, image: Grey, out: Grey) -> None:
        """Rectify one image, bilinearly; pixels from outside of the raw image are black.

        Parameters
        ----------
        image, out : (H, W) uint8 ndarray
            Raw and rectified image; not the same memory.

        Raises
        ------
        SizeError
            If an image has not the size of the calibration.
        """
        expected = self._maps[0].shape[:2]
        for name, shape in (('image', image.shape), ('output', out.shape)):
            if shape != expected:
                # cv2.remap would write into memory of its own and leave `out` as it was.
                raise SizeError(
                    f'the {name} to rectify is {shape[1]}x{shape[0]}, the calibration is for '
                    f'{expected[1]}x{expected[0]}: calibrate at the size that is published'
                )
        cv2.remap(image, self._maps[0], self._maps[1], cv2.INTER_LINEAR, dst=out)


def _check_count(model: str, count: int, known: tuple[int, ...]) -> None:
    if count not in known:
        raise CalibrationError(
            f'the distortion model {model} came with {count} coefficients, it has '
            f'{" or ".join(str(number) for number in known if number)}: calibrate the camera anew'
        )
