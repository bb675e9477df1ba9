# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Points of depth images."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import geometry_of, plane, scene_of

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.point_cloud import PointProjector
from stereo_depth_node.core.errors import SizeError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

GEOMETRY = StereoGeometry(
    width=40, height=30, f=50.0, cx=17.5, cy=12.25, cx_right=22.5, baseline=0.2
)


def depth_image() -> np.ndarray:
    """Return depths from 0.5 to 3 m with some unknown."""
    depth = np.random.default_rng(1).uniform(0.5, 3.0, (30, 40)).astype(np.float32)
    depth[::3, ::4] = np.nan
    return depth


def test_points_are_those_of_opencv_through_the_full_q() -> None:
    depth = depth_image()
    matched = (GEOMETRY.f * GEOMETRY.baseline / depth + GEOMETRY.offset).astype(np.float32)
    expected = cv2.reprojectImageTo3D(matched, GEOMETRY.reprojection_matrix())
    points = PointProjector(GEOMETRY).project(depth)
    # float32 throughout: a few units in the last place of 3 m.
    np.testing.assert_allclose(points.xyz, expected[np.isfinite(depth)], rtol=2e-5, atol=2e-6)


def test_every_known_pixel_gives_one_point_and_no_other_does() -> None:
    depth = depth_image()
    points = PointProjector(GEOMETRY).project(depth)
    assert np.isfinite(points.xyz).all()
    np.testing.assert_array_equal(depth[points.rows, points.columns], points.xyz[:, 2])
    assert len(points.xyz) == np.isfinite(depth).sum()


def test_a_step_takes_every_nth_pixel_where_it_is() -> None:
    depth = depth_image()
    all_points = PointProjector(GEOMETRY).project(depth)
    points = PointProjector(GEOMETRY, step=3).project(depth)
    assert set(points.rows % 3) == {0}
    assert set(points.columns % 3) == {0}
    on_grid = (all_points.rows % 3 == 0) & (all_points.columns % 3 == 0)
    np.testing.assert_array_equal(points.xyz, all_points.xyz[on_grid])


def test_an_image_without_depth_gives_no_points() -> None:
    points = PointProjector(GEOMETRY).project(np.full((30, 40), np.nan, np.float32))
    assert points.xyz.shape == (0, 3)


def test_a_plane_that_faces_the_camera_lies_at_its_distance_though_principal_points_differ() -> (
    None
):
    disparity, offset = 12.0, -8.0
    geometry = geometry_of(160, 120, f=100.0, baseline=0.1, offset=offset)
    scene = scene_of(plane(160, 120, disparity))
    pipeline = StereoPipeline(Settings(num_disparities=32), 160, 120, geometry)
    pipeline.match(scene.left, scene.right)
    depth = np.empty((120, 160), np.float32)
    pipeline.depth(depth)
    points = PointProjector(geometry).project(depth)
    # Z = f * B / (d - offset) = 0.5 m; 1/16 px of disparity are 1.6 mm there.
    assert np.median(points.xyz[:, 2]) == pytest.approx(0.5, abs=0.0016)
    assert np.percentile(np.abs(points.xyz[:, 2] - 0.5), 95) < 0.0033


def test_a_depth_image_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(SizeError, match=r'10x30.*40x30'):
        PointProjector(GEOMETRY).project(np.ones((30, 10), np.float32))
