# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration of image files: files of whichever kind, or numbers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import math
from pathlib import Path

from stereo_depth_node.core.camera.calibration_file import calibration_path
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.calibrations.recognition import read_stereo_calibration
from stereo_depth_node.offline.calibrations.stereo import Cameras, StereoCalibration

__all__ = [
    'GivenCalibration',
    'add_calibration_options',
    'calibration_from',
    'given_calibration',
    'unit_geometry',
]

# What stands for an unknown focal length in OpenCV's samples: a field of view of 64 degrees.
_USUAL_FOCAL = 0.8


@dataclass(frozen=True)
class GivenCalibration:
    """The calibration that was given, for images whose size may not be known yet.

    Attributes
    ----------
    files : StereoCalibration or None
        Of calibration files.
    numbers : tuple of 3 float or None
        Focal length in pixels, baseline in metres, cx_right - cx_left in pixels.
    """

    files: StereoCalibration | None = None
    numbers: tuple[float, float, float] | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is any."""
        return self.files is not None or self.numbers is not None

    @property
    def can_rectify(self) -> bool:
        """Whether raw images can be rectified with it."""
        return self.files is not None and self.files.can_rectify

    def cameras_for(self, width: int, height: int) -> Cameras | None:
        """Return the calibrations of both cameras for images of this size, None without files.

        Raises
        ------
        CalibrationError, CalibrationSizeError
            If the calibration does not make a stereo camera, or is for another size.
        """
        return self.files.cameras_for(width, height) if self.files is not None else None

    def geometry_for(self, width: int, height: int, settings: Settings) -> StereoGeometry | None:
        """Return the stereo camera of images of this size, None without calibration.

        Raises
        ------
        CalibrationError, CalibrationSizeError
            If the calibration does not make a stereo camera, or is for another size.
        """
        cameras = self.cameras_for(width, height)
        if cameras is not None:
            return StereoGeometry.from_calibrations(*cameras, settings.baseline)
        if self.numbers is not None:
            f, baseline, doffs = self.numbers
            cx, cy = (width - 1) / 2, (height - 1) / 2
            return StereoGeometry(width, height, f, cx, cy, cx + doffs, baseline)
        return None

    def notes(self, settings: Settings) -> list[str]:
        """Return what is to be said of it, a line each."""
        if self.files is None:
            return []
        lines = [f'calibration: {self.files.source}']
        if self.files.is_of_raw_images and not settings.rectify:
            lines.append(
                '  it is for raw images: if yours are as the cameras gave them, add '
                '--set rectify=true'
            )
        return lines


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
        '--calib',
        nargs='+',
        type=Path,
        metavar='FILE',
        help='one file, or LEFT and RIGHT, of any kind that docs/files.md lists',
    )
    # Its name before all kinds were recognised by their content.
    group.add_argument('--camera-info', dest='calib', nargs='+', type=Path, help=argparse.SUPPRESS)
    group.add_argument('--focal', type=float, metavar='PX', help='focal length, pixels')
    group.add_argument('--baseline', type=float, metavar='M', help='with --focal: metres')
    group.add_argument(
        '--doffs',
        type=float,
        metavar='PX',
        help='with --focal: principal point of the right camera less that of the left, x '
        '(default 0)',
    )


def calibration_from(
    arguments: argparse.Namespace, settings: Settings, images: str | Path
) -> GivenCalibration:
    """Return the calibration of a command line, or of the files that the settings name.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of a parser that went through :func:`add_calibration_options`.
    settings, images
        As :func:`given_calibration` has them.

    Raises
    ------
    SettingsError
        If several were given, or half of one, or the settings want what it has not.
    InputError, CalibrationError
        As :func:`given_calibration`.
    """
    f, baseline, doffs = arguments.focal, arguments.baseline, arguments.doffs
    if arguments.calib and f is not None:
        raise SettingsError('--calib and --focal are given: give one calibration')
    if (f is None) != (baseline is None):
        raise SettingsError('only one of --focal and --baseline is given: give both')
    if f is None:
        if doffs is not None:
            raise SettingsError('--doffs is given without --focal and --baseline: give these, too')
        return given_calibration(settings, images, arguments.calib or ())
    for name, value in (('focal', f), ('baseline', baseline)):
        if not (math.isfinite(value) and value > 0):
            raise SettingsError(f'--{name} is {value:g}: it must be above 0')
    return given_calibration(settings, images, numbers=(f, baseline, doffs or 0.0))


def given_calibration(
    settings: Settings,
    images: str | Path,
    files: Sequence[Path] = (),
    numbers: tuple[float, float, float] | None = None,
) -> GivenCalibration:
    """Return the calibration of files or numbers, or of the files that the settings name.

    Parameters
    ----------
    settings : Settings
        Those of the command.
    images : str or Path
        The left image, or a pattern: KITTI's say by their folder which cameras took them.
    files : sequence of Path
        One file, or that of each camera.
    numbers : tuple of 3 float, optional
        As :class:`GivenCalibration` has them.

    Raises
    ------
    SettingsError
        If the settings want what it has not.
    InputError
        If a file cannot be used.
    CalibrationError
        If the numbers of a file do not make a stereo camera.
    """
    if numbers is None and not files and settings.left_camera_info_url:
        urls = (settings.left_camera_info_url, settings.right_camera_info_url)
        files = [calibration_path(url) for url in urls]
    found = GivenCalibration(
        read_stereo_calibration(files, str(images)) if files else None, numbers
    )
    if settings.rectify and not found.can_rectify:
        had = f'{found.files.source} has not' if found.files is not None else 'no calibration has'
        raise SettingsError(
            f'rectify is on, and {had} the matrices K, D and R of raw images: give a calibration '
            'that has them with --calib'
        )
    return found
