# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What processes hold, and what they leave in shared memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
import dataclasses
import os
from pathlib import Path

from stereo_depth_node.shared_memory import SHM_FOLDER

__all__ = ['Footprint', 'SharedMemory']


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Memory of a process, its own and all that is resident (bytes), descriptors and threads."""

    own_bytes: int
    resident_bytes: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Footprint:
        """Read it from /proc (proc(5))."""
        status = dict(
            line.split(':', 1) for line in Path(f'/proc/{pid}/status').read_text().splitlines()
        )
        return cls(
            own_bytes=1024 * int(status['RssAnon'].split()[0]),
            resident_bytes=1024 * int(status['VmRSS'].split()[0]),
            descriptors=len(os.listdir(f'/proc/{pid}/fd')),
            threads=int(status['Threads']),
        )


class SharedMemory:
    """The segments that processes leave in shared memory when they are killed."""

    def __init__(self) -> None:
        self._before = set(self._segments())

    def clean(self) -> None:
        """Remove the segments that are new and that no process maps any more, with their locks.

        Those of other users stay.
        """
        new = set(self._segments()) - self._before  # before the look at who maps what
        used = '\n'.join(_readable(path) for path in Path('/proc').glob('[0-9]*/maps'))
        for path in new:
            if str(path).removesuffix('_el') not in used:
                with suppress(FileNotFoundError, PermissionError):
                    path.unlink()

    def _segments(self) -> Iterator[Path]:
        # Those of ports are shared by all processes. Before Jazzy they begin with fastrtps.
        for middleware in ('fastdds', 'fastrtps'):
            yield from SHM_FOLDER.glob(f'{middleware}_[0-9a-f]*')


def _readable(path: Path) -> str:
    try:
        return path.read_text(errors='replace')
    except OSError:  # the process has ended, or belongs to another user
        return ''
