# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing is loaded from a cache of compiled kernels that is not as it was written."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import time

import pytest

from stereo_depth_node.core.matching.kernel import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a complete cache in a folder for caches."""
    folder = tmp_path / 'kernels-1'
    (folder / 'sub').mkdir(parents=True)
    for name in ('a.nbi', 'a.1.nbc', 'b.nbi'):
        (folder / 'sub' / name).write_bytes(name.encode() * 100)
    cache.write_checksums(folder)
    monkeypatch.setattr(cache, 'cache_folder', lambda: folder)
    return folder


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    'a bit': lambda folder: flip_a_bit(folder / 'sub/a.1.nbc'),
    'a bit of an index': lambda folder: flip_a_bit(folder / 'sub/b.nbi'),
    'a bit of the checksums': lambda folder: flip_a_bit(folder / 'complete'),
    'cut short': lambda folder: os.truncate(folder / 'sub/a.1.nbc', 7),
    'empty': lambda folder: (folder / 'sub/a.nbi').write_bytes(b''),
    'a file is missing': lambda folder: (folder / 'sub/a.1.nbc').unlink(),
    'a file too many': lambda folder: (folder / 'sub/c.nbc').write_bytes(b'code'),
    'a folder for a file': lambda folder: (folder / 'sub/c.nbc').mkdir(),
    'files exchanged': lambda folder: (folder / 'sub/a.nbi').replace(folder / 'sub/b.nbi'),
    'no checksums in the file': lambda folder: (folder / 'complete').write_bytes(b''),
}


@pytest.mark.parametrize('damage', DAMAGES)
def test_any_damage_is_noticed(folder: Path, damage: str) -> None:
    assert cache.is_complete(folder)
    assert not cache.is_damaged(folder)
    DAMAGES[damage](folder)
    assert not cache.is_complete(folder)
    assert cache.is_damaged(folder)


def test_what_others_have_in_the_folder_for_a_moment_is_no_damage(folder: Path) -> None:
    (folder / 'sub/tmp1x2y3z').touch()
    assert cache.is_complete(folder)
    (folder / 'sub/tmp1x2y3z').unlink()
    assert cache.is_complete(folder)


def test_the_cache_of_another_processor_is_not_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, '_processor', lambda: 'flags: of another one')
    assert not cache.is_complete(folder)


def test_a_folder_without_checksums_is_incomplete_and_not_damaged(tmp_path: Path) -> None:
    assert not cache.is_complete(tmp_path)
    assert not cache.is_damaged(tmp_path)


def test_a_renewed_cache_takes_the_place_of_the_old_one_as_a_whole(folder: Path) -> None:
    flip_a_bit(folder / 'sub/a.1.nbc')
    with cache.renewed_cache():
        new = cache.folder_in_use()
        assert new is not None
        assert new != folder
        assert list(new.iterdir()) == []
        (new / 'kernel.nbc').write_bytes(b'new')
        assert cache.is_damaged(folder)  # until then it stays
    assert cache.is_complete(folder)
    assert sorted(path.name for path in folder.iterdir()) == ['complete', 'kernel.nbc']
    assert cache.folder_in_use() == folder
    assert list(folder.parent.iterdir()) == [folder]


def test_a_compiler_that_fails_leaves_the_cache_and_no_traces(folder: Path) -> None:
    def fail() -> None:
        with cache.renewed_cache():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert cache.is_complete(folder)
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize(
    ('name', 'hours'), [('kernels-1.x', 1), ('kernels-2', 30 * 24)], ids=['left over', 'unused']
)
def test_what_nobody_uses_is_removed(folder: Path, name: str, hours: int) -> None:
    """What killed compilers have left is so after an hour, another version after 30 days."""
    old, new = (folder.with_name(f'{name}{end}') for end in ('old', 'new'))
    for path, age in ((old, hours + 1), (new, hours - 1)):
        path.mkdir()
        os.utime(path, (time.time() - 3600 * age,) * 2)
    with cache.renewed_cache():
        pass
    assert sorted(folder.parent.iterdir()) == [folder, new]
