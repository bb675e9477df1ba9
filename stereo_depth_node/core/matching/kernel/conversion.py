# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixed-point disparity to disparity and depth in one pass, compiled with numba.

The arithmetic is that of :mod:`.depth`, operation by operation in float32, so the results are the
same bit for bit; only the passes over memory in between are gone. Images are flat.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stereo_depth_node.core.arrays import Fixed, Float
from stereo_depth_node.core.matching.kernel.jit import compiled

__all__ = ['convert_to_depth', 'convert_to_disparity']


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
