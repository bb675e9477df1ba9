# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What wakes the executor: the images that complete the pairs, and little else while they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.timer import Timer

__all__ = ['WakeUpExecutor', 'WakeUpGroup']


class WakeUpGroup(CallbackGroup):
    """The callbacks of one subscription and of its QoS events, which may wake the executor or not.

    The events count as well because Fast DDS signals them with every message. Apart from that the
    callbacks belong to the node's default group: one of them runs at a time.

    Parameters
    ----------
    node : Node
        The node of the subscription.

    Attributes
    ----------
    is_on : bool
        The callbacks wake the executor.
    """

    def __init__(self, node: Node, *, is_on: bool) -> None:
        super().__init__()
        self._all = node.default_callback_group
        self.is_on = is_on

    def add_entity(self, entity: Any) -> None:
        """Take a subscription, or an event of it, in."""
        super().add_entity(entity)
        self._all.add_entity(entity)

    def can_execute(self, entity: Any) -> bool:
        """Tell whether the executor is to wait for a subscription or an event of it."""
        return self.is_on and self._all.can_execute(entity)

    def beginning_execution(self, entity: Any) -> bool:
        """Tell whether a callback may run."""
        return self._all.beginning_execution(entity)

    def ending_execution(self, entity: Any) -> None:
        """Let another callback run."""
        self._all.ending_execution(entity)


class WakeUpExecutor(SingleThreadedExecutor):
    """Spins one node, and leaves services and QoS events out of the wait set while images come.

    rclpy makes a wait set of every entity anew, twice for each image that wakes it.

    Parameters
    ----------
    node : Node
        To spin.
    images_come : callable
        Tells whether it is so now. Services are answered whenever it is not.
    """

    def __init__(self, node: Node, images_come: Callable[[], bool]) -> None:
        super().__init__(context=node.context)
        self._images_come = images_come
        self.add_node(node)

    def can_execute(self, entity: Any) -> bool:
        """Tell whether to wait for an entity."""
        can_wait = self._images_come() and not isinstance(entity, (Subscription, Timer))
        return not can_wait and super().can_execute(entity)
