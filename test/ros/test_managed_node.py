# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The managed node: what it does in each state, and that no transition costs anything."""

from __future__ import annotations

import os
from pathlib import Path
import random
import re
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('lifecycle_msgs', reason='lifecycle_msgs is not installed')

from harness import Graph, NodeHere
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.lifecycle import TransitionCallbackReturn
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of
from std_srvs.srv import Trigger

from stereo_depth_node.ros.managed_node import ManagedStereoDepthNode

NAME = '/stereo_depth_node'
NAME_PARTS = ('stereo_depth_node', '/')
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {'num_disparities': 16, 'block_size': 5}
PAIR = messages_of(scene_of(plane(96, 64, 6.0)))
# Transition -> the state in which it is possible, and the one that it leads to.
TRANSITIONS = {
    'configure': ('unconfigured', 'inactive'),
    'activate': ('inactive', 'active'),
    'deactivate': ('active', 'inactive'),
    'cleanup': ('inactive', 'unconfigured'),
}


class ManagedHere(NodeHere):
    """The managed node in this process."""

    kind = ManagedStereoDepthNode
    node: ManagedStereoDepthNode

    def go(self, transition: str) -> None:
        """Make a transition that succeeds."""
        done = getattr(self.node, f'trigger_{transition}')()
        assert done == TransitionCallbackReturn.SUCCESS, transition

    def entities(self) -> dict[str, int]:
        """Return how many of everything that ROS makes there are."""
        kinds = ('publishers', 'subscriptions', 'services', 'timers', 'clients', 'guards')
        return {kind: len(list(getattr(self.node, kind))) for kind in kinds}


@pytest.fixture
def managed(graph: Graph) -> ManagedHere:
    return graph.add(ManagedHere(graph, (), SETTINGS))


@pytest.fixture
def rig(graph: Graph, managed: ManagedHere) -> Rig:
    return Rig(graph, ('disparity', 'points2'), infos=camera_infos(96, 64))


def explained(rig: Rig) -> str:
    return rig.call(Trigger, f'{NAME}/explain', Trigger.Request()).message


def test_it_takes_part_in_the_graph_only_while_it_is_active(
    graph: Graph, managed: ManagedHere, rig: Rig
) -> None:
    """And does what the text of each state says until depth flows."""
    topic = managed.node.resolve_topic_name('disparity')

    def takes_part() -> tuple[int, bool, bool]:
        return rig.node.count_publishers(topic), rig.is_calibration_wanted, not rig.is_ignored

    text = explained(rig)
    assert text.startswith('inactive: the node is unconfigured')
    assert takes_part() == (0, False, False)
    first, second = re.findall(r'ros2 lifecycle set (\S+) (\w+)', text)
    for expected, (name, label) in (((1, False, False), first), ((1, True, True), second)):
        request = ChangeState.Request(transition=Transition(label=label))
        assert rig.call(ChangeState, f'{name}/change_state', request).success
        graph.wait_until(lambda wanted=expected: takes_part() == wanted, f'{expected} by {label}')
        if label == 'configure':
            assert f'activate it with ros2 lifecycle set {NAME} activate' in explained(rig)
            assert rig.set_parameter('block_size', 7).successful
    rig.connect(*PAIR)
    assert managed.node.parameters.current.block_size == 7
    managed.go('deactivate')
    graph.wait_until(lambda: takes_part() == (1, False, False), 'silence')
    computed = managed.node.state.computed
    rig.send(*PAIR)
    assert explained(rig).startswith('inactive: the node is inactive')
    assert managed.node.state.computed == computed


def test_a_hundred_transitions_lose_and_leak_nothing(
    graph: Graph, managed: ManagedHere, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any order, impossible ones and failures among them; with images while it is active."""
    rng = random.Random(7)
    infos, rig.infos = rig.infos, None
    entities: dict[str, dict[str, int]] = {}
    held: list[tuple[int, int]] = []
    assert rig.set_parameter('block_size', 9).successful
    state, heard, failures = 'unconfigured', rig.heard['points2'], 0
    for step in range(100):
        label = rng.choice([*TRANSITIONS])
        begin, end = TRANSITIONS[label]
        is_possible, fails = state == begin, rng.random() < 0.1
        with monkeypatch.context() as broken:
            if fails and label == 'activate':
                broken.setattr(managed.node.inputs.camera_infos, 'open', lambda: 1 / 0)
                end = 'unconfigured'
                failures += is_possible
            request = ChangeState.Request(transition=Transition(label=label))
            answer = rig.call(ChangeState, f'{NAME}/change_state', request)
        assert answer.success == (is_possible and (label, end) != ('activate', 'unconfigured'))
        state = end if is_possible else state
        told = rig.call(GetState, f'{NAME}/get_state', GetState.Request()).current_state.label
        assert managed.node.state.lifecycle == told == state
        if state == 'active':
            rig.infos, infos = infos, None  # the calibration comes once, and outlasts the rest
            graph.wait_until(lambda: rig.is_wanted, 'subscriptions to the images')
            heard.clear()
            rig.send_until(lambda: heard, *PAIR, f'points2 after step {step}')
            rig.infos = None
            rig.send(*PAIR)
        managed.assert_adds_up()
        counted = managed.entities()
        assert counted == entities.setdefault(state, counted)
        held.append((len(os.listdir('/proc/self/task')), len(os.listdir('/proc/self/fd'))))
    assert set(entities) == {'unconfigured', 'inactive', 'active'}
    assert failures
    assert managed.node.parameters.current.block_size == 9
    assert managed.node.state.computed >= 5
    # By the 20th step libraries have made most of what they keep; a leak would be of 80.
    for before, after in zip(held[20], held[-1], strict=True):
        assert after <= before + 10


def test_what_it_has_besides_is_what_the_page_on_security_says(managed: ManagedHere) -> None:
    node, policy = managed.node, ET.parse(ROOT / 'config/sros2_policy.xml').getroot()
    permitted = {each.text.replace('~', NAME) for each in policy.iter() if each.tag == 'service'}
    services = {name for name, _ in node.get_service_names_and_types_by_node(*NAME_PARTS)}
    topics = {name for name, _ in node.get_publisher_names_and_types_by_node(*NAME_PARTS)}
    page = (ROOT / 'docs/security.md').read_text()
    (told,) = re.findall(r'managed-node\) needs (.*?)\n- ', page, re.DOTALL)
    besides = {name for name in services - permitted | topics if name.startswith(NAME)}
    assert besides == {name.replace('~', NAME) for name in re.findall(r'`(~/\w+)`', told)}


def test_an_error_leads_back_to_the_beginning_and_a_shutdown_to_the_end(
    graph: Graph, managed: ManagedHere, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    managed.go('configure')
    with monkeypatch.context() as broken:
        broken.setattr(managed.node.inputs.camera_infos, 'open', lambda: 1 / 0)
        assert managed.node.trigger_activate() == TransitionCallbackReturn.ERROR
    assert managed.node.state.lifecycle == 'unconfigured'
    assert not managed.node.outputs.publishers
    for transition in ('configure', 'activate'):
        managed.go(transition)
    rig.connect(*PAIR)
    managed.go('shutdown')
    assert explained(rig).startswith('inactive: the node is finalized')
    assert 'start its process anew' in explained(rig)
    graph.wait_until(lambda: rig.is_ignored, 'no subscription to the images')
    managed.assert_adds_up()


def test_the_program_is_a_lifecycle_node_when_it_is_asked_to_be(graph: Graph) -> None:
    process = graph.node_process('--', '--managed', '--ros-args', **SETTINGS)
    rig = Rig(graph, ('disparity',), infos=camera_infos(96, 64))
    for label in ('configure', 'activate'):
        request = ChangeState.Request(transition=Transition(label=label))
        assert rig.call(ChangeState, f'{NAME}/change_state', request).success
    rig.connect(*PAIR)
    assert process.stop() == 0
