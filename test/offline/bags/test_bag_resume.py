# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth bag --resume``: what is whole of a run that was stopped is not computed again."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import content_hash, OPENCV, run_bag, write_bag

from stereo_depth_node.offline.bags import plan, schedule
from stereo_depth_node.offline.bags.compute import compute_part

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures('small_parts', 'without_findings')


def stop(source: Path, target: Path, *more: str) -> None:
    """Stop a run, by Ctrl-C, before its third part."""

    def stopping(task: Any) -> Any:
        if task.plan.index == 2:
            raise KeyboardInterrupt
        return compute_part(task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, 'compute_part', stopping)
        assert run_bag(source, target, *more) == 130


@dataclass(frozen=True)
class Begun:
    """A recording of three parts, the result of it, and a run that stopped before the third."""

    source: Path
    whole: dict[str, str]
    partial: Path

    def copied_to(self, target: Path, monkeypatch: Any) -> list[int]:
        """Leave that run at a target; return the parts that are computed from then on."""
        shutil.copytree(self.partial, target.with_name(f'{target.name}.partial'))
        computed: list[int] = []

        def counting(task: Any) -> Any:
            computed.append(task.plan.index)
            return compute_part(task)

        monkeypatch.setattr(schedule, 'compute_part', counting)
        return computed


@pytest.fixture(scope='module')
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    folder = tmp_path_factory.mktemp('begun')
    source = write_bag(folder / 'in', 80)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, 'part_size', lambda expected_pairs: 32)
        assert run_bag(source, folder / 'whole') == 0
        stop(source, folder / 'out')
    assert not (folder / 'out').exists()
    return Begun(source, content_hash(folder / 'whole'), folder / 'out.partial')


def test_a_job_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: Any, capsys: Any, begun: Begun
) -> None:
    computed = begun.copied_to(tmp_path / 'out', monkeypatch)
    assert run_bag(begun.source, tmp_path / 'out') == 2
    assert '--resume' in capsys.readouterr().err
    assert run_bag(begun.source, tmp_path / 'out', '--resume') == 0
    assert computed == [2]
    assert content_hash(tmp_path / 'out') == begun.whole
    assert not (tmp_path / 'out.partial').exists()
    # Once more: it is there, and nothing is done, which is said.
    capsys.readouterr()
    assert run_bag(begun.source, tmp_path / 'out', '--resume') == 0
    assert computed == [2]
    printed = capsys.readouterr().out
    assert printed.startswith(f'{begun.source}: nothing was left to do\n')
    assert 'left as it is, whatever the settings: --overwrite' in printed


def test_a_job_is_not_resumed_with_other_settings(
    tmp_path: Path, monkeypatch: Any, capsys: Any, begun: Begun
) -> None:
    computed = begun.copied_to(tmp_path / 'out', monkeypatch)
    other = ('--set', 'block_size=21')
    assert run_bag(begun.source, tmp_path / 'out', '--resume', *other) == 2
    assert 'begun with other settings' in capsys.readouterr().err
    assert run_bag(begun.source, tmp_path / 'out', '--overwrite', *other) == 0
    assert computed == [0, 1, 2]


def test_a_job_is_not_resumed_with_calibration_files_that_have_changed(
    tmp_path: Path, capsys: Any, begun: Begun
) -> None:
    """A part of the result would have the old depths, and the rest the new ones."""
    files = [tmp_path / f'{side}.yaml' for side in ('left', 'right')]
    urls = [f'--{file.stem}-camera-info-url={file}' for file in files]
    for file in files:
        file.write_text('camera_name: before\n')
    stop(begun.source, tmp_path / 'out', *urls)
    files[1].write_text('camera_name: after\n')
    assert run_bag(begun.source, tmp_path / 'out', '--resume', *urls) == 2
    assert 'begun with other calibration files' in capsys.readouterr().err


def test_a_job_is_not_resumed_with_another_version(
    tmp_path: Path, monkeypatch: Any, capsys: Any, begun: Begun
) -> None:
    computed = begun.copied_to(tmp_path / 'out', monkeypatch)
    monkeypatch.setattr('stereo_depth_node.offline.bags.job.version_of', lambda _: '99.0')
    assert run_bag(begun.source, tmp_path / 'out', '--resume') == 2
    assert 'begun with other versions: run as then' in capsys.readouterr().err
    assert computed == []


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path) -> None:
    path.write_bytes(b'')


def _zeros_within(path: Path) -> None:
    with path.open('r+b') as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(4096))


def _one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def _other_json(path: Path) -> None:
    path.write_text('[1]')


@pytest.mark.parametrize('damage', [_cut, _empty, _zeros_within, _one_bit, Path.unlink])
def test_a_part_that_is_not_whole_is_computed_again(
    tmp_path: Path, monkeypatch: Any, begun: Begun, damage: Any
) -> None:
    computed = begun.copied_to(tmp_path / 'out', monkeypatch)
    damage(tmp_path / 'out.partial' / 'stereo_depth_1.mcap')
    assert run_bag(begun.source, tmp_path / 'out', '--resume') == 0
    assert computed == [1, 2]
    assert content_hash(tmp_path / 'out') == begun.whole


@pytest.mark.parametrize('damage', [_cut, _empty, _one_bit, _other_json, Path.unlink])
def test_a_damaged_mark_counts_as_none(
    tmp_path: Path, monkeypatch: Any, begun: Begun, damage: Any
) -> None:
    computed = begun.copied_to(tmp_path / 'out', monkeypatch)
    damage(tmp_path / 'out.partial' / 'stereo_depth_0.mcap.json')
    damage(tmp_path / 'out.partial' / 'job.json')
    assert run_bag(begun.source, tmp_path / 'out', '--resume') == 0
    assert computed == [0, 2]
    assert content_hash(tmp_path / 'out') == begun.whole


def test_a_replacement_that_was_stopped_is_resumed_and_not_taken_for_done(
    tmp_path: Path, begun: Begun
) -> None:
    other = ('--set', 'block_size=21')
    assert run_bag(begun.source, tmp_path / 'out', *other) == 0
    before = content_hash(tmp_path / 'out')
    stop(begun.source, tmp_path / 'out', '--overwrite')
    assert content_hash(tmp_path / 'out') == before
    assert run_bag(begun.source, tmp_path / 'out', '--resume') == 0
    assert content_hash(tmp_path / 'out') == begun.whole


def test_a_result_that_came_from_elsewhere_is_not_replaced_by_a_resumed_run(
    tmp_path: Path, monkeypatch: Any, capsys: Any, begun: Begun
) -> None:
    assert run_bag(write_bag(tmp_path / 'in', 2), tmp_path / 'out') == 0
    computed = begun.copied_to(tmp_path / 'out', monkeypatch)
    before = content_hash(tmp_path / 'out')
    assert run_bag(begun.source, tmp_path / 'out', '--resume') == 2
    assert '--resume --overwrite' in capsys.readouterr().err
    assert content_hash(tmp_path / 'out') == before
    assert run_bag(begun.source, tmp_path / 'out', '--resume', '--overwrite') == 0
    assert computed == [2]
    assert content_hash(tmp_path / 'out') == begun.whole


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='signals of this kind are of POSIX')
def test_a_killed_worker_gives_one_line_and_what_is_done_stays(
    tmp_path: Path, begun: Begun
) -> None:
    """The worker that gets the third part kills itself, as the system does without memory."""
    script = tmp_path / 'killed.py'
    script.write_text(
        'import os, signal, sys\n'
        'from stereo_depth_node.offline import cli\n'
        'from stereo_depth_node.offline.bags import plan, schedule\n'
        'from stereo_depth_node.offline.bags.compute import compute_part\n'
        'def compute(task):\n'
        '    if task.plan.index == 2:\n'
        '        os.kill(os.getpid(), signal.SIGKILL)\n'
        '    return compute_part(task)\n'
        'plan.part_size = lambda expected_pairs: 32\n'
        'schedule.compute_part = compute\n'
        'if __name__ == "__main__":\n'
        '    sys.exit(cli.main(sys.argv[1:]))\n'
    )
    command = ['bag', str(begun.source), str(tmp_path / 'out'), '--quiet', '--processes', '2']
    command += OPENCV
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
    assert run_bag(begun.source, tmp_path / 'out', '--resume', *OPENCV) == 0
    assert content_hash(tmp_path / 'out') == begun.whole
