# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy figures against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stereo_depth_node.core.errors import ImageError, SizeError
from stereo_depth_node.core.tuning.accuracy import depth_accuracy, disparity_accuracy

NAN = math.nan

# Errors of the six known pixels: 0, 1, 3, missing, missing, 0.5. The truth of two is unknown.
TRUTH = np.array([[10, 20, 30, 40], [50, 60, NAN, math.inf]], np.float32)
ESTIMATE = np.array([[10, 21, 27, NAN], [math.inf, 60.5, 5, NAN]], np.float32)


def test_density_counts_known_pixels_only():
    accuracy = disparity_accuracy(ESTIMATE, TRUTH)
    assert (accuracy.known, accuracy.estimated) == (6, 4)
    assert accuracy.density == pytest.approx(100 * 4 / 6)


@pytest.mark.parametrize(
    ('threshold', 'bad_pixels'),
    [(0.4, 3), (0.5, 2), (1.0, 1), (2.0, 1), (3.0, 0)],
)
def test_bad_pixels_are_those_strictly_above_the_threshold(threshold, bad_pixels):
    accuracy = disparity_accuracy(ESTIMATE, TRUTH, thresholds=(threshold,))
    assert accuracy.bad_estimated[threshold] == pytest.approx(100 * bad_pixels / 4)


def test_bad_of_all_counts_missing_pixels_as_bad():
    accuracy = disparity_accuracy(ESTIMATE, TRUTH, thresholds=(2.0,))
    assert accuracy.bad_all[2.0] == pytest.approx(100 * (1 + 2) / 6)


def test_mean_and_root_mean_square_error_are_over_estimated_pixels():
    accuracy = disparity_accuracy(ESTIMATE, TRUTH)
    assert accuracy.end_point_error == pytest.approx((0 + 1 + 3 + 0.5) / 4)
    assert accuracy.root_mean_square == pytest.approx(math.sqrt((0 + 1 + 9 + 0.25) / 4))


def test_quantiles_of_one_to_one_hundred():
    truth = np.zeros((1, 101))
    estimate = np.arange(101.0).reshape(1, 101)
    accuracy = disparity_accuracy(estimate, truth)
    assert (accuracy.a50, accuracy.a90, accuracy.a95) == pytest.approx((50, 90, 95))


@pytest.mark.parametrize(
    ('truth', 'estimate', 'is_ghost'),
    [
        (5.0, 6.9, False),  # 38 % nearer, but by less than 2 px
        (5.0, 7.1, True),
        (50.0, 59.0, False),  # 9 px nearer, but by less than 20 %
        (50.0, 61.0, True),
        (50.0, 39.0, False),  # farther
        (0.0, 2.1, True),  # infinitely far away
        (50.0, NAN, False),
    ],
)
def test_near_ghosts_are_nearer_than_the_truth_by_2_px_and_20_percent(truth, estimate, is_ghost):
    """Their share is of all known pixels, with or without an estimate: here of two."""
    found = disparity_accuracy(np.array([[estimate, NAN]]), np.array([[truth, 30.0]]))
    assert found.near_ghosts == (50.0 if is_ghost else 0.0)


def test_a_mask_takes_occluded_pixels_out():
    visible = np.array([[True, True, False, False], [False, True, True, True]])
    accuracy = disparity_accuracy(ESTIMATE, TRUTH, mask=visible, thresholds=(2.0,))
    assert (accuracy.known, accuracy.estimated) == (3, 3)
    assert accuracy.bad_all[2.0] == 0
    assert accuracy.end_point_error == pytest.approx(1.5 / 3)


def test_an_empty_estimate_is_all_bad_and_has_no_error():
    accuracy = disparity_accuracy(np.full_like(TRUTH, NAN), TRUTH, thresholds=(2.0,))
    assert (accuracy.density, accuracy.bad_all[2.0]) == (0, 100)
    assert math.isnan(accuracy.bad_estimated[2.0])
    assert math.isnan(accuracy.end_point_error)
    assert math.isnan(accuracy.a50)


def test_the_inputs_are_left_as_they_were():
    estimate, truth = ESTIMATE.copy(), TRUTH.copy()
    disparity_accuracy(estimate, truth)
    np.testing.assert_array_equal(estimate, ESTIMATE)
    np.testing.assert_array_equal(truth, TRUTH)


def test_relative_depth_error_is_in_percent_of_the_true_depth():
    truth = np.array([[1.0, 2.0, 4.0, NAN, 5.0]])
    depth = np.array([[1.1, 2.0, 3.0, 7.0, NAN]])
    accuracy = depth_accuracy(depth, truth)
    assert (accuracy.known, accuracy.estimated) == (4, 3)
    assert accuracy.median_relative_error == pytest.approx(10)
    assert accuracy.mean_relative_error == pytest.approx((10 + 0 + 25) / 3)


def test_depth_without_any_estimate_has_no_error():
    accuracy = depth_accuracy(np.full((2, 2), NAN), np.ones((2, 2)))
    assert accuracy.estimated == 0
    assert math.isnan(accuracy.median_relative_error)


def test_a_true_depth_of_zero_is_refused():
    with pytest.raises(ImageError, match='above 0'):
        depth_accuracy(np.ones((1, 2)), np.array([[1.0, 0.0]]))


def test_different_sizes_are_refused_with_both():
    with pytest.raises(SizeError, match=r'4 x 2.*3 x 2'):
        disparity_accuracy(np.zeros((2, 3)), TRUTH)
    with pytest.raises(SizeError, match='mask'):
        disparity_accuracy(ESTIMATE, TRUTH, mask=np.ones((3, 4), bool))


def test_a_ground_truth_without_a_known_pixel_is_refused():
    with pytest.raises(ImageError, match='no pixel'):
        disparity_accuracy(np.ones((2, 2)), np.full((2, 2), math.inf))
