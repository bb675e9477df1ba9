# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings (ROS 2 bags) of results: one file for each part, written anywhere in any order.

A bag may have any number of storage files (``ros2 bag record --max-bag-size`` makes such); here
each part of the work is one. So parts can be written by different processes and machines, and
what is finished survives when the work is stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import sqlite3
from typing import Any, Final
from uuid import uuid4

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from stereo_depth_node.core.errors import InputError, StereoDepthError
from stereo_depth_node.offline.bags.files import METADATA
from stereo_depth_node.offline.bags.messages import type_definition
from stereo_depth_node.offline.files.writing import described_os_error

__all__ = ['VERSION', 'BagFormat', 'WrittenTopic', 'joined_metadata', 'part_name', 'write_part']

# What Humble reads as well as all that came after it.
VERSION: Final = 8
_SUFFIXES = {'mcap': '.mcap', 'sqlite3': '.db3'}
_INFORMATION = 'rosbag2_bagfile_information'
# Large enough for the disk, small enough that little is left at the end.
_FLOW_BYTES = 1 << 23


@dataclass(frozen=True)
class BagFormat:
    """How a recording is stored.

    Attributes
    ----------
    storage : str
        mcap or sqlite3.
    compressed : bool
        With zstd; mcap only.
    """

    storage: str = 'mcap'
    compressed: bool = False


@dataclass(frozen=True)
class WrittenTopic:
    """A topic of the bag that is written.

    Attributes
    ----------
    name, type : str
        Such as ``/depth/image_rect`` and ``sensor_msgs/msg/Image``.
    definition, digest : str
        The message definition and its RIHS01 hash.
    qos : tuple
        Profiles of rosbags that were offered when it was recorded.
    """

    name: str
    type: str
    definition: str
    digest: str
    qos: tuple[Qos, ...] = ()

    @classmethod
    def of_type(cls, name: str, type_name: str) -> WrittenTopic:
        """Return a topic of a type that rosbags knows."""
        return cls(name, type_name, *type_definition(type_name))


def part_name(index: int, recording_format: BagFormat) -> str:
    """Return the file name of a part. It does not depend on the recording's own name."""
    return f'stereo_depth_{index}{_SUFFIXES[recording_format.storage]}'


def write_part(
    folder: Path,
    name: str,
    recording_format: BagFormat,
    topics: Sequence[WrittenTopic],
    items: Iterable[tuple[int, Mapping[str, bytes | bytearray]]],
) -> dict[str, Any]:
    """Write the file `name` in `folder`; it gets that name when all went well.

    Parameters
    ----------
    folder, name, recording_format
        Of the file.
    topics : sequence of WrittenTopic
        What it has.
    items : iterable of tuple of int and mapping
        Time in the recording, ns, and serialized messages by their topics.

    Returns
    -------
    dict
        What metadata.yaml says of the file.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    # A folder of its own: when a machine is given up for lost, another repeats its work.
    work = folder / f'{name}.{uuid4().hex}'
    target = work / Path(name).stem
    try:
        work.mkdir()
        with _open_writer(target, recording_format) as writer, (target / name).open('rb') as file:
            connections = {topic.name: _add_topic(writer, topic) for topic in topics}
            flow = _DiskFlow(file.fileno())
            for bag_ns, messages in items:
                for topic, data in messages.items():
                    writer.write(connections[topic], bag_ns, memoryview(data))
                flow.go_on()
        metadata = _read_metadata(target)
        (target / name).replace(folder / name)
    except StereoDepthError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise _described(folder / name, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return metadata


def _add_topic(writer: Writer, topic: WrittenTopic) -> Connection:
    return writer.add_connection(
        topic.name,
        topic.type,
        msgdef=topic.definition,
        rihs01=topic.digest,
        offered_qos_profiles=topic.qos,
    )


class _DiskFlow:
    """Has the system write a growing file to the disk as it grows.

    When it is complete it has to be on the disk before it counts: by then most of it is.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._begun = descriptor, 0

    def go_on(self) -> None:
        """Begin to write what has come since."""
        size = os.fstat(self._descriptor).st_size
        if size - self._begun >= _FLOW_BYTES and hasattr(os, 'posix_fadvise'):
            # Linux begins to write what is not needed in memory, and does not wait for it. It
            # keeps what is not written yet: all of this.
            os.posix_fadvise(
                self._descriptor, self._begun, size - self._begun, os.POSIX_FADV_DONTNEED
            )
            self._begun = size


def _open_writer(target: Path, recording_format: BagFormat) -> Writer:
    writer = Writer(
        target,
        version=VERSION,
        storage_plugin=StoragePlugin[recording_format.storage.upper()],
    )
    if recording_format.compressed:
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    return writer


def _described(path: Path, error: OSError | sqlite3.Error) -> InputError:
    if isinstance(error, OSError):
        return described_os_error('write', path, error)
    return InputError(f'cannot write {path}: {error}')


def _read_metadata(folder: Path) -> dict[str, Any]:
    import yaml

    # The parser in C where there is one, ten times as fast.
    loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
    text = (folder / METADATA).read_text(encoding='utf-8')
    content = yaml.load(text, loader)
    information: dict[str, Any] = content[_INFORMATION]
    return information


def joined_metadata(parts: Sequence[dict[str, Any]]) -> str:
    """Return the metadata.yaml of a recording of several files, from that of each.

    Parameters
    ----------
    parts : sequence of dict
        As :func:`write_part` returns them, in order, at least one.
    """
    import yaml

    starts = [_start_ns(part) for part in parts if part['message_count']]
    ends = [
        _start_ns(part) + part['duration']['nanoseconds']
        for part in parts
        if part['message_count']
    ]
    start, end = min(starts, default=0), max(ends, default=0)
    topics = [
        {
            'topic_metadata': topic['topic_metadata'],
            'message_count': sum(
                part['topics_with_message_count'][index]['message_count'] for part in parts
            ),
        }
        for index, topic in enumerate(parts[0]['topics_with_message_count'])
    ]
    information = {
        **parts[0],
        'relative_file_paths': [name for part in parts for name in part['relative_file_paths']],
        'duration': {'nanoseconds': end - start},
        'starting_time': {'nanoseconds_since_epoch': start},
        'message_count': sum(part['message_count'] for part in parts),
        'topics_with_message_count': topics,
        'files': [file for part in parts for file in part['files']],
    }
    text: str = yaml.safe_dump({_INFORMATION: information}, sort_keys=False)
    return text


def _start_ns(part: dict[str, Any]) -> int:
    return int(part['starting_time']['nanoseconds_since_epoch'])
