# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Gives freed memory back to the system when something has changed.

glibc keeps what is freed between blocks that are still in use. Other images, settings and
listeners leave gaps of the size of images, which the next ones seldom fit: after some dozens of
changes the process held twice the memory that it used. While nothing changes there is nothing to
give back, and no frame waits for it.
"""

from __future__ import annotations

import ctypes
import time

__all__ = ['FreedMemory']

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
