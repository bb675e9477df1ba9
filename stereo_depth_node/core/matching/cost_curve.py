# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What one pixel was compared with: the matching cost at every disparity that was searched.

OpenCV's matchers keep their costs to themselves. Those of block matching are computed here once
more, for one pixel, as `cv2.StereoBM` does it: both images are pre-filtered, and the absolute
differences are summed over the block. Whole numbers, so that the smallest cost is where OpenCV
has found it. Semi-global matching adds penalties along paths through the whole image, which
cannot be had for one pixel; there, the curve is what the images say before these.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Float, Grey
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.algorithms.block_matching import (
    RESPONSE_BITS,
    response_scales,
)
from stereo_depth_node.core.settings.algorithms.table import algorithm_of
from stereo_depth_node.core.settings.window import left_border, valid_window

__all__ = ['CostCurve', 'cost_curve']

Sums = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class CostCurve:
    """The cost of one pixel at every disparity.

    Attributes
    ----------
    disparities : (N,) int32 ndarray
        x_l - x_r, pixels, ascending.
    costs : (N,) float32 ndarray
        Sum of absolute differences over the block; NaN where the block leaves the right image.
    best, second : int or None
        Disparity of the smallest cost, and of the smallest of those that are no neighbours of
        it, which the uniqueness ratio compares it with; pixels. None where there is none.
    is_final : bool
        Whether the matcher decides by these costs alone, as block matching does.
    """

    disparities: npt.NDArray[np.int32]
    costs: Float
    best: int | None
    second: int | None
    is_final: bool

    def cost_at(self, disparity: int) -> float:
        """Return the cost at one of the disparities."""
        return float(self.costs[disparity - int(self.disparities[0])])

    @property
    def margin(self) -> float | None:
        """By how much the second best is worse, percent; what `uniqueness_ratio` asks for."""
        if self.best is None or self.second is None:
            return None
        best, second = self.cost_at(self.best), self.cost_at(self.second)
        return 100.0 * (second - best) / best if best else np.inf


def cost_curve(left: Grey, right: Grey, settings: Settings, x: int, y: int) -> CostCurve:
    """Compute the cost of a pixel at every disparity that is searched.

    Parameters
    ----------
    left, right : (H, W) uint8 ndarray
        The pair as it is matched.
    settings : Settings
        Those of the matcher, in pixels of these images.
    x, y : int
        The pixel of the left image.
    """
    height, width = left.shape
    if settings.fill_left_band:
        whole = valid_window(settings, width, height, fill_left_band=False)
        if x < whole.x0:
            # As LeftBorderMatcher does it: continued to the left by the first column.
            border = left_border(settings)
            left, right = (
                np.asarray(
                    cv2.copyMakeBorder(image, 0, 0, border, 0, cv2.BORDER_REPLICATE), np.uint8
                )
                for image in (left, right)
            )
            x, width = x + border, width + border
    disparities = np.arange(
        settings.min_disparity,
        settings.min_disparity + settings.num_disparities,
        dtype=np.int32,
    )
    costs = np.full(disparities.size, np.nan, np.float32)
    half = settings.block_size // 2
    top, bottom = max(y - half, 0), min(y + half + 1, height)
    if half <= x < width - half:
        filtered = [_pre_filtered(image, settings) for image in (left, right)]
        block = filtered[0][top:bottom, x - half : x + half + 1]
        for place, disparity in enumerate(disparities):
            start = x - half - int(disparity)
            if 0 <= start <= width - block.shape[1]:
                other = filtered[1][top:bottom, start : start + block.shape[1]]
                costs[place] = np.abs(block - other).sum()
    best, second = _two_best(disparities, costs)
    return CostCurve(disparities, costs, best, second, algorithm_of(settings).decides_by_block)


def _two_best(disparities: npt.NDArray[np.int32], costs: Float) -> tuple[int | None, int | None]:
    """Return the best disparity and the best one that is no neighbour of it."""
    known = np.where(np.isfinite(costs), costs, np.inf)
    if not np.isfinite(known).any():
        return None, None
    # OpenCV searches from the largest disparity down and keeps the first of equals.
    place = int(known.size - 1 - np.argmin(known[::-1]))
    known[max(place - 1, 0) : place + 2] = np.inf
    second = int(known.size - 1 - np.argmin(known[::-1])) if np.isfinite(known).any() else None
    return int(disparities[place]), None if second is None else int(disparities[second])


def _pre_filtered(image: Grey, settings: Settings) -> Sums:
    """Return an image as its blocks are compared, (H, W), 0 to 2 * pre_filter_cap."""
    window = algorithm_of(settings).pre_filter_window(settings)
    response = _normalized_response(image, window) if window else _derivative(image)
    cap = settings.pre_filter_cap
    filtered = np.clip(response, -cap, cap) + cap
    if not window:
        # There is no derivative at the ends of a row; nor in the last one of an odd number of
        # rows, because OpenCV works on pairs of them.
        filtered[:, [0, -1]] = cap
        if image.shape[0] % 2:
            filtered[-1] = cap
    return filtered


def _derivative(image: Grey) -> Sums:
    """Return the horizontal Sobel derivative, rows mirrored at the edges."""
    padded = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REFLECT_101).astype(np.int32)
    across = padded[:, 2:] - padded[:, :-2]
    return np.asarray(across[:-2] + 2 * across[1:-1] + across[2:], np.int32)


def _normalized_response(image: Grey, window: int) -> Sums:
    """Return the pixel and its four neighbours less the mean of the window around them."""
    cross_scale, sum_scale = response_scales(window)
    total = np.asarray(
        cv2.boxFilter(
            image, cv2.CV_32S, (window, window), normalize=False, borderType=cv2.BORDER_REPLICATE
        ),
        np.int32,
    )
    padded = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE).astype(np.int32)
    cross = (
        4 * padded[1:-1, 1:-1]
        + padded[1:-1, :-2]
        + padded[1:-1, 2:]
        + padded[:-2, 1:-1]
        + padded[2:, 1:-1]
    )
    return np.asarray((cross * cross_scale - total * sum_scale) >> RESPONSE_BITS, np.int32)
