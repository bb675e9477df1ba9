# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Receives what the node publishes, and records when each result arrived."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.ros.messages import message_class

__all__ = ['ResultReceiver', 'pixels_of']

_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


class ResultReceiver:
    """Subscribes to the outputs of the node.

    Parameters
    ----------
    node : Node
        Gets the subscriptions.

    Attributes
    ----------
    arrivals : dict of str to list of (int, int)
        For each topic, stamp and time of arrival of every message, nanoseconds.
    last : dict of str to message
        For each topic, the last message.
    """

    def __init__(self, node: Node) -> None:
        types = {
            topic: message_class(output.type)
            for topic, output in OUTPUTS.items()
            if output.is_recorded
        }
        self.arrivals: dict[str, list[tuple[int, int]]] = {topic: [] for topic in types}
        self.last: dict[str, Any] = {}
        self.last_arrival = time.monotonic()
        self._clock = node.get_clock()
        for topic, message_type in types.items():
            node.create_subscription(message_type, topic, self._taker(topic), _QOS)

    def _taker(self, topic: str) -> Any:
        def take(message: Any) -> None:
            stamp = message.header.stamp
            self.arrivals[topic].append(
                (stamp.sec * NS_PER_S + stamp.nanosec, self._clock.now().nanoseconds)
            )
            self.last[topic] = message
            self.last_arrival = time.monotonic()

        return take

    def has(self, count: int) -> bool:
        """Return whether `count` messages of every topic have come."""
        return all(len(arrivals) >= count for arrivals in self.arrivals.values())

    def has_any(self) -> bool:
        """Return whether any message has come."""
        return any(self.arrivals.values())


def pixels_of(image: Any) -> NDArray[np.float32]:
    """Return the (H, W) pixels of a 32FC1 image without padding, as the node publishes it."""
    return np.frombuffer(image.data, '<f4').reshape(image.height, image.width)


def _save(receiver: ResultReceiver, folder: Path) -> None:
    """Write ``received.json``, and the last results to ``received.npz``."""
    received: dict[str, Any] = {'arrivals': receiver.arrivals}
    images = {}
    if 'disparity' in receiver.last:
        message = receiver.last['disparity']
        disparity = pixels_of(message.image)
        images['disparity'] = np.where(disparity >= message.min_disparity, disparity, np.nan)
        received['disparity'] = {
            'f': message.f,
            't': message.t,
            'frame_id': message.header.frame_id,
        }
    if 'depth/image_rect' in receiver.last:
        message = receiver.last['depth/image_rect']
        images['depth'] = pixels_of(message)
        received['depth'] = {'encoding': message.encoding, 'frame_id': message.header.frame_id}
    np.savez(folder / 'received.npz', **images)  # type: ignore[arg-type]
    (folder / 'received.json').write_text(json.dumps(received))


def _receive(node: Node, receiver: ResultReceiver, options: argparse.Namespace) -> str | None:
    """Spin until everything has come, or nothing comes any more."""
    deadline = time.monotonic() + options.wait
    while not receiver.has(options.pairs):
        now = time.monotonic()
        if not receiver.has_any() and now > deadline:
            return f'nothing came within {options.wait:g} s'
        if receiver.has_any() and now > receiver.last_arrival + options.patience:
            return None
        rclpy.spin_once(node, timeout_sec=0.1)
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pairs', type=int, default=40, help='results to wait for')
    parser.add_argument('--wait', type=float, default=90.0, help='seconds for the first result')
    parser.add_argument(
        '--patience', type=float, default=5.0, help='seconds without a result after which it ends'
    )
    parser.add_argument('--output', type=Path, required=True, help='folder for what was received')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Receive until all results are there, and write them to files."""
    options = _parser().parse_args(rclpy.utilities.remove_ros_args(arguments)[1:])
    rclpy.init(args=arguments)
    problem = None
    try:
        node = rclpy.create_node('demo_receiver')
        receiver = ResultReceiver(node)
        try:
            problem = _receive(node, receiver, options)
        finally:
            _save(receiver, options.output)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()
    if problem:
        print(f'receiver: {problem}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
