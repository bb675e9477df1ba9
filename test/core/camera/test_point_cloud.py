# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Points of depth images."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import pytest
from scenes import geometry_of, plane, scene_of

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.point_cloud import PointProjector
from stereo_depth_node.core.errors import SizeError
from stereo_depth_node.core.matching.kernel import provider
from stereo_depth_node.core.matching.kernel.provider import KernelState
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

GEOMETRY = StereoGeometry(
    width=40, height=30, f=50.0, cx=17.5, cy=12.25, cx_right=22.5, baseline=0.2, fy=40.0
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


def written(**options: Any) -> tuple[tuple[int, int], np.ndarray]:
    """Return the shape of the cloud of the depth image and its points with a value each."""
    depth = depth_image()
    projector = PointProjector(GEOMETRY, **options)
    shape = projector.select(depth, np.arange(1200, dtype=np.float32).reshape(30, 40))
    out = np.full((shape[0] * shape[1], 4), 7.0, np.float32)
    projector.write(out)
    return shape, out


@pytest.mark.usefixtures('compiled_kernel')
@pytest.mark.parametrize(
    'options',
    [
        {},
        {'step': 3},
        {'voxel': 0.1},
        {'step': 2, 'voxel': 0.3},
        {'step': 7, 'is_organized': True},
    ],
    ids=str,
)
def test_compiled_code_gives_the_points_that_numpy_gives(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    from stereo_depth_node.core.matching.kernel import conversion

    with patch.object(conversion, 'project_pixels', wraps=conversion.project_pixels) as compiled:
        fast = written(**options)
    assert compiled.called
    monkeypatch.setattr(provider, 'kernel_state', lambda: (KernelState.COMPILING, ''))
    slow = written(**options)
    assert fast[0] == slow[0]
    assert fast[1].tobytes() == slow[1].tobytes()
    assert len(fast[1]) > 10


def test_of_the_points_in_a_voxel_the_first_is_taken() -> None:
    side = 0.25
    points = PointProjector(GEOMETRY).project(depth_image()).xyz
    thinned = PointProjector(GEOMETRY, voxel=side).project(depth_image()).xyz
    first = {}
    for point in points:
        first.setdefault(tuple(np.floor(point / np.float32(side)).astype(int)), point)
    assert 50 < len(first) < 0.7 * len(points)
    np.testing.assert_array_equal(thinned, list(first.values()))


def test_points_beyond_every_voxel_share_the_outermost() -> None:
    depth = np.full((30, 40), 5e8, np.float32)
    depth[3, 4] = 1.0
    assert len(PointProjector(GEOMETRY, voxel=0.001).project(depth).xyz) == 5


def test_organized_points_are_the_pixels_with_nan_where_unknown() -> None:
    shape, points = written(is_organized=True)
    assert shape == (30, 40)
    image = points.reshape(30, 40, 4)
    np.testing.assert_array_equal(image[:, :, 2], depth_image())
    assert np.isnan(image[np.isnan(depth_image())][:, :3]).all()
    np.testing.assert_array_equal(image[:, :, 3].reshape(-1), np.arange(1200))
