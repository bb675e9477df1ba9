# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The filters that take disparities away: the window and the speckles."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import plane, scene_of

from stereo_depth_node.core.disparity.invalidation import (
    invalid_value,
    mask_outside,
    remove_speckles,
)
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.window import ValidWindow

ISLAND = np.s_[40:65, 90:115]


@pytest.mark.parametrize('minimum', [-2046, -1, 0, 7])
def test_the_value_of_no_match_is_one_pixel_below_the_smallest_disparity(minimum):
    assert invalid_value(minimum) / 16 == minimum - 1


@pytest.mark.parametrize(
    'window', [(0, 0, 9, 7), (2, 1, 8, 6), (8, 6, 9, 7), (0, 6, 1, 7), (3, 3, 4, 4)]
)
def test_pixels_outside_of_the_window_become_invalid_and_no_others(window):
    fixed = np.arange(63, dtype=np.int16).reshape(7, 9)
    expected = np.full_like(fixed, -16)
    x0, y0, x1, y1 = window
    expected[y0:y1, x0:x1] = fixed[y0:y1, x0:x1]
    mask_outside(fixed, ValidWindow(*window), -16)
    np.testing.assert_array_equal(fixed, expected)


@pytest.mark.parametrize(('window', 'empty'), [((2, 2, 3, 3), False), ((3, 2, 3, 9), True)])
def test_a_window_without_a_column_is_empty(window, empty):
    assert ValidWindow(*window).is_empty is empty


def with_island(difference: int) -> np.ndarray:
    """20 px of disparity everywhere, and an island of 3 by 4 pixels that differs."""
    fixed = np.full((20, 30), 20 * 16, np.int16)
    fixed[5:8, 10:14] += 16 * difference
    return fixed


@pytest.mark.parametrize(('largest', 'removed'), [(0, 0), (11, 0), (12, 12), (500, 12)])
def test_islands_of_up_to_the_window_size_are_removed(largest, removed):
    fixed = with_island(10)
    remove_speckles(fixed, -16, largest, 2)
    assert np.count_nonzero(fixed == -16) == removed
    assert np.all(fixed[5:8, 10:14] == (-16 if removed else 30 * 16))


@pytest.mark.parametrize('difference', [3, -3])
def test_the_speckle_range_is_in_pixels_and_inclusive(difference):
    for largest_difference, removed in ((2, 12), (3, 0)):
        fixed = with_island(difference)
        remove_speckles(fixed, -16, 100, largest_difference)
        assert np.count_nonzero(fixed == -16) == removed


@pytest.mark.parametrize(('algorithm', 'block'), [('bm', 9), ('sgbm', 3), ('sgbm_3way', 3)])
def test_the_speckle_range_is_in_pixels_for_every_algorithm(algorithm, block):
    """An island 6 px nearer than its surroundings goes at a range of 4 px, and stays at 8 px."""
    truth = plane(200, 100, 10)
    truth[ISLAND] = 16
    scene = scene_of(truth)
    kept = {}
    for speckle_range in (4, 8):
        settings = Settings(
            algorithm=algorithm,
            block_size=block,
            num_disparities=32,
            speckle_window_size=1000,
            speckle_range=speckle_range,
        )
        pipeline = StereoPipeline(settings, *scene.size)
        pipeline.match(scene.left, scene.right)
        kept[speckle_range] = np.mean(np.abs(pipeline.fixed[ISLAND] - 16 * 16) <= 8)
    assert kept[4] == 0
    # The rest of the island is the rim, where blocks see both surfaces.
    assert kept[8] > 0.6
