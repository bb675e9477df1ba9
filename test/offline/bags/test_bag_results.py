# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth bag`` and what is there already: kept or replaced, and never half."""

from __future__ import annotations

import os
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import content_hash, messages_of, OPENCV, run_bag, write_bag
from terminals import run_on_terminal

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures('without_findings')


def test_an_existing_result_is_kept_unless_it_may_be_replaced(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 2)
    assert run_bag(source, tmp_path / 'out') == 0
    before = content_hash(tmp_path / 'out')
    assert run_bag(source, tmp_path / 'out', '--set', 'num_disparities=32') == 2
    assert 'exists' in capsys.readouterr().err
    assert content_hash(tmp_path / 'out') == before
    assert run_bag(source, tmp_path / 'out', '--set', 'num_disparities=32', '--overwrite') == 0
    assert content_hash(tmp_path / 'out') != before


def test_a_folder_that_is_no_recording_is_never_replaced(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    (tmp_path / 'home').mkdir()
    (tmp_path / 'home' / 'thesis.tex').write_text('all my work')
    assert run_bag(source, tmp_path / 'home', '--overwrite') == 2
    assert (tmp_path / 'home' / 'thesis.tex').read_text() == 'all my work'
    assert 'no recording' in capsys.readouterr().err


def test_the_recording_that_is_read_is_never_the_one_written(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    assert run_bag(source, source, '--overwrite') == 2
    assert 'what is read' in capsys.readouterr().err
    report = source / 'in.mcap'
    assert run_bag(source, tmp_path / 'out', '--report', report, '--overwrite') == 2
    assert 'what is read' in capsys.readouterr().err
    assert len(messages_of(source)) == 4


@pytest.mark.parametrize('place', ['.', '..', 'a/..'])
def test_a_folder_without_a_name_of_its_own_is_no_result(
    tmp_path: Path, monkeypatch: Any, capsys: Any, place: str
) -> None:
    source = write_bag(tmp_path / 'in', 1)
    (tmp_path / 'work').mkdir()
    monkeypatch.chdir(tmp_path / 'work')
    assert run_bag(source, place, '--overwrite') == 2
    assert capsys.readouterr().err.count('\n') == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ['in', 'work']


def test_a_namespace_that_no_topic_can_have_is_refused(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    for name in ('my cam', '/a//b', '0cam', 'a-b'):
        assert run_bag(source, tmp_path / 'out', '--namespace', name) == 2
        assert '--namespace' in capsys.readouterr().err
    assert run_bag(source, tmp_path / 'out', '--namespace', 'stereo/front/') == 0
    assert messages_of(tmp_path / 'out', '/stereo/front/depth/image_rect')


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='limits of file sizes are a matter of POSIX')
@pytest.mark.parametrize('processes', [1, 2])
def test_a_disk_that_is_full_gives_one_line_and_no_half_result(
    tmp_path: Path, processes: int
) -> None:
    source = write_bag(tmp_path / 'in', 40)
    program = (
        'import resource, sys\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n'
        'from stereo_depth_node.offline.bags import plan\n'
        'from stereo_depth_node.offline.cli import main\n'
        'plan.part_size = lambda expected_pairs: 20\n'
        'if __name__ == "__main__":\n'
        '    sys.exit(main(sys.argv[1:]))\n'
    )
    script = tmp_path / 'limited.py'
    script.write_text(program)
    done = subprocess.run(
        [
            sys.executable,
            str(script),
            *('bag', str(source), str(tmp_path / 'out'), '--quiet'),
            *('--processes', str(processes)),
            *OPENCV,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count('\n') == 1
    assert 'cannot write' in done.stderr
    assert not list(tmp_path.glob('out*'))


def test_a_place_that_cannot_be_written_to_gives_one_line(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    (tmp_path / 'file').write_text('')
    assert run_bag(source, tmp_path / 'file' / 'out') == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert 'cannot write' in error


def test_a_terminal_sees_rate_and_remaining_time(tmp_path: Path) -> None:
    pytest.importorskip('rich', reason='progress bars are those of rich')
    source = write_bag(tmp_path / 'in', 20)
    command = ('bag', str(source), str(tmp_path / 'out'), '--processes', '1', *OPENCV)
    printed, seen = run_on_terminal(
        [sys.executable, '-m', 'stereo_depth_node.offline.cli', *command],
        {**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    seen = re.sub(r'\x1b\[[\d;?]*[A-Za-z]', '', seen)
    assert '20 of 20 pairs' in seen
    assert re.search(r'\d/s', seen)
    assert re.search(r'\d:\d\d:\d\d left', seen)
    # And the result is told where it can be piped to.
    assert '20 of 20 pairs computed' in printed
