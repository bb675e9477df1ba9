# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the running node says of itself, beside what test_advice.py does and undoes.

There every cause is brought about, named, and cured as its text says. The texts themselves are
those of core/health.
"""

from __future__ import annotations

from collections.abc import Iterator
import time

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench, HEIGHT, WIDTH
from builtin_interfaces.msg import Time
from harness import BEST_EFFORT, Graph, Peer, RELIABLE
from rclpy.qos import QoSDurabilityPolicy, QoSLivelinessPolicy, QoSProfile
from rig import next_stamp_ns
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, PointCloud2
from stereo_msgs.msg import DisparityImage

LEFT, RIGHT = '/left/image_rect', '/right/image_rect'
MANUAL = QoSProfile(depth=1, liveliness=QoSLivelinessPolicy.MANUAL_BY_TOPIC)


@pytest.fixture(scope='module')
def shared_bench(shared_graph: Graph) -> Bench:
    bench = Bench(shared_graph)
    bench.wait_for_health()
    return bench


@pytest.fixture
def bench(shared_bench: Bench) -> Iterator[Bench]:
    """Give a bench in health, and leave it so."""
    yield shared_bench
    if not shared_bench.is_healthy:
        shared_bench.restore()
        shared_bench.wait_for_health()
    shared_bench.node.assert_adds_up()


def test_what_flows_is_said_to_flow(bench):
    bench.wait_for_health()
    assert bench.status.level == b'\0'
    assert bench.status.hardware_id == 'left_optical'
    text = bench.explanation_of_health()
    assert text.startswith('flowing: depth flows at ')
    assert f'size: {WIDTH}x{HEIGHT}' in text
    # f * B / d of the plane: 500 px * 0.1 m / 6 px, where 1/16 px are 0.09 m.
    assert float(bench.values['depth, 50 %'].split()[0]) == pytest.approx(8.333, abs=0.1)
    assert 'num_disparities=16' in bench.values['settings']


def test_the_camera_that_sends_nothing_is_the_one_that_is_named(bench):
    bench.sends = lambda: bench.rig.send_image(0, bench.left, next_stamp_ns())
    text, _ = bench.wait_for('one_side_only')
    assert text.startswith('one_side_only: left images come at ')
    assert f'but there was none on {RIGHT} for ' in text
    assert not bench.explain()[0]


def test_the_first_image_of_a_slow_camera_is_followed_by_no_error(graph):
    """At 0.2 Hz the second one comes 5 s later: of one image nobody knows the rate."""
    bench = Bench(graph)
    rig = bench.rig
    graph.wait_until(
        lambda: rig.is_wanted and rig.is_calibration_wanted, 'the node to subscribe to the cameras'
    )
    bench.send()
    graph.wait_until(lambda: rig.heard['disparity'], 'the first disparity')
    bench.reports.clear()
    end = time.monotonic() + 3.0  # three times the patience with a camera of any known rate
    graph.wait_until(lambda: time.monotonic() > end, 'the time that the camera takes')
    errors = [each.status[0] for each in bench.reports if each.status[0].level == b'\2']
    assert errors == []
    assert bench.causes == ['flowing']


def test_nobody_subscribes_is_health(bench):
    bench.rig.stop_listening('disparity')
    bench.rig.listen('/front/disparity', DisparityImage)
    bench.rig.listen('/front/image_rect', Image)
    text, _ = bench.wait_for('nobody_subscribes', 'others subscribe to /front/disparity, which no')
    assert bench.level == b'\0'
    assert 'nobody subscribes to /disparity, /depth/image_rect' in text
    assert not bench.explain()[0]
    bench.rig.stop_listening('/front/disparity')
    bench.rig.stop_listening('/front/image_rect')
    bench.rig.listen('disparity', DisparityImage)


def test_a_subscriber_that_the_output_cannot_reach_is_named(bench):
    bench.rig.stop_listening('disparity')
    durable = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    bench.rig.listen('disparity', DisparityImage, durable)
    text, _ = bench.wait_for('incompatible_subscriber')
    assert '/rig subscribes to /disparity and gets nothing, for its QoS does not fit' in text
    bench.rig.stop_listening('disparity')
    bench.rig.listen('disparity', DisparityImage)


@pytest.mark.parametrize(
    ('kind', 'qos', 'words'),
    [
        (Image, RELIABLE, 'it expects sensor_msgs/msg/Image, not sensor_msgs/msg/PointCloud2'),
        (PointCloud2, MANUAL, "publisher's liveliness is automatic"),
    ],
    ids=['type', 'qos'],
)
def test_a_subscriber_that_is_not_reached_beside_one_that_is(bench, kind, qos, words):
    other = bench.graph.add(Peer(bench.graph, 'other'))
    other.listen('points2', kind, qos)
    bench.wait_for('incompatible_subscriber', words)
    bench.graph.wait_until(
        lambda: (
            (bench.causes[0], bench.status.level) == ('flowing', b'\1')
            and 'incompatible_subscriber' in bench.causes
        ),
        'a warning while depth flows',
        repeat=bench.send,
    )
    bench.graph.remove(other)
    bench.wait_for_the_end_of('incompatible_subscriber')


def test_publishers_that_do_not_reach_the_node_are_named(graph):
    override = 'qos_overrides.{}.subscription.reliability'.format
    bench = Bench(graph, **{override(topic): 'reliable' for topic in (LEFT, RIGHT)})
    text, _ = bench.wait_for('incompatible_qos')
    assert f'{LEFT} is published with a QoS that does not reach this node (/rig: best' in text
    for publisher in bench.rig.images:
        bench.rig.stop_publishing(publisher)
    bench.rig.images[:] = [
        bench.rig.publisher(topic, Image, RELIABLE)
        for topic in ('left/image_rect', 'right/image_rect')
    ]
    bench.wait_for_health()


def test_simulated_time_without_a_clock_is_named_until_one_comes(graph):
    bench = Bench(graph, use_sim_time=True)
    # A player that starts together with the node is not there at once.
    graph.wait_until(lambda: bench.reports, 'the first report')
    assert 'no_clock' not in bench.causes
    bench.wait_for('no_clock')
    clock = bench.rig.publisher('/clock', Clock, BEST_EFFORT)

    def send() -> None:
        clock.publish(Clock(clock=Time(sec=7)))
        bench.send()

    bench.sends = send
    bench.wait_for_health()
