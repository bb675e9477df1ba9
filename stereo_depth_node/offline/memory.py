# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that is used again instead of being asked for anew with every image."""

from __future__ import annotations

import ctypes
import sys

__all__ = ['keep_freed_memory']

# Parameters of glibc's mallopt (malloc.h). 32 MiB is the largest threshold it takes.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_LARGEST_THRESHOLD = 32 << 20
_KEPT = 256 << 20


def keep_freed_memory() -> None:
    """Have the C library keep what is freed, where it is glibc's.

    It gives blocks of image size back to the system when they are freed, and every page of the
    next one is cleared by the system when it is touched: for recordings that costs as much time
    as the matching.
    """
    if not sys.platform.startswith('linux'):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
    mallopt(_TRIM_THRESHOLD, _KEPT)
    mallopt(_TOP_PAD, 16 << 20)
