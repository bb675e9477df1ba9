# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""All filters between matching and conversion, in their order."""

from __future__ import annotations

from stereo_depth_node.core.arrays import Fixed, Grey
from stereo_depth_node.core.disparity.invalidation import (
    invalid_value,
    mask_outside,
    SpeckleFilter,
    TemporalFilter,
    UnseenAreas,
    UnseenMatches,
)
from stereo_depth_node.core.disparity.smoothing import EdgePreservingSmoother, MedianFilter
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.window import left_border, ValidWindow

__all__ = ['DisparityFilters']


class DisparityFilters:
    """The filters that the settings ask for, with their buffers and their memory.

    First they remove what cannot be right (outside of the window, matched with nothing), then
    what was not seen before, then islands; what is left is smoothed. No filter gives a disparity
    to a pixel that had none.

    Parameters
    ----------
    settings : Settings
        Of the matcher, in pixels of the matched images.
    window : ValidWindow
        The pixels that can have a disparity.
    seen : tuple of (H, W) uint8 ndarray
        For the left and the right image, 255 where the raw image covers the rectified one; empty
        when the images came rectified.
    """

    def __init__(self, settings: Settings, window: ValidWindow, seen: tuple[Grey, ...]) -> None:
        self._settings, self._window = settings, window
        self._invalid = invalid_value(settings.min_disparity)
        self._unseen: UnseenAreas | None = None
        if len(seen) == 2:
            first = settings.min_disparity
            searched = range(first, first + settings.num_disparities)
            unseen = UnseenAreas(seen, settings.block_size, window, searched)
            self._unseen = unseen if unseen.exist else None
        self._unseen_matches = (
            UnseenMatches(left_border(settings)) if settings.fill_left_band else None
        )
        self._temporal = (
            TemporalFilter(settings.temporal_max_diff) if settings.temporal_max_diff else None
        )
        self._speckles = (
            SpeckleFilter(settings.speckle_window_size, settings.speckle_range)
            if settings.speckle_window_size
            else None
        )
        self._median: MedianFilter | None = None
        self._smoother = (
            EdgePreservingSmoother(settings.wls_lambda, settings.wls_sigma)
            if settings.wls_lambda
            else None
        )

    def apply(self, fixed: Fixed, left: Grey) -> None:
        """Filter `fixed`, (H, W) int16 in 1/16 px, in place.

        Parameters
        ----------
        fixed : (H, W) int16 ndarray
            As matched.
        left : (H, W) uint8 ndarray
            The image it belongs to.
        """
        settings, invalid = self._settings, self._invalid
        mask_outside(fixed, self._window, invalid)
        if self._unseen is not None:
            self._unseen.remove(fixed, invalid)
        if self._unseen_matches is not None:
            self._unseen_matches.remove(fixed, invalid)
        if self._temporal is not None:
            self._temporal.filter(fixed, invalid)
        if self._speckles is not None:
            self._speckles.remove(fixed, invalid)
        if settings.median_size:
            if self._median is None:
                self._median = MedianFilter(settings.median_size, *fixed.shape)
            self._median.filter(fixed, invalid)
        if self._smoother is not None:
            self._smoother.filter(fixed, invalid, left)
        if self._unseen_matches is not None and (self._median or self._smoother):
            # Smoothing may move a disparity beyond the border.
            self._unseen_matches.remove(fixed, invalid)

    def reset(self) -> None:
        """Forget the last pair: the next one does not follow it."""
        if self._temporal is not None:
            self._temporal.reset()
