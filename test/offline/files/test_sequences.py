# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of a sequence are paired by the numbers in their names, and never shifted."""

from __future__ import annotations

from pathlib import Path

import pytest

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.files.sequences import find_pairs


def _made(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b'')


def _pairs(folder: Path, left: str, right: str) -> tuple[list[tuple[str, str]], list[str]]:
    pairs, alone = find_pairs([str(folder / left)], [str(folder / right)])
    return [(one.name, other.name) for one, other in pairs], [path.name for path in alone]


def test_a_missing_image_shifts_nothing_and_its_partner_is_named(tmp_path: Path) -> None:
    _made(tmp_path, *(f'l_{n}.png' for n in (1, 2, 3, 10)), *(f'r_{n}.png' for n in (1, 3, 4, 10)))
    pairs, alone = _pairs(tmp_path, 'l_*.png', 'r_*.png')
    assert pairs == [('l_1.png', 'r_1.png'), ('l_3.png', 'r_3.png'), ('l_10.png', 'r_10.png')]
    assert alone == ['l_2.png', 'r_4.png']


def test_numbers_of_the_camera_or_the_folder_do_not_count(tmp_path: Path) -> None:
    _made(tmp_path, *(f'image_2/{n:06d}_10.png' for n in (0, 1)))
    _made(tmp_path, *(f'image_3/{n:06d}_10.png' for n in (1, 2)))
    pairs, alone = _pairs(tmp_path, 'image_2/*.png', 'image_3/*.png')
    assert pairs == [('000001_10.png', '000001_10.png')]
    assert alone == ['000000_10.png', '000002_10.png']


def test_of_two_numbers_that_count_both_do(tmp_path: Path) -> None:
    names = [(scene, n) for scene in (1, 2) for n in (1, 2)]
    _made(tmp_path, *(f'scene{scene}/left_{n}.png' for scene, n in names))
    _made(tmp_path, *(f'scene{scene}/right_{n}.png' for scene, n in names[1:]))
    pairs, alone = find_pairs(
        [str(tmp_path / 'scene*/left_*.png')], [str(tmp_path / 'scene*/right_*.png')]
    )
    assert all(one.parent == other.parent for one, other in pairs)
    assert len(pairs) == 3
    assert [path.name for path in alone] == ['left_1.png']


def test_names_without_numbers_are_paired_in_their_order(tmp_path: Path) -> None:
    _made(tmp_path, 'l/a.png', 'l/b.png', 'r/c.png', 'r/d.png')
    assert _pairs(tmp_path, 'l/*.png', 'r/*.png')[0] == [('a.png', 'c.png'), ('b.png', 'd.png')]
    _made(tmp_path, 'r/e.png')
    with pytest.raises(InputError, match=r'2 files, .* are 3'):
        _pairs(tmp_path, 'l/*.png', 'r/*.png')


def test_sequences_that_share_no_number_are_refused(tmp_path: Path) -> None:
    _made(tmp_path, 'l1.png', 'l2.png', 'r3.png', 'r4.png')
    with pytest.raises(InputError, match='no left image has the number'):
        _pairs(tmp_path, 'l*.png', 'r*.png')
