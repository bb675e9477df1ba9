# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of the arrival of pairs."""

from __future__ import annotations

import pytest

from stereo_depth_node.core.pairing.arrival import PairArrivals

MS = 1_000_000
START = 1_700_000_000_000 * MS


def arrivals_of(lags_ms, *, period_ms=33, age_ms=5, right_later_ms=0, speed=1.0):
    """Return the arrivals of one pair per lag, stamped at a constant rate."""
    arrivals = PairArrivals()
    for count, lag in enumerate(lags_ms):
        left, due = count * period_ms * MS, round(count * period_ms * MS / speed) + age_ms * MS
        arrivals.note(
            0,
            (START + left, START + left + right_later_ms * MS),
            (START + due, START + due + (right_later_ms + lag) * MS),
        )
    return arrivals


def test_the_lag_is_what_the_stamps_do_not_explain():
    estimate = arrivals_of([66] * 30, right_later_ms=7).estimate()
    assert (estimate.lag_ns, estimate.spread_ns, estimate.samples) == (66 * MS, 0, 30)
    assert (estimate.period_ns, estimate.age_ns) == (33 * MS, 5 * MS)
    assert estimate.speed == pytest.approx(1.0)


def test_a_few_late_images_do_not_count():
    assert arrivals_of([500] * 12 + [1] * 18).estimate().lag_ns == MS


def test_jitter_is_spread():
    assert arrivals_of([0, 60, 120, 180] * 8).estimate().spread_ns >= 100 * MS


@pytest.mark.parametrize(('speed', 'period_ms'), [(0.5, 66), (4.0, 33)])
def test_the_period_of_what_is_played_is_the_longer_one(speed, period_ms):
    estimate = arrivals_of([1] * 20, speed=speed).estimate()
    assert estimate.speed == pytest.approx(speed, rel=0.01)
    assert estimate.period_ns == period_ms * MS
    assert estimate.median_speed == pytest.approx(speed, rel=0.01)


def test_few_pairs_and_those_of_another_epoch_say_nothing():
    arrivals = arrivals_of([66] * 9)
    assert arrivals.estimate() is None
    arrivals = arrivals_of([66] * 20)
    arrivals.note(1, (START, START), (START, START))
    assert arrivals.estimate() is None


def test_a_driver_that_keeps_back_now_more_and_now_fewer_frames_has_no_remainder():
    """At times two frames come at once, and at times none."""
    estimate = arrivals_of([66, 66, 99, 99, 132, 132, 99, 99, 66, 132] * 3).estimate()
    assert estimate.lag_ns == 99 * MS
    assert estimate.remainder_spread_ns < 2 * MS < estimate.spread_ns


def test_images_that_have_waited_for_the_end_of_a_pause_do_not_count():
    """Of 20 images that all arrive at the end of a pause each waited a period less."""
    pause = [33 * waited for waited in range(20, 0, -1)]
    assert arrivals_of([0] * 5 + pause + [0] * 5).estimate().lag_ns == 0


def test_the_delays_of_a_network_have_a_remainder():
    delays = [40, 55, 70, 62, 48, 81, 95, 52, 77, 66] * 3
    assert arrivals_of(delays).estimate().remainder_spread_ns > 8 * MS
