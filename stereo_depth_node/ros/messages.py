# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of rclpy, as the core makes and reads them."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from rclpy.serialization import deserialize_message, serialize_message

from stereo_depth_node.core.errors import InputError

__all__ = ['RclpyMessages']


class RclpyMessages:
    """Makes, reads and writes messages; see :class:`.MessageLibrary`."""

    def make(self, type_name: str, **fields: Any) -> Any:
        """Return a message."""
        return message_class(type_name)(**fields)

    def serialize(self, message: Any, type_name: str) -> bytes:
        """Return a message as plain CDR."""
        del type_name  # a message of rclpy knows it
        return serialize_message(message)

    def deserialize(self, serialized: bytes, type_name: str) -> Any:
        """Return the message in plain CDR.

        Raises
        ------
        InputError
            If it is no message of this type.
        """
        try:
            return deserialize_message(serialized, message_class(type_name))
        except Exception as error:
            raise InputError(f'a message is no {type_name}: {error}') from error


@lru_cache(maxsize=16)
def message_class(type_name: str) -> Any:
    """Return the class of a type such as ``sensor_msgs/msg/Image``."""
    package, _, name = type_name.split('/')
    return getattr(import_module(f'{package}.msg'), name)
