# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What fits into /dev/shm is asked for, and what does not is named."""

from __future__ import annotations

from collections.abc import Iterator
import errno
import fcntl
import os
from pathlib import Path
import re
from typing import Any

import pytest

from stereo_depth_node import shared_memory as module
from stereo_depth_node.environment import PROFILE_VARIABLES, shared_file
from stereo_depth_node.shared_memory import (
    foreign_participant,
    is_shared_memory_full,
    shared_memory,
)

MIB = 1 << 20
PROFILE = {PROFILE_VARIABLES[0]: str(shared_file('config/fastdds_shm.xml'))}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that looks at a folder with so much room, MiB."""

    def look(free_mib: float, environment: dict[str, str] | None = None) -> Any:
        monkeypatch.setattr(module, '_free', lambda folder: int(free_mib * MIB))
        return shared_memory(PROFILE if environment is None else environment, tmp_path)

    return look


@pytest.mark.parametrize(('free', 'environment'), [(70, None), (2, {}), (0.1, {'x': 'y'})])
def test_what_fits_is_left_alone(room: Any, free: float, environment: Any) -> None:
    if environment is not None and 'x' in environment:
        environment = {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'}  # uses none
    assert room(free, environment) == module.SharedMemory()


@pytest.mark.parametrize('free', [8, 16, 64])
def test_a_segment_that_does_not_fit_is_made_smaller(room: Any, free: int) -> None:
    found = room(free)
    assert found.variable == PROFILE_VARIABLES[0]
    (size,) = (int(each) for each in re.findall(r'<segment_size>(\d+)<', found.profile))
    assert size < free * MIB / 2
    assert size > free * MIB / 2 - 3 * MIB
    original = shared_file('config/fastdds_shm.xml').read_text()
    for tag in ('transport_id', 'initialAnnouncements', 'nanosec'):
        assert found.profile.count(f'<{tag}>') == original.count(f'<{tag}>')
    assert f'{free}.0 MiB left, Fast DDS wants 68.2 MiB' in found.problem
    assert '--shm-size' in found.problem


@pytest.mark.parametrize('environment', [PROFILE, {}])
def test_where_no_segment_fits_none_is_asked_for(room: Any, environment: Any) -> None:
    found = room(1, environment)
    assert found.variable in PROFILE_VARIABLES
    assert 'SHM' not in found.profile
    assert re.findall(r'<transport_id>(\w+)<', found.profile) == ['udp', 'udp']
    assert '--ipc=host' in found.problem
    assert 'does without' in found.problem


def test_what_else_a_profile_of_the_user_says_stays(room: Any, tmp_path: Path) -> None:
    text = shared_file('config/fastdds_shm.xml').read_text()
    profile = tmp_path / 'mine.xml'
    profile.write_text(text.replace('<count>50<', '<count>7<'))
    found = room(20, {PROFILE_VARIABLES[1]: str(profile)})
    assert found.variable == PROFILE_VARIABLES[1]
    assert '<count>7<' in found.profile


@pytest.mark.parametrize('content', [None, 'no XML', '<dds/>'])
def test_a_profile_that_says_nothing_of_segments_is_like_none(
    room: Any, tmp_path: Path, content: str | None
) -> None:
    profile = tmp_path / 'mine.xml'
    if content is not None:
        profile.write_text(content)
    found = room(3, {PROFILE_VARIABLES[0]: str(profile)})
    assert not found.variable
    assert (f'set it to {shared_file("config/fastdds_shm.xml")}' in found.problem) == (
        content != '<dds/>'
    )


def test_a_folder_that_cannot_be_written_to_is_named(
    room: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.os, 'access', lambda *_: False)
    found = room(100)
    assert f'{tmp_path} cannot be written to' in found.problem
    assert 'SHM' not in found.profile


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the lock of a port of domain 3 that another user holds."""
    path = tmp_path / 'fastdds_port8161_el'
    path.touch()
    user = os.geteuid() + 1
    monkeypatch.setattr(module.os, 'geteuid', lambda: user)
    with path.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def test_a_program_of_another_user_in_the_domain_is_named(port: Path, tmp_path: Path) -> None:
    problem = foreign_participant(3, tmp_path)
    assert f'another user (uid {os.geteuid() - 1})' in problem
    assert 'FASTDDS_BUILTIN_TRANSPORTS=UDPv4' in problem
    assert not foreign_participant(2, tmp_path)
    assert not foreign_participant(4, tmp_path)


def test_a_program_of_this_user_is_not(port: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.os, 'geteuid', lambda: port.stat().st_uid)
        assert not foreign_participant(3, tmp_path)


def test_what_a_program_has_left_that_was_killed_is_not_named(port: Path, tmp_path: Path) -> None:
    left = port.rename(tmp_path / 'elsewhere')
    (tmp_path / 'fastdds_port8163_el').touch()
    port.symlink_to(tmp_path / 'removed')  # between the list and the look at it
    assert left.exists()
    assert not foreign_participant(3, tmp_path)


def test_what_is_no_file_is_not_waited_for(port: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'fastdds_port8163_el')
    port.unlink()
    port.symlink_to(port)
    assert not foreign_participant(3, tmp_path)


def test_a_lock_that_may_not_be_read_is_held(
    port: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(module.os, 'open', refuse)
    assert 'another user' in foreign_participant(3, tmp_path)


def test_full_is_what_has_no_room_for_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_shared_memory_full(tmp_path / 'nothing')
    for free, is_full in ((0, True), (60_000, True), (70_000, False)):
        monkeypatch.setattr(module, '_free', lambda folder, free=free: free)
        assert is_shared_memory_full(tmp_path) is is_full
