# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process that publishes a stereo pair at a rate, as a camera driver does.

Reads one command a line and answers each with one line of JSON: ``start RATE``, ``stop`` (answers
with the stamps sent since the start), ``quit``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import select
import sys
import time

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from benchmarks.scene import load_scene, with_distortion
from benchmarks.worker import answer
from stereo_depth_node.demo.publisher import PairPublisher
from stereo_depth_node.memory import keep_freed_memory
from stereo_depth_node.offline.datasets.scenes import ENCODINGS

__all__ = ['Feeder']

# Reliable, so that every subscription is compatible: a best-effort one stays best effort.
_QOS = QoSProfile(depth=5, reliability=QoSReliabilityPolicy.RELIABLE)


class Feeder:
    """Publishes the same pair again and again, each time with a new stamp.

    Parameters
    ----------
    node : Node
        Gets the publishers.
    size : (int, int)
        Width and height of the images, pixels.
    encoding : str
        One of `ENCODINGS`.
    is_raw : bool
        Publish the pair as cameras with distortion see it, on image_raw.

    Attributes
    ----------
    skipped : int
        Pairs that were due in the last `feed` but not published, because this process was too
        slow.
    """

    def __init__(
        self, node: Node, size: tuple[int, int], encoding: str, *, is_raw: bool = False
    ) -> None:
        scene = load_scene(*size)
        if is_raw:
            scene, cameras = with_distortion(scene)
            self._publisher = PairPublisher(
                node, scene, encoding, _QOS, cameras=cameras, topic='image_raw'
            )
        else:
            self._publisher = PairPublisher(node, scene, encoding, _QOS)
        self.skipped = 0

    @property
    def stamps(self) -> list[int]:
        """Stamps of the pairs published by the last `feed`, ns."""
        return self._publisher.stamps

    def feed(self, rate: float) -> None:
        """Publish at `rate`, pairs per second, until a command waits to be read."""
        self._publisher.stamps.clear()
        self.skipped = 0
        period = 1.0 / rate
        due = time.monotonic()
        while True:
            self._publisher.publish()
            due += period
            late = time.monotonic() - due
            if late > period:
                # A burst to catch up would measure queues, not the node.
                self.skipped += int(late / period)
                due += period * int(late / period)
            if select.select([sys.stdin], [], [], max(0.0, -late))[0]:
                return


def main(arguments: Sequence[str]) -> int:
    """Obey commands until ``quit`` or the end of the input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('width', type=int)
    parser.add_argument('height', type=int)
    parser.add_argument('encoding', choices=ENCODINGS)
    parser.add_argument('--raw', action='store_true')
    options = parser.parse_args(arguments)
    # Without this, getting megabytes anew for every message would add milliseconds to the latency
    # that is measured.
    keep_freed_memory()
    rclpy.init()
    node = rclpy.create_node('bench_feeder')
    size = (options.width, options.height)
    feeder = Feeder(node, size, options.encoding, is_raw=options.raw)
    answer({'ready': True})
    for line in iter(sys.stdin.readline, ''):
        command, *values = line.split()
        if command == 'start':
            answer({})
            feeder.feed(float(values[0]))
        elif command == 'stop':
            answer({'stamps': feeder.stamps, 'skipped': feeder.skipped})
        else:
            break
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
