# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a process that was forked for the node does. It imports nothing that others need."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

#: What the process that is forked has imported.
IMPORTED = ('stereo_depth_node.ros.main', 'stereo_depth_node.ros.node')

_PR_SET_PDEATHSIG = 1


def run(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be the program ``stereo_depth_node``.

    Parameters
    ----------
    arguments : list of str
        Those of the command line.
    environment : dict of str
        All environment variables.
    log : str
        The file for standard output and standard error.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setsid()
    sink = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(sink, sys.stdout.fileno())
    os.dup2(sink, sys.stderr.fileno())
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ['stereo_depth_node', *arguments]
    from stereo_depth_node.ros.main import main

    sys.exit(main())
