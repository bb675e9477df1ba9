# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is compressed in recordings, unpacked within limits.

A few kilobytes of zstd or lz4 can unpack to gigabytes. rosbags and mcap unpack whatever they are
given; here it is known how large a chunk, a message and a file can be.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, BinaryIO, Final, Literal

import lz4.frame  # type: ignore[import-untyped]
import rosbags.rosbag2.reader
import rosbags.rosbag2.storage_mcap

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = [
    'LimitedFile',
    'UnpackingError',
    'limit_rosbags',
    'open_zstd',
    'unpack_lz4',
    'unpack_zstd',
]

# Of a chunk or a message: several times the largest image of a camera.
_LARGEST: Final = 1 << 27
# Images that are all of one value are packed to less than a thousandth; small ones may be.
_LARGEST_RATIO, _RATIO_FROM = 1000, 1 << 24
# Of whole files, which are unpacked to the disk.
_FILE_RATIO, _FILE_RATIO_FROM = 500, 1 << 28


class UnpackingError(ValueError):
    """Compressed data is damaged, or unpacks to more than its kind can have."""


def unpack_zstd(packed: bytes) -> bytes:
    """Return what is packed in one or more zstd frames.

    Raises
    ------
    UnpackingError
        If it is damaged or too large.
    """
    return _unpacked(packed, zstd.ZstdDecompressor, zstd.ZstdError)


def unpack_lz4(packed: bytes) -> bytes:
    """Return what is packed in one or more lz4 frames.

    Raises
    ------
    UnpackingError
        If it is damaged or too large.
    """
    return _unpacked(packed, lz4.frame.LZ4FrameDecompressor, RuntimeError)


def open_zstd(file: BinaryIO, mode: Literal['rb']) -> LimitedFile:
    """Open a packed file to read it, as far as a recording can go."""
    return LimitedFile(file, zstd.open(file, mode))


def limit_rosbags() -> None:
    """Have rosbags unpack with the functions here; it has no limits of its own."""
    reader: Any = rosbags.rosbag2.reader
    storage: Any = rosbags.rosbag2.storage_mcap
    limited = {**vars(zstd), 'decompress': unpack_zstd, 'open': open_zstd}
    reader.zstd = storage.zstd = SimpleNamespace(**limited)
    storage.lz4_decompress = unpack_lz4


def _unpacked(packed: bytes, decompressor: Any, library_error: type[Exception]) -> bytes:
    most = min(_LARGEST, max(_RATIO_FROM, _LARGEST_RATIO * len(packed)))
    parts: list[bytes] = []
    size = 0
    try:
        while packed:
            frame = decompressor()
            part = frame.decompress(packed, most + 1 - size)
            parts.append(part)
            size += len(part)
            if size > most:
                raise UnpackingError(f'it unpacks to more than {most} bytes')
            if not frame.eof:
                raise UnpackingError('it was cut short')
            packed = frame.unused_data or b''
    except library_error as error:
        raise UnpackingError(str(error)) from error
    return parts[0] if len(parts) == 1 else b''.join(parts)


class LimitedFile:
    """A packed file of which so much can be read, and no more.

    Parameters
    ----------
    packed : file
        As it is stored.
    unpacked : file
        What is in it.
    """

    def __init__(self, packed: BinaryIO, unpacked: Any) -> None:
        begin = packed.tell()
        size = packed.seek(0, 2)
        packed.seek(begin)
        self._unpacked = unpacked
        self._left = max(_FILE_RATIO_FROM, _FILE_RATIO * size)

    def __enter__(self) -> LimitedFile:  # noqa: PYI034 (Self is in typing from Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        self._unpacked.close()

    def read(self, size: int = 1 << 20) -> bytes:
        """Return the next bytes, as many as there are at once.

        Raises
        ------
        UnpackingError
            If there are more than a recording can have.
        """
        # read() would keep back what comes before the place where the file is damaged.
        data: bytes = self._unpacked.read1(min(size, 1 << 20) if size > 0 else 1 << 20)
        self._left -= len(data)
        if self._left < 0:
            raise UnpackingError('the file unpacks to more than a recording can have')
        return data
