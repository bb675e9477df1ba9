# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What calls the node's callbacks, one after the other.

rclpy's EventsExecutor (Kilted and later) would save about 1 ms per frame, but it serves no timer
and no service while images come faster than they are computed. The SingleThreadedExecutor serves
everybody in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rclpy.executors import Executor, SingleThreadedExecutor

from stereo_depth_node.ros.guard import guarded

if TYPE_CHECKING:
    from rclpy.node import Node

__all__ = ['spin']

# Within this time a shutdown is noticed whatever happens.
_PATIENCE_S = 0.5


def spin(node: Node) -> None:
    """Call the callbacks of a node until ROS shuts down.

    What ROS itself raises, such as for a message that it cannot read, does not end the node.
    """
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    try:
        while node.context.ok():
            _spin_once(node, executor)
    finally:
        executor.remove_node(node)


@guarded
def _spin_once(node: Node, executor: Executor) -> None:
    executor.spin_once(timeout_sec=_PATIENCE_S)
