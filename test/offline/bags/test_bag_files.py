# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in every form that recorders leave them in, with metadata.yaml and without."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
import errno
import os
from pathlib import Path
import sqlite3

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags')

from bags import stereo_tape, Tape
from rosbags.rosbag2 import CompressionMode, StoragePlugin

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.reader import Bag, DamagedBagError
from stereo_depth_node.offline.bags.salvage import salvage
from stereo_depth_node.offline.bags.topics import find_stereo_topics

TAPE = stereo_tape(6)
Form = Callable[[Path], Path]
Message = tuple[str, int, bytes]


def plain(folder: Path, storage: StoragePlugin = StoragePlugin.MCAP, **options: object) -> Path:
    return TAPE.write(folder / 'bag', storage=storage, **options)


def without_metadata(path: Path) -> Path:
    (path / 'metadata.yaml').unlink()
    return path


def split(folder: Path, storage: StoragePlugin, compression: CompressionMode) -> Path:
    """Write the first and the second half into a file each."""
    half = len(TAPE.messages) // 2
    target = folder / 'split'
    target.mkdir()
    for number, messages in enumerate((TAPE.messages[:half], TAPE.messages[half:])):
        tape = Tape()
        tape.messages = messages
        part = tape.write(folder / f'part_{number}', storage=storage, compression=compression)
        file = next(each for each in part.iterdir() if each.suffix != '.yaml')
        suffixes = ''.join(file.suffixes)
        file.rename(target / f'split_{number}{suffixes}')
    return target


MCAP, SQLITE = StoragePlugin.MCAP, StoragePlugin.SQLITE3
FILE, MESSAGE = CompressionMode.FILE, CompressionMode.MESSAGE
FORMS: dict[str, Form] = {
    'mcap': plain,
    'sqlite3': lambda folder: plain(folder, SQLITE),
    'mcap file alone': lambda folder: next(plain(folder).glob('*.mcap')),
    'sqlite3 file alone': lambda folder: next(plain(folder, SQLITE).glob('*.db3')),
    'packed chunks': lambda folder: plain(folder, compression=CompressionMode.STORAGE),
    'packed mcap file': lambda folder: plain(folder, compression=FILE),
    'packed messages': lambda folder: plain(folder, SQLITE, compression=MESSAGE),
    'packed files': lambda folder: plain(folder, SQLITE, compression=FILE),
    'one file, no metadata': lambda folder: without_metadata(plain(folder)),
    'packed messages, no metadata': lambda folder: without_metadata(
        plain(folder, SQLITE, compression=MESSAGE)
    ),
    'packed file, no metadata': lambda folder: without_metadata(
        plain(folder, SQLITE, compression=FILE)
    ),
    'packed file alone': lambda folder: next(
        plain(folder, SQLITE, compression=FILE).glob('*.zstd')
    ),
    'split, no metadata': lambda folder: split(folder, MCAP, CompressionMode.NONE),
    'split sqlite3, no metadata': lambda folder: split(folder, SQLITE, CompressionMode.NONE),
    'split and packed, no metadata': lambda folder: split(folder, SQLITE, FILE),
    'split, packed messages, no metadata': lambda folder: split(folder, SQLITE, MESSAGE),
}


@pytest.mark.parametrize('form', FORMS)
def test_every_form_holds_the_same_messages(tmp_path: Path, form: str) -> None:
    with closing(Bag(FORMS[form](tmp_path))) as recording:
        names = {topic.name for topic in recording.topics}
        found = list(recording.messages(names))
        counts = {topic.name: topic.count for topic in recording.topics}
        duration = recording.duration_ns
        assert find_stereo_topics(recording.topics, Settings()).left.endswith('left/image_rect')
    assert sorted(found) == sorted((name, ns, data) for name, _, ns, data in TAPE.messages)
    assert sum(counts.values()) == len(TAPE.messages)
    times = [ns for _, _, ns, _ in TAPE.messages]
    assert duration == max(times) - min(times)


def test_the_page_lists_the_forms_that_are_read_here(
    listed_formats: Callable[[str], list[str]],
) -> None:
    """Those that are not read, and the names of types, have tests of their own below."""
    listed = {
        'folder with metadata.yaml': {'mcap', 'sqlite3'},
        '`.mcap` or `.db3` alone': {'mcap file alone', 'sqlite3 file alone'},
        'folder of split files without metadata.yaml': {
            'one file, no metadata', 'split, no metadata', 'split sqlite3, no metadata'
        },
        'zstd: chunks of mcap, messages, or whole files (`.mcap.zstd`, `.db3.zstd`)': {
            name for name in FORMS if 'packed' in name
        },
    }  # fmt: skip
    forms = listed_formats('Recordings')
    assert forms[:4] == list(listed)
    assert set().union(*listed.values()) == set(FORMS)
    assert [form.split(' (')[0] for form in forms[4:]] == [
        'types with and without `/msg/`', 'ROS 1 bag', 'H.264 packets', 'protobuf mcap'
    ]  # fmt: skip


def test_a_part_of_the_time_is_read_from_the_files_that_have_it(tmp_path: Path) -> None:
    times = sorted(ns for _, _, ns, _ in TAPE.messages)
    start, stop = times[4], times[-4]
    with closing(Bag(split(tmp_path, MCAP, CompressionMode.NONE))) as recording:
        names = {topic.name for topic in recording.topics}
        found = [ns for _, ns, _ in recording.messages(names, start, stop)]
    assert sorted(found) == [ns for ns in times if start <= ns < stop]


def write_mcap(path: Path, schema: str, encoding: str, messages: list[Message]) -> None:
    """Write a file as a recorder that is not of ROS would."""
    writer = pytest.importorskip('mcap.writer').Writer(str(path))
    writer.start('ros2' if encoding == 'cdr' else '')
    kind = writer.register_schema(schema, 'ros2msg' if encoding == 'cdr' else encoding, b'')
    channels = {name: writer.register_channel(name, encoding, kind) for name, _, _ in messages}
    for name, bag_ns, data in messages:
        writer.add_message(channels[name], bag_ns, data, bag_ns)
    writer.finish()


def test_short_names_of_types_are_those_of_ros_2(tmp_path: Path) -> None:
    images = [each for each in TAPE.messages if each[1].endswith('/Image')]
    messages = [(name, ns, data) for name, _, ns, data in images]
    write_mcap(tmp_path / 'a.mcap', 'sensor_msgs/Image', 'cdr', messages)
    with closing(Bag(tmp_path / 'a.mcap')) as recording:
        topics = find_stereo_topics(recording.topics, Settings())
        assert topics.type == 'sensor_msgs/msg/Image'
        found = list(recording.messages([topics.left, topics.right]))
        kinds = {each.msgtype for each in recording.connections([topics.left])}
    assert sorted(found) == sorted(messages)
    assert kinds == {'sensor_msgs/msg/Image'}


def test_images_in_protobuf_are_named_with_what_converts_them(tmp_path: Path) -> None:
    messages = [(f'/{side}/image', 5, b'nothing') for side in ('left', 'right')]
    write_mcap(tmp_path / 'a.mcap', 'foxglove.CompressedImage', 'protobuf', messages)
    said = r'/left/image is foxglove\.CompressedImage.*mcap-protobuf-support'
    with pytest.raises(InputError, match=said):
        Bag(tmp_path / 'a.mcap')


def test_a_bag_of_ros_1_is_named_with_what_converts_it(tmp_path: Path) -> None:
    path = tmp_path / 'old.bag'
    path.write_bytes(b'#ROSBAG V2.0\n' + bytes(100))
    with pytest.raises(InputError, match=r'ROS 1.*rosbags-convert --src .*old\.bag --dst old'):
        Bag(path)


def test_a_packed_file_that_is_damaged_is_a_damaged_recording(tmp_path: Path) -> None:
    path = FORMS['packed file alone'](tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DamagedBagError):
        Bag(path)


@pytest.mark.parametrize(
    'form', ['sqlite3', 'packed messages', 'packed mcap file', 'packed file alone']
)
def test_what_is_legible_of_a_file_that_was_cut_short_is_as_it_was_recorded(
    tmp_path: Path, form: str
) -> None:
    path = FORMS[form](tmp_path)
    file = next(each for each in [path, *path.glob('bag*')] if each.is_file())
    size = file.stat().st_size
    os.truncate(file, size - size // 10)
    salvage(path, tmp_path / 'copy')
    with closing(Bag(tmp_path / 'copy')) as recording:
        found = list(recording.messages(topic.name for topic in recording.topics))
    assert 0 < len(found) < len(TAPE.messages)
    assert set(found) < {(name, ns, data) for name, _, ns, data in TAPE.messages}


def test_a_packed_message_that_is_damaged_is_left_out(tmp_path: Path) -> None:
    path = without_metadata(FORMS['packed messages'](tmp_path))
    with closing(sqlite3.connect(path / 'bag.db3')) as database:
        database.execute('UPDATE messages SET data = substr(data, 1, 40) WHERE id = 2')
        database.commit()
    notes = salvage(path, tmp_path / 'copy')
    assert notes == [
        f'bag.db3: {len(TAPE.messages) - 1} messages could be read, 1 could not be unpacked'
    ]


def test_a_disk_without_room_for_what_is_packed_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = FORMS['packed file alone'](tmp_path)
    monkeypatch.setattr('stereo_depth_node.offline.bags.salvage.unpack_file', full)
    with pytest.raises(OSError, match='No space left'):
        salvage(path, tmp_path / 'copy')
