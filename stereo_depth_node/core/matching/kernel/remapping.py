# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`cv2.remap` of grey images with the maps of CV_16SC2, bit for bit, compiled with numba.

Fractions of a pixel are whole numbers of 1/32, so that bilinear interpolation is exact in whole
numbers of 1/1024, rounded half up. Reading the four pixels of each result is one loop and the
arithmetic another, which LLVM makes vector instructions of; between them is a buffer that fits
the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.matching.kernel.jit import compiled, inlined

__all__ = ['remap_bilinear']

u8, i32, u32, size = np.uint8, np.int32, np.uint32, np.uint64


@inlined
def _gather(source: Any, stride: Any, positions: Any, start: Any, count: Any, four: Any) -> None:
    """Read two pixels of a row and the two below them into the bytes of each number."""
    for i in range(size(count)):
        place = size(positions[start + i])
        below = place + stride
        four[i] = (
            u32(source[place])
            | (u32(source[place + size(1)]) << u32(8))
            | (u32(source[below]) << u32(16))
            | (u32(source[below + size(1)]) << u32(24))
        )


@inlined
def _interpolate(four: Any, fractions: Any, start: Any, count: Any, out: Any) -> None:
    for i in range(size(count)):
        pixels, fraction = i32(four[i]), i32(fractions[start + i])
        x, y = fraction & i32(31), fraction >> i32(5)
        left, right = pixels & i32(255), (pixels >> i32(8)) & i32(255)
        upper = i32(left * i32(32) + x * (right - left))
        left, right = (pixels >> i32(16)) & i32(255), (pixels >> i32(24)) & i32(255)
        lower = i32(left * i32(32) + x * (right - left))
        out[start + i] = u8(i32(upper * i32(32) + y * (lower - upper) + i32(512)) >> i32(10))


@compiled
def remap_bilinear(
    source: Grey,
    stride: Any,
    positions: NDArray[np.uint32],
    fractions: NDArray[np.uint16],
    four: NDArray[np.uint32],
    out: Grey,
) -> None:
    """Remap a flat image.

    Parameters
    ----------
    source : (N,) uint8 ndarray
        Rows `stride` apart, with room for a row and a pixel behind every position.
    stride : uint64
        From a pixel to the one below.
    positions : (M,) uint32 ndarray
        Where in `source` the upper left of the four pixels is.
    fractions : (M,) uint16 ndarray
        x + 32 y in 1/32 px: the second map of cv2.
    four : uint32 ndarray
        Memory to work in.
    out : (M,) uint8 ndarray
        Receives the result.
    """
    start = 0
    while start < out.size:
        count = min(four.size, out.size - start)
        _gather(source, stride, positions, size(start), count, four)
        _interpolate(four, fractions, size(start), count, out)
        start += four.size
