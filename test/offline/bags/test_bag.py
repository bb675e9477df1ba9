# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth bag``: recordings in, recordings with depth out."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')

from bags import (
    BASELINE,
    compressed,
    content_hash,
    depths_of,
    FOCAL,
    FRAME_NS,
    header,
    image,
    info,
    messages_of,
    moving_scenes,
    pixels_of,
    run_bag,
    START_NS,
    stereo_tape,
    store,
    Tape,
    write_bag,
)
from rosbags.rosbag2 import CompressionMode, Reader, StoragePlugin
from scenes import camera

from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

DEPTH = '/depth/image_rect'
pytestmark = pytest.mark.usefixtures('without_findings')


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


def test_every_pair_becomes_the_depth_that_the_core_computes(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 10)
    assert run_bag(source, tmp_path / 'out') == 0
    results = depths_of(tmp_path / 'out')
    assert list(results) == [START_NS + index * FRAME_NS for index in range(10)]
    for index, depth in enumerate(results.values()):
        np.testing.assert_array_equal(depth, expected_depth(index % 4))
    # Plane 0: f * B / d = 200 * 0.1 / 8 m.
    assert np.nanmedian(results[START_NS]) == pytest.approx(2.5, rel=0.01)


def test_the_three_messages_of_a_pair_carry_the_stamp_of_its_left_image(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 3, skew_ns=2_000_000)
    assert run_bag(source, tmp_path / 'out') == 0
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
    assert run_bag(source, tmp_path / 'out', '--set', 'num_disparities=32') == 0
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
    for processes in (1, 3):
        target = tmp_path / f'out{processes}'
        assert run_bag(source, target, '--quiet', '--processes', processes, quiet=False) == 0
    hashes = content_hash(tmp_path / 'out1')
    assert len(hashes) == 5  # 100 pairs in parts of 32, and metadata.yaml
    assert content_hash(tmp_path / 'out3') == hashes
    assert len(depths_of(tmp_path / 'out1')) == 100


@pytest.mark.usefixtures('small_parts')
def test_a_filter_over_time_sees_no_borders_between_parts(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 40)
    assert run_bag(source, tmp_path / 'out', '--set', 'temporal_max_diff=1') == 0
    results = list(depths_of(tmp_path / 'out').values())
    # The plane moves by 2 px from pair to pair: only the first pair has nothing before it.
    assert np.isfinite(results[0]).mean() > 0.4
    assert all(np.isfinite(depth).mean() < 0.05 for depth in results[1:])


def test_the_kind_of_a_recording_does_not_change_the_bytes(tmp_path: Path) -> None:
    """That all kinds hold the same messages is in test_bag_files.py."""
    tape = stereo_tape(4)
    plain = tape.write(tmp_path / 'plain')
    other = tape.write(
        tmp_path / 'other',
        storage=StoragePlugin.SQLITE3,
        compression=CompressionMode.FILE,
        version=9,
    )
    assert run_bag(plain, tmp_path / 'out_plain') == 0
    assert run_bag(other, tmp_path / 'out_other') == 0
    assert content_hash(tmp_path / 'out_other') == content_hash(tmp_path / 'out_plain')


def test_a_single_storage_file_is_a_recording_too(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 4)
    assert run_bag(source / 'in.mcap', tmp_path / 'out') == 0
    assert len(depths_of(tmp_path / 'out')) == 4


@pytest.mark.usefixtures('small_parts')
def test_results_can_be_stored_otherwise(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 40)
    assert run_bag(source, tmp_path / 'plain') == 0
    plain = depths_of(tmp_path / 'plain')
    for name, *options in (('sqlite3', '--storage', 'sqlite3'), ('compressed', '--compress')):
        assert run_bag(source, tmp_path / name, *options) == 0
        found = depths_of(tmp_path / name)
        assert list(found) == list(plain)
        for stamp, depth in found.items():
            np.testing.assert_array_equal(depth, plain[stamp])


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
    assert run_bag(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    results = depths_of(tmp_path / 'out')
    np.testing.assert_array_equal(results[START_NS], expected_depth(0))
    assert len(results) == 3


def test_raw_images_are_rectified_when_asked_to(tmp_path: Path) -> None:
    """A rotation of R by 180 degrees about z turns the images and inverts the parallax."""
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
    assert run_bag(source, tmp_path / 'out', '--set', 'rectify=true') == 0
    np.testing.assert_array_equal(depths_of(tmp_path / 'out')[START_NS], expected_depth(0))


def test_images_before_the_first_camera_info_are_computed_with_it(tmp_path: Path) -> None:
    tape = stereo_tape(6)
    infos = [message for message in tape.messages if message[1].endswith('CameraInfo')]
    images = [message for message in tape.messages if not message[1].endswith('CameraInfo')]
    tape.messages = sorted([*images, *infos[-2:]], key=lambda message: message[2])
    assert run_bag(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(depths_of(tmp_path / 'out')) == 6


def test_a_calibration_that_changes_holds_from_then_on(tmp_path: Path) -> None:
    tape = stereo_tape(4)
    wider = camera(160, 120, f=FOCAL, tx=-2 * FOCAL * BASELINE)
    for index, (topic, kind, bag_ns, _) in enumerate(tape.messages):
        if topic == '/right/camera_info' and bag_ns > START_NS + 2 * FRAME_NS:
            data = bytes(store.serialize_cdr(info(wider, bag_ns - 1_000_000), kind))
            tape.messages[index] = (topic, kind, bag_ns, data)
    assert run_bag(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    results = list(depths_of(tmp_path / 'out').values())
    np.testing.assert_array_equal(results[1], expected_depth(1))
    np.testing.assert_allclose(results[2], 2 * expected_depth(2), rtol=1e-6)


@pytest.mark.usefixtures('small_parts')
def test_other_topics_are_copied_in_the_order_of_time(tmp_path: Path) -> None:
    def add_marks(tape: Tape, stamp: int) -> None:
        tape.add('/mark', header(stamp, 'mark'), stamp + 30_000_000)

    source = write_bag(tmp_path / 'in', 40, extra=add_marks)
    assert run_bag(source, tmp_path / 'out', '--copy-all') == 0
    found = messages_of(tmp_path / 'out')
    counts = Counter(topic for topic, _, _ in found)
    assert counts['/mark'] == counts[DEPTH] == counts['/left/camera_info'] == 40
    assert '/left/image_rect' not in counts
    times = [bag_ns for _, bag_ns, _ in found]
    assert times == sorted(times)
    marks = [bag_ns for topic, bag_ns, _ in found if topic == '/mark']
    assert marks == [START_NS + index * FRAME_NS + 30_000_000 for index in range(40)]


def test_images_without_a_partner_are_told(tmp_path: Path, capsys: Any) -> None:
    tape = stereo_tape(6)
    rights = [each for each in tape.messages if each[0] == '/right/image_rect']
    tape.messages.remove(rights[2])
    assert run_bag(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(depths_of(tmp_path / 'out')) == 5
    assert '1 images not used: the other camera sent no image' in capsys.readouterr().out


def test_a_looped_recording_is_computed_in_both_loops(tmp_path: Path, capsys: Any) -> None:
    # Longer than twice the span of a full queue, so that the step back tells by itself.
    tape = stereo_tape(25)
    later = [(t, k, ns + 40 * FRAME_NS, d) for t, k, ns, d in tape.messages]
    tape.messages += later
    assert run_bag(tape.write(tmp_path / 'in'), tmp_path / 'out') == 0
    assert len(messages_of(tmp_path / 'out', DEPTH)) == 50
    assert 'began again 1 times' in capsys.readouterr().out


def test_many_recordings_go_into_a_folder(tmp_path: Path) -> None:
    sources = [write_bag(tmp_path / name, 3) for name in ('a', 'b')]
    assert run_bag(*sources, tmp_path / 'shelf') == 0
    assert content_hash(tmp_path / 'shelf' / 'a') == content_hash(tmp_path / 'shelf' / 'b')


@pytest.mark.usefixtures('small_parts')
def test_results_are_what_ros_2_takes_for_a_recording(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 70)
    assert run_bag(source, tmp_path / 'out') == 0
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


def test_a_recording_can_hold_every_output(tmp_path: Path) -> None:
    source = write_bag(tmp_path / 'in', 2)
    also = [topic for topic, output in OUTPUTS.items() if not output.is_recorded]
    assert 'depth/uncertainty' in also
    assert run_bag(source, tmp_path / 'out', *(f'--also={topic}' for topic in also)) == 0
    found = messages_of(tmp_path / 'out')
    assert [topic for topic, _, _ in found] == [f'/{topic}' for topic in OUTPUTS] * 2
    assert {topic: message.__msgtype__ for topic, _, message in found} == {
        f'/{topic}': output.type for topic, output in OUTPUTS.items()
    }
    images = {topic: message for topic, _, message in found}
    sigma, depth = (pixels_of(images[f'/depth/{name}']) for name in ('uncertainty', 'image_rect'))
    np.testing.assert_array_equal(np.isnan(sigma), np.isnan(depth))
    # One pixel of disparity is 0.31 m there: the disparity is known to a fraction of that.
    assert 0.0 < np.nanmedian(sigma) < 0.15
