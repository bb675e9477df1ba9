# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory something takes while it is done."""

from __future__ import annotations

from collections.abc import Callable
import tracemalloc

__all__ = ['peak_of']


def peak_of(work: Callable[[], object]) -> int:
    """Return the most bytes that Python and NumPy allocate at a time while work is done."""
    tracemalloc.start()
    try:
        work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak
