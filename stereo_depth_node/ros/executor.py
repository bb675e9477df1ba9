# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What calls the node's callbacks, one after the other.

rclpy's SingleThreadedExecutor gathers all that can be waited for anew before each callback, and
once more after it, because it wakes itself: most of what a frame costs beside the matcher. Here
one wait set is kept until something is created or destroyed, and images are taken and timers
called without a detour. All else is rare and left to rclpy.

rclpy's EventsExecutor (Kilted and later) is as quick, but it serves no timer and no service while
images come faster than they are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any, Literal, TYPE_CHECKING

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.waitable import NumberOfEntities

from stereo_depth_node.ros.exceptions import log_exceptions

if TYPE_CHECKING:
    from rclpy.context import Context
    from rclpy.node import Node
    from rclpy.subscription import Subscription

    from stereo_depth_node.ros.node import StereoDepthNode

__all__ = ['DirectExecutor', 'executor_of', 'spin']

_NS_PER_S = 1_000_000_000
# Kinds of entities that are left to rclpy, by the names that it gives them.
_LEFT_TO_RCLPY: tuple[Literal['client', 'service'], ...] = ('client', 'service')


class DirectExecutor(SingleThreadedExecutor):
    """Serves timers and some subscriptions of a node directly and leaves the rest to rclpy.

    Parameters
    ----------
    node : Node
        The one node it serves; it has no guard conditions of its own, and the callbacks of its
        timers take no arguments.
    direct : callable
        Returns the subscriptions to serve directly. Only those wake it that their callback group
        lets be executed.
    serve : callable
        Called when messages of theirs have arrived; to take them all.
    """

    def __init__(
        self,
        node: Node,
        direct: Callable[[], Sequence[Subscription[Any]]],
        serve: Callable[[], None],
    ) -> None:
        super().__init__(context=node.context)
        self.add_node(node)
        self._node, self._direct, self._serve = node, direct, serve
        self._wait_set: _WaitSet | None = None
        self._entities: tuple[list[Any], ...] = ()
        self._created_tasks: list[Any] = []
        # rclpy promises nothing of what is used here: a release that has it otherwise is served
        # as well, by rclpy alone.
        self._does_without = False

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait until something is to be done, and do it.

        Raises
        ------
        ExternalShutdownException
            If ROS has shut down.
        """
        if not self._does_without:
            try:
                ready, timers, is_other_ready = self._wait(timeout_sec)
            except (AttributeError, TypeError) as error:
                self._does_without = True
                self._release()
                self._node.get_logger().info(f'rclpy has changed ({error}): it does without')
        if self._does_without:
            super().spin_once(timeout_sec)
            return
        if not self.context.ok():
            raise ExternalShutdownException
        direct = self._direct()
        if not ready.isdisjoint(direct):
            self._serve()
        for timer in timers:
            if timer.callback:
                timer.callback()
        is_more_to_do = is_other_ready or self._has_tasks() or not ready.issubset(direct)
        if is_more_to_do:
            super().spin_once(0.0)
        if timers or is_more_to_do:
            # What was destroyed just now goes at once.
            self._release_what_changed()

    def create_task(self, callback: Any, *args: Any, **kwargs: Any) -> Any:
        """Let a function be called soon."""
        task = super().create_task(callback, *args, **kwargs)
        self._created_tasks.append(task)
        return task

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Let go of everything."""
        self._release()
        return super().shutdown(timeout_sec)

    def _has_tasks(self) -> bool:
        self._created_tasks = [task for task in self._created_tasks if not task.done()]
        return bool(self._created_tasks)

    def _wait(self, timeout_sec: float | None) -> tuple[set[Subscription[Any]], list[Any], bool]:
        self._release_what_changed()
        if self._wait_set is None:
            self._wait_set = _WaitSet(self.context, *self._entities)
        return self._wait_set.wait(self.can_execute, timeout_sec)

    def _release_what_changed(self) -> None:
        """Let go of what is held when something has been created or destroyed."""
        node = self._node
        entities = (
            list(node.subscriptions),
            [self._guard, self._sigint_gc],
            list(node.timers),
            list(node.clients),
            list(node.services),
            list(node.waitables),
        )
        if entities != self._entities:
            self._entities = entities
            self._release()
            self._end_iteration()

    def _end_iteration(self) -> None:
        """Let go of what rclpy holds while it is in the middle of what was ready.

        It would go on from there when it is asked again, which can be long from now. What it has
        not come to will be ready again.
        """
        iteration = getattr(self, '_cb_iter', None)
        if iteration is not None:
            iteration.close()
            self._cb_iter = None

    def _release(self) -> None:
        if self._wait_set is not None:
            self._wait_set.release()
            self._wait_set = None


class _WaitSet:
    """A wait set that is kept, and filled again for each wait.

    Parameters
    ----------
    context : Context
        Of all that follow.
    subscriptions, wake_ups, timers, clients, services, waitables : list
        What there is; it cannot be destroyed before `release`. Guard conditions in `wake_ups`
        only end the wait.
    """

    def __init__(
        self,
        context: Context,
        subscriptions: list[Any],
        wake_ups: list[Any],
        timers: list[Any],
        clients: list[Any],
        services: list[Any],
        waitables: list[Any],
    ) -> None:
        self._timers = timers
        self._waitables = waitables
        self._held = ExitStack()
        try:
            handles = {
                'guard_condition': [each.handle for each in wake_ups],
                'timer': [each.handle for each in timers],
                'client': [each.handle for each in clients],
                'service': [each.handle for each in services],
            }
            counts = NumberOfEntities(len(subscriptions), *map(len, handles.values()))
            self._handles = {each: each.handle for each in subscriptions}
            for handle in (*self._handles.values(), *chain.from_iterable(handles.values())):
                self._held.enter_context(handle)
            for waitable in waitables:
                self._held.enter_context(waitable)
                counts += waitable.get_num_entities()
            assert context.handle is not None
            self._held.enter_context(context.handle)
            self._set = rclpy_implementation.WaitSet(
                counts.num_subscriptions,
                counts.num_guard_conditions,
                counts.num_timers,
                counts.num_clients,
                counts.num_services,
                counts.num_events,
                context.handle,
            )
            self._others = [
                (getattr(self._set, f'add_{kind}'), each)
                for kind, all_of_it in handles.items()
                for each in all_of_it
            ]
        except BaseException:
            self._held.close()
            raise

    def wait(
        self, is_wanted: Callable[[Any], bool], timeout_sec: float | None
    ) -> tuple[set[Subscription[Any]], list[Any], bool]:
        """Wait until something can be done.

        Parameters
        ----------
        is_wanted : callable
            Whether to wait for a subscription, or for an event.
        timeout_sec : float or None
            Longest wait; None for no limit.

        Returns
        -------
        ready : set of Subscription
            Those with messages.
        timers : list of Timer
            Those whose time has come; they go on to the next one.
        is_other_ready : bool
            Whether anything else is.
        """
        subscriptions = [each for each in self._handles if is_wanted(each)]
        waitables = [each for each in self._waitables if is_wanted(each)]
        self._set.clear_entities()
        for subscription in subscriptions:
            self._set.add_subscription(self._handles[subscription])
        for add, handle in self._others:
            add(handle)
        for waitable in waitables:
            waitable.add_to_wait_set(self._set)
        self._set.wait(-1 if timeout_sec is None else round(timeout_sec * _NS_PER_S))
        ready = {
            subscription
            for index, subscription in enumerate(subscriptions)
            if self._set.is_ready('subscription', index)
        }
        timers = [
            timer
            for index, timer in enumerate(self._timers)
            # One that has been cancelled can be ready in the set.
            if self._set.is_ready('timer', index) and timer.handle.is_timer_ready()
        ]
        for timer in timers:
            timer.handle.call_timer()
        others: list[Any] = [kind for kind in _LEFT_TO_RCLPY if self._set.get_ready_entities(kind)]
        others += [each for each in waitables if each.is_ready(self._set)]
        return ready, timers, bool(others)

    def release(self) -> None:
        """Let what was waited for be destroyed."""
        self._held.close()


def executor_of(node: StereoDepthNode) -> DirectExecutor:
    """Return the executor of a node, which serves its images directly."""
    return DirectExecutor(node, node.inputs.images, node.take_images)


def spin(node: StereoDepthNode) -> None:
    """Call the callbacks of a node until ROS shuts down.

    What ROS itself raises, such as for a message that it cannot read, does not end the node.
    """
    executor = executor_of(node)
    try:
        while node.context.ok():
            _spin_once(node, executor)
    finally:
        executor.remove_node(node)
        executor.shutdown()


@log_exceptions
def _spin_once(_node: Node, executor: DirectExecutor) -> None:
    executor.spin_once()
