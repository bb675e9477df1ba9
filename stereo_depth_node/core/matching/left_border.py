# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Matches for the left border of the image, which matchers leave out.

A pixel x of the left image is compared with x - d for every disparity d searched; where not all
of these lie in the right image, OpenCV gives nothing. The border is matched here by itself, on
images continued to the left by their first column, so that no other pixel changes. Disparities
whose match is in that continuation are left out by the filters (:mod:`.invalidation`).
"""

from __future__ import annotations

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Fixed, Grey
from stereo_depth_node.core.matching.selection import create_matcher
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.algorithms.table import algorithm_of
from stereo_depth_node.core.settings.window import left_border, valid_window

__all__ = ['LeftBorderMatcher']


class LeftBorderMatcher:
    """Fills the left border of a disparity image.

    Parameters
    ----------
    settings : Settings
        The matcher's settings.
    width, height : int
        Size of the images, pixels.
    """

    def __init__(self, settings: Settings, width: int, height: int) -> None:
        without, filled = (
            valid_window(settings, width, height, fill_left_band=on) for on in (False, True)
        )
        self._border = left_border(settings)
        self._x0, self._x1 = filled.x0, without.x0
        self._columns = min(width, self._x1 + _context(settings))
        shape = (height, self._border + self._columns)
        self._left, self._right = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        self._fixed = np.empty(shape, np.int16)
        self._matcher = create_matcher(settings)

    def fill(self, left: Grey, right: Grey, fixed: Fixed) -> None:
        """Match the border of `left` and `right`, (H, W) uint8, into `fixed`, (H, W) int16."""
        for image, padded in ((left, self._left), (right, self._right)):
            cv2.copyMakeBorder(
                image[:, : self._columns], 0, 0, self._border, 0, cv2.BORDER_REPLICATE, dst=padded
            )
        self._matcher.compute(self._left, self._right, self._fixed)
        start, end = self._x0, self._x1
        fixed[:, start:end] = self._fixed[:, self._border + start : self._border + end]


def _context(settings: Settings) -> int:
    """Columns to the right of the border that its disparities depend on."""
    # A negative disparity compares x with a column of the right image further to the right.
    beyond = max(-settings.min_disparity, 0)
    if settings.disp12_max_diff >= 0:
        # The best match of a pixel of the right image may have any disparity.
        beyond += settings.num_disparities
    return beyond + algorithm_of(settings).context(settings)
