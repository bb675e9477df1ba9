# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A stereo camera that sees scenes, and the messages that come of each pair."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from scenes import camera

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.messages.content import camera_info_from_calibration, OUTPUTS
from stereo_depth_node.core.messages.library import CAMERA_INFO, IMAGE
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.pairer import StereoPair
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.processing import PairProcessor, PairResult
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.messages import BagMessages, new_calibration_cache

MESSAGES = BagMessages()
WIDTH, HEIGHT = 322, 202
F_PX, BASELINE_M, DISTANCE_M = 400.0, 0.1, 2.0
# x_l - x_r of a plane at 2 m: f * B / Z, plus cx_l - cx_r.
DISPARITY_PX = F_PX * BASELINE_M / DISTANCE_M
SETTINGS = Settings(num_disparities=48, block_size=9)


def image(pixels: np.ndarray) -> SerializedImage:
    """Return a mono8 or rgb8 image as it comes."""
    height, width = pixels.shape[:2]
    stamp = MESSAGES.make('builtin_interfaces/msg/Time', sec=5, nanosec=6)
    message = MESSAGES.make(
        IMAGE,
        header=MESSAGES.make('std_msgs/msg/Header', stamp=stamp, frame_id='left_optical'),
        height=height,
        width=width,
        encoding='mono8' if pixels.ndim == 2 else 'rgb8',
        is_bigendian=0,
        step=pixels.strides[0],
        data=array('B', pixels.tobytes()),
    )
    return SerializedImage(bytes(MESSAGES.serialize(message, IMAGE)))


def cameras(offset: float = 0.0) -> tuple[CameraCalibration, CameraCalibration]:
    """Return cameras whose principal points lie off the middle, and differ by `offset`."""
    cx, cy = 150.25, 110.5
    left = camera(WIDTH, HEIGHT, f=F_PX, cx=cx, cy=cy)
    return left, camera(WIDTH, HEIGHT, f=F_PX, cx=cx - offset, cy=cy, tx=-F_PX * BASELINE_M)


class Camera:
    """A stereo camera and the processor of its pairs."""

    def __init__(self, settings: Settings, calibrations: tuple[CameraCalibration, ...]) -> None:
        self._settings = settings
        self._processor = PairProcessor(MESSAGES)
        self._cache = new_calibration_cache()
        for side, calibration in zip(Side, calibrations, strict=True):
            info = camera_info_from_calibration(MESSAGES, calibration, 'left_optical')
            self._cache.take(side, bytes(MESSAGES.serialize(info, CAMERA_INFO)))

    def see(self, left: np.ndarray, right: np.ndarray) -> dict[str, Any]:
        """Return all outputs of a pair."""
        pair = StereoPair(5_000_000_006, 5_000_000_006, image(left), image(right), epoch=0)
        result = self._processor.process(pair, self._settings, self._cache)
        assert isinstance(result, PairResult), result
        return {
            topic: MESSAGES.deserialize(bytes(result.message(topic).serialized), output.type)
            for topic, output in OUTPUTS.items()
        }


def points_of(cloud: Any) -> np.ndarray:
    """Return the points of a cloud, (N, 3 or 4) float32, after a look at its layout."""
    floats = len(cloud.fields)
    assert [field.offset for field in cloud.fields] == list(range(0, 4 * floats, 4))
    assert {(field.datatype, field.count) for field in cloud.fields} == {(7, 1)}
    assert cloud.point_step == 4 * floats
    assert cloud.row_step == cloud.point_step * cloud.width
    assert len(cloud.data) == cloud.row_step * cloud.height
    return np.frombuffer(cloud.data.tobytes(), np.float32).reshape(-1, floats)


def pixels_of(message: Any) -> np.ndarray:
    """Return the pixels of a mono8 or rgb8 image."""
    channels = {'mono8': 1, 'rgb8': 3}[message.encoding]
    assert message.step == channels * message.width
    shape = (message.height, message.width, channels)
    return np.squeeze(message.data.reshape(shape))
