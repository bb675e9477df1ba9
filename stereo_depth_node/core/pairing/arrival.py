# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""When the images of a pair arrived: what their stamps cannot tell of themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
import itertools
from statistics import median_low, quantiles
import sys

__all__ = ['ArrivalEstimate', 'PairArrivals']

_REMEMBERED_PAIRS = 40
# Fewer say nothing: images may have waited somewhere until the node listened.
_ENOUGH_PAIRS = 10
# Of fewer lags the spread is small by chance, too, however much they vary.
_ENOUGH_LAGS = 20
# An image that arrives sooner than this after the one before, in periods, has waited with it for
# something to end, such as a pause of its driver.
_AT_ONCE_PERIODS = 0.25


@dataclass(frozen=True, slots=True)
class ArrivalEstimate:
    """How the last pairs arrived.

    Attributes
    ----------
    lag_ns : int
        Median of how much later the right image arrives than the left one, less what their
        stamps differ by, ns. Images that have waited with the one before them do not count.
    spread_ns : int
        Of half of the pairs, the middle one, the lags differ by no more than this, ns.
    remainder_spread_ns : int
        The same of what is left of the lags without whole frame periods, ns: small where a driver
        keeps back whole frames, now more and now fewer, as no network does.
    period_ns : int
        Median interval of the pairs, by stamps or by arrival, whichever is longer, ns.
    age_ns : int
        Median time from a left stamp to the arrival of its image, by the clock of this machine,
        ns.
    stamp_ns : int
        Left stamp of the last pair.
    speed : float
        Seconds that the stamps advance per second of arrival: 1 unless they are played.
    samples : int
        Pairs that this rests on.
    median_speed : float
        The same as speed by the median intervals: a jump of the stamps does not change it.
    """

    lag_ns: int
    spread_ns: int
    period_ns: int
    age_ns: int
    stamp_ns: int
    speed: float
    samples: int
    remainder_spread_ns: int = sys.maxsize
    median_speed: float = 1.0


class PairArrivals:
    """Remembers when the images of the last pairs arrived."""

    def __init__(self) -> None:
        self._epoch = 0
        self._pairs: deque[tuple[int, int, int, int]] = deque(maxlen=_REMEMBERED_PAIRS)

    def note(self, epoch: int, stamps: tuple[int, int], arrivals: tuple[int, int]) -> None:
        """Note a pair: stamps and arrivals of its left and right image, ns.

        Those of an earlier epoch of the stamps are forgotten.
        """
        if epoch != self._epoch:
            self._epoch = epoch
            self._pairs.clear()
        self._pairs.append((*stamps, *arrivals))

    def clear(self) -> None:
        """Forget all pairs."""
        self._pairs.clear()

    def estimate(self) -> ArrivalEstimate | None:
        """Condense the last pairs; None before there are enough."""
        pairs = tuple(self._pairs)
        if len(pairs) < _ENOUGH_PAIRS:
            return None
        stamps = [pair[0] for pair in pairs]
        arrivals = [pair[2] for pair in pairs]
        stamp_interval, interval = _median_interval(stamps), _median_interval(arrivals)
        period_ns = max(stamp_interval, interval)
        lags = _lags(pairs, _AT_ONCE_PERIODS * period_ns)
        return ArrivalEstimate(
            lag_ns=median_low(lags),
            spread_ns=_spread(lags),
            remainder_spread_ns=_remainder_spread(lags, period_ns),
            period_ns=period_ns,
            age_ns=median_low(pair[2] - pair[0] for pair in pairs),
            stamp_ns=stamps[-1],
            speed=(stamps[-1] - stamps[0]) / max(arrivals[-1] - arrivals[0], 1),
            samples=len(pairs),
            median_speed=stamp_interval / max(interval, 1),
        )


def _lags(pairs: Sequence[tuple[int, int, int, int]], at_once_ns: float) -> list[int]:
    """Return the lags of the pairs whose images have not waited; none of note if most have."""
    lags = [
        (right_arrival - left_arrival) - (right_ns - left_ns)
        for left_ns, right_ns, left_arrival, right_arrival in pairs
    ]
    waited = [
        any(now[side] - before[side] < at_once_ns for side in (2, 3))
        for before, now in itertools.pairwise(pairs)
    ]
    kept = [lag for lag, has_waited in zip(lags[1:], waited, strict=True) if not has_waited]
    return kept if len(kept) >= _ENOUGH_LAGS else [0, 0]


def _spread(values: list[int]) -> int:
    lower, _, upper = quantiles(values)
    return round(upper - lower)


def _remainder_spread(lags: list[int], period_ns: int) -> int:
    middle, half = median_low(lags), period_ns // 2
    return _spread([(lag - middle + half) % max(period_ns, 1) for lag in lags])


def _median_interval(times: list[int]) -> int:
    return median_low(abs(b - a) for a, b in itertools.pairwise(times))
