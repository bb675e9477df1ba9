# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration of one camera.

Projection matrices are ROS's (REP 104, sensor_msgs/CameraInfo)::

        [f  0  cx  Tx]
    P = [0  fy cy  Ty]        Tx = -f * (x of this camera along the baseline, metres)
        [0  0  1   0 ]
"""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses

import numpy as np

__all__ = ['CALIBRATE_AT_SIZE', 'CameraCalibration', 'are_plausible', 'why_size_differs']

CALIBRATE_AT_SIZE = (
    'calibrate at the size that is published, or have the driver scale its camera_info with the '
    'images'
)
"""What to do about a calibration for images of another size."""

# Far beyond any camera, and with room to spare below what float32 messages hold.
LARGEST_NUMBER = 1e9


def are_plausible(numbers: Iterable[float]) -> bool:
    """Tell whether numbers of a calibration are finite and not beyond all cameras."""
    return all(abs(number) <= LARGEST_NUMBER for number in numbers)  # false for NaN


@dataclasses.dataclass(frozen=True)
class CameraCalibration:
    """Calibration of one camera, the content of a sensor_msgs/CameraInfo.

    Matrices may be given as OpenCV has them, arrays of any shape, and are kept as tuples.

    Attributes
    ----------
    width, height : int
        Size of the full image, pixels; 0 where it is unknown.
    distortion_model : str
        ``plumb_bob``, ``rational_polynomial`` or ``equidistant``; empty when unknown.
    d : tuple of float
        Distortion coefficients.
    k, r : tuple of 9 float
        Intrinsic and rectifying matrix, row by row.
    p : tuple of 12 float
        Projection matrix of the rectified image, row by row.
    binning_x, binning_y : int
        Pixels of the full image per pixel of the image; 0 means 1.
    roi : tuple of 4 int
        x offset, y offset, width and height of the part of the full image (before binning) that
        is in the image; width and height 0 mean the whole.
    frame_id : str
        Optical frame of the camera.
    """

    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    binning_x: int = 0
    binning_y: int = 0
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)
    frame_id: str = ''

    def __post_init__(self) -> None:
        """Keep matrices row by row."""
        for name in ('d', 'k', 'r', 'p'):
            values = getattr(self, name)
            if type(values) is not tuple:
                object.__setattr__(self, name, tuple(map(float, np.ravel(values))))

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images this calibration is for, roi and binning applied."""
        _, _, roi_width, roi_height = self.roi
        width, height = (roi_width or self.width), (roi_height or self.height)
        return width // max(self.binning_x, 1), height // max(self.binning_y, 1)

    @property
    def crop(self) -> str:
        """Binning and roi as text; empty when neither is set."""
        fields = []
        if max(self.binning_x, self.binning_y) > 1:
            fields.append(f'binning is {self.binning_x}x{self.binning_y}')
        if any(self.roi):
            x, y, width, height = self.roi
            fields.append(f'roi is {width}x{height} at ({x}, {y})')
        return ' and '.join(fields)

    @property
    def is_calibrated(self) -> bool:
        """Whether there is a projection (P[0] is 0 in a CameraInfo without): all for depth."""
        return len(self.p) == 12 and self.p[0] != 0.0

    @property
    def is_rectifiable(self) -> bool:
        """Whether there are intrinsics as well (K[0] is 0 in a CameraInfo without)."""
        return self.is_calibrated and len(self.k) == 9 and self.k[0] != 0.0

    def for_image(self) -> CameraCalibration:
        """Return the calibration of the image itself: roi and binning applied to K and P.

        The principal point moves by the roi's offset, then everything in pixels is divided by
        the binning (the rule of image_geometry's PinholeCameraModel).
        """
        scale_x, scale_y = max(self.binning_x, 1), max(self.binning_y, 1)
        x_offset, y_offset = self.roi[0], self.roi[1]
        if (scale_x, scale_y) == (1, 1) and self.roi == (0, 0, 0, 0):
            return self
        width, height = self.image_size
        rows = (1.0 / scale_x, 1.0 / scale_y, 1.0)
        shift = (float(x_offset), float(y_offset), 0.0)
        return dataclasses.replace(
            self,
            width=width,
            height=height,
            k=_cropped_and_scaled(self.k, 3, shift, rows),
            p=_cropped_and_scaled(self.p, 4, shift, rows),
            binning_x=0,
            binning_y=0,
            roi=(0, 0, 0, 0),
        )

    def sized(self, width: int, height: int) -> CameraCalibration:
        """Return the calibration with the size of the images filled in where it is unknown.

        Parameters
        ----------
        width, height : int
            Size of the images that come, roi and binning applied, pixels.
        """
        return dataclasses.replace(
            self,
            width=self.width or self.roi[0] + width * max(self.binning_x, 1),
            height=self.height or self.roi[1] + height * max(self.binning_y, 1),
        )

    def downscaled(self, factor: int) -> CameraCalibration:
        """Return the calibration of the image reduced by a whole `factor`, area-averaged.

        Pixel centres are whole numbers, so that a block of `factor` pixels from 0 has its centre
        at (factor - 1) / 2: c' = (c + 0.5) / factor - 0.5.
        """
        if factor == 1:
            return self
        full = self.for_image()
        rows = (1.0 / factor, 1.0 / factor, 1.0)
        centre = (factor - 1) / 2.0
        shift = (centre, centre, 0.0)
        return dataclasses.replace(
            full,
            width=full.width // factor,
            height=full.height // factor,
            k=_cropped_and_scaled(full.k, 3, shift, rows),
            p=_cropped_and_scaled(full.p, 4, shift, rows),
        )


def why_size_differs(calibration: CameraCalibration, width: int, height: int) -> str:
    """Return what to do about a calibration for images of another size than these."""
    fields = calibration.crop
    if fields and (calibration.width, calibration.height) == (width, height):
        return (
            f'{fields}, but width and height are those of the images already: set binning and roi '
            'to 0, or width and height, K and P to those of the full sensor'
        )
    if fields:
        return f'{fields}: correct them, or calibrate at the size that is published'
    return CALIBRATE_AT_SIZE


def _cropped_and_scaled(
    matrix: tuple[float, ...],
    columns: int,
    shift: tuple[float, float, float],
    scale: tuple[float, float, float],
) -> tuple[float, ...]:
    """Move the principal point (column 2) by -shift, then scale each row."""
    result = list(matrix)
    for row in range(3):
        if row < 2:
            result[row * columns + 2] -= shift[row]
        for column in range(columns):
            result[row * columns + column] *= scale[row]
    return tuple(result)
