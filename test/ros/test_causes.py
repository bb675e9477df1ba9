# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every cause of silence is named by the running node, and no longer when it is cured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import itertools
import time
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench, HEIGHT, SETTINGS, WIDTH
from builtin_interfaces.msg import Time
from harness import BEST_EFFORT, Graph, Peer, RELIABLE
import numpy as np
from rclpy.qos import QoSDurabilityPolicy, QoSLivelinessPolicy, QoSProfile
from rig import camera_infos, image_message, messages_of, next_stamp_ns, stamp_of
from rosgraph_msgs.msg import Clock
from scenes import plane, scene_of
from sensor_msgs.msg import CompressedImage, Image, PointCloud2
from std_msgs.msg import Header
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


@pytest.fixture
def check(record_property: Any) -> Callable[..., str]:
    """Break, expect the cause in words, cure, expect health; record how long both took."""

    def run(bench: Bench, breaks: Callable[[], Any], cause: str, *words: str) -> str:
        breaks()
        text, seconds = bench.wait_for(cause)
        record_property('named_s', f'{seconds:.2f}')
        for word in words:
            assert word in text, text
        bench.restore()
        record_property('cured_s', f'{bench.wait_for_the_end_of(cause):.2f}')
        assert bench.explain()[0], 'explain says that depth flows'
        bench.node.assert_adds_up()
        return text

    return run


def test_what_flows_is_said_to_flow(bench):
    bench.wait_for_health()
    flows, text = bench.explain()
    assert flows
    assert text.startswith('flowing: depth flows at ')
    assert bench.status.level == b'\0'
    assert bench.status.hardware_id == 'left_optical'
    assert f'size: {WIDTH}x{HEIGHT}' in text
    # f * B / d of the plane: 500 px * 0.1 m / 6 px, where 1/16 px are 0.09 m.
    assert float(bench.values['depth, 50 %'].split()[0]) == pytest.approx(8.333, abs=0.1)
    assert 'num_disparities=16' in bench.values['settings']


def test_nobody_publishes(bench):
    other = Peer(bench.graph, 'other')
    other.publisher('/cam0/left/image', Image)
    bench.graph.add(other)

    def stop_the_cameras() -> None:
        for publisher in bench.rig.images:
            bench.rig.node.destroy_publisher(publisher)
        bench.sends = lambda: None

    bench.graph.wait_until(
        lambda: bench.node.node.count_publishers('/cam0/left/image'), 'the other topic'
    )
    stop_the_cameras()
    text, _ = bench.wait_for('no_publisher')
    assert f'nobody publishes {LEFT} and {RIGHT} (sensor_msgs/msg/Image)' in text
    assert 'of that type there are /cam0/left/image' in text
    bench.graph.remove(other)
    bench.rig.images[:] = [
        bench.rig.publisher(topic, Image) for topic in ('left/image_rect', 'right/image_rect')
    ]


def test_a_topic_carries_another_type(bench):
    other = bench.graph.add(Peer(bench.graph, 'other'))
    bench.rig.node.destroy_publisher(bench.rig.images[0])
    other.publisher('left/image_rect', CompressedImage)
    bench.sends = lambda: None
    text, _ = bench.wait_for('wrong_type')
    assert f'{LEFT} carries sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image' in text
    bench.graph.remove(other)
    bench.rig.images[0] = bench.rig.publisher('left/image_rect', Image)


def test_publishers_but_no_messages(bench, check):
    def pause() -> None:
        bench.sends = lambda: None

    check(bench, pause, 'no_messages', f'no image came on {LEFT} and {RIGHT}', '(/rig)', 'resume')


@pytest.mark.parametrize(('side', 'other'), [(0, 'right'), (1, 'left')])
def test_one_side_only(bench, check, side, other):
    def one_camera() -> None:
        publisher = bench.rig.images[1 - side]

        def send_one() -> None:
            bench.left.header = Header(stamp=stamp_of(next_stamp_ns()))
            publisher.publish(bench.left)

        bench.sends = send_one

    topic = (LEFT, RIGHT)[side]
    check(bench, one_camera, 'one_side_only', f'{other} images come at', f'none on {topic}')


def test_stamps_too_far_apart(bench, check):
    def shift() -> None:
        bench.right_later_ns = 33_100_000

    check(
        bench,
        shift,
        'stamps_apart',
        'left and right stamps are 33.1 ms apart (median of ',
        'sync_tolerance is 10.0 ms: set sync_tolerance to 0.04',
    )


def test_clocks_that_differ(bench, check):
    def shift() -> None:
        bench.right_later_ns = -3_000_000_000

    check(bench, shift, 'clocks_differ', 'right images are 3.000 s before those of the left ones')


def test_a_side_that_lags_by_more_than_the_queue_holds(bench, check):
    def lag() -> None:
        waiting: list[int] = []

        def send() -> None:
            stamps = [next_stamp_ns() for _ in range(3)]
            for stamp_ns in stamps:
                bench.left.header = Header(stamp=stamp_of(stamp_ns))
                bench.rig.images[0].publish(bench.left)
                waiting.append(stamp_ns)
            while len(waiting) > 15:
                bench.right.header = Header(stamp=stamp_of(waiting.pop(0)))
                bench.rig.images[1].publish(bench.right)

        bench.sends = send

    check(bench, lag, 'queue_too_short', 'right images come ', 'queue_size 10 holds 1.00 s')


def test_stamps_all_zero(bench, check):
    def unstamped() -> None:
        def send() -> None:
            bench.rig.send(bench.left, bench.right, stamp_ns=0)

        bench.sends = send

    check(bench, unstamped, 'stamps_zero', 'all left and right images are stamped 0')


def test_stamps_that_repeat(bench, check):
    stamp_ns = next_stamp_ns()

    def stuck() -> None:
        bench.sends = lambda: bench.send_stuck(stamp_ns)

    check(bench, stuck, 'stamps_repeat', 'repeat a stamp', f'{LEFT} is published by /rig')


def test_stamps_that_run_backwards(bench, check):
    start_ns = next_stamp_ns() + 10**12
    stamps = (start_ns - 50_000_000 * count for count in itertools.count())

    def backwards() -> None:
        def send() -> None:
            bench.rig.send(bench.left, bench.right, stamp_ns=next(stamps))

        bench.sends = send

    check(bench, backwards, 'stamps_backward', 'are stamped earlier than the image before')


def test_images_that_never_arrive(bench, check):
    def lose_some() -> None:
        frames = itertools.count()

        def send() -> None:
            if next(frames) % 3 == 2:
                next_stamp_ns()
            bench.send()

        bench.sends = send

    check(bench, lose_some, 'images_lost', 'images are missing', 'environment of this node')


def test_images_without_a_partner(bench, check):
    def other_rates() -> None:
        def send() -> None:
            bench.send()
            bench.left.header = Header(stamp=stamp_of(next_stamp_ns()))
            bench.rig.images[0].publish(bench.left)

        bench.sends = send

    check(bench, other_rates, 'images_unpaired', 'found no partner', 'at one rate')


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


def test_more_images_than_can_be_computed(bench, check):
    def bursts() -> None:
        def send() -> None:
            for _ in range(5):
                bench.send()

        bench.sends = send

    check(bench, bursts, 'overloaded', 'pairs were skipped', 'match', 'publish')


def test_sizes_that_differ(bench, check):
    def shrink() -> None:
        bench.right = image_message(np.zeros((HEIGHT, WIDTH - 8), np.uint8))

    check(bench, shrink, 'sizes_differ', 'left image is 96x64, the right one 88x64')


def test_an_unknown_encoding(bench, check):
    def change() -> None:
        bench.left.encoding = 'thermal_77'

    check(bench, change, 'unsupported_encoding', "encoding 'thermal_77'", 'cv_bridge')


def test_data_shorter_than_the_header_says(bench, check):
    def cut() -> None:
        bench.left.data = bench.left.data[:-1]

    check(bench, cut, 'data_length', 'data holds 6143 bytes', 'take 6144')


def test_eyes_of_different_depth(bench, check):
    def change() -> None:
        bench.right = image_message(np.zeros((HEIGHT, WIDTH), np.uint8), 'mono16')

    check(bench, change, 'unusable_image', 'left image is uint8, the right one uint16')


@pytest.mark.parametrize(
    ('side', 'changes', 'cause', 'words'),
    [
        (0, {'k': [0.0] * 9, 'p': [0.0] * 12}, 'uncalibrated', 'left camera is not calibrated'),
        (1, {'p': [np.nan] * 12}, 'uncalibrated', 'numbers that are not finite'),
        (1, {'tx': 0.0}, 'no_baseline', 'baseline is 0 m'),
        (1, {'tx': 50.0}, 'no_baseline', 'calibrations are swapped'),
        (1, {'tx': -500.0 * 60}, 'implausible_calibration', 'baseline is 60 m'),
        (0, {'width': 2 * WIDTH}, 'calibrations_differ', 'images of 192x64 (left)'),
    ],
)
def test_a_calibration_that_cannot_be(bench, check, side, changes, cause, words):
    def change() -> None:
        info = bench.rig.infos[side]
        for name, value in changes.items():
            if name == 'tx':
                info.p[3] = value
            else:
                setattr(info, name, value)

    check(bench, change, cause, words)


def test_a_calibration_of_another_size(bench, check):
    def change() -> None:
        bench.rig.infos = camera_infos(640, 480)

    check(bench, change, 'calibration_size', 'images are 96x64, the calibration is for 640x480')


def test_frames_that_differ(bench, check):
    def change() -> None:
        def send() -> None:
            stamp = stamp_of(next_stamp_ns())
            for side, image in enumerate((bench.left, bench.right)):
                image.header = Header(stamp=stamp, frame_id=('a', 'b')[side])
                bench.rig.images[side].publish(image)

        bench.sends = send

    check(bench, change, 'frame_ids_differ', "frame_id is 'a' (left) and 'b' (right)")


def test_a_subscriber_of_disparity_while_images_are_reduced(bench):
    assert bench.rig.set_parameter('downscale', 2).successful
    text, _ = bench.wait_for('disparity_reduced')
    assert '1 node subscribes to disparity while downscale is 2' in text
    assert 'flowing' in bench.causes
    assert bench.rig.set_parameter('downscale', 1).successful
    bench.wait_for_the_end_of('disparity_reduced')


def test_settings_impossible_for_a_new_size(bench, check):
    def shrink() -> None:
        bench.left, bench.right = messages_of(scene_of(plane(18, HEIGHT, 2.0)))
        bench.rig.infos = camera_infos(18, HEIGHT)

    check(bench, shrink, 'impossible_settings', 'leave no column of the 18x64 images to match')


def test_an_error_inside(bench, monkeypatch):
    def fail() -> None:
        monkeypatch.setattr(bench.node.node.state.processor._decoder, 'decode', lambda *_: 1 / 0)

    fail()
    text, _ = bench.wait_for('internal_error')
    assert 'ZeroDivisionError' in text
    monkeypatch.undo()


def test_nobody_subscribes_is_health(bench):
    bench.rig.stop_listening('disparity')
    bench.rig.listen('/front/disparity', DisparityImage)
    text, _ = bench.wait_for('nobody_subscribes', 'others subscribe to /front/disparity, which no')
    assert bench.status.level == b'\0'
    assert 'nobody subscribes to /disparity, /depth/image_rect' in text
    assert not bench.explain()[0]
    bench.rig.stop_listening('/front/disparity')
    bench.rig.listen('disparity', DisparityImage)


def test_a_subscriber_that_the_output_cannot_reach(bench):
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
    assert bench.causes[0] == 'flowing'
    assert bench.status.level == b'\1'
    bench.graph.remove(other)
    bench.wait_for_the_end_of('incompatible_subscriber')


def test_no_camera_info(graph, record_property):
    bench = Bench(graph)
    bench.rig.infos = None
    text, seconds = bench.wait_for('no_camera_info')
    record_property('named_s', f'{seconds:.2f}')
    assert '/left/camera_info has a publisher, but nothing came' in text
    assert 'left_camera_info_url' in text
    bench.restore()
    bench.wait_for_health()


def test_a_calibration_file_that_is_not_there(graph):
    bench = Bench(graph, left_camera_info_url='/no/left.yaml', right_camera_info_url='/no/r.yaml')
    bench.rig.infos = None
    text, _ = bench.wait_for('calibration_file')
    assert '/no/left.yaml: cannot be read (there is no such file)' in text
    bench.restore()
    bench.wait_for_health()


def test_publishers_that_do_not_reach_the_node(graph):
    override = 'qos_overrides.{}.subscription.reliability'.format
    bench = Bench(graph, **{override(topic): 'reliable' for topic in (LEFT, RIGHT)})
    text, _ = bench.wait_for('incompatible_qos')
    assert f'{LEFT} is published with a QoS that does not reach this node (/rig: best' in text
    for publisher in bench.rig.images:
        bench.rig.node.destroy_publisher(publisher)
    bench.rig.images[:] = [
        bench.rig.publisher(topic, Image, RELIABLE)
        for topic in ('left/image_rect', 'right/image_rect')
    ]
    bench.wait_for_health()


def test_simulated_time_without_a_clock(graph):
    bench = Bench(graph, use_sim_time=True)
    # A player that starts together with the node is not there at once.
    graph.wait_until(lambda: bench.reports, 'the first report')
    assert 'no_clock' not in bench.causes
    text, _ = bench.wait_for('no_clock')
    assert 'use_sim_time is true, but /clock has said nothing' in text
    clock = bench.rig.publisher('/clock', Clock, BEST_EFFORT)

    def send() -> None:
        clock.publish(Clock(clock=Time(sec=7)))
        bench.send()

    bench.sends = send
    bench.wait_for_health()


def test_a_start_value_that_was_refused(graph):
    bench = Bench(graph, num_disparities=17)
    text, _ = bench.wait_for('parameter_refused')
    assert 'num_disparities' in text
    assert bench.rig.set_parameter('num_disparities', SETTINGS['num_disparities']).successful
    bench.wait_for_health()


def test_a_cause_is_logged_once_and_then_from_time_to_time(graph):
    bench = Bench(graph, process=True)
    bench.wait_for_health()
    bench.right_later_ns = 33_100_000
    bench.wait_for('stamps_apart')
    bench.restore()
    bench.wait_for_health()
    graph.wait_until(lambda: bench.node.output.count('depth flows') == 2, 'both recoveries')
    said = [line for line in bench.node.output.splitlines() if '[stereo_depth_node]' in line]
    assert sum('left and right stamps are 33.1 ms apart' in line for line in said) == 1
