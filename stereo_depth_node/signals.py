# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""When the signals that end a program take effect: as an exception, or later."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import signal
from types import FrameType

__all__ = ['interrupt_on_termination', 'uninterrupted']

_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_on_termination() -> None:
    """Have SIGTERM and SIGHUP raise KeyboardInterrupt, so that ``with`` blocks are left."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_interrupt)


def _raise_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Postpone interruptions, so that what belongs together is done as a whole.

    By Python handlers and not by a signal mask: a mask holds for one thread, and NumPy has
    started others, which would take the signal.
    """
    held: list[int] = []
    before = {
        number: handler
        for number in _INTERRUPTIONS
        if (handler := signal.getsignal(number)) is not None
    }
    for number in before:
        signal.signal(number, lambda number, _frame: held.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for interruption in held:
            signal.raise_signal(interruption)
