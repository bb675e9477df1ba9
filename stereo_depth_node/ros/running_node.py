# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A stereo_depth_node that runs elsewhere, watched and changed from another program."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
import os
import threading
import time
from typing import Any

from rcl_interfaces.msg import ParameterEvent
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
import rclpy
from rclpy.context import Context
from rclpy.exceptions import InvalidTopicNameException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.qos import (
    DurabilityPolicy,
    qos_profile_sensor_data,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.validate_full_topic_name import validate_full_topic_name
from std_srvs.srv import Trigger
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages.library import DISPARITY_IMAGE
from stereo_depth_node.core.settings.parameter import Changes, Value
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.environment import fast_dds_environment
from stereo_depth_node.ros.messages import message_class

__all__ = ['RunningNode']

_ANSWER_S, _ASK_AGAIN_S, _LOG_PERIOD_S = 10.0, 2.5, 5.0
# Discovery takes a second, on a busy computer many.
_FIND_S = 30.0
_EVENTS = QoSProfile(depth=1000)
_RELIABLE = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)
_SERVICE = '/set_parameters_atomically'


class RunningNode:
    """Talks to a node through its topics, parameters and services; in a thread of its own.

    Parameters
    ----------
    name : str
        Of the node, with its namespace: ``/stereo_depth_node``.

    Attributes
    ----------
    name : str
        The same, with a slash before it.
    on_change : callable
        Called in that thread when a parameter of the node has changed, or a result has come.

    Raises
    ------
    InputError
        If there is no such node, whose text lists those that there are, or it is no name.
    """

    def __init__(self, name: str) -> None:
        # Before the first context: the middleware reads them only then.
        os.environ.update(fast_dds_environment(os.environ))
        self.name = name if name.startswith('/') else f'/{name}'
        try:
            validate_full_topic_name(f'{self.name}{_SERVICE}')
        except InvalidTopicNameException as error:
            reason = str(error).partition('\n')[0].rstrip(':')
            raise InputError(
                f'{printable(self.name)} is no name of a node, as /stereo_depth_node is: {reason}'
            ) from error
        self._namespace, _, self._base = self.name.rpartition('/')
        self.on_change: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._messages: dict[str, deque[bytes]] = {}
        self._disparity: DisparityImage | None = None
        self._disparity_s = self._changed_s = 0.0
        self._context = Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node(
            f'stereo_depth_studio_{os.getpid()}',
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._get: Any = self._node.create_client(GetParameters, f'{self.name}/get_parameters')
        self._set: Any = self._node.create_client(
            SetParametersAtomically, f'{self.name}{_SERVICE}'
        )
        self._explain: Any = self._node.create_client(Trigger, f'{self.name}/explain')
        self._values: dict[str, Value] = {}
        self._node.create_subscription(
            ParameterEvent, '/parameter_events', self._take_event, _EVENTS
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True, name='running node')
        self._thread.start()
        try:
            self._find()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leave the graph; it cannot be used afterwards."""
        self._context.try_shutdown()
        self._thread.join(_ANSWER_S)
        self._executor.shutdown()
        self._node.destroy_node()

    def values(self) -> dict[str, Value]:
        """Return the parameters that are settings, as far as they are known."""
        with self._lock:
            return dict(self._values)

    def set(self, changes: Changes) -> str:
        """Set parameters, all of them or none.

        Returns
        -------
        str
            Why the node refuses them; empty when they are set.
        """
        request = SetParametersAtomically.Request()
        request.parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in changes.items()
        ]
        answer = self._ask(self._set, request)
        if answer is None:
            return f'{self.name} does not answer: is it still running?'
        if answer.result.successful:
            with self._lock:
                self._values.update(changes)
            self._changed_s = time.monotonic()
            return ''
        return printable(answer.result.reason, 1000)

    def explain(self) -> str:
        """Return what the node says of itself."""
        answer = self._ask(self._explain, Trigger.Request())
        return f'{self.name} does not answer.' if answer is None else str(answer.message)

    def inputs(self) -> list[tuple[str, str]]:
        """Return names and types of the topics that the node subscribes to."""
        return self._topics(self._node.get_subscriber_names_and_types_by_node)

    def watch(self, topics: Mapping[str, str], depths: Mapping[str, int]) -> None:
        """Subscribe to topics that the node subscribes to.

        Parameters
        ----------
        topics : mapping of str to str
            Their types by their names.
        depths : mapping of str to int
            How many messages of each are kept.
        """
        for topic, kind in topics.items():
            kept: deque[bytes] = deque(maxlen=depths[topic])
            self._messages[topic] = kept
            self._node.create_subscription(
                message_class(kind), topic, _taker(kept), self._profile(topic), raw=True
            )

    def watch_disparity(self) -> None:
        """Subscribe to the disparities of the node: without anybody who does, it rests."""
        outputs = self._topics(self._node.get_publisher_names_and_types_by_node)
        remapped = (topic for topic, kind in outputs if kind == DISPARITY_IMAGE)
        topic = next(remapped, f'{self._namespace}/disparity')
        self._node.create_subscription(DisparityImage, topic, self._take_disparity, _RELIABLE)

    def messages(self, topic: str) -> list[bytes]:
        """Return the last messages of a topic that is watched, serialized, the newest last."""
        return list(self._messages[topic])

    def disparity(self) -> DisparityImage | None:
        """Return the last result of the node."""
        return self._disparity

    @property
    def is_current(self) -> bool:
        """Whether the last result came after the last change of the parameters."""
        return self._disparity_s > self._changed_s

    def _topics(self, find: Callable[[str, str], Any]) -> list[tuple[str, str]]:
        """Return names and types of topics of the node, as a method of rclpy finds them."""
        try:
            found = find(self._base, self._namespace or '/')
        except Exception as error:  # rclpy raises its own for a node that has gone
            raise InputError(f'{self.name} is not there any more: {error}') from error
        return [(topic, kind) for topic, kinds in found for kind in kinds]

    def _profile(self, topic: str) -> QoSProfile:
        """Return a profile that fits all publishers of a topic, and asks for what is latched."""
        found = self._node.get_publishers_info_by_topic(topic)
        latched = DurabilityPolicy.TRANSIENT_LOCAL
        if found and all(each.qos_profile.durability == latched for each in found):
            return QoSProfile(depth=1, durability=latched)
        return qos_profile_sensor_data

    def _find(self) -> None:
        end = time.monotonic() + _FIND_S
        while not self._is_there():
            if time.monotonic() > end:
                others = ', '.join(sorted(self._others())) or 'none'
                raise InputError(
                    f'there is no node {printable(self.name)} that can be set; the nodes of '
                    f'stereo_depth_node that were found: {others}. Compare ROS_DOMAIN_ID'
                )
            time.sleep(0.05)
        names = list(known_parameters())
        answer = self._ask(self._get, GetParameters.Request(names=names))
        if answer is None or len(answer.values) != len(names):
            raise InputError(f'{printable(self.name)} does not tell its parameters')
        self._take_values(zip(names, answer.values, strict=True))
        if not self._values:
            raise InputError(f'{printable(self.name)} has none of the parameters of this package')

    def _is_there(self) -> bool:
        """Say whether the node has been discovered: its services, and which it is."""
        nodes = self._node.get_node_names_and_namespaces()
        is_known = (self._base, self._namespace or '/') in nodes
        return is_known and self._get.service_is_ready() and self._set.service_is_ready()

    def _others(self) -> Iterable[str]:
        """Yield the nodes that can be asked to explain themselves."""
        for service, _ in self._node.get_service_names_and_types():
            name = service.removesuffix('/explain')
            if name not in (service, self.name):  # the graph also names what is asked for
                yield name

    def _ask(self, client: Any, request: Any) -> Any:
        """Return the answer of a service, None where none comes; ask again meanwhile.

        A server that has not discovered who asks, on a busy machine, drops its answer.
        """
        answered = threading.Event()
        futures, end = [], time.monotonic() + _ANSWER_S
        while not answered.is_set() and time.monotonic() < end:
            futures.append(client.call_async(request))
            futures[-1].add_done_callback(lambda _: answered.set())
            answered.wait(_ASK_AGAIN_S)
        for future in futures:
            client.remove_pending_request(future)
        return next((each.result() for each in futures if each.done()), None)

    def _take_disparity(self, message: DisparityImage) -> None:
        self._disparity, self._disparity_s = message, time.monotonic()
        self.on_change()

    def _take_event(self, event: ParameterEvent) -> None:
        if event.node == self.name:
            changed = (*event.new_parameters, *event.changed_parameters)
            self._take_values((each.name, each.value) for each in changed)
            self._changed_s = time.monotonic()
            self.on_change()

    def _take_values(self, values: Iterable[tuple[str, Any]]) -> None:
        known = known_parameters()
        with self._lock:
            for name, value in values:
                plain = parameter_value_to_python(value)
                if name in known and isinstance(plain, (bool, int, float, str)):
                    self._values[name] = plain

    def _spin(self) -> None:
        while self._context.ok():
            self._take_messages()

    def _take_messages(self) -> None:
        """Take what comes, until ROS shuts down or a message comes that cannot be read."""
        try:
            self._executor.spin()
        except ExternalShutdownException:
            pass
        except Exception as error:  # noqa: BLE001 (the others are taken all the same)
            text = f'a message cannot be read: {printable(error)}'
            self._node.get_logger().warning(text, throttle_duration_sec=_LOG_PERIOD_S)


def _taker(kept: deque[bytes]) -> Callable[[bytes], None]:
    """Return what takes messages: rclpy looks at its signature, which `append` has not."""

    def take(serialized: bytes) -> None:
        kept.append(serialized)

    return take
