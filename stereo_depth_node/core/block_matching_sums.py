# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Window sums of absolute differences, compiled with numba.

The first two stages of :mod:`.block_matching`: difference rows, and their sums
over half a block; then the SADs are updated (or ranked at the same time, see
:mod:`.block_matching_ranks`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .block_matching_layout import CELL, GROUP, SAD_STRIDE
from .jit import compiled, inlined

__all__ = [
    'add_window_sums',
    'difference_rows',
    'hold_border',
    'sum_half_windows',
    'texture_row',
    'window_sum',
]

u8, i8, i16, size = np.uint8, np.int8, np.int16, np.uint64

_STRIDE = size(SAD_STRIDE)
_CELL = size(CELL)


@inlined
def _distance(a: Any, b: Any) -> Any:
    """|a - b| of unsigned bytes."""
    return u8(max(a, b) - min(a, b))


@compiled
def difference_rows(
    singles: NDArray[np.int8], left: NDArray[np.uint8], right: NDArray[np.uint8],
    left_in: Any, left_out: Any, right_in: Any, right_out: Any, columns: Any,
) -> None:  # fmt: skip
    """|left - right| in the row that enters the window, minus that in the row that leaves."""
    for x in range(columns):
        a = left[left_in + x]
        b = left[left_out + x]
        r = right_in + x
        s = right_out + x
        c = size(x)
        singles[c] = i8(_distance(a, right[r]) - _distance(b, right[s]))
        singles[_CELL + c] = i8(
            _distance(a, right[r + size(1)]) - _distance(b, right[s + size(1)])
        )
        singles[_CELL * size(2) + c] = i8(
            _distance(a, right[r + size(2)]) - _distance(b, right[s + size(2)])
        )
        singles[_CELL * size(3) + c] = i8(
            _distance(a, right[r + size(3)]) - _distance(b, right[s + size(3)])
        )


@compiled
def hold_border(
    singles: NDArray[np.int8], left: NDArray[np.uint8], right: NDArray[np.uint8],
    left_in: Any, left_out: Any, right_in: Any, right_out: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    """Difference rows where the right image ends: its last pixel stands for all beyond."""
    for k in range(size(GROUP)):
        r = right[right_in + k]
        s = right[right_out + k]
        for x in range(size(first), size(last)):
            singles[k * _CELL + x] = i8(
                _distance(left[left_in + x], r) - _distance(left[left_out + x], s)
            )


@compiled
def texture_row(
    singles: NDArray[np.int8], left: NDArray[np.uint8], row_in: Any, row_out: Any, cap: Any,
    columns: Any,
) -> None:  # fmt: skip
    """|left - no texture| in the row that enters the window, minus that in the row that leaves."""
    for x in range(columns):
        singles[x] = i8(_distance(left[row_in + x], cap) - _distance(left[row_out + x], cap))


@compiled
def _pair_columns(
    pairs: NDArray[Any], singles: NDArray[np.int8], cells: Any, columns: Any
) -> None:
    """Sums over two columns, in 8 bits where they fit."""
    number = pairs.dtype.type
    for k in range(cells):
        first = k * _CELL
        second = first + size(1)
        for x in range(columns):
            pairs[first + x] = number(number(singles[first + x]) + number(singles[second + x]))


@compiled
def _sum_few_columns(
    halves: NDArray[np.int16], pairs: NDArray[Any], singles: NDArray[np.int8], width: Any,
    cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Sums over two to seven columns."""
    for k in range(cells):
        a = k * _CELL
        b = a + size(2)
        c = a + size(4)
        d = a + size(6)
        if width == 2:
            for x in range(columns):
                halves[a + x] = i16(pairs[a + x])
        elif width == 3:
            for x in range(columns):
                halves[a + x] = i16(i16(pairs[a + x]) + i16(singles[b + x]))
        elif width == 4:
            for x in range(columns):
                halves[a + x] = i16(i16(pairs[a + x]) + i16(pairs[b + x]))
        elif width == 5:
            for x in range(columns):
                four = i16(i16(pairs[a + x]) + i16(pairs[b + x]))
                halves[a + x] = i16(four + i16(singles[c + x]))
        elif width == 6:
            for x in range(columns):
                four = i16(i16(pairs[a + x]) + i16(pairs[b + x]))
                halves[a + x] = i16(four + i16(pairs[c + x]))
        else:
            for x in range(columns):
                four = i16(i16(pairs[a + x]) + i16(pairs[b + x]))
                three = i16(i16(pairs[c + x]) + i16(singles[d + x]))
                halves[a + x] = i16(four + three)


@compiled
def _double_width(
    wide: NDArray[np.int16], narrow: NDArray[np.int16], singles: NDArray[np.int8], width: Any,
    odd: Any, cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Sums over ``2 * width + odd`` columns from sums over `width` columns."""
    for k in range(cells):
        cell = k * _CELL
        second = cell + width
        third = second + width
        if odd:
            for x in range(columns):
                even = i16(narrow[cell + x] + narrow[second + x])
                wide[cell + x] = i16(even + i16(singles[third + x]))
        else:
            for x in range(columns):
                wide[cell + x] = i16(narrow[cell + x] + narrow[second + x])


@compiled
def sum_half_windows(
    halves: NDArray[np.int16], spare: NDArray[np.int16], pairs: NDArray[Any],
    singles: NDArray[np.int8], half: int, cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Sums over `half` columns.

    The first three binary digits of `half` give the sums to start with, each further
    digit one doubling. Those alternate between `halves` and `spare`, and end in `halves`.
    """
    doublings = 0
    while half >> doublings > 7:
        doublings += 1
    wide, narrow = halves, spare
    if doublings % 2 == 1:
        wide, narrow = spare, halves
    _pair_columns(pairs, singles, cells, columns)
    _sum_few_columns(wide, pairs, singles, half >> doublings, cells, columns)
    for digit in range(doublings - 1, -1, -1):
        wide, narrow = narrow, wide
        odd = (half >> digit) & 1
        _double_width(wide, narrow, singles, size(half >> (digit + 1)), odd, cells, columns)


@inlined
def window_sum(halves: Any, singles: Any, cell: Any, half: Any, x: Any) -> Any:
    """Two halves and the column between them (the odd one is counted last)."""
    return i16(
        i16(halves[cell + x] + halves[cell + half + x]) + i16(singles[cell + half + half + x])
    )


@compiled
def add_window_sums(
    sads: NDArray[Any], halves: NDArray[np.int16], singles: NDArray[np.int8], start: Any,
    half: Any, cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Add the window sums of one row to the running SADs."""
    number = sads.dtype.type
    for k in range(cells):
        for x in range(columns):
            at = start + k * _STRIDE + x
            sads[at] = number(
                sads[at] + number(window_sum(halves, singles, k * _CELL, half, x))
            )
