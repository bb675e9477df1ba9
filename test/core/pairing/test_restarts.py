# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that begin again, and clocks that jump: what pairs then, and what is a loop."""

from __future__ import annotations

from feeding import feed, L, learnt_pairer, MS, R
import pytest

from stereo_depth_node.core.pairing.pairer import StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason


def test_a_looped_recording_pairs_every_loop_in_full():
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    loop = [(side, 33 * k) for k in range(60) for side in (L, R)]
    assert len(feed(pairer, *loop, *loop, *loop)) == 180
    assert pairer.resets == 2
    assert not pairer.dropped


def test_a_jump_back_costs_only_the_images_in_flight():
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    feed(pairer, *((side, 33 * k) for k in range(60) for side in (L, R)))
    feed(pairer, (L, 60 * 33), (L, 61 * 33))
    # The left stream has begun again, one right image of the old run is still under way.
    pairs = feed(pairer, (L, 0), (R, 61 * 33), (R, 0), (L, 33), (R, 33))
    assert pairs == [(0, 0), (33, 33)]
    assert pairer.dropped == {DropReason.RESET: 3}
    assert pairer.resets == 1


@pytest.mark.parametrize('frames', [3, 5, 12])
def test_a_recording_shorter_than_the_horizon_still_loops(frames):
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    loop = [(side, 33 * k) for k in range(frames) for side in (L, R)]
    feed(pairer, *loop)
    for _ in range(5):
        # Two stamps pass as duplicates until the third replayed one tells of a loop.
        assert len(feed(pairer, *loop)) >= frames - 2
    assert set(pairer.dropped) == {DropReason.DUPLICATE}


@pytest.mark.parametrize('frames', [1, 2])
def test_a_recording_of_one_or_two_pairs_loops(frames):
    """Its images are the same whenever they come; those before it is recognised are duplicates."""
    pairer = learnt_pairer(10)
    pairs = [(33 * k, 33 * k) for k in range(1, frames + 1)]
    loop = [(side, stamp) for stamp, _ in pairs for side in (L, R)]
    feed(pairer, *loop * 4)
    assert pairer.looped == frames
    duplicates = pairer.dropped[DropReason.DUPLICATE]
    assert duplicates == 2 * (frames + 1)
    assert sorted(feed(pairer, *loop * 5)) == sorted(pairs * 5)
    assert pairer.dropped == {DropReason.DUPLICATE: duplicates}

    assert feed(pairer, (L, 500), (R, 500)) == [(500, 500)]
    assert pairer.looped == 0
    feed(pairer, (L, 500), (R, 500))
    assert pairer.dropped[DropReason.DUPLICATE] == duplicates + 2


@pytest.mark.parametrize('hanging', [L, R])
def test_one_image_of_one_camera_again_and_again_is_no_loop(hanging):
    """Its driver hangs, and the other camera goes on."""
    other = R if hanging is L else L
    pairer = learnt_pairer(10)
    last = [(hanging, 330), (other, 330)]
    assert len(feed(pairer, *last)) == 1
    feed(pairer, *(image for k in range(40) for image in ((hanging, 330), (other, 363 + 33 * k))))
    assert pairer.dropped[DropReason.DUPLICATE] == 40
    assert pairer.resets == 0
    assert len(feed(pairer, (hanging, 2000), (other, 2000))) == 1


@pytest.mark.parametrize('stamps', [(0.5,), (0.5, 33)])
def test_other_images_under_the_same_stamps_are_no_loop(stamps):
    """As of a driver whose stamps do not move."""
    pairer: StereoPairer[int] = StereoPairer(10 * MS)
    for count in range(40):
        for side in (L, R):
            pairer.add(side, round(stamps[count % len(stamps)] * MS), count)
    assert (pairer.pairs, pairer.looped, pairer.resets) == (len(stamps), 0, 0)


@pytest.mark.parametrize('first', range(5))
@pytest.mark.parametrize('frames', [1, 2, 3, 4, 5])
def test_duplicates_of_a_loop_are_undecided_until_it_is_recognised(frames, first):
    """Wherever it is joined."""
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    loop = [(side, 33 * k) for k in range(1, frames + 1) for side in (L, R)]
    for image in [*loop, *loop * 5][2 * (first % frames) :]:
        feed(pairer, image)
        duplicates = pairer.dropped[DropReason.DUPLICATE]
        assert pairer.resets or duplicates == pairer.undecided <= 8
    assert pairer.resets


def test_duplicates_that_are_no_loop_are_decided():
    pairer: StereoPairer[int] = StereoPairer(10 * MS)
    for count in range(6):
        pairer.add(L, MS, count)
        assert pairer.undecided == (count if count < 5 else 0)
    pairer.add(L, 2 * MS, 7)
    pairer.add(L, 2 * MS, 8)
    assert pairer.undecided == 1
    pairer.add(L, 3 * MS, 9)
    assert pairer.undecided == 0


def test_three_publishers_of_each_image_are_no_loop():
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    images = [(side, 33 * k) for k in range(1, 20) for side in (L, R) for _ in range(3)]
    assert len(feed(pairer, *images)) == 19
    assert pairer.dropped == {DropReason.DUPLICATE: 19 * 4}


def test_reordering_is_no_reset():
    pairer = learnt_pairer(10)
    pairs = feed(pairer, *((side, 33 * k) for k in (3, 1, 0, 2, 5, 4) for side in (L, R)))
    assert sorted(pairs) == [(33 * k, 33 * k) for k in range(6)]
    assert pairer.resets == 0
    assert pairer.left.backward == 3


@pytest.mark.parametrize('jump_ms', [10_000, 1e12, -1e12])
def test_a_jump_of_one_or_both_clocks_wedges_nothing(jump_ms):
    pairer = learnt_pairer(10)
    feed(pairer, (L, 0), (L, jump_ms))  # one wild stamp
    assert feed(pairer, (L, 66), (R, 66)) == [(66, 66)]
    stamps = [jump_ms + 33 * k for k in range(4, 20)]  # both clocks step
    pairs = feed(pairer, *((side, stamp) for stamp in stamps for side in (L, R)))
    assert len(pairs) == len(stamps)


def test_a_clock_that_is_put_right_pairs_from_then_on():
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    assert not feed(pairer, *((s, 33 * k + (s is L) * 1e9) for k in range(50) for s in (L, R)))
    fixed = [(side, 33 * k) for k in range(50, 80) for side in (L, R)]
    assert len(feed(pairer, *fixed)) == 30
    assert pairer.resets == 1


def test_the_wrap_of_a_32_bit_second_is_a_restart():
    pairer: StereoPairer[str] = StereoPairer(0)
    end, start = (2**31 - 1) * 1000, -(2**31) * 1000
    feed(pairer, *((side, end + k) for k in (0, 33, 66) for side in (L, R)))
    pairs = feed(pairer, *((side, start + k) for k in (0, 33, 66) for side in (L, R)))
    assert len(pairs) == 3
    assert pairer.resets == 1


def test_stamps_that_stay_zero_are_counted_and_pair_once():
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    assert feed(pairer, *[(L, 0), (R, 0)] * 10) == [(0, 0)]
    assert (pairer.left.zero, pairer.right.zero) == (10, 10)
    assert pairer.dropped == {DropReason.DUPLICATE: 18}


def test_stamps_that_run_backwards_pair_and_are_counted():
    pairer: StereoPairer[str] = StereoPairer(10 * MS)
    assert len(feed(pairer, *((side, -33 * k) for k in range(100) for side in (L, R)))) == 100
    assert pairer.left.backward == 99


def test_clear_counts_what_waited_and_starts_afresh():
    pairer = learnt_pairer(10)
    feed(pairer, (L, 1e6), (L, 1e6 + 33), (R, 1e6 + 400))
    pairer.clear()
    assert pairer.dropped[DropReason.RESET] == 3
    assert feed(pairer, (L, 0), (R, 0)) == [(0, 0)]
    assert pairer.resets == 0
