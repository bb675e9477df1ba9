# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that take commands and answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
import os
import select
import sys
import time
from typing import Any

from stereo_depth_node.processes import Process, Processes

__all__ = ['Worker', 'Workers', 'answer']

_ANSWER_PREFIX = '@answer '
_ANSWER_S = 60.0


class Worker(Process):
    """A child process that reads commands from standard input and answers with `answer`."""

    _has_pipes = True
    _unread = b''

    def tell(self, command: str) -> None:
        """Send a command, a line of text.

        Raises
        ------
        ProcessError
            If it has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f'{command}\n'.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail('has ended')

    def ask(self, command: str, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
        """Send a command and return the answer; raises as `answer` does."""
        self.tell(command)
        return self.answer(timeout_s)

    def answer(self, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
        """Wait for the next answer and return it.

        Raises
        ------
        ProcessError
            If it ends, or does not answer in time.
        """
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + timeout_s
        while True:
            line, newline, rest = self._unread.partition(b'\n')
            if newline:
                self._unread = rest
                if line.startswith(_ANSWER_PREFIX.encode()):
                    answered: dict[str, Any] = json.loads(line[len(_ANSWER_PREFIX) :])
                    return answered
                continue
            remaining_s = deadline - time.monotonic()
            if remaining_s < 0.0 or not select.select([descriptor], [], [], remaining_s)[0]:
                self._fail(f'did not answer within {timeout_s:g} s')
            chunk = os.read(descriptor, 1 << 16)
            if not chunk:
                self._fail('has ended')
            self._unread += chunk


class Workers(Processes):
    """Child processes, some of which answer; leaving the ``with`` block ends all of them."""

    def start_worker(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> Worker:
        """Start a process that takes commands; otherwise as `start`."""
        return self._start(Worker, name, command, environment)


def answer(values: Mapping[str, Any]) -> None:
    """Answer the last command that this process was sent, through `Worker.ask`.

    Parameters
    ----------
    values : mapping
        What JSON can hold.
    """
    sys.stdout.write(f'{_ANSWER_PREFIX}{json.dumps(values)}\n')
    sys.stdout.flush()
