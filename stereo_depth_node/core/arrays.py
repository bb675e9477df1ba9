# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The types of arrays that the package passes around, and the units of the numbers in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    'DISPARITY_SCALE',
    'NS_PER_S',
    'AnyGrey',
    'Colour',
    'Fixed',
    'Float',
    'Grey',
    'Indices',
    'Mask',
    'Millimetres',
]

# Fixed-point disparities are in steps of 1/16 px (cv2.StereoMatcher.DISP_SCALE).
DISPARITY_SCALE = 16

# ROS stamps are whole nanoseconds.
NS_PER_S = 1_000_000_000

Grey = npt.NDArray[np.uint8]
"""Grey values of 8 bits."""

AnyGrey = npt.NDArray[Any]
"""Grey values of 8 or 16 bits."""

Colour = npt.NDArray[np.uint8]
"""Colours of 8 bits, (H, W, 3)."""

Fixed = npt.NDArray[np.int16]
"""Disparities x_l - x_r in 1/16 px."""

Float = npt.NDArray[np.float32]
"""Disparities in pixels or depths in metres."""

Indices = npt.NDArray[np.int32]
"""Places in flat images."""

Mask = npt.NDArray[np.bool_]
"""True for the pixels that are meant."""

Millimetres = npt.NDArray[np.uint16]
"""Depths in millimetres, 0 where unknown (REP 118)."""
