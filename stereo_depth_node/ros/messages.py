# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""ROS messages to and from what the core works with.

Image messages that go out are made once per size and filled again for every frame: their `data`
is an ``array.array('B')``, the one type that rclpy takes over without looking at each byte, and
the core writes into it through a numpy view.
"""

from __future__ import annotations

from array import array
import copy
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.core.message_content import (
    calibration_from_message,
    DisparityFields,
    raw_image_from_message,
    stamp_ns,
)
from stereo_depth_node.core.pipeline import StereoPipeline

__all__ = [
    'CameraInfoMessage',
    'DepthMessage',
    'DisparityMessage',
    'UncertaintyMessage',
    'calibration_from_message',
    'downscaled_camera_info',
    'raw_image_from_message',
    'stamp_ns',
]

_DEPTH_TYPES: dict[str, type[np.generic]] = {'32FC1': np.float32, '16UC1': np.uint16}


def downscaled_camera_info(message: CameraInfo, factor: int) -> CameraInfo:
    """Return the CameraInfo of the same image reduced by `factor`: a message of its own."""
    if factor == 1:
        return copy.deepcopy(message)
    calibration = calibration_from_message(message).downscaled(factor)
    return CameraInfo(
        header=Header(frame_id=message.header.frame_id),
        height=calibration.height,
        width=calibration.width,
        distortion_model=calibration.distortion_model,
        d=calibration.d,
        k=calibration.k,
        r=calibration.r,
        p=calibration.p,
    )


class DisparityMessage:
    """A DisparityImage for the results of one pipeline.

    Attributes
    ----------
    message : DisparityImage
        Complete but for its header and pixels.
    pixels : (H, W) float32 ndarray
        The pixels of the message itself, disparities in px.
    """

    def __init__(self, pipeline: StereoPipeline, _left_info: CameraInfo) -> None:
        fields = DisparityFields.of(pipeline)
        image, self.pixels = _image_message(pipeline, '32FC1')
        self.message = DisparityImage(
            image=image,
            f=fields.f,
            t=fields.t,
            min_disparity=fields.min_disparity,
            max_disparity=fields.max_disparity,
            delta_d=fields.delta_d,
        )
        valid = self.message.valid_window
        valid.x_offset, valid.y_offset, valid.width, valid.height = fields.window

    def fill(self, pipeline: StereoPipeline, header: Header) -> DisparityImage:
        """Write the last pair of the pipeline into the message and return it."""
        pipeline.disparity(self.pixels)
        self.message.header = self.message.image.header = header
        return self.message


class DepthMessage:
    """A depth image (REP 118) for the results of one pipeline.

    Attributes
    ----------
    message : Image
        Complete but for its header and pixels.
    pixels : (H, W) float32 or uint16 ndarray
        The pixels of the message itself: metres, or millimetres.
    """

    def __init__(self, pipeline: StereoPipeline, _left_info: CameraInfo) -> None:
        self.message, self.pixels = _image_message(pipeline, pipeline.settings.depth_encoding)

    def fill(self, pipeline: StereoPipeline, header: Header) -> Image:
        """Write the last pair of the pipeline into the message and return it."""
        pipeline.depth(self.pixels)
        self.message.header = header
        return self.message


class UncertaintyMessage:
    """An image of the standard deviation of the depth, for the results of one pipeline.

    Attributes
    ----------
    message : Image
        Complete but for its header and pixels.
    pixels : (H, W) float32 ndarray
        The pixels of the message itself, metres.
    """

    def __init__(self, pipeline: StereoPipeline, _left_info: CameraInfo) -> None:
        self.message, self.pixels = _image_message(pipeline, '32FC1')

    def fill(self, pipeline: StereoPipeline, header: Header) -> Image:
        """Write the last pair of the pipeline into the message and return it."""
        pipeline.uncertainty(self.pixels)
        self.message.header = header
        return self.message


class CameraInfoMessage:
    """The left camera's CameraInfo, for the images that one pipeline gives.

    Attributes
    ----------
    message : CameraInfo
        Complete but for its header.
    """

    def __init__(self, pipeline: StereoPipeline, left_info: CameraInfo) -> None:
        self.message = downscaled_camera_info(left_info, pipeline.downscale)

    def fill(self, _pipeline: StereoPipeline, header: Header) -> CameraInfo:
        """Give the message the header of the last pair and return it."""
        self.message.header = header
        return self.message


def _image_message(pipeline: StereoPipeline, encoding: str) -> tuple[Image, npt.NDArray[Any]]:
    height, width = pipeline.height, pipeline.width
    dtype = np.dtype(_DEPTH_TYPES[encoding])
    message = Image(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == 'big'),
        step=width * dtype.itemsize,
    )
    message.data = array('B', bytes(height * width * dtype.itemsize))
    # Read back: from Jazzy on, the message keeps a copy of what is assigned.
    return message, np.frombuffer(message.data, dtype=dtype).reshape(height, width)
