# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames are computed: pairing, policies, load; every image is accounted for."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph, NodeHere, RELIABLE
from rclpy.qos import QoSReliabilityPolicy
from rig import camera_infos, image_message, messages_of, next_stamp_ns, Rig, stamp_ns_of
from scenes import plane, scene_of

from stereo_depth_node.core.processing import PairFailure

WIDTH, HEIGHT = 160, 100
SCENE = scene_of(plane(WIDTH, HEIGHT, 10))
PAIR = messages_of(SCENE)
MS = 1_000_000


def connected(graph: Graph, **parameters: Any) -> tuple[NodeHere, Rig]:
    """Start a node and a camera and connect them."""
    node = graph.node(**parameters)
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*PAIR)
    return node, rig


def wait_until_at_rest(node: NodeHere, images: int) -> None:
    """Wait until the node has received so many images and has none left to compute."""
    node.graph.wait_until(
        lambda: node.received == images and not node.node.state.frames,
        f'{images} images to be handled',
    )


def stamps(rig: Rig) -> list[int]:
    return [stamp_ns_of(message) for message in rig.heard['disparity']]


def test_every_frame_is_computed_in_order_when_asked_for(graph: Graph) -> None:
    """All are there before the node takes the first of them."""
    node, rig = connected(graph, frame_policy='every', queue_size=40)
    before = node.received

    sent = [rig.send(*PAIR) for _ in range(40)]

    graph.wait_until(lambda: len(stamps(rig)) >= 40, '40 disparities')
    assert stamps(rig) == sent
    assert node.received == before + 80
    assert sum(node.dropped.values()) == 0
    node.assert_adds_up()


def test_a_full_backlog_drops_its_oldest_pairs_and_counts_them(graph: Graph) -> None:
    """The queue holds 4 pairs, the middleware twice as many."""
    node, rig = connected(graph, frame_policy='every', queue_size=4)
    before, computed = node.received, node.node.state.computed

    sent = [rig.send(*PAIR) for _ in range(8)]

    wait_until_at_rest(node, before + 16)
    dropped = node.dropped['BACKLOG_FULL']
    assert dropped > 0
    assert node.node.state.computed - computed + dropped // 2 == 8
    graph.wait_until(lambda: len(stamps(rig)) == 8 - dropped // 2, 'the others')
    assert stamps(rig) == sorted(stamps(rig))
    assert stamps(rig)[-4:] == sent[-4:]
    node.assert_adds_up()


def test_the_newest_pair_wins_under_load_and_the_others_are_counted(graph: Graph) -> None:
    node, rig = connected(graph)
    before, computed = node.received, node.node.state.computed

    sent = [rig.send(*PAIR) for _ in range(12)]

    wait_until_at_rest(node, before + 24)
    graph.wait_until(lambda: sent[-1] in stamps(rig), 'the newest pair')
    computed = node.node.state.computed - computed
    # The one that came first, if it was taken alone, and the newest of the others.
    assert computed <= 2
    assert node.dropped == {'SUPERSEDED': 2 * (12 - computed)}
    assert stamps(rig) == sorted(stamps(rig))
    node.assert_adds_up()


def test_each_policy_holds_from_the_change_on(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT), qos=RELIABLE)
    rig.connect(*PAIR)
    reliability = QoSReliabilityPolicy
    for policy, asked in (('every', reliability.RELIABLE), ('latest', reliability.BEST_EFFORT)):
        assert rig.set_parameter('frame_policy', policy).successful
        graph.wait_until(
            lambda asked=asked: all(
                node.node.inputs.subscriptions()[f'{side} image'].qos_profile.reliability == asked
                for side in ('left', 'right')
            ),
            f'the subscriptions of {policy}',
        )
        rig.connect(*PAIR)
        rig.exchange(*PAIR)  # the last: none is under way any more
        before, computed = node.received, node.node.state.computed

        for _ in range(10):
            rig.send(*PAIR)

        wait_until_at_rest(node, before + 20)
        computed = node.node.state.computed - computed
        assert computed == 10 if policy == 'every' else computed <= 2
        node.assert_adds_up()


def test_images_pair_by_approximate_time_and_lonely_ones_are_counted(graph: Graph) -> None:
    """Stamps jitter by up to 4 ms; every fifth image is missing, left and right in turn."""
    node, rig = connected(graph, frame_policy='every', queue_size=30, sync_tolerance=0.01)
    before = node.received
    rng = np.random.default_rng(3)
    sent, lonely = [], 0
    for number in range(30):
        stamp_ns = next_stamp_ns()
        jitter_ns = int(rng.integers(-4 * MS, 4 * MS))
        missing = number // 5 % 2 if number % 5 == 2 else None
        if missing != 0:
            rig.send_image(0, PAIR[0], stamp_ns)
        if missing != 1:
            rig.send_image(1, PAIR[1], stamp_ns + jitter_ns)
        if missing is None:
            sent.append(stamp_ns)
        else:
            lonely += 1

    graph.wait_until(lambda: len(stamps(rig)) >= len(sent), f'{len(sent)} disparities')
    assert stamps(rig) == sent
    assert node.received == before + 2 * len(sent) + lonely
    assert node.node.state.pairer.waiting + node.dropped.get('UNPAIRED', 0) == lonely
    node.assert_adds_up()


def test_images_further_apart_than_the_tolerance_give_nothing(graph: Graph) -> None:
    node, rig = connected(graph, sync_tolerance=0.0, frame_policy='every')
    before, computed = node.received, node.node.state.computed

    for _ in range(5):
        rig.send(*PAIR, right_later_ns=1)
    exact = rig.send(*PAIR)

    graph.wait_until(lambda: stamps(rig), 'a disparity')
    assert stamps(rig) == [exact]
    assert node.node.state.computed == computed + 1
    assert node.received == before + 12
    node.assert_adds_up()


def test_a_recording_that_begins_again_goes_on_at_once(graph: Graph) -> None:
    """30 pairs, 3 s of stamps, are played twice: stamps jump back in between."""
    node, rig = connected(graph, frame_policy='every')
    recorded = [next_stamp_ns() for _ in range(30)]

    for loop in (1, 2):
        for stamp_ns in recorded:
            rig.heard['disparity'].clear()
            rig.send(*PAIR, stamp_ns=stamp_ns)
            graph.wait_until(lambda: stamps(rig), f'a disparity for {stamp_ns}, loop {loop}')
            assert stamps(rig) == [stamp_ns]

    assert node.node.state.pairer.resets == 1
    assert sum(node.dropped.values()) == 0
    node.assert_adds_up()


def test_frames_flow_while_simulated_time_stands_still(graph: Graph) -> None:
    """Nobody publishes /clock."""
    _, rig = connected(graph, use_sim_time=True)

    rig.exchange(*PAIR)


def test_a_pair_published_twice_gives_one_output(graph: Graph) -> None:
    node, rig = connected(graph, frame_policy='every')
    stamp_ns = rig.send(*PAIR)
    graph.wait_until(lambda: stamps(rig), 'a disparity')
    received = node.received

    rig.send(*PAIR, stamp_ns=stamp_ns)
    wait_until_at_rest(node, received + 2)

    rig.exchange(*PAIR)
    assert stamps(rig).count(stamp_ns) == 1
    assert node.dropped == {'DUPLICATE': 2}


@pytest.mark.parametrize('policy', ['latest', 'every'])
def test_outputs_and_counted_drops_are_the_images_received(graph: Graph, policy: str) -> None:
    """Good, broken, late, repeated and lonely images arrive faster than they are computed."""
    node, rig = connected(graph, frame_policy=policy, queue_size=5)
    broken = copy.copy(PAIR[1])
    broken.encoding = 'unheard_of'
    small = image_message(SCENE.right[:50].copy())
    rng = np.random.default_rng(7)
    sent = 0
    for _ in range(40):
        for _ in range(int(rng.integers(1, 6))):
            now = next_stamp_ns()
            kind = rng.choice(['good', 'good', 'broken', 'small', 'lonely', 'late', 'twice'])
            if kind == 'late':
                now -= 250 * MS
            left, right = PAIR[0], {'broken': broken, 'small': small}.get(kind, PAIR[1])
            rig.send_image(0, left, now)
            if kind != 'lonely':
                rig.send_image(1, right, now)
            if kind == 'twice':
                rig.send_image(0, left, now)
            sent += 1
        graph.spin()
        node.assert_adds_up()

    graph.wait_until(lambda: not node.node.state.frames, 'no pair to be left')
    rig.connect(*PAIR)
    node.assert_adds_up()
    assert node.node.state.computed > 0
    assert {'INVALID', 'SUPERSEDED' if policy == 'latest' else 'BACKLOG_FULL'} <= set(node.dropped)
    assert 'INTERNAL_ERROR' not in node.dropped


def test_an_error_inside_keeps_neither_reports_nor_other_pairs_waiting(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, _ = connected(graph, frame_policy='every')
    state, report = node.node.state, Mock()
    failure = PairFailure.of(ZeroDivisionError())
    monkeypatch.setattr(state.processor, 'process', lambda *_: failure)
    monkeypatch.setattr(node.node.diagnostics, 'update', report)
    for left_ns in range(3):
        state.frames.put(SimpleNamespace(left=SimpleNamespace(nbytes=1), left_ns=left_ns))
    node.node._keep_house()
    report.assert_called_once()
    graph.wait_until(lambda: not state.frames, 'the other pairs to be counted')
    assert node.dropped['INTERNAL_ERROR'] == 6
