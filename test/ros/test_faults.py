# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node lives through what happens around it, and ends cleanly when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import itertools
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench, SETTINGS
from harness import Graph
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from rig import camera_infos, messages_of, next_stamp_ns, pixels_of
from scenes import plane, scene_of
from std_srvs.srv import Trigger
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.ros.node import spin, StereoDepthNode

ROOT = Path(__file__).resolve().parents[2]
HOUR_NS = 3600 * 10**9
USUAL = {**SETTINGS, 'downscale': 1, 'frame_policy': 'latest', 'uniqueness_ratio': 15}


@pytest.fixture(scope='module')
def bench(shared_graph: Graph) -> Bench:
    bench = Bench(shared_graph)
    bench.wait_for_health()
    return bench


@pytest.fixture(autouse=True)
def healthy(request: Any) -> Iterator[None]:
    """Whatever happened to the shared node: it works and every image is accounted for."""
    yield
    if 'bench' in request.fixturenames:
        bench = request.getfixturevalue('bench')
        bench.restore()
        bench.wait_for_health()
        bench.node.assert_adds_up()


def test_cameras_restart_with_another_size_encoding_and_calibration(bench):
    for width, height, encoding, f in ((64, 48, 'bgr8', 300.0), (130, 70, 'mono16', 700.0)):
        bench.left, bench.right = messages_of(scene_of(plane(width, height, 5.0)), encoding)
        bench.rig.infos = camera_infos(width, height, f=f)
        heard = bench.rig.heard['disparity']
        heard.clear()
        bench.graph.wait_until(
            lambda: heard and (heard[-1].image.width, heard[-1].f) == (width, f),  # noqa: B023
            f'disparity of {width}x{height} {encoding}',
            repeat=bench.send,
        )
        disparity = pixels_of(heard[-1].image)
        matched = disparity[disparity >= heard[-1].min_disparity]
        # BM finds a plane of whole pixels to a fraction of a pixel where it finds anything.
        assert abs(matched - 5.0).mean() < 0.25


def test_publishers_vanish_and_come_back(bench):
    for _ in range(3):
        for publisher in bench.rig.images:
            bench.rig.stop_publishing(publisher)
        image_type = type(bench.left)
        bench.rig.images[:] = [
            bench.rig.publisher(topic, image_type)
            for topic in ('left/image_rect', 'right/image_rect')
        ]
        bench.rig.heard['disparity'].clear()
        bench.graph.wait_until(
            lambda: bench.rig.heard['disparity'], 'disparity again', repeat=bench.send
        )


def test_a_driver_that_is_killed_without_a_goodbye_and_started_again(graph):
    bench = Bench(graph)
    for _ in range(2):
        with _program('benchmarks.feeder', graph, '96', '64', 'mono8') as driver:
            driver.stdin.write(b'start 20\n')
            driver.stdin.flush()
            bench.sends = lambda: None
            bench.wait_for('flowing')
            driver.kill()
            bench.wait_for('no_messages')
    bench.node.assert_adds_up()


def test_parameters_set_all_the_time_while_frames_flow(bench):
    changes = itertools.cycle(
        [
            {'num_disparities': 32},
            {'block_size': 4},
            {'block_size': 7, 'uniqueness_ratio': 5},
            {'num_disparities': 10**6},
            {'frame_policy': 'every'},
            {'sync_tolerance': 0.02, 'queue_size': 5},
            {'downscale': 2},
            {'downscale': 1, 'num_disparities': 16, 'block_size': 5},
            {'frame_policy': 'latest', 'sync_tolerance': 0.01, 'queue_size': 10},
        ]
    )
    bench.rig.heard['disparity'].clear()
    client = bench.rig.node.create_client(SetParameters, '/stereo_depth_node/set_parameters')
    bench.rig.ask(client, SetParameters.Request())  # from now on the node knows who asks
    answers = []
    for _ in range(100):
        batch = [Parameter(*item).to_parameter_msg() for item in _typed(next(changes))]
        answers.append(client.call_async(SetParameters.Request(parameters=batch)))
        bench.send()
        # A service keeps 10 requests that it has not answered.
        bench.graph.wait_until(
            lambda: sum(not each.done() for each in answers) < 8, 'answers to come'
        )
    bench.graph.wait_until(lambda: all(each.done() for each in answers), 'all answers')
    results = [result for each in answers for result in each.result().results]
    refused = [result.reason for result in results if not result.successful]
    bench.rig.set_parameters(**USUAL)
    assert 0 < len(refused) < len(results)
    assert all(refused)
    bench.graph.wait_until(lambda: bench.rig.heard['disparity'], 'disparity', repeat=bench.send)


def test_subscribers_come_and_go(bench):
    for _ in range(8):
        bench.rig.stop_listening('disparity')
        bench.graph.wait_until(lambda: bench.rig.is_ignored, 'the node to stop listening')
        heard = bench.rig.listen('disparity', DisparityImage)
        heard.clear()
        bench.graph.wait_until(lambda: heard, 'disparity', repeat=bench.send)  # noqa: B023


def test_a_stalled_subscriber_keeps_nobody_else_from_the_outputs(bench):
    code = (
        'import rclpy; from stereo_msgs.msg import DisparityImage; rclpy.init();'
        'node = rclpy.create_node("stalled");'
        'node.create_subscription(DisparityImage, "disparity", id, 5); rclpy.spin(node)'
    )
    with _python(bench.graph, '-c', code) as stalled:
        subscribers = bench.node.node.outputs.subscribers
        bench.graph.wait_until(
            lambda: subscribers()['disparity'] == 2, 'two subscribers', repeat=bench.send
        )
        stalled.send_signal(signal.SIGSTOP)
        bench.rig.heard['disparity'].clear()
        # Ten times what its queue holds.
        bench.graph.wait_until(
            lambda: len(bench.rig.heard['disparity']) >= 50,
            'outputs beside a stalled subscriber',
            repeat=bench.send,
            period_s=0.02,
        )


def test_the_clock_of_the_cameras_jumps(bench):
    start_ns = next_stamp_ns()
    heard = bench.rig.heard['disparity']
    for jump_ns in (HOUR_NS, -2 * HOUR_NS, HOUR_NS):
        start_ns += jump_ns
        heard.clear()
        stamps = (start_ns + count * 10**8 for count in itertools.count())
        bench.graph.wait_until(
            lambda: len(heard) >= 3,
            f'disparity after a jump of {jump_ns} ns',
            repeat=lambda: bench.rig.send(bench.left, bench.right, stamp_ns=next(stamps)),  # noqa: B023
        )


def test_messages_that_are_no_messages(bench):
    for publisher, message in (
        (bench.rig.images[0], bench.left),
        (bench.rig.images[1], bench.right),
        (bench.rig._infos[0], bench.rig.infos[0]),
    ):
        whole = serialize_message(message)
        for broken in (whole[:4], whole[:-7], whole[:30], whole[:4] + b'\xff' * 200):
            publisher.publish(broken)
    bench.rig.heard['disparity'].clear()
    bench.graph.wait_until(lambda: bench.rig.heard['disparity'], 'disparity', repeat=bench.send)


def test_an_error_of_ros_itself_does_not_end_the_node(graph):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=graph.domain_id)
    node = StereoDepthNode(context=context)
    calls = []

    def fail_twice_then_end() -> None:
        calls.append(None)
        if len(calls) == 3:
            rclpy.shutdown(context=context)
        else:
            raise RuntimeError('what an executor may raise')

    node.create_timer(0.01, fail_twice_then_end)
    spin(node)
    node.destroy_node()
    assert len(calls) == 3


def test_an_overloaded_node_still_reports_and_answers(graph):
    bench = Bench(graph, process=True, algorithm='sgbm', num_disparities=64)
    bench.rig.stop_listening('disparity')
    heard = bench.rig.listen('disparity', DisparityImage)
    bench.sends = lambda: None
    with _program('benchmarks.feeder', graph, '320', '240', 'mono8') as driver:
        driver.stdin.write(b'start 500\n')
        driver.stdin.flush()
        graph.wait_until(lambda: len(heard) > 10, 'disparity')
        heard.clear()
        bench.reports.clear()
        answers = 0

        def ask() -> None:
            nonlocal answers
            assert 'flowing' in bench.explain()[1]
            answers += 1

        # Each pair is followed by the next one meanwhile.
        graph.wait_until(
            lambda: len(bench.reports) > 1 and answers > 1, 'reports', repeat=ask, period_s=0.0
        )
        assert answers > len(heard) / 100


def test_whoever_asks_at_once_is_answered(bench: Bench):
    """A hundred questions wait in the middleware while the node is asked nothing else."""
    many = QoSProfile(depth=100)
    client = bench.rig.node.create_client(Trigger, '/stereo_depth_node/explain', qos_profile=many)
    bench.rig.ask(client, Trigger.Request())  # from now on the node knows who asks
    answers = [client.call_async(Trigger.Request()) for _ in range(100)]
    bench.graph.wait_until(lambda: all(each.done() for each in answers), 'all answers')
    bench.rig.node.destroy_client(client)


def test_the_node_runs_where_no_log_can_be_written(graph, monkeypatch, tmp_path):
    file = tmp_path / 'file'
    file.touch()
    monkeypatch.setenv('ROS_LOG_DIR', str(file / 'log'))
    bench = Bench(graph, process=True)
    bench.wait_for_health()
    assert 'no log file is written' in bench.node.output
    assert bench.node.stop() == 0


def test_the_node_runs_when_the_disk_for_its_log_is_full(graph, monkeypatch, tmp_path):
    full = tmp_path / 'full'
    full.mkdir()
    if (
        os.getuid() != 0
        or subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', str(full)], check=False
        ).returncode
    ):
        pytest.skip('a file system that is full can be made by root only')
    try:
        (full / 'filler').write_bytes(bytes(4096))
        assert shutil.disk_usage(full).free == 0
        monkeypatch.setenv('ROS_LOG_DIR', str(full))
        bench = Bench(graph, process=True)
        bench.wait_for_health()
        assert bench.node.stop() == 0
    finally:
        subprocess.run(['umount', '-l', str(full)], check=True)


def _typed(values: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [
        (name, Parameter.Type.from_parameter_value(value), value) for name, value in values.items()
    ]


def _program(module: str, graph: Graph, *arguments: str) -> Any:
    return _python(graph, '-m', module, *arguments)


@contextmanager
def _python(graph: Graph, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on the graph, and kill it at the end."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, 'ROS_DOMAIN_ID': str(graph.domain_id)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
