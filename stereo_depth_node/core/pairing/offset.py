# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far the right camera's stamps lie from the left's, whether images pair or not."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median_low

__all__ = ['OffsetEstimate', 'offset_estimate']


@dataclass(frozen=True, slots=True)
class OffsetEstimate:
    """How far right stamps lie after left ones.

    Attributes
    ----------
    nearest_ns : int
        Median over the last right images of right stamp minus nearest left stamp, ns.
    arrival_ns : int
        Median of right stamp minus the stamp of the left image received last, ns. Far above
        a frame period in size, it tells of clocks that differ or of one camera that lags.
    samples : int
        Right images that `nearest_ns` rests on.
    """

    nearest_ns: int
    arrival_ns: int
    samples: int


def offset_estimate(
    left: Collection[int], right: Collection[int], arrival: Collection[int]
) -> OffsetEstimate | None:
    """Return the offset of two cameras' last stamps, None while there is nothing to compare.

    Parameters
    ----------
    left, right
        The last stamps of each camera in any order, ns.
    arrival
        For the last right images, their stamp minus that of the left image received last, ns.
    """
    if not arrival or not left:
        return None
    arrival_ns = median_low(arrival)
    ascending = sorted(left)
    # Only between two left stamps is the nearest one known for sure.
    inside = [stamp for stamp in right if ascending[0] <= stamp <= ascending[-1]]
    if not inside:
        return OffsetEstimate(arrival_ns, arrival_ns, len(arrival))
    nearest = []
    for stamp in inside:
        after = bisect_left(ascending, stamp)
        around = ascending[max(after - 1, 0) : after + 1]
        nearest.append(min((stamp - left_stamp for left_stamp in around), key=abs))
    return OffsetEstimate(median_low(nearest), arrival_ns, len(nearest))
