# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth that is empty or wrong is not said to flow well: the running node names what it is.

What test_advice.py brings about with one cause of each kind is not repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench, HEIGHT, WIDTH
from harness import Graph, Peer
from rig import camera_info, camera_infos, messages_of, stamp_of
from scenes import camera, plane, scene_of
from sensor_msgs.msg import CameraInfo

SETTINGS = {'num_disparities': 16, 'max_depth': 0.0, 'baseline': 0.0}


@pytest.fixture(scope='module')
def shared_bench(shared_graph: Graph) -> Bench:
    return Bench(shared_graph)


@pytest.fixture
def bench(shared_bench: Bench) -> Iterator[Bench]:
    """Give a bench in health, and make it so again."""
    shared_bench.wait_for_health()
    yield shared_bench
    shared_bench.restore()
    assert shared_bench.rig.set_atomically(**SETTINGS).successful


def named(bench: Bench, cause: str, *words: str, is_state: bool = True) -> str:
    """Wait until the node names a cause; check level, words and the count of the images."""
    text = bench.wait_for(cause)[0]
    if is_state:  # while pairs of the time before count, it is told beside what flows
        text = bench.graph.wait_until(
            lambda: (said := bench.wait_for(cause)[0]).startswith(f'{cause}: ') and said,
            f'{cause} to be the state',
        )
        assert not bench.explain()[0], 'explain does not say that depth flows'
    for word in words:
        assert word in text, text
    assert bench.level != b'\0'
    bench.assert_adds_up()
    return text


def test_a_range_that_ends_before_the_scene(bench: Bench) -> None:
    """The plane is at 0.5 m (100 px * 0.1 m / 20 px), max_depth at 0.2 m."""
    assert bench.rig.set_atomically(num_disparities=32, max_depth=0.2).successful
    bench.left, bench.right = messages_of(scene_of(plane(WIDTH, HEIGHT, 20.0)))
    bench.rig.infos = camera_infos(WIDTH, HEIGHT, f=100.0)
    named(bench, 'range_misses_scene', 'of 0.495 to 0.503 m', 'max_depth 0.2 m')
    assert bench.values['density'] == '0.0 %'
    assert bench.rig.set_parameter('max_depth', 0.0).successful
    bench.wait_for('flowing')


def test_two_publishers_of_one_calibration(bench: Bench) -> None:
    other = bench.graph.add(Peer(bench.graph, 'other_camera'))
    publisher = other.publisher('/right/camera_info', CameraInfo)
    message = camera_info(camera(WIDTH, HEIGHT, f=500.0, tx=-99.0))

    def send() -> None:
        # At the stamp of the pair: one of its own would be a gap in those of the images.
        message.header.stamp = stamp_of(bench.send())
        publisher.publish(message)

    bench.sends = send
    words = 'several publishers of /right/camera_info ('
    text = named(bench, 'several_publishers', words, '/other_camera', '/rig', is_state=False)
    assert 'images_lost: ' not in text
    bench.graph.remove(other)
    bench.restore()
    bench.wait_for_the_end_of('several_publishers')


def test_another_node_of_the_same_name(bench: Bench) -> None:
    other = bench.graph.node()
    words = 'also published by /stereo_depth_node (/disparity'
    try:
        named(bench, 'shared_output', words, is_state=False)
    finally:
        bench.graph.remove(other)


def test_cameras_one_above_the_other_have_no_baseline_to_set(bench: Bench) -> None:
    left, right = camera_infos(WIDTH, HEIGHT)
    right.p[3], right.p[7] = 0.0, -50.0
    bench.rig.infos = (left, right)
    text = named(bench, 'cameras_vertical', 'one above the other', 'P[7] is 0 (left)')
    assert 'baseline' not in text.split('\n')[0]
    assert bench.rig.set_parameter('baseline', 0.1).successful
    bench.wait_for('cameras_vertical')


def test_a_camera_info_without_a_size_has_that_of_the_images(bench: Bench) -> None:
    """The depth is f * B / d = 500 px * 0.1 m / 6 px."""
    for info in bench.rig.infos:
        info.width = info.height = 0
    bench.wait_for_health()
    assert float(bench.values['depth, 50 %'].split()[0]) == pytest.approx(8.333, abs=0.1)
    heard = bench.rig.listen('depth/camera_info', CameraInfo)
    bench.graph.wait_until(lambda: heard, 'depth/camera_info', repeat=bench.send)
    assert (heard[-1].width, heard[-1].height) == (WIDTH, HEIGHT)
    bench.rig.stop_listening('depth/camera_info')
