# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of a match and the region of interest only take away."""

from __future__ import annotations

from matches import INVALID, known, matched
import numpy as np
import pytest
from scenes import plane, scene_of, step, tilted_plane

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.constraints import check_image_size
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.window import ValidWindow

ALGORITHMS = ('bm', 'sgbm', 'sgbm_3way', 'sgbm_hh', 'sgbm_hh4')


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
