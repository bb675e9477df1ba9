# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The way of recordings and the node that runs give the same."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import write_bag
from harness import BEST_EFFORT, Graph, Peer, RELIABLE
from sensor_msgs.msg import CameraInfo, Image
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.offline.bags.reader import Bag
from stereo_depth_node.offline.cli import main

INPUTS = {
    '/left/camera_info': CameraInfo,
    '/right/camera_info': CameraInfo,
    '/left/image_rect': Image,
    '/right/image_rect': Image,
}
OUTPUTS = {'/disparity': DisparityImage, '/depth/image_rect': Image}
PAIRS = 6


def recorded(path: Path, names: Any) -> list[tuple[str, bytes]]:
    """Return topic and bytes of the messages of a recording."""
    with closing(Bag(path)) as recording:
        return [(topic, bytes(data)) for topic, _, data in recording.messages(names)]


def played(graph: Graph, source: Path, **parameters: Any) -> list[tuple[str, bytes]]:
    """Play a recording to the node, pair by pair, and return what it publishes."""
    graph.node_process(frame_policy='every', **parameters)
    peer = graph.add(Peer(graph))
    publishers = {
        topic: peer.publisher(topic, kind, RELIABLE if kind is CameraInfo else BEST_EFFORT)
        for topic, kind in INPUTS.items()
    }
    heard: list[tuple[str, bytes]] = []
    for topic, kind in OUTPUTS.items():
        peer.node.create_subscription(
            kind, topic, lambda data, topic=topic: heard.append((topic, data)), RELIABLE, raw=True
        )
    graph.wait_until(
        lambda: all(each.get_subscription_count() for each in publishers.values()),
        'the node to listen',
    )
    messages = recorded(source, INPUTS)
    size = len(INPUTS)
    for number in range(PAIRS):
        pair = messages[number * size : (number + 1) * size]
        wanted = (number + 1) * len(OUTPUTS)
        graph.wait_until(
            partial(_has, heard, wanted),
            f'the results of pair {number}',
            # A pair that is sent again is a duplicate, and not computed again.
            repeat=partial(_send, publishers, pair),
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
    ],
    ids=['default', 'sgbm-16UC1', 'filters'],
)
def test_a_recording_gives_the_bytes_that_the_node_publishes(
    tmp_path: Path, graph: Graph, parameters: dict[str, Any]
) -> None:
    source = write_bag(tmp_path / 'in', PAIRS)
    options = [f'--set={name}={str(value).lower()}' for name, value in parameters.items()]
    options = [each.replace('16uc1', '16UC1') for each in options]
    command = ['bag', str(source), str(tmp_path / 'out'), '--quiet', '--processes', '1']
    assert main([*command, *options]) == 0
    computed = recorded(tmp_path / 'out', OUTPUTS)
    published = played(graph, source, **parameters)
    for topic in OUTPUTS:
        ours = [data for name, data in computed if name == topic]
        theirs = [data for name, data in published if name == topic]
        assert len(ours) == PAIRS
        assert ours == theirs
