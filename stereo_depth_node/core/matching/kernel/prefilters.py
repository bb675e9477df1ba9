# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The two pre-filters of `cv2.StereoBM`, compiled with numba.

Both remove what may differ between the images, brightness and contrast, and
map the rest to ``0 .. 2 * cap``, where `cap` stands for "no texture". Images
are flat: ``source[y * source_stride + x]`` in,
``target[origin + y * stride + x]`` out. Only the rows ``first <= y < last`` are
written, so that strips of one image can be filtered at the same time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.matching.kernel.jit import compiled, inlined

__all__ = ['filter_normalized_response', 'filter_xsobel', 'pad_rows']

Bytes = NDArray[np.uint8]

u8, i16, i32, size = np.uint8, np.int16, np.int32, np.uint64


@inlined
def _clip(value: Any, cap: Any) -> Any:
    """Map ``-cap .. cap`` to ``0 .. 2 * cap`` and everything else to its ends."""
    return min(max(value, -cap), cap) + cap


@compiled
def filter_xsobel(
    source: Bytes, source_stride: int, target: Bytes, origin: int, stride: int,
    width: int, height: int, first: int, last: int, cap: int,
) -> None:  # fmt: skip
    """Horizontal Sobel derivative, clipped to plus and minus `cap`.

    Rows are mirrored at the top and bottom edge. The first and last column have
    no derivative; nor has the last row of an image of odd height, because OpenCV
    works on pairs of rows.
    """
    edge = u8(cap)
    limit = i16(cap)
    columns = size(width - 2)
    for y in range(first, last):
        row = size(origin + y * stride)
        if y == height - 1 and height % 2 == 1:
            for x in range(size(width)):
                target[row + x] = edge
            continue
        above = size((y - 1 if y > 0 else 1) * source_stride)
        here = size(y * source_stride)
        below = size((y + 1 if y < height - 1 else height - 2) * source_stride)
        for x in range(columns):
            derivative = i16(
                i16(source[above + x + size(2)])
                - i16(source[above + x])
                + (i16(source[here + x + size(2)]) - i16(source[here + x])) * i16(2)
                + i16(source[below + x + size(2)])
                - i16(source[below + x])
            )
            target[row + x + size(1)] = u8(i16(_clip(derivative, limit)))
        target[row] = edge
        target[row + size(width - 1)] = edge


@inlined
def _cross_sum(
    source: Any, above: Any, here: Any, below: Any, before: Any, x: Any, after: Any
) -> Any:
    """Weight the pixel 4 and its four neighbours 1 each."""
    return (
        i32(source[here + x]) * i32(4)
        + i32(source[here + before])
        + i32(source[here + after])
        + i32(source[above + x])
        + i32(source[below + x])
    )


@compiled
def filter_normalized_response(
    source: Bytes, source_stride: int, target: Bytes, origin: int, stride: int,
    width: int, height: int, first: int, last: int, cap: int, window: int,
    cross_scale: int, sum_scale: int, sums: NDArray[np.int32],
) -> None:  # fmt: skip
    """Pixel minus the mean of its `window` x `window` neighbourhood.

    `sums` holds one number per column: the sum of the window's rows there. Rows
    and columns beyond the edge repeat it. The scales, in 1/1024, are those of
    :func:`.block_matching.response_scales`.
    """
    half = window // 2
    for x in range(width):
        sums[x] = i32(0)
    for y in range(first - half - 1, first + half):
        row = min(max(y, 0), height - 1) * source_stride
        for x in range(width):
            sums[x] += i32(source[row + x])
    for y in range(first, last):
        leaving = max(y - half - 1, 0) * source_stride
        entering = min(y + half, height - 1) * source_stride
        for x in range(width):
            sums[x] += i32(source[entering + x]) - i32(source[leaving + x])
        above = max(y - 1, 0) * source_stride
        here = y * source_stride
        below = min(y + 1, height - 1) * source_stride
        row = origin + y * stride
        total = 0
        for x in range(-half - 1, half):
            total += sums[min(max(x, 0), width - 1)]
        for x in range(width):
            total += sums[min(x + half, width - 1)] - sums[max(x - half - 1, 0)]
            cross = _cross_sum(source, above, here, below, max(x - 1, 0), x, min(x + 1, width - 1))
            response = (cross * cross_scale - total * sum_scale) >> 10
            target[row + x] = u8(_clip(response, cap))


@compiled
def pad_rows(
    target: Bytes, origin: int, stride: int, width: int, first: int, last: int, count: int
) -> None:  # fmt: skip
    """Repeat the edge pixels of each row `count` times to either side."""
    for y in range(first, last):
        row = origin + y * stride
        for x in range(row - count, row):
            target[x] = target[row]
        for x in range(row + width, row + width + count):
            target[x] = target[row + width - 1]
