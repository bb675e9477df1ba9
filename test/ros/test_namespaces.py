# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras, each with a node in a namespace of its own, do not disturb each other."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from harness import Graph
import numpy as np
from rig import camera_infos, messages_of, pixels_of, Rig
from scenes import plane, scene_of
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

INPUTS = ('left/image_rect', 'right/image_rect', 'left/camera_info', 'right/camera_info')


def test_two_cameras_in_two_namespaces_give_a_depth_each(graph: Graph) -> None:
    """With f = 500 px and a baseline of 0.1 m, 5 px are 10 m and 10 px are 5 m."""
    disparities = {'front': 5.0, 'rear': 10.0}
    heard, rigs = {}, {}
    for name in disparities:
        graph.node('-r', f'__ns:=/{name}', num_disparities=16, block_size=5)
        topics = {topic: f'/{name}/{topic}' for topic in INPUTS}
        rigs[name] = Rig(graph, (), infos=camera_infos(96, 64), topics=topics)
        heard[name] = rigs[name].listen(f'/{name}/depth/image_rect', Image)
    pairs = {
        name: messages_of(scene_of(plane(96, 64, disparity)))
        for name, disparity in disparities.items()
    }

    def send() -> None:
        for name, rig in rigs.items():
            rig.send(*pairs[name])

    graph.wait_until(lambda: all(len(each) > 2 for each in heard.values()), 'depth', repeat=send)
    for name, disparity in disparities.items():
        for image in heard[name]:
            assert np.nanmedian(pixels_of(image)) == pytest.approx(50.0 / disparity, rel=0.01)
        service = f'/{name}/stereo_depth_node/explain'
        said = rigs[name].call(Trigger, service, Trigger.Request()).message
        assert 'shared_output' not in said
        assert 'several_publishers' not in said
