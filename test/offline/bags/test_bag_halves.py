# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Topics whose images hold both are computed as two topics would be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags')

from bags import BASELINE, compressed, FOCAL, FRAME_NS, image, info, START_NS, Tape
from scenes import camera, plane, scene_of

from stereo_depth_node.core.errors import ImageError, InputError
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.offline.bags.halves import half_of_message, split_name
from stereo_depth_node.offline.bags.reader import Bag
from stereo_depth_node.offline.bags.topics import find_stereo_topics
from stereo_depth_node.offline.cli import main

SCENE = scene_of(plane(160, 120, 10.0))
WIDE, HIGH = (join([SCENE.left, SCENE.right]) for join in (np.hstack, np.vstack))


def bgr(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)


def nv12(pixels: np.ndarray) -> np.ndarray:
    """Return the plane of Y and a grey plane of colours behind it."""
    return np.vstack([pixels, np.full((len(pixels) // 2, pixels.shape[1]), 128, np.uint8)])


def planar(stamp: int) -> Any:
    message = image(nv12(WIDE), stamp, 'nv12')
    message.height = 120
    return message


FORMS: dict[str, tuple[Callable[[int], Any], str, str]] = {
    'side by side': (lambda stamp: image(WIDE, stamp), 'left', 'right'),
    'one above the other': (lambda stamp: image(HIGH, stamp), 'top', 'bottom'),
    'colour': (lambda stamp: image(bgr(WIDE), stamp, 'bgr8'), 'left', 'right'),
    'nv12': (planar, 'left', 'right'),
    'compressed': (
        lambda stamp: compressed(cv2.imencode('.png', WIDE)[1].tobytes(), stamp),
        'left',
        'right',
    ),
}


@pytest.mark.parametrize('form', FORMS)
def test_images_that_hold_both_give_the_depth_of_their_halves(tmp_path: Path, form: str) -> None:
    make, left, right = FORMS[form]
    tape = Tape()
    for number in range(3):
        stamp = START_NS + number * FRAME_NS
        tape.add('/cam/image', make(stamp), stamp)
        for side, tx in (('left', 0.0), ('right', -FOCAL * BASELINE)):
            calibration = camera(160, 120, f=FOCAL, tx=tx)
            tape.add(f'/cam/{side}/camera_info', info(calibration, stamp), stamp)
    source = tape.write(tmp_path / 'in')
    names = ['--left', f'/cam/image:{left}', '--right', f'/cam/image:{right}']
    infos = ['--left-info', '/cam/left/camera_info', '--right-info', '/cam/right/camera_info']
    options = ['--num-disparities', '32', '--quiet', '--processes', '1']
    assert main(['bag', str(source), str(tmp_path / 'out'), *names, *infos, *options]) == 0
    with closing(Bag(tmp_path / 'out')) as result:
        found = list(result.messages(['/depth/image_rect']))
    assert len(found) == 3
    content = SerializedImage(found[0][2]).content()
    depth = np.frombuffer(content.data, np.float32).reshape(120, 160)
    assert np.nanmedian(depth) == pytest.approx(FOCAL * BASELINE / 10.0, rel=0.01)


def test_a_topic_that_may_hold_both_is_asked_for(tmp_path: Path) -> None:
    tape = Tape()
    tape.add('/cam/image', image(WIDE, START_NS), START_NS)
    with closing(Bag(tape.write(tmp_path / 'in'))) as recording:
        with pytest.raises(InputError, match='--left /cam/image:left --right /cam/image:right'):
            find_stereo_topics(recording.topics)
        halves = list(recording.messages(['/cam/image:left', '/cam/image:right']))
    for (name, _, data), pixels in zip(halves, (SCENE.left, SCENE.right), strict=True):
        message = SerializedImage(data)
        assert (message.stamp_ns, message.frame_id) == (START_NS, 'left_optical')
        content = message.content()
        found = np.frombuffer(content.data, np.uint8).reshape(content.height, content.step)
        np.testing.assert_array_equal(found, pixels)
        assert split_name(name) == ('/cam/image', name.rpartition(':')[2])


def test_an_image_that_is_not_two_is_refused() -> None:
    tape = Tape()
    tape.add('/a', image(np.zeros((9, 11), np.uint8), START_NS), START_NS)
    tape.add('/b', image(np.zeros((4, 4), np.uint8), START_NS, 'strange'), START_NS)
    for half in ('left', 'top'):
        with pytest.raises(ImageError, match='is not two images'):
            half_of_message(tape.messages[0][3], half, is_compressed=False)
    with pytest.raises(ImageError, match="encoding 'strange'"):
        half_of_message(tape.messages[1][3], 'left', is_compressed=False)
