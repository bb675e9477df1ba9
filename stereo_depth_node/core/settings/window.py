# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which pixels of an image can have a disparity, and which are asked for."""

from __future__ import annotations

from typing import NamedTuple

from stereo_depth_node.core.settings.algorithms.table import algorithm_of
from stereo_depth_node.core.settings.fields import SettingFields

__all__ = ['ValidWindow', 'left_border', 'region_of_interest', 'valid_window']


class ValidWindow(NamedTuple):
    """The pixels of the left image that can have a disparity: [x0, x1) by [y0, y1)."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is left."""
        return self.size == 0

    @property
    def size(self) -> int:
        """Number of pixels."""
        return max(self.x1 - self.x0, 0) * max(self.y1 - self.y0, 0)

    def within(self, other: ValidWindow) -> ValidWindow:
        """Return the pixels that are in both windows."""
        return ValidWindow(
            max(self.x0, other.x0),
            max(self.y0, other.y0),
            min(self.x1, other.x1),
            min(self.y1, other.y1),
        )


def valid_window(
    settings: SettingFields, width: int, height: int, *, fill_left_band: bool | None = None
) -> ValidWindow:
    """Return the pixels that can have a disparity.

    A left pixel x is compared with x - d for every d searched, so that
    max(d) <= x < W + min(d, 0); bm leaves out half a block at each border as well.
    (`cv2.getValidDisparityROI` misses the right limit at a negative min_disparity, and its
    rule for sgbm is bm's.) With fill_left_band one d in the right image is enough, so that the
    left limit is that of the block and of the smallest d.

    Parameters
    ----------
    settings : SettingFields
        The matcher's settings.
    width, height : int
        Size of the images, pixels.
    fill_left_band : bool, optional
        In place of the one in the settings.
    """
    is_filled = settings.fill_left_band if fill_left_band is None else fill_left_band
    margin = algorithm_of(settings).margin(settings)
    x0 = max(margin, settings.min_disparity) if is_filled else left_border(settings) + margin
    x1 = width + min(settings.min_disparity, 0)
    return ValidWindow(x0, margin, min(x1, width - margin), height - margin)


def left_border(settings: SettingFields) -> int:
    """Return the width of the left border that has no full set of candidates, pixels."""
    return algorithm_of(settings).left_border(settings)


def region_of_interest(settings: SettingFields, width: int, height: int) -> ValidWindow:
    """Return the pixels that are asked for: roi_x, roi_y, roi_width and roi_height.

    Parameters
    ----------
    settings : SettingFields
        In pixels of these images.
    width, height : int
        Size of the images, pixels.
    """
    x1 = settings.roi_x + settings.roi_width if settings.roi_width else width
    y1 = settings.roi_y + settings.roi_height if settings.roi_height else height
    return ValidWindow(settings.roi_x, settings.roi_y, x1, y1)
