# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth bag`` and what is there already: stopped, resumed, kept, replaced."""

from __future__ import annotations

import os
from pathlib import Path
import re
import struct
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import (
    content_hash,
    messages_of,
    run_bag,
    write_bag,
)

from stereo_depth_node.offline.bags import schedule
from stereo_depth_node.offline.bags.compute import compute_part

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.usefixtures('small_parts')
def test_a_job_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    source = write_bag(tmp_path / 'in', 100)
    assert run_bag(source, tmp_path / 'whole') == 0
    computed: list[int] = []

    def stopping(task: Any) -> Any:
        if task.plan.index == 2:
            raise KeyboardInterrupt
        computed.append(task.plan.index)
        return compute_part(task)

    monkeypatch.setattr(schedule, 'compute_part', stopping)
    assert run_bag(source, tmp_path / 'out') == 130
    assert not (tmp_path / 'out').exists()
    assert computed == [0, 1]

    def counting(task: Any) -> Any:
        computed.append(task.plan.index)
        return compute_part(task)

    monkeypatch.setattr(schedule, 'compute_part', counting)
    assert run_bag(source, tmp_path / 'out') == 2
    assert '--resume' in capsys.readouterr().err
    assert run_bag(source, tmp_path / 'out', '--resume') == 0
    assert computed == [0, 1, 2, 3]
    assert content_hash(tmp_path / 'out') == content_hash(tmp_path / 'whole')
    assert not (tmp_path / 'out.partial').exists()
    # Once more: it is there, and nothing is done, which is said.
    capsys.readouterr()
    assert run_bag(source, tmp_path / 'out', '--resume') == 0
    assert computed == [0, 1, 2, 3]
    printed = capsys.readouterr().out
    assert printed.startswith(f'{source}: nothing was left to do\n')
    assert 'left as it is, whatever the settings: --overwrite' in printed


@pytest.mark.usefixtures('small_parts')
def test_a_job_is_not_resumed_with_other_settings(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    source = write_bag(tmp_path / 'in', 40)

    def stopping(task: Any) -> Any:
        if task.plan.index == 1:
            raise KeyboardInterrupt
        return compute_part(task)

    monkeypatch.setattr(schedule, 'compute_part', stopping)
    assert run_bag(source, tmp_path / 'out') == 130
    monkeypatch.undo()
    assert run_bag(source, tmp_path / 'out', '--resume', '--set', 'block_size=21') == 2
    assert 'begun with other settings' in capsys.readouterr().err
    assert run_bag(source, tmp_path / 'out', '--overwrite', '--set', 'block_size=21') == 0


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
    source = write_bag(tmp_path / 'in', 200)
    program = (
        'import resource, sys\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n'
        'from stereo_depth_node.offline.cli import main\n'
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


@pytest.mark.skipif(not hasattr(os, 'openpty'), reason='terminals of this kind are of POSIX')
def test_a_terminal_sees_rate_and_remaining_time(tmp_path: Path) -> None:
    pytest.importorskip('rich', reason='progress bars are those of rich')
    source = write_bag(tmp_path / 'in', 20)
    import fcntl
    import termios

    terminal, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 25, 100, 0, 0))
    command = ['bag', str(source), str(tmp_path / 'out'), '--processes', '1']
    done = subprocess.run(
        [sys.executable, '-m', 'stereo_depth_node.offline.cli', *command],
        stdout=subprocess.PIPE,
        stderr=end,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    os.close(end)
    os.set_blocking(terminal, False)
    seen = re.sub(r'\x1b\[[\d;?]*[A-Za-z]', '', os.read(terminal, 1 << 16).decode())
    os.close(terminal)
    assert done.returncode == 0, seen
    assert '20 of 20 pairs' in seen
    assert re.search(r'\d/s', seen)
    assert re.search(r'\d:\d\d:\d\d left', seen)
    # And the result is told where it can be piped to.
    assert '20 of 20 pairs computed' in done.stdout


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='signals of this kind are of POSIX')
def test_a_killed_worker_gives_one_line_and_what_is_done_stays(tmp_path: Path) -> None:
    """The worker that gets the second part kills itself, as the system does without memory."""
    source = write_bag(tmp_path / 'in', 210)
    script = tmp_path / 'killed.py'
    script.write_text(
        'import os, signal, sys\n'
        'from stereo_depth_node.offline import cli\n'
        'from stereo_depth_node.offline.bags import schedule\n'
        'from stereo_depth_node.offline.bags.compute import compute_part\n'
        'def compute(task):\n'
        '    if task.plan.index == 2:\n'
        '        os.kill(os.getpid(), signal.SIGKILL)\n'
        '    return compute_part(task)\n'
        'schedule.compute_part = compute\n'
        'if __name__ == "__main__":\n'
        '    sys.exit(cli.main(sys.argv[1:]))\n'
    )
    command = ['bag', str(source), str(tmp_path / 'out'), '--quiet', '--processes', '2']
    done = subprocess.run(
        [sys.executable, str(script), *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 2
    assert done.stderr.count('\n') == 1
    assert '--resume' in done.stderr
    assert not (tmp_path / 'out').exists()
    assert run_bag(source, tmp_path / 'out', '--resume') == 0
    assert len(messages_of(tmp_path / 'out', '/depth/image_rect')) == 210
