# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of a process and of all that it has started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
import contextlib
import dataclasses
import os
from pathlib import Path

__all__ = ['Usage', 'usage_of']

_TICKS_PER_S = os.sysconf('SC_CLK_TCK')
_PAGE_BYTES = os.sysconf('SC_PAGE_SIZE')


@dataclasses.dataclass(frozen=True)
class Usage:
    """CPU time so far, seconds, and resident memory, bytes."""

    cpu_s: float
    rss_bytes: int


def usage_of(*pids: int) -> Usage:
    """Measure processes and all their descendants, whatever session they are in."""
    members = list(_members(pids))
    return Usage(
        cpu_s=sum(stat.ticks for stat in members) / _TICKS_PER_S,
        rss_bytes=sum(stat.pages for stat in members) * _PAGE_BYTES,
    )


@dataclasses.dataclass(frozen=True)
class _Stat:
    """Fields of /proc/PID/stat (proc(5)): CPU time in clock ticks, resident memory in pages."""

    pid: int
    parent: int
    session: int
    ticks: int
    pages: int

    @classmethod
    def parse(cls, line: str) -> _Stat:
        # The name, in parentheses, may contain anything, blanks and parentheses too.
        pid = int(line.split(' ', 1)[0])
        fields = line[line.rindex(')') + 2 :].split()
        # utime, stime, and those of children that have been waited for.
        ticks = sum(int(field) for field in fields[11:15])
        return cls(pid, int(fields[1]), int(fields[3]), ticks, int(fields[21]))


def _all_stats() -> Iterator[_Stat]:
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            with contextlib.suppress(OSError):  # it has ended
                yield _Stat.parse(Path('/proc', entry, 'stat').read_text())


def _members(pids: Iterable[int]) -> Iterator[_Stat]:
    known = set(pids)
    rest = list(_all_stats())
    found = True
    while found:
        found = False
        for stat in tuple(rest):
            if known & {stat.pid, stat.parent, stat.session}:
                known.add(stat.pid)
                rest.remove(stat)
                found = True
                yield stat
