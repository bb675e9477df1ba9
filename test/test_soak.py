# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the endurance test measures and cleans up."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from soak.footprint import SharedMemory


def test_only_new_segments_that_nobody_maps_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def segment(name: str) -> Path:
        (tmp_path / f'{name}_el').touch()  # its lock, which nobody maps
        path = tmp_path / name
        path.write_bytes(bytes(4096))
        return path

    monkeypatch.setattr('soak.footprint.SHM_FOLDER', tmp_path)
    segment('fastdds_0123')
    memory = SharedMemory()
    segment('fastrtps_4567')
    segment('fastdds_port7411')
    with segment('fastdds_89ab').open('r+b') as file, mmap.mmap(file.fileno(), 0):
        memory.clean()

    left = {path.name for path in tmp_path.iterdir() if not path.name.endswith('_el')}
    assert left == {'fastdds_0123', 'fastdds_port7411', 'fastdds_89ab'}
    assert (tmp_path / 'fastdds_89ab_el').exists()
    assert not (tmp_path / 'fastrtps_4567_el').exists()


def test_segments_of_other_users_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('soak.footprint.SHM_FOLDER', tmp_path)
    memory = SharedMemory()
    (tmp_path / 'fastdds_0123').touch()

    def refuse(path: Path) -> None:
        raise PermissionError(f'{path} is not yours')

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'unlink', refuse)
        memory.clean()
    memory.clean()
    assert not list(tmp_path.iterdir())
