# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node has done lately: when it last did something, latency and time per stage."""

from __future__ import annotations

from collections import deque
import math
from statistics import median
import time

__all__ = ['Rate', 'Stage', 'Statistics']

_SAMPLES = 200


class Rate:
    """When something happened last.

    Attributes
    ----------
    interval : float
        Seconds between the last two events; 0 before the second.
    """

    def __init__(self) -> None:
        self.interval = 0.0
        self._last = -math.inf

    def tick(self) -> None:
        """Note one event."""
        now = time.monotonic()
        if self._last > 0.0:
            self.interval = now - self._last
        self._last = now

    def seconds_since(self) -> float:
        """Return the time since the last event, infinite before the first."""
        return time.monotonic() - self._last


class Stage:
    """A stage of the work, as a context that measures its time unless it fails.

    Attributes
    ----------
    times : deque of float
        Seconds that it took for the last pairs.
    """

    def __init__(self) -> None:
        self.times: deque[float] = deque(maxlen=_SAMPLES)
        self._start = 0.0

    def __enter__(self) -> None:
        """Begin."""
        self._start = time.perf_counter()

    def __exit__(self, error_type: object, *_: object) -> None:
        """Note how long it took."""
        if error_type is None:
            self.times.append(time.perf_counter() - self._start)


class Statistics:
    """Measures of the running node.

    Parameters
    ----------
    stage_type : type
        What measures the stages.

    Attributes
    ----------
    input : dict of str to Rate
        Images received, by side.
    work : Rate
        Pairs taken up, whether they could be computed or not.
    output : Rate
        Pairs computed and published.
    latency_s : deque of float
        Left stamp to publication of the last pairs, seconds.
    stages : dict of str to Stage
        Decoding, matching and publishing, by these names: ``decode``, ``match``, ``publish``.
    """

    def __init__(self, stage_type: type[Stage] = Stage) -> None:
        self.input = {'left': Rate(), 'right': Rate()}
        self.work = Rate()
        self.output = Rate()
        self.latency_s: deque[float] = deque(maxlen=_SAMPLES)
        self.stages = {name: stage_type() for name in ('decode', 'match', 'publish')}

    def seconds_since_input(self) -> float:
        """Return the time since the last image of either side."""
        return min(rate.seconds_since() for rate in self.input.values())

    def stage_medians(self) -> dict[str, float]:
        """Return the median time of each stage, seconds."""
        return {name: median(stage.times) for name, stage in self.stages.items() if stage.times}
