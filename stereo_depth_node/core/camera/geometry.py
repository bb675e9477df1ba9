# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The rectified stereo camera that two calibrated cameras make."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.camera.calibration import (
    are_plausible,
    CameraCalibration,
    LARGEST_NUMBER,
)
from stereo_depth_node.core.errors import (
    BaselineError,
    CalibrationError,
    SwappedError,
    UncalibratedError,
    VerticalCamerasError,
)
from stereo_depth_node.core.settings.fields import SMALLEST_BASELINE_M

__all__ = ['StereoGeometry']

_SMALLEST_FOCAL_LENGTH_PX = 1e-3
# Focal lengths of a rectified pair are equal; calibration files round them.
_FOCAL_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class StereoGeometry:
    """A rectified stereo camera: all that turns a disparity into a depth.

    Attributes
    ----------
    width, height : int
        Size of the rectified images, pixels.
    f : float
        Horizontal focal length, pixels.
    cx, cy : float
        Principal point of the left camera, pixels.
    cx_right : float
        cx of the right camera, pixels.
    baseline : float
        Distance of the cameras, metres, positive.
    fy : float
        Vertical focal length, pixels; where it is not given, 0, that of square pixels, `f`.

    Raises
    ------
    CalibrationError
        If a number is not finite, or f or the baseline is not positive.
    """

    width: int
    height: int
    f: float
    cx: float
    cy: float
    cx_right: float
    baseline: float
    fy: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that no camera has, and fill in `fy`."""
        if self.fy == 0.0:
            object.__setattr__(self, 'fy', self.f)
        for name in ('f', 'cx', 'cy', 'cx_right', 'baseline', 'fy'):
            value = getattr(self, name)
            if not math.isfinite(value) or (value <= 0.0 and name in ('f', 'baseline', 'fy')):
                raise CalibrationError(
                    f'{name} of the stereo camera is {value:g}: f and fy (pixels) and baseline '
                    '(metres) must be above 0, the others finite'
                )

    @property
    def offset(self) -> float:
        """Disparity of a point infinitely far away, cx - cx_right, pixels."""
        return self.cx - self.cx_right

    @classmethod
    def from_calibrations(
        cls, left: CameraCalibration, right: CameraCalibration, baseline: float = 0.0
    ) -> StereoGeometry:
        """Combine the calibrations of both cameras.

        f = P_l[0], baseline = P_l[3] / P_l[0] - P_r[3] / P_r[0] (REP 104: P[3] = -f * x).

        Parameters
        ----------
        left, right : CameraCalibration
            As published or as read from files; roi and binning are applied here.
        baseline : float
            Distance of the cameras, metres, in place of the calibration's; 0 for the
            calibration's.

        Raises
        ------
        CalibrationError
            If a camera is uncalibrated, if the two differ in size or focal length, or if the
            baseline is not positive. The text names the cause and the cure.

        Notes
        -----
        A size of 0 is unknown, and fits any other; :meth:`CameraCalibration.sized` fills it in.
        """
        for side, calibration in (('left', left), ('right', right)):
            _check_calibrated(side, calibration)
        crops = _crops(left, right)
        left, right = left.for_image(), right.for_image()
        sizes = left.image_size, right.image_size
        if sizes[0] != sizes[1] and all(map(all, sizes)):
            raise CalibrationError(
                f'the calibrations are for images of {_size(left)} (left) and {_size(right)} '
                f'(right){crops}: calibrate both cameras at one size'
            )
        f, f_right = left.p[0], right.p[0]
        if not math.isclose(f, f_right, rel_tol=_FOCAL_TOLERANCE):
            raise CalibrationError(
                f'the rectified focal lengths differ: {f:g} px (left P[0]), {f_right:g} px '
                f'(right P[0]){crops}: calibrate the pair together as a stereo camera'
            )
        _check_side_by_side(left, right)
        origin = 'as the parameter baseline has it'
        if baseline <= 0.0:
            baseline = left.p[3] / f - right.p[3] / f_right
            origin = f'P[3] is {left.p[3]:g} (left) and {right.p[3]:g} (right)'
        _check_baseline(baseline, origin)
        return cls(
            width=left.width,
            height=left.height,
            f=f,
            cx=left.p[2],
            cy=left.p[6],
            cx_right=right.p[2],
            baseline=baseline,
            fy=max(left.p[5], 0.0),
        )

    def depth_at(self, disparity: float) -> float:
        """Depth in metres of a disparity in pixels of the images: Z = f * B / (d - offset)."""
        shifted = disparity - self.offset
        return self.f * self.baseline / shifted if shifted > 0.0 else math.inf

    def downscaled(self, factor: int) -> StereoGeometry:
        """Return the geometry of the images reduced by a whole `factor`, area-averaged."""
        centre = (factor - 1) / 2.0
        return StereoGeometry(
            width=self.width // factor,
            height=self.height // factor,
            f=self.f / factor,
            cx=(self.cx - centre) / factor,
            cy=(self.cy - centre) / factor,
            cx_right=(self.cx_right - centre) / factor,
            baseline=self.baseline,
            fy=self.fy / factor,
        )

    def reprojection_matrix(self) -> npt.NDArray[np.float64]:
        """Return Q, (4, 4) float64, with [X Y Z W] = Q [x y d 1] in metres (divide by W).

        Here d = x_l - x_r as matched, before the offset is taken off, so that the last row
        carries the offset: W = (d - offset) / baseline (the Q of cv2.stereoRectify, whose
        Tx is -baseline, for pixels that need not be square).
        """
        q = np.zeros((4, 4))
        q[0, 0], q[1, 1] = 1.0, self.f / self.fy
        q[0, 3], q[1, 3], q[2, 3] = -self.cx, -self.cy * q[1, 1], self.f
        q[3, 2], q[3, 3] = 1.0 / self.baseline, -self.offset / self.baseline
        return q


def _check_calibrated(side: str, calibration: CameraCalibration) -> None:
    if not are_plausible(calibration.p):
        raise UncalibratedError(
            f'the calibration of the {side} camera has numbers that are not finite, or '
            f'beyond {LARGEST_NUMBER:g}, in P: calibrate the camera and have its driver publish '
            'the result'
        )
    if not calibration.is_calibrated:
        raise UncalibratedError(
            f'the {side} camera is not calibrated (P[0] is 0 in its camera_info): '
            'calibrate the pair, for instance with camera_calibration, or give '
            'left_camera_info_url and right_camera_info_url'
        )
    f = calibration.p[0]
    if f < _SMALLEST_FOCAL_LENGTH_PX:
        raise UncalibratedError(
            f'the focal length of the {side} camera is {f:g} px (P[0]): it must be '
            f'positive, and {_SMALLEST_FOCAL_LENGTH_PX:g} px at least: calibrate the camera'
        )


def _check_side_by_side(left: CameraCalibration, right: CameraCalibration) -> None:
    """Refuse cameras one above the other (REP 104: P[7] = -f * y), whatever their baseline."""
    beside, above = right.p[3] - left.p[3], right.p[7] - left.p[7]
    if abs(above) <= max(abs(beside), SMALLEST_BASELINE_M * left.p[0]):
        return
    upper = 'left' if above < 0.0 else 'right'
    raise VerticalCamerasError(
        f'the cameras are one above the other (P[7] is {left.p[7]:g} (left) and {right.p[7]:g} '
        f'(right), P[3] {left.p[3]:g} and {right.p[3]:g}), but this node matches along rows: '
        f'turn both images by 90 degrees anticlockwise, so that the upper camera (now {upper}) '
        'becomes the left one, and calibrate the turned images'
    )


def _check_baseline(baseline: float, origin: str) -> None:
    if baseline == 0.0:
        raise BaselineError(
            f'the baseline is 0 m ({origin}): P[3] of the right camera must be -f * baseline and '
            'that of the left 0; correct the calibration or set the parameter baseline'
        )
    if baseline < 0.0:
        raise SwappedError(
            f'the baseline is {baseline:g} m ({origin}): the calibrations are swapped, exchange '
            'the left and right ones, and the images as well if they are swapped too'
        )
    if baseline < SMALLEST_BASELINE_M:
        raise BaselineError(
            f'the baseline is {baseline:g} m ({origin}): it must be {SMALLEST_BASELINE_M:g} m at '
            'least; correct the calibration, or the parameter baseline'
        )


def _crops(left: CameraCalibration, right: CameraCalibration) -> str:
    """Return in which way binning and roi of the cameras differ; empty when they do not."""
    if left.crop == right.crop:
        return ''
    fields = [each.crop or 'binning and roi are not set' for each in (left, right)]
    return f', where {fields[0]} (left) and {fields[1]} (right), which must be the same'


def _size(calibration: CameraCalibration) -> str:
    width, height = calibration.image_size
    return f'{width}x{height}'
