# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""SIGINT, SIGTERM and SIGHUP end the program cleanly, whenever they come and however often."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import time
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench
from harness import DEADLINE_S, Graph
from node_process import NodeProcess
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of

WIDTH, HEIGHT = 200, 120
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, 10)))
INFOS = camera_infos(WIDTH, HEIGHT)
ENDS = (signal.SIGINT, signal.SIGTERM)

STATES = {
    'while it imports': lambda node: _maps(node, 'rclpy_pybind11'),
    'while ROS initialises': lambda node: _maps(node, 'librmw_fastrtps_cpp'),
    'before the first spin': lambda node: _maps(node, 'sensor_msgs__rosidl_typesupport_fastrtps'),
    'while nothing is to do': lambda node: 'nobody subscribes' in node.output,
}


@pytest.mark.parametrize('number', ENDS, ids=lambda it: it.name)
@pytest.mark.parametrize('state', ['at once', *STATES])
def test_a_signal_ends_the_program_cleanly_in_any_state(graph, state, number):
    node = graph.node_program()
    # From then on signals are looked after; before, Python itself is starting.
    _wait_for(node, lambda: _catches(node, signal.SIGTERM))
    if state in STATES:
        _wait_for(node, lambda: STATES[state](node))
    assert node.stop(number) == 0, node.seen()
    assert 'Traceback' not in node.output
    assert '[ERROR]' not in node.output


@pytest.mark.parametrize('number', ENDS, ids=lambda it: it.name)
def test_a_signal_ends_the_program_cleanly_during_a_computation(graph, number):
    bench = Bench(graph, process=True, algorithm='sgbm_hh', num_disparities=128)
    bench.left, bench.right = messages_of(scene_of(plane(640, 360, 20.0)))
    bench.rig.infos = camera_infos(640, 360)
    heard = bench.rig.heard['disparity']
    graph.wait_until(lambda: heard, 'disparity', repeat=bench.send)
    for _ in range(3):  # takes much longer than to deliver the signal
        bench.send()
    assert bench.node.stop(number) == 0, bench.node.seen()
    assert 'Traceback' not in bench.node.output
    assert '[ERROR]' not in bench.node.output


@pytest.mark.parametrize('second', ENDS, ids=lambda it: it.name)
def test_signals_during_the_end_change_nothing(graph: Graph, second: signal.Signals) -> None:
    """As from somebody who presses Ctrl-C again and again, or from launch, which sends both."""
    process = graph.node_program()
    rig = Rig(graph, infos=INFOS)
    rig.connect(*PAIR)
    os.kill(process.pid, signal.SIGINT)

    graph.wait_until(
        lambda: not process.is_running,
        'the end',
        repeat=lambda: [
            (os.kill(process.pid, second), time.sleep(0.005))
            for _ in range(30)
            if process.is_running
        ],
    )

    assert process.stop() == 0
    assert 'Traceback' not in process.output


@pytest.mark.parametrize('state', ['at once', 'while nothing is to do'])
def test_a_terminal_that_is_closed_ends_the_program_cleanly(graph: Graph, state: str) -> None:
    """Also that of a lost connection; what is killed leaves its segments in /dev/shm."""
    node = _started_with(graph, signal.SIG_DFL)
    _wait_for(node, lambda: _catches(node, signal.SIGHUP))
    if state in STATES:
        _wait_for(node, lambda: STATES[state](node))

    assert node.stop(signal.SIGHUP) == 0, node.seen()
    assert 'Traceback' not in node.output


def test_a_terminal_that_is_closed_does_not_end_what_nohup_has_started(graph: Graph) -> None:
    process = _started_with(graph, signal.SIG_IGN)
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)
    os.kill(process.pid, signal.SIGHUP)
    rig.exchange(*PAIR)

    assert process.stop() == 0


def _started_with(graph: Graph, on_hangup: signal.Handlers) -> NodeProcess:
    """Start the node where SIGHUP ends programs, or where they ignore it; these tests may."""
    before = signal.signal(signal.SIGHUP, on_hangup)
    try:
        return graph.node_program()
    finally:
        signal.signal(signal.SIGHUP, before)


def _wait_for(node: NodeProcess, condition: Any) -> None:
    """Look at a process every millisecond, without spinning anything."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert node.is_running, node.seen()
        assert time.monotonic() < end, node.seen()
        time.sleep(0.001)


def _catches(node: NodeProcess, number: int) -> bool:
    status = Path(f'/proc/{node.pid}/status').read_text()
    (caught,) = (line for line in status.splitlines() if line.startswith('SigCgt'))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _maps(node: NodeProcess, library: str) -> bool:
    return library in Path(f'/proc/{node.pid}/maps').read_text()
