# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of 16 bits become pairs of 8 bits with one scale for both eyes."""

from __future__ import annotations

import numpy as np
import pytest

from stereo_depth_node.core.errors import ImageError
from stereo_depth_node.core.images.raw import reduce_to_8bit


def ramp(low: int, high: int, shape: tuple[int, int] = (480, 640)) -> np.ndarray:
    return np.linspace(low, high, shape[0] * shape[1]).astype(np.uint16).reshape(shape)


def test_both_eyes_are_reduced_with_the_same_scale():
    left, right = ramp(1000, 3000), ramp(2000, 5000)[::-1].copy()
    left8, right8 = reduce_to_8bit(left, right)
    both = np.concatenate([left, right]).ravel()
    both8 = np.concatenate([left8, right8]).ravel()
    order = np.argsort(both, kind='stable')
    # A common, monotonic, linear map: equal values give equal greys, in proportion.
    assert (np.diff(both8[order].astype(int)) >= 0).all()
    for value in np.unique(both)[::97]:
        assert len(np.unique(both8[both == value])) == 1
    slope, offset = np.polyfit(both, both8, 1)
    assert np.abs(slope * both + offset - both8).max() < 1  # rounding
    assert both8.max() - both8.min() > 230


@pytest.mark.parametrize(('low', 'high'), [(0, 65535), (0, 4095), (30000, 34000)])
def test_a_ramp_is_not_clipped(low, high):
    image = ramp(low, high)
    left, right = reduce_to_8bit(image, image)
    np.testing.assert_array_equal(left, right)
    # Linear up to the ends: of 256 levels none holds more than twice its share.
    assert np.bincount(left.ravel()).max() <= 2 * image.size / 230


def test_hot_pixels_and_glints_do_not_flatten_the_rest():
    image = ramp(1000, 3000)
    rng = np.random.default_rng(2)
    hot = rng.integers(0, image.size, 40)  # about one in 8000
    image.ravel()[hot] = 65535
    left, _ = reduce_to_8bit(image, image)
    assert int(left[-1, -2]) - int(left[0, 1]) > 230


@pytest.mark.parametrize('value', [0, 1234, 65535])
def test_a_constant_pair_stays_constant(value):
    image = np.full((480, 640), value, np.uint16)
    left, right = reduce_to_8bit(image, image)
    assert len(np.unique(left)) == 1
    np.testing.assert_array_equal(left, right)


def test_16_bit_images_of_few_values_keep_their_contrast_and_gain_no_noise():
    image = ramp(5000, 5100)
    left, _ = reduce_to_8bit(image, image)
    np.testing.assert_array_equal(left.astype(int) - left.min(), image.astype(int) - image.min())


@pytest.mark.parametrize('shape', [(1, 1), (1, 700), (700, 1), (4, 1), (3, 5), (481, 643)])
def test_any_size_and_padded_rows_are_reduced(shape):
    image = ramp(0, 60000, shape)
    padded = np.pad(image, ((0, 0), (0, 3)))[:, : shape[1]]
    left_out, right_out = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    left, right = reduce_to_8bit(padded, image, left_out, right_out)
    assert left is left_out
    assert right is right_out
    np.testing.assert_array_equal(left, right)


def test_reduction_is_repeatable_and_leaves_its_input_alone():
    image = ramp(100, 50000)
    before = image.copy()
    first, _ = reduce_to_8bit(image, image)
    second, _ = reduce_to_8bit(image, image)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, before)


def test_8_bit_pairs_pass_as_they_are():
    left, right = np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8)
    reduced = reduce_to_8bit(left, right)
    assert reduced[0] is left
    assert reduced[1] is right


@pytest.mark.parametrize('types', [(np.uint8, np.uint16), (np.uint16, np.uint8)])
def test_eyes_of_different_depth_are_refused(types):
    left, right = (np.zeros((2, 2), kind) for kind in types)
    with pytest.raises(ImageError, match=r'left image is uint.*same encoding'):
        reduce_to_8bit(left, right)
