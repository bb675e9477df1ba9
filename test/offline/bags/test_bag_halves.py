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

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.images.layouts import Half
from stereo_depth_node.core.images.raw import decode_grey
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.halves import split_name
from stereo_depth_node.offline.bags.reader import Bag
from stereo_depth_node.offline.bags.topics import find_stereo_topics, TopicNames
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


def recording(folder: Path, form: str) -> Path:
    make, *_ = FORMS[form]
    tape = Tape()
    for number in range(3):
        stamp = START_NS + number * FRAME_NS
        tape.add('/cam/image', make(stamp), stamp)
        for side, tx in (('left', 0.0), ('right', -FOCAL * BASELINE)):
            calibration = camera(160, 120, f=FOCAL, tx=tx)
            tape.add(f'/cam/{side}/camera_info', info(calibration, stamp), stamp)
    return tape.write(folder)


def depths(folder: Path) -> list[bytes]:
    with closing(Bag(folder)) as result:
        return [data for *_, data in result.messages(['/depth/image_rect'])]


@pytest.mark.parametrize('form', FORMS)
def test_images_that_hold_both_give_the_depth_of_their_halves(tmp_path: Path, form: str) -> None:
    """With the names of the halves, and with the node's setting and nothing else."""
    _, left, right = FORMS[form]
    source = recording(tmp_path / 'in', form)
    names = ['--left', f'/cam/image:{left}', '--right', f'/cam/image:{right}']
    infos = ['--left-info', '/cam/left/camera_info', '--right-info', '/cam/right/camera_info']
    layout = 'side_by_side' if left == 'left' else 'top_bottom'
    options = ['--num-disparities', '32', '--quiet', '--processes', '1']
    assert main(['bag', str(source), str(tmp_path / 'named'), *names, *infos, *options]) == 0
    setting = ['--set', f'stereo_layout={layout}']
    assert main(['bag', str(source), str(tmp_path / 'set'), *setting, *options]) == 0
    found = depths(tmp_path / 'set')
    assert len(found) == 3
    assert found == depths(tmp_path / 'named')
    content = SerializedImage(found[0]).content()
    depth = np.frombuffer(content.data, np.float32).reshape(120, 160)
    assert np.nanmedian(depth) == pytest.approx(FOCAL * BASELINE / 10.0, rel=0.01)


@pytest.mark.parametrize('form', ['side by side', 'compressed'])
def test_a_recording_with_both_in_one_is_inspected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    source = str(recording(tmp_path / 'in', form))
    assert main(['inspect', source, '--set', 'stereo_layout=side_by_side']) == 0
    told = capsys.readouterr().out
    assert 'Stereo camera /cam/image:left, /cam/image:right' in told
    assert 'pairs         3' in told
    assert f'f {FOCAL:.2f} px, baseline {BASELINE:.5f} m' in told


def test_a_topic_that_may_hold_both_is_asked_for(tmp_path: Path) -> None:
    tape = Tape()
    tape.add('/cam/image', image(WIDE, START_NS), START_NS)
    with closing(Bag(tape.write(tmp_path / 'in'))) as bag:
        with pytest.raises(InputError, match='give --set stereo_layout=side_by_side'):
            find_stereo_topics(bag.topics, Settings())
        topics = find_stereo_topics(bag.topics, Settings(stereo_layout='side_by_side'))
        assert (topics.left, topics.right) == ('/cam/image:left', '/cam/image:right')
        messages = list(bag.messages([topics.left, topics.right]))
    for side, (name, _, data), pixels in zip(
        Side, messages, (SCENE.left, SCENE.right), strict=True
    ):
        message = topics.image(side, data)
        assert (message.stamp_ns, message.frame_id) == (START_NS, 'left_optical')
        np.testing.assert_array_equal(decode_grey(message.content()), pixels)
        assert split_name(name) == ('/cam/image', Half('side_by_side', side is Side.RIGHT))


def test_one_of_several_topics_is_to_be_named_and_two_are_one_too_many(tmp_path: Path) -> None:
    tape = Tape()
    for name in ('/a/image', '/b/image'):
        tape.add(name, image(HIGH, START_NS), START_NS)
    with closing(Bag(tape.write(tmp_path / 'in'))) as bag:
        with pytest.raises(InputError, match=r'name it with --left.*/a/image .*/b/image '):
            find_stereo_topics(bag.topics, Settings(stereo_layout='top_bottom'))
        with pytest.raises(InputError, match='with one topic for both images'):
            find_stereo_topics(
                bag.topics,
                Settings(stereo_layout='top_bottom'),
                TopicNames('/a/image', '/b/image'),
            )
        found = find_stereo_topics(
            bag.topics, Settings(stereo_layout='top_bottom'), TopicNames('/b/image')
        )
    assert (found.left, found.right) == ('/b/image:top', '/b/image:bottom')
