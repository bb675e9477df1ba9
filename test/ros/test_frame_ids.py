# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The frame of the outputs is one that tf2 can use, or the node reports that it is not."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench
from harness import Graph
from rig import FRAME, next_stamp_ns
from sensor_msgs.msg import CameraInfo


def frames_of_outputs(bench: Bench, frame_id: str) -> set[str]:
    """Send pairs of a frame until both outputs came; return the frames of the last ones."""
    stamps: list[int] = []

    def send() -> None:
        stamps.append(next_stamp_ns())
        bench.rig.publish_infos()
        for side, image in enumerate((bench.left, bench.right)):
            bench.rig.send_image(side, image, stamps[-1], frame_id)

    def outputs() -> dict[str, object]:
        return next((o for s in stamps if len(o := bench.rig.outputs(s)) == 2), {})

    bench.sends = send
    bench.graph.wait_until(outputs, 'disparity and camera_info', repeat=send)
    return {message.header.frame_id for message in outputs().values()}


def test_images_without_a_frame_take_that_of_camera_info(graph: Graph):
    bench = Bench(graph, process=True)
    bench.rig.listen('depth/camera_info', CameraInfo)
    assert frames_of_outputs(bench, '') == {FRAME}
    bench.wait_for_health()
    for info in bench.rig.infos:
        info.header.frame_id = ''
    text, _ = bench.wait_for('frame_id_empty')
    assert 'set the parameter frame_id' in text
    assert bench.rig.set_parameter('frame_id', 'camera_frame').successful
    assert frames_of_outputs(bench, '') == {'camera_frame'}
    bench.wait_for_the_end_of('frame_id_empty')
    bench.assert_adds_up()


def test_a_leading_slash_is_reported_and_stripped(graph: Graph):
    bench = Bench(graph, process=True)
    bench.rig.listen('depth/camera_info', CameraInfo)
    assert frames_of_outputs(bench, f'/{FRAME}') == {FRAME}
    text, _ = bench.wait_for('frame_id_slash')
    assert f"frame_id is '/{FRAME}'" in text
    bench.assert_adds_up()
