# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files of stereo data sets: Middlebury, ETH3D, KITTI."""

from __future__ import annotations

from pathlib import Path
import re

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.calibrations.content import CalibrationFile, numbers_in
from stereo_depth_node.offline.calibrations.stereo import CameraPair, RectifiedPair

__all__ = ['kitti_pairs', 'middlebury_pair']

_PROJECTION = re.compile(r'P(_rect_)?\d+')
_DRIVING_STEREO = ('101', '103')
_FOLDER = re.compile(r'(image|colored)_0?[0-3]')
_COLOUR_FOLDER = re.compile(r'image_0?[23]|colored_[01]')


def middlebury_pair(file: CalibrationFile) -> RectifiedPair:
    """Read a calib.txt: ``cam0=[f 0 cx; 0 f cy; 0 0 1]``, doffs in pixels, baseline in mm.

    Raises
    ------
    InputError
        If an entry is missing.
    """
    entries = file.assignments('=')

    def numbers(name: str, count: int) -> npt.NDArray[np.float64]:
        found = numbers_in(entries.get(name, ''))
        if len(found) != count:
            raise InputError(
                f'{printable(file.path)}: {name} has {len(found)} numbers, expected {count}'
                + (' (mm)' if name == 'baseline' else '')
            )
        return file.numbers(found, name, count)

    left = np.reshape(numbers('cam0', 9), (3, 3))
    # Only some files have doffs, all have cam1.
    doffs = numbers('doffs', 1)[0] if 'doffs' in entries else numbers('cam1', 9)[2] - left[0, 2]
    f, baseline = left[0, 0], numbers('baseline', 1)[0] / 1000.0
    size = [int(number) for name in ('width', 'height') for number in _whole(entries.get(name))]
    right = left.copy()
    right[0, 2] += doffs
    return RectifiedPair.of_matrices(
        np.column_stack([left, np.zeros(3)]),
        np.column_stack([right, [-f * baseline, 0.0, 0.0]]),
        (size[0], size[1]) if len(size) == 2 else (0, 0),
    )


def kitti_pairs(file: CalibrationFile, images: str = '') -> tuple[CameraPair, ...]:
    """Read ``P0: ...`` (2012, odometry) or calib_cam_to_cam.txt (raw recordings, 2015).

    DrivingStereo has files like the latter, of its cameras 101 and 103.

    The images of a data set are rectified and have the size S_rect; those of a raw recording
    without "sync" have the size S, and K, D and R_rect besides P_rect.

    Parameters
    ----------
    file : CalibrationFile
        The file.
    images : str
        Path of the left images: of the colour cameras 2 and 3 where it has one of their folders,
        else of the grey ones 0 and 1.

    Raises
    ------
    InputError
        If the file has not both cameras.
    """
    entries = file.assignments(':')
    is_named = any(name.startswith('P_rect_') for name in entries)
    prefix = 'P_rect_' if is_named else 'P'
    has = [name.removeprefix(prefix) for name in entries if _PROJECTION.fullmatch(name)]
    zero = '0' if is_named else ''
    orders = [(f'{zero}0', f'{zero}1'), (f'{zero}2', f'{zero}3'), _DRIVING_STEREO]
    if _are_in_colour(images):
        orders.insert(0, orders.pop(1))
    cameras = next((each for each in orders if set(each) <= set(has)), None)
    if cameras is None:
        raise file.missing(f'the cameras are {", ".join(has)}; 0 and 1, or 2 and 3 are')

    def numbers(name: str, count: tuple[int, ...]) -> tuple[float, ...]:
        found = numbers_in(entries.get(name, ''))
        return tuple(file.numbers(found, name, count))

    p = [numbers(f'{prefix}{index}', (12,)) for index in cameras]
    left, right = (np.reshape(each, (3, 4)) for each in p)
    if not is_named or f'S_rect_{cameras[0]}' not in entries:
        return (RectifiedPair.of_matrices(left, right),)
    size = numbers(f'S_rect_{cameras[0]}', (2,))
    rectified = RectifiedPair.of_matrices(left, right, (int(size[0]), int(size[1])))
    if f'S_{cameras[0]}' not in entries or f'K_{cameras[1]}' not in entries:
        return (rectified,)
    raw = []
    for index, projection in zip(cameras, p, strict=True):
        width, height = numbers(f'S_{index}', (2,))
        raw.append(
            CameraCalibration(
                int(width),
                int(height),
                'plumb_bob',
                d=numbers(f'D_{index}', (4, 5)),
                k=numbers(f'K_{index}', (9,)),
                r=numbers(f'R_rect_{index}', (9,)),
                p=projection,
            )
        )
    pair = RectifiedPair(raw[0], raw[1])
    # Of one size, as in KITTI-360, it does for both.
    return (pair,) if pair.size == rectified.size else (rectified, pair)


def _are_in_colour(images: str) -> bool:
    """Tell by the innermost folder of KITTI, which may be the working directory."""
    folders = [part for part in Path(images).absolute().parts if _FOLDER.fullmatch(part)]
    return bool(folders) and _COLOUR_FOLDER.fullmatch(folders[-1]) is not None


def _whole(text: str | None) -> list[float]:
    return [number for number in numbers_in(text or '')[:1] if 0 < number < 1e6]
