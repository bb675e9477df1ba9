# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node with a damaged cache of compiled kernels: right from the first pair, and fast later."""

from __future__ import annotations

from pathlib import Path
import shutil
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
pytest.importorskip('numba')

from harness import Graph
from rig import camera_infos, messages_of, pixels_of, Rig
from scenes import plane, scene_of
from std_srvs.srv import Trigger

from stereo_depth_node.core.matching.kernel.cache import cache_folder
from stereo_depth_node.core.matching.kernel.provider import KernelState, wait_for_kernel

# Compiling takes some ten seconds of a processor that has nothing else to do, and it gives way.
DEADLINE_S = 280.0


def test_a_damaged_kernel_is_never_run_and_compiled_anew(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wait_for_kernel(DEADLINE_S) is KernelState.READY
    good = cache_folder()
    assert good is not None
    damaged = tmp_path / 'stereo_depth_node' / good.name
    shutil.copytree(good, damaged)
    compiled = sorted(damaged.rglob('*.nbc'))
    for number, path in enumerate(compiled):
        content = bytearray(path.read_bytes())
        if number % 2:
            content[len(content) // 2 :: 50] = bytes(len(content[len(content) // 2 :: 50]))
        path.write_bytes(content if number % 2 else content[: len(content) // 3])
    assert len(compiled) > 5
    monkeypatch.setenv('NUMBA_CACHE_DIR', str(tmp_path))
    process = graph.node_program()
    scene = scene_of(plane(200, 120, 10))
    pair = messages_of(scene)
    rig = Rig(graph, ['disparity'], infos=camera_infos(200, 120))
    rig.connect(*pair)
    first = disparity_of(rig, *pair)  # by OpenCV

    graph.wait_until(
        lambda: 'compiled now: the cache was damaged' in explained(rig),
        'the kernel',
        deadline_s=DEADLINE_S,
        repeat=lambda: rig.send(*pair),
    )

    assert process.is_running
    np.testing.assert_array_equal(disparity_of(rig, *pair), first)
    assert process.stop() == 0


def explained(rig: Rig) -> str:
    answer = rig.call(Trigger, '/stereo_depth_node/explain', Trigger.Request())
    return str(answer.message)


def disparity_of(rig: Rig, left: Any, right: Any) -> np.ndarray:
    return pixels_of(rig.exchange(left, right)['disparity'].image)
