# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings (ROS 2 bags), read with the library rosbags, without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
import os
from pathlib import Path
import struct
import threading

from mcap.reader import make_reader
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.errors import InputError, StereoDepthError
from stereo_depth_node.core.settings.text_files import printable, read_text
from stereo_depth_node.offline.bags.files import (
    METADATA,
    recording_files,
    storage_files,
    STORAGE_SUFFIXES,
)
from stereo_depth_node.offline.bags.halves import split_name
from stereo_depth_node.offline.bags.storage import StorageFiles
from stereo_depth_node.offline.bags.topics import conversions, full_type, Topic
from stereo_depth_node.offline.bags.unpacking import limit_rosbags
from stereo_depth_node.offline.files.writing import described_os_error

__all__ = [
    'Bag',
    'DamagedBagError',
    'is_message',
    'open_bag',
    'serialized_stamp_ns',
]

# A recording of 10,000 files has 5 MB.
_LARGEST_METADATA = 1 << 24
_DEEPEST_METADATA = 32

_of_thread = threading.local()
limit_rosbags()


class DamagedBagError(InputError):
    """A recording, or a part of it, cannot be read as its format has it."""


class Bag:
    """An open recording: sqlite3 or mcap, compressed or not, of Humble to Lyrical.

    Parameters
    ----------
    path : Path
        Folder with metadata.yaml, or a single storage file.

    Attributes
    ----------
    topics : list of Topic
        One entry for each topic and type.

    Raises
    ------
    InputError
        If there is no such recording.
    DamagedBagError
        If it cannot be opened as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        files = recording_files(path)
        try:
            _check_metadata(path / METADATA)
            self._reader = _reader_of(path, files)
            self._reader.open()
            if self._reader.compression_mode == 'message':
                # rosbags would unpack a message to whatever size it has.
                self._reader.close()
                self._reader = StorageFiles(files)
                self._reader.open()
        except InputError:
            raise
        except PermissionError as error:
            raise described_os_error('read', path, error) from error
        except Exception as error:  # damaged data can raise any
            _refuse_protobuf(path, files)
            raise DamagedBagError(f'{path} cannot be opened: {_reason(error)}') from error
        counts: dict[tuple[str, str], int] = {}
        for connection in self._reader.connections:
            key = (connection.topic, full_type(connection.msgtype))
            counts[key] = counts.get(key, 0) + connection.msgcount
        self.topics = [Topic(name, kind, count) for (name, kind), count in counts.items()]

    def close(self) -> None:
        """Close the recording; it cannot be used afterwards."""
        self._reader.close()

    @property
    def duration_ns(self) -> int:
        """Time from the first to the last message, ns."""
        return max(0, self._reader.duration - 1)

    @property
    def is_compressed_whole(self) -> bool:
        """Whether the files are compressed as a whole, so that each opening unpacks them."""
        return self._reader.compression_mode == 'file'

    def connections(self, names: Iterable[str]) -> list[Connection]:
        """Return the connections of rosbags of these topics."""
        wanted = set(names)
        return [
            each._replace(msgtype=full_type(each.msgtype))
            for each in self._reader.connections
            if each.topic in wanted
        ]

    def messages(
        self, names: Iterable[str], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield messages in the order of their time in the recording.

        Parameters
        ----------
        names : iterable of str
            The topics; those of :mod:`.halves` stand for the whole message.
        start_ns, stop_ns : int, optional
            Only messages recorded from the first time on and before the second, ns.

        Yields
        ------
        topic : str
        bag_ns : int
            When it was recorded, ns.
        data : bytes
            Serialized.

        Raises
        ------
        DamagedBagError
            Where the recording cannot be read.
        """
        wanted: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            wanted.setdefault(split_name(name)[0], []).append(name)
        # As they are recorded: rosbags tells them apart by their types, too.
        connections = [each for each in self._reader.connections if each.topic in wanted]
        if not connections:
            return
        try:
            for connection, recorded_ns, recorded in self._reader.messages(
                connections, start_ns, stop_ns
            ):
                bag_ns, data = _checked_message(recorded_ns, recorded)
                for name in wanted[connection.topic]:
                    yield name, bag_ns, data
        except StereoDepthError:
            raise
        except Exception as error:
            raise DamagedBagError(f'{self.path} is damaged: {_reason(error)}') from error


def open_bag(path: Path) -> Bag:
    """Return a recording that stays open, for further calls of this thread.

    Opening reads the index of all that is in it: that is not to be done for each part.
    """
    files = [(file, file.stat()) for file in storage_files(path)]
    key = [(file, stat.st_size, stat.st_mtime_ns) for file, stat in files]
    if getattr(_of_thread, 'key', None) != key:
        recording = Bag(path)
        if hasattr(_of_thread, 'recording'):
            _of_thread.recording.close()
        _of_thread.recording, _of_thread.key = recording, key
    opened: Bag = _of_thread.recording
    return opened


def _reader_of(path: Path, files: Sequence[Path]) -> Reader | StorageFiles:
    """Return what reads a recording: rosbags itself where it can."""
    if path.is_dir() and (path / METADATA).exists():
        return Reader(path)
    if len(files) == 1 and files[0].suffix in STORAGE_SUFFIXES and not path.is_dir():
        return Reader(path)
    return StorageFiles(files)


def _refuse_protobuf(path: Path, files: Sequence[Path]) -> None:
    """Name the tool that reads a recording whose messages are not those of ROS."""
    for file in files:
        if file.suffix != '.mcap':
            continue
        try:
            with file.open('rb') as stream:
                summary = make_reader(stream).get_summary()
        except Exception:  # noqa: BLE001 (damaged data can raise any)
            continue
        if summary is None:
            continue
        kinds = [
            Topic(each.topic, summary.schemas[each.schema_id].name, 1)
            for each in summary.channels.values()
            if each.message_encoding == 'protobuf' and each.schema_id in summary.schemas
        ]
        if kinds:
            raise InputError(f'{path} holds no messages of ROS: {conversions(kinds)}')


def is_message(bag_ns: object, data: object) -> bool:
    """Tell whether time and content are those of a message; a database can hold anything."""
    return isinstance(bag_ns, int) and 0 <= bag_ns < 1 << 63 and isinstance(data, bytes)


def _checked_message(bag_ns: int, data: bytes) -> tuple[int, bytes]:
    if not is_message(bag_ns, data):
        raise ValueError('it has a row that is no message')
    return bag_ns, data


def _check_metadata(file: Path) -> None:
    """Refuse what rosbags should not be given: pipes, and YAML that grows when it is read.

    Raises
    ------
    ValueError, yaml.YAMLError
        If it is such a file.
    """
    import yaml

    if not os.path.lexists(file):
        return
    try:
        text = read_text(file, _LARGEST_METADATA)
    except InputError as error:  # the messages may be legible without it
        raise ValueError(str(error)) from error
    loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
    depth = 0
    for event in yaml.parse(text, loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST_METADATA or isinstance(event, yaml.AliasEvent):
            raise ValueError(f'{METADATA} has aliases, or is nested too deeply')


def serialized_stamp_ns(data: bytes) -> int:
    """Return the stamp of a serialized message that begins with a Header, ns.

    CDR: 4 bytes of encapsulation, the second of which is 1 for little-endian, then sec (int32)
    and nanosec (uint32).

    Raises
    ------
    InputError
        If the message is shorter than that.
    """
    if len(data) < 12:
        raise InputError(f'a message of {len(data)} bytes has no header: it was cut short')
    seconds, nanoseconds = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return int(seconds) * NS_PER_S + int(nanoseconds)


def _reason(error: Exception) -> str:
    return printable(error) or type(error).__name__
