# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node subscribes to: images of both cameras while they are wanted, calibration always.

Images are taken from the middleware faster than they can be computed: the callback of an image
first takes everything else that has arrived (:meth:`StereoInputs.drain`), so that the newest pair
is computed and every image that is not is counted.

Waking the executor costs more than taking a message, so what need not wake it does not. Of two
cameras one usually completes the pairs, because its images arrive last: while it does, only its
images wake the executor, which then takes those of the other camera along. CameraInfo never
wakes it: it is taken before each pair is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import time
from typing import Any, TYPE_CHECKING

from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.ros.qos import QosOverrides, SubscriptionEventCallbacks
from stereo_depth_node.ros.wakeup import WakeUpGroup

if TYPE_CHECKING:
    from rclpy.node import Node

    from stereo_depth_node.core.settings.settings import Settings

__all__ = ['StereoInputs', 'image_topic']

OnSerialized = Callable[[Side, bytes], None]

# Images that may wait in the middleware for each one that waits to be paired.
_DEPTH_PER_WAITING_IMAGE = 2
_CAMERA_INFO_DEPTH = 1  # the latest counts
# Images of one size for so long are those of another camera, and not of two at once.
_STEADY_S = 2.0


class StereoInputs:
    """The subscriptions of the node.

    Parameters
    ----------
    node : Node
        Subscribes.
    on_image : callable
        Called with the side and the serialized message of every image.
    on_images : callable
        Called when all images that had arrived have been handed over.
    on_camera_info : callable
        Called with the side and the serialized message of every CameraInfo.

    Attributes
    ----------
    are_compressed : bool
        The images are compressed.
    lost : dict of Side to int
        Images that the middleware says it lost, where it can say so.
    """

    def __init__(
        self,
        node: Node,
        on_image: OnSerialized,
        on_images: Callable[[], None],
        on_camera_info: OnSerialized,
    ) -> None:
        self._node = node
        self._on_image = on_image
        self._on_images = on_images
        self._on_camera_info = on_camera_info
        self._alarms = {side: WakeUpGroup(node, is_on=True) for side in Side}
        self.are_compressed = False
        self._images: dict[Side, Subscription[Any]] = {}
        self._opened_with: tuple[object, ...] = ()
        self._opened_for: int | None = None
        self._size: int | None = None
        self._size_since = 0.0
        self._is_offered_best_effort_only = False
        self._overrides = QosOverrides(node)
        self.lost = dict.fromkeys(Side, 0)
        self._camera_infos = {
            side: self._subscribe(
                CameraInfo,
                camera_info_topic(side),
                partial(on_camera_info, side),
                _sensor_data_qos(_CAMERA_INFO_DEPTH),
                WakeUpGroup(node, is_on=False),
            )
            for side in Side
        }

    @property
    def are_open(self) -> bool:
        """Whether the images are subscribed to."""
        return bool(self._images)

    def note_size(self, size: int) -> None:
        """Note the size of the images that come, bytes."""
        if size != self._size:
            self._size, self._size_since = size, time.monotonic()
        if self._opened_for is None:
            self._opened_for = size

    def open(self, settings: Settings) -> None:
        """Subscribe to the images, or subscribe anew where the settings ask for it.

        Also after the images have changed their size: Fast DDS keeps the room for a whole queue
        of the largest that have come, until the subscription ends.
        """
        is_reliable = settings.frame_policy == 'every' and not self._is_offered_best_effort_only
        wanted = (settings.image_transport, settings.queue_size, is_reliable)
        is_outdated = (
            self._opened_for != self._size
            and time.monotonic() - self._size_since > _STEADY_S
            and settings.frame_policy == 'latest'  # who wants every frame can spare none
        )
        if self._images and wanted == self._opened_with and not is_outdated:
            return
        self.drain()
        self._end()
        self._opened_with, self._opened_for = wanted, self._size
        self.are_compressed = settings.image_transport == 'compressed'
        message_type = CompressedImage if self.are_compressed else Image
        for side in Side:
            self._images[side] = self._subscribe(
                message_type,
                image_topic(self._node, side, settings),
                partial(self._on_first, side),
                _sensor_data_qos(_DEPTH_PER_WAITING_IMAGE * settings.queue_size, is_reliable),
                self._alarms[side],
                events=SubscriptionEventCallbacks(
                    incompatible_qos=self._take_best_effort,
                    message_lost=partial(self._count_lost, side),
                    use_default_callbacks=False,
                ),
            )

    def close(self) -> None:
        """End the subscriptions to the images."""
        self._is_offered_best_effort_only = False
        self._size = self._opened_for = None
        self._end()

    def _end(self) -> None:
        for subscription in self._images.values():
            self._node.destroy_subscription(subscription)
        self._images.clear()

    def wake_by(self, *sides: Side) -> None:
        """Let only the images of these sides wake the executor, until one is taken."""
        for side, alarm in self._alarms.items():
            alarm.is_on = side in sides

    def drain(self) -> int:
        """Take every image that has arrived, as the executor would one at a time.

        The sides take turns: each image finds its partner before the next of its own side comes.

        Returns
        -------
        int
            How many there were.
        """
        count = 0
        waiting = dict(self._images)
        for _ in range(max((each.qos_profile.depth for each in waiting.values()), default=0)):
            for side, subscription in tuple(waiting.items()):
                message = _next_message(subscription)
                if message is None:
                    del waiting[side]
                else:
                    self._hand_over(side, message)
                    count += 1
        return count

    def take_camera_infos(self) -> None:
        """Take every CameraInfo that has arrived."""
        for side, subscription in self._camera_infos.items():
            for _ in range(subscription.qos_profile.depth):
                message = _next_message(subscription)
                if message is None:
                    break
                self._on_camera_info(side, message)

    def _on_first(self, side: Side, message: bytes) -> None:
        """Take an image that an executor has taken, and all that have come with it."""
        self._hand_over(side, message)
        self._on_images()

    def _hand_over(self, side: Side, message: bytes) -> None:
        self.wake_by(*Side)
        self._on_image(side, message)

    def images(self) -> tuple[Subscription[Any], ...]:
        """Return the subscriptions to the images."""
        return tuple(self._images.values())

    def subscriptions(self) -> dict[str, Subscription[Any]]:
        """Return the subscriptions by what they are for, such as ``left image``."""
        return {
            f'{side.value} {kind}': subscriptions[side]
            for kind, subscriptions in (
                ('image', self._images),
                ('camera_info', self._camera_infos),
            )
            for side in Side
            if side in subscriptions
        }

    def _subscribe(
        self,
        message_type: Any,
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile,
        alarm: WakeUpGroup,
        *,
        events: SubscriptionEventCallbacks | None = None,
    ) -> Any:
        return self._overrides.create(
            partial(
                self._node.create_subscription,
                message_type,
                topic,
                callback,
                raw=True,
                callback_group=alarm,
                event_callbacks=events or SubscriptionEventCallbacks(use_default_callbacks=False),
            ),
            topic,
            qos,
        )

    def _take_best_effort(self, _event: Any) -> None:
        """Note that a publisher cannot serve a reliable subscription; `open` then asks less."""
        self._is_offered_best_effort_only = True

    def _count_lost(self, side: Side, event: Any) -> None:
        self.lost[side] += event.total_count_change


def camera_info_topic(side: Side) -> str:
    """Return the camera_info topic of a side, before remapping."""
    return f'{side.value}/camera_info'


def image_topic(node: Node, side: Side, settings: Settings) -> str:
    """Return the image topic of a side.

    Compressed images come on a topic below the (remapped) raw one, as image_transport has it.
    """
    raw = f'{side.value}/image_rect'
    if settings.image_transport == 'compressed':
        return f'{node.resolve_topic_name(raw)}/compressed'
    return raw


def _sensor_data_qos(depth: int, is_reliable: bool = False) -> QoSProfile:
    """Return the sensor-data profile, reliable for those who want every frame of a recording."""
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=(
            QoSReliabilityPolicy.RELIABLE if is_reliable else QoSReliabilityPolicy.BEST_EFFORT
        ),
    )


def _next_message(subscription: Subscription[Any]) -> Any:
    """Return the next message that waits in the middleware, None when there is none."""
    with subscription.handle:
        taken: Any = subscription.handle.take_message(subscription.msg_type, subscription.raw)
    return None if taken is None else taken[0]
