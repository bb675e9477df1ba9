# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What calls the node's callbacks, one after the other.

rclpy's SingleThreadedExecutor looks at every subscription, service, timer and event of the node
for each message that comes, in Python. Its EventsExecutor (Kilted and later) is told by the
middleware what has come, and halves what a frame costs beside the matching.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rclpy.executors import Executor, SingleThreadedExecutor

from stereo_depth_node.ros.guard import guarded

if TYPE_CHECKING:
    from rclpy.context import Context
    from rclpy.node import Node

__all__ = ['create_executor', 'spin']

# The EventsExecutor's endless spin() does not return to Python, and a shutdown does not wake it
# surely: it is asked anew in between.
_PATIENCE_S = 0.5


def create_executor(context: Context) -> Executor:
    """Return the cheapest executor that this ROS 2 has."""
    try:
        from rclpy.experimental import EventsExecutor  # type: ignore[attr-defined]
    except ImportError:
        return SingleThreadedExecutor(context=context)
    return EventsExecutor(context=context)


def spin(node: Node) -> None:
    """Call the callbacks of a node until ROS shuts down.

    What ROS itself raises, such as for a message that it cannot read, does not end the node.
    """
    executor = create_executor(node.context)
    executor.add_node(node)
    try:
        while node.context.ok():
            _spin_once(node, executor)
    finally:
        executor.remove_node(node)


@guarded
def _spin_once(node: Node, executor: Executor) -> None:
    executor.spin_once(timeout_sec=_PATIENCE_S)
