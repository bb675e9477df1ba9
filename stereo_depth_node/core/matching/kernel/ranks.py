# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Best and second-best SAD, and the disparity they give, compiled with numba.

The last two stages of :mod:`.matcher`. Four numbers per column are kept while the
disparities are searched, from the largest (index 0) to the smallest: `best` (the smallest
SAD), `second` (the smallest that is not next to it), `before` (`best` one index ago) and
`where` (the index of `best`; the first one wins a tie). The SADs on both sides of `best`,
`low` and `high`, are looked up in the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.matching.kernel.buffers import CELL, GROUP, RANKS, SAD_STRIDE, Search
from stereo_depth_node.core.matching.kernel.jit import compiled
from stereo_depth_node.core.matching.kernel.sums import window_sum

__all__ = ['look_up_neighbours', 'rank_group', 'reset_ranks', 'write_disparities']

i16, i32, size = np.int16, np.int32, np.uint64

_STRIDE = size(SAD_STRIDE)
_CELL = size(CELL)


@compiled
def rank_group(
    sads: NDArray[Any], ranks: NDArray[Any], parts: NDArray[np.int16], singles: NDArray[np.int8],
    start: Any, part: Any, odd: Any, sign: Any, index: Any, columns: Any,
) -> None:  # fmt: skip
    """Add the window sums of `GROUP` disparities to their SADs, and rank these.

    A new best SAD at an index takes for `second` what was the best before the index
    below, its neighbour, came. The loop over the group is unrolled by the compiler.
    """
    number = sads.dtype.type
    for x in range(columns):
        best = ranks[x]
        second = ranks[_STRIDE + x]
        before = ranks[_STRIDE * size(2) + x]
        where = ranks[_STRIDE * size(3) + x]
        improved = before != best
        for k in range(size(GROUP)):
            at = start + k * _STRIDE + x
            more = number(window_sum(parts, singles, k * _CELL, part, odd, sign, x))
            sad = number(sads[at] + more)
            sads[at] = sad
            improves = sad < best
            second = before if improves else (second if improved else min(second, sad))
            where = number(index + k) if improves else where
            before = best
            best = min(best, sad)
            improved = improves
        ranks[x] = best
        ranks[_STRIDE + x] = second
        ranks[_STRIDE * size(2) + x] = before
        ranks[_STRIDE * size(3) + x] = where


@compiled
def reset_ranks(ranks: NDArray[Any], columns: Any) -> None:
    """No SAD seen yet: the best ones are larger than any."""
    number = ranks.dtype.type
    largest = number(~number(0))
    for x in range(columns):
        for k in range(size(3)):
            ranks[k * _STRIDE + x] = largest
        for k in range(size(3), size(RANKS)):
            ranks[k * _STRIDE + x] = number(0)


@compiled
def look_up_neighbours(ranks: NDArray[Any], sads: NDArray[Any], columns: Any) -> None:
    """Note the SADs on both sides of the best one, for the sub-pixel step.

    What is noted at the ends of the range, where one of them does not exist, is not used.
    """
    for x in range(columns):
        below = size(ranks[_STRIDE * size(3) + x]) * _STRIDE + x
        ranks[_STRIDE * size(4) + x] = sads[below]
        ranks[_STRIDE * size(5) + x] = sads[below + _STRIDE + _STRIDE]


@compiled
def write_disparities(
    out: NDArray[np.int16], costs: NDArray[np.uint16], ranks: NDArray[Any],
    quotient_type: NDArray[Any], textures: NDArray[np.int32], search: Search, start: Any,
    columns: Any,
) -> None:  # fmt: skip
    """Sub-pixel disparities in 1/16 px of the columns that pass both tests.

    A parabola's vertex would need the curvature; OpenCV takes the larger slope
    instead: ``(high - low) / (2 * (max(high, low) - best))``, cut to 1/256 px.
    """
    filtered = i16(search.filtered)
    last = i32(search.num_disparities - 1)
    top = i32(search.min_disparity + search.num_disparities - 1)
    threshold = i32(search.texture_threshold)
    real = quotient_type.dtype.type
    ratio = real(search.uniqueness_ratio)
    for x in range(columns):
        best = i32(ranks[x])
        second = i32(ranks[_STRIDE + x])
        where = i32(ranks[_STRIDE * size(3) + x])
        low = i32(ranks[_STRIDE * size(4) + x])
        high = i32(ranks[_STRIDE * size(5) + x])
        margin = i32(real(best) * ratio / real(100))
        unique = (ratio <= 0) | (i32(second - best) > margin)
        slope = i32(max(high, low) - best)
        inside = (where > 0) & (where < last) & (slope > 0)
        fraction = i32(real(i32(high - low)) * real(128) / real(slope if inside else i32(1)))
        disparity = i32(i32(top - where) * i32(256) + (fraction if inside else i32(0)))
        keep = unique & (textures[x] >= threshold)
        out[start + x] = i16((disparity + i32(15)) >> i32(4)) if keep else filtered
    if search.keep_costs:
        for x in range(columns):
            costs[start + x] = np.uint16(ranks[x])
