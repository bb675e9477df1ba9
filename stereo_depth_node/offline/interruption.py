# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, any number of times and at any moment, ends a program without a traceback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import os
import signal
import sys
from typing import Any

__all__ = ['INTERRUPTED', 'run_interruptible']

INTERRUPTED = 130
"""Exit status of a program that Ctrl-C has ended, by the custom of shells."""

# Time until an interruption that was lost in a destructor is raised again, seconds.
_AGAIN_S = 0.01


def run_interruptible(program: Callable[[], int]) -> int:
    """Run a program that is all that this process does, and return its exit status.

    The first Ctrl-C raises KeyboardInterrupt; those that follow while the program cleans up do
    nothing. Whatever exception comes of it, the program was interrupted: the process ends without
    the interpreter's own clean-up, in which threads and pools would report what they miss.

    Parameters
    ----------
    program : callable
        Returns an exit status.
    """
    interruption = _Interruption()
    signal.signal(signal.SIGINT, interruption.begin)
    signal.signal(signal.SIGALRM, interruption.repeat)
    sys.unraisablehook = interruption.report_unraisable
    try:
        status = program()
    except BaseException as error:
        if not interruption.has_begun or isinstance(error, SystemExit):
            raise
        status = INTERRUPTED
    if interruption.has_begun:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # nobody reads it any more
                stream.flush()
        os._exit(status)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return status


class _Interruption:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.has_begun = False

    def begin(self, number: int, frame: object) -> None:
        """Handle the signal of Ctrl-C."""
        if not self.has_begun:
            self.has_begun = True
            raise KeyboardInterrupt

    def repeat(self, number: int, frame: object) -> None:
        """Handle the alarm that `report_unraisable` sets."""
        raise KeyboardInterrupt

    def report_unraisable(self, unraisable: Any) -> None:
        """Report an exception of a destructor or callback, as Python does; a Ctrl-C is repeated.

        Python would print its traceback and go on.
        """
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        else:
            sys.__unraisablehook__(unraisable)
