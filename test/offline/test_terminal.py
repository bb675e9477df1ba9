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

PROGRAM = """
from stereo_depth_node.offline.terminal import print_problem, progress_bar
with progress_bar(4, 'pairs') as bar:
    bar.add_to_total(6)
    bar.update(10)
print_problem('stereo_depth images: ' + 'wrong ' * 40 + '[bold] 1')
"""
LINE = 'stereo_depth images: ' + 'wrong ' * 40 + '[bold] 1'


def test_a_pipe_gets_plain_text_in_one_line_and_no_bar() -> None:
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == f'{LINE}\n'
    assert not done.stdout


@pytest.mark.skipif(not hasattr(os, 'openpty'), reason='terminals of this kind are of POSIX')
def test_a_terminal_sees_colours_and_a_bar_with_the_time_left() -> None:
    terminal, end = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != 'NO_COLOR'}
    subprocess.run(
        [sys.executable, '-c', PROGRAM],
        stderr=end,
        timeout=60,
        check=True,
        env={**environment, 'TERM': 'xterm-256color', 'COLUMNS': '100'},
    )
    os.close(end)
    os.set_blocking(terminal, False)
    seen = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    text = re.sub(r'\x1b\[[\d;?]*[A-Za-z]', '', seen)
    assert '10 of 10 pairs' in text
    assert re.search(r'\d:\d\d:\d\d left', text)
    assert f'\x1b[31m{LINE}\x1b[0m' in seen
