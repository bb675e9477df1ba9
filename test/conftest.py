# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests. That this file is here makes :mod:`scenes` importable from them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import StereoScene

from stereo_depth_node.core.geometry import StereoGeometry


@pytest.fixture(scope='session')
def motorcycle() -> StereoScene:
    """Middlebury's Motorcycle pair, 741x500; its disparity is NaN where unknown."""
    data = pytest.importorskip(
        'skimage.data',
        reason='the Motorcycle pair is inside scikit-image 0.25 and later, which is not installed',
    )
    pytest.importorskip('skimage', minversion='0.25', reason='the pair is inside 0.25 and later')
    left, right, disparity = data.stereo_motorcycle()
    grey_left, grey_right = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (left, right))
    known = np.where(np.isfinite(disparity), disparity, np.nan).astype(np.float64)
    return StereoScene(grey_left, grey_right, known)


@pytest.fixture(scope='session')
def motorcycle_geometry() -> StereoGeometry:
    """Calibration of the Motorcycle pair, from scikit-image's description of it."""
    cx, doffs = 311.193, 31.086
    return StereoGeometry(
        width=741, height=500, f=994.978, cx=cx, cy=254.877, cx_right=cx + doffs, baseline=0.193001
    )
