# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process that receives the results and records when each of them arrived.

Reads one command a line and answers each with one line of JSON: ``first SECONDS`` (waits for a
result), ``reset``, ``quiet SECONDS`` (waits until nothing has come for so long, answers with
[stamp, arrival] in ns of every result since the reset, by topic), ``quit``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
import select
import sys
import time

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from benchmarks.worker import answer
from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.messages.cdr import CdrReader
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.memory import keep_freed_memory
from stereo_depth_node.ros.messages import message_class

__all__ = ['TOPICS', 'Receiver']

TOPICS = {'disparity': 'disparity', 'depth': 'depth/image_rect', 'points': 'points2'}
"""Outputs that the benchmarks compare, and their topics. All messages begin with a Header."""

_POLL_S = 0.02
_DEPTH = 10


class Receiver:
    """Subscribes to outputs of a node, without spending time on their content.

    Parameters
    ----------
    node : Node
        Gets the subscriptions.
    outputs : sequence of str
        Keys of `TOPICS`.

    Attributes
    ----------
    arrivals : dict of str to list of (int, int)
        By output, stamp and arrival of each message since the last `reset`, ns.
    """

    def __init__(self, node: Node, outputs: Sequence[str]) -> None:
        self._node = node
        self._outputs = tuple(outputs)
        self.reset()
        for output in outputs:
            topic = TOPICS[output]
            node.create_subscription(
                message_class(OUTPUTS[topic].type),
                topic,
                partial(self._take, output),
                # As consumers of depth subscribe.
                QoSProfile(depth=_DEPTH, reliability=QoSReliabilityPolicy.RELIABLE),
                raw=True,
            )

    def reset(self) -> None:
        """Forget the results received so far."""
        self.arrivals: dict[str, list[tuple[int, int]]] = {name: [] for name in self._outputs}
        self.last_ns = time.time_ns()

    @property
    def has_all(self) -> bool:
        """Whether every output has been received."""
        return all(self.arrivals.values())

    def _take(self, output: str, serialized: bytes) -> None:
        self.last_ns = time.time_ns()
        seconds, nanoseconds = CdrReader(serialized).stamp()
        self.arrivals[output].append((seconds * NS_PER_S + nanoseconds, self.last_ns))


def _obey(
    receiver: Receiver, executor: SingleThreadedExecutor, command: str, value: float
) -> None:
    if command == 'first':
        deadline = time.monotonic() + value
        while not receiver.has_all and time.monotonic() < deadline:
            executor.spin_once(_POLL_S)
        first = {name: come[0][1] for name, come in receiver.arrivals.items() if come}
        answer({'first': first})
    elif command == 'reset':
        receiver.reset()
        answer({})
    else:
        while time.time_ns() - receiver.last_ns < value * NS_PER_S:
            executor.spin_once(_POLL_S)
        answer({'arrivals': receiver.arrivals})


def main(outputs: Sequence[str]) -> int:
    """Obey commands until ``quit`` or the end of the input."""
    # Without this, getting megabytes anew for every message would add milliseconds to the latency
    # that is measured.
    keep_freed_memory()
    rclpy.init()
    executor = SingleThreadedExecutor()
    node = rclpy.create_node('bench_receiver')
    receiver = Receiver(node, outputs)
    executor.add_node(node)
    answer({'ready': True})
    # A signal means that the benchmark ends: nobody reads an answer any more.
    with suppress(ExternalShutdownException, KeyboardInterrupt):
        _serve(receiver, executor)
    rclpy.try_shutdown()
    return 0


def _serve(receiver: Receiver, executor: SingleThreadedExecutor) -> None:
    while True:
        executor.spin_once(_POLL_S)
        if not select.select([sys.stdin], [], [], 0)[0]:
            continue
        command, *values = sys.stdin.readline().split() or ['quit']
        if command == 'quit':
            return
        _obey(receiver, executor, command, float(values[0]) if values else 0.0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
