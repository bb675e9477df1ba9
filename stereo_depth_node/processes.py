# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive the program that started them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import ctypes
import os
from pathlib import Path
import random
import selectors
import signal
import socket
import subprocess
import time
from types import TracebackType

__all__ = ['Processes', 'free_domain_id']

_PR_SET_PDEATHSIG = 1
_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# From asking politely to asking firmly to ending, seconds each.
_STOP_SIGNALS = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


class Processes:
    """Named child processes; leaving the ``with`` block ends those that still run.

    Each is in a session of its own, so that Ctrl-C reaches this program alone and it decides on
    the order; and each is ended by the kernel should this program be killed.

    Parameters
    ----------
    log_folder : Path
        Each process writes what it says to ``NAME.log`` there.
    """

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:  # noqa: PYI034 (Self is in typing from Python 3.11)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(*self._running)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process under a name that is not in use."""
        with (self._log_folder / f'{name}.log').open('wb') as log, _uninterrupted():
            self._running[name] = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_prepare,  # noqa: PLW1509 (it takes no lock)
            )

    def wait_for_any(self, timeout_s: float | None = None) -> tuple[str, int] | None:
        """Wait until one of the running processes ends; without end by default.

        Returns
        -------
        (str, int) or None
            Its name and its exit status; None when none ended in time.
        """
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as files:
            for name, process in self._running.items():
                ending = os.pidfd_open(process.pid)
                files.callback(os.close, ending)
                selector.register(ending, selectors.EVENT_READ, name)
            ended = selector.select(timeout_s)
        if not ended:
            return None
        name = ended[0][0].data
        return name, self._running.pop(name).wait()

    def stop(self, *names: str) -> None:
        """End processes, all at once, with growing firmness; at once when interrupted again."""
        stopping = [self._running.pop(name) for name in names if name in self._running]
        try:
            for firmness, patience_s in _STOP_SIGNALS:
                _ask_to_end(stopping, firmness, patience_s)
        except BaseException:
            _ask_to_end(stopping, *_STOP_SIGNALS[-1])
            raise

    def last_words(self, name: str, lines: int = 15) -> str:
        """Return the end of what a process said."""
        text = (self._log_folder / f'{name}.log').read_text(errors='replace')
        return '\n'.join(text.splitlines()[-lines:])


def _ask_to_end(
    processes: Sequence[subprocess.Popen[bytes]], firmness: signal.Signals, patience_s: float
) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(firmness)
    deadline = time.monotonic() + patience_s
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put interruptions off, so that no process is started and then not known.

    By handlers of Python and not by a signal mask: a mask holds for one thread, and NumPy has
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


def _prepare() -> None:
    """Run in the child before its program, which keeps what is asked for here.

    It is ended when this program is, and takes SIGINT, which a program started in the background
    of a script ignores, and its children with it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def free_domain_id() -> int:
    """Return a ROS domain that nobody on this machine seems to use.

    The first participant of a domain receives discovery on UDP port 7410 + 250 * domain
    (RTPS 2.2, 9.6.1.1). Domains up to 101 stay clear of the ephemeral ports of Linux.
    """
    candidates = random.sample(range(1, 102), 101)
    for domain in candidates:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', 7410 + 250 * domain))
            except OSError:
                continue
            return domain
    return candidates[0]
