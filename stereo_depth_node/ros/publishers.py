# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes, each output only while somebody subscribes to it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy

from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.ros.messages import message_class
from stereo_depth_node.ros.qos import PublisherEventCallbacks, QosOverrides

__all__ = ['StereoOutputs']

_QUEUE_DEPTH = 5


class StereoOutputs:
    """The publishers of the node, one for each output, while they are open.

    Parameters
    ----------
    node : Node
        Publishes.

    Attributes
    ----------
    overrides : QosOverrides
        What users change of them.
    published : dict of str to int
        Messages published, by topic.
    publishers : dict of str to Publisher
        By topic, before remapping; none until they are opened.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.overrides = QosOverrides(node)
        self.publishers: dict[str, Publisher[Any]] = {}
        self.published = dict.fromkeys(OUTPUTS, 0)

    def open(self) -> None:
        """Make the publishers."""
        for topic, output in OUTPUTS.items():
            self.publishers[topic] = self.overrides.create(
                partial(
                    self._node.create_publisher,
                    message_class(output.type),
                    topic,
                    event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
                ),
                topic,
                _reliable(),
            )

    def close(self) -> None:
        """End the publishers."""
        while self.publishers:
            _, publisher = self.publishers.popitem()
            self._node.destroy_publisher(publisher)

    def subscribers(self) -> dict[str, int]:
        """Return how many subscribers each output topic has."""
        return {
            topic: publisher.get_subscription_count()
            for topic, publisher in self.publishers.items()
        }

    def wanted(self) -> Iterator[str]:
        """Yield the outputs that somebody subscribes to."""
        for topic, publisher in self.publishers.items():
            if publisher.get_subscription_count() > 0:
                yield topic

    def publish(self, topic: str, serialized: bytearray) -> None:
        """Publish a serialized message.

        rclpy promises to publish bytes, for which all would have to be copied once more. It can
        do without, except in old releases.
        """
        publisher = self.publishers[topic]
        try:
            with publisher.handle:
                publisher.handle.publish_raw(serialized)  # type: ignore[arg-type]
        except (AttributeError, TypeError):
            publisher.publish(bytes(serialized))
        self.published[topic] += 1


def _reliable() -> QoSProfile:
    """Return a profile that depth_image_proc, depthimage_to_laserscan and Nav2 can take.

    A new one each time: the overrides of a topic are written into it.
    """
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=_QUEUE_DEPTH,
        reliability=QoSReliabilityPolicy.RELIABLE,
    )
