# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Streams a stereo pair as a camera driver does: images and camera_info, stamped now."""

from __future__ import annotations

import argparse
import array
from collections.abc import Sequence
import json
from pathlib import Path
import sys
import time
from typing import Any

from numpy.typing import NDArray
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.messages.content import camera_info_from_calibration
from stereo_depth_node.offline.calibrations.stereo import rectified_cameras
from stereo_depth_node.offline.datasets.loading import load_motorcycle
from stereo_depth_node.offline.datasets.scenes import ENCODINGS, Scene
from stereo_depth_node.offline.options import parse_size
from stereo_depth_node.ros.messages import RclpyMessages

__all__ = ['FRAME_ID', 'PairPublisher']

FRAME_ID = 'left_camera_optical_frame'
_SIDES = ('left', 'right')

_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
_INFO_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)


class PairPublisher:
    """Publishes one stereo pair again and again, each time with a new stamp.

    Parameters
    ----------
    node : Node
        Gets the publishers.
    scene : Scene
        The pair to publish.
    encoding : str
        One of `ENCODINGS`.
    qos : QoSProfile, optional
        Of the images; by default that of most camera drivers: the last few, best effort.
    cameras : sequence of CameraCalibration, optional
        Left and right calibration; by default that of the rectified images.
    topic : str
        Of the images, below ``left`` and ``right``.

    Attributes
    ----------
    stamps : list of int
        Of the pairs published, nanoseconds.
    """

    def __init__(
        self,
        node: Node,
        scene: Scene,
        encoding: str,
        qos: QoSProfile = _QOS,
        *,
        cameras: Sequence[CameraCalibration] = (),
        topic: str = 'image_rect',
    ) -> None:
        self.stamps: list[int] = []
        self._node = node
        self._images = []
        self._infos = []
        cameras = cameras or rectified_cameras(scene.known_geometry())
        for side, pixels, camera in zip(_SIDES, scene.encoded(encoding), cameras, strict=True):
            image = _image_message(pixels, encoding)
            self._images.append((node.create_publisher(Image, f'{side}/{topic}', qos), image))
            info = camera_info_from_calibration(RclpyMessages(), camera, FRAME_ID)
            self._infos.append(
                (node.create_publisher(CameraInfo, f'{side}/camera_info', _INFO_QOS), info)
            )

    def publish(self) -> None:
        """Publish both images and their calibration with the present time as their stamp."""
        now = self._node.get_clock().now()
        self.stamps.append(now.nanoseconds)
        for publisher, message in (*self._infos, *self._images):
            message.header.stamp = now.to_msg()
            publisher.publish(message)

    def topics_without_subscriber(self) -> list[str]:
        """Return the names of the topics that nobody subscribes to yet."""
        return [
            publisher.topic_name
            for publisher, _ in (*self._infos, *self._images)
            if publisher.get_subscription_count() == 0
        ]

    def has_image_subscriber(self) -> bool:
        """Return whether anybody subscribes to an image."""
        return any(publisher.get_subscription_count() for publisher, _ in self._images)


def _image_message(pixels: NDArray[Any], encoding: str) -> Image:
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    message = Image(height=height, width=width, encoding=encoding, step=width * channels)
    message.header.frame_id = FRAME_ID
    # rclpy takes an array('B') as it is and checks every element of anything else.
    message.data = array.array('B', pixels.tobytes())
    return message


def _stream(node: Node, publisher: PairPublisher, options: argparse.Namespace) -> str | None:
    """Wait for subscribers, publish at the rate, wait until they are gone.

    Returns
    -------
    str or None
        The problem, if there is one.
    """

    def spin_until(deadline: float) -> None:
        rclpy.spin_once(node, timeout_sec=max(0.0, deadline - time.monotonic()))

    deadline = time.monotonic() + options.wait
    while silent := publisher.topics_without_subscriber():
        if time.monotonic() > deadline:
            return f'nobody subscribed to {", ".join(silent)} within {options.wait:g} s'
        spin_until(min(deadline, time.monotonic() + 0.1))

    start = time.monotonic()
    while options.pairs == 0 or len(publisher.stamps) < options.pairs:
        publisher.publish()
        due = start + len(publisher.stamps) / options.rate
        while time.monotonic() < due:
            spin_until(due)

    # The last images are in the shared memory of this process: it stays until they are taken.
    deadline = time.monotonic() + options.wait
    while publisher.has_image_subscriber() and time.monotonic() < deadline:
        spin_until(min(deadline, time.monotonic() + 0.1))
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pairs', type=int, default=40, help='0: without end')
    parser.add_argument('--rate', type=float, default=10.0, help='pairs per second')
    parser.add_argument('--encoding', choices=ENCODINGS, default='bgr8')
    parser.add_argument('--size', type=parse_size, help='WIDTHxHEIGHT; as it is by default')
    parser.add_argument('--wait', type=float, default=60.0, help='seconds to wait for subscribers')
    parser.add_argument('--report', type=Path, help='write the stamps to this file, as JSON')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Publish all pairs and write their stamps; return 0 if all went well."""
    options = _parser().parse_args(rclpy.utilities.remove_ros_args(arguments)[1:])
    scene = load_motorcycle()
    if options.size:
        scene = scene.resized(*options.size)
    rclpy.init(args=arguments)
    problem = None
    try:
        node = rclpy.create_node('demo_publisher')
        publisher = PairPublisher(node, scene, options.encoding)
        try:
            problem = _stream(node, publisher, options)
        finally:
            if options.report:
                options.report.write_text(json.dumps({'stamps': publisher.stamps}))
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()
    if problem:
        print(f'publisher: {problem}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
