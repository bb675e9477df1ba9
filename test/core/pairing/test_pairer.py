# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairing by stamps: every true pair once, no wrong pair, and every image accounted for."""

from __future__ import annotations

from feeding import assert_balanced, feed, L, learnt_pairer, MS, PERIOD, R
import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pairing.pairer import StereoPair, StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason


def test_a_pair_carries_its_items_and_stamps():
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    assert pairer.add(R, 2 * MS, 'right') == []
    assert pairer.add(L, 1 * MS, 'left') == [StereoPair(MS, 2 * MS, 'left', 'right', epoch=0)]


@pytest.mark.parametrize('tolerance_ms', [0, 10, 1000])
@pytest.mark.parametrize('first', [L, R])
def test_equal_stamps_pair_at_once(tolerance_ms, first):
    pairer: StereoPairer[str] = StereoPairer(tolerance_ms * MS)
    second = R if first is L else L
    for stamp in range(0, 330, 33):
        assert feed(pairer, (first, stamp), (second, stamp)) == [(stamp, stamp)]


def test_tolerance_zero_refuses_one_nanosecond():
    pairer: StereoPairer[str] = StereoPairer(0)
    assert pairer.add(L, 1000, 'left') == []
    assert pairer.add(R, 1001, 'right') == []
    assert [pair.left_ns for pair in pairer.add(R, 1000, 'right')] == [1000]


@pytest.mark.parametrize(('difference_ns', 'pairs'), [(10 * MS, 1), (10 * MS + 1, 0)])
def test_the_tolerance_itself_is_still_tolerated(difference_ns, pairs):
    pairer = learnt_pairer(10)
    pairer.add(L, 0, 'left')
    assert len(pairer.add(R, difference_ns, 'right')) == pairs


@pytest.mark.parametrize('first', [L, R])
@pytest.mark.parametrize('offset_ms', [-16, -4, -0.1, 0.1, 4, 16])
def test_less_than_half_a_period_apart_pairs_at_once_in_either_order(offset_ms, first):
    pairer = learnt_pairer(50, offset_ms=offset_ms)
    images = [(L, 0), (R, offset_ms)]
    assert feed(pairer, *(images if first is L else images[::-1])) == [(0, offset_ms)]


def test_the_very_first_pair_does_not_wait_for_a_second_one():
    assert feed(StereoPairer(10 * MS), (L, 0), (R, 4)) == [(0, 4)]


def test_more_than_half_a_period_apart_waits_for_the_nearer_image():
    pairer = learnt_pairer(50)
    assert feed(pairer, (L, 0), (R, 20)) == []
    assert feed(pairer, (L, 33)) == [(33, 20)]
    assert pairer.waiting == 1


def test_more_than_half_a_period_apart_pairs_when_nothing_nearer_came():
    pairer = learnt_pairer(50)
    assert feed(pairer, (L, 0), (R, 20), (L, 66)) == [(0, 20)]


def test_the_other_camera_tells_the_period_of_one_that_loses_every_second_frame():
    pairer: StereoPairer[str] = StereoPairer(32 * MS)
    feed(pairer, (L, -132), (R, -132), (R, -99), (L, -66), (R, -66), (R, -33), (L, 0))
    assert feed(pairer, (R, 30)) == []  # half of the left's own interval, 66 ms, but not nearest
    assert feed(pairer, (L, 33)) == [(33, 30)]


def test_settle_pairs_what_only_waits_for_something_nearer():
    pairer = learnt_pairer(50)
    assert feed(pairer, (L, 0), (R, 20)) == []
    assert [(pair.left_ns, pair.right_ns) for pair in pairer.settle()] == [(0, 20 * MS)]
    assert pairer.settle() == []
    assert_balanced(pairer)


def test_a_pair_that_waits_for_a_camera_that_died_is_emitted_before_it_is_dropped():
    pairer = learnt_pairer(30, queue_size=4)
    assert feed(pairer, (R, 0), (L, 20)) == []  # the next right image might be nearer
    pairs = feed(pairer, *((L, 33 * k) for k in range(2, 12)))
    assert pairs == [(20, 0)]


@pytest.mark.parametrize('tolerance_ms', [40, 100, 500])
@pytest.mark.parametrize('jitter_ms', [0, 1.5])
def test_one_lost_frame_mispairs_nothing_when_the_tolerance_exceeds_the_period(
    tolerance_ms, jitter_ms
):
    pairer = learnt_pairer(tolerance_ms)
    pairs = []
    for frame in range(12):
        pairs += feed(pairer, (L, frame * 33))
        if frame != 4:
            pairs += feed(pairer, (R, frame * 33 - jitter_ms))
    assert pairs == [(k * 33, k * 33 - jitter_ms) for k in range(12) if k != 4]


@pytest.mark.parametrize('offset_ms', [-40, -12, 12, 40])
def test_a_constant_offset_pairs_each_image_with_its_nearest(offset_ms):
    pairer: StereoPairer[str] = StereoPairer(50 * MS)
    images = [(k * 100 + late, side) for k in range(20) for late, side in ((0, L), (offset_ms, R))]
    pairs = feed(pairer, *((side, stamp) for stamp, side in sorted(images, key=lambda i: i[0])))
    assert pairs == [(k * 100, k * 100 + offset_ms) for k in range(20)]


def test_a_late_image_pairs_while_its_partner_waits():
    pairer = learnt_pairer(10)
    pairs = feed(pairer, (L, 0), (L, 33), (L, 66), (R, 66), (R, 0), (R, 33))
    assert sorted(pairs) == [(0, 0), (33, 33), (66, 66)]


def test_a_late_image_without_partner_is_dropped_as_late():
    pairer = learnt_pairer(10, queue_size=2)
    feed(pairer, (L, 0), (R, 0), (L, 33), (R, 33), (R, 15))
    feed(pairer, *((side, stamp) for stamp in range(66, 330, 33) for side in (L, R)))
    assert pairer.dropped == {DropReason.LATE: 1}


def test_duplicates_are_dropped_before_and_after_pairing():
    pairer = learnt_pairer(10)
    pairs = feed(pairer, (L, 0), (L, 0), (R, 0), (R, 0), (L, 0), (L, 33), (R, 33))
    assert pairs == [(0, 0), (33, 33)]
    assert pairer.dropped == {DropReason.DUPLICATE: 3}


def test_a_slow_side_pairs_within_the_queue_and_is_told_beyond_it():
    pairer = learnt_pairer(10, queue_size=5)
    pairs = []
    for frame in range(20):  # the right camera lags by 8 frames
        pairs += feed(pairer, (L, frame * 33))
        if frame >= 8:
            pairs += feed(pairer, (R, (frame - 8) * 33))
    assert pairs == []
    assert pairer.dropped[DropReason.QUEUE_FULL] > 0

    pairer = learnt_pairer(10, queue_size=10)
    for frame in range(20):
        pairs += feed(pairer, (L, frame * 33))
        if frame >= 8:
            pairs += feed(pairer, (R, (frame - 8) * 33))
    assert pairs == [(k * 33, k * 33) for k in range(12)]


def test_one_camera_alone_fills_its_queue_and_no_more():
    pairer: StereoPairer[str] = StereoPairer(10 * MS, queue_size=5)
    assert feed(pairer, *((L, 33 * k) for k in range(100))) == []
    assert pairer.waiting == 5
    assert pairer.dropped == {DropReason.UNPAIRED: 95}


def test_a_camera_that_died_leaves_the_others_images_unpaired():
    pairer = learnt_pairer(10, queue_size=5)
    feed(pairer, *((L, 33 * k) for k in range(20)))
    assert pairer.dropped == {DropReason.UNPAIRED: 15}


def test_images_left_from_before_a_small_step_back_do_not_crowd_out_new_ones():
    pairer = learnt_pairer(0, queue_size=2)
    feed(pairer, (L, 0), (L, 33))  # no right image: they fill the queue
    assert feed(pairer, (L, -20), (R, -20), (L, -5), (R, -5)) == [(-20, -20), (-5, -5)]
    assert pairer.resets == 0


def test_the_rhythm_of_a_camera_is_the_median_of_its_intervals():
    pairer = learnt_pairer(10)
    feed(pairer, *((L, 33 * k) for k in range(60) if k % 5))
    assert pairer.left.period_ns == PERIOD
    assert pairer.left.last_ns == 59 * PERIOD
    assert pairer.left.count == 3 + 48


@pytest.mark.parametrize('offset_ms', [-33.1, 33.1, 4.0])
def test_the_offset_is_measured_whether_images_pair_or_not(offset_ms):
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    assert pairer.offset() is None
    images = [(k * 100 + late, side) for k in range(60) for late, side in ((0, L), (offset_ms, R))]
    feed(pairer, *((side, stamp) for stamp, side in sorted(images, key=lambda image: image[0])))
    offset = pairer.offset()
    assert offset is not None
    assert offset.nearest_ns == round(offset_ms * MS)
    assert 30 <= offset.samples <= 40


@pytest.mark.parametrize('ahead_ms', [-3.6e6, 3.6e6])
def test_clocks_an_hour_apart_are_told_by_the_offset(ahead_ms):
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    feed(pairer, *((s, 33 * k + (s is R) * ahead_ms) for k in range(50) for s in (L, R)))
    offset = pairer.offset()
    assert offset is not None
    assert offset.nearest_ns == offset.arrival_ns == ahead_ms * MS


def test_tolerance_and_queue_size_change_live():
    pairer = learnt_pairer(1)
    assert feed(pairer, (L, 0), (R, 5)) == []
    pairer.tolerance_ns = 10 * MS
    assert feed(pairer, (L, 33)) == [(0, 5)]
    pairer.queue_size = 2
    feed(pairer, *((L, 1000 + 33 * k) for k in range(5)))
    assert len(pairer.left.stamps) == 2


def test_impossible_settings_are_refused_and_change_nothing():
    pairer: StereoPairer[str] = StereoPairer(10 * MS, 5)
    with pytest.raises(SettingsError, match='tolerance'):
        pairer.tolerance_ns = -1
    with pytest.raises(SettingsError, match='queue_size'):
        pairer.queue_size = 0
    assert (pairer.tolerance_ns, pairer.queue_size) == (10 * MS, 5)
