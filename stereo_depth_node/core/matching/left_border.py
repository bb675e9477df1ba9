# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Matches for the band on the left of the image, which matchers leave out.

A pixel x of the left image is compared with x - d for every disparity d searched; where not all
of these lie in the right image, OpenCV gives nothing. The band is matched here by itself, on
images continued to the left by their first column, so that no other pixel changes.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.matching.opencv import left_border, valid_window
from stereo_depth_node.core.matching.selection import create_matcher
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['LeftBorderMatcher']

Grey = npt.NDArray[np.uint8]
Fixed = npt.NDArray[np.int16]

# Columns to the right of the band that semi-global paths come from.
_PATH_CONTEXT_PX = 64


class LeftBorderMatcher:
    """Fills the left band of a disparity image.

    Parameters
    ----------
    settings : Settings
        The matcher's settings.
    width, height : int
        Size of the images, pixels.
    """

    def __init__(self, settings: Settings, width: int, height: int) -> None:
        without, filled = (
            valid_window(settings.replace(fill_left_band=on), width, height)
            for on in (False, True)
        )
        self._band = left_border(settings)
        self._x0, self._x1 = filled.x0, without.x0
        self._columns = min(width, self._x1 + _context(settings))
        shape = (height, self._band + self._columns)
        self._left, self._right = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        self._fixed = np.empty(shape, np.int16)
        self._matcher = create_matcher(settings)

    def fill(self, left: Grey, right: Grey, fixed: Fixed) -> None:
        """Match the band of `left` and `right`, (H, W) uint8, into `fixed`, (H, W) int16."""
        for image, padded in ((left, self._left), (right, self._right)):
            cv2.copyMakeBorder(
                image[:, : self._columns], 0, 0, self._band, 0, cv2.BORDER_REPLICATE, dst=padded
            )
        self._matcher.compute(self._left, self._right, self._fixed)
        start, end = self._x0, self._x1
        fixed[:, start:end] = self._fixed[:, self._band + start : self._band + end]


def _context(settings: Settings) -> int:
    """Columns to the right of the band that its disparities depend on."""
    # A negative disparity compares x with a column of the right image further to the right.
    beyond = max(-settings.min_disparity, 0)
    if settings.disp12_max_diff >= 0:
        # The right eye's best match may be seen from the left by any disparity.
        beyond += settings.num_disparities
    if settings.algorithm != 'bm':
        return beyond + _PATH_CONTEXT_PX
    if settings.pre_filter_type == 'normalized_response':
        beyond += settings.pre_filter_size // 2
    # Half a block, and a column more for the gradient: block_size is never less than that.
    return beyond + settings.block_size
