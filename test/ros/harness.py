# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node on a ROS graph of its own, and other programs that talk to it.

A `Graph` is one ROS domain that nobody else uses. On it run the node, in this process
(`NodeHere`: its attributes can be looked at, and it works only while the graph spins) or in its
own (`NodeProcess`), and any number of `Peer`: each has its own context, as another process would.

Nothing here sleeps. `Graph.wait_until` spins all of them until a condition holds; when it does
not in time, it fails with what each of them has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import time
from typing import Any, Protocol

from middleware import set_environment
from node_process import Fork, NodeProcess, Program
import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from stereo_depth_node.environment import reserved_domain
from stereo_depth_node.ros.node import StereoDepthNode

# Far above what anything takes, for machines that do much else at the same time.
DEADLINE_S = 120.0
# What comes at once as a rule is not coming, after so long.
ASK_AGAIN_S = 20.0

# Each member waits so long for a callback while the others wait for their turn; longer and longer
# while none has one, as each look takes a processor.
_SPIN_S, _LONGEST_SPIN_S = 0.002, 0.016
_REPEAT_S = 0.2

set_environment()

BEST_EFFORT = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)


class Member(Protocol):
    """What runs on a graph."""

    def spin(self, timeout_s: float) -> bool:
        """Handle one callback, or wait so long for one; return whether it came in time."""

    def seen(self) -> str:
        """Say what it has seen, for the message of a failure."""

    def close(self) -> None:
        """End it, whatever state it is in."""


class Graph:
    """One ROS domain and all that runs on it.

    Attributes
    ----------
    domain_id : int
        Its ROS_DOMAIN_ID.
    """

    def __init__(self, domain_id: int) -> None:
        self.domain_id = domain_id
        self._members: list[Member] = []
        self._spin_s = _SPIN_S

    def add(self, member: Any) -> Any:
        """Spin a member with the others from now on, and close it at the end; return it."""
        self._members.append(member)
        return member

    def remove(self, member: Member) -> None:
        """End a member before the graph ends."""
        self._members.remove(member)
        member.close()

    def nodes_here(self) -> list[NodeHere]:
        """Return the nodes that run in this process."""
        return [each for each in self._members if isinstance(each, NodeHere)]

    def node(self, *ros_arguments: str, **parameters: Any) -> NodeHere:
        """Start the node in this process."""
        return self.add(NodeHere(self, ros_arguments, parameters))

    def node_process(self, *ros_arguments: str, **parameters: Any) -> NodeProcess:
        """Start the node as a process of its own, forked from one that has imported it."""
        return self.add(NodeProcess(Fork, self.domain_id, ros_arguments, parameters))

    def node_program(self, *ros_arguments: str, **parameters: Any) -> NodeProcess:
        """Start the node as a process of its own, as ``ros2 run`` does."""
        return self.add(NodeProcess(Program, self.domain_id, ros_arguments, parameters))

    def wait_until(
        self,
        condition: Callable[[], Any],
        what: str,
        *,
        deadline_s: float = DEADLINE_S,
        repeat: Callable[[], Any] | None = None,
        period_s: float = _REPEAT_S,
    ) -> Any:
        """Spin until a condition holds and return what it gave.

        Parameters
        ----------
        condition
            Anything true ends the wait.
        what
            What is waited for, for the message of a failure.
        deadline_s
            Seconds after which it fails.
        repeat
            Called at once and again from time to time until then, such as to send a pair.
        period_s
            Seconds between two calls of `repeat`.
        """
        end, next_call = time.monotonic() + deadline_s, 0.0
        self._spin_s = _SPIN_S
        while not (result := condition()):
            now = time.monotonic()
            if now > end:
                raise AssertionError(f'waited {deadline_s} s for {what}\n{self.seen()}')
            if repeat is not None and now >= next_call:
                repeat()
                next_call = now + period_s
            self.spin()
        return result

    def spin(self) -> None:
        """Let every member handle one callback."""
        worked = [member.spin(self._spin_s) for member in tuple(self._members)]
        self._spin_s = _SPIN_S if any(worked) else min(2 * self._spin_s, _LONGEST_SPIN_S)

    def seen(self) -> str:
        """Return what every member has seen."""
        return '\n'.join(member.seen() for member in self._members)

    def close(self) -> None:
        """End all members."""
        while self._members:
            self._members.pop().close()


@contextmanager
def reserved_graph() -> Iterator[Graph]:
    """Give a graph on a domain that nobody else on this machine uses meanwhile."""
    with reserved_domain() as domain_id:
        graph = Graph(domain_id)
        try:
            yield graph
        finally:
            graph.close()


class Participant:
    """Something with a context and an executor of its own, spun by the graph."""

    node: Node

    def __init__(self, graph: Graph, ros_arguments: tuple[str, ...] = ()) -> None:
        self.graph = graph
        self.context = rclpy.Context()
        arguments = ['--ros-args', *ros_arguments] if ros_arguments else []
        rclpy.init(args=arguments, context=self.context, domain_id=graph.domain_id)

    def _run(self, node: Any) -> Any:
        self._executor: Executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(node)
        return node

    def spin(self, timeout_s: float) -> bool:
        """Handle one callback, or wait so long for one; return whether it came in time."""
        begun = time.monotonic()
        self._executor.spin_once(timeout_sec=timeout_s)
        return time.monotonic() - begun < timeout_s

    def close(self) -> None:
        """End the node and its context."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


class NodeHere(Participant):
    """The node in this process. It does nothing between two waits of the graph.

    Attributes
    ----------
    node : StereoDepthNode
        The node itself.
    """

    node: StereoDepthNode
    kind: type[StereoDepthNode] = StereoDepthNode

    def __init__(
        self, graph: Graph, ros_arguments: tuple[str, ...], parameters: dict[str, Any]
    ) -> None:
        super().__init__(graph, ros_arguments)
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        self.node = self.kind(context=self.context, parameter_overrides=overrides)
        self._run(self.node)

    @property
    def received(self) -> int:
        """Images received from both cameras."""
        return self.node.state.pairer.received

    @property
    def dropped(self) -> dict[str, int]:
        """Images dropped, by the name of the reason."""
        return {reason.name: count for reason, count in self.node.state.dropped.items()}

    def assert_adds_up(self) -> None:
        """Check that every image received is computed, counted as dropped, or waiting."""
        state = self.node.state
        accounted = 2 * state.computed + sum(self.dropped.values()) + state.waiting
        assert accounted == self.received, self.seen()

    def seen(self) -> str:
        """Say what the node counted."""
        state = self.node.state
        return (
            f'node: images received {self.received}, pairs computed {state.computed}, images '
            f'dropped {self.dropped}, waiting {state.waiting}, subscribed to '
            f'{list(self.node.inputs.subscriptions())}, heard by {self.node.outputs.subscribers()}'
            f', last failure {state.failure!r}'
        )


class Peer(Participant):
    """Another program on the graph: publishes, listens, calls services.

    Attributes
    ----------
    heard : dict of str to list
        The messages that came, by topic.
    """

    def __init__(self, graph: Graph, name: str = 'peer') -> None:
        super().__init__(graph)
        self.node = self._run(
            Node(name, context=self.context, enable_rosout=False, start_parameter_services=False)
        )
        self.heard: dict[str, list[Any]] = {}
        self._ears: dict[str, Any] = {}
        self._mouths: dict[str, Any] = {}

    def spin(self, timeout_s: float) -> bool:
        """Handle a callback of each topic, as a node publishes to all of them at once.

        Else those that are looked at last would get nothing where the node is slow.
        """
        has_come = super().spin(timeout_s)
        for _ in range(len(self._ears) - 1 if has_come else 0):
            self._executor.spin_once(timeout_sec=0.0)
        return has_come

    def listen(self, topic: str, message_type: Any, qos: QoSProfile = RELIABLE) -> list[Any]:
        """Subscribe; return the list that the messages go into."""
        heard = self.heard.setdefault(topic, [])
        self._ears[topic] = self.node.create_subscription(message_type, topic, heard.append, qos)
        return heard

    def stop_listening(self, topic: str) -> None:
        """Take a subscription back."""
        self.node.destroy_subscription(self._ears.pop(topic))

    def publisher(self, topic: str, message_type: Any, qos: QoSProfile = BEST_EFFORT) -> Any:
        """Return a publisher of a topic."""
        self._mouths[topic] = self.node.create_publisher(message_type, topic, qos)
        return self._mouths[topic]

    def stop_publishing(self, publisher: Any) -> None:
        """Take a publisher back."""
        self._mouths = {
            topic: each for topic, each in self._mouths.items() if each is not publisher
        }
        self.node.destroy_publisher(publisher)

    def call(self, service_type: Any, name: str, request: Any) -> Any:
        """Call a service and return its answer."""
        client = self.node.create_client(service_type, name)
        answer = self.ask(client, request)
        self.node.destroy_client(client)
        return answer

    def ask(self, client: Any, request: Any) -> Any:
        """Return the answer of a service; ask again where none comes.

        A server that has not discovered the client yet, on a busy machine, drops its answer.
        """
        service, answers = f'the service {client.srv_name}', []
        self.graph.wait_until(client.service_is_ready, service)
        self.graph.wait_until(
            lambda: any(each.done() for each in answers),
            f'an answer of {service}',
            repeat=lambda: answers.append(client.call_async(request)),
            period_s=ASK_AGAIN_S,
        )
        return next(each.result() for each in answers if each.done())

    def seen(self) -> str:
        """Say what came, and who listens."""
        heard = {topic: len(messages) for topic, messages in self.heard.items()}
        listeners = {topic: each.get_subscription_count() for topic, each in self._mouths.items()}
        return f'{self.node.get_name()}: heard {heard}, is heard by {listeners}'
