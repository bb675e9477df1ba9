# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixed-point disparity to disparity, depth and points in one pass, compiled with numba.

The arithmetic is that of :mod:`.depth` and :mod:`.point_cloud`, operation by operation in float32,
so the results are the same bit for bit; only the passes over memory in between are gone. Images
are flat.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stereo_depth_node.core.arrays import Fixed, Float, Indices
from stereo_depth_node.core.matching.kernel.jit import compiled

__all__ = [
    'convert_to_depth',
    'convert_to_disparity',
    'keep_one_per_voxel',
    'project_pixels',
    'select_known',
]


f32 = np.float32


@compiled
def convert_to_disparity(fixed: Fixed, scale: Any, offset: Any, out: Float) -> None:
    """Write d = fixed * scale - offset, float32 throughout."""
    for i in range(fixed.size):
        out[i] = f32(fixed[i]) * scale - offset


@compiled
def convert_to_depth(
    fixed: Fixed, scale: Any, offset: Any, product: Any, low: Any, high: Any, out: Float
) -> None:
    """Write Z = product / (fixed * scale - offset), NaN unless low <= fixed <= high."""
    unknown = f32(np.nan)
    for i in range(fixed.size):
        value = fixed[i]
        depth = product / (f32(value) * scale - offset)
        out[i] = depth if (value >= low) & (value <= high) else unknown


@compiled
def select_known(depth: Float, width: int, step: int, pixels: Indices) -> int:
    """Write which pixels of every `step`-th row and column have a depth; return their number."""
    count = 0
    for row in range(0, depth.size, step * width):
        for i in range(row, row + width, step):
            pixels[count] = i
            count += depth[i] < f32(np.inf)  # false for NaN
    return count


@compiled
def project_pixels(
    depth: Float,
    width: int,
    pixels: Indices,
    count: int,
    right: Float,
    down: Float,
    values: Float,
    floats: int,
    out: Float,
) -> None:
    """Write X, Y and Z of pixels in ascending order, and where floats is 4 their value."""
    row, start = 0, 0
    for n in range(count):
        i = pixels[n]
        while i >= start + width:
            row += 1
            start += width
        z = depth[i]
        place = n * floats
        out[place] = right[i - start] * z
        out[place + 1] = down[row] * z
        out[place + 2] = z
        if floats == 4:
            out[place + 3] = values[i]


@compiled
def keep_one_per_voxel(
    points: Float, count: int, scale: Any, limit: Any, table: Any, pixels: Indices
) -> int:
    """Keep the pixel of the first of the points in each voxel; return how many are kept.

    `table` holds the voxels that were met: it is empty (-1), and its size a power of two larger
    than `count`.
    """
    kept = 0
    last = -1
    mask = table.size - 1
    for n in range(count):
        key: Any = 0
        for axis in range(3):
            cell = min(max(np.floor(points[3 * n + axis] * scale), -limit), limit)
            key = (key << 21) | (np.int64(cell) + np.int64(limit))
        if key == last:
            continue
        last = key
        # Fibonacci hashing: the upper bits of the product depend on all bits of the key.
        slot = ((key * 0x1E3779B97F4A7C15) >> 32) & mask
        while table[slot] >= 0 and table[slot] != key:
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = key
            pixels[kept] = pixels[n]
            kept += 1
    return kept
