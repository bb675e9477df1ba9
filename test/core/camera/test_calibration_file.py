# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files: what ROS writes and reads, and what is no such file."""

from __future__ import annotations

import os
from pathlib import Path
import time

from irregular_files import irregular, KINDS
import pytest

pytest.importorskip('yaml')

import yaml

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.calibration_file import calibration_path, load_calibration
from stereo_depth_node.core.errors import InputError

D = (-0.28, 0.074, 0.0002, 1.8e-05, 0.0)
K = (458.65, 0.0, 367.2, 0.0, 457.3, 248.4, 0.0, 0.0, 1.0)
R = (0.99, -0.01, 0.02, 0.01, 0.99, 0.003, -0.02, -0.003, 0.99)
P = (435.2, 0.0, 367.4, -47.9, 0.0, 435.2, 252.2, 0.0, 0.0, 0.0, 1.0, 0.0)


def matrix(rows: int, columns: int, data: tuple[float, ...]) -> dict[str, object]:
    return {'rows': rows, 'cols': columns, 'data': list(data)}


def file_content() -> dict[str, object]:
    return {
        'image_width': 752,
        'image_height': 480,
        'camera_name': 'left',
        'camera_matrix': matrix(3, 3, K),
        'distortion_model': 'plumb_bob',
        'distortion_coefficients': matrix(1, 5, D),
        'rectification_matrix': matrix(3, 3, R),
        'projection_matrix': matrix(3, 4, P),
    }


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'left camera.yaml'


@pytest.mark.parametrize('as_given', [str, lambda path: path, lambda path: f'file://{path}'])
def test_a_calibration_file_is_read_whole(path, as_given):
    path.write_text(yaml.safe_dump(file_content()), encoding='utf-8')
    assert load_calibration(as_given(path)) == CameraCalibration(
        width=752, height=480, distortion_model='plumb_bob', d=D, k=K, r=R, p=P
    )


def test_a_missing_file_is_named_with_the_reason(tmp_path):
    with pytest.raises(InputError, match=r'none\.yaml: cannot be read \(there is no such file'):
        load_calibration(tmp_path / 'none.yaml')


@pytest.mark.parametrize('key', sorted(set(file_content()) - {'camera_name', 'distortion_model'}))
def test_a_missing_key_is_named(path, key):
    content = file_content()
    del content[key]
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    with pytest.raises(InputError, match=rf'camera\.yaml: {key} is missing'):
        load_calibration(path)


@pytest.mark.parametrize(
    ('key', 'count'),
    [('camera_matrix', 9), ('rectification_matrix', 9), ('projection_matrix', 12)],
)
def test_a_matrix_of_the_wrong_length_is_named_with_both_lengths(path, key, count):
    content = {**file_content(), key: {'data': [1.0] * 4}}
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    with pytest.raises(InputError, match=rf'{key} has 4 numbers, not {count}'):
        load_calibration(path)


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'just a text',
        b'- a\n- list\n',
        b'a: [1, 2\n',
        b'\xff\xfe\x00',
        b'image_width: wide\n',
        b'image_width: .inf\n',
        b'image_width: -1\n',
        b'image_width: 99999999999\n',
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match=r'camera\.yaml:? (is )?not a .*file'):
        load_calibration(path)


def test_a_file_without_a_distortion_model_means_plumb_bob(path):
    content = file_content()
    del content['distortion_model']
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    assert load_calibration(path).distortion_model == 'plumb_bob'


def test_binning_and_region_of_interest_of_a_file_count(path):
    roi = {'x_offset': 8, 'y_offset': 4, 'width': 640, 'height': 400, 'do_rectify': False}
    content = {**file_content(), 'binning_x': 2, 'binning_y': 4, 'roi': roi}
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    calibration = load_calibration(path)
    assert (calibration.binning_x, calibration.binning_y) == (2, 4)
    assert calibration.roi == (8, 4, 640, 400)
    assert calibration.image_size == (320, 100)


def test_a_region_of_interest_that_is_none_is_refused_by_name(path):
    path.write_text(yaml.safe_dump({**file_content(), 'roi': 3}), encoding='utf-8')
    with pytest.raises(InputError, match='no keys in roi'):
        load_calibration(path)


def test_a_file_that_opencv_wrote_with_the_keys_of_ros_is_read(path):
    text = yaml.safe_dump(file_content()).replace(
        'matrix:\n  cols', 'matrix: !!opencv-matrix\n  dt: d\n  cols'
    )
    path.write_text('%YAML:1.0\n---\n' + text, encoding='utf-8')
    assert '!!opencv-matrix' in text
    assert load_calibration(path).p == P


INI = """# Camera intrinsics

[image]

width
752

height
480

[externals]
translation
0.1 0.2 0.3
rotation
0 0 0

[narrow_stereo/left]

camera matrix
458.65 0.0 367.2
0.0 457.3 248.4
0.0 0.0 1.0

distortion
{distortion}

rectification
0.99 -0.01 0.02
0.01 0.99 0.003
-0.02 -0.003 0.99

projection
435.2 0.0 367.4 -47.9
0.0 435.2 252.2 0.0
0.0 0.0 1.0 0.0
"""


@pytest.mark.parametrize(
    ('d', 'model'),
    [
        (D, 'plumb_bob'),
        ((0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), 'rational_polynomial'),
    ],
)
def test_an_ini_file_is_read_whole(tmp_path, d, model):
    path = tmp_path / 'left.INI'
    path.write_text(INI.format(distortion=' '.join(map(str, d))))
    assert load_calibration(path) == CameraCalibration(
        width=752, height=480, distortion_model=model, d=d, k=K, r=R, p=P
    )


def test_an_ini_file_of_two_cameras_is_not_taken_for_one_of_them(tmp_path):
    path = tmp_path / 'ost.txt'
    path.write_text(2 * INI.format(distortion='0 0 0 0 0'))
    with pytest.raises(InputError, match='is of 2 cameras: name the file of one, such as left'):
        load_calibration(path)


@pytest.mark.parametrize(
    ('old', 'new', 'said'),
    [
        ('distortion\n0 0 0 0 0\n', '', 'distortion is missing'),
        ('752', '', 'not a ROS camera_info INI file'),
        ('-0.02 -0.003 0.99', '-0.02 -0.003', 'rectification has 8 numbers, not 9'),
        ('458.65', 'wide', 'not a ROS camera_info INI file'),
    ],
)
def test_a_damaged_ini_file_is_refused_by_name(tmp_path, old, new, said):
    path = tmp_path / 'left.ini'
    path.write_text(INI.format(distortion='0 0 0 0 0').replace(old, new))
    with pytest.raises(InputError, match=said):
        load_calibration(path)


def test_urls_mean_what_camera_info_manager_makes_of_them(tmp_path, monkeypatch):
    share = tmp_path / 'install' / 'share' / 'my_robot'
    share.mkdir(parents=True)
    prefixes = os.pathsep.join(['/nowhere', str(tmp_path / 'install')])
    monkeypatch.setenv('AMENT_PREFIX_PATH', prefixes)
    monkeypatch.setenv('ROS_HOME', '/ros home')
    monkeypatch.setenv('HOME', '/home/me')
    expected = {
        'a/b.yaml': 'a/b.yaml',
        '~/b.yaml': '/home/me/b.yaml',
        'file:///a/b.yaml': '/a/b.yaml',
        'package://my_robot/config/b.yaml': str(share / 'config/b.yaml'),
        'file://${ROS_HOME}/camera_info/b.yaml': '/ros home/camera_info/b.yaml',
        '${ROS_HOME}/b.ini': '/ros home/b.ini',
    }
    assert {url: str(calibration_path(url)) for url in expected} == expected
    monkeypatch.delenv('ROS_HOME')
    assert calibration_path('${ROS_HOME}/b.yaml') == Path('/home/me/.ros/b.yaml')


@pytest.mark.parametrize(
    ('url', 'said'),
    [
        ('package://no_robot/b.yaml', 'no package no_robot in AMENT_PREFIX_PATH, which is empty'),
        ('package://', 'no package'),
        ('${ROS_HOME}/${NAME}.yaml', r'\$\{NAME\} is not known'),
        ('http://host/b.yaml', 'scheme http is not known'),
        ('flash:///b', 'scheme flash is not known'),
    ],
)
def test_a_url_that_means_no_file_is_refused_with_what_is_known(monkeypatch, url, said):
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    with pytest.raises(InputError, match=said):
        load_calibration(url)


@pytest.mark.parametrize('kind', [*KINDS, 'large', 'aliases', 'deep'])
def test_what_would_never_end_is_refused_within_a_second(tmp_path, kind):
    file = tmp_path / 'left.yaml'
    if kind in KINDS:
        file = irregular(kind, file)
    elif kind == 'large':
        with file.open('wb') as content:
            content.truncate(3 << 30)
    elif kind == 'aliases':
        rows = [f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 10)}]' for n in range(1, 10)]
        file.write_text('\n'.join(['a0: &a0 [lol]', *rows, '']))
    else:
        file.write_text('a: ' + '[' * 60_000)
    begun = time.thread_time()
    with pytest.raises(InputError, match=file.name):
        load_calibration(file)
    assert time.thread_time() - begun < 1.0


def test_the_largest_file_that_is_read_takes_no_longer_than_that(path):
    """What fits into the limit must not hold up the images either."""
    path.write_text('a: [' + '1, ' * 20_000 + ']')
    begun = time.thread_time()
    with pytest.raises(InputError, match='image_width is missing'):
        load_calibration(path)
    assert time.thread_time() - begun < 3.0
