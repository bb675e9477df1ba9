# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of the ROS graph: of remapped topics, and of what is known only in part."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from harness import Graph, Peer
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from stereo_depth_node.core.messages.library import CAMERA_INFO
from stereo_depth_node.ros.graph import publisher_names, rivals, topic_snapshot

IMAGE = 'sensor_msgs/msg/Image'
# As rmw gives them until the node of an endpoint has been discovered.
UNKNOWN = ('_NODE_NAME_UNKNOWN_', '_NODE_NAMESPACE_UNKNOWN_')


def node_that_knows(*publishers: tuple[str, str]) -> Any:
    """Return a node whose topics are published by nodes of these names and namespaces."""
    infos = [
        SimpleNamespace(
            node_name=name,
            node_namespace=namespace,
            topic_type=IMAGE,
            qos_profile=QoSProfile(depth=1),
        )
        for name, namespace in publishers
    ]
    return SimpleNamespace(
        get_fully_qualified_name=lambda: '/stereo_depth_node',
        resolve_topic_name='/{}'.format,
        count_publishers=lambda _topic: len(infos),
        get_publishers_info_by_topic=lambda _topic: infos,
    )


@pytest.mark.parametrize(
    ('publisher', 'name'),
    [
        (('driver', '/cam'), '/cam/driver'),
        (('driver', '/'), '/driver'),
        (('driver', UNKNOWN[1]), 'driver'),
        (UNKNOWN, 'a node of unknown name'),
    ],
)
def test_a_node_is_called_by_what_is_known_of_it(publisher: tuple[str, str], name: str) -> None:
    node = node_that_knows(publisher, ('second', '/'))
    assert publisher_names(node, 'left/image_rect', IMAGE) == (name, '/second')
    assert topic_snapshot(node, 'left/image_rect', IMAGE, None).publishers == (name, '/second')


def test_nodes_without_a_full_name_are_no_rivals_yet() -> None:
    output: Any = SimpleNamespace(topic_name='/disparity')
    own = ('stereo_depth_node', '/')
    unknown = node_that_knows(own, UNKNOWN, ('depth_b', UNKNOWN[1]))
    assert rivals(unknown, {'disparity': output}) == {}
    known = node_that_knows(own, ('depth_b', '/'))
    assert rivals(known, {'disparity': output}) == {'/disparity': ('/depth_b',)}


def test_topics_are_looked_up_by_what_they_are_remapped_to_and_no_further(graph: Graph) -> None:
    """Exchanged, as the cause cameras_swapped advises, and one behind the other."""
    node = graph.node(
        *('-r', 'left/camera_info:=/right/camera_info'),
        *('-r', 'right/camera_info:=/left/camera_info'),
        *('-r', 'image_rect:=/left', '-r', 'depth/image_rect:=/image_rect'),
    ).node
    for name in ('/a', '/b'):
        driver = graph.add(Peer(graph, name[1:]))
        driver.publisher('/right/camera_info', CameraInfo)
        driver.publisher('/image_rect', Image)

    def found() -> list[Any]:
        sides = ('left/camera_info', 'right/camera_info')
        infos = [sorted(publisher_names(node, topic, CAMERA_INFO)) for topic in sides]
        others = rivals(node, node.outputs.publishers)
        return [*infos, {topic: sorted(names) for topic, names in others.items()}]

    both = ['/a', '/b']
    graph.wait_until(lambda: found() == [both, [], {'/image_rect': both}], 'the publishers')
