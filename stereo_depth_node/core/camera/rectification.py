# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rectification of raw images with the calibration of their camera."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Colour, Grey
from stereo_depth_node.core.camera.calibration import are_plausible, CameraCalibration
from stereo_depth_node.core.errors import CalibrationError, SizeError, UncalibratedError
from stereo_depth_node.core.matching.kernel.provider import compiled_code_takes

__all__ = ['Rectifier']


# Coefficients that OpenCV's model behind plumb_bob and rational_polynomial can have.
_PINHOLE_COUNTS = (0, 4, 5, 8, 12, 14)
_FISHEYE_COUNT = 4
# Results computed at a time, so that what is read for them stays in the fastest cache.
_CHUNK = 1024


class Rectifier:
    """Undistorts and rotates the images of one camera, with maps made once.

    The rotation R is applied whether or not there is distortion. OpenCV does it; once the kernel
    is loaded, compiled code does the same bit for bit to grey images, in less than half the time.

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
        if model.lower() == 'none' and not any(d):
            model, d = 'plumb_bob', d[:0]
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
        self._maps = (np.asarray(maps[0], np.int16), np.asarray(maps[1], np.uint16))
        self._remapper: _CompiledRemapper | None = None

    def rectify(self, image: Grey | Colour, out: Grey | Colour) -> None:
        """Rectify one image, bilinearly; pixels from outside of the raw image are black.

        Parameters
        ----------
        image, out : (H, W) or (H, W, 3) uint8 ndarray
            Raw and rectified image; not the same memory.

        Raises
        ------
        SizeError
            If an image has not the size of the calibration.
        """
        expected = self._maps[0].shape[:2]
        for name, shape in (('image', image.shape), ('output', out.shape)):
            if shape[:2] != expected:
                # cv2.remap would write into memory of its own and leave `out` as it was.
                raise SizeError(
                    f'the {name} to rectify is {shape[1]}x{shape[0]}, the calibration is for '
                    f'{expected[1]}x{expected[0]}: calibrate at the size that is published'
                )
        if image.ndim == 2 and compiled_code_takes(out):
            if self._remapper is None:
                self._remapper = _CompiledRemapper(*self._maps)
            self._remapper.remap(image, out)
        else:
            cv2.remap(image, self._maps[0], self._maps[1], cv2.INTER_LINEAR, dst=out)


class _CompiledRemapper:
    """Does what cv2.remap does with maps of CV_16SC2, with compiled code.

    A copy of the image has black pixels around it, so that whatever is read has a place: two rows
    above, two below, and a column on the left, which is on the right of the row before as well.
    """

    def __init__(self, whole: npt.NDArray[np.int16], fractions: npt.NDArray[np.uint16]) -> None:
        height, width = fractions.shape
        stride = width + 1
        x, y = whole[:, :, 0].astype(np.int64), whole[:, :, 1].astype(np.int64)
        touches = (x >= -1) & (x < width) & (y >= -1) & (y < height)
        # Position 0 and those around it are black.
        positions = np.where(touches, (y + 2) * stride + x + 1, 0)
        self._positions = positions.astype(np.uint32).reshape(-1)
        self._fractions = fractions.reshape(-1)
        self._stride = np.uint64(stride)
        padded = np.zeros((height + 4, stride), np.uint8)
        self._padded = padded.reshape(-1)
        self._image = padded[2:-2, 1:]
        self._four = np.empty(_CHUNK, np.uint32)

    def remap(self, image: Grey, out: Grey) -> None:
        """Remap an image, (H, W) uint8, into another of this size, which is contiguous."""
        from stereo_depth_node.core.matching.kernel.remapping import remap_bilinear

        np.copyto(self._image, image)
        remap_bilinear(
            self._padded,
            self._stride,
            self._positions,
            self._fractions,
            self._four,
            out.reshape(-1),
        )


def _check_count(model: str, count: int, known: tuple[int, ...]) -> None:
    if count not in known:
        raise CalibrationError(
            f'the distortion model {model} came with {count} coefficients, it has '
            f'{" or ".join(str(number) for number in known if number)}: calibrate the camera anew'
        )
