# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Disparities as colours, for people: near is red, far is blue, unknown is black."""

from __future__ import annotations

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Colour, DISPARITY_SCALE, Fixed
from stereo_depth_node.core.settings import Settings

__all__ = ['DisparityColours']

# Level 0 stands for unknown, the others for the range from far to near.
_LEVELS = 255
# The automatic range holds the middle 98 % of the known disparities, of every so many pixels.
_PERCENTILES = (1.0, 99.0)
_SAMPLE_STEP = 4


class DisparityColours:
    """Colours fixed-point disparities, with the colours of the tool's pictures (turbo).

    Parameters
    ----------
    settings : Settings
        Of the matcher. `disparity_color_range` says what the two ends of the colours are: those
        of the range searched, the same for every pair, or of what is known of the pair.
    """

    def __init__(self, settings: Settings) -> None:
        self._lowest = settings.min_disparity * DISPARITY_SCALE
        count = settings.num_disparities - 1
        self._searched = (self._lowest, self._lowest + count * DISPARITY_SCALE)
        self._is_automatic = settings.disparity_color_range == 'automatic'
        ramp = np.linspace(0, 255, _LEVELS).round().astype(np.uint8)
        turbo = cv2.applyColorMap(np.insert(ramp, 0, 0).reshape(-1, 1), cv2.COLORMAP_TURBO)
        self._table = cv2.cvtColor(turbo, cv2.COLOR_BGR2RGB)
        self._table[0] = 0

    def colour(self, fixed: Fixed) -> Colour:
        """Return the colours of disparities.

        Parameters
        ----------
        fixed : (H, W) int16 ndarray
            Disparities x_l - x_r in 1/16 px; below `min_disparity` where there is none.

        Returns
        -------
        (H, W, 3) uint8 ndarray
            RGB.
        """
        low, high = self._range(fixed)
        levels = (fixed - np.float32(low)) * np.float32((_LEVELS - 1) / (high - low))
        np.clip(levels + np.float32(1.5), 1, _LEVELS, out=levels)
        levels *= fixed >= self._lowest
        return np.asarray(cv2.applyColorMap(levels.astype(np.uint8), self._table), np.uint8)

    def _range(self, fixed: Fixed) -> tuple[float, float]:
        """Return the disparities of the two ends of the colours, 1/16 px, never the same."""
        if not self._is_automatic:
            return self._searched
        sample = fixed[::_SAMPLE_STEP, ::_SAMPLE_STEP]
        known = sample[sample >= self._lowest]
        if not known.size:
            return self._searched
        low, high = np.percentile(known, _PERCENTILES)
        # Never less than a pixel: smaller differences are those of the sub-pixel step.
        margin = max(0.0, DISPARITY_SCALE - (high - low)) / 2
        return float(low - margin), float(high + margin)
