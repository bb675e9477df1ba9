# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive the program that started them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
import contextlib
import ctypes
import os
from pathlib import Path
import select
import selectors
import signal
import subprocess
import time
from types import TracebackType
from typing import ClassVar, NoReturn, TypeVar

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.signals import uninterrupted

__all__ = ['Process', 'ProcessError', 'Processes']

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
# A process that takes commands ends with its input. Then come the signals, each with the time
# that it is given, seconds.
_END_OF_INPUT_S = 5.0
_STOP_SIGNALS = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0))

# Environment variable that all descendants of a process inherit.
_MARK = 'STEREO_DEPTH_STARTED_BY'


class ProcessError(StereoDepthError):
    """A child process did not start, ended too early, or did not answer."""


class Process:
    """A child process in a session of its own.

    Ctrl-C in a terminal does not reach it, so that the parent decides on the order in which
    processes end. The kernel sends it SIGTERM when the parent is killed. Leaving it to
    `Processes` ensures that it ends in all other cases.

    Parameters
    ----------
    name : str
        For messages.
    command : sequence of str
        Program and arguments.
    environment : mapping
        Its environment variables.
    log : Path
        Receives standard error, and standard output unless the process has pipes.

    Attributes
    ----------
    name : str
        As given.
    started_ns : int
        Time of the start, nanoseconds since the epoch.

    Raises
    ------
    ProcessError
        If the program cannot be started.
    """

    #: Whether standard input and output are pipes to and from the parent.
    _has_pipes: ClassVar[bool] = False

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self._log = log
        with log.open('wb') as sink:
            self.started_ns = time.time_ns()
            try:
                self._process = subprocess.Popen(
                    command,
                    env=dict(environment),
                    stdin=subprocess.PIPE if self._has_pipes else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if self._has_pipes else sink,
                    stderr=sink,
                    start_new_session=True,
                    preexec_fn=_prepare,  # noqa: PLW1509 (it takes no lock)
                )
            except OSError as error:
                raise ProcessError(f'the {name} cannot be started: {error}') from error

    @property
    def pid(self) -> int:
        """Process id, which is that of its session too."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """What it has written to its log so far."""
        return self._log.read_text(errors='replace')

    def last_words(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        return '\n'.join(self.output.splitlines()[-lines:])

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it ends and return its exit status; None if it still runs then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout_s)
        return None

    def watch(self, seconds: float) -> None:
        """Let it run for some time.

        Raises
        ------
        ProcessError
            If it ends meanwhile.
        """
        status = self.wait(seconds)
        if status is not None:
            self._fail(f'has ended with status {status}')

    def send_signal(self, number: int) -> None:
        """Send a signal to the process alone; nothing happens when it has ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End its whole session at once, as a crash does."""
        self._signal_session(signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def stop(self) -> None:
        """End it and its session with growing firmness."""
        _stop([self])

    def _close_input(self) -> bool:
        """Close its standard input; tell whether it had one."""
        if self._process.stdin is None:
            return False
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        return True

    def _signal_session(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _fail(self, what: str) -> NoReturn:
        raise ProcessError(f'the {self.name} {what}\n{self.last_words()}')


AnyProcess = TypeVar('AnyProcess', bound=Process)


class Processes:
    """The child processes of a program; leaving the ``with`` block ends all of them.

    That includes what they have started and left behind, in whatever session it is.

    Parameters
    ----------
    log_folder : Path
        Each process has its log there, ``NAME.log``.
    """

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._running: dict[str, Process] = {}
        self._mark = f'{os.getpid()}.{id(self)}'

    def __enter__(self) -> Processes:  # noqa: PYI034 (Self is in typing from Python 3.11)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            _stop(list(self._running.values()))
        finally:
            with uninterrupted():
                while left := list(_marked_processes(f'{_MARK}={self._mark}')):
                    for pid in left:
                        _kill(pid)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Start a process; one of the same name must have ended before.

        Parameters and errors are those of `Process`.
        """
        return self._start(Process, name, command, environment)

    def _start(
        self,
        process_type: type[AnyProcess],
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
    ) -> AnyProcess:
        marked = {**environment, _MARK: self._mark}
        # No process is started without being registered.
        with uninterrupted():
            process = process_type(name, command, marked, self._log_folder / f'{name}.log')
            self._running[name] = process
        return process

    def wait_for_any(self, timeout_s: float | None = None) -> Process | None:
        """Wait until one of the processes ends, and return it; each is returned once.

        Parameters
        ----------
        timeout_s : float, optional
            Seconds after which None is returned; unlimited by default.
        """
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as files:
            for process in self._running.values():
                descriptor = os.pidfd_open(process.pid)
                files.callback(os.close, descriptor)
                selector.register(descriptor, selectors.EVENT_READ, process)
            ended = selector.select(timeout_s)
        if not ended:
            return None
        process = ended[0][0].data
        process.wait()
        return self._running.pop(process.name)


def _stop(processes: Sequence[Process]) -> None:
    """End processes and their sessions, all at the same time; at once when interrupted."""
    try:
        _wait_for_all([each for each in processes if each._close_input()], _END_OF_INPUT_S)
        for number, patience_s in _STOP_SIGNALS:
            running = [process for process in processes if process.status is None]
            for process in running:
                process._signal_session(number)
            _wait_for_all(running, patience_s)
    finally:
        for process in processes:
            process.kill()


def _wait_for_all(processes: Iterable[Process], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    for process in processes:
        process.wait(max(0.0, deadline - time.monotonic()))


def _prepare() -> None:
    """Run in the child before its program, which inherits these settings.

    It gets SIGTERM when its parent ends, and does not ignore SIGINT, as programs do that were
    started in the background of a script.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _marked_processes(mark: str) -> Iterator[int]:
    """Yield the ids of the running processes that have a variable, given as ``NAME=VALUE``."""
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            with contextlib.suppress(OSError):  # it has ended, or belongs to another user
                if mark.encode() in Path('/proc', entry, 'environ').read_bytes().split(b'\0'):
                    yield int(entry)


def _kill(pid: int) -> None:
    """Kill a process that need not be a child of this one, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [])
        finally:
            os.close(descriptor)
