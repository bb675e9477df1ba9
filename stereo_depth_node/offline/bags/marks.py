# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Marks: small files that say what is complete, and count only when they are whole themselves."""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
import json
import os
from pathlib import Path
from typing import Any
import zlib

import numpy as np

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import read_bytes
from stereo_depth_node.offline.files.writing import described_os_error, sync, write_file

__all__ = ['checksum_of', 'read_mark', 'sealed', 'write_mark']

_PAGE = 1 << 12
_BLOCK = 256 * _PAGE
# Of 500 pairs a mark has 50 kB.
_LARGEST_MARK = 1 << 26


def write_mark(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mark.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    text = json.dumps(content).encode()
    write_file(path, _digest(text) + b'\n' + text, overwrite=True)


def read_mark(path: Path) -> dict[str, Any] | None:
    """Return the content of a mark; None if there is none, or it is damaged."""
    try:
        digest, _, text = read_bytes(path, _LARGEST_MARK).partition(b'\n')
    except InputError:
        return None
    if digest != _digest(text):
        return None
    content: dict[str, Any] = json.loads(text)
    return content


def sealed(path: Path) -> tuple[int, int]:
    """Put a file and its name safely on the disk, and return its size and its checksum.

    Raises
    ------
    InputError
        If it cannot be read again, or the disk refuses it.
    """
    try:
        sync(path)
        sync(path.parent)
        return path.stat().st_size, checksum_of(path)
    except OSError as error:
        raise described_os_error('write', path, error) from error


def checksum_of(path: Path) -> int:
    """Return a checksum of a file: the CRC-32 of the sums of its pages, as 64-bit words.

    It finds what a crash or a bad disk does to a file, pages of zeros and single bits, at ten
    times the speed of a CRC-32 of all bytes, which would cost 5 % of a recording's computation.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    checksum = 0
    buffer = bytearray(_BLOCK)
    # Not through a link, which could lead anywhere.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with open(descriptor, 'rb') as file:
        while count := file.readinto(buffer):
            whole = count // _PAGE * _PAGE
            words = np.frombuffer(buffer, '<u8', whole // 8).reshape(-1, _PAGE // 8)
            checksum = zlib.crc32(words.sum(axis=1, dtype='<u8').tobytes(), checksum)
            checksum = zlib.crc32(memoryview(buffer)[whole:count], checksum)
    return checksum


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
