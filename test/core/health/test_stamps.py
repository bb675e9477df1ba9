# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps that keep images from pairing, that repeat or that go back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
import pytest
from snapshots import (
    changed,
    first,
    HEALTHY,
    names,
    PERIOD_NS,
    side,
    SILENT,
    text_of,
    unpaired,
)

from stereo_depth_node.core.errors import PairSizeError
from stereo_depth_node.core.pairing.offset import OffsetEstimate
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.settings.settings import Settings


def test_stamps_apart_are_told_in_the_words_of_the_issue():
    snapshot = unpaired(offset=OffsetEstimate(33_100_000, 33_100_000, 40))
    assert first(snapshot) == (
        'left and right stamps are 33.1 ms apart (median of 40), sync_tolerance is 10.0 ms: '
        'set sync_tolerance to 0.04 or synchronise the cameras'
    )


def test_why_a_pair_failed_is_not_told_where_none_comes_any_more():
    snapshot = unpaired(
        offset=OffsetEstimate(33_100_000, 33_100_000, 40), failure=PairSizeError('left is 1x1')
    )
    assert names(snapshot) == ['stamps_apart']
    assert names(changed(snapshot, pairs=30)) == ['sizes_differ']


@given(st.integers(10_000_001, 900_000_000))
def test_the_tolerance_proposed_holds_the_offset(offset_ns):
    text = first(unpaired(offset=OffsetEstimate(offset_ns, offset_ns, 40)))
    proposal = float(text.split('set sync_tolerance to ')[1].split()[0])
    assert offset_ns / 1e9 < proposal < 1.5 * offset_ns / 1e9
    Settings().replace(sync_tolerance=proposal)


def test_clocks_that_differ_are_not_told_to_be_tolerated():
    text = first(unpaired(offset=OffsetEstimate(-7_000_000_000, -7_000_000_000, 40)))
    assert 'right images are 7.000 s before those of the left ones' in text
    assert 'set sync_tolerance' not in text


def test_a_queue_that_is_too_short_for_a_lag():
    text = first(unpaired(offset=OffsetEstimate(0, -800_000_000, 30)))
    assert 'the right images come 0.80 s after' in text
    # 0.8 s are 24 frames; a fifth to spare, and one.
    assert 'queue_size 10 holds 0.33 s: set queue_size to 30' in text


def test_a_pause_of_the_stamps_is_no_offset():
    """Until images of both sides have come in the window, nothing is said of their stamps."""
    snapshot = unpaired(left=side('left', received=1), age=1.5)
    assert names(snapshot) == ['starting']


def test_pairs_of_the_time_before_do_not_hide_that_nothing_pairs_now():
    """The output counts as stopped a moment before the window is free of its pairs."""
    just_now = changed(SILENT, output_silence=1.1, pair_silence=1.1, pairs=4)
    assert names(changed(just_now, offset=OffsetEstimate(33_000_000, 33_000_000, 9))) == [
        'stamps_apart'
    ]


def test_few_images_that_do_not_pair():
    assert names(unpaired(left=side('left', received=1))) == ['no_pairs']


def test_a_recording_that_begins_again_is_no_fault():
    looping = {'left': side('left', backward=3), 'right': side('right', backward=3)}
    assert names(changed(HEALTHY, **looping, restarts=3)) == ['flowing']
    assert 'stamps_backward' in names(changed(HEALTHY, **looping, restarts=0))


def test_stamps_that_run_backwards_are_named_although_they_go_back_far_enough_to_restart():
    backwards = {'left': side('left', backward=29), 'right': side('right', backward=29)}
    found = names(changed(HEALTHY, **backwards, restarts=3, resets=30))
    assert found == ['flowing', 'stamps_backward']


def test_a_short_recording_that_begins_again_repeats_no_stamps():
    """Four images show that it has begun again; restarts are of the window."""
    repeats = {DropReason.DUPLICATE: 24}
    assert names(changed(HEALTHY, dropped=repeats, restarts=4)) == ['flowing']
    assert 'stamps_repeat' in names(changed(HEALTHY, dropped=repeats, restarts=0))
    # The first time, before it is known.
    first = changed(
        HEALTHY, dropped={DropReason.DUPLICATE: 8}, undecided=8, left=side('left', backward=6)
    )
    assert names(first) == ['flowing']
    assert names(changed(first, undecided=0)) == ['flowing', 'stamps_repeat', 'stamps_backward']


@pytest.mark.parametrize(
    ('offset_ns', 'right', 'named'),
    [
        (16_000_000, {}, 'stamps_apart'),
        (-16_000_000, {}, 'stamps_apart'),
        (16_000_000, {'period_ns': PERIOD_NS // 2}, 'images_unpaired'),
        (9_000_000, {}, 'images_unpaired'),
        (30_000_000, {}, 'images_unpaired'),
    ],
    ids=['right late', 'right early', 'two rates', 'within', 'lost'],
)
def test_pairs_of_cameras_of_one_rate_that_are_just_beyond_the_tolerance(offset_ns, right, named):
    """A few pair, by the jitter of their stamps."""
    snapshot = changed(
        HEALTHY,
        right=side('right', **right),
        dropped={DropReason.UNPAIRED: 50},
        offset=OffsetEstimate(offset_ns, offset_ns, 30),
    )
    assert names(snapshot) == ['flowing', named]
    assert ('set sync_tolerance to 0.02' in text_of(snapshot, named)) == (named == 'stamps_apart')


def test_a_slower_camera_that_sends_its_last_image_again_is_named():
    """A third of all images repeat a stamp, and all of this camera."""
    hangs = unpaired(
        right=side('right', received=15),
        dropped={DropReason.DUPLICATE: 15},
        offset=OffsetEstimate(5_000_000_000, 5_000_000_000, 9),
    )
    assert names(hangs) == ['stamps_repeat']
    assert 'start it anew if it hangs' in first(hangs)


def test_one_pair_again_and_again_may_be_a_camera_that_hangs():
    assert names(changed(HEALTHY, looped=1, resets=30)) == ['flowing', 'pair_repeats']
    assert names(changed(HEALTHY, looped=2, resets=30)) == ['flowing']
