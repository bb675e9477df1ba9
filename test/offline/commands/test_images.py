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

from scenes import plane, scene_of, step, StereoScene

from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.files.formats import read_pfm
from stereo_depth_node.offline.files.outputs import KINDS

FOCAL, BASELINE = 100.0, 0.1


def run(*arguments: object) -> int:
    """Run the tool in this process."""
    return main(['images', *map(str, arguments), '--quiet', '--processes', '1'])


def write_pair(folder: Path, scene: StereoScene, name: str = 'pair') -> tuple[Path, Path]:
    """Write a scene as two PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f'{name}_left.png', folder / f'{name}_right.png'
    for path, pixels in zip(paths, (scene.left, scene.right), strict=True):
        cv2.imwrite(str(path), pixels)
    return paths


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Write a plane at 12 px."""
    return write_pair(tmp_path, scene_of(plane(160, 120, 12.0)))


def vertices(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8], str]:
    """Return the points, the colours and the head of a PLY file of ours."""
    head, _, body = path.read_bytes().partition(b'end_header\n')
    kind = np.dtype([('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    points = np.frombuffer(body, kind)
    return points['xyz'], points['rgb'], head.decode()


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


def test_settings_come_from_file_then_set_then_options(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    params = tmp_path / 'params.yaml'
    params.write_text('/**:\n  ros__parameters:\n    num_disparities: 32\n    block_size: 21\n')
    options = ('--params', params, '--set', 'block_size=9', '--write', 'disparity.npy')
    assert run(*pair, *options, '--output', tmp_path) == 0
    stereo = cv2.StereoBM.create(32, 9)
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in pair]
    disparity = np.load(tmp_path / 'pair_left_disparity.npy')
    expected = stereo.compute(*images) / 16
    np.testing.assert_array_equal(np.where(np.isnan(disparity), -1, disparity), expected)


def test_patterns_pair_files_in_the_order_of_their_numbers(tmp_path: Path, capsys: Any) -> None:
    for number, disparity in ((2, 6.0), (10, 14.0)):
        write_pair(tmp_path / 'in', scene_of(plane(160, 120, disparity)), str(number))
    patterns = (tmp_path / 'in' / '*_left.png', tmp_path / 'in' / '*_right.png')
    arguments = ['images', *map(str, patterns), '--write', 'disparity.npy', '--quiet']
    assert main([*arguments, '--output', str(tmp_path), '--processes', '2']) == 0
    summary = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r'2 of 2 pairs computed in .* s, disparity\.npy of each in .*', summary)
    for number, disparity in ((2, 6.0), (10, 14.0)):
        found = np.load(tmp_path / f'{number}_left_disparity.npy')
        assert np.nanmedian(found) == pytest.approx(disparity, abs=1 / 16)


def test_one_bad_pair_does_not_stop_the_others(tmp_path: Path, capsys: Any) -> None:
    for number in (1, 2):
        write_pair(tmp_path / 'in', scene_of(plane(160, 120, 6.0)), str(number))
    (tmp_path / 'in' / '1_right.png').write_bytes(b'no image')
    patterns = (tmp_path / 'in' / '*_left.png', tmp_path / 'in' / '*_right.png')
    assert run(*patterns, '--write', 'disparity.npy', '--output', tmp_path) == 2
    assert re.search(r'1_right\.png is no image', capsys.readouterr().err)
    assert [path.name for path in tmp_path.glob('*.npy')] == ['2_left_disparity.npy']


def test_images_of_unequal_size_are_refused_in_one_line(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any
) -> None:
    cv2.imwrite(str(pair[1]), np.zeros((120, 100), np.uint8))
    assert run(*pair, '--output', tmp_path / 'out') == 2
    error = capsys.readouterr().err
    assert re.search('160x120.*100x120', error)
    assert error.count('\n') == 1


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (('--write', 'depth.png'), 'needs a calibration'),
        (('--focal', '100'), 'only one of --focal and --baseline'),
        (('--focal', '-1', '--baseline', '1'), '--focal is -1'),
        (('--set', 'rectify=true'), 'give a calibration that has them with --calib'),
        (('--set', 'block_size'), 'NAME=VALUE'),
        (('--set', 'blocksize=9'), 'no setting blocksize'),
        (('--block-size', '8'), 'goes in steps of 2'),
        (('--num-disparities', '160'), 'leave no column'),
        (('--colours', 'rainbows'), 'rainbows'),
        (('--params', 'nowhere.yaml'), 'nowhere.yaml: cannot be read'),
        (('--camera-info', 'a.yaml', 'b.yaml'), 'a.yaml: cannot be read'),
    ],
)
def test_options_that_cannot_be_met_give_one_line(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any, options: tuple[str, ...], said: str
) -> None:
    assert run(*pair, *options, '--output', tmp_path / 'out') == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count('\n') == 1
    assert not list(tmp_path.glob('out/*'))


def test_a_missing_file_is_named(tmp_path: Path, pair: tuple[Path, Path], capsys: Any) -> None:
    assert run(pair[0], tmp_path / 'nothing.png', '--output', tmp_path) == 2
    assert 'nothing.png' in capsys.readouterr().err
    assert run(tmp_path / '*.jpg', pair[1], '--output', tmp_path) == 2
    assert '*.jpg' in capsys.readouterr().err


def test_results_that_exist_are_kept_unless_they_may_be_replaced(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any
) -> None:
    options = ('--write', 'disparity.npy', '--output', tmp_path)
    assert run(*pair, *options) == 0
    before = (tmp_path / 'pair_left_disparity.npy').read_bytes()
    assert run(*pair, *options, '--block-size', 21) == 2
    assert 'exists' in capsys.readouterr().err
    # What is missing is said first: no name for the result would help.
    assert run(pair[0], tmp_path / 'nothing.png', *options) == 2
    assert 'nothing.png is missing' in capsys.readouterr().err
    assert (tmp_path / 'pair_left_disparity.npy').read_bytes() == before
    assert run(*pair, *options, '--block-size', 21, '--overwrite') == 0
    assert (tmp_path / 'pair_left_disparity.npy').read_bytes() != before


def test_an_image_that_is_read_is_never_replaced(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any
) -> None:
    right = pair[1].rename(tmp_path / 'pair_left_picture.png')
    before = right.read_bytes()
    assert run(pair[0], right, '--output', tmp_path, '--overwrite') == 2
    assert 'is what is read' in capsys.readouterr().err
    assert right.read_bytes() == before


@pytest.mark.parametrize('name', ['\udcff', '\u5de6', '$x_1$', 'a' * 300, '\x1b[31m'])
def test_any_name_is_read_or_refused_in_one_line(
    tmp_path: Path, pair: tuple[Path, Path], capfd: Any, recwarn: Any, name: str
) -> None:
    """Bytes that are no text, letters that a font or a file system has not, formulas."""
    left = tmp_path / f'{name}.png'
    if len(name) < 300:
        pair[0].rename(left)
    status = run(left, pair[1], '--output', tmp_path / 'out', '--write', 'picture.png')
    assert status == (0 if len(name) < 300 else 2)
    assert capfd.readouterr().err.count('\n') == (0 if status == 0 else 1)
    assert not list(recwarn)
    assert (tmp_path / 'out' / f'{name}_picture.png').exists() == (status == 0)


def test_show_says_so_where_there_is_no_display(
    tmp_path: Path, pair: tuple[Path, Path], capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    monkeypatch.setenv('MPLBACKEND', 'agg')
    assert run(*pair, '--show', '--output', tmp_path / 'out') == 0
    assert 'there is no display' in capsys.readouterr().out
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['pair_left_picture.png']


@pytest.mark.parametrize(
    ('options', 'names'),
    [
        (('--write', 'disparity.png'), ['disparity.png', 'picture.png']),
        (('--write', 'disparity.png', '--no-picture'), ['disparity.png']),
        (('--write', 'disparity.npy'), ['disparity.npy']),
    ],
)
def test_results_of_16_bits_come_with_a_picture_unless_refused(
    tmp_path: Path, pair: tuple[Path, Path], options: tuple[str, ...], names: list[str]
) -> None:
    assert run(*pair, *options, '--output', tmp_path / 'out') == 0
    found = sorted(path.name.removeprefix('pair_left_') for path in (tmp_path / 'out').iterdir())
    assert found == names


def test_reduced_images_give_the_same_depth_and_a_cloud_in_colour(tmp_path: Path) -> None:
    left, right = write_pair(tmp_path, scene_of(plane(320, 240, 24.0), finest_px=8.0), 'large')
    options = ('--set', 'downscale=2', '--write', 'depth.npy', 'cloud.ply', '--output', tmp_path)
    assert run(left, right, '--focal', 200, '--baseline', BASELINE, *options) == 0
    depth = np.load(tmp_path / 'large_left_depth.npy')
    assert depth.shape == (120, 160)
    assert np.nanmedian(depth) == pytest.approx(200 * BASELINE / 24, rel=0.01)
    xyz, _, _ = vertices(tmp_path / 'large_left_cloud.ply')
    assert len(xyz) == np.isfinite(depth).sum()
