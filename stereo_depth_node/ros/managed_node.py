# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node as a lifecycle node: it is configured and activated from outside.

Configured, it has its publishers; active, it subscribes and publishes as the plain node does.
Parameters, ``~/explain`` and /diagnostics work in every state. What the node has learnt and
counted, the settings and the calibration among it, outlasts every transition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn

from stereo_depth_node.ros.exceptions import log_exceptions
from stereo_depth_node.ros.node import StereoDepthNode

__all__ = ['ManagedStereoDepthNode']


class ManagedStereoDepthNode(LifecycleNodeMixin, StereoDepthNode):
    """A managed :class:`.StereoDepthNode`; its parameters are those of that class."""

    def __init__(self, *arguments: Any, **node_arguments: Any) -> None:
        StereoDepthNode.__init__(self, *arguments, is_managed=True, **node_arguments)
        LifecycleNodeMixin.__init__(self)
        self.state.lifecycle = 'unconfigured'

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Make the publishers."""
        return self._become('inactive', self.outputs.open)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe, and publish while somebody subscribes to the outputs."""
        return self._become('active', self.activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to nothing; the publishers are silent."""
        return self._become('inactive', self.deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the publishers, and give the memory of the images back."""
        return self._become('unconfigured', self._end)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End everything; the process is to be ended next."""
        return self._become('finalized', self._end)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End everything, so that the node can be configured again; else it is finalized."""
        done = self._become('unconfigured', self._end)
        if done is not TransitionCallbackReturn.SUCCESS:
            self.state.lifecycle = 'finalized'
        return done

    def _become(self, lifecycle: str, act: Callable[[], None]) -> TransitionCallbackReturn:
        """Do what a transition asks for; an error is logged, rclpy would not."""
        self._has_failed = True
        self._act(act)
        if self._has_failed:
            return TransitionCallbackReturn.ERROR
        self.state.lifecycle = lifecycle
        return TransitionCallbackReturn.SUCCESS

    @log_exceptions
    def _act(self, act: Callable[[], None]) -> None:
        act()
        self._has_failed = False

    def _end(self) -> None:
        self.deactivate()
        self.outputs.close()
        self.state.processor.release()
