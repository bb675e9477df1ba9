# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A real recording, where STEREO_DEPTH_DATA names a folder that has it.

``euroc_micro_bag`` holds the first 16 pairs of a sequence of the EuRoC MAV data set (Burri et
al., IJRR 2016), raw, 752x480, with the calibration of their rectification.
"""

from __future__ import annotations

import os
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import messages_of, pixels_of

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.point_cloud import PointProjector, Points
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.core.messages.content import calibration_from_message
from stereo_depth_node.offline.cli import main


@pytest.fixture
def euroc() -> Path:
    """Return the path of the recording."""
    path = Path(os.environ.get('STEREO_DEPTH_DATA', ''), 'euroc_micro_bag')
    if 'STEREO_DEPTH_DATA' not in os.environ or not path.exists():
        pytest.skip('set STEREO_DEPTH_DATA to a folder that has euroc_micro_bag')
    return path


def test_inspect_finds_it_in_order(euroc: Path, capsys: Any) -> None:
    assert main(['inspect', str(euroc)]) == 0
    text = capsys.readouterr().out
    assert 'pairs         16' in text
    assert 'baseline 0.11008 m' in text
    rows = re.search(r'rows +rectified here, ([-+.\d]+) px apart', text)
    assert rows is not None
    # Of the calibration 0.11 px are left.
    assert abs(float(rows[1])) < 0.3
    assert 'ERROR' not in text


def test_all_pairs_become_depth_of_a_room(euroc: Path, tmp_path: Path) -> None:
    target = tmp_path / 'out'
    command = ['bag', str(euroc), str(target), '--set', 'rectify=true', '--quiet']
    assert main([*command, '--report', str(tmp_path / 'report.html')]) == 0
    depths = [pixels_of(message) for _, _, message in messages_of(target, '/depth/image_rect')]
    assert len(depths) == 16
    for depth in depths:
        known = depth[np.isfinite(depth)]
        # Measured: 72 % of the pixels; a room of a few metres.
        assert 0.65 < known.size / depth.size < 0.8
        assert np.percentile(known, 2) > 0.8
        assert np.percentile(known, 98) < 6.0
    ((_, _, disparity), *_) = messages_of(target, '/disparity')
    assert disparity.t == pytest.approx(0.11008, abs=1e-5)


def test_the_cloud_has_the_true_scale(euroc: Path, tmp_path: Path) -> None:
    """A chessboard stands in the room; its squares are 60 mm wide, by the data set's calibration.

    Their corners are found in the left image, and where they are in space by the cloud.
    """
    target = tmp_path / 'out'
    command = ['bag', str(euroc), str(target), '--set', 'rectify=true', '--quiet']
    assert main(command) == 0
    recorded = messages_of(euroc)
    infos = {
        topic: calibration_from_message(message)
        for topic, _, message in recorded
        if topic.endswith('camera_info')
    }
    left, right = infos['/left/camera_info'], infos['/right/camera_info']
    geometry = StereoGeometry.from_calibrations(left, right)
    assert geometry.baseline == pytest.approx(0.11008, abs=1e-5)
    raw = next(message for topic, _, message in recorded if topic == '/left/image_raw')
    image = np.empty((raw.height, raw.width), np.uint8)
    Rectifier(left).rectify(raw.data.reshape(image.shape), image)
    corners = chessboard_corners(image)
    ((_, _, message), *_) = messages_of(target, '/depth/image_rect')
    points = PointProjector(geometry).project(pixels_of(message))
    space = where_on_board(corners.reshape(-1, 2), points, geometry).reshape(6, 7, 3)
    edges = np.r_[
        np.linalg.norm(np.diff(space, axis=0), axis=2).ravel(),
        np.linalg.norm(np.diff(space, axis=1), axis=2).ravel(),
    ]
    # The board is 21.2 px of disparity away: 1/4 px in it is 1.2 %.
    assert np.median(edges) == pytest.approx(0.060, rel=0.025)


def chessboard_corners(image: np.ndarray) -> np.ndarray:
    """Return the (6, 7, 2) inner corners of the board, pixels."""
    # Twice the size, so that its small squares are found; pixel centres are whole numbers.
    larger = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    found, corners = cv2.findChessboardCornersSB(larger, (7, 6))
    assert found
    return (corners.reshape(6, 7, 2) - 0.5) / 2


def where_on_board(corners: np.ndarray, points: Points, geometry: StereoGeometry) -> np.ndarray:
    """Return the corners, (N, 3) metres, on the plane of the points between them."""
    x, y = points.columns, points.rows
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    on_board = (x > x0) & (x < x1) & (y > y0) & (y < y1)
    assert np.count_nonzero(on_board) > 1000
    # 1 / Z of a plane is linear in the pixel.
    pixels = np.c_[x, y, np.ones(len(x))][on_board]
    plane, *_ = np.linalg.lstsq(pixels, 1 / points.xyz[on_board, 2], rcond=None)
    z = 1 / (np.c_[corners, np.ones(len(corners))] @ plane)
    right = (corners[:, 0] - geometry.cx) * z / geometry.f
    down = (corners[:, 1] - geometry.cy) * z / geometry.f
    return np.c_[right, down, z]
