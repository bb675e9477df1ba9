# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the arrival of the images says about the clocks that stamp them."""

from __future__ import annotations

from collections.abc import Iterator

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.health.causes import CAUSES, Finding, listed
from stereo_depth_node.core.health.snapshot import Snapshot
from stereo_depth_node.core.pairing.arrival import ArrivalEstimate

__all__ = ['LARGEST_LATENCY_S', 'wrong_clocks']

#: Images that are older when they arrive are stamped by another clock.
LARGEST_LATENCY_S = 5.0
# Pairs that wait to be computed are old when they are published, the more so in fast simulations.
_LARGEST_SIMULATED_LATENCY_S = 60.0
# Clocks that are synchronised over a network differ by less.
_CLOCK_ERROR_S = 0.001
# Partners that arrive further apart, and steadily so, are not of one moment. What a slow network
# does to them is not steady.
_LARGEST_LAG_PERIODS, _LARGEST_SPREAD_PERIODS, _LARGEST_REMAINDER_PERIODS = 1.5, 0.35, 0.15
# Where stamps advance at another speed than the clock, images come in a burst, or are played.
_LIVE_SPEEDS = (0.8, 1.25)
# Nobody plays a recording slower, or faster; images that have waited come fast, too.
_POSSIBLE_SPEEDS = (1.0 / 500.0, 1e5)
_PLAYERS = ('rosbag', 'player')
# What is stamped before has counted from the start of a device, and not from 1970.
_FIRST_DATE_S = 10 * 365 * 86400
# Stamps of the past are those of a recording when they are older than this.
_RECORDING_S = 86400.0
_HOUR_S = 3600.0
# Time zones are so far apart, or a multiple of it.
_ZONE_S = 900.0
# Seconds from 1970 to 1980, where GPS begins to count, less the leap seconds that it does not.
_GPS_EPOCH_S = 315_964_800.0 - 18.0
# Time scales that lead UTC, and by how much (since 2017).
_TIME_SCALES = {'TAI, as PTP has it': 37.0, 'GPS time': 18.0}
# Offsets that differ by less are taken for the same.
_RESOLUTION_S = 1.5


def wrong_clocks(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what arrival and stamps of the last pairs say about the clocks."""
    arrivals = snapshot.arrivals
    if arrivals is None:
        return
    if not _is_recording(snapshot):
        yield from _other_unit(arrivals)
    slowest, fastest = _LIVE_SPEEDS
    if not slowest <= arrivals.speed <= fastest:
        return
    is_steady = (
        arrivals.spread_ns < _LARGEST_SPREAD_PERIODS * arrivals.period_ns
        or arrivals.remainder_spread_ns < _LARGEST_REMAINDER_PERIODS * arrivals.period_ns
    )
    if is_steady and abs(arrivals.lag_ns) > _LARGEST_LAG_PERIODS * arrivals.period_ns > 0:
        late, early = ('right', 'left') if arrivals.lag_ns > 0 else ('left', 'right')
        yield CAUSES['moments_differ'].found(
            late=late,
            early=early,
            lag_ms=1e3 * abs(arrivals.lag_ns) / NS_PER_S,
            periods=abs(arrivals.lag_ns) / arrivals.period_ns,
            samples=arrivals.samples,
        )
    if snapshot.uses_sim_time:
        yield from _other_than_simulated(snapshot, arrivals)
    elif not _is_recording(snapshot):
        yield from _foreign_clock(arrivals)


def _other_unit(arrivals: ArrivalEstimate) -> Iterator[Finding]:
    """Yield that stamps advance at a speed that nobody plays a recording at."""
    slowest, fastest = _POSSIBLE_SPEEDS
    slower, faster = sorted((arrivals.speed, arrivals.median_speed))
    if slower > 0.0 and (faster < slowest or slower > fastest):
        yield CAUSES['clock_foreign'].found(
            offset=_duration(abs(arrivals.age_ns) / NS_PER_S),
            direction='ahead of' if arrivals.age_ns < 0 else 'behind',
            candidates=f'they advance by {arrivals.speed:.2g} s in a second, so they count in '
            'another unit than seconds and nanoseconds; have the driver stamp with the time of '
            'the system',
        )


def _is_recording(snapshot: Snapshot) -> bool:
    """Tell whether the images are played, so that their stamps are those of another time."""
    publishers = (name for _, side in snapshot.sides() for name in side.image.publishers)
    is_played = any(player in name for name in publishers for player in _PLAYERS)
    return is_played or snapshot.uses_sim_time or snapshot.resets > 0


def _other_than_simulated(snapshot: Snapshot, arrivals: ArrivalEstimate) -> Iterator[Finding]:
    """Yield that the images are not stamped by the /clock that the node follows."""
    age = snapshot.latency
    if snapshot.waits_for_clock or -LARGEST_LATENCY_S <= age <= _LARGEST_SIMULATED_LATENCY_S:
        return
    if abs(arrivals.age_ns) <= LARGEST_LATENCY_S * NS_PER_S:
        cure = 'they have the time of the system; set use_sim_time to false'
    else:
        cure = (
            'they are of another recording or simulation than /clock, or of a camera whose clock '
            'was not set when they were recorded; start one of them alone'
        )
    yield CAUSES['clock_foreign'].found(
        offset=_duration(abs(age)),
        direction='ahead of' if age < 0.0 else 'behind',
        candidates=f'use_sim_time has it follow /clock, and {cure}, or have one source stamp the '
        'images and publish /clock (--clock where a recording is played)',
    )


def _foreign_clock(arrivals: ArrivalEstimate) -> Iterator[Finding]:
    """Yield that live images are stamped by another clock than that of the node."""
    age, stamp = arrivals.age_ns / NS_PER_S, arrivals.stamp_ns / NS_PER_S
    if -_CLOCK_ERROR_S <= age <= LARGEST_LATENCY_S:
        return
    is_date = stamp >= _FIRST_DATE_S
    counts_from_1980 = abs(age - _GPS_EPOCH_S) < _RESOLUTION_S
    if stamp == 0.0 or (is_date and age > _RECORDING_S and not counts_from_1980):
        return
    uptime = (
        f'{stamp:.0f} s is the time since some device was switched on (uptime), or since a '
        'simulation began, not since 1970; have the driver stamp with the time of the system, or '
        'start a node in a simulation with use_sim_time:=true'
    )
    yield CAUSES['clock_foreign'].found(
        offset=_duration(abs(age)),
        direction='ahead of' if age < 0.0 else 'behind',
        candidates=_candidates(-age) if is_date else uptime,
    )


def _candidates(lead: float) -> str:
    """Return what may have put stamps so many seconds ahead of the clock."""
    for name, seconds in _TIME_SCALES.items():
        if abs(lead - seconds) < _RESOLUTION_S:
            return f'they may be {name} ({seconds:.0f} s ahead of UTC): convert them in the driver'
    if abs(-lead - _GPS_EPOCH_S) < _RESOLUTION_S:
        return 'they count from 1980, as GPS does: convert them in the driver'
    zones = round(lead / _ZONE_S)
    if zones and abs(lead - zones * _ZONE_S) < _RESOLUTION_S:
        return 'the difference of two time zones, so one of both may be local time: set it to UTC'
    choices = ('chrony', 'NTP', 'PTP')
    return (
        f'the clock of the camera, or of its computer, is not set: synchronise it '
        f'({listed(choices, "or")}), or have the driver stamp with the time of the system'
    )


def _duration(seconds: float) -> str:
    if seconds < 1.0:
        return f'{1e3 * seconds:.1f} ms'
    if seconds < _HOUR_S:
        return f'{seconds:.1f} s'
    return f'{seconds:.0f} s ({seconds / _HOUR_S:.2f} hours)'
