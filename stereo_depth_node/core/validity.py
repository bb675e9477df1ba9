# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which disparities are to be believed: filters that only ever take away.

All work in place on fixed-point disparities, (H, W) int16 in 1/16 px, in which a pixel without
a match holds the `invalid` value, below every disparity searched.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .matching import DISPARITY_SCALE, ValidWindow

__all__ = ['invalid_value', 'mask_outside', 'remove_speckles']

Fixed = npt.NDArray[np.int16]


def invalid_value(min_disparity: int) -> int:
    """Fixed-point value of a pixel without a match, 1 px below the smallest disparity."""
    return (min_disparity - 1) * DISPARITY_SCALE


def mask_outside(fixed: Fixed, window: ValidWindow, invalid: int) -> None:
    """Set every pixel outside of `window` to `invalid`."""
    fixed[: window.y0] = invalid
    fixed[window.y1 :] = invalid
    fixed[window.y0 : window.y1, : window.x0] = invalid
    fixed[window.y0 : window.y1, window.x1 :] = invalid


def remove_speckles(fixed: Fixed, invalid: int, window_size: int, max_difference: int) -> None:
    """Remove islands of similar disparity.

    Parameters
    ----------
    fixed : (H, W) int16 ndarray
        Disparities in 1/16 px, changed in place.
    invalid : int
        Value of pixels without a match, also given to the pixels removed.
    window_size : int
        Islands of up to this many pixels are removed; 0 keeps all.
    max_difference : int
        Neighbours belong to one island up to this difference, pixels of disparity.
    """
    if window_size > 0:
        cv2.filterSpeckles(fixed, invalid, window_size, max_difference * DISPARITY_SCALE)
