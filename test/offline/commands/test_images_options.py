# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth images``: what its options and names choose, and how it refuses them."""

from __future__ import annotations

from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('matplotlib', reason='pictures are drawn with matplotlib')

from image_pairs import run, write_pair
from scenes import plane, scene_of

from stereo_depth_node.offline.cli import main


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
