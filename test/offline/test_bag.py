# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth bag``: recordings in, recordings with depth out."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
import os
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from recordings import (
    BASELINE,
    compressed,
    content_hash,
    FOCAL,
    FRAME_NS,
    header,
    image,
    info,
    messages_of,
    moving_scenes,
    pixels_of,
    START_NS,
    stereo_tape,
    store,
    Tape,
    write_bag,
)
from rosbags.rosbag2 import CompressionMode, Reader, StoragePlugin
from scenes import camera

from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.offline import bag_plan, bag_schedule
from stereo_depth_node.offline.bag_part import compute_part
from stereo_depth_node.offline.cli import main

DEPTH = '/depth/image_rect'


@pytest.fixture
def small_parts(monkeypatch: Any) -> None:
    """Divide recordings into parts of 32 pairs."""
    monkeypatch.setattr(bag_plan, 'part_size', lambda expected_pairs: 32)


ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object, quiet: bool = True) -> int:
    """Run the tool in this process."""
    more = ['--quiet', '--processes', '1'] if quiet else []
    return main(['bag', *map(str, arguments), *more])


def depths(path: Path) -> dict[int, np.ndarray]:
    """Return the depth images of a recording by their stamps."""
    return {
        message.header.stamp.sec * 10**9 + message.header.stamp.nanosec: pixels_of(message)
        for _, _, message in messages_of(path, DEPTH)
    }


def expected_depth(index: int, **settings: Any) -> np.ndarray:
    """Return the depth of one of the moving scenes."""
    scene = moving_scenes()[index]
    width, height = scene.size
    left, right = (
        camera(width, height, f=FOCAL),
        camera(width, height, f=FOCAL, tx=-FOCAL * BASELINE),
    )
    pipeline = StereoPipeline.from_calibrations(Settings(**settings), width, height, left, right)
    pipeline.match(scene.left, scene.right)
    depth = np.empty((height, width), np.float32)
    pipeline.depth(depth)
    return depth


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


def test_every_pair_becomes_the_depth_that_the_core_computes(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 10)
    assert run(source, tmp_path / 'out') == 0
    results = depths(tmp_path / 'out')
    assert list(results) == [START_NS + index * FRAME_NS for index in range(10)]
    for index, depth in enumerate(results.values()):
        np.testing.assert_array_equal(depth, expected_depth(index % 4))
    # Plane 0: f * B / d = 200 * 0.1 / 8 m.
    assert np.nanmedian(results[START_NS]) == pytest.approx(2.5, rel=0.01)


def test_the_three_messages_of_a_pair_carry_the_stamp_of_its_left_image(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 3, skew_ns=2_000_000)
    assert run(source, tmp_path / 'out') == 0
    found = messages_of(tmp_path / 'out')
    assert [topic for topic, _, _ in found] == ['/disparity', DEPTH, '/depth/camera_info'] * 3
    stamps = [
        message.header.stamp.sec * 10**9 + message.header.stamp.nanosec for _, _, message in found
    ]
    assert stamps == [START_NS + index * FRAME_NS for index in range(3) for _ in range(3)]
    assert {message.header.frame_id for _, _, message in found} == {'left_optical'}
    # Recorded when the later image of the pair was.
    assert [bag_ns for _, bag_ns, _ in found[::3]] == [
        START_NS + index * FRAME_NS + 2_000_000 for index in range(3)
    ]


def test_a_disparity_image_has_all_its_fields(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 1)
    assert run(source, tmp_path / 'out', '--set', 'num_disparities=32') == 0
    ((_, _, message),) = messages_of(tmp_path / 'out', '/disparity')
    assert (message.f, message.t) == (pytest.approx(FOCAL), pytest.approx(BASELINE))
    assert (message.min_disparity, message.max_disparity) == (0.0, 31.0)
    assert message.delta_d == 1 / 16
    window = message.valid_window
    # 31 px of band and half of a block of 15 px on the left, half a block elsewhere.
    assert (window.x_offset, window.y_offset) == (38, 7)
    assert (window.width, window.height) == (160 - 38 - 7, 120 - 14)
    assert message.image.encoding == '32FC1'
    assert np.median(pixels_of(message.image)[20:100, 60:140]) == pytest.approx(8.0, abs=1 / 16)


@pytest.mark.usefixtures('small_parts')
def test_bytes_are_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 100)
    for processes in (1, 2, 3):
        target = tmp_path / f'out{processes}'
        assert run(source, target, '--quiet', '--processes', processes, quiet=False) == 0
    hashes = content_hash(tmp_path / 'out1')
    assert len(hashes) == 5  # 100 pairs in parts of 32, and metadata.yaml
    assert content_hash(tmp_path / 'out2') == hashes
    assert content_hash(tmp_path / 'out3') == hashes
    assert len(depths(tmp_path / 'out1')) == 100


@pytest.mark.usefixtures('small_parts')
def test_a_filter_over_time_sees_no_borders_between_parts(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 40)
    assert run(source, tmp_path / 'out', '--set', 'temporal_max_diff=1') == 0
    results = list(depths(tmp_path / 'out').values())
    # The plane moves by 2 px from pair to pair: only the first pair has nothing before it.
    assert np.isfinite(results[0]).mean() > 0.4
    assert all(np.isfinite(depth).mean() < 0.05 for depth in results[1:])


@pytest.mark.parametrize(
    ('storage', 'compression', 'version'),
    [
        (StoragePlugin.SQLITE3, CompressionMode.NONE, 8),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE, 8),
        (StoragePlugin.SQLITE3, CompressionMode.FILE, 9),
        (StoragePlugin.MCAP, CompressionMode.STORAGE, 9),
        (StoragePlugin.MCAP, CompressionMode.FILE, 8),
    ],
)
def test_every_kind_of_recording_gives_the_same_bytes(
    tmp_path: Path, storage: StoragePlugin, compression: CompressionMode, version: int
) -> None:
    tape = stereo_tape(4)
    plain = tape.write(tmp_path / 'plain')
    other = tape.write(
        tmp_path / 'other', storage=storage, compression=compression, version=version
    )
    assert run(plain, tmp_path / 'out_plain') == 0
    assert run(other, tmp_path / 'out_other') == 0
    assert content_hash(tmp_path / 'out_other') == content_hash(tmp_path / 'out_plain')


def test_a_single_storage_file_is_a_recording_too(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 4)
    assert run(source / 'in.mcap', tmp_path / 'out') == 0
    assert len(depths(tmp_path / 'out')) == 4


@pytest.mark.parametrize('options', [('--storage', 'sqlite3'), ('--compress',)])
@pytest.mark.usefixtures('small_parts')
def test_results_can_be_stored_otherwise(tmp_path: Path, options: tuple[str, ...]) -> None:
    source = write_bag(tmp_path / 'in', 40)
    assert run(source, tmp_path / 'plain') == 0
    assert run(source, tmp_path / 'out', *options) == 0
    for (stamp, depth), (other_stamp, other) in zip(
        depths(tmp_path / 'plain').items(), depths(tmp_path / 'out').items(), strict=True
    ):
        assert stamp == other_stamp
        np.testing.assert_array_equal(depth, other)


def test_compressed_images_are_taken(tmp_path: Path) -> None:
    tape = Tape()
    for _, kind, bag_ns, data in stereo_tape(3).messages:
        message = store.deserialize_cdr(data, kind)
        side = 'left' if message.header.frame_id and len(tape.messages) % 4 in (0, 2) else 'right'
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        if kind.endswith('CameraInfo'):
            tape.add(f'/{side}/camera_info', message, bag_ns)
        else:
            pixels = message.data.reshape(message.height, message.width)
            png = cv2.imencode('.png', pixels)[1].tobytes()
            tape.add(f'/{side}/image_rect/compressed', compressed(png, stamp), bag_ns)
    assert run(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    results = depths(tmp_path / 'out')
    np.testing.assert_array_equal(results[START_NS], expected_depth(0))
    assert len(results) == 3


def test_raw_images_are_rectified_when_asked_to(tmp_path: Path) -> None:
    """A rotation of R by 180 degrees about z turns the images and swaps the eyes' parallax."""
    scene = moving_scenes()[0]
    width, height = scene.size
    turned = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
    tape = Tape()
    for side, pixels, tx in (('left', scene.left, 0.0), ('right', scene.right, -FOCAL * BASELINE)):
        calibration = camera(width, height, f=FOCAL, tx=tx, r=turned)
        tape.add(f'/{side}/camera_info', info(calibration, START_NS), START_NS)
        raw = np.ascontiguousarray(pixels[::-1, ::-1])
        tape.add(f'/{side}/image_raw', image(raw, START_NS), START_NS)
    source = tape.write(tmp_path / 'in')
    assert run(source, tmp_path / 'out', '--set', 'rectify=true') == 0
    np.testing.assert_array_equal(depths(tmp_path / 'out')[START_NS], expected_depth(0))


def test_images_before_the_first_camera_info_are_computed_with_it(tmp_path: Path) -> None:
    tape = stereo_tape(6)
    infos = [message for message in tape.messages if message[1].endswith('CameraInfo')]
    images = [message for message in tape.messages if not message[1].endswith('CameraInfo')]
    tape.messages = sorted([*images, *infos[-2:]], key=lambda message: message[2])
    assert run(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(depths(tmp_path / 'out')) == 6


def test_a_calibration_that_changes_holds_from_then_on(tmp_path: Path) -> None:
    tape = stereo_tape(4)
    wider = camera(160, 120, f=FOCAL, tx=-2 * FOCAL * BASELINE)
    for index, (topic, kind, bag_ns, _) in enumerate(tape.messages):
        if topic == '/right/camera_info' and bag_ns > START_NS + 2 * FRAME_NS:
            data = bytes(store.serialize_cdr(info(wider, bag_ns - 1_000_000), kind))
            tape.messages[index] = (topic, kind, bag_ns, data)
    assert run(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    results = list(depths(tmp_path / 'out').values())
    np.testing.assert_array_equal(results[1], expected_depth(1))
    np.testing.assert_allclose(results[2], 2 * expected_depth(2), rtol=1e-6)


@pytest.mark.usefixtures('small_parts')
def test_other_topics_are_copied_in_the_order_of_time(tmp_path: Path) -> None:
    def add_marks(tape: Tape, stamp: int) -> None:
        tape.add('/mark', header(stamp, 'mark'), stamp + 30_000_000)

    source = write_bag(tmp_path / 'in', 40, extra=add_marks)
    assert run(source, tmp_path / 'out', '--copy-all') == 0
    found = messages_of(tmp_path / 'out')
    counts = Counter(topic for topic, _, _ in found)
    assert counts['/mark'] == counts[DEPTH] == counts['/left/camera_info'] == 40
    assert '/left/image_rect' not in counts
    times = [bag_ns for _, bag_ns, _ in found]
    assert times == sorted(times)
    marks = [bag_ns for topic, bag_ns, _ in found if topic == '/mark']
    assert marks == [START_NS + index * FRAME_NS + 30_000_000 for index in range(40)]


def test_a_topic_to_copy_that_is_not_there_is_an_error(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    assert run(source, tmp_path / 'out', '--copy', '/tf') == 2
    assert 'no topic /tf' in capsys.readouterr().err


def test_images_without_a_partner_are_told(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(6)
    rights = [each for each in tape.messages if each[0] == '/right/image_rect']
    tape.messages.remove(rights[2])
    assert run(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(depths(tmp_path / 'out')) == 5
    assert '1 images not used: the other camera sent no image' in capsys.readouterr().out


def test_a_looped_recording_is_computed_in_both_loops(tmp_path: Path, capsys: Any) -> None:
    # Longer than twice the span of a full queue, so that the step back tells by itself.
    tape = stereo_tape(25)
    later = [(t, k, ns + 40 * FRAME_NS, d) for t, k, ns, d in tape.messages]
    tape.messages += later
    assert run(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(messages_of(tmp_path / 'out', DEPTH)) == 50
    assert 'began again 1 times' in capsys.readouterr().out


def test_a_pair_that_cannot_be_decoded_costs_only_itself(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(4)
    places = [i for i, each in enumerate(tape.messages) if each[0] == '/left/image_rect']
    topic, kind, bag_ns, data = tape.messages[places[1]]
    broken = store.deserialize_cdr(data, kind)
    broken.encoding = 'nonsense'
    tape.messages[places[1]] = (topic, kind, bag_ns, bytes(store.serialize_cdr(broken, kind)))
    assert run(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(depths(tmp_path / 'out')) == 3
    out = capsys.readouterr().out
    assert '3 of 4 pairs computed' in out
    assert 'nonsense' in out


def test_many_recordings_go_into_a_folder(tmp_path: Path) -> None:
    sources = [write_bag(tmp_path / name, 3) for name in ('a', 'b')]
    assert run(*sources, tmp_path / 'shelf') == 0
    assert content_hash(tmp_path / 'shelf' / 'a') == content_hash(tmp_path / 'shelf' / 'b')


def test_one_bad_recording_does_not_stop_the_others(tmp_path: Path, capsys: Any) -> None:
    good = write_bag(tmp_path / 'good', 3)
    bad = write_bag(tmp_path / 'bad', 3, with_info=False)
    assert run(bad, good, tmp_path / 'shelf') == 2
    assert sorted(path.name for path in (tmp_path / 'shelf').iterdir()) == ['good']
    assert 'no calibration of the left camera' in capsys.readouterr().err


@pytest.mark.usefixtures('small_parts')
def test_a_job_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    source = write_bag(tmp_path / 'in', 100)
    assert run(source, tmp_path / 'whole') == 0
    computed: list[int] = []

    def stopping(task: Any) -> Any:
        if task.plan.index == 2:
            raise KeyboardInterrupt
        computed.append(task.plan.index)
        return compute_part(task)

    monkeypatch.setattr(bag_schedule, 'compute_part', stopping)
    assert run(source, tmp_path / 'out') == 130
    assert not (tmp_path / 'out').exists()
    assert computed == [0, 1]

    def counting(task: Any) -> Any:
        computed.append(task.plan.index)
        return compute_part(task)

    monkeypatch.setattr(bag_schedule, 'compute_part', counting)
    assert run(source, tmp_path / 'out') == 2
    assert '--resume' in capsys.readouterr().err
    assert run(source, tmp_path / 'out', '--resume') == 0
    assert computed == [0, 1, 2, 3]
    assert content_hash(tmp_path / 'out') == content_hash(tmp_path / 'whole')
    assert not (tmp_path / 'out.partial').exists()
    # Once more: it is there, and nothing is done.
    assert run(source, tmp_path / 'out', '--resume') == 0
    assert computed == [0, 1, 2, 3]


@pytest.mark.usefixtures('small_parts')
def test_a_job_is_not_resumed_with_other_settings(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    source = write_bag(tmp_path / 'in', 40)

    def stopping(task: Any) -> Any:
        if task.plan.index == 1:
            raise KeyboardInterrupt
        return compute_part(task)

    monkeypatch.setattr(bag_schedule, 'compute_part', stopping)
    assert run(source, tmp_path / 'out') == 130
    monkeypatch.undo()
    assert run(source, tmp_path / 'out', '--resume', '--set', 'block_size=21') == 2
    assert 'begun with other settings' in capsys.readouterr().err
    assert run(source, tmp_path / 'out', '--overwrite', '--set', 'block_size=21') == 0


def test_an_existing_result_is_kept_unless_it_may_be_replaced(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 2)
    assert run(source, tmp_path / 'out') == 0
    before = content_hash(tmp_path / 'out')
    assert run(source, tmp_path / 'out', '--set', 'num_disparities=32') == 2
    assert 'exists' in capsys.readouterr().err
    assert content_hash(tmp_path / 'out') == before
    assert run(source, tmp_path / 'out', '--set', 'num_disparities=32', '--overwrite') == 0
    assert content_hash(tmp_path / 'out') != before


def test_a_folder_that_is_no_recording_is_never_replaced(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    (tmp_path / 'home').mkdir()
    (tmp_path / 'home' / 'thesis.tex').write_text('all my work')
    assert run(source, tmp_path / 'home', '--overwrite') == 2
    assert (tmp_path / 'home' / 'thesis.tex').read_text() == 'all my work'
    assert 'no recording' in capsys.readouterr().err


def test_the_recording_that_is_read_is_never_the_one_written(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    assert run(source, source, '--overwrite') == 2
    assert 'what is read' in capsys.readouterr().err
    assert len(messages_of(source)) == 4


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda path: path, 'does not exist'),
        (lambda path: path.write_text('x') and path, 'no ROS 2 bag'),
        (lambda path: stereo_tape(2, with_info=False).write(path), 'no calibration'),
        (lambda path: stereo_tape(2, right_size=(150, 120)).write(path), '160x120.*150x120'),
        (lambda path: stereo_tape(5, skew_ns=20_000_000).write(path), '20.0 ms after'),
        (_info_only, 'no image topic at all, only /left/camera_info'),
        (_two_cameras, '2 stereo cameras.*--left /front/left/image_rect'),
    ],
    ids=['missing', 'no-bag', 'uncalibrated', 'sizes', 'unpaired', 'no-images', 'ambiguous'],
)
def test_input_that_cannot_be_used_gives_one_line_and_nothing_else(
    tmp_path: Path, capsys: Any, make: Any, said: str
) -> None:
    source = make(tmp_path / 'in')
    assert run(source, tmp_path / 'out') == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert re.search(said, error)
    assert not list(tmp_path.glob('out*'))


def test_one_of_several_cameras_is_chosen_by_name(tmp_path: Path) -> None:
    source = _two_cameras(tmp_path / 'in')
    sides = ('--left', '/rear/left/image_rect', '--right', '/rear/right/image_rect')
    assert run(source, tmp_path / 'out', *sides, '--namespace', 'rear') == 0
    assert len(messages_of(tmp_path / 'out', '/rear/depth/image_rect')) == 2


def test_a_recording_cut_short_gives_what_is_legible_and_says_so(
    tmp_path: Path, capsys: Any
) -> None:
    pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')
    source = write_bag(tmp_path / 'in', 80, scenes=moving_scenes(4, 320, 240))
    file = source / 'in.mcap'
    size = file.stat().st_size
    os.truncate(file, size * 6 // 10)
    assert run(source, tmp_path / 'out') == 0
    told = capsys.readouterr().out
    assert 'cut short or illegible behind byte' in told
    assert 'messages could be read' in told
    count = len(depths(tmp_path / 'out'))
    # Whole chunks of 1 MiB, 6 or 7 pairs each, of 60 % of 80 pairs.
    assert 40 <= count <= 48


def test_a_hole_in_a_recording_costs_what_was_in_it(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')
    source = stereo_tape(80, scenes=moving_scenes(4, 320, 240)).write(
        tmp_path / 'in', compression=CompressionMode.STORAGE
    )
    file = source / 'in.mcap'
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1000] = bytes(1000)
    file.write_bytes(content)
    assert run(source, tmp_path / 'out') == 0
    told = capsys.readouterr().out
    assert 'a chunk of' in told
    count = len(depths(tmp_path / 'out'))
    assert 70 <= count <= 76
    assert not (tmp_path / 'out.partial').exists()


def test_a_database_cut_short_gives_what_is_legible_and_says_so(
    tmp_path: Path, capsys: Any
) -> None:
    source = stereo_tape(60).write(tmp_path / 'in', storage=StoragePlugin.SQLITE3)
    file = source / 'in.db3'
    os.truncate(file, file.stat().st_size * 7 // 10 // 4096 * 4096)
    status = run(source, tmp_path / 'out')
    captured = capsys.readouterr()
    assert status == 0, captured.err
    assert 'is damaged behind message' in captured.out
    assert 30 <= len(depths(tmp_path / 'out')) <= 45


def test_a_recording_of_which_nothing_is_legible_is_refused(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip('mcap', reason='damaged recordings are read with the library mcap')
    source = write_bag(tmp_path / 'in', 4)
    (source / 'in.mcap').write_bytes(bytes(5000))
    assert run(source, tmp_path / 'out') == 2
    assert 'nothing of' in capsys.readouterr().err
    assert not list(tmp_path.glob('out*'))


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='limits of file sizes are a matter of POSIX')
@pytest.mark.parametrize('processes', [1, 2])
def test_a_disk_that_is_full_gives_one_line_and_no_half_result(
    tmp_path: Path, processes: int
) -> None:
    source = write_bag(tmp_path / 'in', 200)
    program = (
        'import resource, sys\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n'
        'from stereo_depth_node.offline.cli import main\n'
        'if __name__ == "__main__":\n'
        '    sys.exit(main(sys.argv[1:]))\n'
    )
    script = tmp_path / 'limited.py'
    script.write_text(program)
    done = subprocess.run(
        [
            sys.executable,
            str(script),
            *('bag', str(source), str(tmp_path / 'out'), '--quiet'),
            *('--processes', str(processes)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count('\n') == 1
    assert 'cannot write' in done.stderr
    assert not list(tmp_path.glob('out*'))


def test_a_place_that_cannot_be_written_to_gives_one_line(tmp_path: Path, capsys: Any) -> None:
    source = write_bag(tmp_path / 'in', 1)
    (tmp_path / 'file').write_text('')
    assert run(source, tmp_path / 'file' / 'out') == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert 'cannot write' in error


@pytest.mark.usefixtures('small_parts')
def test_results_are_what_ros_2_takes_for_a_recording(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 70)
    assert run(source, tmp_path / 'out') == 0
    with closing(Reader(tmp_path / 'out')) as reader:
        reader.open()
        assert reader.message_count == 3 * 70
        assert reader.start_time == START_NS + 2_000_000
        assert reader.duration == 69 * FRAME_NS + 1
        assert {each.topic: each.msgcount for each in reader.connections} == {
            '/disparity': 70,
            DEPTH: 70,
            '/depth/camera_info': 70,
        }
