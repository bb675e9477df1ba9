# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which kind of calibration a file is, by its content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
import re
from typing import NamedTuple

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.calibration_file import cameras_of_ini, load_calibration
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable, read_text
from stereo_depth_node.offline.calibrations.chains import (
    euroc_pair,
    is_euroc,
    is_kalibr,
    kalibr_pair,
    zed_pairs,
)
from stereo_depth_node.offline.calibrations.content import CalibrationFile
from stereo_depth_node.offline.calibrations.data_sets import kitti_pairs, middlebury_pair
from stereo_depth_node.offline.calibrations.opencv import is_opencv, opencv_pair
from stereo_depth_node.offline.calibrations.ros_messages import camera_info, is_camera_info
from stereo_depth_node.offline.calibrations.stereo import (
    CameraPair,
    RectifiedPair,
    StereoCalibration,
)

__all__ = ['KINDS', 'read_stereo_calibration']

KINDS = (
    'ROS camera_info (YAML, .ini, a saved "ros2 topic echo", JSON), '
    'OpenCV stereo_calib (intrinsics.yml, extrinsics.yml), Middlebury and ETH3D calib.txt, '
    'KITTI calib_cam_to_cam.txt and calib.txt, Kalibr camchain, EuRoC sensor.yaml, ZED SN*.conf'
)
"""The kinds that are known, for people."""


class _OneFile(NamedTuple):
    """A kind whose file holds both cameras."""

    name: str
    matches: Callable[[CalibrationFile], bool]
    read: Callable[[CalibrationFile, str], tuple[CameraPair, ...]]


class _TwoFiles(NamedTuple):
    """A kind that has a file for each camera."""

    name: str
    matches: Callable[[CalibrationFile], bool]
    read: Callable[[CalibrationFile, CalibrationFile], CameraPair]


def _matching(pattern: str) -> Callable[[CalibrationFile], bool]:
    """Return a test whether a line of the text begins like this."""
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda file: compiled.search(file.text) is not None


def _ros_pair(file: CalibrationFile) -> RectifiedPair:
    left, right = cameras_of_ini(file.text, printable(file.path))[:2]
    return RectifiedPair(left, right)


def _ros(left: CalibrationFile, right: CalibrationFile) -> RectifiedPair:
    return RectifiedPair(_ros_camera(left), _ros_camera(right))


def _ros_camera(file: CalibrationFile) -> CameraCalibration:
    return camera_info(file) if is_camera_info(file) else load_calibration(file.path)


# By the text first: what is looked for in YAML comes after it, as that is parsed then.
_SINGLE = (
    _OneFile(
        'ROS camera_info of both cameras',
        _matching(r'^\[image\]\s[\s\S]*^\[image\]\s'),
        lambda file, _: (_ros_pair(file),),
    ),
    _OneFile('ZED', _matching(r'^\s*\[LEFT_CAM_\w+\]'), lambda file, _: zed_pairs(file)),
    _OneFile(
        'Middlebury', _matching(r'^\s*(cam0|doffs)\s*='), lambda file, _: (middlebury_pair(file),)
    ),
    _OneFile('KITTI', _matching(r'^\s*P(_rect_)?\d+\s*:\s*[-+.\d]'), kitti_pairs),
    _OneFile('Kalibr', is_kalibr, lambda file, _: (kalibr_pair(file),)),
)
_DOUBLE = (
    _TwoFiles(
        'ROS camera_info',
        _matching(
            r'^\s*["\']?(camera_matrix|projection_matrix|image_width)["\']?\s*:'
            r'|^camera matrix\s*$'
        ),
        _ros,
    ),
    _TwoFiles('ROS camera_info', is_camera_info, _ros),
    _TwoFiles('EuRoC', is_euroc, euroc_pair),
)


def read_stereo_calibration(paths: Sequence[Path], images: str = '') -> StereoCalibration:
    """Read the calibration of a stereo camera, of whichever kind it is.

    Parameters
    ----------
    paths : sequence of Path
        One file, or two: left and right, or OpenCV's two files in any order.
    images : str
        Path of the left images: KITTI's say by their folder which cameras took them.

    Raises
    ------
    InputError
        If a file cannot be read, is of no known kind, or has not all that is needed. The text
        says what is missing.
    CalibrationError
        If the numbers do not make a stereo camera.
    """
    files = [CalibrationFile(path, read_text(path)) for path in paths]
    names = ', '.join(printable(file.path.name) for file in files)
    if len(files) > 2:
        raise InputError(f'{len(files)} calibration files: give one, or the left and the right')
    first, last = files[0], files[-1]
    for kind in _SINGLE:
        if kind.matches(first):
            _refuse_second(files, kind.name)
            return StereoCalibration(f'{kind.name} ({names})', kind.read(first, images))
    # Programs have matrices of both cameras under names like those of ROS, one level deeper.
    doubles = () if len(files) == 1 and is_opencv(first) else _DOUBLE
    for each in doubles:
        if each.matches(first) and (len(files) == 1 or any(k.matches(last) for k in _DOUBLE)):
            _need_second(files, each.name)
            return StereoCalibration(f'{each.name} ({names})', (each.read(first, last),))
    if all(is_opencv(file) for file in files):
        pair, used = opencv_pair(files)
        names = ', '.join(printable(file.path.name) for file in used)
        return StereoCalibration(f'OpenCV ({names})', (pair,))
    raise _unknown(files)


def _refuse_second(files: Sequence[CalibrationFile], kind: str) -> None:
    if len(files) > 1:
        raise InputError(
            f'{printable(files[0].path)} ({kind}) holds both cameras: give this file alone'
        )


def _need_second(files: Sequence[CalibrationFile], kind: str) -> None:
    if len(files) == 1:
        raise InputError(
            f'{printable(files[0].path)} ({kind}) is of one camera, that of the other is '
            'missing: give both files, --calib LEFT RIGHT'
        )
    if files[0].path.samefile(files[1].path):
        raise InputError(
            f'{printable(files[0].path)} ({kind}) is of one camera and given twice: give the file '
            'of the other one, too, --calib LEFT RIGHT'
        )


def _unknown(files: Sequence[CalibrationFile]) -> InputError:
    known = [_kind_of(file) for file in files]
    if all(known):
        return InputError(
            f'{printable(files[0].path)} is of {known[0]}, {printable(files[1].path)} of '
            f'{known[1]}: give two files of one kind'
        )
    strange = files[known.index('')]
    reason = f' ({strange.problem})' if strange.problem else ''
    return InputError(
        f'{printable(strange.path)} is no calibration that is known{reason}: known are {KINDS}. '
        'The shortest way is --focal PX --baseline M'
    )


def _kind_of(file: CalibrationFile) -> str:
    """Return the name of a file's kind, empty where it is of none."""
    for kind in (*_SINGLE, *_DOUBLE):
        if kind.matches(file):
            return kind.name
    return 'OpenCV' if is_opencv(file) else ''
