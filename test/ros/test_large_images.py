# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Large images reach the node with the Fast DDS profile that is shipped."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import reserved_graph
from middleware import environment_with_shipped_profile
from rig import camera_infos, messages_of, pixels_of, Rig
from scenes import plane, StereoScene

WIDTH, HEIGHT, DISPARITY = 1280, 720, 20


def test_all_large_images_arrive_with_the_profile_that_is_shipped() -> None:
    """The other tests have a smaller one, and a process reads only one."""
    done = subprocess.run(
        [sys.executable, '-c', f'from {__name__} import exchange; exchange()'],
        env=environment_with_shipped_profile(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def exchange() -> None:
    """Exchange 20 pairs of bgr8, published best effort as cameras do: 2.8 MB an image."""
    left = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    right = np.roll(left, -DISPARITY, axis=1)
    pair = messages_of(StereoScene(left, right, plane(WIDTH, HEIGHT, DISPARITY)), 'bgr8')
    with reserved_graph() as graph:
        graph.node_program(frame_policy='every')
        rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
        rig.connect(*pair)
        outputs = [rig.exchange(*pair)['disparity'] for _ in range(20)]
    found = pixels_of(outputs[-1].image)
    assert np.median(found) == DISPARITY
    matcher = cv2.StereoBM.create(64, 15)
    matcher.setUniquenessRatio(15)
    expected = matcher.compute(left, right).astype(np.float32) / 16
    np.testing.assert_array_equal(found, expected)
