# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which calibration counts, and how often a file is read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rosbags')
pytest.importorskip('yaml')

from scenes import camera
import yaml

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages import calibration_cache
from stereo_depth_node.core.messages.content import camera_info_from_calibration
from stereo_depth_node.core.messages.library import CAMERA_INFO
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.messages import BagMessages, new_calibration_cache

MESSAGES = BagMessages()
PUBLISHED, IN_FILE = camera(320, 240, f=300.0), camera(320, 240, f=400.0)
ZEROS = dataclasses.replace(PUBLISHED, k=(0.0,) * 9, r=(0.0,) * 9, p=(0.0,) * 12)


def serialized(calibration: CameraCalibration) -> bytes:
    message = camera_info_from_calibration(MESSAGES, calibration, 'left')
    return bytes(MESSAGES.serialize(message, CAMERA_INFO))


def file_of(path: Path, known: CameraCalibration) -> str:
    content = {
        'image_width': known.width,
        'image_height': known.height,
        'distortion_coefficients': {'data': list(known.d)},
        'camera_matrix': {'data': list(known.k)},
        'rectification_matrix': {'data': list(known.r)},
        'projection_matrix': {'data': list(known.p)},
        'binning_x': known.binning_x,
        'roi': dict(zip(('x_offset', 'y_offset', 'width', 'height'), known.roi, strict=True)),
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


def cache_of(left: CameraCalibration) -> Any:
    cache = new_calibration_cache()
    cache.take(Side.LEFT, serialized(left))
    cache.take(Side.RIGHT, serialized(PUBLISHED))
    return cache


@pytest.mark.parametrize(
    ('published', 'rectify', 'f'),
    [
        (PUBLISHED, False, 300.0),
        (ZEROS, False, 400.0),
        (dataclasses.replace(PUBLISHED, k=(0.0,) * 9), False, 300.0),
        (dataclasses.replace(PUBLISHED, k=(0.0,) * 9), True, 400.0),
        (dataclasses.replace(ZEROS, k=PUBLISHED.k), True, 400.0),
    ],
)
def test_a_file_counts_where_the_camera_info_says_nothing(
    tmp_path: Path, published: CameraCalibration, rectify: bool, f: float
) -> None:
    cache = cache_of(published)
    settings = Settings(
        left_camera_info_url=file_of(tmp_path / 'left.yaml', IN_FILE), rectify=rectify
    )
    assert cache.current(settings).left.p[0] == f
    assert cache.current(settings).left_info.p[0] == f


def test_without_a_file_the_empty_camera_info_is_what_there_is() -> None:
    cache = cache_of(ZEROS)
    assert not cache.current(Settings()).left.is_calibrated


def test_binning_and_region_of_a_file_are_passed_on(tmp_path: Path) -> None:
    cut = dataclasses.replace(IN_FILE, binning_x=2, roi=(8, 4, 160, 120))
    cache = cache_of(ZEROS)
    settings = Settings(left_camera_info_url=file_of(tmp_path / 'left.yaml', cut))
    info = cache.current(settings).left_info
    assert (info.binning_x, info.roi.x_offset, info.roi.height) == (2, 8, 120)


def test_a_bad_file_is_read_again_only_after_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'left.yaml'
    path.write_text('not a calibration')
    read = []

    def load(url: str) -> CameraCalibration:
        read.append(url)
        return original(url)

    original = calibration_cache.load_calibration
    monkeypatch.setattr(calibration_cache, 'load_calibration', load)
    cache, settings = cache_of(ZEROS), Settings(left_camera_info_url=str(path))
    for _ in range(100):
        with pytest.raises(InputError, match=r'left\.yaml'):
            cache.current(settings)
    assert len(read) == 1
    file_of(path, IN_FILE)
    assert cache.current(settings).left.p[0] == 400.0
    assert len(read) == 2
