# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process that feeds: publishes a stereo pair at a rate, as a camera driver does.

Reads one command a line and answers each with one line of JSON: ``start RATE``, ``stop`` (answers
with the stamps sent since the start), ``quit``.
"""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Sequence
import select
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from benchmarks.protocol import answer
from benchmarks.scene import load_scene
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.offline.datasets.scenes import ENCODINGS

__all__ = ['Feeder']

_FRAME_ID = 'left_camera_optical_frame'
# Reliable, so that every subscription is compatible: a best-effort one stays best effort.
_QOS = QoSProfile(depth=5, reliability=QoSReliabilityPolicy.RELIABLE)


class Feeder:
    """Publishes the same pair again and again, with new stamps, from messages made once.

    Parameters
    ----------
    node : Node
        Publishes.
    size : (int, int)
        Width and height of the images, pixels.
    encoding : str
        One of `ENCODINGS`.

    Attributes
    ----------
    stamps : list of int
        Of the pairs published since the last `restart`, ns.
    skipped : int
        Pairs that were due but not published since then, because this process was too slow.
    """

    def __init__(self, node: Node, size: tuple[int, int], encoding: str) -> None:
        scene = load_scene(*size)
        self._clock = node.get_clock()
        # Calibration first, so that a node that pairs it with the image need not wait.
        self._outgoing: list[tuple[Any, Any]] = []
        for side in ('left', 'right'):
            publisher = node.create_publisher(CameraInfo, f'{side}/camera_info', _QOS)
            self._outgoing.append((publisher, _camera_info(scene.geometry, side)))
        for side, pixels in zip(('left', 'right'), scene.encoded(encoding), strict=True):
            publisher = node.create_publisher(Image, f'{side}/image_rect', _QOS)
            self._outgoing.append((publisher, _image(pixels, encoding)))
        self.restart()

    def restart(self) -> None:
        """Forget what has been published."""
        self.stamps: list[int] = []
        self.skipped = 0

    def publish(self) -> None:
        """Publish a pair, stamped now."""
        now = self._clock.now()
        stamp = now.to_msg()
        for publisher, message in self._outgoing:
            message.header.stamp = stamp
            publisher.publish(message)
        self.stamps.append(now.nanoseconds)

    def feed(self, rate: float) -> None:
        """Publish at `rate`, pairs per second, until a command waits to be read."""
        self.restart()
        period = 1.0 / rate
        due = time.monotonic()
        while True:
            self.publish()
            due += period
            late = time.monotonic() - due
            if late > period:
                # A burst to catch up would measure queues, not the node.
                self.skipped += int(late / period)
                due += period * int(late / period)
            if select.select([sys.stdin], [], [], max(0.0, -late))[0]:
                return


def _image(pixels: npt.NDArray[np.uint8], encoding: str) -> Image:
    height, width = pixels.shape[:2]
    message = Image(height=height, width=width, encoding=encoding, step=pixels.strides[0])
    message.header.frame_id = _FRAME_ID
    # The one type that rclpy takes over without looking at every element.
    message.data = array('B', pixels.tobytes())
    return message


def _camera_info(seen: StereoGeometry, side: str) -> CameraInfo:
    cx = seen.cx if side == 'left' else seen.cx_right
    # P[3] = -f * B for the right camera, 0 for the left one (REP 104).
    tx = 0.0 if side == 'left' else -seen.f * seen.baseline
    message = CameraInfo(height=seen.height, width=seen.width, distortion_model='plumb_bob')
    message.header.frame_id = _FRAME_ID
    message.d = [0.0] * 5
    message.k = [seen.f, 0.0, cx, 0.0, seen.f, seen.cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [seen.f, 0.0, cx, tx, 0.0, seen.f, seen.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def main(arguments: Sequence[str]) -> int:
    """Obey commands until ``quit``, or until the program that gives them is gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('width', type=int)
    parser.add_argument('height', type=int)
    parser.add_argument('encoding', choices=ENCODINGS)
    options = parser.parse_args(arguments)
    rclpy.init()
    node = rclpy.create_node('bench_feeder')
    feeder = Feeder(node, (options.width, options.height), options.encoding)
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
