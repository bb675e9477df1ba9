# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node subscribes to: images of both cameras while they are wanted, calibration always.

Images are taken from the middleware faster than they can be computed: when the executor hands the
first one to the node, the node takes everything else that has arrived
(:meth:`StereoInputs.arrived_images`), so that the newest pair is computed and every image that is
not is counted.

Waking the executor costs more than taking a message, so only what has to wake it does. Of two
cameras one usually completes the pairs, because its images arrive last: while it does, only its
images wake the executor, and those of the other camera are taken with them. CameraInfo never
wakes it: it is taken before each pair is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
import time
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from stereo_depth_node.core.images.layouts import Half, halves_of, SEPARATE
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.ros.camera_infos import CameraInfoInputs, MOST_TURNS, next_message
from stereo_depth_node.ros.qos import QosOverrides, SubscriptionEventCallbacks
from stereo_depth_node.ros.wakeup import WakeUpGroup

__all__ = ['BOTH_IMAGES', 'ImageArrival', 'StereoInputs', 'image_topic']


class ImageArrival(NamedTuple):
    """A message with an image, or with both in one, that has arrived.

    Attributes
    ----------
    side : Side
        The camera it comes from; LEFT for both.
    serialized : bytes
        The message.
    arrival_ns : int
        When the middleware received it, by the system's clock, ns.
    """

    side: Side
    serialized: bytes
    arrival_ns: int


BOTH_IMAGES = 'stereo/image_raw'
"""The topic of images that hold both."""

# Images that may wait in the middleware for each one that waits to be paired.
_DEPTH_PER_WAITING_IMAGE = 2
# Images of one size for so long are those of another camera, and not of two at once.
_STEADY_S = 2.0


class StereoInputs:
    """The subscriptions of the node.

    Parameters
    ----------
    node : Node
        Subscribes.
    on_image : callable
        Called by the executor with side, serialized message and time of arrival of an image that
        woke it; others may have arrived as well.
    on_camera_info : callable
        As for :class:`.CameraInfoInputs`.

    Attributes
    ----------
    camera_infos : CameraInfoInputs
        The calibration of both cameras.
    are_compressed : bool
        The images are compressed.
    overrides : QosOverrides
        What users change of them.
    lost : dict of Side to int
        Images that the middleware says it lost, where it can say so.
    """

    def __init__(
        self,
        node: Node,
        on_image: Callable[[Side, bytes, int], None],
        on_camera_info: Callable[[Side, bytes], None],
    ) -> None:
        self._node = node
        self._on_image = on_image
        self._wake_ups = {side: WakeUpGroup(node, is_on=True) for side in Side}
        self.are_compressed = False
        self._layout = SEPARATE
        self._images: dict[Side, Subscription[Any]] = {}
        self._opened_with: tuple[object, ...] = ()
        self._opened_for: int | None = None
        self._size: int | None = None
        self._size_since = 0.0
        self._offers_less = dict.fromkeys(Side, False)
        self.overrides = QosOverrides(node)
        self.lost = dict.fromkeys(Side, 0)
        self.camera_infos = CameraInfoInputs(node, self.overrides, on_camera_info)

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

    def open(self, settings: Settings) -> bool:
        """Subscribe to the images, or subscribe anew where the settings ask for it.

        Return whether they come in another layout than before.

        What has arrived is lost then, so it is to be taken before. The subscriptions are also
        renewed after the images have changed their size: until a subscription ends, Fast DDS
        keeps the room for a whole queue of the largest images that have come.
        """
        sides = tuple(Side) if settings.stereo_layout == SEPARATE else (Side.LEFT,)
        topics = {side: image_topic(self._node, side, settings) for side in sides}
        is_reliable = {
            side: settings.frame_policy == 'every' and self._is_offered_reliably(side, topic)
            for side, topic in topics.items()
        }
        wanted = (
            settings.image_transport,
            settings.stereo_layout,
            settings.queue_size,
            is_reliable,
        )
        is_outdated = (
            self._opened_for != self._size
            and time.monotonic() - self._size_since > _STEADY_S
            and settings.frame_policy == 'latest'  # who wants every frame can spare none
        )
        if self._images and wanted == self._opened_with and not is_outdated:
            return False
        self._end()
        self._opened_with, self._opened_for = wanted, self._size
        self.are_compressed = settings.image_transport == 'compressed'
        layout_before, self._layout = self._layout, settings.stereo_layout
        for side, topic in topics.items():
            qos = _image_qos(_DEPTH_PER_WAITING_IMAGE * settings.queue_size, is_reliable[side])
            self._images[side] = self._subscribe(side, topic, qos)
        return self._layout != layout_before

    def _subscribe(self, side: Side, topic: str, qos: QoSProfile) -> Subscription[Any]:
        create = partial(
            self._node.create_subscription,
            CompressedImage if self.are_compressed else Image,
            topic,
            self._image_callback(side),
            raw=True,
            callback_group=self._wake_ups[side],
            event_callbacks=SubscriptionEventCallbacks(
                message_lost=partial(self._count_lost, side), use_default_callbacks=False
            ),
        )
        subscription: Subscription[Any] = self.overrides.create(create, topic, qos)
        return subscription

    def close(self) -> None:
        """End the subscriptions to the images."""
        self._size = self._opened_for = None
        self._end()

    def _end(self) -> None:
        for subscription in self._images.values():
            self._node.destroy_subscription(subscription)
        self._images.clear()

    @property
    def messages_of_a_pair(self) -> int:
        """Messages that hold the two images of a pair."""
        return len(self._images)

    def images_of(self, arrival: ImageArrival) -> tuple[tuple[Side, Half | None], ...]:
        """Return the camera of each image in a message, and the half of it; None for all of it."""
        if self._layout == SEPARATE:
            return ((arrival.side, None),)
        return tuple(zip(Side, halves_of(self._layout), strict=True))

    def wake_by(self, *sides: Side) -> None:
        """Let only the images of these sides wake the executor."""
        for side, wake_up in self._wake_ups.items():
            wake_up.is_on = side in sides

    def arrived_images(self, first: ImageArrival | None = None) -> Iterator[ImageArrival]:
        """Take every image that has arrived.

        The sides take turns: each image finds its partner before the next of its own side comes.

        Parameters
        ----------
        first : ImageArrival, optional
            An image that the executor has taken already. Had the other side waited for it, its
            side comes second in each turn, and else first: so images are taken in the order in
            which they came, and the last one of a pair is known.

        Yields
        ------
        ImageArrival
        """
        waiting = dict(self._images)
        if first is not None and first.side in waiting:
            woke = {first.side: waiting.pop(first.side)}
            was_alone = not any(self._wake_ups[side].is_on for side in waiting)
            waiting = {**waiting, **woke} if was_alone else {**woke, **waiting}
        for turn in range(MOST_TURNS):
            if not waiting:
                return
            for side, subscription in tuple(waiting.items()):
                if turn == 0 and first is not None and side is first.side:
                    yield first
                    continue
                taken = next_message(subscription)
                if taken is None:
                    del waiting[side]
                else:
                    yield ImageArrival(side, taken[0], _arrival_ns(taken[1]))

    def subscriptions(self) -> dict[str, Subscription[Any]]:
        """Return the subscriptions by what they are for, such as ``left image``."""
        both = self._images.get(Side.LEFT) if self._layout != SEPARATE else None
        images = dict.fromkeys(Side, both) if both is not None else self._images
        return {
            f'{side.value} {kind}': subscriptions[side]
            for kind, subscriptions in (
                ('image', images),
                ('camera_info', self.camera_infos.subscriptions),
            )
            for side in Side
            if side in subscriptions
        }

    def _image_callback(self, side: Side) -> Callable[..., None]:
        """Return what the executor calls with an image of a side.

        Since Iron it also says when the image arrived, to callbacks that take two arguments.
        """
        if hasattr(Subscription, 'CallbackType'):
            return lambda serialized, info: self._on_image(side, serialized, _arrival_ns(info))
        return lambda serialized: self._on_image(side, serialized, time.time_ns())

    def _is_offered_reliably(self, side: Side, topic: str) -> bool:
        """Tell whether all who publish the images of a side do so reliably, or did last."""
        publishers = self._node.get_publishers_info_by_topic(topic)
        if publishers:
            self._offers_less[side] = any(
                each.qos_profile.reliability == QoSReliabilityPolicy.BEST_EFFORT
                for each in publishers
            )
        return not self._offers_less[side]

    def _count_lost(self, side: Side, event: Any) -> None:
        for each in (side,) if self._layout == SEPARATE else Side:
            self.lost[each] += event.total_count_change


def image_topic(node: Node, side: Side, settings: Settings) -> str:
    """Return the image topic of a side, or that of both.

    Compressed images come on a topic below the (remapped) raw one, as image_transport has it.
    """
    raw = f'{side.value}/image_rect' if settings.stereo_layout == SEPARATE else BOTH_IMAGES
    if settings.image_transport == 'compressed':
        return f'{node.resolve_topic_name(raw)}/compressed'
    return raw


def _image_qos(depth: int, is_reliable: bool) -> QoSProfile:
    """Return the sensor-data profile, reliable for those who want every frame of a recording."""
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=(
            QoSReliabilityPolicy.RELIABLE if is_reliable else QoSReliabilityPolicy.BEST_EFFORT
        ),
    )


def _arrival_ns(info: Any) -> int:
    """Return when a message arrived, ns: now where the middleware does not say it."""
    return info.get('received_timestamp') or time.time_ns()
