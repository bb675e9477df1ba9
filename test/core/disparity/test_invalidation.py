# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The filters that take disparities away: the window, speckles, time, edges of raw images."""

from __future__ import annotations

import dataclasses

import cv2
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from matches import INVALID, known
import numpy as np
import pytest
from scenes import camera, plane, scene_of

from stereo_depth_node.core.disparity.invalidation import (
    invalid_value,
    mask_outside,
    SpeckleFilter,
    TemporalFilter,
    UnseenAreas,
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
    SpeckleFilter(largest, 2).remove(fixed, -16)
    assert np.count_nonzero(fixed == -16) == removed
    assert np.all(fixed[5:8, 10:14] == (-16 if removed else 30 * 16))


@pytest.mark.parametrize('difference', [3, -3])
def test_the_speckle_range_is_in_pixels_and_inclusive(difference):
    for largest_difference, removed in ((2, 12), (3, 0)):
        fixed = with_island(difference)
        SpeckleFilter(100, largest_difference).remove(fixed, -16)
        assert np.count_nonzero(fixed == -16) == removed


def test_a_moving_thing_leaves_nothing_behind_and_needs_a_second_look():
    """Disparities of before are compared, never shown."""
    before, after = (np.full((10, 30), 320, np.int16) for _ in range(2))
    before[:, 5:10] = 640
    after[:, 12:17] = 640
    temporal = TemporalFilter(1)
    first, second, third = before.copy(), after.copy(), after.copy()
    for frame in (first, second, third):
        temporal.filter(frame, INVALID)
    np.testing.assert_array_equal(first, before)
    moved = np.zeros(after.shape, bool)
    moved[:, 5:10] = moved[:, 12:17] = True
    assert np.all(second[moved] == INVALID)
    np.testing.assert_array_equal(second[~moved], after[~moved])
    np.testing.assert_array_equal(third, after)


def test_differences_up_to_the_limit_pass():
    temporal = TemporalFilter(2)
    temporal.filter(np.full((1, 4), 320, np.int16), INVALID)
    frame = np.array([[320 + 32, 320 + 33, 320 - 32, 320 - 33]], np.int16)
    temporal.filter(frame, INVALID)
    np.testing.assert_array_equal(frame, [[352, INVALID, 288, INVALID]])


def test_what_was_unknown_before_waits_for_a_second_look():
    temporal = TemporalFilter(4096)
    temporal.filter(np.full((1, 1), INVALID, np.int16), INVALID)
    frame = np.full((1, 1), 320, np.int16)
    temporal.filter(frame, INVALID)
    assert frame[0, 0] == INVALID


def test_after_a_reset_the_next_pair_passes_as_it_is():
    near, far = (scene_of(plane(160, 120, disparity)) for disparity in (30.0, 10.0))
    pipeline = StereoPipeline(Settings(temporal_max_diff=1), 160, 120)
    pipeline.match(near.left, near.right)
    pipeline.match(far.left, far.right)
    assert not known(pipeline).any()
    pipeline.reset()
    pipeline.match(near.left, near.right)
    assert known(pipeline).mean() > 0.2


@given(seed=st.integers(0, 1000))
@hypothesis_settings(max_examples=40)
def test_the_temporal_filter_only_takes_away(seed):
    rng = np.random.default_rng(seed)
    temporal = TemporalFilter(3)
    for _ in range(3):
        frame = rng.integers(-1, 20, (8, 9)).astype(np.int16) * 16
        shown = frame.copy()
        temporal.filter(shown, INVALID)
        kept = shown != INVALID
        np.testing.assert_array_equal(shown[kept], frame[kept])


def test_blocks_that_reach_into_a_black_border_have_no_disparity():
    seen = np.full((40, 80), 255, np.uint8)
    left, right = seen.copy(), seen.copy()
    left[:10, :30] = 0
    right[30:, 50:] = 0
    unseen = UnseenAreas((left, right), 5, ValidWindow(0, 0, 80, 40), range(16))
    assert unseen.exist
    fixed = np.full((40, 80), 10 * 16, np.int16)
    unseen.remove(fixed, INVALID)
    expected = np.ones((40, 80), bool)
    expected[:12, :32] = False  # 2 px more than the border: half a block
    expected[28:, 58:] = False  # seen 10 px further left by the right camera: from x = 48 + 10
    np.testing.assert_array_equal(fixed != INVALID, expected)


@given(seed=st.integers(0, 1000), first=st.sampled_from([-24, 0, 7]))
@hypothesis_settings(max_examples=60)
def test_a_disparity_goes_exactly_where_its_block_or_that_of_its_match_was_not_seen(seed, first):
    """Whatever the shape of the areas; a match beyond the right image counts as seen."""
    rng = np.random.default_rng(seed)
    seen = [cv2.resize(rng.integers(0, 2, (3, 6), np.uint8), (80, 40)) * 255 for _ in range(2)]
    window = ValidWindow(20, 2, 76, 38)
    searched = range(first, first + 16)
    lowest = (first - 1) * 16
    fixed = rng.integers(16 * first - 8, 16 * searched.stop + 8, (40, 80)).astype(np.int16)
    mask_outside(fixed, window, lowest)
    expected = fixed.copy()
    left, right = (cv2.erode(area, np.ones((5, 5), np.uint8)) == 255 for area in seen)
    for y, x in np.ndindex(fixed.shape):
        match = x - (int(fixed[y, x]) + 8) // 16
        if not left[y, x] or (0 <= match < 80 and not right[y, match]):
            expected[y, x] = lowest
    mask_outside(expected, window, lowest)
    UnseenAreas(tuple(seen), 5, window, searched).remove(fixed, lowest)
    np.testing.assert_array_equal(fixed, expected)


def test_images_that_fill_the_frame_have_no_unseen_area():
    seen = np.full((40, 80), 255, np.uint8)
    assert not UnseenAreas((seen, seen), 5, ValidWindow(0, 0, 80, 40), range(16)).exist


def test_raw_images_rolled_by_rectification_have_no_depth_at_their_black_corners():
    """A camera that was turned by 5 degrees about its axis: the raw image ends in the frame."""
    width, height, angle = 320, 240, np.radians(5.0)
    rotation = (
        np.cos(angle), -np.sin(angle), 0.0, np.sin(angle), np.cos(angle), 0.0, 0.0, 0.0, 1.0,
    )  # fmt: skip
    left = dataclasses.replace(camera(width, height, f=300.0), r=rotation)
    right = dataclasses.replace(camera(width, height, f=300.0, tx=-30.0), r=rotation)
    settings = Settings(
        rectify=True, texture_threshold=0, uniqueness_ratio=0, num_disparities=16, block_size=9
    )
    pipeline = StereoPipeline.from_calibrations(settings, width, height, left, right)
    white = np.full((height, width), 255, np.uint8)
    pipeline.match(white, white)
    black = pipeline.left < 255
    assert black[:3].mean() > 0.2
    touched = cv2.dilate(black.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    scene = scene_of(plane(width, height, 5.0))
    pipeline.match(scene.left, scene.right)
    assert not np.any(known(pipeline) & touched)
    assert known(pipeline).mean() > 0.5
