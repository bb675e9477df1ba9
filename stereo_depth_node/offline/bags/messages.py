# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of bags, as the core makes and reads them: with rosbags, without ROS."""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import Any

import numpy as np
from rosbags.typesys import get_typestore, Stores
from rosbags.typesys.store import Typestore

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages.calibration_cache import CalibrationCache, StereoCalibration
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings

__all__ = [
    'BagMessages',
    'calibration_from',
    'new_calibration_cache',
    'type_definition',
    'typestore',
]

_CALIBRATION_ADVICE = (
    'the recording has no camera_info beside its images. Name its topic with --{side}-info, or '
    'give --set left_camera_info_url=FILE and --set right_camera_info_url=FILE'
)


class BagMessages:
    """Makes, reads and writes messages; see :class:`.MessageLibrary`."""

    def make(self, type_name: str, **fields: Any) -> Any:
        """Return a message."""
        arrays = {
            name: np.asarray(value) if isinstance(value, tuple | array) else value
            for name, value in fields.items()
        }
        return typestore().types[type_name](**arrays)

    def serialize(self, message: Any, type_name: str) -> memoryview:
        """Return a message as plain CDR."""
        return typestore().serialize_cdr(message, type_name)

    def deserialize(self, serialized: bytes, type_name: str) -> Any:
        """Return the message in plain CDR.

        Raises
        ------
        InputError
            If it is no message of this type.
        """
        try:
            return typestore().deserialize_cdr(serialized, type_name)
        except Exception as error:
            reason = ' '.join(str(error).split())
            raise InputError(f'a message is no {type_name}: {reason}') from error


def new_calibration_cache() -> CalibrationCache:
    """Return a cache for the CameraInfo messages of a bag."""
    return CalibrationCache(BagMessages(), _CALIBRATION_ADVICE)


def calibration_from(
    infos: tuple[bytes | None, bytes | None], settings: Settings
) -> StereoCalibration:
    """Return the calibration in serialized CameraInfo messages, else that of the files.

    Raises
    ------
    MissingCalibrationError
        If a camera has neither.
    InputError
        If a file or a message cannot be used.
    """
    cache = new_calibration_cache()
    for side, info in zip(Side, infos, strict=True):
        if info is not None:
            cache.take(side, info)
    return cache.current(settings)


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Return the message types of rosbags; those used here are the same in every ROS 2."""
    return get_typestore(Stores.LATEST)


@lru_cache(maxsize=8)
def type_definition(kind: str) -> tuple[str, str]:
    """Return the definition of a message type, and its RIHS01 hash."""
    definition, _ = typestore().generate_msgdef(kind, ros_version=2)
    return definition, typestore().hash_rihs01(kind)
