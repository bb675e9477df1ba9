# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the node's calibration comes from, and what it does without one or with a bad one."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph, NodeHere
from rig import camera_info, camera_infos, FRAME, messages_of, pixels_of, Rig
from scenes import camera, plane, scene_of
from sensor_msgs.msg import CameraInfo

WIDTH, HEIGHT, TRUE_PX, F = 240, 160, 16, 500.0
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, TRUE_PX)))
INFOS = camera_infos(WIDTH, HEIGHT, f=F, baseline=0.1)
DEPTH = 'depth/image_rect'


def depth_of(rig: Rig) -> float:
    """Send a pair and return its median depth, metres."""
    return float(np.nanmedian(pixels_of(rig.exchange(*PAIR)[DEPTH])))


def true_depth(baseline: float, f: float = F) -> Any:
    """Return f * B / d, to be compared within what 1/8 px of disparity makes."""
    return pytest.approx(f * baseline / TRUE_PX, rel=0.125 / TRUE_PX)


def wait_for_depth(rig: Rig, expected: Any) -> None:
    """Send pairs until the depth is the expected one: calibration and images race."""

    def newest() -> float:
        depths = rig.heard[DEPTH]
        return float(np.nanmedian(pixels_of(depths[-1]))) if depths else math.nan

    rig.send_until(lambda: newest() == expected, *PAIR, f'a depth of {expected}')


def wait_for_failure(rig: Rig, node: NodeHere, *told: str) -> None:
    """Send pairs until the node says of one why it could not be computed."""
    rig.send_until(
        lambda: all(each in str(node.node.state.failure) for each in told),
        *PAIR,
        f'an error of {told}',
    )


def calibration_file(path: Path, f: float = F, tx: float = 0.0) -> str:
    """Write a calibration in the format of camera_calibration_parsers; return its path."""
    known = camera(WIDTH, HEIGHT, f=f, tx=tx)
    matrices = {
        'camera_matrix': (3, 3, known.k),
        'distortion_coefficients': (1, 5, known.d),
        'rectification_matrix': (3, 3, known.r),
        'projection_matrix': (3, 4, known.p),
    }
    lines = [f'image_width: {WIDTH}', f'image_height: {HEIGHT}', 'camera_name: eye']
    lines.append(f'distortion_model: {known.distortion_model}')
    for name, (rows, columns, data) in matrices.items():
        lines += [f'{name}:', f'  rows: {rows}', f'  cols: {columns}', f'  data: {list(data)}']
    path.write_text('\n'.join(lines) + '\n')
    return str(path)


def test_the_stamp_of_the_calibration_has_nothing_to_do_with_that_of_the_images(
    graph: Graph,
) -> None:
    node = graph.node()
    rig = Rig(graph, [DEPTH], infos=INFOS)
    graph.wait_until(
        lambda: all(node.node.state.calibrations.received.values()),
        'the node to receive calibration',
        repeat=rig.publish_infos,
    )
    rig.infos = None
    rig.connect(*PAIR)

    assert depth_of(rig) == true_depth(0.1)


def test_pairs_before_the_calibration_are_counted_and_those_after_it_computed(
    graph: Graph,
) -> None:
    node = graph.node()
    rig = Rig(graph, [DEPTH])
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')

    wait_for_failure(rig, node, 'no camera_info has come', 'left/camera_info')
    # The first one waits until the next one comes.
    rig.send_until(lambda: node.dropped.get('NO_CALIBRATION', 0) > 0, *PAIR, 'a dropped pair')
    rig.infos = INFOS

    wait_for_depth(rig, true_depth(0.1))
    node.assert_adds_up()


def test_the_missing_camera_is_named(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, [DEPTH], infos=INFOS[:1])
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')

    wait_for_failure(rig, node, 'right camera', 'right/camera_info')


def test_a_new_calibration_counts_at_once_while_frames_flow(graph: Graph) -> None:
    graph.node()
    rig = Rig(graph, [DEPTH], infos=INFOS)
    rig.connect(*PAIR)
    assert depth_of(rig) == true_depth(0.1)

    rig.infos = camera_infos(WIDTH, HEIGHT, f=F, baseline=0.25)

    wait_for_depth(rig, true_depth(0.25))


def test_camera_info_topics_are_remapped_apart_from_the_images(graph: Graph) -> None:
    graph.node(
        *('-r', 'left/camera_info:=/calibration/a'), *('-r', 'right/camera_info:=/calibration/b')
    )
    topics = {'left/camera_info': '/calibration/a', 'right/camera_info': '/calibration/b'}
    rig = Rig(graph, [DEPTH], infos=INFOS, topics=topics)
    rig.connect(*PAIR)

    assert depth_of(rig) == true_depth(0.1)


@pytest.mark.parametrize('prefix', ['', 'file://'])
def test_cameras_that_publish_no_calibration_have_it_from_files(
    graph: Graph, tmp_path: Path, prefix: str
) -> None:
    graph.node(
        left_camera_info_url=prefix + calibration_file(tmp_path / 'left.yaml'),
        right_camera_info_url=prefix + calibration_file(tmp_path / 'right.yaml', tx=-F * 0.3),
    )
    rig = Rig(graph, [DEPTH, 'depth/camera_info'])
    rig.connect(*PAIR)

    outputs = rig.exchange(*PAIR)

    assert np.nanmedian(pixels_of(outputs[DEPTH])) == true_depth(0.3)
    info = outputs['depth/camera_info']
    assert info.header.frame_id == FRAME
    assert (info.width, info.height, info.p[0]) == (WIDTH, HEIGHT, F)


def test_a_published_calibration_counts_more_than_a_file(graph: Graph, tmp_path: Path) -> None:
    graph.node(
        left_camera_info_url=calibration_file(tmp_path / 'left.yaml'),
        right_camera_info_url=calibration_file(tmp_path / 'right.yaml', tx=-F * 0.3),
    )
    rig = Rig(graph, [DEPTH])
    rig.connect(*PAIR)
    assert depth_of(rig) == true_depth(0.3)

    rig.infos = INFOS

    wait_for_depth(rig, true_depth(0.1))


def test_files_can_be_named_one_by_one_while_the_node_runs(graph: Graph, tmp_path: Path) -> None:
    """As ``ros2 param set`` does it."""
    graph.node()
    rig = Rig(graph, [DEPTH])
    left = calibration_file(tmp_path / 'left.yaml')
    right = calibration_file(tmp_path / 'right.yaml', tx=-F * 0.3)

    results = rig.set_parameters(left_camera_info_url=left, right_camera_info_url=right)

    assert [result.reason for result in results if not result.successful] == []
    rig.connect(*PAIR)
    assert depth_of(rig) == true_depth(0.3)


def test_a_missing_file_is_named_and_read_once_it_is_there(graph: Graph, tmp_path: Path) -> None:
    left, right = tmp_path / 'left.yaml', tmp_path / 'right.yaml'
    node = graph.node(left_camera_info_url=str(left), right_camera_info_url=str(right))
    rig = Rig(graph, [DEPTH])
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')
    wait_for_failure(rig, node, str(left), 'cannot be read')

    calibration_file(left)
    calibration_file(right, tx=-F * 0.2)

    wait_for_depth(rig, true_depth(0.2))


def test_a_file_serves_one_camera_when_the_other_publishes(graph: Graph, tmp_path: Path) -> None:
    graph.node(right_camera_info_url=calibration_file(tmp_path / 'right.yaml', tx=-F * 0.4))
    rig = Rig(graph, [DEPTH], infos=INFOS[:1])
    rig.connect(*PAIR)

    assert depth_of(rig) == true_depth(0.4)


def test_the_baseline_parameter_stands_in_for_that_of_the_calibration(graph: Graph) -> None:
    graph.node(baseline=0.5)
    rig = Rig(graph, [DEPTH], infos=INFOS)
    rig.connect(*PAIR)
    assert depth_of(rig) == true_depth(0.5)

    assert rig.set_parameter('baseline', 0.0).successful

    assert depth_of(rig) == true_depth(0.1)


def bad(**right_eye: Any) -> Callable[[], tuple[CameraInfo, CameraInfo]]:
    """Return a maker of calibrations whose right camera has other attributes."""
    right = camera(WIDTH, HEIGHT, f=F, tx=-F * 0.1, frame_id=FRAME)
    return lambda: (INFOS[0], camera_info(dataclasses.replace(right, **right_eye)))


def projection(f: float = F, tx: float = -50.0) -> tuple[float, ...]:
    return (f, 0.0, 119.5, tx, 0.0, f, 79.5, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ('infos', 'told'),
    [
        (bad(k=(0.0,) * 9, p=(0.0,) * 12), 'not calibrated'),
        (bad(p=projection(tx=0.0)), 'baseline is 0 m'),
        (bad(p=projection(tx=50.0)), 'swapped'),
        (bad(p=projection(f=650.0)), 'focal lengths differ'),
        (bad(p=projection(tx=math.nan)), 'not finite'),
        (bad(width=WIDTH // 2), 'one size'),
        (lambda: camera_infos(WIDTH * 2, HEIGHT * 2), f'{WIDTH * 2}x{HEIGHT * 2}'),
    ],
)
def test_an_impossible_calibration_is_named_and_a_good_one_cures_it(
    graph: Graph, infos: Callable[[], tuple[CameraInfo, CameraInfo]], told: str
) -> None:
    node = graph.node()
    rig = Rig(graph, [DEPTH], infos=infos())
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')
    wait_for_failure(rig, node, told)
    assert not rig.heard[DEPTH]

    rig.infos = INFOS

    wait_for_depth(rig, true_depth(0.1))
    node.assert_adds_up()


def test_a_baseline_of_zero_is_cured_by_the_parameter_too(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, [DEPTH], infos=bad(p=projection(tx=0.0))())
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')
    wait_for_failure(rig, node, 'set the parameter baseline')

    assert rig.set_parameter('baseline', 0.2).successful

    wait_for_depth(rig, true_depth(0.2))


def test_binning_and_region_of_interest_of_the_calibration_are_applied(graph: Graph) -> None:
    """The sensor has 600 x 500 pixels; 480 x 320 of them are binned to the image."""
    full = {'binning_x': 2, 'binning_y': 2, 'roi': (40, 60, 480, 320), 'frame_id': FRAME}
    left = camera(600, 500, f=2 * F, cx=300.0, **full)
    right = camera(600, 500, f=2 * F, cx=292.0, tx=-2 * F * 0.1, **full)
    graph.node()
    rig = Rig(graph, infos=(camera_info(left), camera_info(right)))
    rig.connect(*PAIR)

    outputs = rig.exchange(*PAIR)

    assert outputs['disparity'].f == F
    assert outputs['disparity'].min_disparity == -4.0  # less the offset of 8 px, binned
    expected = F * 0.1 / (TRUE_PX - 4.0)
    assert np.nanmedian(pixels_of(outputs[DEPTH])) == pytest.approx(expected, rel=0.02)
    info = outputs['depth/camera_info']
    assert (info.width, info.height, info.binning_x) == (600, 500, 2)
    assert (info.roi.x_offset, info.roi.width) == (40, 480)


def test_raw_images_are_rectified_from_the_calibration(graph: Graph) -> None:
    """The right raw image lies 3 rows lower; its K and P say so."""
    scene = scene_of(plane(WIDTH, HEIGHT, TRUE_PX))
    left, right = messages_of(scene)
    right.data = messages_of(dataclasses.replace(scene, right=np.roll(scene.right, 3, axis=0)))[
        1
    ].data
    raw = camera(WIDTH, HEIGHT, f=F, cy=79.5 + 3.0)
    rectified = camera(WIDTH, HEIGHT, f=F, tx=-F * 0.1, frame_id=FRAME)
    infos = (INFOS[0], camera_info(dataclasses.replace(rectified, k=raw.k)))
    graph.node(rectify=True)
    rig = Rig(graph, [DEPTH], infos=infos)
    rig.connect(left, right)

    metres = pixels_of(rig.exchange(left, right)[DEPTH])

    assert np.nanmedian(metres) == true_depth(0.1)
    # All of the window but the rows that came from outside of the raw image.
    assert np.isfinite(metres[7:-10, 70:-7]).mean() > 0.9


def test_publishing_leaves_the_calibration_as_the_camera_sent_it(graph: Graph) -> None:
    node = graph.node()
    infos = camera_infos(WIDTH, HEIGHT, f=F, baseline=0.1)
    infos[0].header.frame_id = 'frame_of_the_calibration'
    rig = Rig(graph, infos=infos)
    rig.connect(*PAIR)
    rig.infos = (infos[0], camera_infos(WIDTH, HEIGHT, f=F, baseline=0.3)[1])
    wait_for_depth(rig, true_depth(0.3))

    calibration = node.node.state.calibrations.current(node.node.parameters.current)

    assert calibration.left.frame_id == 'frame_of_the_calibration'
