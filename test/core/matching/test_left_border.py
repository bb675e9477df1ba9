# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The band on the left: filled as if the whole images were continued, and nothing else changed."""

from __future__ import annotations

import functools

import cv2
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scenes import plane, scene_of, StereoScene, tilted_plane

from stereo_depth_node.core.matching.left_border import LeftBorderMatcher
from stereo_depth_node.core.matching.selection import create_matcher
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.window import left_border, valid_window

SEMI_GLOBAL = ('sgbm', 'sgbm_3way', 'sgbm_hh', 'sgbm_hh4')


@functools.lru_cache(maxsize=16)
def textured(width: int, height: int) -> StereoScene:
    return scene_of(tilted_plane(width, height, 4.0, 14.0))


def matched(settings: Settings, scene: StereoScene) -> np.ndarray:
    pipeline = StereoPipeline(settings, *scene.size)
    pipeline.match(scene.left, scene.right)
    return pipeline.fixed


def band_of_continued_images(settings: Settings, scene: StereoScene) -> np.ndarray:
    """Match the whole images, continued to the left by their first column, and cut that off.

    What is matched with the continuation is left out.
    """
    band = left_border(settings)
    left, right = (
        cv2.copyMakeBorder(image, 0, 0, band, 0, cv2.BORDER_REPLICATE)
        for image in (scene.left, scene.right)
    )
    fixed = np.empty(left.shape, np.int16)
    create_matcher(settings).compute(left, right, fixed)
    fixed = fixed[:, band:]
    fixed[outside_of_the_right_image(fixed)] = (settings.min_disparity - 1) * 16
    return fixed


def outside_of_the_right_image(fixed: np.ndarray) -> np.ndarray:
    """Return where a match is more than half a pixel to the left of the first column."""
    return np.arange(fixed.shape[1]) - fixed / 16 < -0.5


def columns_of_band(settings: Settings, scene: StereoScene) -> slice:
    empty = valid_window(settings.replace(fill_left_band=False), *scene.size)
    return slice(valid_window(settings, *scene.size).x0, empty.x0)


@given(
    minimum=st.integers(-70, 30),
    count=st.sampled_from((16, 32, 64)),
    half=st.integers(2, 10),
    pre_filter=st.sampled_from(('xsobel', 'normalized_response')),
    pre_filter_size=st.integers(2, 20).map(lambda half: 2 * half + 1),
    left_right=st.integers(-1, 3),
    size=st.sampled_from([(200, 60), (171, 51), (320, 45)]),
)
@hypothesis_settings(max_examples=80)
def test_block_matching_fills_the_band_as_on_continued_images(
    minimum, count, half, pre_filter, pre_filter_size, left_right, size
):
    settings = Settings(
        min_disparity=minimum,
        num_disparities=count,
        block_size=2 * half + 1,
        pre_filter_type=pre_filter,
        pre_filter_size=pre_filter_size,
        disp12_max_diff=left_right,
        fill_left_band=True,
    )
    scene = textured(*size)
    filled, expected = matched(settings, scene), band_of_continued_images(settings, scene)
    band, rows = columns_of_band(settings, scene), slice(half, size[1] - half)
    np.testing.assert_array_equal(filled[rows, band], expected[rows, band])


@pytest.mark.parametrize('minimum', [-20, 0, 9])
@pytest.mark.parametrize(
    'changes',
    [
        {'block_size': 15},
        {'block_size': 9, 'pre_filter_type': 'normalized_response'},
        {'block_size': 9, 'disp12_max_diff': 1},
        *({'algorithm': algorithm, 'block_size': 5} for algorithm in SEMI_GLOBAL),
    ],
)
def test_filling_the_band_leaves_every_other_pixel_as_it_was(changes, minimum):
    settings = Settings(min_disparity=minimum, num_disparities=32, **changes)
    filled_settings = settings.replace(fill_left_band=True)
    scene = textured(241, 97)
    without, filled = matched(settings, scene), matched(filled_settings, scene)
    band = columns_of_band(filled_settings, scene)
    assert band.stop > band.start
    assert np.all(without[:, band] == (minimum - 1) * 16)
    assert np.any(filled[:, band] != without[:, band])
    filled[:, band] = without[:, band]
    np.testing.assert_array_equal(filled, without)


@pytest.mark.parametrize('minimum', [-40, -16, 0, 5])
@pytest.mark.parametrize(('algorithm', 'block'), [('bm', 11), ('sgbm', 5), ('sgbm_3way', 5)])
def test_the_band_gets_the_right_disparities(algorithm, block, minimum):
    """Wherever the match lies in the right image, to within a pixel."""
    truth = plane(240, 100, 9.0)
    scene = scene_of(truth)
    settings = Settings(
        algorithm=algorithm,
        block_size=block,
        min_disparity=minimum,
        num_disparities=64,
        fill_left_band=True,
    )
    half = block // 2
    seen = np.s_[half : 100 - half, 9 + half : columns_of_band(settings, scene).stop]
    error = np.abs(matched(settings, scene) / 16 - truth)[seen]
    assert error.size > 0
    assert np.mean(error < 1.0) > 0.98


@pytest.mark.parametrize('minimum', [0, 8])
@pytest.mark.parametrize(
    'changes',
    [
        # The candidates of tune: everything gets a disparity.
        {'block_size': 9, 'uniqueness_ratio': 0, 'texture_threshold': 0},
        {'block_size': 9, 'uniqueness_ratio': 0, 'texture_threshold': 0, 'median_size': 5},
        {'block_size': 9, 'downscale': 2},
        *(
            {'algorithm': algorithm, 'block_size': 5, 'disp12_max_diff': 4096}
            for algorithm in SEMI_GLOBAL
        ),
    ],
)
def test_the_band_stops_where_the_right_image_ends(changes, minimum, motorcycle):
    settings = Settings(min_disparity=minimum, fill_left_band=True, **changes)
    pipeline = StereoPipeline(settings, *motorcycle.size)
    pipeline.match(motorcycle.left, motorcycle.right)
    known = pipeline.fixed >= pipeline.settings.min_disparity * 16
    assert not np.any(known & outside_of_the_right_image(pipeline.fixed))
    # Nothing of the first columns is in the right image at all, and the valid window says so.
    first = pipeline.settings.min_disparity
    assert not known[:, :first].any()
    assert pipeline.valid_window.x0 >= first
    assert known[:, pipeline.valid_window.x0 :][:, :20].mean() > 0.05


def test_the_left_band_of_a_real_pair_is_filled_for_the_most_part(motorcycle):
    settings = Settings(fill_left_band=True)
    band = np.s_[:, columns_of_band(settings, motorcycle)]
    fixed, truth = matched(settings, motorcycle)[band], motorcycle.disparity[band]
    seen = np.isfinite(truth) & (np.arange(7, 70) - truth >= 7)
    found = seen & (fixed >= 0)
    assert found.sum() > 0.6 * seen.sum()
    assert np.median(np.abs(fixed / 16 - truth)[found]) < 0.5


@pytest.mark.parametrize(('algorithm', 'block'), [('bm', 9), ('sgbm', 5)])
@pytest.mark.parametrize('minimum', [-90, -64, -63, -47, 0, 20])
def test_nothing_in_the_band_comes_from_memory_that_was_not_written(algorithm, block, minimum):
    settings = Settings(
        algorithm=algorithm,
        block_size=block,
        min_disparity=minimum,
        num_disparities=64,
        fill_left_band=True,
    )
    scene = textured(200, 60)
    results = []
    for sentinel in (32001, -30001):
        matcher = LeftBorderMatcher(settings, *scene.size)
        matcher._fixed.fill(sentinel)  # what np.empty may hold
        fixed = np.zeros((60, 200), np.int16)
        matcher.fill(scene.left, scene.right, fixed)
        results.append(fixed[block // 2 : -(block // 2)])
    np.testing.assert_array_equal(*results)
