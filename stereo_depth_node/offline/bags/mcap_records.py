# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The records of mcap files, one by one, as far as they are legible.

The library mcap reads what is whole. Here a record that is not what it says ends its chunk, or the
file, and what came before it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
import io
from pathlib import Path
import stat
import struct
from typing import BinaryIO, Final
import zlib

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message, Schema

from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.bags.unpacking import unpack_lz4, unpack_zstd
from stereo_depth_node.offline.files.writing import described_os_error

__all__ = ['legible_records']

_MAGIC: Final = b'\x89MCAP0\r\n'
_HEAD = struct.Struct('<BQ')
# Of the footer: opcode, length, where the summary begins, and two numbers more.
_FOOTER = struct.Struct('<BQQQI')
# More than this in one record is damage.
_LARGEST_RECORD: Final = 1 << 30
_MESSAGE_HEAD: Final = 22
_UNPACK = {'': lambda data: data, 'lz4': unpack_lz4, 'zstd': unpack_zstd}

Record = Schema | Channel | Message


class _IllegibleError(ValueError):
    """A record is not what it says."""


def legible_records(file: Path, notes: list[str]) -> Iterator[Record]:
    """Yield schemas, channels and messages, those of chunks one by one.

    Parameters
    ----------
    file : Path
        An mcap file, whole or not.
    notes : list of str
        Receives a sentence on each damage.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    try:
        size = file.stat().st_size if stat.S_ISREG(file.stat().st_mode) else 0
        stream = file.open('rb') if size else io.BytesIO()
    except OSError as error:
        raise described_os_error('read', file, error) from error
    with stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            notes.append(f'{file.name} is no mcap file, or its beginning is lost')
            return
        # Its end repeats what its first chunk says of the topics: that chunk may be illegible.
        yield from _summary(stream, size)
        stream.seek(len(_MAGIC))
        end = 0
        while stream.tell() < size:
            try:
                opcode, content, is_whole = _next_record(stream, size)
                if opcode == Opcode.FOOTER:
                    return
                if opcode == Opcode.CHUNK:
                    yield from _chunk_records(content, is_whole, file.name, end, notes)
                elif is_whole:
                    yield from _plain_record(opcode, content)
            except Exception as error:  # noqa: BLE001 (a damaged file can raise any)
                is_whole = False
                reason = str(error) if isinstance(error, _IllegibleError) else type(error).__name__
            else:
                reason = 'the last record is not whole'
            if not is_whole:
                notes.append(
                    f'{file.name} of {size} bytes is cut short or illegible behind byte {end} '
                    f'({reason})'
                )
                return
            end = stream.tell()


def _summary(stream: BinaryIO, size: int) -> Iterator[Record]:
    """Yield the schemas and channels that the end of the file repeats, as far as it has it."""
    try:
        stream.seek(size - _FOOTER.size - len(_MAGIC))
        opcode, _, start = _FOOTER.unpack(stream.read(_FOOTER.size))[:3]
        if opcode != Opcode.FOOTER or not 0 < start < size:
            return
        stream.seek(start)
        while stream.tell() < size:
            opcode, content, is_whole = _next_record(stream, size)
            if not is_whole or opcode == Opcode.FOOTER:
                return
            if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                yield from _plain_record(opcode, content)
    except Exception:  # noqa: BLE001 (a damaged file can raise any)
        return


def _next_record(stream: BinaryIO, size: int) -> tuple[int, bytes, bool]:
    """Return the next record: its opcode, its content, and whether all of that is there."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return 0, b'', False
    opcode, length = _HEAD.unpack(head)
    is_whole = stream.tell() + length <= size
    if length > _LARGEST_RECORD and (is_whole or opcode != Opcode.CHUNK):
        raise _IllegibleError(f'a record says that it has {length} bytes')
    return opcode, stream.read(min(length, _LARGEST_RECORD)), is_whole


def _chunk_records(
    content: bytes, is_whole: bool, name: str, place: int, notes: list[str]
) -> Iterator[Record]:
    """Yield the records of a chunk; of one that is cut, those that are whole.

    That needs a chunk that is not compressed; nothing else can be told apart in it.
    """
    try:
        yield from _records_of_chunk(content, is_whole)
    except Exception as error:  # noqa: BLE001 (a damaged file can raise any)
        notes.append(
            f'{name}: a chunk of {len(content)} bytes behind byte {place} is illegible, or a part '
            f'of it ({printable(error) or type(error).__name__})'
        )


def _records_of_chunk(content: bytes, is_whole: bool) -> Iterator[Record]:
    chunk = Chunk.read(ReadDataStream(io.BytesIO(content)))
    if not is_whole and chunk.compression:
        raise _IllegibleError('it is cut short')
    data = _UNPACK[chunk.compression](chunk.data)
    if is_whole and chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise _IllegibleError('its checksum is another one')
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        start = stream.tell()
        opcode, record, whole = _next_record(stream, len(data))
        if not whole or opcode not in (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE):
            raise _IllegibleError(f'there is no whole record at byte {start} of it')
        yield from _plain_record(opcode, record)


def _plain_record(opcode: int, content: bytes) -> Iterator[Record]:
    """Yield the record, if it is of a kind that is needed."""
    stream = ReadDataStream(io.BytesIO(content))
    if opcode == Opcode.SCHEMA:
        yield Schema.read(stream)
    elif opcode == Opcode.CHANNEL:
        yield Channel.read(stream)
    elif opcode == Opcode.MESSAGE:
        if len(content) <= _MESSAGE_HEAD:
            raise _IllegibleError('a message has no data')
        yield Message.read(stream, len(content))
