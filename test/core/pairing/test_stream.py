# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that are missing between the stamps of one camera."""

from __future__ import annotations

import itertools

import pytest

from stereo_depth_node.core.pairing.stream import StampStream

PERIOD_NS = 33_333_333


def missing_of(frames, images=40):
    """Return what is missing after frames, numbered by their periods, have come and paired."""
    stream = StampStream(10)
    for frame in frames:
        stamp_ns = round(frame * PERIOD_NS)
        stream.receive(stamp_ns, None, 10, 10_000_000)
        if stamp_ns not in stream.stamps:
            stream.put(stamp_ns, None, 0)
    return stream.missing_frames(images)


@pytest.mark.parametrize(
    ('frames', 'missing'),
    [
        (range(30), 0),
        ([frame for frame in range(30) if frame % 3], 9),
        ([0, 2, 1, 3, 5, 4, 6], 0),
        ([*range(10), *range(1000, 1010)], 0),
        (list(range(6)) * 5, 0),
        (list(range(8)) * 4, 0),
        ([*range(20), *range(200, 260, 3)], 0),
        ([*range(20), *range(22, 60, 3)], 0),
    ],
    ids=[
        'none',
        'every third',
        'out of order',
        'a jump',
        'a loop of 6',
        'a loop of 8',
        'a camera that restarts slower',
        'a camera that becomes slower without a pause',
    ],
)
def test_gaps_between_stamps_are_frames_that_did_not_arrive(frames, missing):
    assert missing_of(frames)[0] == missing


def test_all_frames_are_those_that_came_and_those_that_did_not():
    assert missing_of([0, 1, 2, 4, 5]) == (1, 6)
    assert missing_of([0, 1, 2, 4, 5], images=3) == (1, 4)
    assert missing_of([0], images=0) == (0, 0)


def test_a_camera_that_becomes_slower_loses_nothing_at_any_moment():
    frames = [*range(20), *range(200, 260, 3)]
    for count in range(2, len(frames)):
        assert missing_of(itertools.islice(frames, count))[0] == 0
