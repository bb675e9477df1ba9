# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration of both cameras, from their CameraInfo messages or from files.

The latest CameraInfo counts, whatever its stamp: calibration is a property of the cameras, not of
a frame, and many drivers stamp it differently from the images.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.calibration_file import calibration_path, load_calibration
from stereo_depth_node.core.errors import (
    InputError,
    MissingCalibrationError,
    UncalibratedError,
)
from stereo_depth_node.core.messages.content import (
    calibration_from_message,
    camera_info_from_calibration,
)
from stereo_depth_node.core.messages.library import CAMERA_INFO, MessageLibrary
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['CalibrationCache', 'StereoCalibration', 'says_the_same']

# A serialized CameraInfo begins with 4 bytes of encapsulation and 8 of stamp. All behind them
# is the same in every message of a camera until it is calibrated anew.
_STAMP_END = 12


def says_the_same(known: bytes | None, serialized: bytes) -> bool:
    """Tell whether a serialized CameraInfo differs from one known before in its stamp at most."""
    return known is not None and known[_STAMP_END:] == serialized[_STAMP_END:]


@dataclasses.dataclass(frozen=True, eq=False)
class StereoCalibration:
    """The calibration of both cameras; another object whenever one of them changes.

    Attributes
    ----------
    left, right : CameraCalibration
        As published or as read from files.
    left_info : Any
        The left one as a CameraInfo, from which depth/camera_info is made.
    """

    left: CameraCalibration
    right: CameraCalibration
    left_info: Any


class CalibrationCache:
    """Keeps the latest calibration of both cameras.

    Parameters
    ----------
    library : MessageLibrary
        Reads and makes the messages.
    advice : str
        What to do about a camera without a calibration; ``{side}`` stands for its side.

    Attributes
    ----------
    received : dict of Side to int
        CameraInfo messages received.
    in_force : StereoCalibration or None
        What :meth:`current` returned last, None when something has changed since.
    """

    def __init__(self, library: MessageLibrary, advice: str) -> None:
        self.received = dict.fromkeys(Side, 0)
        self.in_force: StereoCalibration | None = None
        self._library = library
        self._advice = advice
        self._serialized: dict[Side, bytes] = {}
        self._infos: dict[Side, Any] = {}
        self._unreadable: dict[Side, str] = {}
        self._made_for: tuple[str, str, bool] = ('', '', False)
        self._files = {side: _CalibrationFile() for side in Side}

    def take(self, side: Side, serialized: bytes) -> None:
        """Take a serialized CameraInfo; one that says nothing new costs next to nothing.

        Raises
        ------
        InputError
            If it is no CameraInfo; the one before stays.
        """
        self.received[side] += 1
        if says_the_same(self._serialized.get(side), serialized):
            return
        try:
            info = self._library.deserialize(serialized, CAMERA_INFO)
        except InputError as error:
            text = f'a message on {side.value}/camera_info cannot be read ({printable(error)})'
            self._unreadable[side] = f'{text}: check who publishes it'
            raise InputError(self._unreadable[side]) from error
        self._unreadable.pop(side, None)
        self._infos[side], self._serialized[side] = info, serialized
        self.in_force = None

    def current(self, settings: Settings) -> StereoCalibration:
        """Return the calibration in force, the same object until something changes.

        Files named by the settings are used for a camera that publishes no CameraInfo, or one
        that says nothing: drivers publish zeros until they are given a calibration.

        Raises
        ------
        MissingCalibrationError
            If a camera has neither published a CameraInfo nor has a file.
        UncalibratedError
            If it has published only messages that cannot be read.
        InputError
            If a file cannot be used.
        """
        urls = (settings.left_camera_info_url, settings.right_camera_info_url)
        made_for = (*urls, settings.rectify)
        if self.in_force is None or made_for != self._made_for:
            self.in_force, self._made_for = None, made_for
            left, left_info = self._of(Side.LEFT, urls[0], settings)
            right, _ = self._of(Side.RIGHT, urls[1], settings)
            self.in_force = StereoCalibration(left, right, left_info)
        return self.in_force

    def missing(self, settings: Settings) -> list[Side]:
        """Return the cameras without any calibration."""
        urls = (settings.left_camera_info_url, settings.right_camera_info_url)
        return [
            side
            for side, url in zip(Side, urls, strict=True)
            if not url and side not in self._infos and side not in self._unreadable
        ]

    def _of(self, side: Side, url: str, settings: Settings) -> tuple[CameraCalibration, Any]:
        if side in self._infos:
            info = self._infos[side]
            published = calibration_from_message(info)
            says = published.is_rectifiable if settings.rectify else published.is_calibrated
            if says or not url:
                return published, info
        if url:
            calibration = self._files[side].load(url)
            info = camera_info_from_calibration(self._library, calibration, calibration.frame_id)
            return calibration, info
        if side in self._unreadable:
            raise UncalibratedError(self._unreadable[side])
        raise MissingCalibrationError(
            f'there is no calibration of the {side.value} camera: '
            + self._advice.format(side=side.value)
        )


class _CalibrationFile:
    """A file that is read again only when it has changed: a bad one costs a pair no time."""

    def __init__(self) -> None:
        self._read: tuple[object, object] = (None, None)
        self._outcome: CameraCalibration | InputError = InputError('no file was read')

    def load(self, url: str) -> CameraCalibration:
        """Return the calibration; raise the InputError as often as it is asked for."""
        state = (url, _file_state(url))
        if state != self._read:
            try:
                self._outcome = load_calibration(url)
            except InputError as error:
                self._outcome = error
            self._read = state
        if isinstance(self._outcome, InputError):
            raise self._outcome.with_traceback(None)
        return self._outcome


def _file_state(url: str) -> object:
    """Return what is different after a file has changed, or has come."""
    try:
        state = os.stat(calibration_path(url))
    except (OSError, ValueError):  # InputError among them
        return None
    return state.st_mode, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
