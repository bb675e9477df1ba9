# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The outputs: topic, type and what makes the message for a pair; and what messages say.

Node, bag tool, demo, benchmarks and tests take the outputs from the one table `OUTPUTS`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
import copy
from dataclasses import dataclass
import sys
from typing import Any

import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.messages.library import (
    CAMERA_INFO,
    DISPARITY_IMAGE,
    IMAGE,
    MessageLibrary,
    POINT_CLOUD,
)
from stereo_depth_node.core.messages.output_messages import (
    FLOAT_SIZE,
    OutputCloud,
    OutputImage,
    OutputMessage,
    PIXEL_TYPES,
)
from stereo_depth_node.core.pipeline import StereoPipeline

__all__ = [
    'OUTPUTS',
    'Output',
    'calibration_from_message',
    'camera_info_from_calibration',
]

_FLOAT32 = 7  # of sensor_msgs/PointField
# What a point has besides x, y and z, by points_color; named as PCL and RViz expect it.
_POINT_VALUES = {'none': (), 'intensity': ('intensity',), 'rgb': ('rgb',)}
# The next values of a disparity are so far apart, pixels: OpenCV's StereoMatcher.DISP_SCALE.
_DELTA_D = 1.0 / DISPARITY_SCALE


def _disparity(
    library: MessageLibrary, pipeline: StereoPipeline, frame_id: str, _left_info: Any
) -> OutputImage:
    """Return a DisparityImage, pixels.

    Raises
    ------
    ValueError
        If the pipeline has no geometry.
    """
    geometry, window = pipeline.geometry, pipeline.valid_window
    if geometry is None:
        raise ValueError('a DisparityImage needs a geometry: give the pipeline one')
    message = library.make(
        DISPARITY_IMAGE,
        header=_header(library, frame_id),
        image=_image_message(library, pipeline, '32FC1', frame_id),
        f=geometry.f,
        t=geometry.baseline,
        valid_window=_region(
            library, window.x0, window.y0, window.x1 - window.x0, window.y1 - window.y0
        ),
        min_disparity=pipeline.min_disparity,
        max_disparity=pipeline.max_disparity,
        delta_d=_DELTA_D,
    )
    serialized = library.serialize(message, DISPARITY_IMAGE)
    return OutputImage(serialized, StereoPipeline.disparity, is_disparity=True)


def _depth(
    library: MessageLibrary, pipeline: StereoPipeline, frame_id: str, _left_info: Any
) -> OutputImage:
    """Return a depth image (REP 118): metres, or millimetres."""
    message = _image_message(library, pipeline, pipeline.settings.depth_encoding, frame_id)
    return OutputImage(library.serialize(message, IMAGE), StereoPipeline.depth)


def _uncertainty(
    library: MessageLibrary, pipeline: StereoPipeline, frame_id: str, _left_info: Any
) -> OutputImage:
    """Return an image of the standard deviation of the depth, metres."""
    message = _image_message(library, pipeline, '32FC1', frame_id)
    return OutputImage(library.serialize(message, IMAGE), StereoPipeline.uncertainty)


def _disparity_colours(
    library: MessageLibrary, pipeline: StereoPipeline, frame_id: str, _left_info: Any
) -> OutputImage:
    """Return an image of the disparities as colours."""
    message = _image_message(library, pipeline, 'rgb8', frame_id)
    return OutputImage(
        library.serialize(message, IMAGE),
        lambda pipeline, pixels: np.copyto(pixels, pipeline.disparity_colours()),
    )


def _left_image(
    library: MessageLibrary, pipeline: StereoPipeline, frame_id: str, _left_info: Any
) -> OutputImage:
    """Return the left image as it was matched, in colour where it came in colour."""
    if pipeline.is_colour:
        message = _image_message(library, pipeline, 'rgb8', frame_id)
        return OutputImage(
            library.serialize(message, IMAGE),
            lambda pipeline, pixels: np.copyto(pixels, pipeline.colour()),
        )
    message = _image_message(library, pipeline, 'mono8', frame_id)
    return OutputImage(
        library.serialize(message, IMAGE),
        lambda pipeline, pixels: np.copyto(pixels, pipeline.left),
    )


def _points(
    library: MessageLibrary, pipeline: StereoPipeline, frame_id: str, _left_info: Any
) -> OutputCloud:
    """Return a cloud of x, y, z and what points_color asks for, float32 without padding."""
    names = ('x', 'y', 'z', *_POINT_VALUES[pipeline.settings.points_color])
    fields = [
        library.make(
            'sensor_msgs/msg/PointField',
            name=name,
            offset=place * FLOAT_SIZE,
            datatype=_FLOAT32,
            count=1,
        )
        for place, name in enumerate(names)
    ]
    message = library.make(
        POINT_CLOUD,
        header=_header(library, frame_id),
        height=1,
        width=0,
        fields=fields,
        is_bigendian=sys.byteorder == 'big',
        point_step=len(names) * FLOAT_SIZE,
        row_step=0,
        data=array('B'),
        is_dense=not pipeline.settings.points_organized,
    )
    return OutputCloud(library.serialize(message, POINT_CLOUD))


def _camera_info(
    library: MessageLibrary, pipeline: StereoPipeline, frame_id: str, left_info: Any
) -> OutputMessage:
    """Return the left camera's CameraInfo, for the images that a pipeline gives."""
    factor = pipeline.downscale
    calibration = calibration_from_message(left_info).sized(
        factor * pipeline.width, factor * pipeline.height
    )
    if factor == 1:
        message = copy.deepcopy(left_info)
        message.header.frame_id = frame_id
        message.width, message.height = calibration.width, calibration.height
    else:
        calibration = calibration.downscaled(factor)
        message = camera_info_from_calibration(library, calibration, frame_id)
    return OutputMessage(library.serialize(message, CAMERA_INFO))


@dataclass(frozen=True, slots=True)
class Output:
    """What the package gives for each pair.

    Attributes
    ----------
    type : str
        Of its messages.
    make : callable
        Returns the message for the pairs of a pipeline, from a message library, the pipeline, the
        frame and the left camera's CameraInfo.
    is_recorded : bool
        The bag tool writes it without being asked to.
    """

    type: str
    make: Callable[[MessageLibrary, StereoPipeline, str, Any], OutputMessage]
    is_recorded: bool = True


#: The outputs by their topics, in the order in which they are published.
OUTPUTS: dict[str, Output] = {
    'disparity': Output(DISPARITY_IMAGE, _disparity),
    'depth/image_rect': Output(IMAGE, _depth),
    'depth/camera_info': Output(CAMERA_INFO, _camera_info),
    'depth/uncertainty': Output(IMAGE, _uncertainty, is_recorded=False),
    'points2': Output(POINT_CLOUD, _points, is_recorded=False),
    'disparity/image_color': Output(IMAGE, _disparity_colours, is_recorded=False),
    'image_rect': Output(IMAGE, _left_image, is_recorded=False),
}


def calibration_from_message(message: Any) -> CameraCalibration:
    """Return the calibration in a sensor_msgs/CameraInfo of any library."""
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


def camera_info_from_calibration(
    library: MessageLibrary, calibration: CameraCalibration, frame_id: str
) -> Any:
    """Return a sensor_msgs/CameraInfo."""
    return library.make(
        CAMERA_INFO,
        header=_header(library, frame_id),
        height=calibration.height,
        width=calibration.width,
        distortion_model=calibration.distortion_model,
        d=calibration.d,
        k=calibration.k,
        r=calibration.r,
        p=calibration.p,
        binning_x=calibration.binning_x,
        binning_y=calibration.binning_y,
        roi=_region(library, *calibration.roi),
    )


def _image_message(
    library: MessageLibrary, pipeline: StereoPipeline, encoding: str, frame_id: str
) -> Any:
    """Return a sensor_msgs/Image of black pixels in the size of the result of a pipeline."""
    step = pipeline.width * PIXEL_TYPES[encoding].itemsize
    return library.make(
        IMAGE,
        header=_header(library, frame_id),
        height=pipeline.height,
        width=pipeline.width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == 'big'),
        step=step,
        # The one type that rclpy takes over without looking at each byte.
        data=array('B', bytes(pipeline.height * step)),
    )


def _region(library: MessageLibrary, x: int, y: int, width: int, height: int) -> Any:
    return library.make(
        'sensor_msgs/msg/RegionOfInterest',
        x_offset=x,
        y_offset=y,
        height=height,
        width=width,
        do_rectify=False,
    )


def _header(library: MessageLibrary, frame_id: str) -> Any:
    stamp = library.make('builtin_interfaces/msg/Time', sec=0, nanosec=0)
    return library.make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)
