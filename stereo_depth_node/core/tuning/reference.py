# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a pair most likely shows, to compare other disparities of it with.

A disparity for nearly every pixel, by matching that hardly guesses: semi-global with small
penalties, from left to right and from right to left independently. What both agree on is kept, if
its match is in the right image. The rest is mostly hidden from the right camera beside something
near, so it gets the farther of the disparities to its left and right.

On twelve scenes with ground truth, four fifths of the disparities of block matching that are wrong
differ from it, and the order in which it puts settings is nearly that of the truth.
"""

from __future__ import annotations

import cv2
import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Float, Grey
from stereo_depth_node.core.settings import DISPARITY_STEP, Settings
from stereo_depth_node.core.settings.algorithms.semi_global import NO_LEFT_RIGHT_CHECK
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.tuning.disparity_range import DisparityRange
from stereo_depth_node.core.tuning.matching import (
    consistent_pixels,
    matched_disparity,
    pipeline_for,
)

__all__ = ['BAD_PX', 'reference_disparity']

BAD_PX = 2.0
"""A disparity that differs by more is wrong."""

_MATCHING: Changes = {
    'algorithm': 'sgbm_3way',
    'block_size': 1,
    'p1': 8,
    'p2': 24,
    'disp12_max_diff': NO_LEFT_RIGHT_CHECK,
    'uniqueness_ratio': 0,
    'fill_left_band': True,
}
_ISLAND = 200
_UNKNOWN = -(2**15)


def reference_disparity(left: Grey, right: Grey, found: DisparityRange) -> Float:
    """Return x_l - x_r, (H, W) float32, pixels; NaN where nothing is known in a whole row.

    Parameters
    ----------
    left, right : (H, W) uint8 ndarray
        A rectified pair.
    found : DisparityRange
        Of the pair. A step above it is searched too.

    Raises
    ------
    SettingsError
        If the images are too small for the range.
    """
    searched = DisparityRange(found.low, found.high + DISPARITY_STEP)
    pipeline = pipeline_for(searched.applied_to(Settings().merged(_MATCHING)), left)
    from_left = matched_disparity(pipeline, left, right)
    mirrored = (np.ascontiguousarray(image[:, ::-1]) for image in (right, left))
    from_right = matched_disparity(pipeline, *mirrored)[:, ::-1]
    columns = np.arange(left.shape[1], dtype=np.float32)
    known = consistent_pixels(from_left, from_right) & (from_left <= columns)
    fixed = np.where(known, np.nan_to_num(from_left) * DISPARITY_SCALE, _UNKNOWN).astype(np.int16)
    cv2.filterSpeckles(fixed, _UNKNOWN, _ISLAND, DISPARITY_SCALE)
    kept = np.where(fixed != _UNKNOWN, from_left, np.float32(np.nan))
    from_the_left = _continued(kept)
    from_the_right = _continued(kept[:, ::-1])[:, ::-1]
    return np.fmin(from_the_left, from_the_right)


def _continued(disparity: Float) -> Float:
    """Give unknown pixels the disparity of the next known one to their left."""
    columns = np.arange(disparity.shape[1])[np.newaxis, :]
    nearest = np.where(np.isfinite(disparity), columns, 0)
    np.maximum.accumulate(nearest, axis=1, out=nearest)
    return np.take_along_axis(disparity, nearest, axis=1)
