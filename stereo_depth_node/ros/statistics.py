# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node has done lately: rates, latency and time per stage."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
import time

__all__ = ['Rate', 'Statistics']

_WINDOW_S = 5.0
_SAMPLES = 200


class Rate:
    """Events per second over the last seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=4 * _SAMPLES)

    def tick(self) -> None:
        """Note one event."""
        self._times.append(time.monotonic())

    def per_second(self) -> float:
        """Return the rate over the last 5 s; 0 when there was no event in them."""
        now = time.monotonic()
        while self._times and now - self._times[0] > _WINDOW_S:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0
        span = max(now, self._times[-1]) - self._times[0]
        return (len(self._times) - 1) / span if span > 0.0 else 0.0

    def seconds_since(self) -> float:
        """Return the time since the last event, infinite before the first."""
        return time.monotonic() - self._times[-1] if self._times else float('inf')


class Statistics:
    """Measures of the running node.

    Attributes
    ----------
    input : dict of str to Rate
        Images received, by side.
    output : Rate
        Pairs computed and published.
    latency_s : deque of float
        Left stamp to publication of the last pairs, seconds.
    stages : dict of str to deque of float
        Seconds of the last pairs in each stage.
    """

    def __init__(self) -> None:
        self.input = {'left': Rate(), 'right': Rate()}
        self.output = Rate()
        self.latency_s: deque[float] = deque(maxlen=_SAMPLES)
        self.stages: dict[str, deque[float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the time that a stage of the work takes."""
        start = time.perf_counter()
        yield
        times = self.stages.setdefault(name, deque(maxlen=_SAMPLES))
        times.append(time.perf_counter() - start)

    def seconds_since_input(self) -> float:
        """Return the time since the last image of either side."""
        return min(rate.seconds_since() for rate in self.input.values())

    def stage_medians(self) -> dict[str, float]:
        """Return the median time of each stage, seconds."""
        return {name: median(times) for name, times in self.stages.items() if times}
