# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the ROS graph knows of the node's topics: who publishes them, who listens, and why not.

Everything is asked for when it is wanted. QoS events of the subscriptions would tell some of it,
but each of them costs the executor time in every round.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import qos_check_compatible, QoSCompatibility, QoSProfile

from stereo_depth_node.core.health.snapshot import TopicSnapshot

__all__ = ['incompatible_subscriber', 'topic_snapshot']

_IMAGE, _COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
_MAX_SIMILAR = 6


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
    publishers, reasons, other_types = [], [], []
    for info in node.get_publishers_info_by_topic(topic):
        reason = '' if qos is None else _incompatibility(info.qos_profile, qos)
        if info.topic_type != type_name:
            other_types.append(info.topic_type)
        elif reason:
            reasons.append(f'{_node_name(info)}: {reason}')
        else:
            publishers.append(_node_name(info))
    similar: tuple[str, ...] = ()
    if not (publishers or reasons or other_types):
        similar = _similar(node, name, type_name, {name, *own})
    return TopicSnapshot(
        name=name,
        type=type_name,
        publishers=tuple(publishers),
        incompatible='; '.join(reasons) if not publishers else '',
        other_types=tuple(dict.fromkeys(other_types)),
        similar=similar,
    )


def incompatible_subscriber(
    node: Node, publishers: Iterable[Publisher[Any]]
) -> tuple[str, str, str] | None:
    """Return node, topic and reason of the first subscriber whose QoS keeps it from an output."""
    for publisher in publishers:
        for info in node.get_subscriptions_info_by_topic(publisher.topic_name):
            reason = _incompatibility(publisher.qos_profile, info.qos_profile)
            if reason:
                return _node_name(info), publisher.topic_name, reason
    return None


def _incompatibility(offered: QoSProfile, asked: QoSProfile) -> str:
    """Return why a publisher does not reach a subscriber; empty when it does."""
    compatibility, reason = qos_check_compatible(offered, asked)
    if compatibility != QoSCompatibility.ERROR:
        return ''
    errors = [part.strip() for part in reason.split(';') if 'ERROR' in part]
    return ', '.join(error.removeprefix('ERROR:').strip().lower() for error in errors)


def _similar(node: Node, name: str, type_name: str, known: set[str]) -> tuple[str, ...]:
    """Return other topics of a type, those first whose name has the most in common."""
    topics = dict(node.get_topic_names_and_types())
    for other_type, other_name, transport in (
        (_COMPRESSED, f'{name}/compressed', 'compressed'),
        (_IMAGE, name.removesuffix('/compressed'), 'raw'),
    ):
        if type_name != other_type and other_type in topics.get(other_name, ()):
            return (f'{other_name} (set image_transport to {transport})',)
    words = set(name.split('/'))
    similar = [
        topic
        for topic, types in topics.items()
        if type_name in types and topic not in known and node.count_publishers(topic)
    ]
    similar.sort(key=lambda topic: (-len(words & set(topic.split('/'))), topic))
    return tuple(similar[:_MAX_SIMILAR])


def _node_name(info: Any) -> str:
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'
