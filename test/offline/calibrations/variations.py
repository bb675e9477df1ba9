# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The stereo camera of `kinds` in files that other programs make of these kinds."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import re

import kinds
import numpy as np


def stereo_ini(folder: Path) -> list[Path]:
    """As camera_calibration writes a stereo camera into one ost.txt."""
    path = folder / 'ost.txt'
    path.write_text('\n'.join(each.read_text() for each in kinds.ros_ini(folder)))
    return [path]


def cut_echo(folder: Path) -> list[Path]:
    """Messages were lost before the first, which is printed too; the second is cut short."""
    paths = kinds.ros_echo(folder)
    for path in paths:
        lost = 'A message was lost!!!\n\ttotal count change:1\n\ttotal count: 1---\n'
        path.write_text(lost + path.read_text() + path.read_text()[:150] + '\nk: [5')
    return paths


def json_lines(folder: Path) -> list[Path]:
    """As ``mcap cat --json`` prints messages, one in a line."""
    paths = kinds.ros_json(folder)
    for path in paths:
        path.write_text(3 * (path.read_text().replace('"msg"', '"data"') + '\n'))
    return paths


def driving_stereo(folder: Path) -> list[Path]:
    """As KITTI raw, of cameras with other numbers."""
    path = kinds.kitti_raw(folder)[0]
    path.write_text(path.read_text().replace('_02:', '_101:').replace('_03:', '_103:'))
    path.write_text(re.sub(r'\w+_0[01]: .*\n', '', path.read_text()))
    return [path]


def openvins(folder: Path, pose: str = 'T_imu_cam') -> list[Path]:
    """As Kalibr, with the poses of the cameras to the IMU alone."""
    path = kinds.kalibr(folder)[0]
    head, tail = path.read_text().split('  T_cn_cnm1:\n')
    rows = tail.splitlines(keepends=True)
    matrix = ''.join(rows[:4])
    moved = matrix.replace('-0.1', '0.1') if pose == 'T_imu_cam' else matrix
    first = f'  {pose}:\n' + matrix.replace('-0.1', '0')
    text = head.replace('cam0:\n', 'cam0:\n' + first) + f'  {pose}:\n' + moved
    path.write_text('%YAML:1.0\n' + text + ''.join(rows[4:]))
    return [path]


def orb_slam(folder: Path) -> list[Path]:
    """As ORB-SLAM has rectification: names with dots, and those of the algorithm beside them."""
    path = folder / 'EuRoC.yaml'
    text = '%YAML:1.0\n#----\nCamera.bf: 50.0\n'
    for side, p in zip(('LEFT', 'RIGHT'), kinds.P, strict=True):
        text += f'{side}.width: 640\n{side}.height: 480\n'
        for name, matrix in (('D', np.zeros(5)), ('K', kinds.K), ('R', np.identity(3)), ('P', p)):
            text += f'{side}.{name}: !!opencv-matrix\n   rows: 1\n   cols: 1\n   dt: d\n'
            text += f'   data: [{kinds.row(matrix)}]\n'
    path.write_text(text)
    return [path]


def nested_json(folder: Path) -> list[Path]:
    """As programs in Python write matrices."""
    camera = {'camera_matrix': kinds.K.tolist(), 'dist_coeffs': [[0.0] * 5]}
    pose = {'R': np.identity(3).tolist(), 'T': [[-0.1], [0.0], [0.0]]}
    path = folder / 'stereo.json'
    path.write_text(json.dumps({'rms': 0.2, 'left': camera, 'right': camera, **pose}, indent=1))
    return [path]


def other_names(*names: str) -> Callable[[Path], list[Path]]:
    """Return what writes M1, D1, M2, D2, R and T by other names."""

    def write(folder: Path) -> list[Path]:
        zeros, same = [0.0] * 5, np.identity(3).tolist()
        values = (kinds.K.tolist(), zeros, kinds.K.tolist(), zeros, same, [-0.1, 0.0, 0.0])
        path = folder / 'stereo.json'
        path.write_text(json.dumps(dict(zip(names, values, strict=True))))
        return [path]

    return write


VARIATIONS: tuple[Callable[[Path], list[Path]], ...] = (
    stereo_ini,
    cut_echo,
    json_lines,
    driving_stereo,
    openvins,
    lambda folder: openvins(folder, 'T_cam_imu'),
    orb_slam,
    nested_json,
    other_names('mtxL', 'distL', 'mtxR', 'distR', 'Rot', 'Trns'),
    other_names('Ml', 'dl', 'Mr', 'dr', 'R', 'T'),
    other_names(
        'Camera_Matrix_1', 'Distortion_Coefficients_1', 'Camera_Matrix_2',
        'Distortion_Coefficients_2', 'Rotation_Matrix', 'Translation_Vector',
    ),
    other_names(
        'left_camera_matrix', 'left_distortion', 'right_camera_matrix', 'right_distortion',
        'rotation', 'translation',
    ),
)  # fmt: skip
"""What writes the files and returns their paths."""
