# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The consistency of disparities with their pair, compared with what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import plane, scene_of, StereoScene

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.consistency import (
    AppearanceReference,
    consistency_of,
    consistent_pixels,
)
from stereo_depth_node.core.tuning.disparity_range import find_disparity_range
from stereo_depth_node.core.tuning.objectives import (
    ConsistencyObjective,
    NavigationObjective,
    TruthObjective,
)

ALL = slice(0, 60)
NAN = np.float32(np.nan)


def field(disparity: float) -> np.ndarray:
    return np.full((60, 90), disparity, np.float32)


def reference(disparity: float) -> AppearanceReference:
    scene = scene_of(plane(90, 60, disparity))
    return AppearanceReference(scene.left, scene.right)


def test_right_disparities_cost_little_and_wrong_ones_about_a_half():
    """Unrelated places agree in every second comparison. Left of 10 px nothing can be checked."""
    appearance = reference(10.0)
    unseen = 100.0 * 10 / 90
    right = consistency_of(appearance, field(10.0), field(10.0), ALL)
    wrong = consistency_of(appearance, field(25.0), field(25.0), ALL)
    assert right.density == 100.0
    assert right.cost == pytest.approx(unseen, abs=1.0)
    assert wrong.cost == pytest.approx(100 * 25 / 90 + 50.0 * 65 / 90, abs=8.0)


def test_a_missing_pixel_costs_as_much_as_one_that_the_right_eye_contradicts():
    appearance = reference(10.0)
    missing, contradicted = field(10.0), field(10.0)
    missing[:, 40:60] = NAN
    contradicted[:, 40:60] = 14.0
    costs = [
        consistency_of(appearance, each, field(10.0), ALL) for each in (missing, contradicted)
    ]
    assert costs[0].cost == pytest.approx(costs[1].cost, abs=0.5)
    assert costs[0].density == pytest.approx(100.0 * 70 / 90)
    assert costs[0].wrong < costs[1].wrong


def test_pixels_agree_to_within_one_pixel():
    left = np.array([[5.0, 5.0, 5.0, 5.0, NAN]], np.float32).repeat(2, 0)
    left = np.pad(left, ((0, 0), (8, 0)), constant_values=NAN)
    right = np.full(left.shape, NAN, np.float32)
    right[:, 3:7] = [4.0, 6.0, 6.1, NAN]
    np.testing.assert_array_equal(
        consistent_pixels(left, right)[0, 8:], [True, True, False, False, False]
    )


def test_gain_and_offset_of_an_image_do_not_matter():
    scene = scene_of(plane(90, 60, 10.0))
    darker = (scene.right * 0.6 + 20).astype(np.uint8)
    costs = [
        consistency_of(AppearanceReference(scene.left, right), field(10.0), field(10.0), ALL).cost
        for right in (scene.right, darker)
    ]
    assert costs[1] == pytest.approx(costs[0], abs=2.0)


def test_the_cost_without_truth_orders_settings_as_the_truth_does(motorcycle):
    """Rank correlation over blocks and caps: what the search relies on."""
    objectives = ConsistencyObjective([motorcycle]), TruthObjective([motorcycle])
    base = Settings(fill_left_band=True, uniqueness_ratio=0, texture_threshold=0)
    candidates = [
        base.replace(block_size=size, pre_filter_cap=cap)
        for size in (5, 9, 13, 21, 31)
        for cap in (7, 31)
    ]
    costs = np.array(
        [[objective.score(each).cost for each in candidates] for objective in objectives]
    )
    ranks = costs.argsort(axis=1).argsort(axis=1)
    # Two candidates that the truth has within 0.1 of each other may change places.
    assert np.corrcoef(ranks)[0, 1] > 0.85
    assert np.corrcoef(costs)[0, 1] > 0.9


def test_the_cost_for_navigation_orders_settings_as_the_truth_does(motorcycle):
    """Rank correlation over blocks and filters, of the cost and of near ghosts alone."""
    found = find_disparity_range([(motorcycle.left, motorcycle.right)])
    objectives = (
        NavigationObjective([motorcycle], found),
        TruthObjective([motorcycle], for_navigation=True),
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
    objective = ConsistencyObjective([scene])
    base = Settings(block_size=9, num_disparities=32)
    assert objective.score(base) == objective.score(base.replace(temporal_max_diff=1, roi_x=60))


def test_large_images_are_scored_by_strips_that_the_seed_chooses(motorcycle):
    """Doubled in both directions: the strips give the figures of the whole to a few percent."""
    images = (motorcycle.left, motorcycle.right, motorcycle.disparity)
    doubled = StereoScene(*(image.repeat(2, axis=0) for image in images))
    settings = Settings()
    whole = ConsistencyObjective([motorcycle]).score(settings)
    first, same, other = (
        ConsistencyObjective([doubled], seed).score(settings) for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other
    assert first.density == pytest.approx(whole.density, abs=10.0)
