# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth inspect``: what it reports of recordings, with the causes of the node."""

from __future__ import annotations

import os
from pathlib import Path
import re
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import moving_scenes, stereo_tape, Tape, write_bag
from scenes import plane, scene_of, StereoScene

from stereo_depth_node.core.health import rectification_report
from stereo_depth_node.offline.cli import main

WIDE = moving_scenes(2, 320, 240)


def said(path: Path, capsys: Any, *options: str) -> str:
    """Return what the tool prints."""
    assert main(['inspect', str(path), *options]) == 0
    return capsys.readouterr().out


def test_a_healthy_recording_is_described(tmp_path: Path, capsys: Any) -> None:
    text = said(write_bag(tmp_path / 'in', 10, scenes=WIDE), capsys)
    assert re.search(r'/left/image_rect +10 +20\.0 Hz +sensor_msgs/msg/Image', text)
    assert '320x240 mono8, 10 images, 20.00 Hz, recorded +1.0 ms after their stamps' in text
    assert 'pairs         10, right stamps +0.000 ms' in text
    assert 'f 200.00 px, baseline 0.10000 m' in text
    assert 'depth flows' in text
    assert 'WARN' not in text
    assert 'ERROR' not in text


def test_offset_and_gaps_are_measured(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(20, skew_ns=3_000_000)
    lefts = [each for each in tape.messages if each[0] == '/left/image_rect']
    for lost in lefts[5:9]:
        tape.messages.remove(lost)
    text = said(tape.write(tmp_path / 'in'), capsys)
    assert 'right stamps +3.000 ms from left ones (+3.000 to +3.000)' in text
    assert '4 missing in 1 gaps (4 at 0.20 s)' in text
    assert re.search(r'WARN +\d+ of 36 images found no partner', text)


def test_stamps_too_far_apart_are_said_with_the_cure(tmp_path: Path, capsys: Any) -> None:
    text = said(write_bag(tmp_path / 'in', 10, skew_ns=20_000_000), capsys)
    assert re.search('ERROR .*20.0 ms apart.*set sync_tolerance to 0.024', text)


def test_a_recording_without_calibration_says_so(tmp_path: Path, capsys: Any) -> None:
    text = said(write_bag(tmp_path / 'in', 5, with_info=False), capsys)
    assert 'ERROR no calibration' in text
    assert '/left/camera_info' in text


def test_rows_that_do_not_line_up_are_measured(tmp_path: Path, capsys: Any) -> None:
    scene = WIDE[0]
    shifted = StereoScene(scene.left, np.roll(scene.right, 2, axis=0), scene.disparity)
    text = said(write_bag(tmp_path / 'in', 5, scenes=[shifted]), capsys)
    found = re.search(r'rows +([-+.\d]+) px apart', text)
    assert found is not None
    assert float(found[1]) == pytest.approx(-2.0, abs=0.1)
    assert 'WARN  rows are 2.0 px apart' in text


def test_a_camera_that_was_turned_is_found(tmp_path: Path, capsys: Any) -> None:
    """A turn about the middle leaves the median of the rows at 0."""
    scene = WIDE[0]
    height, width = scene.right.shape
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -1.0, 1.0)
    right = cv2.warpAffine(scene.right, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    turned = StereoScene(scene.left, right, scene.disparity)
    text = said(write_bag(tmp_path / 'in', 5, scenes=[turned]), capsys)
    found = re.search(
        r'a rotation of ([.\d]+) degrees \(the right image is turned clockwise', text
    )
    assert found is not None
    assert float(found[1]) == pytest.approx(1.0, abs=0.1)
    assert 'swapped' not in text


def test_the_points_of_a_pair_are_looked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    matched = Mock(wraps=rectification_report.match_corners)
    monkeypatch.setattr(rectification_report, 'match_corners', matched)
    said(write_bag(tmp_path / 'in', 2, scenes=WIDE), capsys)
    assert matched.call_count == 2


def test_swapped_cameras_are_found(tmp_path: Path, capsys: Any) -> None:
    scene = WIDE[0]
    swapped = StereoScene(scene.right, scene.left, -scene.disparity)
    text = said(write_bag(tmp_path / 'in', 5, scenes=[swapped]), capsys)
    assert 'the cameras are swapped' in text


def test_settings_are_suggested_that_hold_the_scene(tmp_path: Path, capsys: Any) -> None:
    scenes = [scene_of(plane(480, 200, disparity)) for disparity in (20.0, 90.0)]
    text = said(write_bag(tmp_path / 'in', 4, scenes=scenes), capsys)
    values = dict(re.findall(r'--set (\w+)=(\S+)', text))
    low = int(values.get('min_disparity', '0'))
    assert low <= 20
    assert low + int(values['num_disparities']) > 90


def test_all_cameras_are_looked_at_unless_one_is_named(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(2)
    tape.messages = [
        (f'/{place}{topic}', kind, bag_ns, data)
        for topic, kind, bag_ns, data in tape.messages
        for place in ('front', 'rear')
    ]
    source = tape.write(tmp_path / 'in')
    assert said(source, capsys).count('Stereo camera') == 2
    options = ('--left', '/rear/left/image_rect', '--right', '/rear/right/image_rect')
    assert said(source, capsys, *options).count('Stereo camera') == 1


def test_raw_images_are_looked_at_rectified(tmp_path: Path, capsys: Any) -> None:
    text = said(write_bag(tmp_path / 'in', 4, suffix='image_raw'), capsys)
    assert 'rectified here' in text
    assert '--set rectify=true' in text


def test_a_damaged_recording_is_inspected_as_far_as_it_goes(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')
    source = write_bag(tmp_path / 'in', 20, scenes=WIDE)
    file = source / 'in.mcap'
    os.truncate(file, file.stat().st_size // 2)
    text = said(source, capsys)
    assert 'cut short or illegible' in text
    assert 'Stereo camera' in text


def test_a_recording_without_images_lists_what_it_has(tmp_path: Path, capsys: Any) -> None:
    tape = Tape()
    tape.messages = [each for each in stereo_tape(2).messages if each[1].endswith('CameraInfo')]
    assert main(['inspect', str(tape.write(tmp_path / 'in'))]) == 2
    assert 'it has no image topic, only /left/camera_info' in capsys.readouterr().err


def test_an_image_without_partner_at_either_end_is_no_gap(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(6)
    del tape.messages[2]  # the first left image
    text = said(tape.write(tmp_path / 'in'), capsys)
    assert 'missing in' not in text
