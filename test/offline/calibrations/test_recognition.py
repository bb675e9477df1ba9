# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files of every kind are recognised by what is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('yaml')

import kinds
from variations import VARIATIONS

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import CalibrationError, CalibrationSizeError, InputError
from stereo_depth_node.offline.calibrations.recognition import read_stereo_calibration

COLOUR = 'drive/image_02/data/0.png'


def geometry_of(paths: list[Path], size: tuple[int, int] = (640, 480)) -> StereoGeometry:
    """Return the stereo camera of files."""
    found = read_stereo_calibration(paths, COLOUR)
    return StereoGeometry.from_calibrations(*found.cameras_for(*size))


@pytest.mark.parametrize('kind', kinds.KINDS)
def test_every_kind_describes_the_same_camera(tmp_path: Path, kind: str) -> None:
    # A ZED has no images of 640x480.
    size = (1280, 720) if kind == 'ZED' else (640, 480)
    found = geometry_of(kinds.KINDS[kind](tmp_path), size)
    assert (found.width, found.height) == size
    assert found.baseline == pytest.approx(0.1)
    # Where the projection is computed from raw cameras, only valid pixels are in the image.
    is_computed = kind in ('OpenCV XML', 'Kalibr', 'EuRoC', 'ZED')
    assert found.f == pytest.approx(500.0, rel=0.002 if is_computed else 1e-9)
    assert found.offset == pytest.approx(-0.5 if kind == 'Middlebury' else 0.0)
    assert found.depth_at(20.0 + found.offset) == pytest.approx(2.5, rel=0.002)


def written_by_windows(text: str) -> bytes:
    """Return a file as PowerShell writes what is sent there."""
    return text.replace('\n', '\r\n').encode('utf-16')


def written_by_an_old_mac(text: str) -> bytes:
    """Return a file whose lines end with a carriage return alone."""
    return text.replace('\r\n', '\n').replace('\n', '\r').encode()


@pytest.mark.parametrize('encoded', [written_by_windows, written_by_an_old_mac])
@pytest.mark.parametrize('kind', kinds.KINDS)
def test_every_kind_is_read_in_whichever_text_file(
    tmp_path: Path, kind: str, encoded: Callable[[str], bytes]
) -> None:
    paths = kinds.KINDS[kind](tmp_path)
    for path in paths:
        path.write_bytes(encoded(path.read_text('utf-8-sig')))
    size = (1280, 720) if kind == 'ZED' else (640, 480)
    assert geometry_of(paths, size).baseline == pytest.approx(0.1)


@pytest.mark.parametrize('write', VARIATIONS)
def test_what_other_programs_make_of_the_kinds_is_read(
    tmp_path: Path, write: Callable[[Path], list[Path]]
) -> None:
    found = geometry_of(write(tmp_path))
    assert found.baseline == pytest.approx(0.1)
    assert found.f == pytest.approx(500.0, rel=0.002)


def test_raw_images_of_kitti_360_are_rectified_although_they_have_the_size_of_rectified_ones(
    tmp_path: Path,
) -> None:
    path = kinds.kitti_raw(tmp_path)[0]
    text = path.read_text().replace('6.600000e+02 5.000000e+02', '6.400000e+02 4.800000e+02')
    path.write_text(text.replace('D_02: 0 ', 'D_02: 0.1 '))
    left, _ = read_stereo_calibration([path], COLOUR).cameras_for(640, 480)
    assert left.d == (0.1, 0.0, 0.0, 0.0, 0.0)


def test_a_file_in_xml_has_a_size_too_and_no_part_of_one_is_read(tmp_path: Path) -> None:
    path = kinds.opencv_pose(tmp_path)[0]
    text = path.read_text()
    size = '<image_width>320</image_width><image_height>240</image_height>'
    path.write_text(text.replace('<opencv_storage>', f'<opencv_storage>{size}'))
    with pytest.raises(CalibrationSizeError, match='320x240'):
        geometry_of([path])
    for length in range(40, len(text) - 20, 111):
        path.write_text(text[:length])
        with pytest.raises(InputError):
            read_stereo_calibration([path])


def test_raw_cameras_that_are_turned_get_what_rectifies_them(tmp_path: Path) -> None:
    """The right camera looks 2 degrees to the left: both are turned until the rows are one."""
    path = kinds.kalibr(tmp_path)[0]
    angle = np.deg2rad(2.0)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    text = path.read_text().replace('- [1, 0, 0, -0.1]', f'- [{cos}, 0, {sin}, {-0.1 * cos}]')
    text = text.replace('- [0, 0, 1, 0]', f'- [{-sin}, 0, {cos}, {0.1 * sin}]')
    path.write_text(text)
    found = read_stereo_calibration([path])
    assert found.is_of_raw_images
    assert found.can_rectify
    left, right = found.cameras_for(640, 480)
    # A point 2 m ahead is in one row of both rectified images, at the disparity f * B / Z.
    point = np.array([0.3, 0.2, 2.0])
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    seen = []
    for camera, position in ((left, point), (right, turn @ (point - [0.1, 0, 0]))):
        rectified = np.reshape(camera.r, (3, 3)) @ position
        pixel = np.reshape(camera.p, (3, 4))[:, :3] @ rectified
        seen.append((pixel[:2] / pixel[2], rectified[2]))
    assert seen[0][0][1] == pytest.approx(seen[1][0][1], abs=1e-6)
    disparity = seen[0][0][0] - seen[1][0][0]
    geometry = StereoGeometry.from_calibrations(left, right)
    assert geometry.depth_at(disparity) == pytest.approx(seen[0][1], rel=1e-6)


@pytest.mark.parametrize(
    ('place', 'image', 'baseline'),
    [
        ('image_02/data', '0.png', 0.1),
        ('drive', 'image_2/0.png', 0.1),
        ('image_2', '../image_0/0.png', 0.2),
        ('image_2/grey', 'image_00/data/0.png', 0.2),
        ('drive', '0.png', 0.2),
    ],
)
def test_the_folder_of_kitti_may_be_that_in_which_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, image: str, baseline: float
) -> None:
    (tmp_path / place).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / place)
    found = read_stereo_calibration(kinds.kitti_raw(tmp_path), image)
    geometry = StereoGeometry.from_calibrations(*found.cameras_for(640, 480))
    assert geometry.baseline == pytest.approx(baseline)


def test_the_images_say_which_cameras_of_kitti_took_them(tmp_path: Path) -> None:
    found = read_stereo_calibration(kinds.kitti_raw(tmp_path), 'drive/image_00/data/0.png')
    assert StereoGeometry.from_calibrations(*found.cameras_for(640, 480)).baseline == 0.2
    # Raw images have another size, and are rectified with K, D and R.
    left, _ = found.cameras_for(660, 500)
    assert left.image_size == (660, 500)
    assert left.d == (0.0,) * 5


def test_a_size_that_the_file_is_not_for_is_refused_with_those_that_it_is_for(
    tmp_path: Path,
) -> None:
    found = read_stereo_calibration(kinds.zed(tmp_path))
    with pytest.raises(CalibrationSizeError, match='2208x1242, 1280x720, these are 640x480'):
        found.cameras_for(640, 480)


def without(write: Callable[[Path], list[Path]], *words: str) -> Callable[[Path], list[Path]]:
    """Return what writes the first file of a kind, where some words are not what they must be."""

    def changed(folder: Path) -> list[Path]:
        path = write(folder)[0]
        text = path.read_text()
        for word in words:
            assert word in text
            text = text.replace(word, 'other')
        path.write_text(text)
        return [path]

    return changed


@pytest.mark.parametrize(
    ('write', 'said'),
    [
        (lambda folder: kinds.ros_yaml(folder)[:1], 'of the other is missing.*--calib LEFT RIGHT'),
        (lambda folder: kinds.euroc(folder)[:1], r'\(EuRoC\).*of the other is missing'),
        (kinds.opencv_intrinsics, 'R and T.*missing: give extrinsics.yml'),
        (without(kinds.opencv_extrinsics, 'P1', 'P2'), 'M1 and M2 are missing: give intrinsics'),
        (without(kinds.middlebury, 'baseline'), r'baseline has 0 numbers, expected 1 \(mm\)'),
        (without(kinds.kitti, 'P1', 'P2'), 'cameras are 0, 3; 0 and 1, or 2 and 3 are missing'),
        (without(kinds.kalibr, 'T_cn_cnm1'), 'cam1 with its T_cn_cnm1 is missing'),
        (without(kinds.kalibr, 'resolution'), 'the resolution of cam0 is missing'),
        (without(kinds.zed, 'Baseline'), r'Baseline in \[STEREO\] is missing'),
        (without(kinds.zed, 'RIGHT_CAM_'), 'both LEFT_CAM and RIGHT_CAM.* missing'),
        (lambda folder: kinds.kalibr(folder) * 2, 'holds both cameras: give this file alone'),
        (lambda folder: kinds.euroc(folder)[:1] * 2, 'of one camera and given twice: give'),
        (
            lambda folder: [kinds.ros_yaml(folder)[0], kinds.kalibr(folder)[0]],
            'is of ROS camera_info.*of Kalibr: give two files of one kind',
        ),
    ],
)
def test_what_is_recognised_but_not_enough_says_what_is_missing(
    tmp_path: Path, write: Callable[[Path], list[Path]], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read_stereo_calibration(write(tmp_path))


@pytest.mark.parametrize(
    ('write', 'old', 'new', 'said'),
    [
        (kinds.kalibr, 'resolution: [640', 'resolution: [.nan', 'resolution of cam0 is'),
        (kinds.kalibr, 'intrinsics: [500.0', 'intrinsics: [1e400', 'intrinsics of cam0 is'),
        (kinds.euroc, 'data: [1', 'data: [-.inf', 'T_BS is'),
        (kinds.ros_echo, 'height: 480', 'height: .inf', "height is 'inf'"),
        (kinds.middlebury, '[500', '[1e308', 'cam0 is'),
    ],
)
def test_numbers_that_no_camera_has_are_refused_where_they_stand(
    tmp_path: Path, write: Callable[[Path], list[Path]], old: str, new: str, said: str
) -> None:
    paths = write(tmp_path)
    text = paths[0].read_text()
    assert old in text
    paths[0].write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=f'{said}.*expected numbers'):
        read_stereo_calibration(paths)


def test_a_camera_of_a_chain_without_its_numbers_is_named(tmp_path: Path) -> None:
    path = kinds.kalibr(tmp_path)[0]
    first, _, second = path.read_text().rpartition('intrinsics:')
    path.write_text(f'{first}others:{second}')
    with pytest.raises(InputError, match=r'intrinsics of cam1 is .*expected numbers'):
        read_stereo_calibration([path])


def test_a_size_that_only_one_camera_has_is_that_of_the_images(tmp_path: Path) -> None:
    paths = kinds.ros_echo(tmp_path)
    paths[1].write_text(paths[1].read_text().replace('height: 480', 'height: 0', 1))
    cameras = read_stereo_calibration(paths).cameras_for(640, 480)
    assert [camera.image_size for camera in cameras] == [(640, 480)] * 2


def test_a_matrix_in_xml_may_lack_its_columns(tmp_path: Path) -> None:
    """OpenCV writes beyond the memory of such a one, and often ends the program."""
    path = kinds.opencv_pose(tmp_path)[0]
    path.write_text(path.read_text().replace('  <cols>3</cols>\n', ''))
    assert geometry_of([path]).baseline == pytest.approx(kinds.BASELINE)


@pytest.mark.parametrize('content', ['', 'hello', '{"f": 500}', 'a: [', '- 1\n- 2\n', '12 13'])
def test_what_is_not_recognised_lists_the_kinds_and_the_shortest_way(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / 'cal.txt'
    path.write_text(content)
    with pytest.raises(InputError, match=r'ROS.*KITTI.*ZED.*--focal PX --baseline M') as caught:
        read_stereo_calibration([path])
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('camera_model: pinhole', 'camera_model: omni'),
        ('distortion_model: radtan', 'distortion_model: fov'),
        ('intrinsics: [500', 'intrinsics: [many'),
        ('intrinsics: [500.0,', 'intrinsics: ['),
        ('resolution: [640, 480]', 'resolution: &a [*a, *a]'),
        ('[1, 0, 0, -0.1]', '[1, 0, 0, -.inf]'),
        ('[1, 0, 0, -0.1]\n  - [0, 1, 0, 0]', '[1, 0, 0, 0]\n  - [0, 1, 0, -0.1]'),
    ],
)
def test_numbers_and_models_that_make_no_stereo_camera_are_refused(
    tmp_path: Path, old: str, new: str
) -> None:
    path = kinds.kalibr(tmp_path)[0]
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises((InputError, CalibrationError)):
        geometry_of([path])


def test_the_page_lists_the_kinds_that_are_read_here(
    listed_formats: Callable[[str], list[str]],
) -> None:
    assert listed_formats('Calibration') == list(kinds.KINDS)
