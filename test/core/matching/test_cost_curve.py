# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The matching cost of single pixels, compared with what OpenCV's matcher decides."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import plane, scene_of, step

from stereo_depth_node.core import Settings, StereoPipeline
from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.matching.cost_curve import cost_curve

# StereoBM moves the smallest cost by up to half a pixel, and rounds up to 1/16 px.
_HALF_PX = 0.5 + 1.0 / DISPARITY_SCALE


def curves_and_disparities(left, right, settings, count=40):
    """Return for random pixels with a disparity the pixel, its curve and that disparity."""
    height, width = left.shape
    pipeline = StereoPipeline(settings, width, height)
    pipeline.match(left, right)
    known = np.argwhere(pipeline.fixed >= settings.min_disparity * DISPARITY_SCALE)
    assert len(known) >= count
    for y, x in np.random.default_rng(1).choice(known, count, replace=False):
        curve = cost_curve(left, right, settings, int(x), int(y))
        yield (int(x), int(y)), curve, pipeline.fixed[y, x] / DISPARITY_SCALE


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'block_size': 5, 'pre_filter_cap': 63},
        {'block_size': 21, 'min_disparity': 8, 'num_disparities': 32},
        {'min_disparity': -16},
        {'pre_filter_type': 'normalized_response', 'pre_filter_size': 15},
        {'fill_left_band': True},
    ],
    ids=lambda changes: ' '.join(changes) or 'default',
)
def test_the_smallest_cost_is_at_the_disparity_that_opencv_gives(motorcycle, changes):
    settings = Settings(matcher_backend='opencv', texture_threshold=0, uniqueness_ratio=0)
    settings = settings.replace(**changes)
    for pixel, curve, disparity in curves_and_disparities(
        motorcycle.left, motorcycle.right, settings
    ):
        assert curve.is_final
        assert abs(curve.best - disparity) <= _HALF_PX, f'pixel {pixel}'
        assert curve.cost_at(curve.best) == np.nanmin(curve.costs)


def test_pixels_of_the_filled_left_band_have_a_curve(motorcycle):
    settings = Settings(
        matcher_backend='opencv', texture_threshold=0, uniqueness_ratio=0, fill_left_band=True
    )
    height, width = motorcycle.left.shape
    pipeline = StereoPipeline(settings, width, height)
    pipeline.match(motorcycle.left, motorcycle.right)
    band = pipeline.fixed[:, 10:60]
    known = np.argwhere(band >= 0)
    assert len(known) > 1000
    for y, x in known[:: len(known) // 30]:
        curve = cost_curve(motorcycle.left, motorcycle.right, settings, int(x) + 10, int(y))
        assert abs(curve.best - band[y, x] / DISPARITY_SCALE) <= _HALF_PX


def test_of_equal_costs_the_nearest_disparity_is_the_best_as_for_opencv():
    """Stripes of 16 px look the same at every 16th disparity."""
    left = np.tile(np.repeat(np.array([40, 200], np.uint8), 8), (60, 12))
    settings = Settings(
        matcher_backend='opencv', texture_threshold=0, uniqueness_ratio=0, num_disparities=48
    )
    for _, curve, disparity in curves_and_disparities(left, left, settings):
        assert curve.best == 32
        assert abs(curve.best - disparity) <= _HALF_PX
        assert curve.margin in (0.0, np.inf)


def test_the_margin_is_what_the_uniqueness_ratio_compares(motorcycle):
    """Every pixel that OpenCV keeps has that margin; some of the others have less."""
    settings = Settings(matcher_backend='opencv', texture_threshold=0, uniqueness_ratio=25)
    found = curves_and_disparities(motorcycle.left, motorcycle.right, settings)
    assert all(curve.margin > 25.0 for _, curve, _ in found)
    free = settings.replace(uniqueness_ratio=0)
    found = curves_and_disparities(motorcycle.left, motorcycle.right, free)
    assert min(curve.margin for _, curve, _ in found) < 25.0


def test_blocks_that_leave_the_right_image_have_no_cost():
    scene = scene_of(plane(120, 60, 7))
    curve = cost_curve(scene.left, scene.right, Settings(num_disparities=32), 20, 30)
    assert np.isfinite(curve.costs).sum() == 20 - 15 // 2 + 1
    assert curve.best == 7
    nothing = cost_curve(scene.left, scene.right, Settings(num_disparities=32), 3, 30)
    assert nothing.best is None
    assert nothing.second is None
    assert nothing.margin is None


@pytest.mark.parametrize(('x', 'disparity'), [(40, 4), (100, 12)])
def test_the_curve_of_semi_global_matching_is_said_to_be_without_its_penalties(x, disparity):
    scene = scene_of(step(140, 60, 4, 12))
    settings = Settings(algorithm='sgbm', block_size=5, num_disparities=16)
    curve = cost_curve(scene.left, scene.right, settings, x, 30)
    assert not curve.is_final
    assert curve.best == disparity
