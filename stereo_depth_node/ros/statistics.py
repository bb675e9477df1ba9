# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node counts of the last second, and when it last received, computed and published."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
import itertools
import math
from statistics import median_low
import time

from stereo_depth_node.core.pairing.reasons import DropReason, Side

__all__ = ['ENOUGH_IMAGES', 'CountWindow', 'Counts', 'Rate', 'Statistics']

ENOUGH_IMAGES = 3
"""Images of each side from which a window can be short."""

_SAMPLES = 200
# Events whose rhythm is measured: of three intervals one may be odd.
_TIMES = 4
_WINDOW_S, _LONGEST_WINDOW_S = 1.0, 10.0
# Counts are kept at this interval.
_INTERVAL_S = 0.4


class Rate:
    """When something happened last, and in which rhythm."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_TIMES)

    @property
    def interval(self) -> float:
        """Median of the last intervals, seconds: a pause is no rhythm; 0 before the second."""
        intervals = [after - before for before, after in itertools.pairwise(self._times)]
        return median_low(intervals) if intervals else 0.0

    def tick(self) -> None:
        """Note one event."""
        self._times.append(time.monotonic())

    def seconds_since(self) -> float:
        """Return the time since the last event, infinite before the first."""
        return time.monotonic() - self._times[-1] if self._times else math.inf


class Statistics:
    """Rates and latency of the running node.

    Attributes
    ----------
    input : dict of str to Rate
        Images received, by side.
    pairs : Rate
        Pairs found.
    work : Rate
        Pairs taken up, whether they could be computed or not.
    output : Rate
        Pairs computed and published.
    latency_s : deque of float
        Left stamp to publication of the last pairs, seconds.
    """

    def __init__(self) -> None:
        self.input = {'left': Rate(), 'right': Rate()}
        self.pairs = Rate()
        self.work = Rate()
        self.output = Rate()
        self.latency_s: deque[float] = deque(maxlen=_SAMPLES)

    def seconds_since_input(self) -> float:
        """Return the time since the last image of either side."""
        return min(rate.seconds_since() for rate in self.input.values())


@dataclass(frozen=True)
class Counts:
    """The counters of the node at one moment.

    Attributes
    ----------
    at : float
        Seconds of the steady clock.
    images : dict of Side to tuple of 4 int
        Images received; of these stamped 0; stamped earlier than the one before; lost by the
        middleware.
    pairs, computed, resets : int
        Pairs found; pairs computed; restarts of the stamps.
    dropped : Counter of DropReason
        Images dropped.
    """

    at: float
    images: dict[Side, tuple[int, int, int, int]]
    pairs: int
    computed: int
    resets: int
    dropped: Counter[DropReason]


class CountWindow:
    """Remembers counts, for a comparison with those of a second ago, or of more at low rates."""

    def __init__(self) -> None:
        self._before: deque[Counts] = deque(maxlen=math.ceil(_LONGEST_WINDOW_S / _INTERVAL_S) + 1)

    @property
    def oldest(self) -> Counts:
        """The counts of ten seconds ago, or the first ones."""
        return self._before[0]

    def begin(self, now: Counts) -> Counts:
        """Return the counts at the beginning of the window that ends now, and remember these."""
        then = now
        for then in reversed(self._before):
            came = min(now.images[side][0] - then.images[side][0] for side in Side)
            if now.at - then.at >= _WINDOW_S and came >= ENOUGH_IMAGES:
                break
            if now.at - then.at >= _LONGEST_WINDOW_S:
                break
        if not self._before or now.at - self._before[-1].at >= _INTERVAL_S:
            self._before.append(now)
        return then
