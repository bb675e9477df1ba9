# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the arrival of the images says about the clocks that stamp them."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from snapshots import changed, HEALTHY, names, side, text_of

from stereo_depth_node.core.health.snapshot import Snapshot
from stereo_depth_node.core.pairing.arrival import ArrivalEstimate, PairArrivals

MS, S = 1_000_000, 1_000_000_000
PERIOD = 33 * MS
NOW = 1_790_000_000 * S
IN_STEP = ArrivalEstimate(
    lag_ns=2 * MS,
    spread_ns=MS,
    period_ns=PERIOD,
    age_ns=9 * MS,
    stamp_ns=NOW,
    speed=1.0,
    samples=30,
)


def arriving(**changes: Any) -> Snapshot:
    return changed(HEALTHY, arrivals=dataclasses.replace(IN_STEP, **changes))


def test_partners_that_arrive_together_are_health():
    assert names(arriving()) == ['flowing']


@pytest.mark.parametrize(
    ('lag_ns', 'late', 'early'), [(2 * PERIOD, 'right', 'left'), (-2 * PERIOD, 'left', 'right')]
)
def test_partners_that_arrive_periods_apart_are_named_with_the_delay(lag_ns, late, early):
    snapshot = arriving(lag_ns=lag_ns)
    assert names(snapshot) == ['flowing', 'moments_differ']
    assert (
        f'the {late} images come 66 ms (2.0 frame periods, median of 30 pairs) after the {early}'
    ) in text_of(snapshot, 'moments_differ')


@pytest.mark.parametrize(
    'changes',
    [
        {'lag_ns': PERIOD},
        {'lag_ns': 3 * PERIOD, 'spread_ns': PERIOD},  # a slow network
        {'lag_ns': 3 * PERIOD, 'spread_ns': PERIOD, 'remainder_spread_ns': PERIOD // 3},
        {'lag_ns': 3 * PERIOD, 'speed': 20.0},  # a burst
        {'lag_ns': 3 * PERIOD, 'period_ns': 5 * S},  # a slow camera
        {'lag_ns': 3 * PERIOD, 'period_ns': 0},
    ],
)
def test_other_delays_are_no_difference_of_moments(changes):
    assert names(arriving(**changes)) == ['flowing']


def test_a_network_that_delays_by_chance_is_never_taken_for_a_difference_of_moments():
    """Of 20 images per second the right ones come 0 to 0.4 s late, in order, for 15 min."""
    chance, arrivals, free_ns = random.Random(0), PairArrivals(), 0
    for frame in range(20 * 900):
        left_ns = NOW + frame * 50 * MS
        free_ns = max(free_ns, left_ns + round(chance.uniform(0.0, 400.0) * MS))
        arrivals.note(0, (left_ns, left_ns), (left_ns + MS, free_ns + MS))
        if frame % 10 == 0:
            snapshot = changed(HEALTHY, arrivals=arrivals.estimate())
            assert names(snapshot) == ['flowing'], f'frame {frame}'


def test_whole_frames_that_a_driver_keeps_back_are_named_though_they_vary():
    snapshot = arriving(lag_ns=3 * PERIOD, spread_ns=2 * PERIOD, remainder_spread_ns=MS)
    assert names(snapshot) == ['flowing', 'moments_differ']


@pytest.mark.parametrize(
    ('age_ns', 'latency', 'words'),
    [
        (9 * MS, -1.7e9, 'time of the system; set use_sim_time to false'),
        (NOW - 900 * S, -800.0, 'of another recording or simulation than /clock'),
        (NOW - 900 * S, 0.3, ''),
    ],
)
def test_images_that_another_clock_stamps_than_the_simulated_one(age_ns, latency, words):
    snapshot = changed(arriving(age_ns=age_ns), uses_sim_time=True, latency=latency)
    if not words:
        assert names(snapshot) == ['flowing']
        return
    assert words in text_of(snapshot, 'clock_foreign')
    assert 'ahead of' in text_of(snapshot, 'clock_foreign')
    assert names(changed(snapshot, waits_for_clock=True)) == ['flowing', 'no_clock']


@pytest.mark.parametrize('speed', [1e-6, 1e6])
def test_stamps_in_another_unit_than_nanoseconds(speed):
    steady = arriving(speed=speed, median_speed=speed, age_ns=NOW)
    text = text_of(steady, 'clock_foreign')
    jump = arriving(speed=speed, age_ns=NOW)
    assert names(jump) == ['flowing'], 'the clock of the cameras was set'
    assert f'they advance by {speed:.2g} s in a second' in text


@pytest.mark.parametrize(
    ('lead_s', 'words'),
    [
        (37.004, ['37.0 s ahead of', 'TAI']),
        (18.0, ['18.0 s ahead of', 'GPS']),
        (3600.1, ['3600 s (1.00 hours) ahead of', 'local time']),
        (-7200.0, ['7200 s (2.00 hours) behind', 'local time']),
        (19800.3, ['19800 s (5.50 hours) ahead of', 'time zones', 'local time']),
        (-315_964_782.2, ['behind', 'count from 1980, as GPS does']),
        (-95.0, ['95.0 s behind', 'synchronise']),
        (0.030, ['30.0 ms ahead of', 'synchronise']),
    ],
)
def test_stamps_of_another_clock_are_named_with_offset_and_candidates(lead_s, words):
    snapshot = arriving(age_ns=round(-lead_s * S))
    assert names(snapshot) == ['flowing', 'clock_foreign']
    for word in words:
        assert word in text_of(snapshot, 'clock_foreign')


def test_the_uptime_of_a_device_is_known_by_its_size():
    text = text_of(arriving(stamp_ns=2128 * S, age_ns=NOW - 2128 * S), 'clock_foreign')
    assert '2128 s is the time since some device was switched on (uptime)' in text


@pytest.mark.parametrize(
    'snapshot',
    [
        arriving(age_ns=4 * S),
        arriving(age_ns=3 * 86400 * S),
        arriving(age_ns=95 * S, speed=0.5),
        changed(arriving(age_ns=95 * S), uses_sim_time=True),
        changed(arriving(age_ns=95 * S), resets=1),
        changed(
            arriving(age_ns=95 * S),
            left=side(
                'left',
                image=dataclasses.replace(side('left').image, publishers=('/rosbag2_player',)),
            ),
        ),
    ],
    ids=['slow', 'old', 'half speed', 'simulated', 'looped', 'player'],
)
def test_recordings_have_stamps_of_their_own(snapshot):
    assert names(snapshot) == ['flowing']
