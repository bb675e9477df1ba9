# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Block matching of a tile, and the left-right check, compiled with numba.

The loops around the stages that :mod:`.matcher` explains.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.matching.kernel.buffers import (
    GROUP,
    Layout,
    SAD_STRIDE,
    Search,
    Tile,
    VECTOR,
)
from stereo_depth_node.core.matching.kernel.jit import compiled, inlined
from stereo_depth_node.core.matching.kernel.ranks import (
    look_up_neighbours,
    rank_group,
    reset_ranks,
    write_disparities,
)
from stereo_depth_node.core.matching.kernel.sums import (
    add_window_sums,
    difference_rows,
    hold_border,
    sum_parts,
    texture_row,
)

__all__ = ['check_left_right', 'match_tile']

u8, i16, i32, size = np.uint8, np.int16, np.int32, np.uint64

_STRIDE = size(SAD_STRIDE)


@inlined
def _round_up(columns: Any, multiple: Any) -> Any:
    return (size(columns) + size(multiple - 1)) // size(multiple) * size(multiple)


@inlined
def _part_columns(half: Any) -> Any:
    """Return a third of a block, rounded."""
    return (2 * half + 2) // 3


@compiled
def _update_group(
    singles: NDArray[np.int8], pair_type: NDArray[Any], parts: NDArray[np.int16],
    spare: NDArray[np.int16], left: NDArray[np.uint8], right: NDArray[np.uint8],
    layout: Layout, search: Search, tile: Tile, row_in: int, row_out: int, index: int,
    columns: Any,
) -> None:  # fmt: skip
    """Difference rows and third-window sums of `GROUP` disparities.

    Window column c of the left image meets column ``c - d`` of the right one, and
    d falls by one from index to index. Where the right image ends for the largest
    (on the left) or smallest d (on the right), c stays at its last full column.
    """
    part = _part_columns(search.half)
    start = tile.column - search.half
    end = tile.column + tile.columns + search.half
    largest = search.min_disparity + search.num_disparities - 1
    left_in = layout.origin + row_in * layout.stride + start
    left_out = layout.origin + row_out * layout.stride + start
    right_in = layout.origin + row_in * layout.stride + index
    right_out = layout.origin + row_out * layout.stride + index
    difference_rows(
        singles, left, right, size(left_in), size(left_out),
        size(right_in + start - largest), size(right_out + start - largest), columns,
    )  # fmt: skip
    if start < largest:
        hold_border(
            singles, left, right, size(left_in), size(left_out), size(right_in),
            size(right_out), 0, min(largest, end) - start,
        )  # fmt: skip
    full = layout.width + search.min_disparity
    if end > full:
        edge = layout.width - search.num_disparities
        hold_border(
            singles, left, right, size(left_in), size(left_out), size(right_in + edge),
            size(right_out + edge), max(full - start, 0), end - start,
        )  # fmt: skip
    sum_parts(parts, spare, pair_type, singles, part, size(GROUP), columns)


@compiled
def match_tile(
    left: NDArray[np.uint8], right: NDArray[np.uint8], layout: Layout, search: Search,
    tile: Tile, out: NDArray[np.int16], costs: NDArray[np.uint16], sads: NDArray[Any],
    ranks: NDArray[Any], quotient_type: NDArray[Any], singles: NDArray[np.int8],
    pair_type: NDArray[Any], parts: NDArray[np.int16], spare: NDArray[np.int16],
    textures: NDArray[np.int32],
) -> None:  # fmt: skip
    """Write the disparities of one tile.

    The window slides down. While it fills, rows enter and none leaves; the row of
    "no texture" stands for it.
    """
    part = _part_columns(search.half)
    sign = i16(2 * search.half + 1 - 3 * part)
    odd = size(3 * part - 1 if sign < 0 else 3 * part)
    tile_columns = _round_up(tile.columns, VECTOR // 2)
    window_columns = _round_up(tile.columns + 2 * search.half, VECTOR)
    for k in range(size(search.num_disparities + 1)):
        for x in range(tile_columns):
            sads[k * _STRIDE + x] = 0
    for x in range(tile_columns):
        textures[x] = 0
    for row_in in range(tile.first_row - search.half, tile.last_row + search.half):
        row = row_in - search.half
        row_out = row - search.half - 1 if row > tile.first_row else layout.height
        start = layout.origin + tile.column - search.half
        texture_row(
            singles, left, size(start + row_in * layout.stride),
            size(start + row_out * layout.stride), u8(search.cap), window_columns,
        )  # fmt: skip
        sum_parts(parts, spare, pair_type, singles, part, size(1), window_columns)
        add_window_sums(
            textures, parts, singles, size(0), size(part), odd, sign, size(1), tile_columns
        )
        if row >= tile.first_row:
            reset_ranks(ranks, tile_columns)
        for index in range(0, search.num_disparities, GROUP):
            _update_group(
                singles, pair_type, parts, spare, left, right, layout, search, tile, row_in,
                row_out, index, window_columns,
            )  # fmt: skip
            first = size(index + 1) * _STRIDE
            if row >= tile.first_row:
                rank_group(
                    sads,
                    ranks,
                    parts,
                    singles,
                    first,
                    size(part),
                    odd,
                    sign,
                    size(index),
                    tile_columns,
                )
            else:
                add_window_sums(
                    sads, parts, singles, first, size(part), odd, sign, size(GROUP), tile_columns
                )
        if row >= tile.first_row:
            look_up_neighbours(ranks, sads, size(tile.columns))
            at = size(row * layout.width + tile.column)
            write_disparities(
                out, costs, ranks, quotient_type, textures, search, at, size(tile.columns)
            )


@compiled
def check_left_right(
    out: NDArray[np.int16], costs: NDArray[np.uint16], layout: Layout, search: Search,
    tile: Tile, max_difference: int, matched: NDArray[np.int32], matched_costs: NDArray[np.int32],
) -> None:  # fmt: skip
    """Reject disparities that the right image's best match contradicts.

    Each right pixel takes the cheapest of the left pixels that chose it. A left
    pixel is rejected if both right pixels around its disparity know one that
    differs by more than `max_difference`, in 1/16 px.
    """
    filtered = search.filtered
    width = layout.width
    for row in range(tile.first_row, tile.last_row):
        at = row * width
        for x in range(width):
            matched[x] = filtered
            matched_costs[x] = 0x7FFFFFFF
        for x in range(tile.column, tile.column + tile.columns):
            disparity = out[at + x]
            if disparity != filtered:
                x_right = x - ((disparity + 8) >> 4)
                cost = i32(costs[at + x])
                if 0 <= x_right < width and matched_costs[x_right] > cost:
                    matched_costs[x_right] = cost
                    matched[x_right] = disparity
        for x in range(tile.column, tile.column + tile.columns):
            disparity = out[at + x]
            if disparity == filtered:
                continue
            floor = x - (disparity >> 4)
            ceiling = x - ((disparity + 15) >> 4)
            if (
                0 <= floor < width
                and matched[floor] > filtered
                and abs(matched[floor] - disparity) > max_difference
                and 0 <= ceiling < width
                and matched[ceiling] > filtered
                and abs(matched[ceiling] - disparity) > max_difference
            ):
                out[at + x] = filtered
