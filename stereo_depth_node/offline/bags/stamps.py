# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""When the images of a camera in a recording were taken, and where some are missing."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.bags.reader import Bag, serialized_stamp_ns

__all__ = ['SideStamps']

# An interval this many times the usual one has a gap in it.
_GAP = 1.5


@dataclass
class SideStamps:
    """When the images of one camera were taken and recorded.

    Attributes
    ----------
    stamps, recorded : (N,) int64 ndarray
        Stamps and times in the recording, ns.
    """

    stamps: npt.NDArray[np.int64]
    recorded: npt.NDArray[np.int64]

    @classmethod
    def read(cls, recording: Bag, topic: str) -> SideStamps:
        """Read the stamps of a topic of images; what has none is left out."""
        stamps, recorded = [], []
        for _, bag_ns, data in recording.messages([topic]):
            try:
                stamps.append(serialized_stamp_ns(data))
            except InputError:  # the pairing counts it
                continue
            recorded.append(bag_ns)
        return cls(np.array(stamps, np.int64), np.array(recorded, np.int64))

    @property
    def period_ns(self) -> float:
        """Median interval of the stamps, ns; NaN below two of them."""
        return _median(self._intervals)

    @property
    def rate(self) -> float:
        """Images per second by the stamps; 0 below two images."""
        return NS_PER_S / self.period_ns if self.period_ns > 0 else 0.0

    @property
    def delay_s(self) -> float:
        """Median time from stamp to recording, seconds."""
        return _median(self.recorded - self.stamps) / NS_PER_S

    def gaps(self) -> list[tuple[float, int]]:
        """Return the gaps: seconds from the first stamp, and images missing there."""
        intervals, period = self._intervals, self.period_ns
        if not period > 0:
            return []
        ordered = np.unique(self.stamps)
        places = np.flatnonzero(intervals > _GAP * period)
        return [
            (
                float(ordered[place] - ordered[0]) / NS_PER_S,
                max(1, round(float(intervals[place] / period)) - 1),
            )
            for place in places
        ]

    @property
    def _intervals(self) -> npt.NDArray[np.int64]:
        ordered = np.unique(self.stamps)
        return ordered[1:] - ordered[:-1]


def _median(values: npt.NDArray[np.int64]) -> float:
    return float(np.median(values)) if values.size else math.nan
