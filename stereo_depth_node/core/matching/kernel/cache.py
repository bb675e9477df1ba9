# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where compiled kernels are kept between runs.

One folder for each combination of kernel sources, Python, numba and processor, so
that nothing stale is ever loaded: numba itself looks only at the file that defines a
function, not at those that its callees come from. The folder is in the first of
``$NUMBA_CACHE_DIR``, ``$XDG_CACHE_HOME``, ``~/.cache``, ``$ROS_HOME`` and ``~/.ros``
that can be written to. Never in a shared temporary folder: what is loaded from here
is executed.
"""

from __future__ import annotations

import functools
import hashlib
from importlib import metadata
import os
from pathlib import Path
import platform
import sys
import tempfile

__all__ = ['cache_folder', 'is_complete', 'mark_complete', 'numba_version']

_MARK = 'complete'


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
                return folder
        except OSError:
            continue
    return None


def is_complete(folder: Path) -> bool:
    """Whether all kernels have been compiled into `folder`."""
    return (folder / _MARK).is_file()


def mark_complete(folder: Path) -> None:
    """Note that all kernels have been compiled into `folder`."""
    (folder / _MARK).touch()


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
