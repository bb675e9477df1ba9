# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes, each output only while somebody listens."""

from __future__ import annotations

from typing import Any, TYPE_CHECKING

from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.ros.compatibility import PublisherEventCallbacks
from stereo_depth_node.ros.messages import DepthMessage, DisparityMessage, downscaled_camera_info

if TYPE_CHECKING:
    from rclpy.node import Node
    from std_msgs.msg import Header

    from stereo_depth_node.core.pipeline import StereoPipeline

__all__ = ['StereoOutputs']

DISPARITY = 'disparity'
DEPTH = 'depth/image_rect'
DEPTH_INFO = 'depth/camera_info'

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
        types: dict[str, Any] = {DISPARITY: DisparityImage, DEPTH: Image, DEPTH_INFO: CameraInfo}
        self._publishers = {
            topic: node.create_publisher(
                message_type,
                topic,
                _reliable(),
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
            )
            for topic, message_type in types.items()
        }
        self.published = dict.fromkeys(types, 0)
        self._pipeline: StereoPipeline | None = None
        self._disparity: DisparityMessage | None = None
        self._depth: DepthMessage | None = None
        self._depth_info: CameraInfo | None = None

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

    def publish(self, pipeline: StereoPipeline, header: Header, left_info: CameraInfo) -> None:
        """Publish the last pair of a pipeline to those who listen.

        Parameters
        ----------
        pipeline : StereoPipeline
            Has just matched the pair; another one for every calibration.
        header : Header
            Stamp and frame of the left image.
        left_info : CameraInfo
            The left camera's, for the images that came in.
        """
        if pipeline is not self._pipeline:
            self._pipeline = pipeline
            self._disparity = self._depth = self._depth_info = None
        wanted = self.subscribers()
        if wanted[DISPARITY]:
            if self._disparity is None:
                self._disparity = DisparityMessage(pipeline)
            self._publish(DISPARITY, self._disparity.fill(pipeline, header))
        if wanted[DEPTH]:
            if self._depth is None:
                self._depth = DepthMessage(pipeline)
            self._publish(DEPTH, self._depth.fill(pipeline, header))
        if wanted[DEPTH_INFO]:
            if self._depth_info is None:
                self._depth_info = downscaled_camera_info(left_info, pipeline.downscale)
            self._depth_info.header = header
            self._publish(DEPTH_INFO, self._depth_info)

    def _publish(self, topic: str, message: Any) -> None:
        self._publishers[topic].publish(message)
        self.published[topic] += 1


def _reliable() -> QoSProfile:
    """Return a profile that depth_image_proc, depthimage_to_laserscan and Nav2 can take.

    A new one each time: rclpy writes the overrides of a topic into the profile it is given.
    """
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=_QUEUE_DEPTH,
        reliability=QoSReliabilityPolicy.RELIABLE,
    )
