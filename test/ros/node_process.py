# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node as a process of its own, started from scratch or forked from one that is ready."""

from __future__ import annotations

from collections.abc import Sequence
import multiprocessing
import os
from pathlib import Path
import signal
import sys
import tempfile
from typing import Any

import node_fork

from stereo_depth_node.processes import Process

_ROOT = Path(__file__).resolve().parents[2]
# Far above what it takes, for machines that do much else at the same time.
_END_S = 60.0
# Of a test that has failed; the others have ended the process, or nearly so.
_POLITE_S = 10.0

_FORKS = multiprocessing.get_context('forkserver')
_FORKS.set_forkserver_preload(['node_fork', *node_fork.IMPORTED])


class Program(Process):
    """The node as ``ros2 run`` starts it."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], log: Path) -> None:
        command = [sys.executable, '-m', 'stereo_depth_node.ros.main', *arguments]
        super().__init__('node', command, environment, log)


class Fork:
    """The node in a process that has imported it already, which takes most of a start."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        log.touch()
        self._process: Any = _FORKS.Process(
            target=node_fork.run, args=([*arguments], environment, str(log)), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors='replace')

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it ends and return its exit status; None if it still runs then."""
        self._process.join(timeout_s)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.status is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._process.kill()
        self._process.join()


class NodeProcess:
    """The node as a process of its own, a member of a graph.

    Parameters
    ----------
    start : type
        How it is started: `Program` or `Fork`.
    domain_id : int
        Its ROS_DOMAIN_ID.
    ros_arguments : sequence of str
        What follows ``--ros-args``.
    parameters : dict
        The parameters that are given with ``-p``.
    """

    def __init__(
        self,
        start: type[Program | Fork],
        domain_id: int,
        ros_arguments: Sequence[str],
        parameters: dict[str, Any],
    ) -> None:
        given = [part for item in parameters.items() for part in ('-p', '{}:={}'.format(*item))]
        arguments = ['--ros-args', *ros_arguments, *given] if ros_arguments or given else []
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get('PYTHONPATH'))))
        environment = {
            **os.environ,
            'PYTHONPATH': path,
            'PYTHONUNBUFFERED': '1',
            'ROS_DOMAIN_ID': str(domain_id),
        }
        self._folder = tempfile.TemporaryDirectory()
        log = Path(self._folder.name, 'node.log')
        self._process = start(arguments, environment, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.status is None

    @property
    def output(self) -> str:
        """All that the process wrote so far."""
        return self._process.output

    def stop(self, number: int = signal.SIGINT) -> int | None:
        """Send a signal, wait for the end and return the exit status; None if it still runs."""
        self._process.send_signal(number)
        return self._process.wait(_END_S)

    def spin(self, _timeout_s: float) -> bool:
        """Do nothing: it runs by itself."""
        return False

    def seen(self) -> str:
        """Say what it wrote."""
        return f'node process (exit status {self._process.status}) wrote:\n{self.output}'

    def close(self) -> None:
        """End the process; show what it wrote, for the report of a failure.

        Who is killed leaves 70 MB in /dev/shm.
        """
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_POLITE_S)
        self._process.kill()
        print(self.seen())
        self._folder.cleanup()
