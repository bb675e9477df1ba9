# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a terminal shows beyond text: bars of progress and colours. Elsewhere there are neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
import math
import sys

from rich import progress
from rich.console import Console
from rich.text import Text

from stereo_depth_node.core.settings.text_files import visible

__all__ = ['Progress', 'print_problem', 'progress_bar']


class _CountColumn(progress.ProgressColumn):
    """What is done, of how much, and at which rate."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: progress.Task) -> Text:
        """Return ``12 of 600 pairs, 51.3/s``."""
        total = math.inf if task.total is None else task.total
        of = f' of {total:.0f}' if math.isfinite(total) else ''
        rate = f', {task.completed / task.elapsed:.1f}/s' if task.elapsed else ''
        return Text(f'{task.completed:.0f}{of} {self._unit}{rate}')


class Progress:
    """What is done of something, and the bar that shows it."""

    def __init__(self, bar: progress.Progress, task: progress.TaskID, total: int) -> None:
        self._bar, self._task, self._total = bar, task, total
        self.done = 0

    def add_to_total(self, steps: int) -> None:
        """Expect so many steps more."""
        self._total += steps
        self._bar.update(self._task, total=self._total)

    def update(self, steps: int) -> None:
        """Count steps as done."""
        self.done += steps
        self._bar.update(self._task, completed=self.done)


@contextmanager
def progress_bar(total: int | None, unit: str, *, is_quiet: bool = False) -> Iterator[Progress]:
    """Show a bar with the time that is left, on stderr, where that is a terminal.

    Parameters
    ----------
    total : int or None
        Steps to do; None where that is not known.
    unit : str
        What a step is, in the plural: "pairs".
    is_quiet : bool
        Show nothing, on a terminal too.
    """
    columns: list[progress.ProgressColumn] = [_CountColumn(unit), progress.TimeElapsedColumn()]
    if total is not None:
        left = progress.TimeRemainingColumn(), progress.TextColumn('left')
        columns = [progress.BarColumn(), *columns, *left]
    is_shown = sys.stderr.isatty() and not is_quiet
    bar = progress.Progress(*columns, console=Console(stderr=True), disable=not is_shown)
    # Before 12.3 rich takes no None, and ends with an empty line although it is disabled.
    task = bar.add_task(unit, total=math.inf if total is None else total)
    with bar if is_shown else nullcontext():
        yield Progress(bar, task, total or 0)


def print_problem(text: str, *, is_error: bool = True) -> None:
    """Print a line to stderr, in red or yellow on a terminal."""
    style = 'red' if is_error else 'yellow'
    # Of a width that no line has: whoever reads the output joins no lines.
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(Text(visible(text), style=style if sys.stderr.isatty() else ''))
