# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that is not to be had is named, and what needs less is computed."""

from __future__ import annotations

from pathlib import Path
import resource

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of
from std_srvs.srv import Trigger

WIDTH, HEIGHT = 1280, 720
MIB = 1 << 20


def test_a_matcher_that_gets_no_memory_is_named_with_what_to_change(graph: Graph) -> None:
    """Semi-global matching over the whole image takes 1280 * 720 * 128 * 2 bytes, 225 MiB."""
    pair = messages_of(scene_of(plane(WIDTH, HEIGHT, 20)))
    process = graph.node_process(matcher_backend='opencv', num_disparities=128)
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*pair)
    status = Path(f'/proc/{process.pid}/status').read_text()
    now = int(status.partition('VmSize:')[2].split()[0]) * 1024
    resource.prlimit(process.pid, resource.RLIMIT_AS, (now + 100 * MIB, now + 100 * MIB))
    rig.set_parameters(algorithm='sgbm_hh')

    def explained() -> str:
        request = Trigger.Request()
        return str(rig.call(Trigger, '/stereo_depth_node/explain', request).message)

    rig.send_until(lambda: explained().startswith('out_of_memory: '), *pair, 'the cause')
    assert 'set downscale to 2 or algorithm to bm' in explained()
    assert 'images dropped, no_memory' in explained()
    rig.set_parameters(algorithm='bm')

    assert rig.exchange(*pair)
    assert process.stop() == 0
    assert 'internal error' not in process.output
