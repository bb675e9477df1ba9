# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The subscriptions to camera_info, which never wake the executor.

Each topic is subscribed to as sensor data, which every publisher serves, and a second time while a
publisher keeps its last message for late subscribers: what was published once, before the node
came, reaches only subscriptions that ask for it (transient local), and these reach no publisher
that does not offer it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo

from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.ros.qos import QosOverrides, SubscriptionEventCallbacks
from stereo_depth_node.ros.wakeup import WakeUpGroup

__all__ = ['MOST_TURNS', 'Arrival', 'CameraInfoInputs', 'camera_info_topic', 'next_message']

Arrival = tuple[Side, bytes]
"""The side of a camera and a serialized message of it."""

MOST_TURNS = 1000
"""Messages of a topic that are taken before anything else has its turn, whatever its depth."""

_DEPTH = 1  # the latest counts
# How often it is looked who publishes.
_LOOK_S = 0.5


class CameraInfoInputs:
    """The subscriptions to the camera_info of both cameras.

    Parameters
    ----------
    node : Node
        Subscribes.
    overrides : QosOverrides
        What users change of the subscriptions.
    on_message : callable
        Called with the side and the serialized message of a CameraInfo by executors that do not
        know :class:`.WakeUpGroup`.

    Attributes
    ----------
    subscriptions : dict of Side to Subscription
        Those that every publisher serves; none until they are opened.
    """

    def __init__(
        self, node: Node, overrides: QosOverrides, on_message: Callable[[Side, bytes], None]
    ) -> None:
        self._node = node
        self._overrides = overrides
        self._on_message = on_message
        self.subscriptions: dict[Side, Subscription[Any]] = {}
        self._latched: dict[Side, Subscription[Any]] = {}
        self._next_look = 0.0

    def open(self) -> None:
        """Subscribe."""
        for side in Side:
            self.subscriptions[side] = self._subscribe(
                side, _qos(QoSReliabilityPolicy.BEST_EFFORT)
            )

    def close(self) -> None:
        """End the subscriptions."""
        for subscriptions in (self.subscriptions, self._latched):
            while subscriptions:
                _, subscription = subscriptions.popitem()
                self._node.destroy_subscription(subscription)
        self._next_look = 0.0

    def follow_offers(self) -> None:
        """Ask for what publishers keep, if any does; to be called often."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_S
        for side in self.subscriptions:
            # By the name before remapping: it is remapped there.
            publishers = self._node.get_publishers_info_by_topic(camera_info_topic(side))
            is_offered = any(_keeps_messages(each.qos_profile) for each in publishers)
            if is_offered and side not in self._latched:
                self._latched[side] = self._subscribe(side, _latched_qos())
            elif not is_offered and side in self._latched:
                self._node.destroy_subscription(self._latched.pop(side))

    def arrived(self) -> Iterator[Arrival]:
        """Take every CameraInfo that has arrived.

        Yields
        ------
        side : Side
        serialized : bytes
        """
        for subscriptions in (self.subscriptions, self._latched):
            for side, subscription in subscriptions.items():
                for _ in range(MOST_TURNS):
                    taken = next_message(subscription)
                    if taken is None:
                        break
                    yield side, taken[0]

    def _subscribe(self, side: Side, qos: QoSProfile) -> Any:
        return self._overrides.create(
            partial(
                self._node.create_subscription,
                CameraInfo,
                camera_info_topic(side),
                partial(self._on_message, side),
                raw=True,
                callback_group=WakeUpGroup(self._node, is_on=False),
                event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
            ),
            camera_info_topic(side),
            qos,
        )


def camera_info_topic(side: Side) -> str:
    """Return the camera_info topic of a side, before remapping."""
    return f'{side.value}/camera_info'


def next_message(subscription: Subscription[Any]) -> Any:
    """Return the next message that waits in the middleware and what it says of it, or None."""
    with subscription.handle:
        return subscription.handle.take_message(subscription.msg_type, subscription.raw)


def _qos(reliability: QoSReliabilityPolicy) -> QoSProfile:
    return QoSProfile(history=QoSHistoryPolicy.KEEP_LAST, depth=_DEPTH, reliability=reliability)


def _latched_qos() -> QoSProfile:
    qos = _qos(QoSReliabilityPolicy.RELIABLE)
    qos.durability = QoSDurabilityPolicy.TRANSIENT_LOCAL
    return qos


def _keeps_messages(offered: QoSProfile) -> bool:
    """Tell whether a publisher keeps its last messages for whoever subscribes later."""
    wanted = _latched_qos()
    return (offered.durability, offered.reliability) == (wanted.durability, wanted.reliability)
