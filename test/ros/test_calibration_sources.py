# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever calibration is usable is used, wherever it comes from; the node in its own process."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph, Peer, RELIABLE
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rig import camera_info, camera_infos, messages_of, pixels_of, Rig
from scenes import camera, plane, scene_of
from sensor_msgs.msg import CameraInfo
from std_srvs.srv import Trigger

WIDTH, HEIGHT, TRUE_PX, F, BASELINE = 240, 160, 16, 500.0, 0.1
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, TRUE_PX)))
INFOS = camera_infos(WIDTH, HEIGHT, f=F, baseline=BASELINE)
DEPTH = 'depth/image_rect'
LATCHED = QoSProfile(
    depth=1,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
# 1/8 px of disparity, half of what block matching may err by on an artificial plane.
TRUE_DEPTH = pytest.approx(F * BASELINE / TRUE_PX, rel=0.125 / TRUE_PX)


def depth_of(rig: Rig) -> float:
    """Send a pair and return its median depth, metres."""
    return float(np.nanmedian(pixels_of(rig.exchange(*PAIR)[DEPTH])))


def explained(rig: Rig) -> Any:
    """Ask the node how it is."""
    return rig.call(Trigger, '/stereo_depth_node/explain', Trigger.Request())


def infos_with(**changes: Any) -> tuple[Any, Any]:
    """Return calibrations in which both cameras have other attributes."""
    left = camera(WIDTH, HEIGHT, f=F)
    right = camera(WIDTH, HEIGHT, f=F, tx=-F * BASELINE)
    return tuple(camera_info(dataclasses.replace(each, **changes)) for each in (left, right))


def calibration_file(path: Path, tx: float = 0.0) -> Path:
    """Write a calibration as OpenCV's FileStorage would with the keys of ROS."""
    known = camera(WIDTH, HEIGHT, f=F, tx=tx)
    matrices = {
        'camera_matrix': known.k,
        'distortion_coefficients': known.d,
        'rectification_matrix': known.r,
        'projection_matrix': known.p,
    }
    lines = ['%YAML:1.0', '---', f'image_width: {WIDTH}', f'image_height: {HEIGHT}']
    for name, data in matrices.items():
        lines += [f'{name}: !!opencv-matrix', f'   data: {list(data)}']
    path.write_text('\n'.join(lines) + '\n')
    return path


def test_of_rectified_images_only_the_projection_counts(graph: Graph) -> None:
    graph.node_process()
    rig = Rig(graph, [DEPTH], infos=infos_with(k=(0.0,) * 9))
    rig.connect(*PAIR)
    assert depth_of(rig) == TRUE_DEPTH

    for changes in (
        {'d': (math.nan,) * 5},
        {'k': (math.nan,) * 9, 'r': (math.inf,) * 9},
        {'d': (0.0,) * 7, 'distortion_model': 'none'},
    ):
        rig.infos = infos_with(**changes)
        assert depth_of(rig) == TRUE_DEPTH


def test_to_rectify_all_of_the_calibration_counts(graph: Graph) -> None:
    graph.node_process(rectify=True)
    rig = Rig(graph, [DEPTH], infos=infos_with(d=(math.nan,) * 5))
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')

    rig.send_until(lambda: explained(rig).message.startswith('uncalibrated: '), *PAIR, 'the cause')


@pytest.mark.parametrize('scheme', ['package', 'ROS_HOME'])
def test_a_driver_without_calibration_hides_no_file(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Its CameraInfo is all zero; the files are named as camera_info_manager names them."""
    folder = tmp_path / 'share' / 'my_robot'
    folder.mkdir(parents=True)
    calibration_file(folder / 'left.yaml')
    calibration_file(folder / 'right.yaml', tx=-F * BASELINE)
    prefixes = [str(tmp_path), os.environ.get('AMENT_PREFIX_PATH', '')]
    monkeypatch.setenv('AMENT_PREFIX_PATH', os.pathsep.join(filter(None, prefixes)))
    monkeypatch.setenv('ROS_HOME', str(folder))
    prefix = 'package://my_robot/' if scheme == 'package' else 'file://${ROS_HOME}/'
    graph.node_process(
        left_camera_info_url=f'{prefix}left.yaml', right_camera_info_url=f'{prefix}right.yaml'
    )
    rig = Rig(graph, [DEPTH], infos=infos_with(k=(0.0,) * 9, r=(0.0,) * 9, p=(0.0,) * 12))
    rig.connect(*PAIR)

    assert depth_of(rig) == TRUE_DEPTH


@pytest.mark.parametrize('durability', ['transient local', 'volatile'])
def test_a_calibration_published_once_is_enough(graph: Graph, durability: str) -> None:
    """Latched, before the node starts; or afterwards, by a publisher that keeps nothing."""
    driver = graph.add(Peer(graph, 'driver'))
    is_latched = durability == 'transient local'
    publishers = [
        driver.publisher(f'{side}/camera_info', CameraInfo, LATCHED if is_latched else RELIABLE)
        for side in ('left', 'right')
    ]

    def publish() -> None:
        for publisher, info in zip(publishers, INFOS, strict=True):
            publisher.publish(info)

    if is_latched:
        publish()
    process = graph.node_process()
    rig = Rig(graph, [DEPTH])

    def send_all() -> None:
        if not is_latched:
            publish()
        rig.send(*PAIR)

    graph.wait_until(lambda: rig.heard[DEPTH], 'depth', repeat=send_all)
    rig.heard[DEPTH].clear()
    rig.send_until(lambda: rig.heard[DEPTH], *PAIR, 'depth without a further camera_info')

    assert depth_of(rig) == TRUE_DEPTH
    assert 'incompatible' not in process.output


def test_the_only_pair_of_a_trigger_waits_for_its_calibration(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, [DEPTH])
    graph.wait_until(lambda: rig.is_wanted and rig.is_calibration_wanted, 'the node to listen')
    stamp_ns = rig.send(*PAIR)
    graph.wait_until(lambda: node.node.state.waiting == 2, 'the pair to wait')

    rig.infos = INFOS
    rig.publish_infos()

    graph.wait_until(lambda: rig.outputs(stamp_ns), 'the depth of the pair')
    message = explained(rig).message
    assert 'images received: 2' in message
    assert 'pairs computed: 1' in message
    assert 'images waiting: 0' in message


def test_a_pair_gives_up_waiting_for_the_next_one(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, [DEPTH])
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')
    for expected in (0, 2, 4):
        rig.send(*PAIR)
        graph.wait_until(
            lambda expected=expected: node.received == expected + 2 and node.node.state.holds_pair,
            'the pair to wait',
        )
        assert node.dropped.get('NO_CALIBRATION', 0) == expected
        node.assert_adds_up()
    rig.stop_listening(DEPTH)

    graph.wait_until(lambda: node.dropped.get('UNWANTED') == 2, 'the last one to be dropped')
    node.assert_adds_up()


def test_a_file_that_never_ends_is_named_and_the_node_goes_on(
    graph: Graph, tmp_path: Path
) -> None:
    pipe, huge = tmp_path / 'pipe.yaml', tmp_path / 'huge.yaml'
    os.mkfifo(pipe)
    with huge.open('wb') as file:
        file.truncate(3 << 30)
    process = graph.node_process(left_camera_info_url=str(pipe))
    rig = Rig(graph, [DEPTH])
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')

    for path in (pipe, Path('/dev/zero'), huge, tmp_path):
        rig.set_parameters(left_camera_info_url=str(path), right_camera_info_url=str(path))
        rig.send_until(
            lambda path=path: (
                f'calibration_file: calibration file: {path}' in explained(rig).message
            ),
            *PAIR,
            f'{path} to be named',
        )
        begun = time.monotonic()
        assert not explained(rig).success
        assert time.monotonic() - begun < 10.0  # it is at once, on a machine that is not busy
    rig.infos = INFOS
    rig.send_until(lambda: rig.heard[DEPTH], *PAIR, 'depth, once camera_info comes')

    assert process.stop() == 0
