# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node where /dev/shm is small or full, as in containers: in a mount namespace of its own."""

from __future__ import annotations

import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph
from middleware import environment_with_shipped_profile

from stereo_depth_node.processes import Process
from stereo_depth_node.ros import observer

DEADLINE_S = 120.0
INSIDE = 'mount -t tmpfs -o size={size} none /dev/shm && {first} exec "$@"'


def started(graph: Graph, folder: Path, size: str, first: str = '') -> Process:
    """Start the node with a /dev/shm of its own."""
    unshare = ['unshare', '--mount'] if os.geteuid() == 0 else ['unshare', '-r', '--mount']
    inside = [*unshare, 'bash', '-c', INSIDE.format(size=size, first=first), 'x']
    if subprocess.run([*inside, 'true'], capture_output=True, check=False).returncode != 0:
        pytest.skip('no mount namespace can be made here')
    environment = environment_with_shipped_profile()
    environment['ROS_DOMAIN_ID'] = str(graph.domain_id)
    command = [*inside, sys.executable, '-m', 'stereo_depth_node.ros.main']
    return Process('node', command, environment, folder / 'node.log')


def wait_for(process: Process, words: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while words not in process.output:
        assert time.monotonic() < end, process.output
        assert process.status is None, process.output
        time.sleep(0.01)


@pytest.mark.parametrize(
    ('size', 'said'), [('32m', 'makes do with a segment of 14.'), ('2m', 'this node does without')]
)
def test_it_runs_with_what_there_is_and_says_so(
    graph: Graph, tmp_path: Path, size: str, said: str
) -> None:
    """Before ROS starts, and with the causes that it logs."""
    process = started(graph, tmp_path, size)
    try:
        wait_for(process, '[stereo_depth_node]: shared memory: /dev/shm has')
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0
        first, *_ = process.output.splitlines()
        assert first.startswith('shared memory: /dev/shm has')
        assert said in first
        assert '--shm-size' in first
        assert 'Failed to create segment' not in process.output
    finally:
        process.kill()


def test_it_is_content_with_what_it_says_to_give(graph: Graph, tmp_path: Path) -> None:
    process = started(graph, tmp_path, '2m')
    wait_for(process, 'nobody subscribes')
    process.stop()
    (size,) = re.findall(r'docker run --shm-size=(\w+)', process.output.splitlines()[0])

    process = started(graph, tmp_path, size)
    wait_for(process, 'nobody subscribes')
    process.stop()
    assert 'shared memory' not in process.output


def test_a_program_of_another_user_is_told_while_it_is_there(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come after the node, and go."""
    diagnostics = graph.node().node.diagnostics
    for problem in ('a program of another user is in this domain', ''):
        known = {graph.domain_id: problem}
        monkeypatch.setattr(observer, 'foreign_participant', known.__getitem__)
        graph.wait_until(
            lambda problem=problem: (
                [each.text for each in diagnostics.findings[1:]]
                == [f'shared memory: {problem}'] * bool(problem)
            ),
            f'the diagnostics to say {problem!r}',
        )


def test_where_nothing_fits_it_waits_and_says_so(graph: Graph, tmp_path: Path) -> None:
    fill = 'dd if=/dev/zero of=/dev/shm/fill bs=64k 2>/dev/null;'
    process = started(graph, tmp_path, '1m', fill)
    try:
        wait_for(process, 'waiting for room: /dev/shm is full')
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
