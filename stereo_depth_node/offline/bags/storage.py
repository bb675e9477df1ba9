# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Storage files of a recording without its metadata.yaml, read one after the other.

rosbags reads single storage files, and folders with metadata. Here are several files without,
files that zstd has packed as a whole, and files whose messages it has packed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
import shutil
from tempfile import TemporaryDirectory

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.bags.unpacking import open_zstd, unpack_zstd

__all__ = ['StorageFiles', 'plain_message', 'unpack_file']

_ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
_BLOCK = 1 << 22


class StorageFiles:
    """Several storage files as one recording, with what :class:`.Bag` needs of rosbags' Reader.

    Parameters
    ----------
    files : sequence of Path
        In the order of their numbers.

    Attributes
    ----------
    connections : list of Connection
        One for each topic and type, with the messages of all files.
    compression_mode : str or None
        "file" where files were unpacked.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._readers: list[Reader] = []
        self._stack = ExitStack()
        self.connections: list[Connection] = []
        self.compression_mode: str | None = None

    def open(self) -> None:
        """Open all files.

        Raises
        ------
        InputError
            If there is no room to unpack one.
        Exception
            Whatever rosbags raises where a file is damaged.
        """
        try:
            for file in self._files:
                reader = Reader(self._unpacked(file))
                reader.open()
                self._stack.callback(reader.close)
                self._readers.append(reader)
        except BaseException:
            self.close()
            raise
        found: dict[tuple[str, str], Connection] = {}
        for reader in self._readers:
            for each in reader.connections:
                key = (each.topic, each.msgtype)
                before = found.get(key, each._replace(msgcount=0))
                found[key] = before._replace(msgcount=before.msgcount + each.msgcount)
        self.connections = list(found.values())

    def close(self) -> None:
        """Close all files and remove what was unpacked."""
        self._readers.clear()
        self._stack.close()

    @property
    def duration(self) -> int:
        """Time from the first message to the last, ns, and 1 more, as rosbags has it."""
        filled = [reader for reader in self._readers if reader.message_count]
        if not filled:
            return 0
        return int(max(each.end_time for each in filled) - min(each.start_time for each in filled))

    def messages(
        self,
        connections: Collection[Connection],
        start: int | None = None,
        stop: int | None = None,
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield messages, file by file; of each file in the order of their times."""
        wanted = {(each.topic, each.msgtype): each for each in connections}
        for reader in self._readers:
            own = [each for each in reader.connections if (each.topic, each.msgtype) in wanted]
            if not own:
                continue
            for each, bag_ns, data in reader.messages(own, start, stop):
                yield wanted[each.topic, each.msgtype], bag_ns, plain_message(data)

    def _unpacked(self, file: Path) -> Path:
        """Return the file, or what zstd has packed into it as a file of its own."""
        if file.suffix != '.zstd':
            return file
        self.compression_mode = 'file'
        target = Path(self._stack.enter_context(TemporaryDirectory())) / file.stem
        unpack_file(file, target)
        return target


def unpack_file(file: Path, target: Path) -> None:
    """Unpack a file that zstd has packed as a whole; what is legible stays if it is damaged.

    Raises
    ------
    InputError
        If there is no room for it.
    UnpackingError, EOFError, ZstdError
        If it is damaged or cut short.
    """
    room = shutil.disk_usage(target.parent).free // 2
    with file.open('rb') as packed, open_zstd(packed, 'rb') as source, target.open('wb') as out:
        while block := source.read(_BLOCK):
            room -= len(block)
            if room < 0:
                raise InputError(
                    f'{printable(file)} unpacks to more than half of the free space in '
                    f'{target.parent.parent}: set TMPDIR to a larger disk'
                )
            out.write(block)


def plain_message(data: bytes) -> bytes:
    """Return a message without the packing of zstd; CDR itself begins with a zero.

    Raises
    ------
    UnpackingError
        If it is damaged or too large.
    """
    return unpack_zstd(data) if data[:4] == _ZSTD_MAGIC else data
