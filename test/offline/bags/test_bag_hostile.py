# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings made to do harm: they cost little memory, no time, and end with one line."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import sqlite3
import struct
import sys
from typing import Any

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')
pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')

from bags import depths_of, moving_scenes, run_bag, stereo_tape, write_bag
import lz4.frame

from stereo_depth_node.offline.bags.mcap_records import legible_records
from stereo_depth_node.offline.bags.unpacking import unpack_lz4, unpack_zstd
from stereo_depth_node.offline.cli import main

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HUGE = 1 << 28


@pytest.mark.parametrize(
    ('pack', 'unpack'),
    [(zstd.compress, unpack_zstd), (lz4.frame.compress, unpack_lz4)],
    ids=['zstd', 'lz4'],
)
def test_a_bomb_is_refused_and_images_of_one_value_are_not(
    pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]
) -> None:
    black = bytes(4 << 20)
    assert unpack(pack(black)) == black
    assert unpack(pack(b'one') + pack(b'two')) == b'onetwo'
    with pytest.raises(ValueError, match='unpacks to more than'):
        unpack(pack(bytes(HUGE)))
    with pytest.raises(ValueError, match='cut short'):
        unpack(pack(os.urandom(1000))[:-10])
    with pytest.raises(ValueError, match=r'.'):
        unpack(b'neither of the two')


def record(opcode: int, content: bytes) -> bytes:
    """Return a record of an mcap file."""
    return struct.pack('<BQ', opcode, len(content)) + content


def text(value: str) -> bytes:
    """Return a text as mcap has it."""
    return struct.pack('<I', len(value)) + value.encode()


def chunk(data: bytes, compression: str, size: int) -> bytes:
    """Return a chunk with its data as given."""
    return record(
        6,
        struct.pack('<QQQI', 1, 2, size, 0)
        + text(compression)
        + struct.pack('<Q', len(data))
        + data,
    )


def mcap(*records: bytes) -> bytes:
    """Return the content of an mcap file without an index."""
    magic = b'\x89MCAP0\r\n'
    footer = record(2, struct.pack('<QQI', 0, 0, 0))
    return magic + record(1, text('ros2') + text('test')) + b''.join(records) + footer + magic


def test_a_chunk_that_would_unpack_to_gigabytes_takes_little_memory(
    tmp_path: Path, capsys: Any
) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = tmp_path / 'bomb.mcap'
    file.write_bytes(mcap(chunk(zstd.compress(bytes(4 * HUGE)), 'zstd', 4 * HUGE)))
    assert file.stat().st_size < 100_000
    # What it took to make it counts, too.
    made = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert main(['inspect', str(file)]) == 2
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - max(before, made) < 200_000
    captured = capsys.readouterr()
    assert 'unpacks to more than' in captured.out + captured.err
    assert captured.err.count('\n') <= 1


def test_an_invalid_record_ends_its_chunk_at_once(tmp_path: Path) -> None:
    schema = record(3, struct.pack('<H', 1) + text('a/msg/B') + text('ros2msg') + text('int8 a'))
    topic = record(4, struct.pack('<HH', 1, 1) + text('/a') + text('cdr') + text(''))
    good = record(5, struct.pack('<HIQQ', 1, 0, 5, 5) + b'data')
    content = schema + topic + good + bytes(1 << 22) + good
    file = tmp_path / 'x.mcap'
    file.write_bytes(mcap(chunk(content, '', len(content)), good))
    notes: list[str] = []
    found = [type(each).__name__ for each in legible_records(file, notes)]
    assert found == ['Schema', 'Channel', 'Message', 'Message']
    assert len(notes) == 1
    assert 'no whole record at byte' in notes[0]


def test_of_an_uncompressed_chunk_that_is_cut_the_whole_messages_are_read(
    tmp_path: Path, capsys: Any
) -> None:
    """A recording of one chunk, which the power failure of the recorder has cut."""
    source = write_bag(tmp_path / 'in', 12, scenes=moving_scenes(4, 160, 120))
    file = source / 'in.mcap'
    os.truncate(file, 400_000)
    assert run_bag(source, tmp_path / 'out') == 0
    assert 'illegible' in capsys.readouterr().out
    # 39 kB for a pair with its calibration: ten are whole. Without this all would be lost.
    assert len(depths_of(tmp_path / 'out')) in (9, 10)


@pytest.mark.parametrize(
    'metadata',
    [
        'a: &a [x, x]\nb: &b [*a, *a]\nrosbag2_bagfile_information: {version: *b}\n',
        'a: ' + '[' * 100_000,
        None,
    ],
    ids=['aliases', 'deep', 'pipe'],
)
def test_metadata_that_would_do_harm_is_not_read_and_the_messages_are(
    tmp_path: Path, capsys: Any, metadata: str | None
) -> None:
    source = write_bag(tmp_path / 'in', 3)
    (source / 'metadata.yaml').unlink()
    if metadata is None:
        os.mkfifo(source / 'metadata.yaml')
    else:
        (source / 'metadata.yaml').write_text(metadata)
    assert run_bag(source, tmp_path / 'out') == 0
    assert len(depths_of(tmp_path / 'out')) == 3
    assert 'cannot be opened' in capsys.readouterr().out


def test_a_storage_file_that_is_a_pipe_is_no_recording(tmp_path: Path, capsys: Any) -> None:
    os.mkfifo(tmp_path / 'in.mcap')
    assert run_bag(tmp_path / 'in.mcap', tmp_path / 'out') == 2
    assert 'no ROS 2 bag' in capsys.readouterr().err


_ENDLESS = """
CREATE VIEW messages AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
SELECT id, 1 AS topic_id, id AS timestamp, x'00' AS data FROM n;
"""
_OTHER_TYPES = """
CREATE TABLE messages (id INTEGER PRIMARY KEY, topic_id, timestamp, data);
INSERT INTO messages VALUES (1, 1, 1, 5), (2, 1, -7, x'00'), (3, 1, NULL, NULL);
"""
_TOPICS = """
CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT,
offered_qos_profiles TEXT);
INSERT INTO topics VALUES (1, '/left/image_rect', 'sensor_msgs/msg/Image', 'cdr', '');
INSERT INTO topics VALUES (2, '/right/image_rect', 'sensor_msgs/msg/Image', 'cdr', '');
"""


@pytest.mark.parametrize('messages', [_ENDLESS, _OTHER_TYPES], ids=['endless', 'types'])
def test_a_database_that_is_none_of_a_recorder_ends_with_one_line(
    tmp_path: Path, capsys: Any, messages: str
) -> None:
    file = tmp_path / 'in.db3'
    with sqlite3.connect(file) as database:
        database.executescript(_TOPICS + messages)
    database.close()
    assert run_bag(file, tmp_path / 'out') == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert not list(tmp_path.glob('out*'))


def test_names_in_a_recording_do_not_steer_the_terminal(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(2)
    tape.messages = [
        (f'/a\x1b[2J\x07{topic}', kind, bag_ns, data)
        for topic, kind, bag_ns, data in tape.messages
    ]
    source = tape.write(tmp_path / 'in')
    assert main(['inspect', str(source)]) == 0
    assert run_bag(source, tmp_path / 'out', '--copy', '/no\x1b[2J') == 2
    assert run_bag(source, tmp_path / 'out', '--set', 'sync_tolerance=0.01') == 0
    captured = capsys.readouterr()
    assert '\x1b' not in captured.out + captured.err
    assert '\x07' not in captured.out + captured.err
    assert '/a?[2J?/left/image_rect' in captured.out
