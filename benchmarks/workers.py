# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes of a benchmark: started together, asked, measured, and surely ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
import contextlib
import ctypes
import dataclasses
import json
import os
from pathlib import Path
import select
import signal
import subprocess
import time
from types import TracebackType
from typing import Any, final

from benchmarks.protocol import PREFIX
from stereo_depth_node.core.errors import StereoDepthError

__all__ = ['BenchError', 'Usage', 'Worker', 'Workers']

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_TICKS_PER_S = os.sysconf('SC_CLK_TCK')
_PAGE_BYTES = os.sysconf('SC_PAGE_SIZE')
# From asking politely to ending, seconds each. Those that take commands end with them.
_STOP_SIGNALS = ((signal.SIGINT, 5.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
_END_OF_COMMANDS_S = 5.0
_ANSWER_S = 60.0


class BenchError(StereoDepthError):
    """A process of the benchmark did not do what it was to do."""


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a process and all that it started have used: CPU seconds so far, bytes resident."""

    cpu_s: float
    rss_bytes: int


@dataclasses.dataclass(frozen=True)
class _Stat:
    """A line of /proc/PID/stat (proc(5)): what is wanted of it."""

    pid: int
    parent: int
    session: int
    ticks: int
    pages: int


class Worker:
    """A process in a session of its own.

    Parameters
    ----------
    name : str
        For messages and the log.
    command : sequence of str
        Program and arguments.
    environment : mapping
        Its environment.
    log : Path
        Where what it says goes.
    answers : bool
        Whether it takes commands and answers them.

    Attributes
    ----------
    started_ns : int
        When it was started, ns since the epoch.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        answers: bool,
    ) -> None:
        self.name = name
        self._log = log
        self._unread = b''
        with log.open('wb') as sink:
            self.started_ns = time.time_ns()
            try:
                self._process = subprocess.Popen(
                    command,
                    env=dict(environment),
                    stdin=subprocess.PIPE if answers else subprocess.DEVNULL,
                    # Nobody reads what a process without answers writes: no pipe may fill up.
                    stdout=subprocess.PIPE if answers else sink,
                    stderr=sink,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,  # noqa: PLW1509 (there are no threads here)
                )
            except OSError as error:
                raise BenchError(f'the {name} cannot be started: {error}') from error

    def ask(self, command: str, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
        """Give a command and return the answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f'{command}\n'.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail('has ended')
        return self.answer(timeout_s)

    def answer(self, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
        """Return the next answer."""
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        deadline = time.monotonic() + timeout_s
        while True:
            line, newline, rest = self._unread.partition(b'\n')
            if newline:
                self._unread = rest
                if line.startswith(PREFIX.encode()):
                    answered: dict[str, Any] = json.loads(line[len(PREFIX) :])
                    return answered
                continue
            remaining = deadline - time.monotonic()
            if remaining < 0.0 or not select.select([output], [], [], remaining)[0]:
                self._fail(f'did not answer within {timeout_s:g} s')
            chunk = os.read(output, 1 << 16)
            if not chunk:
                self._fail('has ended')
            self._unread += chunk

    def watch(self, seconds: float) -> None:
        """Let it run for so long; raises when it ends."""
        ending = os.pidfd_open(self._process.pid)
        try:
            if select.select([ending], [], [], seconds)[0]:
                self._fail(f'has ended with status {self._process.wait()}')
        finally:
            os.close(ending)

    def usage(self) -> Usage:
        """Return what it and all its descendants have used up to now."""
        members = list(self._members())
        return Usage(
            cpu_s=sum(stat.ticks for stat in members) / _TICKS_PER_S,
            rss_bytes=sum(stat.pages for stat in members) * _PAGE_BYTES,
        )

    def stop(self) -> None:
        """End it and everything that it started, with growing firmness."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_OF_COMMANDS_S)
        for firmness, patience_s in _STOP_SIGNALS:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, firmness)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def last_words(self, lines: int = 15) -> str:
        """Return the end of what it said."""
        return '\n'.join(self._log.read_text(errors='replace').splitlines()[-lines:])

    def _members(self) -> Iterator[_Stat]:
        """Yield its process and all descendants, whatever session they made themselves."""
        known = {self._process.pid}
        rest = list(_all_stats())
        found = True
        while found:
            found = False
            for stat in tuple(rest):
                if stat.pid in known or stat.parent in known or stat.session in known:
                    known.add(stat.pid)
                    rest.remove(stat)
                    found = True
                    yield stat

    def _fail(self, what: str) -> None:
        raise BenchError(f'the {self.name} {what}\n{self.last_words()}')


@final
class Workers:
    """The processes of one trial; leaving the ``with`` block ends all of them.

    Within it this process adopts those whose own parent has ended, so that none gets away.

    Parameters
    ----------
    log_folder : Path
        Each process says what it has to say in ``NAME.log`` there.
    """

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._workers: list[Worker] = []

    def __enter__(self) -> Workers:
        self._others = set(_children())
        _adopt_orphans(True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in reversed(self._workers):
            worker.stop()
        while orphans := set(_children()) - self._others:
            _end(orphans)
        _adopt_orphans(False)

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        answers: bool = True,
    ) -> Worker:
        """Start a process."""
        log = self._log_folder / f'{name}.log'
        worker = Worker(name, command, environment, log, answers=answers)
        self._workers.append(worker)
        return worker


def _adopt_orphans(adopt: bool) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt))


def _children() -> list[int]:
    return [stat.pid for stat in _all_stats() if stat.parent == os.getpid()]


def _end(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _all_stats() -> Iterator[_Stat]:
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                yield _parse_stat(Path('/proc', entry, 'stat').read_text())


def _parse_stat(line: str) -> _Stat:
    # The name, in parentheses, may hold anything, blanks and parentheses too.
    pid = int(line.split(' ', 1)[0])
    fields = line[line.rindex(')') + 2 :].split()
    # Fields 14 to 17 of proc(5): utime, stime, and those of children that have been waited for.
    ticks = sum(int(field) for field in fields[11:15])
    return _Stat(pid, int(fields[1]), int(fields[3]), ticks, int(fields[21]))


def _die_with_parent() -> None:
    # Runs between fork and exec: the signal is kept through exec.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
