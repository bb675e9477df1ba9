# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What makes, reads and writes messages: rclpy in the node, rosbags where there is no ROS."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = [
    'CAMERA_INFO',
    'COMPRESSED_IMAGE',
    'DISPARITY_IMAGE',
    'IMAGE',
    'POINT_CLOUD',
    'MessageLibrary',
]

CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
DISPARITY_IMAGE = 'stereo_msgs/msg/DisparityImage'
IMAGE = 'sensor_msgs/msg/Image'
POINT_CLOUD = 'sensor_msgs/msg/PointCloud2'


class MessageLibrary(Protocol):
    """Message classes by the names of their types, such as ``sensor_msgs/msg/Image``."""

    def make(self, type_name: str, **fields: Any) -> Any:
        """Return a message; all of its fields have to be given.

        Sequences of numbers are tuples or arrays of :mod:`array`.
        """

    def serialize(self, message: Any, type_name: str) -> bytes | memoryview:
        """Return a message as plain CDR."""

    def deserialize(self, serialized: bytes, type_name: str) -> Any:
        """Return the message in plain CDR.

        Raises
        ------
        InputError
            If it is no message of this type.
        """
