# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The cloud of a pair as it is published, against the truth and the depth image."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='messages are made with rosbags, the extra "offline"')

from scenes import camera, plane, scene_of, StereoScene
from stereo_camera import (
    Camera,
    cameras,
    DISPARITY_PX,
    DISTANCE_M,
    F_PX,
    HEIGHT,
    pixels_of,
    points_of,
    SETTINGS,
    WIDTH,
)

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import ImageError, SettingsError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings


def reprojected(depth: Any, info: Any) -> np.ndarray:
    """Return the points of a depth image as depth_image_proc makes them of its camera_info."""
    metres = np.frombuffer(depth.data.tobytes(), np.float32).reshape(depth.height, depth.width)
    f, fy, cx, cy = info.p[0], info.p[5], info.p[2], info.p[6]
    rows, columns = np.nonzero(np.isfinite(metres))
    z = metres[rows, columns].astype(np.float64)
    return np.stack([(columns - cx) * z / f, (rows - cy) * z / fy, z], axis=1)


@pytest.mark.parametrize('offset', [0.0, -8.5, 12.0])
@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'downscale': 2},
        {'rectify': True},
        {'rectify': True, 'downscale': 2},
        {'roi_x': 120, 'roi_y': 40, 'roi_width': 100, 'roi_height': 90},
        {'depth_encoding': '32FC1', 'min_depth': 1.5, 'max_depth': 2.5, 'fill_left_band': True},
        {'max_uncertainty': 0.05},
    ],
    ids=str,
)
def test_a_plane_at_2_m_lies_at_2_m_and_the_depth_image_gives_the_same_cloud(
    changes: dict[str, Any], offset: float
) -> None:
    scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY_PX + offset), finest_px=8)
    left, right, calibrations = scene.left, scene.right, cameras(offset)
    if changes.get('rectify'):
        # The raw images are those of cameras with another principal point, 5 px to the right.
        left, right = np.roll(left, 5, axis=1), np.roll(right, 5, axis=1)
        k = tuple(np.add(calibrations[0].p, (0, 0, 5) + 9 * (0,))[[0, 1, 2, 4, 5, 6, 8, 9, 10]])
        k_right = (k[0], k[1], k[2] - offset, *k[3:])
        calibrations = (
            dataclasses.replace(calibrations[0], k=k),
            dataclasses.replace(calibrations[1], k=k_right),
        )
    outputs = Camera(SETTINGS.replace(**changes), calibrations).see(left, right)
    cloud, depth = outputs['points2'], outputs['depth/image_rect']
    points = points_of(cloud)

    assert cloud.header == depth.header
    assert (cloud.height, cloud.width, cloud.is_dense) == (1, len(points), True)
    assert len(points) > 0.1 * depth.height * depth.width
    # 1/16 px of disparity are 6.3 mm there, and twice that in reduced images.
    tolerance = 0.0065 * changes.get('downscale', 1)
    assert np.median(points[:, 2]) == pytest.approx(DISTANCE_M, abs=tolerance)
    assert np.percentile(np.abs(points[:, 2] - DISTANCE_M), 90) < 0.03
    expected = reprojected(depth, outputs['depth/camera_info'])
    np.testing.assert_allclose(points, expected, rtol=0, atol=1e-5)
    # What lies on the left of the image has a negative X, what lies above a negative Y.
    assert points[:, 1].min() < 0 < points[:, 1].max()


@pytest.mark.parametrize('factor', [1, 2])
def test_heights_of_points_are_those_of_pixels_that_are_not_square(factor: int) -> None:
    """A camera that leaves out every second column: fy is twice f."""
    calibrations = tuple(
        dataclasses.replace(each, p=tuple(np.multiply(each.p, 4 * (1,) + 4 * (2,) + 4 * (1,))))
        for each in cameras()
    )
    scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY_PX), finest_px=8)
    outputs = Camera(SETTINGS.replace(downscale=factor), calibrations).see(scene.left, scene.right)
    info, points = outputs['depth/camera_info'], points_of(outputs['points2'])
    assert info.p[5] == 2 * info.p[0] == 2 * F_PX / factor
    expected = reprojected(outputs['depth/image_rect'], info)
    np.testing.assert_allclose(points, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'downscale': 2},
        {'rectify': True},
        {'rectify': True, 'downscale': 4},
        {'roi_x': 200, 'roi_y': 120, 'roi_width': 300, 'roi_height': 250},
        {'points_voxel': 0.05, 'max_depth': 4.0},
    ],
    ids=str,
)
def test_the_cloud_of_motorcycle_is_f_times_b_by_d_and_hits_its_pixels(
    motorcycle: StereoScene, motorcycle_geometry: StereoGeometry, changes: dict[str, Any]
) -> None:
    """Their principal points differ by 31 px."""
    geometry = motorcycle_geometry
    width, height = motorcycle.size
    left = camera(width, height, f=geometry.f, cx=geometry.cx, cy=geometry.cy)
    right = camera(
        width,
        height,
        f=geometry.f,
        cx=geometry.cx_right,
        cy=geometry.cy,
        tx=-geometry.f * geometry.baseline,
    )
    outputs = Camera(Settings(**changes), (left, right)).see(motorcycle.left, motorcycle.right)
    x, y, z = points_of(outputs['points2']).astype(np.float64).T

    disparity, info = outputs['disparity'], outputs['depth/camera_info']
    factor = changes.get('downscale', 1)
    f, cx, cy = (info.p[place] for place in (0, 2, 6))
    assert f == pytest.approx(geometry.f / factor)
    assert cx == pytest.approx((geometry.cx + 0.5) / factor - 0.5)
    columns, rows = np.rint(f * x / z + cx).astype(int), np.rint(f * y / z + cy).astype(int)
    np.testing.assert_allclose(f * x / z + cx, columns, rtol=0, atol=1e-3)
    np.testing.assert_allclose(f * y / z + cy, rows, rtol=0, atol=1e-3)
    shape = (disparity.image.height, disparity.image.width)
    pixels = disparity.image.data.view(np.float32).reshape(shape).astype(np.float64)
    depths = np.full(shape, np.nan)
    known = (pixels >= disparity.min_disparity) & (pixels > 0)
    depths[known] = f * geometry.baseline / pixels[known]
    np.testing.assert_allclose(z, depths[rows, columns], rtol=0, atol=1e-4)
    if 'points_voxel' not in changes:
        # Each known pixel once, in the order of the rows.
        np.testing.assert_array_equal(rows * shape[1] + columns, np.flatnonzero(known))
    assert len(z) > 1000
    # The scene is known to lie between 2 and 20 m.
    assert 2.0 < np.median(z) < 5.0


@pytest.fixture(scope='module')
def scene() -> StereoScene:
    return scene_of(plane(WIDTH, HEIGHT, DISPARITY_PX))


def test_the_cloud_has_as_many_points_as_the_pair_and_none_is_left_of_the_one_before(
    scene: StereoScene,
) -> None:
    black = np.zeros_like(scene.left)
    half = np.where(np.arange(WIDTH) < WIDTH // 2, scene.left, 0)
    stereo_camera = Camera(SETTINGS, cameras())
    counts = []
    for left in (scene.left, half, black, scene.left):
        outputs = stereo_camera.see(left, scene.right)
        cloud, depth = outputs['points2'], outputs['depth/image_rect']
        points = points_of(cloud)
        expected = reprojected(depth, outputs['depth/camera_info'])
        np.testing.assert_allclose(points, expected, rtol=0, atol=1e-5)
        assert cloud.is_dense
        counts.append(len(points))
    assert counts[0] == counts[3] > counts[1] > counts[2] == 0


def test_a_step_and_voxels_thin_the_cloud_out(scene: StereoScene) -> None:
    whole = points_of(Camera(SETTINGS, cameras()).see(scene.left, scene.right)['points2'])
    settings = SETTINGS.replace(points_step=4)
    stepped = points_of(Camera(settings, cameras()).see(scene.left, scene.right)['points2'])
    assert len(stepped) == pytest.approx(len(whole) / 16, rel=0.05)
    known = {point.tobytes() for point in whole}
    assert all(point.tobytes() in known for point in stepped)
    settings = SETTINGS.replace(points_voxel=0.1)
    thinned = points_of(Camera(settings, cameras()).see(scene.left, scene.right)['points2'])
    voxels = np.floor(thinned / np.float32(0.1)).astype(int)
    assert len(np.unique(voxels, axis=0)) == len(thinned) < 0.2 * len(whole)


def test_an_organized_cloud_is_the_image_of_points(scene: StereoScene) -> None:
    settings = SETTINGS.replace(points_organized=True, points_step=2)
    outputs = Camera(settings, cameras()).see(scene.left, scene.right)
    cloud, depth = outputs['points2'], outputs['depth/image_rect']
    assert (cloud.height, cloud.width, cloud.is_dense) == (HEIGHT // 2, WIDTH // 2, False)
    z = points_of(cloud)[:, 2].reshape(HEIGHT // 2, WIDTH // 2)
    metres = depth.data.view(np.float32).reshape(HEIGHT, WIDTH)
    np.testing.assert_array_equal(z, metres[::2, ::2])
    assert np.isnan(z).any()


def test_points_carry_the_intensity_of_their_pixel(scene: StereoScene) -> None:
    settings = SETTINGS.replace(points_color='intensity')
    cloud = Camera(settings, cameras()).see(scene.left, scene.right)['points2']
    assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'intensity']
    x, y, z, intensity = points_of(cloud).T
    columns = np.rint(F_PX * x / z + 150.25).astype(int)
    rows = np.rint(F_PX * y / z + 110.5).astype(int)
    np.testing.assert_array_equal(intensity, scene.left[rows, columns])


def test_points_of_a_grey_image_have_its_grey_as_their_colour(scene: StereoScene) -> None:
    settings = SETTINGS.replace(points_color='rgb')
    cloud = Camera(settings, cameras()).see(scene.left, scene.right)['points2']
    assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'rgb']
    points = points_of(cloud)
    x, y, z = points[:, :3].T
    columns = np.rint(F_PX * x / z + 150.25).astype(int)
    rows = np.rint(F_PX * y / z + 110.5).astype(int)
    grey = scene.left[rows, columns].astype(np.uint32)
    np.testing.assert_array_equal(points[:, 3].copy().view(np.uint32), grey * 0x010101)


def test_an_image_whose_colours_cannot_be_had_is_named_each_time_it_comes(
    scene: StereoScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps its error keeps nothing of the cloud that the next pair needs."""
    stereo_camera = Camera(SETTINGS.replace(points_color='rgb'), cameras())
    before = points_of(stereo_camera.see(scene.left, scene.right)['points2'])
    errors = []
    with monkeypatch.context() as patch:
        patch.setattr(StereoPipeline, 'colour', Mock(side_effect=ImageError('no colour')))
        for _ in range(2):
            with pytest.raises(ImageError, match='no colour') as raised:
                stereo_camera.see(np.zeros_like(scene.left), scene.right)
            errors.append(raised.value)
    after = points_of(stereo_camera.see(scene.left, scene.right)['points2'])
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize('voxel', [1e-320, 1e-6, 0.0009])
def test_voxels_that_would_lose_far_points_are_refused(voxel: float) -> None:
    with pytest.raises(SettingsError, match=r'points_voxel is .* set it to 0\.001 m or more'):
        Settings(points_voxel=voxel)


def test_an_organized_cloud_cannot_be_thinned_out_by_voxels() -> None:
    with pytest.raises(SettingsError, match=r'points_voxel is 0\.1 m.*points_step'):
        Settings(points_organized=True, points_voxel=0.1)


def test_points_have_the_colour_of_their_pixel_in_the_image_as_it_was_matched(
    scene: StereoScene,
) -> None:
    """Rectified and reduced: a consumer may take image, depth, cloud and camera_info together."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    left = np.dstack([scene.left, (x // 2).astype(np.uint8), y.astype(np.uint8)])
    settings = SETTINGS.replace(points_color='rgb', rectify=True, downscale=2)
    outputs = Camera(settings, cameras()).see(left, np.dstack([scene.right] * 3))
    info, picture = outputs['depth/camera_info'], outputs['image_rect']
    image = pixels_of(picture)
    assert picture.header == outputs['depth/image_rect'].header
    assert image.shape == (info.height, info.width, 3) == (HEIGHT // 2, WIDTH // 2, 3)
    # The mean of each two by two pixels.
    np.testing.assert_array_equal(image[:, :, 1], np.tile(np.arange(WIDTH // 2), (101, 1)) % 256)
    points = points_of(outputs['points2'])
    px, py, pz = points[:, :3].T
    columns = np.rint(info.p[0] * px / pz + info.p[2]).astype(int)
    rows = np.rint(info.p[0] * py / pz + info.p[6]).astype(int)
    red, green, blue = image[rows, columns].astype(np.uint32).T
    bits = points[:, 3].copy().view(np.uint32)
    np.testing.assert_array_equal(bits, red << 16 | green << 8 | blue)
    assert len(points) > 1000
