# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What can still be read of a damaged recording, as a recording that is whole.

A recorder that was killed leaves mcap files without their index, and the last record cut short.
A bad disk leaves holes. The storage files are read record by record, what is illegible is left
out and reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
import sqlite3
from tempfile import TemporaryDirectory

from mcap.records import Message, Schema
from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from rosbags.typesys import (
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
    Stores,
)

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.bags.files import storage_files
from stereo_depth_node.offline.bags.mcap_records import legible_records
from stereo_depth_node.offline.bags.messages import typestore
from stereo_depth_node.offline.bags.reader import Bag, DamagedBagError, is_message
from stereo_depth_node.offline.bags.storage import plain_message, unpack_file
from stereo_depth_node.offline.bags.topics import full_type
from stereo_depth_node.offline.bags.unpacking import UnpackingError
from stereo_depth_node.offline.bags.writer import VERSION
from stereo_depth_node.offline.files.writing import described_os_error
from stereo_depth_node.offline.terminal import print_problem

__all__ = ['legible_copy', 'salvage', 'topic_definition', 'unpack']


@dataclass(frozen=True)
class _Channel:
    """A topic as a storage file has it."""

    topic: str
    type: str
    definition: str


_Message = tuple[_Channel, int, bytes]


@contextmanager
def legible_copy(path: Path, damage: DamagedBagError) -> Iterator[Path]:
    """Say what is damaged in a recording; give a copy of what is legible, for as long as needed.

    Raises
    ------
    InputError
        If nothing is legible, or there is no room for the copy.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.stem
        for line in [str(damage), *salvage(path, copy)]:
            print_problem(line, is_error=False)
        yield copy


def salvage(path: Path, copy: Path) -> list[str]:
    """Copy what is legible of a damaged recording.

    Parameters
    ----------
    path : Path
        The recording.
    copy : Path
        Becomes a recording of its own.

    Returns
    -------
    list of str
        What is damaged and what was left out, a sentence each.

    Raises
    ------
    InputError
        If nothing is legible, or the copy cannot be written.
    """
    notes: list[str] = []
    count = 0
    with _writer(copy) as writer, TemporaryDirectory() as folder:
        connections: dict[tuple[str, str], Connection | None] = {}
        for stored in storage_files(path):
            file = _unpacked(stored, Path(folder), notes)
            legible = _mcap_messages if file.suffix == '.mcap' else _sqlite_messages
            before, illegible = count, 0
            for channel, bag_ns, data in legible(file, notes):
                key = channel.topic, channel.type
                if key not in connections:
                    connections[key] = _add(writer, channel)
                connection = connections[key]
                if connection is None or not is_message(bag_ns, data):
                    continue
                try:
                    writer.write(connection, bag_ns, plain_message(data))
                    count += 1
                except UnpackingError:
                    illegible += 1
            others = f', {illegible} could not be unpacked' if illegible else ''
            notes.append(f'{file.name}: {count - before} messages could be read{others}')
    if not count:
        raise InputError(f'nothing of {path} can be read: {"; ".join(notes)}')
    return notes


def unpack(recording: Bag, copy: Path) -> None:
    """Copy a recording whose files are compressed as a whole into one that is not."""
    names = {topic.name for topic in recording.topics}
    with _writer(copy) as writer:
        channels = {
            each.topic: _add(writer, _Channel(each.topic, each.msgtype, each.msgdef.data))
            for each in recording.connections(names)
        }
        for topic, bag_ns, data in recording.messages(names):
            if (connection := channels[topic]) is not None:
                writer.write(connection, bag_ns, data)


def topic_definition(kind: str, text: str) -> tuple[str, str] | None:
    """Return the definition of a message type and its hash, None if it is unknown.

    Parameters
    ----------
    kind : str
        The type.
    text : str
        Its definition as recorded; empty where the recording has none.
    """
    store = typestore()
    try:
        if kind not in store.fielddefs:
            if not text:
                return None
            is_idl = 'IDL: ' in text[:120]
            types = get_types_from_idl(text) if is_idl else get_types_from_msg(text, kind)
            store = get_typestore(Stores.LATEST)
            store.register({name: each for name, each in types.items() if name not in store.types})
        definition, _ = store.generate_msgdef(kind, ros_version=2)
        return definition, store.hash_rihs01(kind)
    except Exception:  # noqa: BLE001 (what a recording says of its types can raise any)
        return None


def _unpacked(file: Path, folder: Path, notes: list[str]) -> Path:
    """Return the file, or what is legible of what zstd has packed into it."""
    if file.suffix != '.zstd':
        return file
    target = folder / file.stem
    try:
        unpack_file(file, target)
    except (InputError, OSError):  # there is no room
        raise
    except Exception as error:  # noqa: BLE001 (it is damaged)
        notes.append(f'{file.name} cannot be unpacked to its end: {printable(error)}')
    return target


def _writer(copy: Path) -> Writer:
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise described_os_error('write', copy, error) from error
    return Writer(copy, version=VERSION, storage_plugin=StoragePlugin.MCAP)


def _add(writer: Writer, channel: _Channel) -> Connection | None:
    known = topic_definition(channel.type, channel.definition)
    if known is None:
        return None
    try:
        return writer.add_connection(channel.topic, channel.type, msgdef=known[0], rihs01=known[1])
    except WriterError:  # a name that no topic can have
        return None


def _mcap_messages(file: Path, notes: list[str]) -> Iterator[_Message]:
    """Yield the legible messages of an mcap file."""
    schemas: dict[int, Schema] = {}
    channels: dict[int, _Channel] = {}
    unknown = 0
    for record in legible_records(file, notes):
        if isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, Message):
            if record.channel_id in channels:
                yield channels[record.channel_id], record.log_time, record.data
            else:
                unknown += 1
        elif record.schema_id in schemas:
            schema = schemas[record.schema_id]
            text = schema.data.decode('utf-8', 'replace')
            channels[record.id] = _Channel(record.topic, full_type(schema.name), text)
    if unknown:
        notes.append(f'{file.name}: of {unknown} messages it is illegible which topic they are of')


def _sqlite_messages(file: Path, notes: list[str]) -> Iterator[_Message]:
    """Yield the legible messages of an sqlite3 file, from both ends to where it is damaged."""
    # immutable: no journal is looked for, and none is written
    uri = f'{file.absolute().as_uri()}?immutable=1'
    try:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            topics = _sqlite_topics(database)
            if topics is None:
                notes.append(f'{file.name} has no tables of messages and topics')
                return
            last = 0
            damage: list[str] = []
            for number, topic, bag_ns, data in _rows(database, last, 'ASC', damage):
                last = number
                if topic in topics:
                    yield topics[topic], bag_ns, data
            if damage:
                notes.append(f'{file.name} is damaged behind message {last}: {damage[0]}')
                for _, topic, bag_ns, data in _rows(database, last, 'DESC', damage):
                    if topic in topics:
                        yield topics[topic], bag_ns, data
    except sqlite3.Error as error:
        notes.append(f'{file.name} is illegible: {error}')


def _sqlite_topics(database: sqlite3.Connection) -> dict[int, _Channel] | None:
    """Return the topics by their numbers, None where there is no table of them or of messages."""
    # Otherwise sqlite refuses a file that is shorter than its header says.
    database.execute('PRAGMA writable_schema = ON')
    # A view in place of a table could compute anything, without end.
    tables = database.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' "
        "AND sql LIKE 'CREATE TABLE %' AND name IN ('messages', 'topics')"
    ).fetchone()
    if tables != (2,):
        return None
    rows = database.execute('SELECT id, name, type FROM topics')
    return {number: _Channel(str(name), full_type(str(kind)), '') for number, name, kind in rows}


def _rows(
    database: sqlite3.Connection, last: int, direction: str, damage: list[str]
) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the messages behind number `last`, as far as they are legible."""
    select = 'SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? ORDER BY id'
    try:
        yield from database.execute(f'{select} {direction}', (last,))
    except sqlite3.Error as error:
        damage.append(str(error))
