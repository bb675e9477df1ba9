# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a terminal shows beyond text, and that nothing else gets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

pytest.importorskip('rich')

from terminals import run_on_terminal

PROGRAM = """
from stereo_depth_node.offline.terminal import print_problem, progress_bar
with progress_bar(4, 'pairs') as bar:
    bar.add_to_total(6)
    bar.update(10)
print_problem('stereo_depth images: ' + 'wrong ' * 40 + '[bold] 1')
"""
OF_UNKNOWN_LENGTH = """
from stereo_depth_node.offline.terminal import progress_bar
with progress_bar(None, 'pairs') as bar:
    bar.update(3)
"""
LINE = 'stereo_depth images: ' + 'wrong ' * 40 + '[bold] 1'


def test_a_pipe_gets_plain_text_in_one_line_and_no_bar() -> None:
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stderr == f'{LINE}\n'
    assert not done.stdout


@pytest.mark.parametrize(
    ('program', 'shown'),
    [
        (PROGRAM, [r'10 of 10 pairs', r'\d:\d\d:\d\d left']),
        (OF_UNKNOWN_LENGTH, [r'3 pairs(, [\d.]+/s)? \d:\d\d:\d\d']),
    ],
)
def test_a_terminal_sees_what_is_done_and_the_time_left(program: str, shown: list[str]) -> None:
    text = re.sub(r'\x1b\[[\d;?]*[A-Za-z]', '', seen_on_a_terminal(program))
    for pattern in shown:
        assert re.search(pattern, text)


def test_a_terminal_sees_colours() -> None:
    assert f'\x1b[31m{LINE}\x1b[0m' in seen_on_a_terminal(PROGRAM)


def seen_on_a_terminal(program: str) -> str:
    """Return what a program writes to a terminal as its stderr."""
    environment = {name: value for name, value in os.environ.items() if name != 'NO_COLOR'}
    _, seen = run_on_terminal(
        [sys.executable, '-c', program],
        {**environment, 'TERM': 'xterm-256color', 'COLUMNS': '100'},
    )
    return seen
