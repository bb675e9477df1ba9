# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth evaluate``: figures, table, JSON and pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import geometry_of, plane, scene_of

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.datasets.evaluation import evaluate_scene
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.offline.files.formats import pfm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a plane at 20 px in the layout of MiddEval3, of which the left half is hidden."""
    pair = scene_of(plane(200, 100, 20.0))
    path = tmp_path / 'plane'
    path.mkdir()
    for name, image in (('im0', pair.left), ('im1', pair.right)):
        assert cv2.imwrite(str(path / f'{name}.png'), image)
    (path / 'disp0GT.pfm').write_bytes(pfm(pair.disparity.astype(np.float32)))
    mask = np.full((100, 200), 255, np.uint8)
    mask[:, :100] = 128
    assert cv2.imwrite(str(path / 'mask0nocc.png'), mask)
    (path / 'calib.txt').write_text(
        'cam0=[500 0 99.5; 0 500 49.5; 0 0 1]\ncam1=[500 0 99.5; 0 500 49.5; 0 0 1]\n'
        'doffs=0\nbaseline=100\nwidth=200\nheight=100\n'
    )
    return path


def test_the_table_the_json_and_the_picture_hold_what_was_measured(folder, tmp_path, capsys):
    """Half a block is lost at each border, and the left band; the rest is right."""
    pytest.importorskip('matplotlib')
    fine = tmp_path / 'fine.yaml'
    fine.write_text('/**:\n  ros__parameters:\n    block_size: 5\n')
    wide = tmp_path / 'wide.yaml'
    wide.write_text('/**:\n  ros__parameters:\n    block_size: 21\n')
    report, pictures = tmp_path / 'report.json', tmp_path / 'pictures'
    status = main(
        [
            'evaluate', str(folder), '--params', str(fine), '--params', str(wide),
            '--set', 'num_disparities=32', '--set', 'uniqueness_ratio=0',
            '--json', str(report), '--picture', str(pictures),
        ]
    )  # fmt: skip
    assert status == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[3:]] == [['plane', 'fine'], ['plane', 'wide']]
    found = json.loads(report.read_text())
    assert [each['settings'] for each in found] == ['fine', 'wide']
    wide_figures = found[1]
    valid = (200 - 31 - 2 * 10) * (100 - 2 * 10) / (200 * 100)
    assert wide_figures['all']['density'] == pytest.approx(100 * valid, abs=0.1)
    assert wide_figures['all']['bad_2'] == pytest.approx(100 * (1 - valid), abs=0.1)
    assert wide_figures['all']['bad_2_estimated'] == pytest.approx(0, abs=0.1)
    # The mask leaves the right half, in which only the borders are lost.
    seen = 90 * 80 / (100 * 100)
    assert wide_figures['visible']['density'] == pytest.approx(100 * seen, abs=0.1)
    assert wide_figures['depth']['median_relative_error'] < 0.5
    assert wide_figures['uncertainty']['within_2'] > 90.0
    assert wide_figures['milliseconds'] > 0
    image = cv2.imread(str(pictures / 'plane.png'))
    assert min(image.shape[:2]) > 300


@pytest.mark.parametrize(
    ('option', 'name'),
    [('--json', 'figures.json'), ('--report', 'page.html'), ('--picture', 'plane.png')],
)
def test_what_is_there_is_replaced_with_overwrite_only(folder, tmp_path, capsys, option, name):
    pytest.importorskip('matplotlib')
    pytest.importorskip('jinja2')
    file = tmp_path / name
    file.write_text('of an earlier run')
    place = tmp_path if option == '--picture' else file
    arguments = ['evaluate', str(folder), '--num-disparities', '32', option, str(place)]
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ''  # before the work
    assert f'{file} exists' in printed.err
    assert file.read_text() == 'of an earlier run'
    assert main([*arguments, '--overwrite']) == 0
    assert b'of an earlier run' not in file.read_bytes()


def test_scenes_of_one_name_are_called_as_on_the_command_line(folder, tmp_path, capsys):
    half = tmp_path / 'half' / folder.name
    half.mkdir(parents=True)
    pair = scene_of(plane(100, 50, 10.0))
    for name, image in (('im0', pair.left), ('im1', pair.right)):
        assert cv2.imwrite(str(half / f'{name}.png'), image)
    (half / 'disp0GT.pfm').write_bytes(pfm(pair.disparity.astype(np.float32)))
    pictures, page = tmp_path / 'pictures', tmp_path / 'page.html'
    scenes = (str(folder), str(half))
    arguments = ['--num-disparities', '32', '--picture', str(pictures), '--report', str(page)]
    assert main(['evaluate', *scenes, *arguments]) == 0
    rows = capsys.readouterr().out.splitlines()[3:]
    assert [row.split()[0] for row in rows] == list(scenes)
    assert len(list(pictures.iterdir())) == 2
    assert all(f'<h2>{scene}</h2>' in page.read_text() for scene in scenes)


def test_the_coverage_of_each_scene_is_reported_with_the_rows_as_measured(
    folder, tmp_path, capsys
):
    """The left image is moved down by a quarter of a pixel, which the rows show."""
    pair = scene_of(plane(320, 240, 20.0))
    move = np.float32([[1, 0, 0], [0, 1, 0.25]])
    cv2.imwrite(str(folder / 'im0.png'), cv2.warpAffine(pair.left, move, (320, 240)))
    cv2.imwrite(str(folder / 'im1.png'), pair.right)
    (folder / 'disp0GT.pfm').write_bytes(pfm(pair.disparity.astype(np.float32)))
    (folder / 'mask0nocc.png').unlink()
    calibration = (folder / 'calib.txt').read_text()
    for old, new in (('width=200', 'width=320'), ('height=100', 'height=240')):
        calibration = calibration.replace(old, new)
    (folder / 'calib.txt').write_text(calibration)
    found = []
    for setting in ('0', '-1'):
        report = tmp_path / f'{setting}.json'
        arguments = ['--wide', '--set', f'rectification_sigma={setting}', '--json', str(report)]
        assert main(['evaluate', str(folder), *arguments]) == 0
        found.append(json.loads(report.read_text())[0]['uncertainty'])
    head, _, _, row = (line.split() for line in capsys.readouterr().out.splitlines()[:4])
    assert found[0]['row_sigma'] == pytest.approx(0.25, abs=0.05)
    assert float(row[head.index('rows')]) == pytest.approx(found[0]['row_sigma'], abs=0.01)
    assert float(row[head.index('row2s')]) == pytest.approx(
        found[0]['inliers_within_2_with_rows'], abs=0.1
    )
    # With -1 the setting is what was measured.
    assert found[1]['inliers_within_2'] == found[0]['inliers_within_2_with_rows']
    assert found[0]['inliers_within_2_with_rows'] >= found[0]['inliers_within_2']


def test_the_table_fits_a_terminal_and_leaves_out_what_no_scene_has(folder, capsys):
    """100 columns, for scenes with names of up to 14 letters; all figures come with --wide."""
    assert main(['evaluate', str(folder)]) == 0
    narrow = capsys.readouterr().out.splitlines()
    assert main(['evaluate', str(folder), '--wide']) == 0
    wide = capsys.readouterr().out.splitlines()
    heads = [lines[0].split() for lines in (narrow, wide)]
    assert heads[0] == [
        'scene', 'settings', 'bad2', 'est2', 'noc2', 'near', 'avg', 'dens', 'depth', 'in2s', 'time'
    ]  # fmt: skip
    assert {'bad0.5', 'bad1', 'bad4', 'rms', 'A90', '2s', 'row2s', *heads[0]} < set(heads[1])
    assert max(map(len, narrow)) <= 100 - (14 - len('plane'))
    values = [
        dict(zip(head, lines[3].split(), strict=True))
        for head, lines in zip(heads, (narrow, wide), strict=True)
    ]
    del values[0]['time']
    assert values[0].items() <= values[1].items()
    for name in ('calib.txt', 'mask0nocc.png'):
        (folder / name).unlink()
    assert main(['evaluate', str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == [
        'scene', 'settings', 'bad2', 'est2', 'near', 'avg', 'dens', 'time'
    ]  # fmt: skip


@pytest.mark.parametrize(('layout', 'axis'), [('side-by-side', 1), ('top-bottom', 0)])
def test_one_image_that_holds_both_is_evaluated_by_its_halves(folder, tmp_path, layout, axis):
    halves = [cv2.imread(str(folder / name), 0) for name in ('im0.png', 'im1.png')]
    both, found = tmp_path / 'both.png', []
    assert cv2.imwrite(str(both), np.concatenate(halves, axis))
    for images in ([str(folder / 'im0.png'), str(folder / 'im1.png')], [str(both)]):
        report = tmp_path / 'report.json'
        options = ['--layout', layout] if len(images) == 1 else []
        truth = ['--truth', str(folder / 'disp0GT.pfm'), '--json', str(report), '--overwrite']
        assert main(['evaluate', *images, *options, *truth]) == 0
        found.append(json.loads(report.read_text())[0]['all'])
    assert found[0] == found[1]
    assert found[0]['density'] > 30


def test_without_parameter_files_the_settings_are_those_of_the_command_line(folder, capsys):
    assert main(['evaluate', str(folder)]) == 0
    assert main(['evaluate', str(folder), '--set', 'block_size=9']) == 0
    rows = [line.split()[1] for line in capsys.readouterr().out.splitlines() if 'plane' in line]
    assert rows == ['default', 'set']


def test_files_of_one_name_are_told_apart_by_their_paths(folder, tmp_path, capsys):
    files = [tmp_path / place / 'params.yaml' for place in ('a', 'b')]
    for file in files:
        file.parent.mkdir()
        file.write_text('/**:\n  ros__parameters:\n    block_size: 9\n')
    arguments = ['evaluate', str(folder)]
    for file in files:
        arguments += ['--params', str(file)]
    assert main(arguments) == 0
    rows = [line.split()[1] for line in capsys.readouterr().out.splitlines()[3:]]
    assert rows == [str(file) for file in files]


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['no_such_folder'], 'neither a folder nor a file'),
        (['{folder}', '--params', 'no_such.yaml'], 'no_such.yaml'),
        (['{folder}', '--set', 'num_disparities=17'], 'set it to 16 or 32'),
        (['{folder}', '--layout', 'top-bottom'], 'goes with --truth'),
        (
            ['{folder}/im0.png', '{folder}/im1.png', '--layout', 'top-bottom', '--truth', 'x'],
            'give the one image that holds both',
        ),
        (['{folder}', '--set', 'num_disparities=256'], 'reduce num_disparities'),
        (['{folder}/im0.png', '{folder}/im1.png'], 'name it, too, with --truth FILE'),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_line(folder, capsys, arguments, words):
    assert main(['evaluate', *(text.format(folder=folder) for text in arguments)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count('\n') == 1


def test_a_scene_without_truth_cannot_be_evaluated():
    pair = scene_of(plane(160, 120, 20.0))
    with pytest.raises(InputError, match='no ground truth'):
        evaluate_scene(Scene('scene', pair.left, pair.right, None), Settings(), 'default')


@pytest.mark.parametrize('factor', [2, 4])
def test_reduced_results_are_compared_at_full_size(factor):
    """Each disparity counts for the pixels it was computed from, in their unit."""
    pair = scene_of(plane(320, 200, 40.0), finest_px=10.0)
    truth = pair.disparity.astype(np.float32)
    scene = Scene('plane', pair.left, pair.right, truth, None, geometry_of(320, 200))
    settings = Settings(downscale=factor, block_size=5)
    found = evaluate_scene(scene, settings, 'reduced', repeats=1)
    assert found.disparity.shape == truth.shape
    assert found.all.bad_estimated[2.0] < 2.0
    assert found.all.density > 50.0
    assert found.depth.median_relative_error < 2.0


def test_settings_for_live_images_do_not_empty_a_single_pair():
    pair = scene_of(plane(160, 120, 20.0))
    scene = Scene('plane', pair.left, pair.right, pair.disparity.astype(np.float32))
    live = Settings(temporal_max_diff=1, rectify=True)
    figures = [evaluate_scene(scene, each, '').all.density for each in (Settings(), live)]
    assert figures[0] == figures[1] > 30.0
