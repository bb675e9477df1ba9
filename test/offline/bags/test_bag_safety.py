# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""No result is lost or wrong, whoever writes at the same time and whenever a run is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import content_hash, OPENCV, run_bag, write_bag

from stereo_depth_node.offline.bags import result
from stereo_depth_node.offline.files.lock import OutputLock

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures('without_findings')
needs_proc = pytest.mark.skipif(not Path('/proc/self').exists(), reason='children are in /proc')
_ENDLESS = """
import sys
import time

from stereo_depth_node.offline import cli
from stereo_depth_node.offline.bags import plan, schedule
from stereo_depth_node.offline.bags.compute import compute_part


def compute(task):
    compute_part(task)
    time.sleep(600)


plan.part_size = lambda expected_pairs: 5
schedule.compute_part = compute
if __name__ == '__main__':
    sys.exit(cli.main())
"""


@contextmanager
def _endless_run(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run that does not end by itself, as the leader of a session; two workers compute."""
    source = write_bag(folder / 'in', 20)
    script = folder / 'endless.py'
    script.write_text(_ENDLESS)
    command = ['bag', str(source), str(folder / 'out'), '--quiet', '--processes', '2', *OPENCV]
    with subprocess.Popen(
        [sys.executable, str(script), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        start_new_session=True,
    ) as process:
        try:
            assert _until(lambda: len(list((folder / 'out.partial').glob('stereo_depth_*'))) >= 2)
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60.0
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _members(session: int) -> list[int]:
    """Return the processes of a session that run."""
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / 'stat').read_text().rpartition(')')[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != 'Z':
                found.append(int(entry.name))
    return found


def test_a_result_that_another_run_writes_is_refused(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 2)
    lock = OutputLock(tmp_path / 'out')
    try:
        for more in ((), ('--resume',), ('--overwrite',)):
            assert run_bag(source, tmp_path / 'out', *more) == 2
            assert 'written by another run' in capsys.readouterr().err
            assert not (tmp_path / 'out').exists()
    finally:
        lock.release()
    assert run_bag(source, tmp_path / 'out') == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ['in', 'out']


def test_the_lock_of_a_run_that_was_killed_is_free(tmp_path: Path) -> None:
    program = (
        'import sys, time\nfrom pathlib import Path\n'
        'from stereo_depth_node.offline.files.lock import OutputLock\n'
        'lock = OutputLock(Path(sys.argv[1]))\nprint("locked", flush=True)\ntime.sleep(600)\n'
    )
    owner = subprocess.Popen(
        [sys.executable, '-c', program, str(tmp_path / 'out')],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == 'locked\n'
        with pytest.raises(OSError, match=f'process {owner.pid}'):
            OutputLock(tmp_path / 'out')
        owner.kill()
        owner.wait()
    OutputLock(tmp_path / 'out').release()
    assert not list(tmp_path.iterdir())


class _KilledError(BaseException):
    """The process is no more."""


@contextmanager
def _killing(monkeypatch: Any, step: int) -> Iterator[None]:
    """Have the process end before the `step`-th change of a name in the result's folder."""
    count = 0

    def guarded(change: Any) -> Any:
        def changed(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count > step:
                raise _KilledError
            return change(*arguments, **options)

        return changed

    with monkeypatch.context() as patch:
        patch.setattr(result, '_remove', guarded(result._remove))
        patch.setattr(Path, 'rename', guarded(Path.rename))
        yield


def test_a_kill_while_a_result_is_replaced_leaves_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: Any
) -> None:
    source = write_bag(tmp_path / 'in', 4)
    other = ('--set', 'block_size=21')
    assert run_bag(source, tmp_path / 'old') == 0
    assert run_bag(source, tmp_path / 'new', *other) == 0
    old, new = content_hash(tmp_path / 'old'), content_hash(tmp_path / 'new')
    survived = []
    for step in range(20):
        shutil.copytree(tmp_path / 'old', tmp_path / 'out')
        status = None
        with suppress(_KilledError), _killing(monkeypatch, step):
            status = run_bag(source, tmp_path / 'out', '--overwrite', *other)
        # Without options nothing is computed; what a kill has left is put in order.
        assert run_bag(source, tmp_path / 'out') == 2 or status is None
        found = content_hash(tmp_path / 'out')
        assert found in (old, new)
        survived.append(found == new)
        assert not (tmp_path / 'out.replaced').exists()
        if (tmp_path / 'out.partial').exists():
            assert run_bag(source, tmp_path / 'out', '--resume', '--overwrite', *other) == 0
            assert content_hash(tmp_path / 'out') == new
        assert sorted(p.name for p in tmp_path.iterdir()) == ['in', 'new', 'old', 'out']
        shutil.rmtree(tmp_path / 'out')
        if status == 0:
            break
    assert status == 0
    assert survived == sorted(survived)
    assert not survived[0]


def test_a_partial_folder_that_is_a_link_is_not_written_to(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 2)
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'out.partial').symlink_to(tmp_path / 'elsewhere')
    assert run_bag(source, tmp_path / 'out', '--resume') == 2
    assert 'is a link' in capsys.readouterr().err
    assert run_bag(source, tmp_path / 'out', '--overwrite') == 0
    assert not list((tmp_path / 'elsewhere').iterdir())
    assert not (tmp_path / 'out').is_symlink()


@needs_proc
def test_workers_end_with_the_first_process_even_if_it_is_killed(tmp_path: Path) -> None:
    with _endless_run(tmp_path) as process:
        assert len(_members(process.pid)) >= 3
        process.kill()
        assert _until(lambda: not _members(process.pid))


@needs_proc
def test_ctrl_c_again_and_again_gives_no_traceback(tmp_path: Path) -> None:
    with _endless_run(tmp_path) as process:
        while process.poll() is None:
            # To all processes, as a terminal does it.
            try:
                os.killpg(process.pid, signal.SIGINT)
            except ProcessLookupError:
                break
            time.sleep(0.003)
        assert process.stdout is not None
        told = process.stdout.read()
        assert process.wait(60) == 130
    assert 'Traceback' not in told
    assert told.count('\n') <= 1
    assert _until(lambda: not _members(process.pid))
