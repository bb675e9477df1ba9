# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bar that shows rate and remaining time of long work, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from stereo_depth_node.offline.libraries import optional_library

__all__ = ['Progress', 'progress_bar']


class Progress(Protocol):
    """Is told how the work goes on."""

    def advance(self, done: int) -> None:
        """Say that so many more are done."""

    def expect(self, more: int) -> None:
        """Say that so many more are to be done than known before."""


class _Silent:
    def advance(self, done: int) -> None:
        del done

    def expect(self, more: int) -> None:
        del more


class _Bar:
    """A bar of tqdm."""

    def __init__(self, bar: object) -> None:
        self._bar = bar

    def advance(self, done: int) -> None:
        self._bar.update(done)  # type: ignore[attr-defined]

    def expect(self, more: int) -> None:
        self._bar.total += more  # type: ignore[attr-defined]
        self._bar.refresh()  # type: ignore[attr-defined]


@contextmanager
def progress_bar(unit: str, *, wanted: bool = True) -> Iterator[Progress]:
    """Show a bar on stderr while the work goes on, where that is a terminal.

    Parameters
    ----------
    unit : str
        What is counted: "pairs".
    wanted : bool
        Whether to show any.

    Raises
    ------
    InputError
        If tqdm is missing.
    """
    if not wanted:
        yield _Silent()
        return
    tqdm = optional_library('tqdm', 'progress bars')
    with tqdm.tqdm(
        total=0, unit=f' {unit}', disable=None, dynamic_ncols=True, smoothing=0.1
    ) as bar:
        yield _Bar(bar)
