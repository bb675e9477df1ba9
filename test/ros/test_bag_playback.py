# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The way of recordings and the node that runs give the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import FRAME_NS, IMAGE, INFO, START_NS, stereo_tape, store, Tape, write_bag
from harness import ASK_AGAIN_S, Graph, Peer, RELIABLE
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.offline.bags.reader import Bag
from stereo_depth_node.offline.cli import main
from stereo_depth_node.ros.messages import message_class

INPUTS = {
    '/left/camera_info': CameraInfo,
    '/right/camera_info': CameraInfo,
    '/left/image_rect': Image,
    '/right/image_rect': Image,
}
# Not depth/camera_info: rclpy fills what aligns its fields with whatever is in memory.
RESULTS = {
    f'/{topic}': message_class(OUTPUTS[topic].type) for topic in OUTPUTS if 'info' not in topic
}
PAIRS = 6


def recorded(path: Path, names: Any) -> list[tuple[str, bytes]]:
    """Return topic and bytes of the messages of a recording."""
    with closing(Bag(path)) as recording:
        return [(topic, bytes(data)) for topic, _, data in recording.messages(names)]


def played(graph: Graph, source: Path, **parameters: Any) -> list[tuple[str, bytes]]:
    """Play a recording to the node, pair by pair, and return what it publishes."""
    graph.node_process(frame_policy='every', **parameters)
    peer = graph.add(Peer(graph))
    publishers = {topic: peer.publisher(topic, kind, RELIABLE) for topic, kind in INPUTS.items()}
    heard: list[tuple[str, bytes]] = []
    for topic, kind in RESULTS.items():
        peer.node.create_subscription(
            kind, topic, lambda data, topic=topic: heard.append((topic, data)), RELIABLE, raw=True
        )
    graph.wait_until(
        lambda: all(each.get_subscription_count() for each in publishers.values()),
        'the node to listen',
    )

    def is_heard() -> bool:
        """Tell whether the node knows who subscribes to all outputs: none misses a pair then."""
        said = peer.call(Trigger, '/stereo_depth_node/explain', Trigger.Request()).message
        return all(f'subscribers, {topic[1:]}: 1\n' in said for topic in RESULTS)

    graph.wait_until(is_heard, 'the node to know who listens')
    messages = recorded(source, INPUTS)
    size = len(INPUTS)
    for number in range(PAIRS):
        pair = messages[number * size : (number + 1) * size]
        wanted = (number + 1) * len(RESULTS)
        graph.wait_until(
            partial(_has, heard, wanted),
            f'the results of pair {number}',
            repeat=partial(_send, publishers, pair),
            period_s=ASK_AGAIN_S,  # a pair that comes four times is a recording in a loop
        )
    return heard


def _has(heard: list[Any], wanted: int) -> bool:
    return len(heard) >= wanted


def _send(publishers: dict[str, Any], messages: list[tuple[str, bytes]]) -> None:
    for topic, data in messages:
        publishers[topic].publish(data)


@pytest.mark.parametrize(
    'parameters',
    [
        {},
        {'algorithm': 'sgbm', 'num_disparities': 32, 'block_size': 5, 'depth_encoding': '16UC1'},
        {'fill_left_band': True, 'temporal_max_diff': 4, 'median_size': 3, 'max_depth': 3.0},
        {'points_color': 'intensity', 'points_organized': True, 'points_step': 3},
    ],
    ids=['default', 'sgbm-16UC1', 'filters', 'points'],
)
def test_a_recording_gives_the_bytes_that_the_node_publishes(
    tmp_path: Path, graph: Graph, parameters: dict[str, Any]
) -> None:
    source = write_bag(tmp_path / 'in', PAIRS)
    options = [f'--set={name}={str(value).lower()}' for name, value in parameters.items()]
    options = [each.replace('16uc1', '16UC1') for each in options]
    options += [f'--also={name}' for name, each in OUTPUTS.items() if not each.is_recorded]
    command = ['bag', str(source), str(tmp_path / 'out'), '--quiet', '--processes', '1']
    assert main([*command, *options]) == 0
    computed = recorded(tmp_path / 'out', RESULTS)
    published = played(graph, source, **parameters)
    for topic in RESULTS:
        ours = [data for name, data in computed if name == topic]
        theirs = [data for name, data in published if name == topic]
        assert len(ours) == PAIRS
        # DDS fills a message up to a multiple of 4 bytes.
        for own, other in zip(ours, theirs, strict=True):
            assert other[: len(own)] == own
            assert other[len(own) :] in (b'', bytes(-len(own) % 4))


def second_pair_broken(break_it: Callable[[Any, Any], None]) -> Tape:
    """Return three pairs, the right image and calibration of the second one broken."""
    tape = stereo_tape(3)
    broken = Tape()
    for topic, kind, bag_ns, data in tape.messages:
        message = store.deserialize_cdr(data, kind)
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        if topic.startswith('/right') and stamp == START_NS + FRAME_NS:
            break_it(message, kind)
        broken.add(topic, message, bag_ns)
    return broken


def set_image(**fields: Any) -> Callable[[Any, Any], None]:
    def change(message: Any, kind: str) -> None:
        if kind == IMAGE:
            vars(message).update(fields)

    return change


def set_info(**fields: Any) -> Callable[[Any, Any], None]:
    def change(message: Any, kind: str) -> None:
        if kind == INFO:
            vars(message).update(
                {name: np.array(value) if name == 'p' else value for name, value in fields.items()}
            )

    return change


SWAPPED = (200.0, 0.0, 79.5, 20.0, 0.0, 200.0, 59.5, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ('break_it', 'reason'),
    [
        (set_image(encoding='yuv999'), DropReason.INVALID),
        (set_image(height=60), DropReason.INVALID),
        (set_image(height=999), DropReason.INVALID),
        (set_info(p=(0.0,) * 12), DropReason.NO_CALIBRATION),
        (set_info(p=SWAPPED), DropReason.NO_CALIBRATION),
        (set_info(width=80), DropReason.NO_CALIBRATION),
    ],
    ids=['encoding', 'size', 'length', 'uncalibrated', 'swapped', 'calibrated size'],
)
def test_node_and_bag_tool_count_a_pair_under_the_same_reason(
    tmp_path: Path, graph: Graph, capsys: Any, break_it: Any, reason: DropReason
) -> None:
    tape = second_pair_broken(break_it)
    source = tape.write(tmp_path / 'in')
    assert main(['bag', str(source), str(tmp_path / 'out'), '--quiet', '--processes', '1']) == 0
    assert f'2 images not used: {reason.value}' in capsys.readouterr().out

    node = graph.node(frame_policy='every')
    peer = graph.add(Peer(graph))
    peer.listen('disparity', message_class(OUTPUTS['disparity'].type))
    publishers = {topic: peer.publisher(topic, kind, RELIABLE) for topic, kind in INPUTS.items()}
    graph.wait_until(
        lambda: all(each.get_subscription_count() for each in publishers.values()),
        'the node to listen',
    )
    messages = recorded(source, INPUTS)
    for number in range(3):
        pair = messages[number * len(INPUTS) : (number + 1) * len(INPUTS)]
        graph.wait_until(
            lambda number=number: (
                node.node.state.pairer.pairs > number and not node.node.state.waiting
            ),
            f'pair {number}',
            repeat=partial(_send, publishers, pair),
            period_s=ASK_AGAIN_S,
        )
    dropped = {name: count for name, count in node.dropped.items() if name != 'DUPLICATE'}
    assert dropped == {reason.name: 2}
