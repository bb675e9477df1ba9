# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What disparities cost without ground truth, compared with what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import plane, scene_of, StereoScene

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.disparity_range import find_disparity_range
from stereo_depth_node.core.tuning.matching import consistent_pixels
from stereo_depth_node.core.tuning.objectives import (
    COMPLETE,
    NAVIGATION,
    ReferenceObjective,
    TruthObjective,
    Weights,
)

NAN = np.float32(np.nan)


def objective_of(scene: StereoScene, weights: Weights, seed: int = 0) -> ReferenceObjective:
    found = find_disparity_range([(scene.left, scene.right)])
    return ReferenceObjective([scene], found, weights, seed)


def test_pixels_agree_to_within_one_pixel():
    left = np.array([[5.0, 5.0, 5.0, 5.0, NAN]], np.float32).repeat(2, 0)
    left = np.pad(left, ((0, 0), (8, 0)), constant_values=NAN)
    right = np.full(left.shape, NAN, np.float32)
    right[:, 3:7] = [4.0, 6.0, 6.1, NAN]
    np.testing.assert_array_equal(
        consistent_pixels(left, right)[0, 8:], [True, True, False, False, False]
    )


@pytest.mark.parametrize(
    ('weights', 'near_cost', 'far_cost'), [(NAVIGATION, 3.0, 1.5), (COMPLETE, 1.0, 1.0)]
)
def test_a_wrong_disparity_costs_by_what_a_robot_makes_of_it(weights, near_cost, far_cost):
    """In percent of all pixels: 10 missing, 9 near, and 18 wrong otherwise."""
    score = weights.score(30.0, 90.0, 9.0)
    assert score.cost == pytest.approx(10.0 + near_cost * 9.0 + far_cost * 18.0)
    assert (score.wrong, score.density, score.near) == (30.0, 90.0, 9.0)


def test_by_truth_the_cost_of_complete_disparities_is_bad_2_of_all_pixels(motorcycle):
    score = TruthObjective([motorcycle], COMPLETE).score(Settings())
    assert score.cost == pytest.approx(27.0, abs=0.06)  # of OpenCV's StereoBM on this scene


@pytest.mark.parametrize(('true', 'near', 'wrong'), [(15, 0, 0), (11, 100, 100), (19, 0, 100)])
def test_what_seems_nearer_is_a_near_ghost_and_what_seems_farther_is_only_wrong(true, near, wrong):
    """A plane that is matched at 15 px."""
    scene = scene_of(plane(160, 100, 15.0))
    truth = StereoScene(scene.left, scene.right, np.full((100, 160), true, np.float32))
    score = TruthObjective([truth]).score(Settings(num_disparities=32, block_size=9))
    assert 100.0 * score.near / score.density == pytest.approx(near, abs=1.0)
    assert score.wrong == pytest.approx(wrong, abs=1.0)


@pytest.mark.parametrize('weights', [NAVIGATION, COMPLETE])
def test_the_cost_orders_settings_as_the_truth_does(small_motorcycle, weights):
    """Rank correlation over blocks and filters, of the cost and of near ghosts alone."""
    objectives = (
        objective_of(small_motorcycle, weights),
        TruthObjective([small_motorcycle], weights),
    )
    base = Settings(fill_left_band=True, texture_threshold=0)
    candidates = [
        base.replace(block_size=size, uniqueness_ratio=ratio, speckle_window_size=window)
        for size in (5, 9, 13, 21)
        for ratio, window in ((0, 0), (5, 0), (10, 200))
    ]
    scores = [[objective.score(each) for each in candidates] for objective in objectives]
    for name in ('cost', 'near'):
        values = np.array([[getattr(score, name) for score in each] for each in scores])
        ranks = values.argsort(axis=1).argsort(axis=1)
        assert np.corrcoef(ranks)[0, 1] > 0.85


def test_settings_that_do_not_apply_to_single_pairs_do_not_change_the_score():
    scene = scene_of(plane(160, 120, 20.0))
    objective = objective_of(scene, NAVIGATION)
    base = Settings(block_size=9, num_disparities=32)
    assert objective.score(base) == objective.score(base.replace(temporal_max_diff=1, roi_x=60))


def test_large_images_are_scored_by_strips_that_the_seed_chooses(motorcycle):
    """Twice as high: the strips give the figures of the whole to a few percent."""
    images = (motorcycle.left, motorcycle.right, motorcycle.disparity)
    doubled = StereoScene(*(image.repeat(2, axis=0) for image in images))
    settings = Settings()
    whole = objective_of(motorcycle, NAVIGATION).score(settings)
    first, same, other = (
        objective_of(doubled, NAVIGATION, seed).score(settings) for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other
    assert first.density == pytest.approx(whole.density, abs=10.0)
