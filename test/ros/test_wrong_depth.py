# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth that is empty or wrong is not said to flow well: the running node names what it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench, HEIGHT, WIDTH
from harness import Graph, Peer
from rig import camera_info, camera_infos, image_message, messages_of, next_stamp_ns
from scenes import camera, plane, scene_of
from sensor_msgs.msg import CameraInfo, Image
from stereo_msgs.msg import DisparityImage

LEFT, RIGHT = '/left/image_rect', '/right/image_rect'


def assert_named(bench: Bench, cause: str, *words: str, is_state: bool = True) -> str:
    """Wait until the node names a cause; check level, words and the count of the images."""
    text, _ = bench.wait_for(cause)
    for word in words:
        assert word in text, text
    assert bench.status.level != b'\0'
    if is_state:
        assert text.startswith(f'{cause}: '), text
        assert not bench.explain()[0], 'explain does not say that depth flows'
    bench.assert_adds_up()
    return text


def test_a_lens_cap(graph: Graph):
    bench = Bench(graph, process=True)
    black = np.zeros((HEIGHT, WIDTH), np.uint8)
    bench.left = image_message(black)
    assert_named(bench, 'uniform_image', 'the left image shows nothing', 'lens cap')
    assert bench.values['density'] == '0.0 %'
    bench.restore()
    bench.wait_for_health()


def test_one_camera_on_both_topics(graph: Graph):
    bench = Bench(graph, process=True)
    bench.right = bench.left
    assert_named(bench, 'identical_images', 'both topics carry one camera')


def test_both_inputs_remapped_to_one_topic(graph: Graph):
    bench = Bench(graph, '-r', 'right/image_rect:=left/image_rect', process=True)

    def send() -> None:
        bench.rig.publish_infos()
        bench.rig.send_image(0, bench.left, next_stamp_ns())

    bench.sends = send
    bench.wait_for('identical_images')
    assert_named(
        bench, 'same_topic', f'the left and the right image both come from {LEFT}', is_state=False
    )


def test_a_range_that_ends_before_the_scene(graph: Graph):
    """The plane is at 0.5 m (100 px * 0.1 m / 20 px), max_depth at 0.2 m."""
    bench = Bench(graph, process=True, num_disparities=32, max_depth=0.2)
    bench.left, bench.right = messages_of(scene_of(plane(WIDTH, HEIGHT, 20.0)))
    bench.rig.infos = camera_infos(WIDTH, HEIGHT, f=100.0)
    assert_named(bench, 'range_misses_scene', 'of 0.495 to 0.503 m', 'max_depth 0.2 m')
    assert bench.rig.set_parameter('max_depth', 0.0).successful
    bench.wait_for('flowing')


@pytest.mark.parametrize(
    ('topic', 'kind', 'message'),
    [
        (LEFT, Image, image_message(np.full((HEIGHT, WIDTH), 99, np.uint8))),
        ('/right/camera_info', CameraInfo, camera_info(camera(WIDTH, HEIGHT, f=500.0, tx=-99.0))),
    ],
    ids=['image', 'camera_info'],
)
def test_two_publishers_of_one_topic(graph: Graph, topic: str, kind: Any, message: Any):
    bench = Bench(graph, process=True)
    other = graph.add(Peer(graph, 'other_camera'))
    publisher = other.publisher(topic, kind)

    def send() -> None:
        bench.send()
        message.header.stamp.sec = next_stamp_ns() // 10**9
        publisher.publish(message)

    bench.sends = send
    text = assert_named(
        bench, 'several_publishers', f'several publishers of {topic} (', is_state=False
    )
    assert '/other_camera' in text
    assert '/rig' in text
    assert 'images_lost' not in bench.causes
    graph.remove(other)
    bench.restore()
    bench.wait_for_the_end_of('several_publishers')


def test_another_node_publishes_an_output(graph: Graph):
    bench = Bench(graph, process=True)
    other = graph.add(Peer(graph, 'depth_b'))
    other.publisher('/disparity', DisparityImage)
    assert_named(
        bench,
        'shared_output',
        'also published by /depth_b (/disparity',
        is_state=False,
    )


def test_another_node_of_the_same_name(graph: Graph):
    bench = Bench(graph, process=True)
    graph.node_process()
    assert_named(
        bench,
        'shared_output',
        'also published by /stereo_depth_node (/disparity',
        is_state=False,
    )


def test_cameras_one_above_the_other(graph: Graph):
    bench = Bench(graph, process=True)
    left, right = camera_infos(WIDTH, HEIGHT)
    right.p[3], right.p[7] = 0.0, -50.0
    bench.rig.infos = (left, right)
    text = assert_named(bench, 'cameras_vertical', 'one above the other', 'P[7] is 0 (left)')
    assert 'baseline' not in text.split('\n')[0]
    assert bench.rig.set_parameter('baseline', 0.1).successful
    bench.wait_for('cameras_vertical')


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'width': 4 * WIDTH, 'height': 4 * HEIGHT, 'binning_x': 4, 'binning_y': 4}, 'binning is'),
        ({'p': [500.0, 0.0, 5.0, 0.0, 0.0, 500.0, 31.5, 0.0, 0.0, 0.0, 1.0, 0.0]}, 'far from the'),
    ],
    ids=['binning applied', 'principal point'],
)
def test_a_calibration_that_is_implausible(graph: Graph, changes: dict[str, Any], words: str):
    bench = Bench(graph, process=True)
    for info in bench.rig.infos:
        for name, value in changes.items():
            if name == 'p':
                value[3] = info.p[3]
            setattr(info, name, value)
    assert_named(bench, 'implausible_calibration', words, 'P of the left camera', is_state=False)


def test_a_camera_info_without_a_size(graph: Graph):
    """The size is that of the images; f * B / d = 500 px * 0.1 m / 6 px."""
    bench = Bench(graph, process=True)
    for info in bench.rig.infos:
        info.width = info.height = 0
    bench.wait_for_health()
    assert float(bench.values['depth, 50 %'].split()[0]) == pytest.approx(8.333, abs=0.1)
    bench.rig.listen('depth/camera_info', CameraInfo)
    bench.graph.wait_until(
        lambda: bench.rig.heard['depth/camera_info'], 'depth/camera_info', repeat=bench.send
    )
    info = bench.rig.heard['depth/camera_info'][-1]
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    bench.assert_adds_up()
