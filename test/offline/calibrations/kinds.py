# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The same stereo camera in every kind of calibration file.

Its images are 640x480, f is 500 px, the baseline 0.1 m, the principal point (320, 240) on the
left; cx_right is the same, but where a format can say otherwise it is 0.5 px more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

F, CX, CY, BASELINE = 500.0, 320.0, 240.0, 0.1
K = np.array([[F, 0, CX], [0, F, CY], [0, 0, 1]])
P = [np.column_stack([K, [tx, 0, 0]]) for tx in (0.0, -F * BASELINE)]


def row(matrix: np.ndarray) -> str:
    """Return the numbers of a matrix with commas."""
    return ', '.join(f'{number:g}' for number in np.ravel(matrix))


def words(matrix: np.ndarray) -> str:
    """Return the numbers of a matrix with spaces."""
    return row(matrix).replace(',', '')


def ros_yaml(folder: Path) -> list[Path]:
    """As camera_calibration writes it."""
    return [
        _file(
            folder / f'{side}.yaml',
            'image_width: 640\nimage_height: 480\ncamera_name: c\n'
            f'camera_matrix: {{rows: 3, cols: 3, data: [{row(K)}]}}\n'
            'distortion_model: plumb_bob\n'
            'distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}\n'
            f'rectification_matrix: {{rows: 3, cols: 3, data: [{row(np.identity(3))}]}}\n'
            f'projection_matrix: {{rows: 3, cols: 4, data: [{row(p)}]}}\n',
        )
        for side, p in zip(('left', 'right'), P, strict=True)
    ]


def ros_ini(folder: Path) -> list[Path]:
    """As camera_calibration prints it and saves it as ost.txt."""

    def lines(matrix: np.ndarray) -> str:
        return '\n'.join(words(each) for each in matrix)

    return [
        _file(
            folder / f'{side}_ost.txt',
            '# oST version 5.0 parameters\n\n[image]\n\nwidth\n640\n\nheight\n480\n\n'
            f'[narrow_stereo/{side}]\n\ncamera matrix\n{lines(K)}\n\ndistortion\n0 0 0 0 0\n\n'
            f'rectification\n{lines(np.identity(3))}\n\nprojection\n{lines(p)}\n',
        )
        for side, p in zip(('left', 'right'), P, strict=True)
    ]


def ros_echo(folder: Path) -> list[Path]:
    """As ``ros2 topic echo`` prints messages."""

    def numbers(name: str, matrix: np.ndarray) -> str:
        return f'{name}:\n' + ''.join(f'- {float(number)}\n' for number in np.ravel(matrix))

    return [
        _file(
            folder / f'{side}_echo.txt',
            'header:\n  stamp:\n    sec: 1\n    nanosec: 2\n  frame_id: cam\nheight: 480\n'
            'width: 640\ndistortion_model: plumb_bob\n'
            + numbers('d', np.zeros(5))
            + numbers('k', K)
            + numbers('r', np.identity(3))
            + numbers('p', p)
            + 'binning_x: 0\nbinning_y: 0\nroi:\n  x_offset: 0\n  y_offset: 0\n  height: 0\n'
            '  width: 0\n  do_rectify: false\n---\n',
        )
        for side, p in zip(('left', 'right'), P, strict=True)
    ]


def ros_json(folder: Path) -> list[Path]:
    """As bridges to JSON write messages; of ROS 1, with D, K, R and P."""
    return [
        _file(
            folder / f'{side}.json',
            '{"msg": {"header": {"frame_id": "cam"}, "width": 640, "height": 480, "D": [], '
            f'"distortion_model": "plumb_bob", "K": [{row(K)}], "R": [{row(np.identity(3))}], '
            f'"P": [{row(p)}]}}}}',
        )
        for side, p in zip(('left', 'right'), P, strict=True)
    ]


def opencv(folder: Path) -> list[Path]:
    """As the sample stereo_calib writes its two files."""
    return [*opencv_intrinsics(folder), *opencv_extrinsics(folder)]


def opencv_intrinsics(folder: Path) -> list[Path]:
    """Write the first of the two."""
    return [_storage(folder / 'intrinsics.yml', M1=K, D1=_zeros(5), M2=K, D2=_zeros(5))]


def opencv_extrinsics(folder: Path) -> list[Path]:
    """Write the second of the two."""
    t = np.array([[-BASELINE], [0], [0]])
    same = np.identity(3)
    return [_storage(folder / 'extrinsics.yml', R=same, T=t, R1=same, R2=same, P1=P[0], P2=P[1])]


def opencv_pose(folder: Path) -> list[Path]:
    """All in one file of XML, without the projection matrices."""
    t = np.array([[-BASELINE], [0], [0]])
    same = np.identity(3)
    path = folder / 'stereo.xml'
    return [_storage(path, K1=K, D1=_zeros(5), K2=K, D2=_zeros(5), R=same, T=t)]


def middlebury(folder: Path) -> list[Path]:
    """With a byte order mark, spaces around "=", lines of Windows and no zero before a dot."""
    right = K + np.array([[0, 0, 0.5], [0, 0, 0], [0, 0, 0]])
    matrices = ['; '.join(words(each) for each in matrix) for matrix in (K, right)]
    content = (
        f'\ufeffcam0 = [{matrices[0]}]\ncam1 = [{matrices[1]}]\ndoffs = .5\nbaseline = 100\n'
        'width = 640\nheight = 480\nndisp = 64\n'
    )
    return [_file(folder / 'calib.txt', content.replace('\n', '\r\n'))]


def kitti_raw(folder: Path) -> list[Path]:
    """calib_cam_to_cam.txt; its grey cameras are 0.2 m apart."""
    wide = np.column_stack([K, [-F * 0.2, 0, 0]])
    text = 'calib_time: 09-Jan-2012 13:57:47\ncorner_dist: 9.950000e-02\n'
    for index, p in enumerate((P[0], wide, P[0], P[1])):
        text += (
            f'S_0{index}: 6.600000e+02 5.000000e+02\nK_0{index}: {words(K)}\n'
            f'D_0{index}: 0 0 0 0 0\nR_0{index}: {words(np.identity(3))}\n'
            f'T_0{index}: 0 0 0\nS_rect_0{index}: 6.400000e+02 4.800000e+02\n'
            f'R_rect_0{index}: {words(np.identity(3))}\nP_rect_0{index}: {words(p)}\n'
        )
    return [_file(folder / 'calib_cam_to_cam.txt', text)]


def kitti(folder: Path) -> list[Path]:
    """calib.txt of odometry."""
    lines = [f'P{index}: {words(p)}\n' for index, p in enumerate((*P, *P))]
    return [_file(folder / 'calib.txt', ''.join(lines) + f'Tr: {words(P[0])}\n')]


def kalibr(folder: Path) -> list[Path]:
    """camchain.yaml."""
    camera = (
        '  camera_model: pinhole\n  distortion_coeffs: [0, 0, 0, 0]\n'
        f'  distortion_model: {{}}\n  intrinsics: [{F}, {F}, {CX}, {CY}]\n'
        '  resolution: [640, 480]\n  rostopic: /cam/image_raw\n'
    ).format('radtan')
    pose = f'  T_cn_cnm1:\n  - [1, 0, 0, {-BASELINE}]\n  - [0, 1, 0, 0]\n  - [0, 0, 1, 0]\n'
    content = f'cam0:\n{camera}cam1:\n{pose}  - [0, 0, 0, 1]\n{camera}'
    return [_file(folder / 'camchain.yaml', content)]


def euroc(folder: Path) -> list[Path]:
    """Write sensor.yaml of both cameras."""
    paths = []
    for index, x in enumerate((0.02, 0.02 + BASELINE)):
        (folder / f'cam{index}').mkdir(exist_ok=True)
        pose = np.identity(4)
        pose[0, 3] = x
        paths.append(
            _file(
                folder / f'cam{index}' / 'sensor.yaml',
                '#Default imu sensor yaml file\nsensor_type: camera\ncomment: VI-Sensor\n'
                f'T_BS:\n  cols: 4\n  rows: 4\n  data: [{row(pose)}]\nrate_hz: 20\n'
                'resolution: [640, 480]\ncamera_model: pinhole\n'
                f'intrinsics: [{F}, {F}, {CX}, {CY}] #fu, fv, cu, cv\n'
                'distortion_model: radial-tangential\n'
                'distortion_coefficients: [0, 0, 0, 0]\n',
            )
        )
    return paths


def zed(folder: Path, size: str = 'HD') -> list[Path]:
    """SN10028708.conf; its images have their own sizes, and 2K has another focal length."""
    text = ''
    for name, f, cx, cy in (('2K', 2 * F, 1104, 621), (size, F, 640, 360)):
        for side in ('LEFT', 'RIGHT'):
            text += f'[{side}_CAM_{name}]\nfx={f}\nfy={f}\ncx={cx}\ncy={cy}\nk1=0\nk2=0\n\n'
    text += '[STEREO]\nBaseline=100\nCV_2K=0\nCV_HD=0\nRX_HD=0\nRZ_HD=0\nTY=0\nTZ=0\n'
    return [_file(folder / 'SN10028708.conf', text)]


KINDS: dict[str, Callable[[Path], list[Path]]] = {
    'ROS camera_info YAML': ros_yaml,
    'ROS camera_info INI': ros_ini,
    'ros2 topic echo': ros_echo,
    'JSON': ros_json,
    'OpenCV': opencv,
    'OpenCV extrinsics': opencv_extrinsics,
    'OpenCV XML': opencv_pose,
    'Middlebury': middlebury,
    'KITTI raw': kitti_raw,
    'KITTI': kitti,
    'Kalibr': kalibr,
    'EuRoC': euroc,
    'ZED': zed,
}
"""Name of a kind -> what writes its files and returns their paths."""


def _file(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def _zeros(count: int) -> np.ndarray:
    return np.zeros((1, count))


def _storage(path: Path, **matrices: np.ndarray) -> Path:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, matrix in matrices.items():
        storage.write(name, np.asarray(matrix, float))
    storage.release()
    return path
