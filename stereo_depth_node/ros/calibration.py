# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration of both cameras, from their camera_info topics or from files.

The latest CameraInfo counts, whatever its stamp: calibration is a property of the cameras, not of
a frame, and many drivers stamp it differently from the images.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from stereo_depth_node.core.camera.calibration import CameraCalibration, load_calibration
from stereo_depth_node.core.errors import InputError, MissingCalibrationError
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.ros.messages import calibration_from_message

if TYPE_CHECKING:
    from stereo_depth_node.core.settings.settings import Settings

__all__ = ['CalibrationCache', 'StereoCalibration']

# A serialized CameraInfo begins with 4 bytes of encapsulation and 8 of stamp. All behind them
# is the same in every message of a camera until it is calibrated anew.
_STAMP_END = 12


@dataclasses.dataclass(frozen=True, eq=False)
class StereoCalibration:
    """What both cameras say of themselves. Made anew when one of them says something else.

    Attributes
    ----------
    left, right : CameraCalibration
        As published or as read from files.
    left_info : CameraInfo
        The left one as a message, from which depth/camera_info is made.
    """

    left: CameraCalibration
    right: CameraCalibration
    left_info: CameraInfo


class CalibrationCache:
    """Keeps the latest calibration of both cameras.

    Attributes
    ----------
    received : dict of Side to int
        CameraInfo messages received.
    """

    def __init__(self) -> None:
        self.received = dict.fromkeys(Side, 0)
        self._serialized: dict[Side, bytes] = {}
        self._infos: dict[Side, CameraInfo] = {}
        self._urls = ('', '')
        self._current: StereoCalibration | None = None

    def take(self, side: Side, serialized: bytes) -> None:
        """Take a serialized CameraInfo; one that says nothing new costs next to nothing.

        Raises
        ------
        InputError
            If it is no CameraInfo; the one before stays.
        """
        self.received[side] += 1
        content = serialized[_STAMP_END:]
        if self._serialized.get(side) == content:
            return
        try:
            self._infos[side] = deserialize_message(serialized, CameraInfo)
        except Exception as error:
            raise InputError(
                f'a message on {side.value}/camera_info cannot be read ({error}): '
                'check who publishes it'
            ) from error
        self._serialized[side] = content
        self._current = None

    def current(self, settings: Settings) -> StereoCalibration:
        """Return the calibration in force, the same object until something changes.

        Files named by the settings are used for a camera that publishes no CameraInfo.

        Raises
        ------
        MissingCalibrationError
            If a camera has neither published a CameraInfo nor has a file.
        InputError
            If a file cannot be used.
        """
        urls = (settings.left_camera_info_url, settings.right_camera_info_url)
        if self._current is None or urls != self._urls:
            self._urls = urls
            left, left_info = self._of(Side.LEFT, urls[0])
            right, _ = self._of(Side.RIGHT, urls[1])
            self._current = StereoCalibration(left, right, left_info)
        return self._current

    @property
    def in_force(self) -> StereoCalibration | None:
        """What :meth:`current` returned last, None when something has changed since."""
        return self._current

    def missing(self, settings: Settings) -> list[Side]:
        """Return the cameras without any calibration."""
        urls = (settings.left_camera_info_url, settings.right_camera_info_url)
        return [
            side
            for side, url in zip(Side, urls, strict=True)
            if not url and side not in self._infos
        ]

    def _of(self, side: Side, url: str) -> tuple[CameraCalibration, CameraInfo]:
        if side in self._infos:
            info = self._infos[side]
            return calibration_from_message(info), info
        if url:
            calibration = load_calibration(url)
            return calibration, _message_from(calibration)
        raise MissingCalibrationError(
            f'there is no calibration of the {side.value} camera: no camera_info has come. '
            f'Start its driver with a calibration, remap {side.value}/camera_info, or set '
            'left_camera_info_url and right_camera_info_url'
        )


def _message_from(calibration: CameraCalibration) -> CameraInfo:
    """Return the CameraInfo of a calibration file; the frame comes from the images."""
    return CameraInfo(
        header=Header(frame_id=calibration.frame_id),
        width=calibration.width,
        height=calibration.height,
        distortion_model=calibration.distortion_model,
        d=calibration.d,
        k=calibration.k,
        r=calibration.r,
        p=calibration.p,
    )
