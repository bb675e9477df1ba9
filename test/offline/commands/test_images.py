# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth images``: image files in, disparity, depth, pictures and clouds out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

pytest.importorskip('matplotlib', reason='pictures are drawn with matplotlib')

from image_pairs import run, write_pair
from scenes import plane, scene_of, step, StereoScene

from stereo_depth_node.offline.files.formats import read_pfm
from stereo_depth_node.offline.files.outputs import KINDS

FOCAL, BASELINE = 100.0, 0.1


def vertices(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8], str]:
    """Return the points, the colours and the head of a PLY file of ours."""
    head, _, body = path.read_bytes().partition(b'end_header\n')
    kind = np.dtype([('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    points = np.frombuffer(body, kind)
    return points['xyz'], points['rgb'], head.decode()


def test_a_name_of_a_file_does_not_become_a_folder(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any
) -> None:
    assert run(*pair, '--output', tmp_path / 'depth.png') == 2
    assert 'depth.png: name a folder' in capsys.readouterr().err
    assert not (tmp_path / 'depth.png').exists()
    assert run(*pair, '--output', tmp_path / 'run.1') == 0


def test_the_tutorial_is_reproduced_to_the_last_bit(
    tmp_path: Path, motorcycle: StereoScene
) -> None:
    left, right = write_pair(tmp_path, motorcycle)
    options = ('--num-disparities', 16, '--block-size', 15)
    assert run(left, right, *options, '--write', 'disparity.npy', '--output', tmp_path) == 0
    # The program of OpenCV's tutorial.
    image_left = cv2.imread(str(left), cv2.IMREAD_GRAYSCALE)
    image_right = cv2.imread(str(right), cv2.IMREAD_GRAYSCALE)
    stereo = cv2.StereoBM.create(numDisparities=16, blockSize=15)
    expected = stereo.compute(image_left, image_right)
    disparity = np.load(tmp_path / 'pair_left_disparity.npy')
    np.testing.assert_array_equal(np.where(np.isnan(disparity), -1, disparity), expected / 16)


def test_a_picture_in_grey_has_black_where_the_tutorial_has(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    assert run(*pair, '--output', tmp_path, '--colours', 'gray') == 0
    picture = cv2.imread(str(tmp_path / 'pair_left_picture.png'))
    assert picture.shape[1] > 2 * 160
    # Nothing but grey: the colour map has no hue, and the photograph has none.
    assert np.ptp(picture.astype(int), axis=2).max() <= 2


def test_every_kind_of_result_says_the_same(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    kinds = [
        'disparity.pfm',
        'disparity.png',
        'disparity.npy',
        'depth.png',
        'depth.npy',
        'depth.tiff',
    ]
    calibration = ('--focal', FOCAL, '--baseline', BASELINE, '--doffs', 4)
    assert run(*pair, '--output', tmp_path, *calibration, '--write', *kinds) == 0
    path = {kind: tmp_path / f'pair_left_{kind}' for kind in kinds}
    disparity = np.load(path['disparity.npy'])
    known = np.isfinite(disparity)
    assert np.median(disparity[known]) == pytest.approx(12.0, abs=1 / 16)
    np.testing.assert_array_equal(
        read_pfm(path['disparity.pfm']), np.where(known, disparity, np.inf)
    )
    kitti = cv2.imread(str(path['disparity.png']), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(kitti, np.where(known, np.rint(disparity * 256), 0))
    depth = np.load(path['depth.npy'])
    # Z = f * B / (d + doffs), Middlebury's formula.
    np.testing.assert_allclose(depth[known], FOCAL * BASELINE / (disparity[known] + 4), rtol=1e-6)
    assert np.isnan(depth[~known]).all()
    np.testing.assert_array_equal(cv2.imread(str(path['depth.tiff']), cv2.IMREAD_UNCHANGED), depth)
    millimetres = cv2.imread(str(path['depth.png']), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(millimetres, np.where(known, np.rint(depth * 1000), 0))


def test_the_page_lists_the_kinds_of_results(
    listed_formats: Callable[[str], list[str]],
) -> None:
    listed = ', '.join(listed_formats('Results')).replace('`', '').split(', ')
    assert sorted(listed) == sorted(KINDS)


def test_a_cloud_has_the_true_scale_and_the_colours_of_the_image(tmp_path: Path) -> None:
    scene = scene_of(step(200, 120, 8.0, 16.0))
    left, right = write_pair(tmp_path, scene)
    colour = np.dstack([scene.left, scene.left, np.full_like(scene.left, 255)])  # BGR
    cv2.imwrite(str(left), colour)
    cv2.imwrite(str(right), np.dstack([scene.right, scene.right, np.full_like(scene.right, 255)]))
    calibration = ('--focal', FOCAL, '--baseline', BASELINE)
    options = ('--num-disparities', 32, '--write', 'cloud.ply', '--output', tmp_path)
    assert run(left, right, *calibration, *options) == 0
    xyz, rgb, head = vertices(tmp_path / 'pair_left_cloud.ply')
    assert 'unit: metres' in head
    assert set(rgb[:, 0]) == {255}
    # The planes are at f * B / d = 1.25 m and 0.625 m.
    far = xyz[xyz[:, 2] > 0.9]
    near = xyz[xyz[:, 2] < 0.9]
    assert np.median(far[:, 2]) == pytest.approx(1.25, rel=0.01)
    assert np.median(near[:, 2]) == pytest.approx(0.625, rel=0.01)
    # One row of 120 has its height Y = (y - cy) * Z / f.
    assert near[:, 1].min() == pytest.approx((7 - 59.5) * 0.625 / FOCAL, rel=0.03)


def test_a_cloud_without_calibration_is_in_baselines_and_says_so(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any
) -> None:
    assert run(*pair, '--write', 'cloud.ply', '--output', tmp_path) == 0
    xyz, _, head = vertices(tmp_path / 'pair_left_cloud.ply')
    assert 'unit: baselines (uncalibrated' in head
    assert 'no calibration is given' in capsys.readouterr().out
    # f is taken as 0.8 * 160 px: Z = f / d.
    assert np.median(xyz[:, 2]) == pytest.approx(128 / 12, rel=0.01)


@pytest.mark.parametrize('scale', [1, 16, 257])
def test_16_bit_images_give_what_8_bit_ones_give(
    tmp_path: Path, pair: tuple[Path, Path], scale: int
) -> None:
    deep = []
    for path in pair:
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.uint16) * scale
        deep.append(tmp_path / f'deep_{path.name}')
        cv2.imwrite(str(deep[-1]), pixels)
    assert run(*deep, '--write', 'disparity.npy', '--output', tmp_path) == 0
    disparity = np.load(tmp_path / 'deep_pair_left_disparity.npy')
    assert np.nanmedian(disparity) == pytest.approx(12.0, abs=1 / 16)
    # 70 columns on the left and half a block elsewhere have none.
    assert np.isfinite(disparity).mean() > 0.4


def test_a_middlebury_calibration_is_taken(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    calib = tmp_path / 'calib.txt'
    calib.write_text(
        'cam0=[100 0 79.5; 0 100 59.5; 0 0 1]\ncam1=[100 0 83.5; 0 100 59.5; 0 0 1]\n'
        'doffs=4\nbaseline=100\nwidth=160\nheight=120\nndisp=32\n'
    )
    options = ('--calib', calib, '--write', 'depth.npy', '--output', tmp_path)
    assert run(*pair, *options) == 0
    depth = np.load(tmp_path / 'pair_left_depth.npy')
    assert np.nanmedian(depth) == pytest.approx(10 / 16, rel=0.01)


def test_a_middlebury_calibration_of_another_size_is_refused(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any
) -> None:
    calib = tmp_path / 'calib.txt'
    calib.write_text(
        'cam0=[100 0 79.5; 0 100 59.5; 0 0 1]\ndoffs=4\nbaseline=100\nwidth=320\nheight=240\n'
    )
    assert run(*pair, '--calib', calib, '--write', 'depth.npy', '--output', tmp_path) == 2
    assert re.search('320x240.*160x120', capsys.readouterr().err)


def camera_info_yaml(path: Path, tx: float, r: str = '[1, 0, 0, 0, 1, 0, 0, 0, 1]') -> Path:
    """Write a calibration file of a camera of 160x120."""

    def matrix(name: str, rows: int, columns: int, data: str) -> str:
        return f'{name}: {{rows: {rows}, cols: {columns}, data: {data}}}\n'

    path.write_text(
        'image_width: 160\nimage_height: 120\ncamera_name: c\ndistortion_model: plumb_bob\n'
        + matrix('camera_matrix', 3, 3, '[100, 0, 79.5, 0, 100, 59.5, 0, 0, 1]')
        + matrix('distortion_coefficients', 1, 5, '[0, 0, 0, 0, 0]')
        + matrix('rectification_matrix', 3, 3, r)
        + matrix('projection_matrix', 3, 4, f'[100, 0, 79.5, {tx}, 0, 100, 59.5, 0, 0, 0, 1, 0]')
    )
    return path


def test_ros_calibration_files_give_depth_and_rectify(tmp_path: Path) -> None:
    """R turns the images by 180 degrees about the optical axis."""
    scene = scene_of(plane(160, 120, 12.0))
    turned = StereoScene(scene.left[::-1, ::-1], scene.right[::-1, ::-1], scene.disparity)
    upright, raw = write_pair(tmp_path, scene), write_pair(tmp_path, turned, 'raw')
    half_turn = '[-1, 0, 0, 0, -1, 0, 0, 0, 1]'
    left = camera_info_yaml(tmp_path / 'left.yaml', 0.0, half_turn)
    right = camera_info_yaml(tmp_path / 'right.yaml', -10.0, half_turn)
    options = ('--camera-info', left, right, '--write', 'depth.npy', 'cloud.ply')
    assert run(*upright, *options, '--output', tmp_path) == 0
    assert run(*raw, *options, '--output', tmp_path, '--set', 'rectify=true') == 0
    depth = np.load(tmp_path / 'pair_left_depth.npy')
    np.testing.assert_array_equal(np.load(tmp_path / 'raw_left_depth.npy'), depth)
    assert np.nanmedian(depth) == pytest.approx(10 / 12, rel=0.01)
    for cloud, other in zip(
        vertices(tmp_path / 'raw_left_cloud.ply'),
        vertices(tmp_path / 'pair_left_cloud.ply'),
        strict=True,
    ):
        np.testing.assert_array_equal(cloud, other)


def test_reduced_images_give_the_same_depth_and_a_cloud_in_colour(tmp_path: Path) -> None:
    left, right = write_pair(tmp_path, scene_of(plane(320, 240, 24.0), finest_px=8.0), 'large')
    options = ('--set', 'downscale=2', '--write', 'depth.npy', 'cloud.ply', '--output', tmp_path)
    assert run(left, right, '--focal', 200, '--baseline', BASELINE, *options) == 0
    depth = np.load(tmp_path / 'large_left_depth.npy')
    assert depth.shape == (120, 160)
    assert np.nanmedian(depth) == pytest.approx(200 * BASELINE / 24, rel=0.01)
    xyz, _, _ = vertices(tmp_path / 'large_left_cloud.ply')
    assert len(xyz) == np.isfinite(depth).sum()
