# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The points of a result in space, with the colours of the left image."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.camera.point_cloud import PointProjector
from stereo_depth_node.core.disparity.depth import depth_from_disparity
from stereo_depth_node.offline.calibration_options import unit_geometry
from stereo_depth_node.studio.result import Result

__all__ = ['Cloud', 'cloud_of']

# What a browser turns without effort, and what is sent to it in a fraction of a second.
_MOST_POINTS = 40_000
# Depths beyond are mostly mistakes, and would make the scene a dot.
_FARTHEST_PERCENT, _BEYOND = 98.0, 1.25


@dataclass(frozen=True)
class Cloud:
    """Points with colours.

    Attributes
    ----------
    points : list of list of 3 float
        To the right, forward and up; metres, or baselines without a calibration.
    colours : list of list of 3 float
        RGB, 0 to 1.
    middle : float
        Median of their distances.
    is_metric : bool
        Whether there is a calibration.
    """

    points: list[list[float]]
    colours: list[list[float]]
    middle: float
    is_metric: bool


def cloud_of(result: Result) -> Cloud:
    """Return the points of a result, thinned out for a browser."""
    with result.lock:
        depth, geometry = result.depth, result.pipeline.geometry
        is_metric = depth is not None and geometry is not None
        if depth is None or geometry is None:
            geometry = unit_geometry(result.pipeline.width, result.pipeline.height)
            depth = np.empty_like(result.disparity)
            depth_from_disparity(result.disparity, ~(result.disparity > 0), geometry, depth)
        depth = _without_farthest(depth)
        known = int(np.count_nonzero(np.isfinite(depth)))
        step = max(1, math.ceil(math.sqrt(known / _MOST_POINTS)))
        points = PointProjector(geometry, step).project(depth)
        colours = result.pipeline.colour()[points.rows, points.columns] / 255.0
    # Optical frame (x right, y down, z forward) to one whose z is up, as the view has it.
    placed = points.xyz[:, [0, 2, 1]] * np.array([1.0, 1.0, -1.0], np.float32)
    middle = float(np.median(points.xyz[:, 2])) if len(points.xyz) else 1.0
    return Cloud(np.round(placed, 4).tolist(), np.round(colours, 3).tolist(), middle, is_metric)


def _without_farthest(depth: Float) -> Float:
    known = depth[np.isfinite(depth)]
    if not known.size:
        return depth
    limit = _BEYOND * float(np.percentile(known, _FARTHEST_PERCENT))
    return np.where(depth <= limit, depth, np.float32(np.nan))
