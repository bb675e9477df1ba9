# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, any number of times and at any moment, ends a program without a traceback."""

from __future__ import annotations

from collections.abc import Callable
import signal
import sys
from typing import Any

__all__ = ['INTERRUPTED', 'run_interruptible']

INTERRUPTED = 130
"""Exit status of a program that Ctrl-C has ended, by the custom of shells."""


def run_interruptible(program: Callable[[], int]) -> int:
    """Run a program that is all that this process does, and return its exit status.

    Each Ctrl-C raises KeyboardInterrupt, also while the program cleans up after an earlier one.
    Whatever exception comes of that, the program was interrupted. Afterwards Ctrl-C is ignored:
    the interpreter is ending already.

    Parameters
    ----------
    program : callable
        Returns an exit status.
    """
    interruption = _Interruption()
    signal.signal(signal.SIGINT, interruption.begin)
    sys.unraisablehook = interruption.report_unraisable
    try:
        try:
            return program()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except BaseException as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if interruption.has_begun and not isinstance(error, SystemExit):
            return INTERRUPTED
        raise


class _Interruption:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.has_begun = False

    def begin(self, number: int, frame: object) -> None:
        """Handle the signal of Ctrl-C."""
        self.has_begun = True
        raise KeyboardInterrupt

    def report_unraisable(self, unraisable: Any) -> None:
        """Report an exception of a destructor or callback, as Python does; a Ctrl-C is repeated.

        Python would print its traceback and go on.
        """
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        else:
            sys.__unraisablehook__(unraisable)
