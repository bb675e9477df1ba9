# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Distortion that folds the border of an image over."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.camera.calibration import CameraCalibration

__all__ = ['share_folded']

_GRID, _RADII = 33, 500


@np.errstate(all='ignore')
def share_folded(camera: CameraCalibration) -> float:
    """Return the share of the rectified image that shows a part of the raw image twice.

    The distorted radius grows with the radius up to some point; rays beyond it that come to lie
    in the raw image again are folded over.
    """
    k = np.array(camera.k).reshape(3, 3)
    r = np.array(camera.r).reshape(3, 3) if any(camera.r) else np.identity(3)
    p = np.array(camera.p).reshape(3, 4)[:, :3]
    columns, rows = np.meshgrid(
        np.linspace(0.0, camera.width - 1.0, _GRID), np.linspace(0.0, camera.height - 1.0, _GRID)
    )
    pixels = np.stack([columns.ravel(), rows.ravel(), np.ones(_GRID * _GRID)])
    try:
        rays = np.linalg.solve(p @ r, pixels)
    except np.linalg.LinAlgError:
        return 0.0
    x, y = rays[:2] / rays[2]
    radius = np.hypot(x, y)
    growing = np.linspace(0.0, float(radius.max()), _RADII)
    shrinks = np.flatnonzero(np.diff(_distorted_radius(growing, camera)) <= 0.0)
    if not shrinks.size:
        return 0.0
    scale = _distorted_radius(radius, camera) / np.maximum(radius, 1e-12)
    u, v = k[0, 0] * x * scale + k[0, 2], k[1, 1] * y * scale + k[1, 2]
    is_inside = (u >= 0) & (u <= camera.width - 1) & (v >= 0) & (v <= camera.height - 1)
    is_beyond = radius > growing[shrinks[0]]
    return float(np.mean(is_beyond & is_inside & (rays[2] > 0.0)))


def _distorted_radius(
    radius: npt.NDArray[np.float64], camera: CameraCalibration
) -> npt.NDArray[np.float64]:
    """Return where a model puts rays of a radius, in units of the focal length.

    Radial parts only: OpenCV's model behind plumb_bob and rational_polynomial, and its fisheye.
    """
    d = [*camera.d[:14], *([0.0] * 14)]
    if camera.distortion_model in ('equidistant', 'fisheye'):
        angle = np.arctan(radius)
        square = angle * angle
        return angle * (1.0 + square * (d[0] + square * (d[1] + square * (d[2] + square * d[3]))))
    square = radius * radius
    above = 1.0 + square * (d[0] + square * (d[1] + square * d[4]))
    below = 1.0 + square * (d[5] + square * (d[6] + square * d[7]))
    return radius * above / below
