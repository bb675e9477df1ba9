# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory something takes while it is done."""

from __future__ import annotations

from collections.abc import Callable
import tracemalloc

from stereo_depth_node.core.matching.kernel.provider import (
    kernel_state,
    KernelState,
    wait_for_kernel,
)

__all__ = ['peak_of']


def peak_of(work: Callable[[], object]) -> int:
    """Return the most bytes that Python and NumPy allocate at a time while work is done.

    In any thread. So it waits for the kernel, which a thread may be loading for an earlier test.
    """
    if kernel_state()[0] is KernelState.COMPILING:
        wait_for_kernel(300.0)
    tracemalloc.start()
    try:
        work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak
