# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the ROS graph knows of the node's topics: who publishes them, who listens, and why not.

Everything is asked for when it is wanted. QoS events of the subscriptions would tell some of it,
but each of them costs the executor time in every round.

rclpy lists the endpoints of a topic by its name before remapping, and counts them by the one
after it. So topics are handed around here by their names before remapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import (
    qos_check_compatible,
    QoSCompatibility,
    QoSLivelinessPolicy,
    QoSProfile,
)

from stereo_depth_node.core.health.causes import listed
from stereo_depth_node.core.health.snapshot import IncompatibleSubscriber, TopicSnapshot
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.messages.library import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    DISPARITY_IMAGE,
    IMAGE,
)

__all__ = [
    'incompatible_subscriber',
    'publisher_names',
    'rivals',
    'topic_snapshot',
    'unpublished',
]

_MAX_SIMILAR = 6
_INFINITE_NS = 2**63 - 1
# Policies that qos_overrides of this node can change -> what rclpy's reasons say of them; and what
# a publisher, or a subscription, of this node is set to so that it fits any other side.
_REASONS = {'reliability': 'best effort publisher', 'durability': 'volatile publisher'}
_OVERRIDES = {
    'reliability': {'publisher': 'reliable', 'subscription': 'best_effort'},
    'durability': {'publisher': 'transient_local', 'subscription': 'volatile'},
}


def topic_snapshot(
    node: Node, topic: str, type_name: str, qos: QoSProfile | None, *, own: Iterable[str] = ()
) -> TopicSnapshot:
    """Describe a topic that the node subscribes to.

    Parameters
    ----------
    node : Node
        Whose view of the graph it is.
    topic : str
        Its name before remapping.
    type_name : str
        What the node expects, such as ``sensor_msgs/msg/Image``.
    qos : QoSProfile or None
        Of the subscription; None while there is none.
    own : iterable of str
        Topics that the node itself publishes, after remapping.
    """
    name = node.resolve_topic_name(topic)
    publishers, mismatches, other_types = [], [], []
    for info in node.get_publishers_info_by_topic(topic):
        if info.topic_type != type_name:
            other_types.append(info.topic_type)
        elif qos is not None and (mismatch := _mismatch(info.qos_profile, qos)):
            mismatches.append((_node_name(info), mismatch))
        else:
            publishers.append(_node_name(info))
    similar: tuple[str, ...] = ()
    if not (publishers or mismatches or other_types):
        similar = _similar(node, name, type_name, {name, *own})
    incompatible = cure = ''
    if mismatches and not publishers:
        incompatible = '; '.join(f'{who}: {mismatch.reason}' for who, mismatch in mismatches)
        cure = mismatches[0][1].cure_of_subscriber(name)
    return TopicSnapshot(
        name=name,
        type=type_name,
        publishers=tuple(publishers),
        incompatible=incompatible,
        qos_cure=cure,
        other_types=tuple(dict.fromkeys(other_types)),
        similar=similar,
    )


def publisher_names(node: Node, topic: str, type_name: str) -> tuple[str, ...]:
    """Return the nodes that publish a topic when there are several, else nothing.

    To count them costs next to nothing, to list them some tens of microseconds.
    """
    if node.count_publishers(node.resolve_topic_name(topic)) < 2:
        return ()
    publishers = node.get_publishers_info_by_topic(topic)
    return tuple(_node_name(info) for info in publishers if info.topic_type == type_name)


def rivals(node: Node, publishers: Mapping[str, Publisher[Any]]) -> dict[str, tuple[str, ...]]:
    """Return the other nodes that publish what a node publishes, by topic after remapping.

    Parameters
    ----------
    node : Node
        Whose view of the graph it is.
    publishers : mapping of str to Publisher
        Its publishers by their topics before remapping.
    """
    found = {}
    for topic, publisher in publishers.items():
        if node.count_publishers(publisher.topic_name) > 1:
            names = list(map(_node_name, node.get_publishers_info_by_topic(topic)))
            own = node.get_fully_qualified_name()
            if own in names:  # once: another node may have the same name
                names.remove(own)
            # What has no full name yet is being discovered.
            others = tuple(name for name in names if name.startswith('/'))
            if others:
                found[publisher.topic_name] = others
    return found


def incompatible_subscriber(
    node: Node, publishers: Mapping[str, Publisher[Any]]
) -> IncompatibleSubscriber | None:
    """Return the first subscriber whose type or QoS keeps it from an output.

    Parameters
    ----------
    node, publishers
        As for :func:`rivals`.
    """
    for topic, publisher in publishers.items():
        name = publisher.topic_name
        if node.count_subscribers(name) <= publisher.get_subscription_count():
            continue  # all of them are reached
        for info in node.get_subscriptions_info_by_topic(topic):
            if info.topic_type != OUTPUTS[topic].type:
                reason = f'it expects {info.topic_type}, not {OUTPUTS[topic].type}'
                cure = _cure_of_type(info.topic_type, topic, publishers)
            elif mismatch := _mismatch(publisher.qos_profile, info.qos_profile):
                reason = f'its QoS does not fit ({mismatch.reason})'
                cure = mismatch.cure_of_publisher(name)
            else:
                continue
            return IncompatibleSubscriber(_node_name(info), name, reason, cure)
    return None


def _cure_of_type(asked: str, topic: str, publishers: Mapping[str, Publisher[Any]]) -> str:
    """Say what a subscriber is to do that asks for another type than that of an output."""
    cure = f'subscribe to it with {OUTPUTS[topic].type}'
    others = [
        publisher.topic_name
        for other, publisher in publishers.items()
        if OUTPUTS[other].type == asked
    ]
    return f'{cure}, or to {listed(others, "or")} instead' if others else cure


def unpublished(node: Node) -> tuple[str, ...]:
    """Return clouds and disparities that others subscribe to and that nobody publishes.

    Images and camera_info are too many: whatever waits for a camera subscribes to some.
    """
    types = {output.type for output in OUTPUTS.values()} - {IMAGE, CAMERA_INFO}
    found = [
        topic
        for topic, its_types in node.get_topic_names_and_types()
        if types.intersection(its_types)
        and node.count_subscribers(topic)
        and not node.count_publishers(topic)
    ]
    return tuple(found[:_MAX_SIMILAR])


class _Mismatch(NamedTuple):
    """Why a publisher does not reach a subscriber.

    Attributes
    ----------
    reason : str
        The policies that do not fit, as rclpy names them.
    policies : tuple of str
        Those that a parameter of this node can change; empty when that is not all of them.
    """

    reason: str
    policies: tuple[str, ...]

    def cure_of_publisher(self, topic: str) -> str:
        """Say what to do when the publisher is this node's."""
        return self._cure(topic, 'publisher', 'subscriber')

    def cure_of_subscriber(self, topic: str) -> str:
        """Say what to do when the subscriber is this node's."""
        return self._cure(topic, 'subscription', 'publisher')

    def _cure(self, topic: str, ours: str, other: str) -> str:
        theirs = f'change the QoS of the {other}'
        if not self.policies:
            return theirs
        overrides = ' '.join(
            f'-p qos_overrides.{topic}.{ours}.{policy}:={_OVERRIDES[policy][ours]}'
            for policy in self.policies
        )
        return f'start this node with --ros-args {overrides}, or {theirs}'


def _finite(profile: QoSProfile) -> QoSProfile:
    """Return what is compared of a profile.

    The graph has infinite durations where a profile at hand leaves them unset: rclpy takes that
    for a difference.
    """
    durations = {
        name: duration
        for name in ('deadline', 'liveliness_lease_duration')
        if (duration := getattr(profile, name)).nanoseconds < _INFINITE_NS
    }
    return QoSProfile(
        depth=1,
        reliability=profile.reliability,
        durability=profile.durability,
        # What is not set is automatic.
        liveliness=profile.liveliness or QoSLivelinessPolicy.AUTOMATIC,
        **durations,
    )


def _mismatch(offered: QoSProfile, asked: QoSProfile) -> _Mismatch | None:
    """Return why a publisher does not reach a subscriber, None when it does."""
    compatibility, reason = qos_check_compatible(_finite(offered), _finite(asked))
    if compatibility != QoSCompatibility.ERROR:
        return None
    errors = [
        part.strip().removeprefix('ERROR:').strip().lower()
        for part in reason.split(';')
        if 'ERROR' in part
    ]
    policies = tuple(
        policy for error in errors for policy, part in _REASONS.items() if part in error
    )
    return _Mismatch(', '.join(errors), policies if len(policies) == len(errors) else ())


def _similar(node: Node, name: str, type_name: str, known: set[str]) -> tuple[str, ...]:
    """Return other topics of a type, those first whose name has the most in common."""
    topics = dict(node.get_topic_names_and_types())
    for other_type, other_name, transport in (
        (COMPRESSED_IMAGE, f'{name}/compressed', 'compressed'),
        (IMAGE, name.removesuffix('/compressed'), 'raw'),
    ):
        if type_name != other_type and other_type in topics.get(other_name, ()):
            return (f'{other_name} (set image_transport to {transport})',)
    short = name.removesuffix('/compressed')
    if short != name and type_name in topics.get(short, ()):
        raw = short.removesuffix('/compressed')
        return (f'{short} (image_transport adds /compressed: remap to {raw})',)
    parts = set(name.split('/'))
    similar = [
        topic
        for topic, types in topics.items()
        if type_name in types
        and topic not in known
        and not _is_output(topic, topics)
        and node.count_publishers(topic)
    ]
    similar.sort(key=lambda topic: (-len(parts & set(topic.split('/'))), topic))
    return tuple(similar[:_MAX_SIMILAR])


def _is_output(topic: str, topics: Mapping[str, Iterable[str]]) -> bool:
    """Tell whether a topic belongs to another node of this kind: disparity is next to it."""
    return any(
        DISPARITY_IMAGE in topics.get(f'{topic.removesuffix(output)}disparity', ())
        for output in OUTPUTS
        if topic.endswith(f'/{output}')
    )


def _node_name(info: Any) -> str:
    """Return the name of a node; discovery may know an endpoint before its node, or no node."""
    name: str = info.node_name
    if name.startswith('_NODE_NAME_UNKNOWN'):
        return 'a node of unknown name'
    namespace: str = info.node_namespace
    if namespace.startswith('_NODE_NAMESPACE_UNKNOWN'):
        return name
    return f'{namespace.rstrip("/")}/{name}'
