# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Who wakes the node, and that it works on the executors of rclpy."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import BEST_EFFORT, Graph, NodeHere
import rclpy
from rclpy.executors import (
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from rclpy.parameter import Parameter
from rclpy.subscription import Subscription
from rig import camera_infos, messages_of, next_stamp_ns, Rig, stamp_ns_of
from scenes import plane, scene_of
from std_msgs.msg import Empty

from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.ros.node import StereoDepthNode
from stereo_depth_node.ros.wakeup import WakeUpExecutor

WIDTH, HEIGHT = 96, 64
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, 6.0)))
LEFT, RIGHT = 0, 1
SETTINGS = {'num_disparities': 16, 'block_size': 5}


def connected(graph: Graph, **parameters: Any) -> tuple[NodeHere, Rig]:
    """Start a node and a camera and connect them."""
    node = graph.node(**SETTINGS, **parameters)
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*PAIR)
    return node, rig


def send_in_order(rig: Rig, first: int) -> int:
    """Send a pair of which one camera is first, and wait for its disparity."""
    stamp_ns = next_stamp_ns()
    rig.publish_infos()
    for side in (first, 1 - first):
        rig.send_image(side, PAIR[side], stamp_ns)
    wait_for_disparity(rig, stamp_ns)
    return stamp_ns


def wait_for_disparity(rig: Rig, stamp_ns: int) -> None:
    """Wait for the disparity of a stamp."""
    rig.graph.wait_until(
        lambda: stamp_ns in map(stamp_ns_of, rig.heard['disparity']), f'disparity of {stamp_ns}'
    )


def wait_for_images(node: NodeHere, count: int) -> None:
    """Wait until the node has received so many images, and no more."""
    node.graph.wait_until(lambda: node.received == count, f'{count} images at the node')


def without_housekeeping(node: NodeHere) -> None:
    """Leave the node with nothing but images to wake it."""
    for timer in node.node.timers:
        timer.cancel()


def test_pairs_are_computed_whichever_camera_comes_last(graph: Graph) -> None:
    node, rig = connected(graph)
    without_housekeeping(node)
    first = LEFT
    send_in_order(rig, first)

    for _ in range(4):
        # The one that came last is now first, and the other one is late.
        first, last = 1 - first, first
        before, stamp_ns = node.received, next_stamp_ns()
        rig.send_image(first, PAIR[first], stamp_ns)
        wait_for_images(node, before + 1)
        rig.send_image(last, PAIR[last], stamp_ns)
        wait_for_disparity(rig, stamp_ns)

    assert node.dropped == {}


def test_the_camera_that_completes_the_pairs_wakes_the_node_alone(graph: Graph) -> None:
    node, rig = connected(graph)
    without_housekeeping(node)
    send_in_order(rig, LEFT)
    before = node.received

    # Nobody asks for the left image yet: it waits in the middleware.
    stamp_ns = next_stamp_ns()
    rig.send_image(LEFT, PAIR[LEFT], stamp_ns)
    later = rig.publisher('later', Empty)
    seen: list[Empty] = []
    rig.node.create_subscription(Empty, 'later', seen.append, BEST_EFFORT)
    graph.wait_until(lambda: seen, 'a message sent later', repeat=lambda: later.publish(Empty()))
    assert node.received == before

    rig.send_image(RIGHT, PAIR[RIGHT], stamp_ns)
    wait_for_images(node, before + 2)


def test_images_of_one_camera_are_counted_when_the_other_stops(graph: Graph) -> None:
    node, rig = connected(graph, queue_size=3)
    send_in_order(rig, LEFT)
    before = node.received

    for sent in range(1, 21):
        rig.send_image(LEFT, PAIR[LEFT], next_stamp_ns())
        wait_for_images(node, before + sent)

    assert node.dropped[DropReason.UNPAIRED.name] == 17
    node.assert_adds_up()


def test_a_calibration_counts_for_the_pair_that_comes_after_it(graph: Graph) -> None:
    node, rig = connected(graph)
    without_housekeeping(node)
    rig.infos = camera_infos(WIDTH, HEIGHT, baseline=0.25)
    rig.publish_infos()
    graph.wait_until(lambda: rig.infos, 'the calibration to be on its way')

    stamp_ns = send_in_order(rig, LEFT)

    (disparity,) = (m for m in rig.heard['disparity'] if stamp_ns_of(m) == stamp_ns)
    assert disparity.t == pytest.approx(0.25)


def test_images_that_come_too_fast_are_taken_again_at_once(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = graph.node().node
    counts, works = iter([5, 4, 2, 7]), []
    monkeypatch.setattr(type(node.inputs), 'messages_of_a_pair', 2)  # nobody subscribes here
    monkeypatch.setattr(node, '_take_arrived', lambda _first: next(counts))
    monkeypatch.setattr(node, '_work', lambda: works.append('a pair'))

    node._take_images()

    assert len(works) == 3  # the last of them when no more than a pair had come
    assert next(counts) == 7


def test_images_that_come_too_fast_leave_others_their_turn(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = graph.node().node
    deadline = time.monotonic() + 10.0
    monkeypatch.setattr(
        node, '_take_arrived', lambda _first: 9 if time.monotonic() < deadline else 0
    )

    node._take_images()

    assert time.monotonic() < deadline


def test_while_images_come_services_wait_for_the_housekeeping(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = graph.node().node
    executor = WakeUpExecutor(node, lambda: node.images_come)
    service, image = next(node.services), object.__new__(Subscription)
    monkeypatch.setattr(SingleThreadedExecutor, 'can_execute', lambda *_: True)

    node.images_come = True
    assert (executor.can_execute(service), executor.can_execute(image)) == (False, True)
    assert executor.can_execute(node._timer)

    node._keep_house()
    assert executor.can_execute(service)
    executor.shutdown()


@pytest.mark.parametrize('executor_type', [SingleThreadedExecutor, MultiThreadedExecutor])
def test_the_node_works_on_executors_of_rclpy(
    graph: Graph, executor_type: Any, monkeypatch: Any
) -> None:
    """As in a program that composes it with other nodes; never two callbacks at once."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=graph.domain_id)
    overrides = [Parameter(name, value=value) for name, value in SETTINGS.items()]
    node = StereoDepthNode(context=context, parameter_overrides=overrides)
    collisions = _watch_for_collisions(node, monkeypatch)
    executor = executor_type(context=context)
    executor.add_node(node)
    spinning = threading.Thread(target=executor.spin, daemon=True)
    spinning.start()
    try:
        rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
        rig.connect(*PAIR)
        for first in (LEFT, RIGHT, LEFT):
            send_in_order(rig, first)
    finally:
        executor.shutdown()
        rclpy.shutdown(context=context)
        spinning.join(30.0)
        node.destroy_node()
    assert collisions == []


def _watch_for_collisions(node: StereoDepthNode, monkeypatch: Any) -> list[str]:
    """Note whoever takes images, or looks at the node, while another one does."""
    collisions: list[str] = []
    busy = threading.Lock()

    def alone(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if not busy.acquire(blocking=False):
                collisions.append(name)
                return None
            try:
                return function(*arguments)
            finally:
                busy.release()

        return call

    for owner, name in ((node, '_take_arrived'), (node.diagnostics, 'update')):
        monkeypatch.setattr(owner, name, alone(name, getattr(owner, name)))
    return collisions
