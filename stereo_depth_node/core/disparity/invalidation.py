# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Filters that remove disparities which are likely wrong, and change no others.

All work in place on fixed-point disparities, (H, W) int16 in 1/16 px, in which a pixel without
a match holds the `invalid` value, below every disparity searched.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Fixed, Grey, Mask
from stereo_depth_node.core.settings.window import ValidWindow

__all__ = [
    'SpeckleFilter',
    'TemporalFilter',
    'UnseenAreas',
    'UnseenMatches',
    'invalid_value',
    'mask_outside',
]


def invalid_value(min_disparity: int) -> int:
    """Fixed-point value of a pixel without a match, 1 px below the smallest disparity."""
    return (min_disparity - 1) * DISPARITY_SCALE


def mask_outside(fixed: Fixed, window: ValidWindow, invalid: int) -> None:
    """Set every pixel outside of `window` to `invalid`."""
    fixed[: window.y0] = invalid
    fixed[window.y1 :] = invalid
    fixed[window.y0 : window.y1, : window.x0] = invalid
    fixed[window.y0 : window.y1, window.x1 :] = invalid


class SpeckleFilter:
    """Removes islands of similar disparity.

    Parameters
    ----------
    window_size : int
        Islands of up to this many pixels are removed.
    max_difference : int
        Neighbours belong to one island up to this difference, pixels of disparity.
    """

    def __init__(self, window_size: int, max_difference: int) -> None:
        self._window_size = window_size
        self._limit = max_difference * DISPARITY_SCALE
        # OpenCV's memory to work in, 13 bytes a pixel.
        self._scratch: Grey | None = None

    def remove(self, fixed: Fixed, invalid: int) -> None:
        """Set the disparities of small islands to `invalid`, in place."""
        _, scratch = cv2.filterSpeckles(
            fixed, invalid, self._window_size, self._limit, self._scratch
        )
        self._scratch = cast(Grey, scratch)


class UnseenMatches:
    """Removes disparities whose match lies to the left of the right image.

    In the left border a matcher compares with a continuation of the right image, which shows
    nothing of the scene: docs/tuning.md has how often that is wrong.

    Parameters
    ----------
    border : int
        Width of the left border, pixels: pixels beyond it have all their matches in the image.
    """

    def __init__(self, border: int) -> None:
        # Of column x, the largest d for which x - d rounds to a column of the image.
        self._largest = np.arange(border, dtype=np.int16) * DISPARITY_SCALE + DISPARITY_SCALE // 2

    def remove(self, fixed: Fixed, invalid: int) -> None:
        """Set the disparities of such matches to `invalid`, in place."""
        band = fixed[:, : self._largest.size]
        largest = self._largest[: band.shape[1]]
        np.copyto(band, np.int16(invalid), where=band > largest)


class UnseenAreas:
    """Removes disparities of blocks that reach beyond the raw images.

    Rectification leaves black corners where a raw image ends. They match each other, and their
    borders look like the edge of something.

    Parameters
    ----------
    seen : tuple of two (H, W) uint8 ndarray
        For the left and the right image, 255 where the raw image covers the rectified one.
    block_size : int
        Side of the matched blocks, pixels.
    window : ValidWindow
        The pixels that can have a disparity; nothing is needed outside.
    disparities : range
        Those that were searched, pixels.

    Attributes
    ----------
    exist : bool
        Whether there is anything to remove.
    """

    def __init__(
        self,
        seen: tuple[Grey, ...],
        block_size: int,
        window: ValidWindow,
        disparities: range,
    ) -> None:
        block = np.ones((block_size, block_size), np.uint8)
        left, right = (cv2.erode(area, block) < 255 for area in seen)
        height, width = left.shape
        inside = np.zeros((height, width), np.bool_)
        inside[window.y0 : window.y1, window.x0 : window.x1] = True
        self._left = left & inside
        # A column to each side stands for all matches beyond the border of the right image.
        right = np.pad(right, ((0, 0), (1, 1)))
        # Only these pixels can have a match there, mostly a few columns at the borders.
        row, column = np.nonzero(inside & ~left & _reach(right, disparities))
        self._doubtful = row * width + column
        self._column = column.astype(np.int32) + 1
        self._row_start = (row * right.shape[1]).astype(np.int32)
        self._right = right.reshape(-1)
        self._last_column = right.shape[1] - 1
        self.exist = bool(self._left.any()) or self._doubtful.size > 0

    def remove(self, fixed: Fixed, invalid: int) -> None:
        """Set disparities that rest on an unseen area to `invalid`, in place."""
        np.copyto(fixed, np.int16(invalid), where=self._left)
        if self._doubtful.size:
            half_pixel = DISPARITY_SCALE // 2
            disparity = fixed.reshape(-1)[self._doubtful].astype(np.int32) + half_pixel
            matched = self._column - disparity // DISPARITY_SCALE
            np.clip(matched, 0, self._last_column, out=matched)
            matched += self._row_start
            fixed.reshape(-1)[self._doubtful[self._right[matched]]] = invalid


def _reach(right: Mask, disparities: range) -> Mask:
    """Return which pixels of the left image a disparity can lead to one that is set in `right`.

    Parameters
    ----------
    right : (H, W + 2) bool ndarray
        Pixels of the right image, with a column more to each side.
    disparities : range
        Those that were searched, pixels; by interpolation they may be off by half of one.
    """
    width = right.shape[1] - 2
    before = np.pad(np.cumsum(right, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    column = np.arange(width) + 1
    first = np.clip(column - disparities.stop, 0, width + 1)
    last = np.clip(column - disparities.start + 1, 0, width + 1)
    return before[:, last + 1] > before[:, first]


class TemporalFilter:
    """Keeps disparities that the pair before had at the same pixel too.

    It only removes, and compares with what was matched then, not with what was left of it: a
    surface that moves is unknown in the first frame at its new place and known in the next.
    The first pair after a start or a :meth:`reset` has nothing before it and passes.

    Parameters
    ----------
    max_difference : int
        Difference up to which disparities are the same, pixels.
    """

    def __init__(self, max_difference: int) -> None:
        self._limit = max_difference * DISPARITY_SCALE
        self._before: Fixed | None = None
        self._now: Fixed | None = None

    def reset(self) -> None:
        """Forget the pair before."""
        self._before = None

    def filter(self, fixed: Fixed, invalid: int) -> None:
        """Filter `fixed`, (H, W) int16, in place, and remember it as it came."""
        if self._now is None or self._now.shape != fixed.shape:
            self._now = np.empty_like(fixed)
        np.copyto(self._now, fixed)
        before = self._before
        if before is not None:
            difference = np.abs(np.subtract(fixed, before, dtype=np.int32))
            changed = (difference > self._limit) | (before == np.int16(invalid))
            np.copyto(fixed, np.int16(invalid), where=changed)
        self._before, self._now = self._now, before
