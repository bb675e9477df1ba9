# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Points found in both images show the rows, the range of disparities and swapped cameras."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import plane, scene_of, tilted_plane

from stereo_depth_node.core import sparse_matches
from stereo_depth_node.core.camera.row_offset import RowOffset
from stereo_depth_node.core.health.rectification_report import MatchedImages, measure_rectification
from stereo_depth_node.core.sparse_matches import match_corners


def shifted_down(image: np.ndarray, pixels: float) -> np.ndarray:
    move = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, pixels]])
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, move, size, borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize('rows', [-3.0, -0.5, 0.0, 0.5, 2.0])
def test_the_distance_of_the_rows_is_measured_with_its_sign(rows, motorcycle):
    """To a fifth of a pixel; the pair itself is 0.07 px apart."""
    matches = match_corners(shifted_down(motorcycle.left, rows), motorcycle.right)
    assert matches.rows_apart == pytest.approx(rows, abs=0.2)
    assert matches.row_offset.spread < 0.5
    assert matches.count > 100


def test_the_range_of_disparities_is_that_of_the_scene():
    """A tilted plane from 10 to 40 px; nothing is followed to the very borders."""
    noise = np.random.default_rng(0).normal(0, 1, (300, 400))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    right = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    y, x = np.mgrid[:300, :400].astype(np.float32)
    disparity = tilted_plane(400, 300, 10.0, 40.0).astype(np.float32)
    left = cv2.remap(right, x - disparity, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    low, high = match_corners(left, right).disparity_percentiles(1, 99)
    assert 10.0 <= low < 15.0
    assert 35.0 < high <= 40.5


def test_swapped_cameras_show_by_negative_disparities(motorcycle):
    right_way = match_corners(motorcycle.left, motorcycle.right)
    swapped = match_corners(motorcycle.right, motorcycle.left)
    assert right_way.share_beyond_infinity() < 0.05
    assert swapped.share_beyond_infinity() > 0.95


def test_a_negative_disparity_is_none_where_the_principal_points_differ(motorcycle):
    """Infinity lies at cx_left - cx_right."""
    moved = np.roll(motorcycle.left, -60, axis=1)
    matches = match_corners(moved, motorcycle.right)
    assert matches.share_beyond_infinity() > 0.8
    assert matches.share_beyond_infinity(offset=-60.0) < 0.05


def test_cameras_that_are_exposed_differently_are_matched_all_the_same(motorcycle):
    dark = (motorcycle.right * 0.5).astype(np.uint8)
    matches = match_corners(motorcycle.left, dark)
    assert matches.count > 100
    assert abs(matches.rows_apart) < 0.2


@pytest.mark.parametrize('kind', ['flat', 'unrelated', 'tiny'])
def test_images_with_nothing_in_common_give_no_matches(kind):
    rng = np.random.default_rng(0)
    images = {
        'flat': [np.full((120, 160), 90, np.uint8)] * 2,
        'unrelated': [rng.integers(0, 255, (120, 160)).astype(np.uint8) for _ in range(2)],
        'tiny': [np.zeros((3, 4), np.uint8)] * 2,
    }
    assert not match_corners(*images[kind]).are_enough


def test_what_no_scene_can_have_in_common_is_told_from_what_has_no_texture(motorcycle):
    left, right = motorcycle.left, motorcycle.right
    turned, mirrored = right[::-1, ::-1].copy(), right[:, ::-1].copy()
    for other in (turned, mirrored, np.roll(right, 200, axis=0), 255 - right):
        assert match_corners(left, other).show_no_common_scene
    for other in (right, np.roll(right, 8, axis=0), (right * 0.5).astype(np.uint8)):
        assert not match_corners(left, other).show_no_common_scene
    flat = np.full_like(left, 90)
    assert not match_corners(flat, flat).show_no_common_scene


def test_matches_in_a_texture_that_repeats_are_not_taken_for_the_scene():
    """Short waves are matched with their neighbours, in rows that do not agree."""
    scene = scene_of(plane(240, 160, 20.0))
    assert not match_corners(scene.left, scene.right).rows_agree
    images = MatchedImages(offset=0.0, scale=1, start=0, end=64)
    assert measure_rectification(scene.left, scene.right, images) is None


def test_matches_whose_rows_are_all_elsewhere_are_none(motorcycle, monkeypatch):
    elsewhere = RowOffset(parts=(100.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(sparse_matches, 'fit_row_offset', lambda *_: elsewhere)
    assert not match_corners(motorcycle.left, motorcycle.right).are_enough


def test_equal_images_give_equal_matches(motorcycle):
    first, second = (match_corners(motorcycle.left, motorcycle.right) for _ in range(2))
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(first.disparities, second.disparities)
