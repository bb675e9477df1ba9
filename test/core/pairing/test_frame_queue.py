# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which pair is computed next, and what is counted when one gives way."""

from __future__ import annotations

import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pairing.frame_queue import FrameQueue
from stereo_depth_node.core.pairing.pairer import StereoPair
from stereo_depth_node.core.pairing.reasons import DropReason


def pair(stamp: int, epoch: int = 0) -> StereoPair[None]:
    return StereoPair(stamp, stamp, None, None, epoch)


def taken(queue: FrameQueue[None]) -> list[int]:
    stamps = []
    while (next_pair := queue.take()) is not None:
        stamps.append(next_pair.left_ns)
    return stamps


def test_latest_keeps_the_newest_pair_and_counts_both_images_of_the_others():
    queue: FrameQueue[None] = FrameQueue('latest', 5)
    for stamp in (1, 3, 2):  # 2 comes late: 3 stays the newest
        queue.put(pair(stamp))
    assert len(queue) == 1
    assert taken(queue) == [3]
    assert queue.dropped == {DropReason.SUPERSEDED: 4}


def test_latest_takes_a_pair_after_a_restart_for_newer():
    queue: FrameQueue[None] = FrameQueue('latest', 5)
    queue.put(pair(1000, epoch=0))
    queue.put(pair(0, epoch=1))
    assert taken(queue) == [0]


def test_every_keeps_the_order_and_drops_the_oldest_only_when_full():
    queue: FrameQueue[None] = FrameQueue('every', 3)
    for stamp in range(5):
        queue.put(pair(stamp))
    assert taken(queue) == [2, 3, 4]
    assert queue.dropped == {DropReason.BACKLOG_FULL: 4}
    assert queue.received == 5


def test_a_change_to_latest_sheds_the_backlog():
    queue: FrameQueue[None] = FrameQueue('every', 3)
    for stamp in range(3):
        queue.put(pair(stamp))
    queue.configure('latest', 3)
    assert taken(queue) == [2]
    assert queue.dropped == {DropReason.SUPERSEDED: 4}


def test_clear_counts_what_it_drops():
    queue: FrameQueue[None] = FrameQueue('every', 3)
    queue.put(pair(1))
    queue.clear()
    assert taken(queue) == []
    assert queue.dropped == {DropReason.RESET: 2}


@pytest.mark.parametrize(('policy', 'capacity'), [('newest', 3), ('every', 0)])
def test_an_impossible_configuration_is_refused_and_changes_nothing(policy, capacity):
    queue: FrameQueue[None] = FrameQueue('every', 3)
    for stamp in range(3):
        queue.put(pair(stamp))
    with pytest.raises(SettingsError):
        queue.configure(policy, capacity)
    assert taken(queue) == [0, 1, 2]
