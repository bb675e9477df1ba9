# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""No exception leaves a ROS callback: it would end the node."""

from __future__ import annotations

from collections.abc import Callable
import functools
import traceback
from typing import Any, Concatenate, ParamSpec, TypeVar

import rclpy
from rclpy.node import Node

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.health.causes import CAUSES
from stereo_depth_node.core.health.failures import is_out_of_memory
from stereo_depth_node.core.settings.text_files import printable, visible

__all__ = ['log_exceptions']

P = ParamSpec('P')
NodeT = TypeVar('NodeT', bound='Node')

_LOG_PERIOD_S = 5.0
# Letters of an error, and of a traceback.
_MOST_PRINTED, _MOST_OF_TRACEBACK = 1000, 4000


def log_exceptions(
    callback: Callable[Concatenate[NodeT, P], Any],
) -> Callable[Concatenate[NodeT, P], None]:
    """Make a method of a node safe to be a ROS callback.

    What it raises is logged, throttled: errors of this package with their text, all others with
    their traceback. While ROS shuts down, publishers and subscriptions vanish under a callback's
    hands: errors of that moment are dropped.
    """

    @functools.wraps(callback)
    def safe(node: NodeT, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(node, *args, **kwargs)
        except StereoDepthError as error:
            text = printable(error, _MOST_PRINTED)
            node.get_logger().warning(text, throttle_duration_sec=_LOG_PERIOD_S)
        except Exception as error:  # noqa: BLE001 (whatever it is, the node goes on)
            if is_out_of_memory(error):
                text = CAUSES['out_of_memory'].found(error=printable(error)).text
                node.get_logger().error(text, throttle_duration_sec=_LOG_PERIOD_S)
            elif rclpy.ok(context=node.context):
                # An error may carry all of what it is about.
                text = visible(traceback.format_exc()[-_MOST_OF_TRACEBACK:])
                node.get_logger().error(
                    f'internal error, please report it: {text}',
                    throttle_duration_sec=_LOG_PERIOD_S,
                )

    return safe
