# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Who calls the node, and what wakes it up."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import BEST_EFFORT, Graph, NodeHere, Participant, RELIABLE
import rclpy
from rclpy.executors import (
    ExternalShutdownException,
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from rclpy.parameter import Parameter
from rig import camera_infos, messages_of, next_stamp_ns, Rig, stamp_ns_of
from scenes import plane, scene_of
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.ros import executor as executor_module
from stereo_depth_node.ros.executor import DirectExecutor
from stereo_depth_node.ros.node import StereoDepthNode
from stereo_depth_node.ros.qos import SubscriptionEventCallbacks

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
    for eye in (first, 1 - first):
        rig.send_eye(eye, PAIR[eye], stamp_ns)
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
        rig.send_eye(first, PAIR[first], stamp_ns)
        wait_for_images(node, before + 1)
        rig.send_eye(last, PAIR[last], stamp_ns)
        wait_for_disparity(rig, stamp_ns)

    assert node.dropped == {}


def test_the_camera_that_completes_the_pairs_wakes_the_node_alone(graph: Graph) -> None:
    node, rig = connected(graph)
    without_housekeeping(node)
    send_in_order(rig, LEFT)
    before = node.received

    # Nobody asks for the left image yet: it waits in the middleware.
    stamp_ns = next_stamp_ns()
    rig.send_eye(LEFT, PAIR[LEFT], stamp_ns)
    later = rig.publisher('later', Empty)
    seen: list[Empty] = []
    rig.node.create_subscription(Empty, 'later', seen.append, BEST_EFFORT)
    graph.wait_until(lambda: seen, 'a message sent later', repeat=lambda: later.publish(Empty()))
    assert node.received == before

    rig.send_eye(RIGHT, PAIR[RIGHT], stamp_ns)
    wait_for_images(node, before + 2)


def test_images_of_one_camera_are_counted_when_the_other_stops(graph: Graph) -> None:
    node, rig = connected(graph, queue_size=3)
    send_in_order(rig, LEFT)
    before = node.received

    for sent in range(1, 21):
        rig.send_eye(LEFT, PAIR[LEFT], next_stamp_ns())
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
    monkeypatch.setattr(node.inputs, 'drain', lambda: next(counts))
    monkeypatch.setattr(node, '_work', lambda: works.append('a pair'))

    node.take_images()

    assert len(works) == 3  # the last of them when no more than a pair had come
    assert next(counts) == 7


def test_images_that_come_too_fast_leave_others_their_turn(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = graph.node().node
    deadline = time.monotonic() + 10.0
    monkeypatch.setattr(node.inputs, 'drain', lambda: 9 if time.monotonic() < deadline else 0)

    node.take_images()

    assert time.monotonic() < deadline


class Served(Participant):
    """A node with all kinds of callbacks, on a DirectExecutor."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.node = rclpy.create_node('served', context=self.context)
        self.calls: list[str] = []
        self.direct = self.node.create_subscription(Empty, 'direct', self._note('callback'), 1)
        self._executor = DirectExecutor(self.node, lambda: [self.direct], self._serve)

    def _note(self, name: str) -> Callable[..., Any]:
        return lambda *_: self.calls.append(name)

    def _serve(self) -> None:
        with self.direct.handle:
            if self.direct.handle.take_message(Empty, False) is not None:
                self.calls.append('direct')

    def seen(self) -> str:
        """Say what has been called."""
        return f'called: {self.calls}'

    def answer(self, _request: Any, response: Trigger.Response) -> Trigger.Response:
        """Serve."""
        self.calls.append('service')
        response.success = True
        return response

    def expect(self, name: str, repeat: Callable[[], Any] | None = None) -> None:
        """Wait until something has been called."""
        self.graph.wait_until(lambda: name in self.calls, name, repeat=repeat)


@pytest.fixture(params=['kept wait set', 'none can be made', 'none can wait'])
def served(graph: Graph, request: pytest.FixtureRequest, monkeypatch: Any) -> Served:
    """Give a node, also as a release of rclpy would serve it whose insides are others."""

    def has_changed(*_: Any) -> None:
        raise TypeError('another release of rclpy')

    if request.param == 'none can be made':
        monkeypatch.setattr(executor_module, '_WaitSet', has_changed)
    elif request.param == 'none can wait':
        monkeypatch.setattr(executor_module._WaitSet, 'wait', has_changed)
    return graph.add(Served(graph))


def test_all_kinds_of_callbacks_are_called(graph: Graph, served: Served) -> None:
    """Also of what is created while the executor already spins."""
    node = served.node
    publish = node.create_publisher(Empty, 'direct', 1).publish
    graph.wait_until(
        lambda: {'direct', 'callback'} & {*served.calls},
        'the direct subscription',
        repeat=lambda: publish(Empty()),
    )
    node.create_timer(0.01, served._note('timer'))
    served.expect('timer')
    node.create_subscription(Empty, 'other', served._note('subscription'), 1)
    publish_other = node.create_publisher(Empty, 'other', 1).publish
    served.expect('subscription', repeat=lambda: publish_other(Empty()))
    node.create_service(Trigger, 'ask', served.answer)
    client = node.create_client(Trigger, 'ask')
    graph.wait_until(client.service_is_ready, 'the service')
    client.call_async(Trigger.Request()).add_done_callback(served._note('client'))
    served.expect('service')
    served.expect('client')
    node.executor.create_task(served._note('task'))
    served.expect('task')


def test_timers_are_called_when_they_are_due_and_not_once_they_are_cancelled(
    served: Served,
) -> None:
    node, calls = served.node, served.calls
    often = node.create_timer(0.01, served._note('often'))
    node.create_timer(0.2, served._note('rarely'))
    served.graph.wait_until(lambda: calls.count('rarely') >= 3, '3 calls of the rare timer')
    # It can be called too rarely on a busy machine, and never more often than this.
    assert calls.count('rarely') <= calls.count('often') <= 20 * calls.count('rarely') + 20

    often.cancel()
    before, rarely = calls.count('often'), calls.count('rarely')
    served.graph.wait_until(lambda: calls.count('rarely') >= rarely + 2, '2 more of the rare')
    assert calls.count('often') == before

    often.reset()
    served.graph.wait_until(lambda: calls.count('often') > before, 'the timer that goes on')


@pytest.mark.parametrize('has_had_an_event', [False, True])
def test_what_a_timer_destroys_is_gone_at_once(graph: Graph, has_had_an_event: bool) -> None:
    """Its queue is as large as many images, and it would go on receiving."""
    served = graph.add(Served(graph))
    node = served.node
    events = SubscriptionEventCallbacks(
        incompatible_qos=served._note('event'), use_default_callbacks=False
    )
    doomed = node.create_subscription(Empty, 'doomed', print, RELIABLE, event_callbacks=events)
    if has_had_an_event:
        node.create_publisher(Empty, 'doomed', BEST_EFFORT)
        served.expect('event')
    assert node.count_subscribers('doomed') == 1

    def destroy() -> None:
        timer.cancel()
        node.destroy_subscription(doomed)
        served.calls.append('destroyed')

    timer = node.create_timer(0.05, destroy)
    deadline = time.monotonic() + 30.0
    while 'destroyed' not in served.calls and time.monotonic() < deadline:
        node.executor.spin_once(1.0)

    assert served.calls[-1] == 'destroyed'
    assert node.count_subscribers('doomed') == 0


def test_a_direct_subscription_is_not_called_back(graph: Graph) -> None:
    served = graph.add(Served(graph))
    publish = served.node.create_publisher(Empty, 'direct', 1).publish
    for count in range(1, 6):
        graph.wait_until(
            lambda count=count: served.calls.count('direct') >= count,
            f'{count} messages',
            repeat=lambda: publish(Empty()),
        )
    assert set(served.calls) == {'direct'}


def test_a_wait_ends_with_its_time(served: Served) -> None:
    """With nothing to do at all."""
    for _ in range(5):
        served.node.executor.spin_once(0.01)
    assert served.calls == []


def test_a_shutdown_ends_an_endless_wait(graph: Graph) -> None:
    served = graph.add(Served(graph))
    ended = threading.Event()

    def spin() -> None:
        try:
            while True:
                served.node.executor.spin_once()
        except ExternalShutdownException:
            ended.set()

    spinning = threading.Thread(target=spin, daemon=True)
    spinning.start()
    rclpy.shutdown(context=served.context)
    assert ended.wait(30.0)
    spinning.join(30.0)


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
    """Note whoever drains the inputs, or looks at the node, while another one does."""
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

    for owner, name in ((node.inputs, 'drain'), (node.diagnostics, 'update')):
        monkeypatch.setattr(owner, name, alone(name, getattr(owner, name)))
    return collisions
