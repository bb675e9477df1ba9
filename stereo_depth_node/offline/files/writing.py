# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are there whole or not at all, and what to do where one cannot be written."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
import errno
import os
from pathlib import Path
from uuid import uuid4

from stereo_depth_node.core.errors import InputError

__all__ = [
    'check_is_no_input',
    'check_output',
    'described_os_error',
    'sync',
    'write_file',
]

_DEVICES = Path('/dev')
_FORBIDDEN = 'you may not write there, choose another place'
_CURES = {
    errno.ENOSPC: 'the disk is full, free some space',
    errno.EDQUOT: 'your quota of disk space is used up, free some space',
    errno.EFBIG: 'the file is larger than this system or its limits allow',
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: 'the file system is read-only, choose another place',
    errno.EEXIST: 'part of the path is a file, choose another place',
    errno.ENOTDIR: 'part of the path is a file, choose another place',
    errno.EISDIR: 'it is a folder, name a file',
}


def described_os_error(action: str, path: str | Path, error: OSError) -> InputError:
    """Return an error in one line for what the operating system refused.

    Parameters
    ----------
    action : str
        What was tried: "write", "read".
    path : str or Path
        On what.
    error : OSError
        The refusal.
    """
    reason = error.strerror or str(error)
    cure = _CURES.get(error.errno or 0)
    if cure == _FORBIDDEN and action != 'write':
        cure = f'you may not {action} it, change its permissions'
    return InputError(f'cannot {action} {path}: {reason}' + (f' ({cure})' if cure else ''))


def check_output(path: Path, *, overwrite: bool) -> None:
    """Check that a file may be written.

    Raises
    ------
    InputError
        If it exists and may not be overwritten, or cannot be a file, or its folder cannot be
        written to.
    """
    try:
        is_folder, exists = path.is_dir(), path.exists()
        # Who may do everything would put a file in the place of /dev/null or of a link there.
        is_special = (exists and not path.is_file()) or path.absolute().parent == _DEVICES
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise described_os_error('write', path, error) from error
    if is_folder:
        raise InputError(f'cannot write {path}: it is a folder, name a file')
    if is_special:
        raise InputError(f'cannot write {path}: it is a device or a pipe, name a file')
    if exists and not overwrite:
        raise InputError(f'{path} exists: give another name, or --overwrite to replace it')


def check_is_no_input(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Check that nothing that is read would be replaced, whether it may be overwritten or not.

    Raises
    ------
    InputError
        If one of the outputs is one of the inputs.
    """
    read = {place for path in inputs if (place := _place(path)) is not None}
    for output in outputs:
        if _place(output) in read:
            raise InputError(f'{output} is what is read: choose another name for the result')


def write_file(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file; under its name there is the whole content or what was there before.

    The content and the name are on the disk when this returns.

    Raises
    ------
    InputError
        If it exists and may not be overwritten, or cannot be written.
    """
    check_output(path, overwrite=overwrite)
    # A random name that must be new: no link that somebody put there is followed, and no two
    # runs write into one file.
    partial = path.with_name(f'.{path.name[:200]}.{uuid4().hex}.partial')
    try:
        with partial.open('xb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            partial.replace(path)
        else:
            _rename_to_new(partial, path)
        sync(path.parent)
    except InputError:
        raise
    except OSError as error:
        raise described_os_error('write', path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk.

    Raises
    ------
    OSError
        If the disk reports an error.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot do it with folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _place(path: Path) -> tuple[int, int] | None:
    """Return what a file is under whatever name, None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _rename_to_new(partial: Path, path: Path) -> None:
    """Rename a file unless another run has written `path` meanwhile."""
    try:
        os.link(partial, path)
    except FileExistsError as error:
        raise InputError(
            f'{path} was written by another run meanwhile: give another name, or --overwrite'
        ) from error
    except OSError:  # a file system without hard links
        partial.replace(path)
