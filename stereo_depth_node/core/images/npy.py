# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Arrays in NumPy's files, read without pickle and without more memory than the file has bytes."""

from __future__ import annotations

import io
import math
from pathlib import Path
from tokenize import TokenError
from typing import Any
import zipfile
import zlib

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['NPY_MAGIC', 'NPZ_MAGIC', 'array_of_npy', 'array_of_npz']

NPY_MAGIC, NPZ_MAGIC = b'\x93NUMPY', b'PK\x03\x04'
_MOST_BYTES = 1 << 30
# What NumPy raises for headers that it cannot read, and for shapes that no array has.
_UNREADABLE = (
    ValueError, TypeError, EOFError, SyntaxError, RecursionError, MemoryError, TokenError,
)  # fmt: skip


def array_of_npy(content: bytes, name: str | Path) -> npt.NDArray[Any]:
    """Return the array of numbers in the content of a .npy file.

    Raises
    ------
    InputError
        If it is none, or was cut short.
    """
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, is_fortran, dtype = read(stream)
        if dtype.kind not in 'buif':
            raise InputError(f'{printable(name)} holds {printable(dtype, 40)}, expected numbers')
        if any(length < 0 for length in shape):
            raise ValueError(f'its shape is {shape}')
        needed, available = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
        if needed > available:
            raise InputError(
                f'{printable(name)} says {needed} bytes and holds {available}: it was cut short'
            )
        flat = np.frombuffer(content, dtype, math.prod(shape), stream.tell())
        return flat.reshape(shape, order='F' if is_fortran else 'C')
    except _UNREADABLE as error:
        raise InputError(f'{printable(name)} is no NumPy file ({printable(error)})') from error


def array_of_npz(content: bytes, name: str | Path) -> npt.NDArray[Any]:
    """Return the only array in the content of an .npz file.

    Raises
    ------
    InputError
        If it is no such file, or has several arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            unpacked = b''
            if len(members) == 1 and size <= _MOST_BYTES:
                with archive.open(members[0]) as member:
                    unpacked = member.read(_MOST_BYTES)
    except (*_UNREADABLE, zipfile.BadZipFile, OSError, RuntimeError, zlib.error) as error:
        raise InputError(f'{printable(name)} is no NumPy file ({printable(error)})') from error
    if len(members) != 1:
        names = printable(', '.join(member.filename for member in members[:5]))
        raise InputError(
            f'{printable(name)} has {len(members)} arrays ({names}), expected one: save one alone '
            'with numpy.savez_compressed'
        )
    if size > _MOST_BYTES:
        raise InputError(f'{printable(name)} unpacks to more than {_MOST_BYTES} bytes')
    return array_of_npy(unpacked, name)
