# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""When the node last received, computed and published something, and how late it was."""

from __future__ import annotations

from collections import deque
import math
import time

__all__ = ['Rate', 'Statistics']

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
