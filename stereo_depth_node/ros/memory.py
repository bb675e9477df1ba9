# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Gives freed memory back to the system when images, settings or calibration have changed.

glibc keeps what is freed between blocks that are still in use. Every change of the pipeline
leaves gaps of the size of images, which the next one seldom fits: after some dozens of changes
the process held twice the memory that it used.
"""

from __future__ import annotations

import ctypes
import time

__all__ = ['FreedMemory']

# Changes often come in a row.
_SETTLE_S = 2.0


class FreedMemory:
    """Watches for another pipeline and gives back what the one before has freed."""

    def __init__(self) -> None:
        self._owner: object = None
        self._due: float | None = None
        # Only glibc has it; elsewhere nothing is done.
        self._trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)

    def update(self, owner: object) -> None:
        """Give memory back once, a while after `owner` has become another object."""
        now = time.monotonic()
        if owner is not self._owner:
            self._owner, self._due = owner, now + _SETTLE_S
        elif self._due is not None and now >= self._due:
            self._due = None
            if self._trim is not None:
                self._trim(0)
