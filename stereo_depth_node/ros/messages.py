# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""ROS messages to and from what the core works with.

An image that goes out is serialized once for all pairs of one size: of the next pair only stamp
and pixels are written, to where they are in it. So the middleware gets what it would otherwise
make of a message object, by copying the pixels twice.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
import copy
import struct
import sys
from typing import Any, TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.core.messages.cdr import CdrReader
from stereo_depth_node.core.messages.content import calibration_from_message, DisparityFields
from stereo_depth_node.core.pipeline import StereoPipeline

if TYPE_CHECKING:
    from rclpy.publisher import Publisher

__all__ = [
    'OutgoingCameraInfo',
    'OutgoingImage',
    'calibration_from_message',
    'camera_info_message',
    'depth_message',
    'disparity_message',
    'downscaled_camera_info',
    'uncertainty_message',
]

_DEPTH_TYPES: dict[str, type[np.generic]] = {'32FC1': np.float32, '16UC1': np.uint16}
_STAMP = struct.Struct('=iI')
# Of a DisparityImage, from the end of its image to the end of its valid_window.
_DISPARITY_FIELDS = struct.Struct('=2f4IB')
_ALIGNMENT = 4


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


class OutgoingImage:
    """An image to be published again and again.

    Parameters
    ----------
    message : DisparityImage or Image
        Complete but for its stamp and its pixels, which have their size already.
    fill : callable
        Writes the pixels of the last pair of a pipeline into an array.

    Attributes
    ----------
    serialized : bytearray
        The message in the form in which it is published, for the pair of the last update.
    pixels : (H, W) float32 or uint16 ndarray
        The pixels in it.
    """

    def __init__(
        self,
        message: DisparityImage | Image,
        fill: Callable[[StereoPipeline, npt.NDArray[Any]], None],
    ) -> None:
        self.serialized = bytearray(serialize_message(message))
        self._fill = fill
        fields = CdrReader(self.serialized)
        self._stamps = [self._pass_header(fields)]
        if isinstance(message, DisparityImage):
            self._stamps.append(self._pass_header(fields))
        self.pixels = self._pass_pixels(fields)
        if isinstance(message, DisparityImage):
            fields.offset += _DISPARITY_FIELDS.size
            self._clear_padding(fields)

    def update(self, pipeline: StereoPipeline, stamp: tuple[int, int]) -> None:
        """Write the last pair of a pipeline into the message.

        Parameters
        ----------
        pipeline : StereoPipeline
            The one that the message is made for.
        stamp : tuple of 2 int
            Of the left image: seconds and nanoseconds.
        """
        for offset in self._stamps:
            _STAMP.pack_into(self.serialized, offset, *stamp)
        self._fill(pipeline, self.pixels)

    def publish(self, publisher: Publisher[Any]) -> None:
        """Publish the message.

        rclpy promises to publish bytes, for which all would have to be copied once more. It can
        do without, except in old releases.
        """
        try:
            with publisher.handle:
                publisher.handle.publish_raw(self.serialized)  # type: ignore[arg-type]
        except (AttributeError, TypeError):
            publisher.publish(bytes(self.serialized))

    def _pass_header(self, fields: CdrReader) -> int:
        """Pass a header and return where its stamp is."""
        fields.stamp()
        offset = fields.offset - _STAMP.size
        fields.string()
        self._clear_padding(fields)
        return offset

    def _pass_pixels(self, fields: CdrReader) -> npt.NDArray[Any]:
        """Pass what follows the header of an image and return its pixels."""
        height, width, encoding = fields.uint32(), fields.uint32(), fields.string()
        fields.octet()
        self._clear_padding(fields)
        fields.uint32()
        return np.frombuffer(fields.octets(), _DEPTH_TYPES[encoding]).reshape(height, width)

    def _clear_padding(self, fields: CdrReader) -> None:
        """Clear what aligns the next field: rclpy leaves there what was in its memory."""
        while fields.offset % _ALIGNMENT:
            self.serialized[fields.offset] = 0
            fields.offset += 1


class OutgoingCameraInfo:
    """The left camera's CameraInfo, to be published with every pair.

    Parameters
    ----------
    message : CameraInfo
        Complete but for its stamp.
    """

    def __init__(self, message: CameraInfo) -> None:
        self._message = message

    def update(self, _pipeline: StereoPipeline, stamp: tuple[int, int]) -> None:
        """Give the message the stamp of a pair."""
        self._message.header.stamp.sec, self._message.header.stamp.nanosec = stamp

    def publish(self, publisher: Publisher[Any]) -> None:
        """Publish the message."""
        publisher.publish(self._message)


def disparity_message(
    pipeline: StereoPipeline, frame_id: str, _left_info: CameraInfo
) -> OutgoingImage:
    """Return a DisparityImage, pixels."""
    fields = DisparityFields.of(pipeline)
    message = DisparityImage(
        header=Header(frame_id=frame_id),
        image=_image(pipeline, '32FC1', frame_id),
        f=fields.f,
        t=fields.t,
        min_disparity=fields.min_disparity,
        max_disparity=fields.max_disparity,
        delta_d=fields.delta_d,
    )
    valid = message.valid_window
    valid.x_offset, valid.y_offset, valid.width, valid.height = fields.window
    return OutgoingImage(message, StereoPipeline.disparity)


def depth_message(
    pipeline: StereoPipeline, frame_id: str, _left_info: CameraInfo
) -> OutgoingImage:
    """Return a depth image (REP 118): metres, or millimetres."""
    message = _image(pipeline, pipeline.settings.depth_encoding, frame_id)
    return OutgoingImage(message, StereoPipeline.depth)


def uncertainty_message(
    pipeline: StereoPipeline, frame_id: str, _left_info: CameraInfo
) -> OutgoingImage:
    """Return an image of the standard deviation of the depth, metres."""
    return OutgoingImage(_image(pipeline, '32FC1', frame_id), StereoPipeline.uncertainty)


def camera_info_message(
    pipeline: StereoPipeline, frame_id: str, left_info: CameraInfo
) -> OutgoingCameraInfo:
    """Return the left camera's CameraInfo, for the images that a pipeline gives."""
    message = downscaled_camera_info(left_info, pipeline.downscale)
    message.header.frame_id = frame_id
    return OutgoingCameraInfo(message)


def _image(pipeline: StereoPipeline, encoding: str, frame_id: str) -> Image:
    itemsize = np.dtype(_DEPTH_TYPES[encoding]).itemsize
    message = Image(
        header=Header(frame_id=frame_id),
        height=pipeline.height,
        width=pipeline.width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == 'big'),
        step=pipeline.width * itemsize,
    )
    # The one type that rclpy takes over without looking at each byte.
    message.data = array('B', bytes(pipeline.height * pipeline.width * itemsize))
    return message
