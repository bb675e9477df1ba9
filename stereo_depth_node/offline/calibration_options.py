# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration of image files: ROS camera_info files, Middlebury's calib.txt, or numbers."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import math
from pathlib import Path
import re

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.calibration_file import load_calibration
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import CalibrationSizeError, SettingsError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.datasets.calibration import middlebury_2014_geometry

__all__ = [
    'GivenCalibration',
    'add_calibration_options',
    'calibration_from',
    'unit_geometry',
]

# What stands for an unknown focal length in OpenCV's samples: a field of view of 64 degrees.
_USUAL_FOCAL = 0.8


@dataclass(frozen=True)
class GivenCalibration:
    """The calibration that was given, for images whose size may not be known yet.

    Attributes
    ----------
    cameras : tuple of 2 CameraCalibration or None
        Of camera_info files.
    middlebury : Path or None
        A calib.txt.
    numbers : tuple of 3 float or None
        Focal length in pixels, baseline in metres, cx_right - cx_left in pixels.
    """

    cameras: tuple[CameraCalibration, CameraCalibration] | None = None
    middlebury: Path | None = None
    numbers: tuple[float, float, float] | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is any."""
        return any(each is not None for each in (self.cameras, self.middlebury, self.numbers))

    def geometry_for(self, width: int, height: int, settings: Settings) -> StereoGeometry | None:
        """Return the stereo camera of images of this size, None without calibration.

        Raises
        ------
        CalibrationError, CalibrationSizeError
            If the calibrations do not make a stereo camera, or are for another size.
        InputError
            If a file cannot be used.
        """
        if self.cameras is not None:
            return StereoGeometry.from_calibrations(*self.cameras, settings.baseline)
        if self.numbers is not None:
            f, baseline, doffs = self.numbers
            cx, cy = (width - 1) / 2, (height - 1) / 2
            return StereoGeometry(width, height, f, cx, cy, cx + doffs, baseline)
        if self.middlebury is not None:
            geometry = middlebury_2014_geometry(self.middlebury, width, height)
            _check_size(self.middlebury, width, height)
            return geometry
        return None


def unit_geometry(width: int, height: int) -> StereoGeometry:
    """Return a stereo camera for uncalibrated images: shapes are roughly right, scale is not.

    The focal length is 0.8 image widths, the baseline 1.
    """
    cx, cy = (width - 1) / 2, (height - 1) / 2
    return StereoGeometry(width, height, _USUAL_FOCAL * width, cx, cy, cx, 1.0)


def add_calibration_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for a calibration."""
    group = parser.add_argument_group('calibration, one of these; without it there is no depth')
    group.add_argument(
        '--camera-info',
        nargs=2,
        metavar=('LEFT', 'RIGHT'),
        help='calibration files of both cameras (ROS camera_info YAML)',
    )
    group.add_argument('--calib', metavar='FILE', help='calib.txt of a Middlebury scene')
    group.add_argument('--focal', type=float, metavar='PX', help='focal length, pixels')
    group.add_argument('--baseline', type=float, metavar='M', help='with --focal: metres')
    group.add_argument(
        '--doffs',
        type=float,
        metavar='PX',
        help='with --focal: principal point of the right camera less that of the left, x '
        '(default 0)',
    )


def calibration_from(arguments: argparse.Namespace, settings: Settings) -> GivenCalibration:
    """Return the calibration of a command line, or of the files that the settings name.

    Raises
    ------
    SettingsError
        If several were given, or half of one.
    InputError
        If a file cannot be used.
    """
    ways = [
        name
        for name, given in (
            ('--camera-info', arguments.camera_info),
            ('--calib', arguments.calib),
            ('--focal', arguments.focal),
        )
        if given is not None
    ]
    if len(ways) > 1:
        raise SettingsError(f'{" and ".join(ways)} are given: give one calibration')
    if (arguments.focal is None) != (arguments.baseline is None):
        raise SettingsError('only one of --focal and --baseline is given: give both')
    if arguments.doffs is not None and arguments.focal is None:
        raise SettingsError('--doffs is given without --focal and --baseline: give these, too')
    if arguments.calib is not None:
        return GivenCalibration(middlebury=Path(arguments.calib))
    if arguments.focal is not None:
        for name, value in (('focal', arguments.focal), ('baseline', arguments.baseline)):
            if not (math.isfinite(value) and value > 0):
                raise SettingsError(f'--{name} is {value:g}: it must be above 0')
        return GivenCalibration(
            numbers=(arguments.focal, arguments.baseline, arguments.doffs or 0.0)
        )
    files = arguments.camera_info
    if files is None and settings.left_camera_info_url:
        files = (settings.left_camera_info_url, settings.right_camera_info_url)
    if files is not None:
        return GivenCalibration(cameras=(load_calibration(files[0]), load_calibration(files[1])))
    return GivenCalibration()


def _check_size(path: Path, width: int, height: int) -> None:
    """Refuse a calib.txt that says it is for images of another size."""
    text = path.read_text(encoding='utf-8')
    said = dict(re.findall(r'^\s*(width|height)\s*=\s*(\d+)', text, re.MULTILINE))
    expected = (int(said.get('width', width)), int(said.get('height', height)))
    if expected != (width, height):
        raise CalibrationSizeError(
            f'{path} is for images of {expected[0]}x{expected[1]}, these are {width}x{height}: '
            'take the calib.txt of this size'
        )
