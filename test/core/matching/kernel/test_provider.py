# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel is got ready in the background, and whoever asks knows how far it is."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import subprocess
import sys
import time

import pytest

from stereo_depth_node.core.matching.kernel import cache, compiler
from stereo_depth_node.core.matching.kernel import provider as provider_module
from stereo_depth_node.core.matching.kernel.provider import KernelProvider, KernelState

DEADLINE = 200.0  # a child process that only fails takes a fraction of a second


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(provider_module, 'cache_folder', lambda: tmp_path)
    monkeypatch.setattr(provider_module, 'numba_version', lambda: '0.0')
    return tmp_path


def child(program: str) -> list[str]:
    return [sys.executable, '-c', program]


def test_nothing_is_compiled_before_someone_asks() -> None:
    state, text = KernelProvider().state()
    assert state is KernelState.UNAVAILABLE
    assert 'not requested' in text


def test_without_numba_the_kernel_is_unavailable_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider_module, 'numba_version', lambda: None)
    provider = KernelProvider()
    assert provider.wait(DEADLINE) is KernelState.UNAVAILABLE
    assert 'pip install' in provider.state()[1]


def test_kernels_that_would_run_as_plain_python_are_not_taken() -> None:
    pytest.importorskip('numba')
    pytest.importorskip('numba')
    program = (
        f'from {provider_module.__name__} import KernelProvider\n'
        'provider = KernelProvider()\n'
        f'print(provider.wait({DEADLINE}), provider.state()[1])\n'
    )
    environment = {**os.environ, 'NUMBA_DISABLE_JIT': '1'}
    ended = subprocess.run(
        child(program), env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    assert ended.stdout.startswith('KernelState.UNAVAILABLE')
    assert 'unset it' in ended.stdout


@pytest.mark.usefixtures('compiled_kernel')
def test_numba_does_not_exchange_the_output_of_the_program_while_it_compiles() -> None:
    """It would for colours in the errors that it catches, in a thread, where it has colorama."""
    program = (
        f'from {provider_module.__name__} import KernelProvider\n'
        f'print(KernelProvider().wait({DEADLINE}))\n'
        'from numba.core.errors import termcolor\n'
        'print(type(termcolor()).__name__)\n'
    )
    ended = subprocess.run(child(program), capture_output=True, text=True, timeout=300, check=True)
    assert ended.stdout.split() == ['KernelState.READY', 'NOPColorScheme']


@pytest.mark.usefixtures('empty_cache')
def test_a_compiler_that_fails_leaves_its_last_words() -> None:
    provider = KernelProvider(child("raise SystemExit('no more memory')"))
    assert provider.wait(DEADLINE) is KernelState.UNAVAILABLE
    assert 'code 1: no more memory' in provider.state()[1]


@pytest.mark.usefixtures('empty_cache')
def test_a_compiler_that_is_killed_leaves_the_kernel_unavailable() -> None:
    provider = KernelProvider(child('import os; os.kill(os.getpid(), 9)'))
    assert provider.wait(DEADLINE) is KernelState.UNAVAILABLE
    assert 'code -9' in provider.state()[1]


@pytest.mark.usefixtures('empty_cache')
def test_a_compiler_that_cannot_be_started_leaves_the_kernel_unavailable() -> None:
    provider = KernelProvider(['/nowhere/python'])
    assert provider.wait(DEADLINE) is KernelState.UNAVAILABLE
    assert '/nowhere/python' in provider.state()[1]


def test_the_state_is_compiling_while_the_child_works_and_closing_ends_it(
    empty_cache: Path,
) -> None:
    provider = KernelProvider(
        child(f"open({str(empty_cache / 'started')!r}, 'w'); import sys; sys.stdin.read()")
    )
    provider.request()
    provider.request()
    deadline = time.monotonic() + DEADLINE
    while not (empty_cache / 'started').exists():
        assert time.monotonic() < deadline
    assert provider.state() == (KernelState.COMPILING, 'compiling in a child process')
    provider.close()
    assert provider.wait(DEADLINE) is KernelState.UNAVAILABLE


def test_after_the_child_the_kernel_is_loaded_and_ready(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    monkeypatch.setattr(compiler, 'compile_kernels', lambda: loaded.append(True))
    program = f"""
from pathlib import Path
from stereo_depth_node.core.matching.kernel import cache
cache.write_checksums(Path({str(empty_cache)!r}))
"""
    provider = KernelProvider(child(program))
    assert provider.wait(DEADLINE) is KernelState.READY
    assert loaded == [True]
    # Now the cache is complete: the next process starts no compiler.
    again = KernelProvider(child('raise SystemExit(1)'))
    assert again.wait(DEADLINE) is KernelState.READY
    assert 'cache' in again.state()[1]


def test_a_damaged_cache_is_compiled_anew_and_loaded_only_when_that_went_well(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, 'compile_kernels', lambda: pytest.fail('a damaged cache loaded'))
    (empty_cache / 'kernel.nbc').write_bytes(b'code')
    cache.write_checksums(empty_cache)
    (empty_cache / 'kernel.nbc').write_bytes(b'cude')
    provider = KernelProvider(child('pass'))
    assert provider.wait(DEADLINE) is KernelState.UNAVAILABLE
    assert 'cannot be read back' in provider.state()[1]


def test_without_a_folder_for_the_cache_it_is_compiled_in_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider_module, 'cache_folder', lambda: None)
    monkeypatch.setattr(provider_module, 'numba_version', lambda: '0.0')
    monkeypatch.setattr(compiler, 'compile_kernels', lambda: None)
    provider = KernelProvider(child('raise SystemExit(1)'))
    assert provider.wait(DEADLINE) is KernelState.READY
    assert 'no folder' in provider.state()[1]


def test_the_compiler_ends_when_its_parent_does(tmp_path: Path) -> None:
    pytest.importorskip('numba')
    environment = {**os.environ, 'NUMBA_CACHE_DIR': str(tmp_path)}
    compiler = subprocess.Popen(
        [sys.executable, '-m', 'stereo_depth_node.core.matching.kernel.compiler'],
        stdin=subprocess.PIPE,
        env=environment,
    )
    assert compiler.stdin is not None
    compiler.stdin.close()
    assert compiler.wait(DEADLINE) == 1
    assert not list(tmp_path.rglob('complete'))


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_compiled_ahead_is_complete_after_the_end_of_the_program(tmp_path: Path) -> None:
    """The program ends while its compiler is at work, and with it all that it waits for."""
    work = (
        'import pathlib, sys, time\n'
        f'folder = pathlib.Path({str(tmp_path)!r})\n'
        '(folder / "began").touch()\n'
        'while not (folder / "ended").exists(): time.sleep(0.01)\n'
        '(folder / "done").write_text(sys.argv[-1])\n'
    )
    program = (
        'import pathlib, time\n'
        'from stereo_depth_node.core.matching.kernel import provider\n'
        f'folder = pathlib.Path({str(tmp_path)!r})\n'
        'provider.numba_version, provider.cache_folder = lambda: "0.0", lambda: folder\n'
        f'provider._COMMAND = ("-c", {work!r})\n'
        'provider.compile_ahead()\n'
        'while not (folder / "began").exists(): time.sleep(0.01)\n'
    )
    subprocess.run([sys.executable, '-c', program], timeout=DEADLINE, check=True)
    (tmp_path / 'ended').touch()
    wait_until((tmp_path / 'done').exists)
    assert (tmp_path / 'done').read_text() == '--stay'


def test_a_complete_cache_is_not_compiled_ahead(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_checksums(empty_cache)
    monkeypatch.setattr(provider_module, '_COMMAND', ('-c', 'raise SystemExit(1)'))
    provider_module.compile_ahead()
    assert provider_module._ahead == []


def test_one_process_compiles_and_the_others_wait_for_what_it_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('numba')
    monkeypatch.setenv('NUMBA_CACHE_DIR', str(tmp_path))
    folder = cache.cache_folder.__wrapped__()
    monkeypatch.setattr(cache, 'cache_folder', lambda: folder)
    monkeypatch.setattr(provider_module, 'cache_folder', lambda: folder)
    with cache.compiling_alone():
        provider_module.compile_ahead()
        assert provider_module._ahead == []
        compiler = subprocess.Popen([sys.executable, *provider_module._COMMAND, '--stay'])
        with pytest.raises(subprocess.TimeoutExpired):
            compiler.wait(1.0)
        cache.write_checksums(folder)
    assert compiler.wait(DEADLINE) == 0
    assert [path.name for path in folder.iterdir()] == ['complete']


def test_the_cache_is_in_the_first_folder_that_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'file').touch()
    monkeypatch.setenv('NUMBA_CACHE_DIR', str(tmp_path / 'file'))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    folder = cache.cache_folder.__wrapped__()
    assert folder is not None
    assert folder.is_dir()
    assert folder.parent == tmp_path / 'cache' / 'stereo_depth_node'
    os.utime(folder, (0, 0))
    assert cache.cache_folder.__wrapped__() == folder
    assert folder.stat().st_mtime > 0, 'it has been used now'


def test_no_writable_folder_means_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'file').touch()
    for name in ('NUMBA_CACHE_DIR', 'XDG_CACHE_HOME', 'HOME', 'ROS_HOME'):
        monkeypatch.setenv(name, str(tmp_path / 'file'))
    assert cache.cache_folder.__wrapped__() is None
