# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policy permits what the running node does on the graph, and nothing else."""

from __future__ import annotations

from pathlib import Path
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph, Peer
from stereo_msgs.msg import DisparityImage

POLICY = Path(__file__).resolve().parents[2] / 'config' / 'sros2_policy.xml'
# What a profile may hold (policy.xsd of sros2): lists, their rules and their items.
RULES = {
    'topics': ({'publish', 'subscribe'}, 'topic'),
    'services': ({'reply', 'request'}, 'service'),
    'actions': ({'call', 'execute'}, 'action'),
}
# Humble's nodes have none.
SINCE_IRON = ('reply', '/stereo_depth_node/get_type_description')
NODE = ('stereo_depth_node', '/')


def only_child(element: ET.Element, name: str) -> ET.Element:
    (child,) = element
    assert child.tag == name
    return child


def permitted() -> list[tuple[str, str]]:
    """Return the rules with full names, after the structure that sros2 asks for."""
    policy = ET.parse(POLICY).getroot()
    assert (policy.tag, policy.attrib) == ('policy', {'version': '0.2.0'})
    enclave = only_child(only_child(policy, 'enclaves'), 'enclave')
    assert enclave.attrib == {'path': '/stereo_depth_node'}
    profile = only_child(only_child(enclave, 'profiles'), 'profile')
    assert profile.attrib == {'ns': '/', 'node': 'stereo_depth_node'}
    found = []
    for rules in profile:
        known, item = RULES[rules.tag]
        assert rules.attrib.keys() <= known
        assert set(rules.attrib.values()) == {'ALLOW'}
        for each in rules:
            assert each.tag == item
            assert not each.attrib
            name = (each.text or '').replace('~', '/stereo_depth_node')
            found += [
                (rule, name if name.startswith('/') else f'/{name}') for rule in rules.attrib
            ]
    return found


def done_by_the_node(graph: Graph, transport: str, layout: str) -> set[tuple[str, str]]:
    """Return what the node does while somebody listens, as rules."""
    here = graph.node(image_transport=transport, stereo_layout=layout, use_sim_time=True)
    peer = graph.add(Peer(graph))
    peer.listen('/disparity', DisparityImage)
    node = here.node
    graph.wait_until(lambda: node.inputs.are_open, 'the subscriptions of the images')
    ends = {
        'publish': node.get_publisher_names_and_types_by_node,
        'subscribe': node.get_subscriber_names_and_types_by_node,
        'reply': node.get_service_names_and_types_by_node,
        'request': node.get_client_names_and_types_by_node,
    }
    done = {(rule, name) for rule, of_node in ends.items() for name, _ in of_node(*NODE)}
    graph.remove(peer)
    graph.remove(here)
    return done


def test_the_policy_permits_what_the_node_does_and_nothing_else(graph: Graph) -> None:
    rules = permitted()
    done = {
        rule
        for transport in ('raw', 'compressed')
        for layout in ('separate', 'side_by_side')
        for rule in done_by_the_node(graph, transport, layout)
    }
    assert len(rules) == len(set(rules))
    assert set(rules) - {SINCE_IRON} == done - {SINCE_IRON}
    assert SINCE_IRON in rules
