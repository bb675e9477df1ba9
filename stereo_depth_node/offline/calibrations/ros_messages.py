# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A sensor_msgs/CameraInfo that ``ros2 topic echo`` or a bridge to JSON wrote into a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.offline.calibrations.content import CalibrationFile
from stereo_depth_node.offline.calibrations.stereo import IDENTITY

__all__ = ['camera_info', 'is_camera_info']

_KEYS = ('width', 'height', 'k', 'p')
_ENVELOPES = ('msg', 'message', 'data')
_ROI = ('x_offset', 'y_offset', 'width', 'height')


def is_camera_info(file: CalibrationFile) -> bool:
    """Whether the file is such a message."""
    return all(key in _message(file) for key in _KEYS)


def camera_info(file: CalibrationFile) -> CameraCalibration:
    """Return the calibration in a message; the first one where there are several.

    Raises
    ------
    InputError
        If a field is not what it must be.
    """
    message = _message(file)

    def whole(value: Any, name: str) -> int:
        return int(file.numbers(value if value is not None else 0, name, 1)[0])

    def numbers(name: str, count: int | tuple[int, ...]) -> tuple[float, ...]:
        return tuple(file.numbers(message.get(name, []), name, count))

    roi = message.get('roi')
    header = message.get('header')
    x, y, width, height = (
        whole(roi.get(name) if isinstance(roi, dict) else 0, f'roi.{name}') for name in _ROI
    )
    return CameraCalibration(
        width=whole(message['width'], 'width'),
        height=whole(message['height'], 'height'),
        distortion_model=str(message.get('distortion_model') or ''),
        d=numbers('d', tuple(range(20))),
        k=numbers('k', 9),
        r=numbers('r', (0, 9)) or IDENTITY,
        p=numbers('p', 12),
        binning_x=whole(message.get('binning_x'), 'binning_x'),
        binning_y=whole(message.get('binning_y'), 'binning_y'),
        roi=(x, y, width, height),
        frame_id=str(header.get('frame_id') or '') if isinstance(header, dict) else '',
    )


def _message(file: CalibrationFile) -> Mapping[str, Any]:
    """Return the fields; D, K, R and P of ROS 1 under their names in ROS 2."""
    entries: Any = file.entries
    for envelope in _ENVELOPES:
        if isinstance(entries.get(envelope), dict):
            entries = entries[envelope]
    return {str(key).lower(): value for key, value in entries.items()}
