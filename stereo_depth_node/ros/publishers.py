# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes, each output only while somebody listens."""

from __future__ import annotations

from functools import partial
from typing import Any, TYPE_CHECKING

from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.ros.messages import (
    camera_info_message,
    depth_message,
    disparity_message,
    OutgoingCameraInfo,
    OutgoingImage,
    uncertainty_message,
)
from stereo_depth_node.ros.qos import PublisherEventCallbacks, QosOverrides

if TYPE_CHECKING:
    from rclpy.node import Node

    from stereo_depth_node.core.messages.serialized_image import SerializedImage
    from stereo_depth_node.core.pipeline import StereoPipeline

__all__ = ['StereoOutputs']

# Topic: type of its messages, and what makes them for a pipeline.
_OUTPUTS: dict[str, tuple[Any, Any]] = {
    'disparity': (DisparityImage, disparity_message),
    'depth/image_rect': (Image, depth_message),
    'depth/camera_info': (CameraInfo, camera_info_message),
    'depth/uncertainty': (Image, uncertainty_message),
}

_QUEUE_DEPTH = 5


class StereoOutputs:
    """The publishers of the node and the messages they send again and again.

    Parameters
    ----------
    node : Node
        Publishes.

    Attributes
    ----------
    published : dict of str to int
        Messages published, by topic.
    """

    def __init__(self, node: Node) -> None:
        overrides = QosOverrides(node)
        self._publishers = {
            topic: overrides.create(
                partial(
                    node.create_publisher,
                    message_type,
                    topic,
                    event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
                ),
                topic,
                _reliable(),
            )
            for topic, (message_type, _) in _OUTPUTS.items()
        }
        self.published = dict.fromkeys(_OUTPUTS, 0)
        self._made_for: tuple[StereoPipeline | None, str] = (None, '')
        self._messages: dict[str, OutgoingImage | OutgoingCameraInfo] = {}

    def subscribers(self) -> dict[str, int]:
        """Return how many subscribers each output topic has."""
        return {
            topic: publisher.get_subscription_count()
            for topic, publisher in self._publishers.items()
        }

    def are_wanted(self) -> bool:
        """Tell whether anybody listens to anything."""
        return any(
            publisher.get_subscription_count() > 0 for publisher in self._publishers.values()
        )

    def publish(
        self, pipeline: StereoPipeline, left: SerializedImage, left_info: CameraInfo
    ) -> None:
        """Publish the last pair of a pipeline to those who listen.

        Parameters
        ----------
        pipeline : StereoPipeline
            Has just matched the pair; another one for every calibration.
        left : SerializedImage
            The left image of the pair, for its stamp and its frame.
        left_info : CameraInfo
            The left camera's, for the images that came in.
        """
        frame_id = left.frame_id
        if (pipeline, frame_id) != self._made_for:
            self._made_for = (pipeline, frame_id)
            self._messages.clear()
        for topic, publisher in self._publishers.items():
            if publisher.get_subscription_count() == 0:
                continue
            if topic not in self._messages:
                _, message_for = _OUTPUTS[topic]
                self._messages[topic] = message_for(pipeline, frame_id, left_info)
            message = self._messages[topic]
            message.update(pipeline, left.stamp)
            message.publish(publisher)
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
