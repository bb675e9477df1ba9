# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of recordings to and from what the core works with, without ROS.

What the node publishes, the same bytes: disparity, depth and depth/camera_info of a pair.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
import sys
from typing import Any

import numpy as np

from stereo_depth_node.core.camera.calibration import CameraCalibration, load_calibration
from stereo_depth_node.core.errors import InputError, MissingCalibrationError
from stereo_depth_node.core.images.pair_decoder import CompressedImage
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.messages.content import (
    calibration_from_message,
    compressed_image_from_message,
    DisparityFields,
    raw_image_from_message,
)
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.plan import Calibration
from stereo_depth_node.offline.bags.topics import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from stereo_depth_node.offline.libraries import optional_library

__all__ = [
    'OUTPUT_TYPES',
    'BagCalibration',
    'ResultMessages',
    'deserialized',
    'image_from_message',
    'type_definition',
    'typestore',
]

DISPARITY_IMAGE = 'stereo_msgs/msg/DisparityImage'

OUTPUT_TYPES = {
    'disparity': DISPARITY_IMAGE,
    'depth/image_rect': IMAGE,
    'depth/camera_info': CAMERA_INFO,
}
"""The topics of the results and their types, in the order in which each pair has them."""

_DEPTH_TYPES: dict[str, type[np.generic]] = {'32FC1': np.float32, '16UC1': np.uint16}


@lru_cache(maxsize=1)
def typestore() -> Any:
    """Return the message types of rosbags; those used here are the same in every ROS 2."""
    typesys = optional_library('rosbags.typesys', 'recordings')
    return typesys.get_typestore(typesys.Stores.LATEST)


@lru_cache(maxsize=8)
def type_definition(kind: str) -> tuple[str, str]:
    """Return the definition of one of these types, and its RIHS01 hash."""
    definition, _ = typestore().generate_msgdef(kind, ros_version=2)
    return definition, typestore().hash_rihs01(kind)


def deserialized(data: bytes, kind: str) -> Any:
    """Return a message.

    Raises
    ------
    InputError
        If the data is none of this type.
    """
    try:
        return typestore().deserialize_cdr(data, kind)
    except Exception as error:
        raise InputError(f'a message is no {kind}: {" ".join(str(error).split())}') from error


def image_from_message(message: Any) -> RawImage | CompressedImage:
    """Describe the pixels of an image message, raw or compressed, without copying them."""
    if message.__msgtype__ == COMPRESSED_IMAGE:
        return compressed_image_from_message(message)
    return raw_image_from_message(message)


@dataclasses.dataclass(frozen=True, eq=False)
class BagCalibration:
    """What both cameras say of themselves.

    Attributes
    ----------
    left, right : CameraCalibration
        As recorded or as read from files.
    left_info : Any
        The left one as a message, from which depth/camera_info is made.
    """

    left: CameraCalibration
    right: CameraCalibration
    left_info: Any

    @classmethod
    def of(cls, recorded: Calibration, settings: Settings) -> BagCalibration:
        """Return the calibration in force: the recorded one, else that of the files.

        Raises
        ------
        MissingCalibrationError
            If a camera has neither.
        InputError
            If a file or a message cannot be used.
        """
        urls = (settings.left_camera_info_url, settings.right_camera_info_url)
        eyes, infos = [], []
        for side, data, url in zip(('left', 'right'), recorded, urls, strict=True):
            if data is not None:
                info = deserialized(data, CAMERA_INFO)
                eye = calibration_from_message(info)
            elif url:
                eye = load_calibration(url)
                info = _camera_info(eye)
            else:
                raise MissingCalibrationError(
                    f'there is no calibration of the {side} camera: the recording has no '
                    f'camera_info beside its images. Name its topic with --{side}-info, or give '
                    '--set left_camera_info_url=FILE and --set right_camera_info_url=FILE'
                )
            eyes.append(eye)
            infos.append(info)
        return cls(eyes[0], eyes[1], infos[0])


class ResultMessages:
    """The messages of the results of one pipeline, made once and filled again for every pair.

    Parameters
    ----------
    pipeline : StereoPipeline
        Computes.
    left_info : Any
        The left camera's CameraInfo, for the images that come in.
    """

    def __init__(self, pipeline: StereoPipeline, left_info: Any) -> None:
        types = typestore().types
        fields = DisparityFields.of(pipeline)
        self._disparity_pixels, disparity = _image(pipeline, '32FC1')
        self.depth_pixels, self._depth = _image(pipeline, pipeline.settings.depth_encoding)
        x, y, width, height = fields.window
        self._disparity = types[DISPARITY_IMAGE](
            header=disparity.header,
            image=disparity,
            f=fields.f,
            t=fields.t,
            valid_window=types['sensor_msgs/msg/RegionOfInterest'](
                x_offset=x, y_offset=y, height=height, width=width, do_rectify=False
            ),
            min_disparity=fields.min_disparity,
            max_disparity=fields.max_disparity,
            delta_d=fields.delta_d,
        )
        self._info = _reduced_info(left_info, pipeline.downscale)

    def serialized(self, pipeline: StereoPipeline, header: Any) -> dict[str, memoryview]:
        """Return the messages of the last pair of the pipeline by their topics.

        Parameters
        ----------
        pipeline : StereoPipeline
            Has just matched the pair.
        header : Any
            Stamp and frame of the left image.
        """
        pipeline.disparity(self._disparity_pixels)
        pipeline.depth(self.depth_pixels)
        self._disparity.header = self._disparity.image.header = header
        self._depth.header = self._info.header = header
        messages = (self._disparity, self._depth, self._info)
        return {
            topic: typestore().serialize_cdr(message, kind)
            for (topic, kind), message in zip(OUTPUT_TYPES.items(), messages, strict=True)
        }


def _image(pipeline: StereoPipeline, encoding: str) -> tuple[np.ndarray[Any, Any], Any]:
    """Return pixels, (H, W), and an image message that holds them; its header is to be set."""
    pixels = np.zeros((pipeline.height, pipeline.width), _DEPTH_TYPES[encoding])
    return pixels, typestore().types[IMAGE](
        header=_header(''),
        height=pipeline.height,
        width=pipeline.width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == 'big'),
        step=pixels.strides[0],
        data=pixels.view(np.uint8).reshape(-1),
    )


def _header(frame_id: str) -> Any:
    types = typestore().types
    return types['std_msgs/msg/Header'](
        stamp=types['builtin_interfaces/msg/Time'](sec=0, nanosec=0), frame_id=frame_id
    )


def _reduced_info(info: Any, factor: int) -> Any:
    """Return a CameraInfo of the same image reduced by `factor`, not shared with others."""
    if factor == 1:
        return dataclasses.replace(info)
    return _camera_info(calibration_from_message(info).downscaled(factor))


def _camera_info(calibration: CameraCalibration) -> Any:
    types = typestore().types
    return types[CAMERA_INFO](
        header=_header(calibration.frame_id),
        height=calibration.height,
        width=calibration.width,
        distortion_model=calibration.distortion_model,
        d=np.array(calibration.d, np.float64),
        k=np.array(calibration.k, np.float64),
        r=np.array(calibration.r, np.float64),
        p=np.array(calibration.p, np.float64),
        binning_x=0,
        binning_y=0,
        roi=types['sensor_msgs/msg/RegionOfInterest'](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        ),
    )
