# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is computed while there is no more memory to be had."""

from __future__ import annotations

import subprocess
import sys

# 12 MiB are enough for the stack of a thread, and less than OpenBLAS takes at once (32 MiB).
PROGRAM = """
import resource, threading
import numpy as np
from stereo_depth_node.memory import take_work_space_of_algebra

take_work_space_of_algebra()
terms = np.random.default_rng(0).random((400, 8))
with open('/proc/self/statm') as file:
    taken = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (12 << 20),) * 2)

def solve():
    normal = terms.T @ terms
    print(np.abs(np.linalg.solve(normal, normal[0]) - np.eye(8)[0]).max() < 1e-9)
    np.linalg.inv(normal)

thread = threading.Thread(target=solve)
thread.start()
thread.join()
"""


def test_algebra_needs_no_more_memory_once_its_work_space_is_taken() -> None:
    """Without it OpenBLAS ends the process."""
    ended = subprocess.run(
        [sys.executable, '-c', PROGRAM], capture_output=True, text=True, check=False, timeout=300
    )

    assert (ended.returncode, ended.stdout) == (0, 'True\n'), ended.stderr
