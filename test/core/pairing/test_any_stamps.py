# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever the stamps: no pair is wrong, none that can be is missing, every image is counted."""

from __future__ import annotations

from itertools import product

from feeding import assert_balanced, L, MS, R
from hypothesis import given, settings
from hypothesis import strategies as st

from stereo_depth_node.core.pairing.pairer import StereoPairer


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
