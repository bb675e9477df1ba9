# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""When the images of a pair arrived: what their stamps cannot tell of themselves."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import itertools
from statistics import median_low, quantiles

__all__ = ['ArrivalEstimate', 'PairArrivals']

_REMEMBERED_PAIRS = 30
# Fewer say nothing: images may have waited somewhere until the node listened.
_ENOUGH_PAIRS = 10


@dataclass(frozen=True, slots=True)
class ArrivalEstimate:
    """How the last pairs arrived.

    Attributes
    ----------
    lag_ns : int
        Median of how much later the right image arrives than the left one, less what their
        stamps differ by, ns.
    spread_ns : int
        Of half of the pairs, the middle one, the lags differ by no more than this, ns.
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
    """

    lag_ns: int
    spread_ns: int
    period_ns: int
    age_ns: int
    stamp_ns: int
    speed: float
    samples: int


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
        lags = [
            (right_arrival - left_arrival) - (right_ns - left_ns)
            for left_ns, right_ns, left_arrival, right_arrival in pairs
        ]
        stamps = [pair[0] for pair in pairs]
        arrivals = [pair[2] for pair in pairs]
        lower, _, upper = quantiles(lags)
        return ArrivalEstimate(
            lag_ns=median_low(lags),
            spread_ns=round(upper - lower),
            period_ns=max(_median_interval(stamps), _median_interval(arrivals)),
            age_ns=median_low(pair[2] - pair[0] for pair in pairs),
            stamp_ns=stamps[-1],
            speed=(stamps[-1] - stamps[0]) / max(arrivals[-1] - arrivals[0], 1),
            samples=len(pairs),
        )


def _median_interval(times: list[int]) -> int:
    return median_low(abs(b - a) for a, b in itertools.pairwise(times))
