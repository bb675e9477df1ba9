# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether glibc keeps freed memory or returns it to the system, and what NumPy takes at once."""

from __future__ import annotations

from collections.abc import Callable
import ctypes
import sys
import time

import numpy as np

__all__ = ['FreedMemory', 'keep_freed_memory', 'take_work_space_of_algebra']

# Parameters of mallopt (malloc.h) and their values in bytes. 32 MiB is the largest threshold
# that glibc accepts.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KEPT = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 256 << 20, _TOP_PAD: 16 << 20}

# Changes often follow each other closely.
_SETTLE_S = 2.0


def keep_freed_memory() -> None:
    """Have glibc keep freed memory in this process; nothing happens with another C library.

    By default it returns blocks of the size of an image to the system as soon as they are
    freed, and the system clears every page of the next one: in a recording that takes as long
    as the matching.
    """
    mallopt = _glibc_function('mallopt')
    if mallopt is not None:
        for parameter, value in _KEPT.items():
            mallopt(parameter, value)


def take_work_space_of_algebra() -> None:
    """Have OpenBLAS, which NumPy multiplies and solves with, take its work space now.

    It does so with the first product and keeps it. Where there is no memory by then, it ends the
    process instead of raising an error.
    """
    terms = np.ones((16, 2))
    np.linalg.inv(terms.T @ terms + np.identity(2))


class FreedMemory:
    """Returns freed memory to the system after a change that has freed much of it."""

    def __init__(self) -> None:
        self._circumstances: object = None
        self._due: float | None = None
        self._trim = _glibc_function('malloc_trim')

    def update(self, circumstances: object) -> None:
        """Return freed memory once, two seconds after `circumstances` last changed.

        That takes some milliseconds. Nothing happens with a C library other than glibc.

        Parameters
        ----------
        circumstances : object
            Compared with that of the last call.
        """
        now = time.monotonic()
        if circumstances != self._circumstances:
            self._circumstances, self._due = circumstances, now + _SETTLE_S
        elif self._due is not None and now >= self._due:
            self._due = None
            if self._trim is not None:
                self._trim(0)


def _glibc_function(name: str) -> Callable[..., int] | None:
    """Return a function that only glibc has; None with another C library."""
    if not sys.platform.startswith('linux'):
        return None
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return None
    return function
