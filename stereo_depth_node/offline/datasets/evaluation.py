# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of settings on scenes with ground truth."""

from __future__ import annotations

from dataclasses import dataclass
import math
import time
from typing import Any

import numpy as np

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.sparse_matches import match_corners
from stereo_depth_node.core.tuning.accuracy import (
    BAD_THRESHOLDS,
    depth_accuracy,
    DepthAccuracy,
    disparity_accuracy,
    DisparityAccuracy,
)
from stereo_depth_node.core.tuning.matching import at_full_size, matched_disparity
from stereo_depth_node.offline.datasets.scenes import Scene

__all__ = ['Evaluation', 'UncertaintyCheck', 'evaluate_scene']

# An error beyond this is another surface, not the spread that an uncertainty describes.
_INLIER_PX = 2.0


@dataclass(frozen=True)
class UncertaintyCheck:
    """How often the true depth is as near as the uncertainty says, percent.

    A normal distribution has 68.3 % within one and 95.4 % within two standard deviations.

    Attributes
    ----------
    within_1, within_2 : float
        Of all pixels with a depth.
    inliers_within_1, inliers_within_2 : float
        Of those whose disparity is right to within 2 px.
    row_sigma : float
        Standard deviation of y_left - y_right as measured in the images, pixels of those that are
        matched; 0 where too few points are found in both.
    inliers_within_1_with_rows, inliers_within_2_with_rows : float
        As above, were `rectification_sigma` set to that.
    """

    within_1: float
    within_2: float
    inliers_within_1: float
    inliers_within_2: float
    row_sigma: float
    inliers_within_1_with_rows: float
    inliers_within_2_with_rows: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures of one scene with one set of settings.

    Attributes
    ----------
    scene, label : str
        Names of the scene and of the settings.
    settings : Settings
        With which the scene was matched.
    disparity : (H, W) float32 ndarray
        x_l - x_r in pixels of the scene, NaN where unknown.
    all : DisparityAccuracy
        Of all pixels with a ground truth.
    visible : DisparityAccuracy or None
        Of those that both cameras see, where the data set has them.
    depth : DepthAccuracy or None
        Where there is a calibration.
    uncertainty : UncertaintyCheck or None
        Where there is a calibration.
    milliseconds : float
        Least time for one pair, without the first one.
    """

    scene: str
    label: str
    settings: Settings
    disparity: Float
    all: DisparityAccuracy
    visible: DisparityAccuracy | None
    depth: DepthAccuracy | None
    uncertainty: UncertaintyCheck | None
    milliseconds: float

    def as_dictionary(self) -> dict[str, Any]:
        """Return the figures for JSON; what is not a number there is None."""
        result: dict[str, Any] = {
            'scene': self.scene,
            'settings': self.label,
            'milliseconds': round(self.milliseconds, 3),
            'all': _figures(self.all),
        }
        if self.visible is not None:
            result['visible'] = _figures(self.visible)
        for name in ('depth', 'uncertainty'):
            figures = getattr(self, name)
            if figures is not None:
                result[name] = {key: _number(value) for key, value in vars(figures).items()}
        return result


def evaluate_scene(
    scene: Scene, settings: Settings, label: str, *, repeats: int = 5
) -> Evaluation:
    """Match a scene and compare the result with its ground truth.

    Parameters
    ----------
    scene : Scene
        With a truth.
    settings : Settings
        Those of the node; `rectify` and `temporal_max_diff` do not apply to single rectified
        pairs and are left out.
    label : str
        Name of the settings.
    repeats : int
        Pairs timed.

    Raises
    ------
    InputError
        If the scene has no ground truth.
    SettingsError
        If the settings are impossible for the images.
    """
    truth = scene.known_truth()
    settings = settings.for_rectified_pair()
    height, width = scene.left.shape
    pipeline = StereoPipeline(settings, width, height, scene.geometry)
    pipeline.row_sigma = _row_sigma(pipeline, scene)
    reduced = matched_disparity(pipeline, scene.left, scene.right)
    disparity = at_full_size(reduced, pipeline.downscale, height, width)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        pipeline.match(scene.left, scene.right)
        seconds.append(time.perf_counter() - began)
    visible = scene.visible
    depth, uncertainty = None, None
    if scene.geometry is not None:
        depth, uncertainty = _metric_figures(scene, settings, pipeline, disparity)
    return Evaluation(
        scene=scene.name,
        label=label,
        settings=settings,
        disparity=disparity,
        all=disparity_accuracy(disparity, truth),
        visible=(
            disparity_accuracy(disparity, truth, mask=visible) if visible is not None else None
        ),
        depth=depth,
        uncertainty=uncertainty,
        milliseconds=1000.0 * min(seconds, default=math.nan),
    )


def _metric_figures(
    scene: Scene, settings: Settings, pipeline: StereoPipeline, disparity: Float
) -> tuple[DepthAccuracy, UncertaintyCheck]:
    """Return the figures of depth and uncertainty of the pair that a pipeline has matched."""
    truth = scene.known_truth()
    height, width = truth.shape
    depth = np.empty(pipeline.fixed.shape, np.float32)
    pipeline.depth(depth)
    depth = at_full_size(depth, pipeline.downscale, height, width, scale=1)
    true_depth = scene.true_depth
    error = np.abs(depth - true_depth)
    error_of_inliers = np.where(np.abs(disparity - truth) <= _INLIER_PX, error, np.nan)
    sigma = _sigma(pipeline, truth)
    settings = settings.replace(rectification_sigma=pipeline.row_sigma)
    with_rows = StereoPipeline(settings, width, height, scene.geometry)
    with_rows.match(scene.left, scene.right)
    check = UncertaintyCheck(
        *_coverage(error, sigma),
        *_coverage(error_of_inliers, sigma),
        pipeline.row_sigma,
        *_coverage(error_of_inliers, _sigma(with_rows, truth)),
    )
    return depth_accuracy(depth, true_depth), check


def _row_sigma(pipeline: StereoPipeline, scene: Scene) -> float:
    """Return how far the rows are apart in the images as they are matched, pixels."""
    pipeline.match(scene.left, scene.right)
    matches = match_corners(pipeline.left, pipeline.right)
    return matches.rows_sigma if matches.are_enough and matches.rows_agree else 0.0


def _sigma(pipeline: StereoPipeline, truth: Float) -> Float:
    """Return the uncertainty of the last pair in the size of the truth, metres."""
    sigma = np.empty(pipeline.fixed.shape, np.float32)
    pipeline.uncertainty(sigma)
    height, width = truth.shape
    return at_full_size(sigma, pipeline.downscale, height, width, scale=1)


def _coverage(error: Float, sigma: Float) -> tuple[float, float]:
    """Return the shares of the errors within 1 and 2 sigma, percent."""
    known = np.isfinite(error) & np.isfinite(sigma)
    if not known.any():
        return math.nan, math.nan
    ratio = error[known] / sigma[known]
    return 100.0 * float(np.mean(ratio <= 1.0)), 100.0 * float(np.mean(ratio <= 2.0))


def _figures(accuracy: DisparityAccuracy) -> dict[str, Any]:
    return {
        'density': _number(accuracy.density),
        **{f'bad_{limit:g}': _number(accuracy.bad_all[limit]) for limit in BAD_THRESHOLDS},
        **{
            f'bad_{limit:g}_estimated': _number(accuracy.bad_estimated[limit])
            for limit in BAD_THRESHOLDS
        },
        'near_ghosts': _number(accuracy.near_ghosts),
        'average_error': _number(accuracy.end_point_error),
        'root_mean_square': _number(accuracy.root_mean_square),
        'a50': _number(accuracy.a50),
        'a90': _number(accuracy.a90),
        'a95': _number(accuracy.a95),
    }


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
