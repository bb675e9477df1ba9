# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth tune``: from a scene or a pair to a file that the node loads."""

from __future__ import annotations

import os
from pathlib import Path
import re

import cv2
import numpy as np
import pytest
from scenes import scene_of, tilted_plane
import yaml

from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.core.tuning import tuner
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.files.formats import pfm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a tilted plane from 20 to 36 px, in the layout of Middlebury 2014."""
    pair = scene_of(tilted_plane(220, 100, 20.0, 36.0), seed=5)
    path = tmp_path / 'scene'
    path.mkdir()
    for name, image in (('im0', pair.left), ('im1', pair.right)):
        assert cv2.imwrite(str(path / f'{name}.png'), image)
    (path / 'disp0.pfm').write_bytes(pfm(pair.disparity.astype(np.float32)))
    return path


@pytest.fixture
def only_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """End the search when it has found the range of disparities."""
    monkeypatch.setattr(tuner, 'candidates_of', lambda settings: ())


def test_the_file_holds_settings_that_the_node_loads_and_that_find_the_scene(
    folder, tmp_path, capsys
):
    output = tmp_path / 'tuned.yaml'
    options = ['--num-disparities', '16', '--set', 'max_depth=9.5', '--budget', '1000', '--quiet']
    assert main(['tune', str(folder), *options, '--output', str(output)]) == 0
    found = load_settings(output)
    assert found.min_disparity == 0
    assert found.num_disparities > 36
    assert found.max_depth == 9.5
    said = capsys.readouterr().out
    assert 'disparity range' in said
    assert 'num_disparities' in said
    assert str(output) in said
    assert 'Found by stereo_depth tune for scene.' in output.read_text()
    # Nothing but what is not as by default, and it is enough.
    lines = [line.strip() for line in output.read_text().splitlines() if line.startswith('    ')]
    names = [line.partition(':')[0] for line in lines]
    changed = [
        name for name, known in known_parameters().items() if getattr(found, name) != known.default
    ]
    assert names == changed


@pytest.mark.usefixtures('only_the_range')
@pytest.mark.parametrize(
    ('options', 'criterion'),
    [
        ([], 'missing and, weighed, wrong pixels'),
        (['--complete'], 'missing and wrong pixels'),
        (['--ground-truth'], 'missing and, weighed, wrong pixels by ground truth'),
        (['--complete', '--ground-truth'], 'missing and wrong pixels by ground truth'),
    ],
)
def test_the_criterion_is_said_and_only_complete_disparities_begin_at_the_farthest_thing(
    folder, tmp_path, capsys, options, criterion
):
    output = tmp_path / 'tuned.yaml'
    common = ['--budget', '1000', '--quiet', '--output', str(output)]
    assert main(['tune', str(folder), *common, *options]) == 0
    found = load_settings(output)
    assert f'{criterion}: cost' in capsys.readouterr().out
    assert found.min_disparity + found.num_disparities > 36
    if '--complete' in options:
        # The left border of 20 px, where the farthest thing is, has no match.
        assert 15 <= found.min_disparity <= 22
    else:
        assert found.min_disparity == 0


def test_what_the_settings_give_is_said_with_units_and_stands_in_the_file(
    folder, tmp_path, capsys
):
    """A plane from 20 to 36 px: with f = 500 px and 0.1 m, from 1.39 to 2.5 m."""
    (folder / 'calib.txt').write_text(
        'cam0=[500 0 109.5; 0 500 49.5; 0 0 1]\ncam1=[500 0 109.5; 0 500 49.5; 0 0 1]\n'
        'doffs=0\nbaseline=100\nwidth=220\nheight=100\n'
    )
    output = tmp_path / 'tuned.yaml'
    assert main(['tune', str(folder), '--budget', '1000', '--quiet', '--output', str(output)]) == 0
    said = capsys.readouterr().out
    figures = {
        key: re.search(rf'^{key} +([\d.]+) {unit}(?: |$)', said, re.MULTILINE)
        for key, unit in (
            ('density', '%'), ('wrong', '%'), ('near ghosts', '%'),
            ('nearest', 'm'), ('farthest', 'm'), ('time', 'ms'),
        )
    }  # fmt: skip
    assert all(figures.values()), said
    found = {key: float(match[1]) for key, match in figures.items()}
    assert found['density'] > 60
    assert found['near ghosts'] < 2
    assert found['nearest'] == pytest.approx(50 / 36, rel=0.1)
    assert found['farthest'] == pytest.approx(50 / 20, rel=0.1)
    for line in said.splitlines():
        if line.startswith(tuple(figures)):
            assert f'# {line}' in output.read_text()


@pytest.mark.parametrize(
    ('options', 'least', 'most'),
    [
        (['--narrow'], 10, 22),
        (['--infinity', '-7'], -7, -7),
        (['--complete', '--infinity', '0'], 0, 0),
    ],
)
@pytest.mark.usefixtures('only_the_range')
def test_the_range_begins_at_infinity_unless_asked_for_otherwise(
    folder, tmp_path, options, least, most
):
    output = tmp_path / 'tuned.yaml'
    common = ['--budget', '1000', '--quiet', '--output', str(output)]
    assert main(['tune', str(folder), *common, *options]) == 0
    assert least <= load_settings(output).min_disparity <= most


@pytest.mark.usefixtures('only_the_range')
@pytest.mark.usefixtures('only_the_range')
@pytest.mark.parametrize('is_raw', [False, True])
def test_the_calibration_of_two_images_says_where_infinity_is_and_rectifies_raw_ones(
    folder, tmp_path, capsys, is_raw
):
    """With cx_left 7 px above cx_right a plane from 20 to 36 px has 13 to 29 px from infinity."""
    files, options = [], ['--rectify', 'true'] if is_raw else []
    for name, side, cx, tx in (('im0', 'left', 110.0, 0.0), ('im1', 'right', 103.0, -50.0)):
        image = cv2.imread(str(folder / f'{name}.png'), cv2.IMREAD_GRAYSCALE)
        if is_raw:  # upside down, with its principal point
            cv2.imwrite(str(folder / f'{name}.png'), image[::-1, ::-1])
        matrix = {'rows': 3, 'cols': 3}
        content = {
            'image_width': 220,
            'image_height': 100,
            'distortion_model': 'plumb_bob',
            'camera_matrix': {**matrix, 'data': [500, 0, 219 - cx, 0, 500, 49.5, 0, 0, 1]},
            'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': [0.0] * 5},
            'rectification_matrix': {**matrix, 'data': [-1, 0, 0, 0, -1, 0, 0, 0, 1]},
            'projection_matrix': {
                'rows': 3,
                'cols': 4,
                'data': [500, 0, cx, tx, 0, 500, 49.5, 0, 0, 0, 1, 0],
            },
        }
        files.append(tmp_path / f'{side}.yaml')
        files[-1].write_text(yaml.safe_dump(content))
    output = tmp_path / 'tuned.yaml'
    images = [str(folder / 'im0.png'), str(folder / 'im1.png')]
    common = ['--budget', '1000', '--quiet', '--output', str(output), *options]
    assert main(['tune', *images, *common, '--calib', *map(str, files)]) == 0
    assert load_settings(output).min_disparity == 7
    nearest = re.search(r'^nearest +([\d.]+) m ', capsys.readouterr().out, re.MULTILINE)
    assert float(nearest[1]) == pytest.approx(50 / 29, rel=0.1)


def test_a_rate_that_cannot_be_held_reduces_the_images_and_is_said(folder, tmp_path, capsys):
    output = tmp_path / 'tuned.yaml'
    common = ['--budget', '1000', '--quiet', '--output', str(output)]
    assert main(['tune', str(folder), *common, '--rate', '1e6']) == 0
    assert load_settings(output).downscale > 1
    assert 'No settings were found that hold 1e+06 Hz' in capsys.readouterr().out


def test_two_images_or_one_that_holds_both_are_tuned_as_the_scene_they_are_of(
    folder, tmp_path, capsys
):
    images = [str(folder / name) for name in ('im0.png', 'im1.png')]
    halves = [cv2.imread(image, 0) for image in images]
    wide, high = str(tmp_path / 'wide.png'), str(tmp_path / 'high.png')
    assert cv2.imwrite(wide, np.hstack(halves))
    assert cv2.imwrite(high, np.vstack(halves))
    sources = (
        [str(folder)],
        images,
        [wide, '--layout', 'side-by-side'],
        [high, '--layout', 'top-bottom'],
    )
    said = []
    # The start alone is scored: the images are the same if the figures are.
    common = ['--budget', '1e-9', '--quiet', '--num-disparities', '48', '--output']
    for number, source in enumerate(sources):
        assert main(['tune', *source, *common, str(tmp_path / f'{number}.yaml')]) == 0
        lines = capsys.readouterr().out.splitlines()
        said.append([line for line in lines if line.startswith(('density', 'wrong', 'nearest'))])
    assert len(said[0]) == 3
    assert said == [said[0]] * 4


@pytest.mark.usefixtures('only_the_range')
def test_the_start_is_taken_from_parameter_file_and_options(folder, tmp_path):
    start = tmp_path / 'start.yaml'
    start.write_text('/**:\n  ros__parameters:\n    depth_encoding: 16UC1\n    queue_size: 3\n')
    output = tmp_path / 'tuned.yaml'
    arguments = ['tune', str(folder), '--params', str(start), '--set', 'sync_tolerance=0.5']
    assert main([*arguments, '--output', str(output), '--budget', '1000', '--quiet']) == 0
    found = load_settings(output)
    assert (found.depth_encoding, found.queue_size, found.sync_tolerance) == ('16UC1', 3, 0.5)


def test_a_budget_that_is_used_up_still_gives_a_file_and_says_so(folder, tmp_path, capsys):
    output = tmp_path / 'tuned.yaml'
    assert main(['tune', str(folder), '--budget', '1e-9', '--output', str(output)]) == 0
    assert 'used up' in capsys.readouterr().out
    assert load_settings(output) == Settings()


@pytest.mark.usefixtures('only_the_range')
def test_a_recording_is_tuned_by_pairs_from_all_over_it_and_its_range_reaches_to_infinity(
    tmp_path, capsys
):
    pytest.importorskip('rosbags')
    recordings = pytest.importorskip('bags')
    bag = recordings.write_bag(tmp_path / 'bag', 8)
    output = tmp_path / 'tuned.yaml'
    arguments = ['tune', str(bag), '--pairs', '3', '--output', str(output), '--quiet']
    assert main([*arguments, '--budget', '1000']) == 0
    assert 'bag (3 pairs)' in output.read_text()
    assert load_settings(output).min_disparity <= 0
    assert 'disparity range' in capsys.readouterr().out
    # Of several cameras in it one can be named.
    again = [*arguments, '--overwrite', '--budget', '1e-9']
    assert main([*again, '--left', '/left/image_rect', '--right', '/right/image_rect']) == 0
    assert main([*again, '--left', '/nothing', '--right', '/right/image_rect']) == 2
    assert '/nothing' in capsys.readouterr().err
    # Of one that was cut short what is legible counts, which is said.
    file = bag / 'bag.mcap'
    os.truncate(file, file.stat().st_size * 3 // 4)
    assert main([*again, '--output', str(output)]) == 0
    assert 'messages could be read' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['{folder}/im0.png', '{folder}/nothing.png'], 'nothing.png is missing'),
        (['{folder}/im0.png', '{folder}/disp0.pfm', '{folder}/im1.png'], 'one scene, one bag'),
        (['{folder}/im0.png'], 'the --layout of a file that holds both'),
        (
            ['{folder}/im0.png', '{folder}/im1.png', '--layout', 'top-bottom'],
            'give one that holds both',
        ),
        (['{folder}/im0.png', '{folder}/im1.png', '--ground-truth'], 'has no ground truth'),
        (['{folder}', '--calib', 'x'], 'name two images'),
        (['{folder}/im0.png', '{folder}/im1.png', '--rectify', 'true'], 'no calibration has'),
        (['{folder}', '--budget', '0'], '--budget is 0'),
        (['{folder}', '--clean', '-3'], '--clean is -3'),
        (['{folder}', '--rate', '-1'], '--rate is -1'),
        (['{folder}', '--seed', '-1'], '--seed is -1'),
        (['{folder}', '--infinity', 'nan'], '--infinity is nan'),
        (['{folder}', '--output', '{folder}/im0.png'], 'exists'),
        (['{folder}', '--set', 'nonsense=1'], 'no setting nonsense'),
    ],
)
def test_what_cannot_be_tuned_is_said_in_one_line_and_writes_nothing(
    folder, capsys, monkeypatch, tmp_path, arguments, words
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob('*'))
    assert main(['tune', '--quiet', *(text.format(folder=folder) for text in arguments)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count('\n') == 1
    assert sorted(tmp_path.rglob('*')) == before
