# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What lets a subscription wake the executor, or not."""

from __future__ import annotations

from typing import Any, TYPE_CHECKING

from rclpy.callback_groups import CallbackGroup

if TYPE_CHECKING:
    from rclpy.node import Node

__all__ = ['WakeUpGroup']


class WakeUpGroup(CallbackGroup):
    """The callbacks of one subscription, which can be kept from waking the executor.

    Its events, too: in Fast DDS they wake whoever waits for them with every message. Otherwise
    they are callbacks of the node like all others, of which one runs at a time.

    Parameters
    ----------
    node : Node
        Whose callbacks they are.

    Attributes
    ----------
    is_on : bool
        They wake it.
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
        """Tell whether to look after a subscription or an event of it."""
        return self.is_on and self._all.can_execute(entity)

    def beginning_execution(self, entity: Any) -> bool:
        """Tell whether a callback may run."""
        return self._all.beginning_execution(entity)

    def ending_execution(self, entity: Any) -> None:
        """Let another callback run."""
        self._all.ending_execution(entity)
