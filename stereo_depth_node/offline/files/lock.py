# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One run at a time writes a result: a lock that ends with its process."""

from __future__ import annotations

from contextlib import suppress
import fcntl
import os
from pathlib import Path

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.files.writing import described_os_error

__all__ = ['OutputLock']


class OutputLock:
    """Holds a result until it is released, or this process ends in whatever way.

    The lock is on a file beside the result. That a killed run has left such a file does not
    matter: the lock is the kernel's (``flock``), the file only its name.

    Parameters
    ----------
    target : Path
        The result; its folder must exist.

    Raises
    ------
    InputError
        If another run writes it, or the folder cannot be written to.
    """

    def __init__(self, target: Path) -> None:
        self._path = target.with_name(f'.{target.name}.stereo_depth.lock')
        try:
            self._descriptor: int | None = self._acquire(target)
        except InputError:
            raise
        except OSError as error:
            raise described_os_error('write', target, error) from error

    def release(self) -> None:
        """Let others write the result."""
        if self._descriptor is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = None

    def _acquire(self, target: Path) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                _lock(descriptor, target)
                if self._is_current(descriptor):
                    os.truncate(descriptor, 0)
                    os.write(descriptor, str(os.getpid()).encode())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its last owner removed the file meanwhile

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.lstat())
        except FileNotFoundError:
            return False


def _lock(descriptor: int, target: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 20)
        process = f' (process {int(owner)})' if owner.isdigit() else ''
        raise InputError(
            f'{target} is being written by another run{process}: wait for its end, or choose '
            'another name'
        ) from None
    except OSError:
        # A file system without locks, as some network ones are: as it was before there were any.
        pass
