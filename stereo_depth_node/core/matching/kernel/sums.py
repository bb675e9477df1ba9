# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Window sums of absolute differences, compiled with numba.

The first two stages of :mod:`.matcher`: difference rows, and their sums
over a third of a block; then the SADs are updated (or ranked at the same time, see
:mod:`.ranks`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.matching.kernel.buffers import CELL, GROUP, SAD_STRIDE
from stereo_depth_node.core.matching.kernel.jit import compiled, inlined

__all__ = [
    'add_window_sums',
    'difference_rows',
    'hold_border',
    'sum_parts',
    'texture_row',
    'window_sum',
]

u8, i8, i16, size = np.uint8, np.int8, np.int16, np.uint64

_STRIDE = size(SAD_STRIDE)
_CELL = size(CELL)


@inlined
def _distance(a: Any, b: Any) -> Any:
    """Return |a - b| of unsigned bytes."""
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
        for k in range(size(GROUP)):
            entering = _distance(a, right[right_in + k + x])
            leaving = _distance(b, right[right_out + k + x])
            singles[k * _CELL + x] = i8(entering - leaving)


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


@inlined
def _pair(singles: Any, at: Any, number: Any) -> Any:
    """Sum two columns, in 8 bits where `number` says that they fit."""
    return i16(number(number(singles[at]) + number(singles[at + size(1)])))


@compiled
def _sum_few_columns(
    parts: NDArray[np.int16], pair_type: NDArray[Any], singles: NDArray[np.int8], width: Any,
    cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Sum over one to seven columns, two by two."""
    number = pair_type.dtype.type
    for k in range(cells):
        a = k * _CELL
        b = a + size(2)
        c = a + size(4)
        d = a + size(6)
        if width == 1:
            for x in range(columns):
                parts[a + x] = i16(singles[a + x])
        elif width == 2:
            for x in range(columns):
                parts[a + x] = _pair(singles, a + x, number)
        elif width == 3:
            for x in range(columns):
                parts[a + x] = i16(_pair(singles, a + x, number) + i16(singles[b + x]))
        elif width == 4:
            for x in range(columns):
                first = _pair(singles, a + x, number)
                parts[a + x] = i16(first + _pair(singles, b + x, number))
        elif width == 5:
            for x in range(columns):
                first = _pair(singles, a + x, number)
                four = i16(first + _pair(singles, b + x, number))
                parts[a + x] = i16(four + i16(singles[c + x]))
        elif width == 6:
            for x in range(columns):
                first = _pair(singles, a + x, number)
                four = i16(first + _pair(singles, b + x, number))
                parts[a + x] = i16(four + _pair(singles, c + x, number))
        else:
            for x in range(columns):
                first = _pair(singles, a + x, number)
                four = i16(first + _pair(singles, b + x, number))
                three = i16(_pair(singles, c + x, number) + i16(singles[d + x]))
                parts[a + x] = i16(four + three)


@compiled
def _double_width(
    wide: NDArray[np.int16], narrow: NDArray[np.int16], singles: NDArray[np.int8], width: Any,
    odd: Any, cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Sum over ``2 * width + odd`` columns from sums over `width` columns."""
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
def sum_parts(
    parts: NDArray[np.int16], spare: NDArray[np.int16], pair_type: NDArray[Any],
    singles: NDArray[np.int8], part: int, cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Sum over `part` columns.

    The first three binary digits of `part` give the sums to start with, each further
    digit one doubling. Those alternate between `parts` and `spare`, and end in `parts`.
    """
    doublings = 0
    while part >> doublings > 7:
        doublings += 1
    wide, narrow = parts, spare
    if doublings % 2 == 1:
        wide, narrow = spare, parts
    _sum_few_columns(wide, pair_type, singles, part >> doublings, cells, columns)
    for digit in range(doublings - 1, -1, -1):
        wide, narrow = narrow, wide
        odd = (part >> digit) & 1
        _double_width(wide, narrow, singles, size(part >> (digit + 1)), odd, cells, columns)


@inlined
def window_sum(parts: Any, singles: Any, cell: Any, part: Any, odd: Any, sign: Any, x: Any) -> Any:
    """Three parts, and one column more or less: any odd width is ``3 * part + sign``."""
    first = cell + x
    second = first + part
    total = i16(i16(parts[first] + parts[second]) + parts[second + part])
    if sign != 0:
        total = i16(total + i16(i16(singles[cell + odd + x]) * sign))
    return total


@compiled
def add_window_sums(
    sads: NDArray[Any], parts: NDArray[np.int16], singles: NDArray[np.int8], start: Any,
    part: Any, odd: Any, sign: Any, cells: Any, columns: Any,
) -> None:  # fmt: skip
    """Add the window sums of one row to the running SADs."""
    number = sads.dtype.type
    for k in range(cells):
        for x in range(columns):
            at = start + k * _STRIDE + x
            more = number(window_sum(parts, singles, k * _CELL, part, odd, sign, x))
            sads[at] = number(sads[at] + more)
