# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A pair becomes the messages of every output, or a failure with its one reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='messages are made with rosbags, the extra "offline"')

from scenes import plane, scene_of, StereoScene

from stereo_depth_node.core import errors
from stereo_depth_node.core.health.failures import FAILURES
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.messages.library import IMAGE
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.pairer import StereoPair
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.core.processing import PairFailure, PairProcessor, PairResult
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.messages import BagMessages, new_calibration_cache

WIDTH, HEIGHT, DISPARITY_PX = 128, 64, 8
F_PX, BASELINE_M = 200.0, 0.1
SETTINGS = Settings(num_disparities=16, block_size=5, matcher_backend='opencv')
MESSAGES = BagMessages()


def header(stamp_ns: int) -> Any:
    stamp = MESSAGES.make(
        'builtin_interfaces/msg/Time', sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    return MESSAGES.make('std_msgs/msg/Header', stamp=stamp, frame_id='left_optical')


def image(grey: np.ndarray, stamp_ns: int, **changes: Any) -> SerializedImage:
    height, width = grey.shape
    fields = {
        'height': height,
        'width': width,
        'encoding': 'mono8',
        'is_bigendian': 0,
        'step': width,
        'data': np.ascontiguousarray(grey).reshape(-1),
        **changes,
    }
    message = MESSAGES.make(IMAGE, header=header(stamp_ns), **fields)
    return SerializedImage(bytes(MESSAGES.serialize(message, IMAGE)))


def pair(
    scene: StereoScene, stamp_ns: int = 5_000_000_006, **changes: Any
) -> StereoPair[SerializedImage]:
    """Return a pair; the changes are those of the right image."""
    left, right = image(scene.left, stamp_ns), image(scene.right, stamp_ns, **changes)
    return StereoPair(stamp_ns, stamp_ns, left, right, epoch=0)


def camera_info(tx: float = 0.0, **changes: Any) -> bytes:
    cx, cy = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
    region = 'sensor_msgs/msg/RegionOfInterest'
    fields: dict[str, Any] = {
        'height': HEIGHT,
        'width': WIDTH,
        'distortion_model': 'plumb_bob',
        'd': (0.0,) * 5,
        'k': (F_PX, 0.0, cx, 0.0, F_PX, cy, 0.0, 0.0, 1.0),
        'r': (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        'p': (F_PX, 0.0, cx, tx, 0.0, F_PX, cy, 0.0, 0.0, 0.0, 1.0, 0.0),
        'binning_x': 0,
        'binning_y': 0,
        'roi': MESSAGES.make(region, x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
        **changes,
    }
    kind = 'sensor_msgs/msg/CameraInfo'
    message = MESSAGES.make(kind, header=header(0), **fields)
    return bytes(MESSAGES.serialize(message, kind))


def calibrated(**changes: Any) -> Any:
    """Return a cache with both cameras; the changes are those of the right one."""
    cache = new_calibration_cache()
    cache.take(Side.LEFT, camera_info())
    cache.take(Side.RIGHT, camera_info(**{'tx': -F_PX * BASELINE_M, **changes}))
    return cache


@pytest.fixture(scope='module')
def scene() -> StereoScene:
    return scene_of(plane(WIDTH, HEIGHT, DISPARITY_PX))


def test_every_output_of_a_plane_says_what_the_plane_is(scene: StereoScene) -> None:
    result = PairProcessor(MESSAGES).process(pair(scene), SETTINGS, calibrated())
    assert isinstance(result, PairResult)
    messages = {
        topic: MESSAGES.deserialize(bytes(result.message(topic).serialized), output.type)
        for topic, output in OUTPUTS.items()
    }
    for message in messages.values():
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == (5, 6)
        assert message.header.frame_id == 'left_optical'

    def pixels(message: Any) -> np.ndarray:
        return message.data.view(np.float32).reshape(message.height, message.width)

    depth_m = F_PX * BASELINE_M / DISPARITY_PX
    disparity = messages['disparity']
    assert (disparity.f, disparity.t) == (F_PX, pytest.approx(BASELINE_M))
    assert np.median(pixels(disparity.image)[10:-10, 40:-10]) == DISPARITY_PX
    assert np.nanmedian(pixels(messages['depth/image_rect'])) == pytest.approx(depth_m)
    assert messages['depth/camera_info'].p[0] == F_PX
    sigma = np.nanmedian(pixels(messages['depth/uncertainty']))
    assert 0.0 < sigma < 0.5 * depth_m / DISPARITY_PX  # less than half a pixel


def test_a_message_is_written_anew_for_the_next_pair(scene: StereoScene) -> None:
    processor, calibrations = PairProcessor(MESSAGES), calibrated()
    first = processor.process(pair(scene), SETTINGS, calibrations)
    assert isinstance(first, PairResult)
    buffer = first.message('depth/image_rect').serialized
    second = processor.process(pair(scene, 7_000_000_008), SETTINGS, calibrations)
    assert isinstance(second, PairResult)
    assert second.message('depth/image_rect').serialized is buffer
    stamp = MESSAGES.deserialize(bytes(buffer), IMAGE).header.stamp
    assert (stamp.sec, stamp.nanosec) == (7, 8)


@pytest.mark.parametrize(
    ('changes', 'calibrations', 'settings', 'error', 'reason'),
    [
        ({}, new_calibration_cache, {}, errors.MissingCalibrationError, 'NO_CALIBRATION'),
        ({}, lambda: calibrated(p=(0.0,) * 12), {}, errors.UncalibratedError, 'NO_CALIBRATION'),
        ({}, lambda: calibrated(tx=20.0), {}, errors.BaselineError, 'NO_CALIBRATION'),
        ({}, lambda: calibrated(width=64), {}, errors.CalibrationError, 'NO_CALIBRATION'),
        ({'encoding': 'yuv999'}, calibrated, {}, errors.EncodingError, 'INVALID'),
        ({'height': 99}, calibrated, {}, errors.DataLengthError, 'INVALID'),
        ({'height': 32}, calibrated, {}, errors.PairSizeError, 'INVALID'),
        ({}, calibrated, {'num_disparities': 128}, errors.SettingsError, 'IMPOSSIBLE_SETTINGS'),
    ],
)
def test_a_pair_that_cannot_be_computed_has_one_reason(
    scene: StereoScene,
    changes: dict[str, Any],
    calibrations: Any,
    settings: dict[str, Any],
    error: type[Exception],
    reason: str,
) -> None:
    outcome = PairProcessor(MESSAGES).process(
        pair(scene, **changes), SETTINGS.replace(**settings), calibrations()
    )
    assert isinstance(outcome, PairFailure), outcome
    assert isinstance(outcome.error, error), repr(outcome.error)
    assert outcome.reason is DropReason[reason]


def test_a_bug_is_a_failure_and_the_next_pair_is_computed(
    scene: StereoScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor, calibrations = PairProcessor(MESSAGES), calibrated()
    with monkeypatch.context() as broken:
        broken.setattr(processor._decoder, 'decode', lambda *_: 1 / 0)
        outcome = processor.process(pair(scene), SETTINGS, calibrations)
    assert isinstance(outcome, PairFailure)
    assert outcome.reason is DropReason.INTERNAL_ERROR
    assert isinstance(processor.process(pair(scene), SETTINGS, calibrations), PairResult)


def test_every_error_of_the_package_has_a_row_of_its_own_or_of_its_base() -> None:
    rows = {row.error: row for row in FAILURES}
    for name in errors.__all__:
        kind = getattr(errors, name)
        bases = [base for base in kind.__mro__ if base in rows]
        first = next(row for row in FAILURES if issubclass(kind, row.error))
        assert first.error is bases[0], f'{name} is hidden behind {first.error.__name__}'
