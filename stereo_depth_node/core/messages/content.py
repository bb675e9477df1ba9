# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What ROS messages say, read by their attributes.

So a message of any library will do: rclpy's, which the node gets, and those that are read from
a recording without ROS. Both go one way into the core and out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.images.pair_decoder import CompressedImage
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.matching.opencv import DISPARITY_SCALE
from stereo_depth_node.core.pipeline import StereoPipeline

__all__ = [
    'DisparityFields',
    'calibration_from_message',
    'compressed_image_from_message',
    'raw_image_from_message',
    'stamp_ns',
]

_NS_PER_S = 1_000_000_000


def stamp_ns(header: Any) -> int:
    """Return the stamp of a std_msgs/Header in ns."""
    return int(header.stamp.sec) * _NS_PER_S + int(header.stamp.nanosec)


def raw_image_from_message(message: Any) -> RawImage:
    """Describe the pixels of a sensor_msgs/Image, without copying them."""
    return RawImage(
        height=message.height,
        width=message.width,
        encoding=message.encoding,
        is_bigendian=bool(message.is_bigendian),
        step=message.step,
        data=message.data,
    )


def compressed_image_from_message(message: Any) -> CompressedImage:
    """Describe the data of a sensor_msgs/CompressedImage, without copying it."""
    return CompressedImage(format=message.format, data=message.data)


def calibration_from_message(message: Any) -> CameraCalibration:
    """Return the calibration in a sensor_msgs/CameraInfo."""
    roi = message.roi
    return CameraCalibration(
        width=message.width,
        height=message.height,
        distortion_model=message.distortion_model,
        d=tuple(map(float, message.d)),
        k=tuple(map(float, message.k)),
        r=tuple(map(float, message.r)),
        p=tuple(map(float, message.p)),
        binning_x=message.binning_x,
        binning_y=message.binning_y,
        roi=(roi.x_offset, roi.y_offset, roi.width, roi.height),
        frame_id=message.header.frame_id,
    )


@dataclass(frozen=True)
class DisparityFields:
    """The fields of a stereo_msgs/DisparityImage besides header and pixels.

    Attributes
    ----------
    f : float
        Focal length, pixels.
    t : float
        Baseline, metres.
    min_disparity, max_disparity : float
        Of the disparities in the image, pixels; what is below the first is unknown.
    delta_d : float
        Smallest step of a disparity, pixels.
    window : tuple of int
        x, y, width and height of the pixels that can have a disparity.
    """

    f: float
    t: float
    min_disparity: float
    max_disparity: float
    delta_d: float
    window: tuple[int, int, int, int]

    @classmethod
    def of(cls, pipeline: StereoPipeline) -> DisparityFields:
        """Return the fields for the results of a pipeline.

        Raises
        ------
        ValueError
            If the pipeline has no geometry.
        """
        geometry, window = pipeline.geometry, pipeline.valid_window
        if geometry is None:
            raise ValueError('a DisparityImage needs a geometry: give the pipeline one')
        return cls(
            f=geometry.f,
            t=geometry.baseline,
            min_disparity=pipeline.min_disparity,
            max_disparity=pipeline.max_disparity,
            delta_d=1.0 / DISPARITY_SCALE,
            window=(window.x0, window.y0, window.x1 - window.x0, window.y1 - window.y0),
        )
