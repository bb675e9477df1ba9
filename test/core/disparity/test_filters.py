# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Filters only take away: region of interest, median, smoothing, time, edges of raw images."""

from __future__ import annotations

import dataclasses

import cv2
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scenes import camera, plane, scene_of, step, StereoScene, tilted_plane

from stereo_depth_node.core.disparity.invalidation import (
    mask_outside,
    TemporalFilter,
    UnseenAreas,
)
from stereo_depth_node.core.disparity.smoothing import EdgePreservingSmoother, MedianFilter
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.constraints import (
    check_image_size,
    smoothing_is_available,
)
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.window import ValidWindow

INVALID = -16
ALGORITHMS = ('bm', 'sgbm', 'sgbm_3way', 'sgbm_hh', 'sgbm_hh4')


def matched(settings: Settings, scene: StereoScene) -> StereoPipeline:
    pipeline = StereoPipeline(settings, *scene.size)
    pipeline.match(scene.left, scene.right)
    return pipeline


def known(pipeline: StereoPipeline) -> np.ndarray:
    return pipeline.fixed >= pipeline.settings.min_disparity * 16


# --- left-right check and speckles, for every algorithm ---


@pytest.mark.parametrize('algorithm', ALGORITHMS)
def test_the_left_right_check_takes_away_what_the_right_eye_does_not_see(algorithm, motorcycle):
    """Beside near things; 4096 px lets everything pass. The rest stays as it was."""
    loose = Settings(algorithm=algorithm, block_size=9, disp12_max_diff=4096, uniqueness_ratio=0)
    every, checked = (
        matched(loose.replace(disp12_max_diff=limit), motorcycle) for limit in (4096, 1)
    )
    removed = known(every) & ~known(checked)
    error = np.abs(every.fixed / 16.0 - motorcycle.disparity)
    with_truth = np.isfinite(error)
    assert removed.mean() > 0.01
    assert not np.any(known(checked) & ~known(every))
    # Most of what goes is wrong, most of what stays is right.
    assert np.mean(error[removed & with_truth] > 2) > 0.5
    assert np.mean(error[known(checked) & with_truth] > 2) < 0.15


def test_semi_global_matching_takes_minus_one_and_zero_for_a_check_of_one_pixel(motorcycle):
    """As its description says: OpenCV cannot be told not to check."""
    results = [
        matched(Settings(algorithm='sgbm_3way', block_size=5, disp12_max_diff=limit), motorcycle)
        for limit in (-1, 0, 1)
    ]
    assert all(np.array_equal(results[0].fixed, result.fixed) for result in results)


@pytest.mark.parametrize('algorithm', ALGORITHMS)
def test_the_range_of_speckles_is_in_pixels_for_every_algorithm(algorithm):
    """Two halves with a step of 4 px between: one island or two."""
    scene = scene_of(step(200, 100, 20.0, 24.0))
    area = 200 * 100
    settings = Settings(
        algorithm=algorithm,
        block_size=7,
        num_disparities=32,
        uniqueness_ratio=0,
        disp12_max_diff=4096,
        speckle_window_size=int(0.55 * area),
    )
    apart = matched(settings.replace(speckle_range=2), scene)
    joined = matched(settings.replace(speckle_range=5), scene)
    assert known(apart).mean() < 0.05
    assert known(joined).mean() > 0.6


# --- region of interest ---


def test_only_the_region_of_interest_has_disparities_and_the_valid_window_says_so():
    scene = scene_of(plane(320, 240, 20.0))
    settings = Settings(roi_x=100, roi_y=50, roi_width=120, roi_height=80)
    inside, full = matched(settings, scene), matched(Settings(), scene)
    assert inside.valid_window == ValidWindow(100, 50, 220, 130)
    region = np.s_[50:130, 100:220]
    np.testing.assert_array_equal(inside.fixed[region], full.fixed[region])
    outside = np.ones(inside.fixed.shape, bool)
    outside[region] = False
    assert np.all(inside.fixed[outside] == INVALID)


def test_a_region_without_size_reaches_to_the_borders_that_can_be_matched():
    settings = Settings(roi_x=200, roi_y=100)
    assert StereoPipeline(settings, 320, 240).valid_window == ValidWindow(200, 100, 313, 233)


@pytest.mark.parametrize('factor', [2, 4])
def test_the_region_is_in_pixels_of_the_images_that_come_in(factor):
    settings = Settings(
        downscale=factor, roi_x=202, roi_y=101, roi_width=203, roi_height=99, block_size=5
    )
    window = StereoPipeline(settings, 640, 480).valid_window
    # Inwards to whole reduced pixels.
    assert window.x0 * factor >= 202
    assert window.x1 * factor <= 405
    assert (window.x1 - window.x0 + 2) * factor > 203
    assert window.y0 * factor >= 101
    assert window.y1 * factor <= 200


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'roi_x': 640}, ['x 640 to 640', '640x480', 'roi_x']),
        ({'roi_y': 400, 'roi_height': 100}, ['y 400 to 500', '640x480']),
        ({'roi_width': 40}, ['nothing can be matched', 'fill_left_band']),
    ],
)
def test_a_region_outside_of_the_image_is_refused_with_the_remedy(changes, words):
    with pytest.raises(SettingsError) as refused:
        check_image_size(Settings(**changes), 640, 480)
    assert all(word in str(refused.value) for word in words)
    with pytest.raises(SettingsError):
        StereoPipeline(Settings(**changes), 640, 480)


def test_a_filled_left_band_is_filled_inside_of_the_region_only():
    scene = scene_of(tilted_plane(320, 240, 20.0, 30.0))
    settings = Settings(fill_left_band=True, roi_x=20, roi_y=20, roi_width=200, roi_height=200)
    inside = known(matched(settings, scene))
    full = known(matched(Settings(fill_left_band=True), scene))
    np.testing.assert_array_equal(inside[20:220, 20:220], full[20:220, 20:220])
    assert inside.sum() == inside[20:220, 20:220].sum()


# --- median ---

fields = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 40, (24, 31)).astype(np.int16) * 16
)


@given(field=fields, share=st.floats(0, 1), size=st.sampled_from((3, 5)))
@hypothesis_settings(max_examples=60)
def test_the_median_invents_neither_pixels_nor_disparities(field, share, size):
    """What it gives was measured within half of its side, and unknown stays unknown."""
    rng = np.random.default_rng(1)
    unknown = rng.random(field.shape) < share
    field[unknown] = INVALID
    result = field.copy()
    MedianFilter(size, *field.shape).filter(result, INVALID)
    np.testing.assert_array_equal(result == INVALID, unknown)
    half = size // 2
    for y, x in zip(*np.nonzero(~unknown), strict=True):
        near = field[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1]
        assert result[y, x] in near


def test_the_median_of_known_neighbours_is_the_plain_one():
    field = np.random.default_rng(0).integers(0, 900, (40, 50)).astype(np.int16)
    result = field.copy()
    MedianFilter(5, 40, 50).filter(result, INVALID)
    np.testing.assert_array_equal(result, cv2.medianBlur(field, 5))


def test_the_median_does_not_pull_pixels_beside_a_hole_towards_it():
    field = np.full((20, 20), 480, np.int16)
    field[:, 10:] = INVALID
    result = field.copy()
    MedianFilter(3, 20, 20).filter(result, INVALID)
    np.testing.assert_array_equal(result, field)


def test_the_median_removes_a_single_outlier_through_the_pipeline():
    assert Settings(median_size=3).median_size == 3
    for size in (1, 2, 4):
        with pytest.raises(SettingsError, match='0, 3 or 5'):
            Settings(median_size=size)
    scene = scene_of(plane(160, 120, 20.5))
    plain, smooth = (matched(Settings(median_size=size, block_size=9), scene) for size in (0, 5))
    np.testing.assert_array_equal(known(plain), known(smooth))
    spread = [np.std(pipeline.fixed[known(pipeline)]) for pipeline in (plain, smooth)]
    assert spread[1] < spread[0]


# --- smoothing along edges ---


@pytest.mark.skipif(smoothing_is_available(), reason='this OpenCV has ximgproc')
def test_smoothing_is_refused_with_the_remedy_where_opencv_lacks_it():
    with pytest.raises(SettingsError) as refused:
        Settings(wls_lambda=8000.0)
    assert 'ximgproc' in str(refused.value)
    assert 'opencv-contrib-python-headless' in str(refused.value)


needs_ximgproc = pytest.mark.skipif(
    not smoothing_is_available(), reason='this OpenCV has no ximgproc (contrib modules)'
)


@needs_ximgproc
def test_smoothing_fills_no_hole_and_stays_within_what_was_measured():
    rng = np.random.default_rng(0)
    left = rng.integers(0, 255, (80, 100)).astype(np.uint8)
    field = rng.integers(300, 400, left.shape).astype(np.int16)
    field[20:50, 30:60] = INVALID
    result = field.copy()
    EdgePreservingSmoother(8000.0, 1.5).filter(result, INVALID, left)
    np.testing.assert_array_equal(result == INVALID, field == INVALID)
    assert result[result != INVALID].min() >= 300
    assert result[result != INVALID].max() < 400


@needs_ximgproc
def test_smoothing_reduces_noise_and_keeps_an_edge_that_the_image_has():
    left = np.full((60, 100), 50, np.uint8)
    left[:, 50:] = 200
    clean = np.where(left > 100, 600, 300).astype(np.int16)
    noise = np.random.default_rng(0).normal(0, 8, clean.shape).astype(np.int16)
    result = clean + noise
    EdgePreservingSmoother(8000.0, 1.5).filter(result, INVALID, left)
    assert np.std(result - clean) < 0.4 * np.std(noise)


@needs_ximgproc
def test_the_pipeline_smooths_when_it_is_asked_to():
    scene = scene_of(tilted_plane(200, 120, 15.0, 25.0))
    plain, smooth = (
        matched(Settings(block_size=7, wls_lambda=strength), scene) for strength in (0.0, 500.0)
    )
    np.testing.assert_array_equal(known(plain), known(smooth))
    error = [
        np.std((pipeline.fixed / 16.0 - scene.disparity)[known(pipeline)])
        for pipeline in (plain, smooth)
    ]
    assert error[1] < error[0]


# --- time ---


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


# --- black borders of rectified images ---


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
