# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
import subprocess
import sys

import pytest

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.files.writing import check_output, described_os_error, write_file


def test_a_file_that_exists_is_replaced_only_when_asked_to(tmp_path: Path) -> None:
    path = tmp_path / 'result'
    write_file(path, b'old')
    with pytest.raises(InputError, match=r'exists.*--overwrite'):
        write_file(path, b'new')
    assert path.read_bytes() == b'old'
    write_file(path, b'new', overwrite=True)
    assert path.read_bytes() == b'new'
    assert [file.name for file in tmp_path.iterdir()] == ['result']


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_file(tmp_path / 'a' / 'b' / 'c', b'x')
    assert (tmp_path / 'a' / 'b' / 'c').read_bytes() == b'x'


def test_a_path_through_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(InputError) as caught:
        write_file(tmp_path / 'file' / 'result', b'x')
    assert str(tmp_path / 'file' / 'result') in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='is a folder'):
        write_file(tmp_path, b'x', overwrite=True)


def test_a_pipe_or_a_device_is_refused_and_stays_what_it_is(tmp_path: Path) -> None:
    """Somebody who may do everything would put a file in the place of /dev/null."""
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    with pytest.raises(InputError, match='is a device or a pipe, name a file'):
        write_file(pipe, b'x', overwrite=True)
    assert pipe.is_fifo()
    for name in ('/dev/null', '/dev/stdout', '/dev/name_that_is_free'):
        with pytest.raises(InputError, match=f'cannot write {name}: '):
            check_output(Path(name), overwrite=True)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='limits of file sizes are a matter of POSIX')
def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / 'result'
    path.write_bytes(b'old')
    program = (
        'import resource, sys\n'
        'from pathlib import Path\n'
        'from stereo_depth_node.core.errors import InputError\n'
        'from stereo_depth_node.offline.files.writing import write_file\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n'
        'try:\n'
        '    write_file(Path(sys.argv[1]), bytes(5000), overwrite=True)\n'
        'except InputError as error:\n'
        '    print(error)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program, str(path)], capture_output=True, text=True, check=True
    )
    assert 'larger than this system or its limits allow' in done.stdout
    assert path.read_bytes() == b'old'
    assert [file.name for file in tmp_path.iterdir()] == ['result']


def test_a_full_disk_is_called_one() -> None:
    error = described_os_error('write', 'depth.png', OSError(errno.ENOSPC, 'No space left'))
    assert (
        str(error) == 'cannot write depth.png: No space left (the disk is full, free some space)'
    )


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, 'access', lambda path, mode: (path, mode) != (tmp_path, os.W_OK))
    with pytest.raises(InputError, match='may not write there, choose another place'):
        check_output(tmp_path / 'x.npy', overwrite=True)
    check_output(tmp_path / 'a' / 'x.npy', overwrite=True)


def test_what_may_not_be_read_is_not_to_be_written_elsewhere() -> None:
    error = described_os_error(
        'read', 'in.mcap', PermissionError(errno.EACCES, 'Permission denied')
    )
    assert str(error).endswith('(you may not read it, change its permissions)')


def test_a_file_is_written_through_no_link_that_waits_at_its_partial_name(tmp_path: Path) -> None:
    victim = tmp_path / 'victim'
    victim.write_bytes(b'precious')
    (tmp_path / 'x.npy.partial').symlink_to(victim)
    (tmp_path / 'x.npy').symlink_to(victim)
    write_file(tmp_path / 'x.npy', b'new', overwrite=True)
    assert victim.read_bytes() == b'precious'
    assert (tmp_path / 'x.npy').read_bytes() == b'new'
    assert not (tmp_path / 'x.npy').is_symlink()


def test_of_two_runs_that_write_one_file_the_second_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / 'x.npy'
    fsync = os.fsync

    def other_run_first(descriptor: int) -> None:
        fsync(descriptor)
        file.write_bytes(b'other')

    monkeypatch.setattr(os, 'fsync', other_run_first)
    with pytest.raises(InputError, match='by another run'):
        write_file(file, b'mine')
    assert file.read_bytes() == b'other'
    assert [path.name for path in tmp_path.iterdir()] == ['x.npy']
