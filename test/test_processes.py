# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes do what they are told, and none outlives the program that started it."""

from __future__ import annotations

import os
from pathlib import Path
import select
import signal
import subprocess
import sys

import pytest

from benchmarks.worker import Workers
from stereo_depth_node.processes import Process, ProcessError, Processes

ROOT = Path(__file__).resolve().parent.parent
# Far above what the slowest machine needs.
DEADLINE_S = 200

ADDER = """
import sys
from benchmarks.worker import answer
print('ready')
for line in sys.stdin:
    print('a line for people')
    answer({'sum': sum(map(int, line.split()))})
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


def python_environment() -> dict[str, str]:
    return {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'}


def wait_for_file(process: Process, path: Path) -> str:
    while not path.exists():
        process.watch(0.01)
    return path.read_text()


def test_commands_are_answered_in_order(tmp_path):
    with Workers(tmp_path) as processes:
        adder = processes.start_worker(
            'adder', (sys.executable, '-c', ADDER), python_environment()
        )
        assert adder.ask('1 2') == {'sum': 3}
        adder.tell('4 5')
        adder.tell('6 7')
        assert [adder.answer(), adder.answer()] == [{'sum': 9}, {'sum': 13}]
    # It ends with its input: no signal is needed.
    assert adder.status == 0


def test_a_process_that_ends_is_reported_with_its_last_words(tmp_path):
    with Workers(tmp_path) as processes:
        shell = processes.start_worker(
            'shell', ('sh', '-c', 'echo no camera >&2; exit 3'), os.environ
        )
        with pytest.raises(ProcessError, match=r'(?s)shell has ended.*no camera'):
            shell.ask('counters')
        with pytest.raises(ProcessError, match=r'(?s)shell has ended with status 3.*no camera'):
            shell.watch(DEADLINE_S)


def test_a_process_that_does_not_answer_is_reported(tmp_path):
    with Workers(tmp_path) as processes:
        silent = processes.start_worker('silent', ('cat',), os.environ)
        with pytest.raises(ProcessError, match=r'silent did not answer within 0\.1 s'):
            silent.ask('counters', 0.1)


def test_a_program_that_is_not_there_is_named(tmp_path):
    with (
        Processes(tmp_path) as processes,
        pytest.raises(ProcessError, match=r'the node cannot be started: .*no-such-program'),
    ):
        processes.start('node', ('no-such-program',), os.environ)


def test_each_process_that_ends_is_returned_once(tmp_path):
    with Processes(tmp_path) as processes:
        names = {str(status) for status in range(3)}
        for name in names:
            processes.start(name, ('sh', '-c', f'exit {name}'), os.environ)
        processes.start('endless', ('sleep', '1000'), os.environ)
        ended = [processes.wait_for_any(DEADLINE_S) for _ in names]
        assert {process.name for process in ended} == names
        assert all(str(process.status) == process.name for process in ended)
        assert processes.wait_for_any(0.0) is None


def test_what_a_process_started_ends_with_it(tmp_path):
    """Even in a session of its own, whether its parent still runs or has ended before."""
    script = 'setsid sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; {1}'
    with Processes(tmp_path) as processes:
        with_parent, orphan = tmp_path / 'with_parent', tmp_path / 'orphan'
        waiting = processes.start(
            'waiting', ('sh', '-c', script.format(with_parent, 'wait')), os.environ
        )
        ended = processes.start('ended', ('sh', '-c', script.format(orphan, 'exit')), os.environ)
        children = [int(wait_for_file(waiting, with_parent))]
        assert ended.wait(DEADLINE_S) == 0
        children.append(int(orphan.read_text()))
        assert all(map(is_alive, children))
    assert not any(map(is_alive, children))


def test_other_children_are_left_alone(tmp_path):
    with Processes(tmp_path) as processes:
        processes.start('own', ('sleep', '1000'), os.environ)
        other = subprocess.Popen(('sleep', '1000'))
    try:
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_process_that_ignores_requests_to_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(
        'stereo_depth_node.processes._STOP_SIGNALS', ((signal.SIGINT, 0.1), (signal.SIGTERM, 0.1))
    )
    ready = tmp_path / 'ready'
    with Processes(tmp_path) as processes:
        stubborn = processes.start(
            'stubborn',
            ('sh', '-c', f'trap "" INT TERM; touch {ready}; while :; do sleep 1000; done'),
            os.environ,
        )
        wait_for_file(stubborn, ready)
    assert stubborn.status == -signal.SIGKILL


PROGRAM = """
import os, sys, pathlib, signal
from stereo_depth_node.processes import Processes
folder, mark, delay_s = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
# A program that a shell has started in its background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
signal.setitimer(signal.ITIMER_REAL, delay_s)
with Processes(folder) as processes:
    for number in range(100):
        processes.start(str(number), ('sh', '-c', f': {mark}; sleep 1000 & wait'), os.environ)
    signal.pause()
"""


def processes_with(mark: str) -> list[int]:
    """Return the running processes that have a mark on their command line."""
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit() and is_alive(int(entry.name)):
            try:
                command = (entry / 'cmdline').read_text(errors='replace')
            except (FileNotFoundError, ProcessLookupError):
                continue
            if mark in command:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize('delay_ms', [1, 3, 10, 30, 100])
def test_interrupted_at_any_time_a_program_leaves_no_process(tmp_path, delay_ms):
    mark = f'mark-{os.getpid()}-{delay_ms}'
    program = subprocess.run(
        (sys.executable, '-c', PROGRAM, str(tmp_path), mark, str(delay_ms / 1e3)),
        env=python_environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert 'KeyboardInterrupt' in program.stderr
    assert processes_with(mark) == []


def test_a_process_gets_sigterm_when_its_parent_is_killed(tmp_path):
    program = """
import os, sys, pathlib
from stereo_depth_node.processes import Processes
with Processes(pathlib.Path(sys.argv[1])) as processes:
    print(processes.start('child', ('sleep', '1000'), os.environ).pid, flush=True)
    sys.stdin.read()
"""
    parent = subprocess.Popen(
        (sys.executable, '-c', program, str(tmp_path)),
        env=python_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline())
    ending = os.pidfd_open(child)
    parent.kill()
    parent.communicate(timeout=DEADLINE_S)
    assert select.select([ending], [], [], DEADLINE_S)[0]
    os.close(ending)
