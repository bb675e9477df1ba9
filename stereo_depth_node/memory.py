# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Memory settings of the C library: keep what is freed, or give it back."""

from __future__ import annotations

import ctypes
import sys
import time

__all__ = ['FreedMemory', 'keep_freed_memory']

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


# Changes often come in a row.
_SETTLE_S = 2.0


class FreedMemory:
    """Watches for changes and gives back what they have freed."""

    def __init__(self) -> None:
        self._circumstances: object = None
        self._due: float | None = None
        # Only glibc has it; elsewhere nothing is done.
        self._trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)

    def update(self, circumstances: object) -> None:
        """Give memory back once, a while after `circumstances` are no longer equal.

        That takes some milliseconds.
        """
        now = time.monotonic()
        if circumstances != self._circumstances:
            self._circumstances, self._due = circumstances, now + _SETTLE_S
        elif self._due is not None and now >= self._due:
            self._due = None
            if self._trim is not None:
                self._trim(0)
