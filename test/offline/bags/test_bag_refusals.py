# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth bag`` with recordings that are damaged or not what they should be."""

from __future__ import annotations

import os
from pathlib import Path
import re
from typing import Any

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import (
    depths_of,
    messages_of,
    moving_scenes,
    run_bag,
    stereo_tape,
    store,
    write_bag,
)
from rosbags.rosbag2 import CompressionMode, StoragePlugin

DEPTH = '/depth/image_rect'


def _info_only(path: Path) -> Path:
    tape = stereo_tape(2)
    tape.messages = [each for each in tape.messages if each[1].endswith('CameraInfo')]
    return tape.write(path)


def _two_cameras(path: Path) -> Path:
    tape = stereo_tape(2)
    tape.messages = [
        (f'/{place}{topic}', kind, bag_ns, data)
        for topic, kind, bag_ns, data in tape.messages
        for place in ('front', 'rear')
    ]
    return tape.write(path)


def _cut_messages(path: Path) -> Path:
    tape = stereo_tape(2)
    tape.messages = [
        (topic, kind, bag_ns, data if kind.endswith('CameraInfo') else data[:6])
        for topic, kind, bag_ns, data in tape.messages
    ]
    return tape.write(path)


def _metadata_only(path: Path) -> Path:
    (stereo_tape(2).write(path) / f'{path.name}.mcap').unlink()
    return path


def test_a_topic_to_copy_that_is_not_there_is_an_error(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    assert run_bag(source, tmp_path / 'out', '--copy', '/tf') == 2
    assert 'no topic /tf' in capsys.readouterr().err


def test_a_pair_that_cannot_be_decoded_costs_only_itself(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(4)
    places = [i for i, each in enumerate(tape.messages) if each[0] == '/left/image_rect']
    topic, kind, bag_ns, data = tape.messages[places[1]]
    broken = store.deserialize_cdr(data, kind)
    broken.encoding = 'nonsense'
    tape.messages[places[1]] = (topic, kind, bag_ns, bytes(store.serialize_cdr(broken, kind)))
    assert run_bag(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(depths_of(tmp_path / 'out')) == 3
    out = capsys.readouterr().out
    assert '3 of 4 pairs computed' in out
    assert 'nonsense' in out


def test_one_bad_recording_does_not_stop_the_others(tmp_path: Path, capsys: Any) -> None:
    good = write_bag(tmp_path / 'good', 3)
    bad = write_bag(tmp_path / 'bad', 3, with_info=False)
    assert run_bag(bad, good, tmp_path / 'shelf') == 2
    assert sorted(path.name for path in (tmp_path / 'shelf').iterdir()) == ['good']
    error = capsys.readouterr().err
    assert 'bad: ' in error
    assert 'no calibration of the left camera' in error


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda path: path, r'bag: \S+ does not exist'),
        (lambda path: path.write_text('x') and path, 'no ROS 2 bag'),
        (lambda path: path.write_bytes(b'#ROSBAG V2.0\n') and path, r'bag: \S+ is a bag of ROS 1'),
        (lambda path: stereo_tape(2, with_info=False).write(path), 'no calibration'),
        (lambda path: stereo_tape(2, right_size=(150, 120)).write(path), '160x120.*150x120'),
        (lambda path: stereo_tape(5, skew_ns=20_000_000).write(path), '20.0 ms after'),
        (_info_only, 'no image topic, only /left/camera_info'),
        (_cut_messages, 'no pairs among 0 left and 0 right images: 4 not used: .*be decoded'),
        (_metadata_only, 'metadata.yaml and none of the files'),
        (_two_cameras, '2 stereo cameras.*--left /front/left/image_rect'),
    ],
    ids=[
        'missing',
        'no-bag',
        'ros1',
        'uncalibrated',
        'sizes',
        'unpaired',
        'no-images',
        'cut-messages',
        'metadata-only',
        'ambiguous',
    ],
)
def test_input_that_cannot_be_used_gives_one_line_and_nothing_else(
    tmp_path: Path, capsys: Any, make: Any, said: str
) -> None:
    source = make(tmp_path / 'in')
    assert run_bag(source, tmp_path / 'out') == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert re.search(said, error)
    assert not list(tmp_path.glob('out*'))


def test_one_of_several_cameras_is_chosen_by_name(tmp_path: Path) -> None:
    source = _two_cameras(tmp_path / 'in')
    sides = ('--left', '/rear/left/image_rect', '--right', '/rear/right/image_rect')
    assert run_bag(source, tmp_path / 'out', *sides, '--namespace', 'rear') == 0
    assert len(messages_of(tmp_path / 'out', '/rear/depth/image_rect')) == 2


def test_a_recording_cut_short_gives_what_is_legible_and_says_so(
    tmp_path: Path, capsys: Any
) -> None:
    pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')
    source = write_bag(tmp_path / 'in', 80, scenes=moving_scenes(4, 320, 240))
    file = source / 'in.mcap'
    size = file.stat().st_size
    os.truncate(file, size * 6 // 10)
    assert run_bag(source, tmp_path / 'out') == 0
    told = capsys.readouterr().out
    assert 'cut short or illegible behind byte' in told
    assert 'messages could be read' in told
    count = len(depths_of(tmp_path / 'out'))
    # Whole chunks of 1 MiB, 6 or 7 pairs each, of 60 % of 80 pairs.
    assert 40 <= count <= 48


@pytest.mark.parametrize('place', [0.02, 0.5])
def test_a_hole_in_a_recording_costs_what_was_in_it(
    tmp_path: Path, capsys: Any, place: float
) -> None:
    """Of a first chunk, too: what it says of the topics is at the end of the file again."""
    pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')
    source = stereo_tape(80, scenes=moving_scenes(4, 320, 240)).write(
        tmp_path / 'in', compression=CompressionMode.STORAGE
    )
    file = source / 'in.mcap'
    content = bytearray(file.read_bytes())
    hole = int(place * len(content))
    content[hole : hole + 1000] = bytes(1000)
    file.write_bytes(content)
    assert run_bag(source, tmp_path / 'out') == 0
    told = capsys.readouterr().out
    assert 'a chunk of' in told
    count = len(depths_of(tmp_path / 'out'))
    assert 70 <= count <= 76
    assert not (tmp_path / 'out.partial').exists()


def test_a_database_cut_short_gives_what_is_legible_and_says_so(
    tmp_path: Path, capsys: Any
) -> None:
    written = stereo_tape(60).write(tmp_path / 'in', storage=StoragePlugin.SQLITE3)
    # It is opened by a URI, in which these characters stand for something else.
    source = written.rename(tmp_path / 'in, 50% #2?')
    file = source / 'in.db3'
    os.truncate(file, file.stat().st_size * 7 // 10 // 4096 * 4096)
    status = run_bag(source, tmp_path / 'out')
    captured = capsys.readouterr()
    assert status == 0, captured.err
    assert 'is damaged behind message' in captured.out
    assert 30 <= len(depths_of(tmp_path / 'out')) <= 45


def test_a_recording_of_which_nothing_is_legible_is_refused(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')
    source = write_bag(tmp_path / 'in', 4)
    (source / 'in.mcap').write_bytes(bytes(5000))
    assert run_bag(source, tmp_path / 'out') == 2
    assert 'nothing of' in capsys.readouterr().err
    assert not list(tmp_path.glob('out*'))
