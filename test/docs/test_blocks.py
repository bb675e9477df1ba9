# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every block of code in the README and in docs works, or says why nobody tried it."""

from __future__ import annotations

from pathlib import Path
import shutil

import pytest

pytest.importorskip('mcap', reason='mcap is not installed')
pytest.importorskip('rosbags', reason='rosbags is not installed')
pytest.importorskip('skimage', reason='scikit-image is not installed')

from bags import write_bag
from blocks import Block, blocks_of, check_output, PAGES, Reader, ROOT, TRIED
from chessboards import BASELINE, K, write_pairs
import cv2
import numpy as np

from stereo_depth_node.core.camera.calibration_file import load_calibration


@pytest.fixture(scope='module')
def given(tmp_path_factory, small_motorcycle) -> Path:
    """Return a folder with what a reader has: two images, a recording."""
    folder = tmp_path_factory.mktemp('given')
    for name in ('left', 'right'):
        for file in (f'{name}.png', f'{name.upper()}.png'):
            cv2.imwrite(str(folder / file), getattr(small_motorcycle, name))
    write_pairs(folder / 'chessboard')
    for name in ('left', 'right'):
        shutil.copy(folder / f'chessboard/{name}00.png', folder / f'raw_{name}.png')
    for name in ('recording', 'RECORDING', 'IN'):
        write_bag(folder / name, 4)
    return folder


@pytest.fixture
def reader(given, tmp_path, capsys, monkeypatch) -> Reader:
    """Return somebody who stands in a folder of their own."""
    # Copies: the pages write files of these names, too.
    shutil.copytree(given, tmp_path, dirs_exist_ok=True)
    (tmp_path / 'config').symlink_to(ROOT / 'config')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('COLUMNS', '80')
    monkeypatch.setenv('MPLBACKEND', 'Agg')

    def printed() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    return Reader(printed)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_what_a_page_says_works_as_written(page, reader, tmp_path):
    for block in blocks_of(page):
        if block.language in TRIED and not block.reason:
            try:
                reader.follow(block)
            except Exception as error:
                raise AssertionError(f'{block.place}: {error!r}') from error
    if page.name == 'calibration.md':
        assert_cameras_are_found(tmp_path)


def assert_cameras_are_found(folder: Path) -> None:
    """Compare what the page on calibration has found with the cameras that saw the chessboards."""
    left, right = (load_calibration(folder / f'{name}.yaml') for name in ('left', 'right'))
    # 12 pictures without noise: OpenCV is better than this by far with the true board.
    np.testing.assert_allclose(left.k, K.ravel(), atol=4.0)
    np.testing.assert_allclose(-right.p[3] / right.p[0], BASELINE, rtol=0.01)


def test_a_block_that_does_not_work_is_found(reader, tmp_path):
    for language, text in [
        ('bash', 'stereo_depth images no_such.png no_such.png\n'),
        ('bash', 'stereo_depth images left.png right.png > file\n'),
        ('bash', 'frobnicate\n'),
        ('bash', 'ros2 param set /node block_size 4\n'),
        ('bash', 'ros2 topic hz /no_such\n'),
        ('bash', 'ros2 launch stereo_depth_node depth.launch.py no_such:=1\n'),
        ('bash', "pip install '.[no_such]'\n"),
        ('bash', 'scripts/no_such\n'),
        ('console', '$ ros2 param set /node block_size 5\nSetting parameter failed: ...\n'),
        ('python', 'from stereo_depth_node.core import NoSuch\n'),
        ('yaml', 'stereo_depth_node:\n  ros__parameters:\n    block_size: 4\n'),
    ]:
        with pytest.raises(Exception):  # noqa: B017, PT011 - each fails in its own way
            reader.follow(Block(tmp_path, 1, language, text))


def test_an_output_is_compared_but_for_what_is_left_out():
    check_output('command', 'density ... %\n', 'first\ndensity  81.5 %\nlast\n')
    with pytest.raises(AssertionError, match='not what the page shows'):
        check_output('command', 'density 80 %\n', 'density 81.5 %\n')


def test_blocks_are_found_with_language_line_and_reason(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('# A\n\n```bash\na\n```\n\n<!-- not run: b is away -->\n```python\nb\n```\n')
    assert list(blocks_of(page)) == [
        Block(page, 3, 'bash', 'a\n'),
        Block(page, 8, 'python', 'b\n', 'b is away'),
    ]
