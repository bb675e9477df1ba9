# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations of raw images: Kalibr's camchain, EuRoC's sensor.yaml, the SN*.conf of a ZED.

They have no projection matrices; :class:`.RawPair` computes them.
"""

from __future__ import annotations

from collections.abc import Mapping
import configparser
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.calibrations.content import CalibrationFile
from stereo_depth_node.offline.calibrations.stereo import CameraPair, IDENTITY, RawPair

__all__ = ['euroc_pair', 'is_euroc', 'is_kalibr', 'kalibr_pair', 'zed_pairs']

# Names of the models in the files -> names in ROS.
_MODELS = {
    'radtan': 'plumb_bob',
    'radial-tangential': 'plumb_bob',
    'plumb_bob': 'plumb_bob',
    'equidistant': 'equidistant',
    'none': 'plumb_bob',
}
# The sizes of the images of a ZED, pixels.
_ZED_SIZES = {
    '2K': (2208, 1242),
    'FHD': (1920, 1080),
    'FHD1200': (1920, 1200),
    'HD': (1280, 720),
    'SVGA': (960, 600),
    'VGA': (672, 376),
}
_ZED_DISTORTION = ('k1', 'k2', 'p1', 'p2', 'k3')


def is_kalibr(file: CalibrationFile) -> bool:
    """Whether it is a camchain: ``cam0: {intrinsics: ...}``."""
    camera = file.entries.get('cam0')
    return isinstance(camera, dict) and 'intrinsics' in camera


def kalibr_pair(file: CalibrationFile) -> RawPair:
    """Read cam0 and cam1 of a camchain; ``T_cn_cnm1`` takes points of cam0 to cam1.

    OpenVINS has the pose of each camera to the IMU alone: ``T_imu_cam``, or ``T_cam_imu``.

    Raises
    ------
    InputError
        If the second camera is missing, or a camera is of a model that is not known.
    """
    cameras = [file.entries.get(name) for name in ('cam0', 'cam1')]
    first, second = (camera if isinstance(camera, dict) else {} for camera in cameras)
    if 'T_cn_cnm1' in second:
        pose = _pose(file, second, 'T_cn_cnm1')
    elif 'T_imu_cam' in first and 'T_imu_cam' in second:
        pose = _pose(file, second, 'T_imu_cam', inverse=True) @ _pose(file, first, 'T_imu_cam')
    elif 'T_cam_imu' in first and 'T_cam_imu' in second:
        pose = _pose(file, second, 'T_cam_imu') @ _pose(file, first, 'T_cam_imu', inverse=True)
    else:
        raise file.missing('it is a Kalibr camchain, cam1 with its T_cn_cnm1 is')
    left = _camera(file, first, 'distortion_coeffs', 'cam0')
    right = _camera(file, second, 'distortion_coeffs', 'cam1')
    return _pair(left, right, pose)


def is_euroc(file: CalibrationFile) -> bool:
    """Whether it is the sensor.yaml of a camera."""
    return 'T_BS' in file.entries and 'intrinsics' in file.entries


def euroc_pair(left: CalibrationFile, right: CalibrationFile) -> RawPair:
    """Read the sensor.yaml of two cameras; ``T_BS`` takes points of a camera to the body.

    Raises
    ------
    InputError
        If a camera is of a model that is not known.
    """
    pose = _pose(right, right.entries, 'T_BS', inverse=True) @ _pose(left, left.entries, 'T_BS')
    cameras = [
        _camera(file, file.entries, 'distortion_coefficients', 'the camera')
        for file in (left, right)
    ]
    return _pair(cameras[0], cameras[1], pose)


def zed_pairs(file: CalibrationFile) -> tuple[CameraPair, ...]:
    """Read the file that comes with a ZED: a calibration for each size of its images.

    Baseline, TY and TZ are in mm and positive, the rotation vector is (RX, CV, RZ), as the
    maker's open capture library uses them.

    Raises
    ------
    InputError
        If something is missing.
    """
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, inline_comment_prefixes=('#', ';')
    )
    try:
        parser.read_string(file.text)
    except configparser.Error as error:
        raise InputError(f'{printable(file.path)} (ZED): {printable(error)}') from error
    stereo = parser['STEREO'] if parser.has_section('STEREO') else {}
    if 'Baseline' not in stereo:
        raise file.missing('it is of a ZED, Baseline in [STEREO] is')
    pairs = []
    for name, (width, height) in _ZED_SIZES.items():
        sections = [f'{side}_CAM_{name}' for side in ('LEFT', 'RIGHT')]
        if not all(parser.has_section(section) for section in sections):
            continue
        left, right = (_zed_camera(file, parser[section], width, height) for section in sections)
        # Of the pose, old files have some numbers once for all sizes.
        mm = [
            _number(file, stereo, key, f'{key}_{name}', default)
            for key, default in (('Baseline', None), ('TY', 0.0), ('TZ', 0.0))
        ]
        turn = [_number(file, stereo, f'{key}_{name}', key, 0.0) for key in ('RX', 'CV', 'RZ')]
        rotation = cv2.Rodrigues(np.array(turn))[0]
        translation = tuple(-number / 1000.0 for number in mm)
        pairs.append(RawPair(left, right, tuple(rotation.ravel().tolist()), translation))
    if not pairs:
        raise file.missing('it is of a ZED, both LEFT_CAM and RIGHT_CAM of one size are')
    return tuple(pairs)


def _camera(
    file: CalibrationFile, entries: Mapping[str, Any], distortion: str, name: str
) -> CameraCalibration:
    model = str(entries.get('camera_model', 'pinhole'))
    if model != 'pinhole':
        raise InputError(
            f'{printable(file.path)}: {name} has the camera model {printable(model, 40)!r}, '
            'expected pinhole: calibrate with pinhole-radtan or pinhole-equi'
        )
    given = str(entries.get('distortion_model', 'none'))
    if given not in _MODELS:
        raise InputError(
            f'{printable(file.path)}: {name} has the distortion model {printable(given, 40)!r}, '
            f'known are {", ".join(_MODELS)}: calibrate with pinhole-radtan or pinhole-equi'
        )
    if 'resolution' not in entries:
        raise file.missing(f'the resolution of {name} is')
    fx, fy, cx, cy = file.numbers(entries.get('intrinsics'), f'intrinsics of {name}', 4)
    width, height = file.numbers(entries['resolution'], f'resolution of {name}', 2)
    d = file.numbers(entries.get(distortion, []), f'{distortion} of {name}', (0, 4, 5))
    return CameraCalibration(
        width=int(width),
        height=int(height),
        distortion_model=_MODELS[given],
        d=tuple(d),
        k=(fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0),
        r=IDENTITY,
        p=(),
    )


def _pose(
    file: CalibrationFile, entries: Mapping[str, Any], name: str, *, inverse: bool = False
) -> npt.NDArray[np.float64]:
    """Return a pose, (4, 4), or its inverse."""
    pose = np.reshape(file.numbers(entries.get(name), name, 16), (4, 4))
    try:
        return np.asarray(np.linalg.inv(pose) if inverse else pose, np.float64)
    except np.linalg.LinAlgError as error:
        raise InputError(f'{printable(file.path)}: {name} is no pose of a camera') from error


def _pair(left: CameraCalibration, right: CameraCalibration, pose: Any) -> RawPair:
    return RawPair(left, right, tuple(pose[:3, :3].ravel().tolist()), tuple(pose[:3, 3].tolist()))


def _zed_camera(
    file: CalibrationFile, section: Mapping[str, str], width: int, height: int
) -> CameraCalibration:
    fx, fy, cx, cy = (_number(file, section, key, key, None) for key in ('fx', 'fy', 'cx', 'cy'))
    return CameraCalibration(
        width,
        height,
        'plumb_bob',
        d=tuple(_number(file, section, key, key, 0.0) for key in _ZED_DISTORTION),
        k=(fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0),
        r=IDENTITY,
        p=(),
    )


def _number(
    file: CalibrationFile,
    section: Mapping[str, str],
    name: str,
    other: str,
    default: float | None,
) -> float:
    """Return a number by one of its two names."""
    text = section.get(name, section.get(other))
    if text is None:
        if default is None:
            raise file.missing(f'it is of a ZED, {name} is')
        return default
    return float(file.numbers(text, name, 1)[0])
