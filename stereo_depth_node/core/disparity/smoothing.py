# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Smoothing of disparities that fills no hole: a median, and a filter that follows the image.

All work in place on fixed-point disparities, (H, W) int16 in 1/16 px, in which a pixel without
a match holds the `invalid` value, below every disparity searched. Such pixels stay as they are,
and no other becomes one.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Fixed, Grey

__all__ = ['EdgePreservingSmoother', 'MedianFilter']


_FARTHEST, _NEAREST = -32768, 32767


class MedianFilter:
    """Replaces single outliers by the median of the disparities around them.

    A neighbour without a disparity may be anything from infinitely far to infinitely near. The
    medians of these two extremes enclose the median that complete neighbours would have, and a
    pixel is moved into that interval, no further: to the plain median where all neighbours are
    known, not at all where half of them or more are unknown. Every result was measured at the
    pixel or at one of its neighbours.

    Parameters
    ----------
    size : int
        Side of the neighbourhood, 3 or 5 pixels.
    height, width : int
        Size of the disparities.
    """

    def __init__(self, size: int, height: int, width: int) -> None:
        self._size = size
        self._unknown = np.empty((height, width), np.bool_)
        self._extreme, self._farther, self._nearer = (
            np.empty((height, width), np.int16) for _ in range(3)
        )

    def filter(self, fixed: Fixed, invalid: int) -> None:
        """Filter `fixed`, (H, W) int16, in place."""
        np.equal(fixed, np.int16(invalid), out=self._unknown)
        for value, bound in ((_FARTHEST, self._farther), (_NEAREST, self._nearer)):
            np.copyto(self._extreme, fixed)
            np.copyto(self._extreme, np.int16(value), where=self._unknown)
            cv2.medianBlur(self._extreme, self._size, dst=bound)
        np.clip(fixed, self._farther, self._nearer, out=fixed)
        np.copyto(fixed, np.int16(invalid), where=self._unknown)


class EdgePreservingSmoother:
    """Smooths disparities along the edges of the image (weighted least squares).

    After Min et al., "Fast global image smoothing based on weighted least squares", IEEE TIP
    2014: minimises sum(m * (u - d)^2) + lambda * sum(w * (grad u)^2), w = exp(-|grad I| / sigma),
    where m is 1 where there is a disparity and 0 where there is none. Both u * m and m are
    smoothed and divided, so that holes do not pull on their surroundings.

    Parameters
    ----------
    strength : float
        lambda.
    sigma : float
        Contrast that stops the smoothing, grey levels.

    Notes
    -----
    Needs `cv2.ximgproc`; see :func:`.constraints.smoothing_is_available`.
    """

    def __init__(self, strength: float, sigma: float) -> None:
        self._strength, self._sigma = strength, sigma

    def filter(self, fixed: Fixed, invalid: int, left: Grey) -> None:
        """Smooth `fixed`, (H, W) int16, in place, along the edges of `left`, (H, W) uint8."""
        known = fixed != np.int16(invalid)
        if not known.any():
            return
        weight = known.astype(np.float32)
        values = np.where(known, fixed, np.int16(0)).astype(np.float32)
        contrib: Any = cv2
        smoother = contrib.ximgproc.createFastGlobalSmootherFilter(
            left, self._strength, self._sigma
        )
        weighted, weight = smoother.filter(values), smoother.filter(weight)
        # The mean of values that lie in [low, high] lies there too; rounding may not.
        low, high = fixed[known].min(), fixed[known].max()
        smooth = np.clip(np.rint(weighted[known] / weight[known]), low, high)
        fixed[known] = smooth.astype(np.int16)
