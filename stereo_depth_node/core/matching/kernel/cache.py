# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where compiled kernels are kept between runs.

One folder for each combination of kernel sources, Python, numba and processor, so
that nothing stale is ever loaded: numba itself looks only at the file that defines a
function, not at those that its callees come from. The folder is in the first of
``$NUMBA_CACHE_DIR``, ``$XDG_CACHE_HOME``, ``~/.cache``, ``$ROS_HOME`` and ``~/.ros``
that can be written to. Never in a shared temporary folder: what is loaded from here
is executed. For the same reason nothing is loaded whose checksums are not those that were
noted when it was compiled: a damaged kernel would end the process, or be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import functools
import hashlib
from importlib import metadata
import os
from pathlib import Path
import platform
import shutil
import sys
import tempfile
import time

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    'cache_folder',
    'compiling_alone',
    'discard_renewed',
    'folder_in_use',
    'is_complete',
    'is_damaged',
    'numba_version',
    'renewed_cache',
    'write_checksums',
]

_CHECKSUMS = 'complete'
# What is loaded: indices, and code.
_KERNELS = ('.nbi', '.nbc')
_LEFT_OVER_S = 3600.0
# Kernels of another version, Python or processor are kept for this long after their last start.
_UNUSED_S = 30 * 86400.0
# Where this process compiles to, if it renews the cache.
_renewed: Path | None = None


def numba_version() -> str | None:
    """Return the version of the installed numba, or None, without importing it."""
    try:
        return metadata.version('numba')
    except metadata.PackageNotFoundError:
        return None


@functools.lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """Return the folder for compiled kernels, made if need be; None if none is writable."""
    name = f'kernels-{_fingerprint()}'
    for base in _candidates():
        folder = base / 'stereo_depth_node' / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                os.utime(folder)  # in use
                return folder
        except OSError:
            continue
    return None


def folder_in_use() -> Path | None:
    """Return the folder that this process loads kernels from and compiles them into."""
    return _renewed or cache_folder()


def is_complete(folder: Path) -> bool:
    """Whether all kernels have been compiled into `folder`, and are there as they were."""
    try:
        return (folder / _CHECKSUMS).read_bytes() == _checksums(folder)
    except OSError:
        return False


def is_damaged(folder: Path) -> bool:
    """Whether kernels had been compiled into `folder` and are not as they were."""
    return (folder / _CHECKSUMS).exists() and not is_complete(folder)


def write_checksums(folder: Path) -> None:
    """Note that all kernels have been compiled into `folder`."""
    (folder / _CHECKSUMS).write_bytes(_checksums(folder))


@contextlib.contextmanager
def renewed_cache() -> Iterator[None]:
    """Compile into an empty folder, which takes the place of the cache when all went well.

    So nothing is loaded from a cache that may be damaged, and others never see half of it. The
    modules with compiled code must not have been imported before.
    """
    global _renewed  # noqa: PLW0603 (numba asks for it when a function is decorated)
    folder = cache_folder()
    if folder is None:
        yield
        return
    _remove_left_overs(folder)
    _renewed = Path(tempfile.mkdtemp(prefix=f'{folder.name}.', dir=folder.parent))
    try:
        yield
        write_checksums(_renewed)
        old = Path(tempfile.mkdtemp(prefix=f'{folder.name}.', dir=folder.parent))
        folder.rename(old)  # an empty folder may be overwritten
        _renewed.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(_renewed, ignore_errors=True)
        _renewed = None


@contextlib.contextmanager
def compiling_alone(*, wait: bool = True) -> Iterator[None]:
    """Wait until no other process compiles into the cache; the lock ends with this one.

    Raises
    ------
    BlockingIOError
        If another one does, and this one is not to wait.
    """
    folder = cache_folder()
    if folder is None or fcntl is None:
        yield
        return
    with open(folder.parent / f'{folder.name}.lock', 'wb') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            pass
        yield


def discard_renewed() -> None:
    """Remove what a process has compiled that ends before it is done."""
    if _renewed is not None:
        shutil.rmtree(_renewed, ignore_errors=True)


def _remove_left_overs(folder: Path) -> None:
    """Remove what compilers have left that were killed at work, and kernels long unused.

    Whoever uses kernels loads them when it starts, and needs no file afterwards.
    """
    for path in folder.parent.glob('kernels-*'):
        most = _LEFT_OVER_S if path.name.startswith(f'{folder.name}.') else _UNUSED_S
        with contextlib.suppress(OSError):
            if path != folder and time.time() - path.stat().st_mtime > most:
                shutil.rmtree(path, ignore_errors=True)


def _checksums(folder: Path) -> bytes:
    """Return a line for every kernel in a folder, after one for whom it was compiled.

    Processes that look whether they may write there have other files in it for a moment.
    """
    files = sorted(path for path in folder.rglob('*') if path.suffix in _KERNELS)
    lines = [_fingerprint()]
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else 'folder'
        lines.append(f'{digest} {path.relative_to(folder).as_posix()}')
    return '\n'.join([*lines, '']).encode()


def _candidates() -> list[Path]:
    folders = [os.environ.get(name) for name in ('NUMBA_CACHE_DIR', 'XDG_CACHE_HOME')]
    folders += [os.path.expanduser('~/.cache')]
    folders += [os.environ.get('ROS_HOME'), os.path.expanduser('~/.ros')]
    # An unknown home leaves the tilde in place.
    return [Path(folder) for folder in folders if folder and os.path.isabs(folder)]


def _fingerprint() -> str:
    digest = hashlib.sha256()
    here = Path(__file__).resolve().parent
    for source in sorted(here.glob('*.py')):
        digest.update(source.read_bytes())
        # numba compiles anew what was compiled from a file of another time.
        digest.update(str(source.stat().st_mtime_ns).encode())
    environment = [
        str(here),
        sys.version,
        numba_version(),
        platform.machine(),
        _processor(),
        *(os.environ.get(name) for name in ('NUMBA_CPU_NAME', 'NUMBA_CPU_FEATURES')),
    ]
    digest.update(repr(environment).encode())
    return digest.hexdigest()[:16]


def _processor() -> str:
    """Model and instruction sets: a home folder may be shared by unlike machines."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError:
        return platform.processor()
    names = ('model name', 'flags', 'Features', 'CPU part')
    return '\n'.join(sorted({line for line in lines if line.startswith(names)}))
