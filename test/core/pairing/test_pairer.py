# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairing by stamps: every true pair once, no wrong pair, and every image accounted for."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pairing.pairer import StereoPair, StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason, Side

MS = 1_000_000
PERIOD = 33 * MS
L, R = Side.LEFT, Side.RIGHT


def feed(pairer: StereoPairer[str], *images: tuple[Side, float]) -> list[tuple[float, float]]:
    """Add images given as (side, stamp in ms); return the pairs' stamps in ms."""
    pairs = []
    for side, stamp_ms in images:
        emitted = pairer.add(side, round(stamp_ms * MS), f'{side.value} {stamp_ms}')
        pairs += [(pair.left_ns / MS, pair.right_ns / MS) for pair in emitted]
    assert_balanced(pairer)
    return pairs


def assert_balanced(pairer: StereoPairer[str]) -> None:
    """Every image received is in a pair, dropped for one reason, or waiting."""
    dropped = sum(pairer.dropped.values())
    assert pairer.received == 2 * pairer.pairs + dropped + pairer.waiting


def learnt_pairer(
    tolerance_ms: float, queue_size: int = 10, offset_ms: float = 0
) -> StereoPairer[str]:
    """Return a pairer that has seen three pairs, with left stamps -99, -66 and -33 ms."""
    pairer: StereoPairer[str] = StereoPairer(round(tolerance_ms * MS), queue_size)
    for stamp in (-99, -66, -33):
        feed(pairer, (L, stamp), (R, stamp + offset_ms))
    pairer.settle()
    assert pairer.pairs == 3
    return pairer


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


def test_clear_counts_what_waited_and_starts_afresh():
    pairer = learnt_pairer(10)
    feed(pairer, (L, 1e6), (L, 1e6 + 33), (R, 1e6 + 400))
    pairer.clear()
    assert pairer.dropped[DropReason.RESET] == 3
    assert feed(pairer, (L, 0), (R, 0)) == [(0, 0)]
    assert pairer.resets == 0


@st.composite
def rigs(draw):
    """Two jittered cameras with lost, duplicated, reordered and late images.

    Returns the frames both cameras delivered and the arrivals, (side, frame, stamp in ns).
    """
    frames = draw(st.integers(1, 30))
    period = draw(st.integers(5, 200)) * MS
    arrivals = []
    kept = []
    for side in (L, R):
        lost = draw(st.sets(st.integers(0, frames - 1), max_size=frames // 2))
        kept.append(set(range(frames)) - lost)
        twice = draw(st.sets(st.integers(0, frames - 1), max_size=2)) - lost
        lag = draw(st.floats(0, 2))
        for frame in (*sorted(kept[-1]), *sorted(twice)):
            # Both copies of a duplicate carry the same stamp: jitter depends on the frame.
            jitter = (frame * 7919 + (side is L) * 104729) % 101 / 100 * 0.2 - 0.1
            stamp = round((frame + jitter) * period)
            arrivals.append((frame + lag + draw(st.floats(0, 3)), side, frame, stamp))
    arrivals.sort(key=lambda arrival: arrival[0])
    tolerance = round(draw(st.floats(0.2, 0.45)) * period)
    return kept[0] & kept[1], tolerance, [arrival[1:] for arrival in arrivals]


@settings(max_examples=300)
@given(rigs())
def test_every_possible_pair_comes_once_and_no_wrong_one(rig):
    both, tolerance, arrivals = rig
    pairer: StereoPairer[int] = StereoPairer(tolerance)
    pairs = []
    for side, frame, stamp in arrivals:
        pairs += pairer.add(side, stamp, frame)
        assert_balanced(pairer)
    pairs += pairer.settle()
    assert all(pair.left == pair.right for pair in pairs)
    assert sorted(pair.left for pair in pairs) == sorted(both)


@settings(max_examples=300)
@given(
    intervals=st.tuples(*[st.lists(st.integers(10, 60), max_size=30)] * 2),
    start=st.integers(-60, 60),
    order=st.randoms(use_true_random=False),
    tolerance=st.integers(0, 200),
)
def test_true_partners_pair_under_any_tolerance_and_interleaving(
    intervals, start, order, tolerance
):
    """Stamps ascend by 10 ms or more, and each camera has shown an interval of 10 ms."""
    streams = []
    for first, steps in zip((0, start), intervals, strict=True):
        stamps = [first, first + 10]
        for step in steps:
            stamps.append(stamps[-1] + step)
        streams.append(stamps)
    left, right = streams
    pairer: StereoPairer[None] = StereoPairer(tolerance * MS, queue_size=100)
    pairs = []
    turns = [L] * len(left) + [R] * len(right)
    order.shuffle(turns)
    queues = {L: iter(left), R: iter(right)}
    for side in turns:
        pairs += pairer.add(side, next(queues[side]) * MS, None)
    pairs += pairer.settle()
    found = [(pair.left_ns // MS, pair.right_ns // MS) for pair in pairs]

    def is_nearest(stamp, chosen, others):
        return all(abs(stamp - chosen) < abs(stamp - o) for o in others if o != chosen)

    partners = {
        (a, b)
        for a, b in product(left, right)
        if abs(a - b) <= tolerance and is_nearest(a, b, right) and is_nearest(b, a, left)
    }
    assert partners <= set(found)
    assert all(abs(a - b) <= tolerance for a, b in found)
    assert len({a for a, _ in found}) == len({b for _, b in found}) == len(found)
    assert_balanced(pairer)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([L, R]),
            st.one_of(st.integers(0, 20), st.integers(-(2**63), 2**63)),
            st.integers(0, 50),
            st.integers(1, 5),
        ),
        max_size=80,
    )
)
def test_arbitrary_stamps_and_settings_keep_the_balance_and_the_bounds(images):
    pairer: StereoPairer[int] = StereoPairer(0, 5)
    seen = set()
    for serial, (side, stamp, tolerance, queue_size) in enumerate(images):
        pairer.tolerance_ns = tolerance
        pairer.queue_size = queue_size
        for pair in pairer.add(side, stamp, serial):
            assert abs(pair.left_ns - pair.right_ns) <= tolerance
            assert not {pair.left, pair.right} & seen
            seen |= {pair.left, pair.right}
        assert_balanced(pairer)
        assert pairer.waiting <= 10
        pairer.offset()
