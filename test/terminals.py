# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A program that is started on a terminal, and what is seen there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import os
import struct
import subprocess

import pytest

__all__ = ['run_on_terminal']


def run_on_terminal(command: Sequence[str], environment: Mapping[str, str]) -> tuple[str, str]:
    """Return what a program writes to its standard output and to a terminal of 100 columns.

    The terminal is its standard error. It is read while the program runs: it holds 4 kB.
    """
    if not hasattr(os, 'openpty'):
        pytest.skip('terminals of this kind are of POSIX')
    import fcntl
    import termios

    terminal, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 25, 100, 0, 0))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=end, text=True, env=environment
    ) as process:
        os.close(end)
        seen = b''
        try:
            while part := os.read(terminal, 1 << 16):
                seen += part
        except OSError:
            pass  # so Linux says that nobody writes there any more
        os.close(terminal)
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode == 0, seen.decode()
    return printed, seen.decode()
