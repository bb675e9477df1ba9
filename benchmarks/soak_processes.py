# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The processes of a soak: the node that must live, and cameras and listeners that need not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import dataclasses
import os
from pathlib import Path
import signal
import subprocess
import sys

__all__ = ['Camera', 'Footprint', 'NodeUnderTest', 'SharedMemory', 'StalledListener']

_PATIENCE_S = 30.0
_LISTENER = """
import rclpy
from rclpy.node import Node
from stereo_msgs.msg import DisparityImage
rclpy.init()
node = Node('stalled')
node.create_subscription(DisparityImage, 'disparity', lambda message: None, 5)
rclpy.spin(node)
"""


@dataclasses.dataclass(frozen=True)
class Footprint:
    """What a process holds: bytes of its own and altogether, descriptors and threads."""

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

    _FOLDER = Path('/dev/shm')

    def __init__(self) -> None:
        self._before = set(self._segments())

    def clean(self) -> None:
        """Remove those that are new and that no process has any more."""
        used = '\n'.join(_readable(path) for path in Path('/proc').glob('[0-9]*/maps'))
        for path in self._segments():
            if path not in self._before and str(path) not in used:
                path.unlink(missing_ok=True)

    def _segments(self) -> Iterator[Path]:
        # With the locks that belong to them; those of ports are shared by all processes.
        return self._FOLDER.glob('fastdds_[0-9a-f]*')


def _readable(path: Path) -> str:
    try:
        return path.read_text(errors='replace')
    except OSError:  # the process has ended, or is somebody else's
        return ''


class NodeUnderTest:
    """The node, as its users start it."""

    def __init__(self, log: Path, arguments: Sequence[str]) -> None:
        self._log = log
        with log.open('wb') as sink:
            self._process = subprocess.Popen(
                [sys.executable, '-m', 'stereo_depth_node.ros.main', *arguments],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'PYTHONFAULTHANDLER': '1'},
            )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def footprint(self) -> Footprint:
        """Return what it holds now; nothing when it has ended."""
        return Footprint.of(self._process.pid) if self.is_running else Footprint(0, 0, 0, 0)

    def words(self) -> str:
        """Return what it wrote."""
        return self._log.read_text(errors='replace')

    def pause(self) -> None:
        """Let it hang, as a computer does that swaps or sleeps."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """End it as Ctrl-C does; return the exit code."""
        if self.is_running:
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class Camera:
    """The driver of a stereo camera, which can be killed, paused and replaced.

    Parameters
    ----------
    rate : float
        Pairs per second.

    Attributes
    ----------
    starts : int
        How often a driver was started.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self, width: int = 640, height: int = 480, encoding: str = 'mono8') -> None:
        """Kill the driver, as a crash does, and start another."""
        self.kill()
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'benchmarks.feeder', str(width), str(height), encoding],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(f'start {self._rate}\n'.encode())
        self._process.stdin.flush()
        self.starts += 1

    def pause(self) -> None:
        """Let it hang."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)


class StalledListener:
    """A program that subscribes and then no longer takes what comes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-c', _LISTENER],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stall(self) -> None:
        """Stop it in its tracks."""
        self._process.send_signal(signal.SIGSTOP)

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
