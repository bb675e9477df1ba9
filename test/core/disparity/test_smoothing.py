# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Filters that change disparities: the median, and smoothing along the edges of the image."""

from __future__ import annotations

import cv2
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from matches import INVALID, known, matched
import numpy as np
import pytest
from scenes import plane, scene_of, tilted_plane

from stereo_depth_node.core.disparity.smoothing import EdgePreservingSmoother, MedianFilter
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.constraints import smoothing_is_available
from stereo_depth_node.core.settings.settings import Settings

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


def test_the_median_of_a_plane_spreads_less_and_sizes_that_it_cannot_have_are_refused():
    assert Settings(median_size=3).median_size == 3
    for size in (1, 2, 4):
        with pytest.raises(SettingsError, match='0, 3 or 5'):
            Settings(median_size=size)
    scene = scene_of(plane(160, 120, 20.5))
    plain, smooth = (matched(Settings(median_size=size, block_size=9), scene) for size in (0, 5))
    np.testing.assert_array_equal(known(plain), known(smooth))
    spread = [np.std(pipeline.fixed[known(pipeline)]) for pipeline in (plain, smooth)]
    assert spread[1] < spread[0]


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
