# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The demo, as a person runs it: three processes, real images, figures against the truth."""

from __future__ import annotations

import os
from pathlib import Path
import re
import select
import signal
import socket
import subprocess
import sys
import time

import cv2
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('matplotlib', reason='matplotlib is not installed')

from stereo_depth_node.demo.publisher import FRAME_ID
from stereo_depth_node.offline.datasets.loading import load_motorcycle

pytestmark = pytest.mark.usefixtures('motorcycle')  # skipped where the pair is not installed

ROOT = Path(__file__).resolve().parents[2]
# Far above the few seconds it takes.
DEADLINE_S = 240

LAST_LINE = re.compile(
    r'demo: (?P<pairs>\d+) pairs, density (?P<density>[\d.]+) %, '
    r'bad-2\.0 (?P<bad>[\d.]+) % of estimated, '
    r'median depth error (?P<depth>[\d.]+) %, picture (?P<picture>.+)'
)


def start_demo(output: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    path = f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    environment = {**os.environ, 'PYTHONPATH': path, **variables}
    environment.pop('ROS_DOMAIN_ID', None)
    return subprocess.Popen(
        [sys.executable, '-m', 'stereo_depth_node.demo', '--output', str(output), *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background of a script ignore SIGINT, and so would the demo.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def state_of(pid: int | str) -> list[str]:
    """Return state and parent of a process, and more; nothing when it is gone."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    numbers = (entry.name for entry in Path('/proc').iterdir() if entry.name.isdigit())
    return [int(number) for number in numbers if state_of(number)[1:2] == [str(pid)]]


def runs(pid: int) -> bool:
    return state_of(pid)[:1] not in ([], ['Z'])


@pytest.mark.parametrize('encoding', ['bgr8', 'mono8'])
def test_the_figures_of_the_last_line_are_those_of_block_matching(tmp_path, encoding):
    """Density 78.4 %, bad-2.0 6.9 % are those of cv2.StereoBM called directly on the pair.

    The tolerances are those of the demo itself: rounding in the conversion to grey.
    """
    demo = start_demo(tmp_path, '--pairs', '5', '--encoding', encoding)
    out, err = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 0, out + err
    said = LAST_LINE.fullmatch(out.splitlines()[-1])
    assert said is not None, out
    assert int(said['pairs']) == 5
    assert float(said['density']) == pytest.approx(78.4, abs=0.5)
    assert float(said['bad']) == pytest.approx(6.9, abs=0.3)
    assert float(said['depth']) == pytest.approx(0.25, abs=0.05)
    picture = cv2.imread(said['picture'])
    assert picture is not None
    # The photograph is in the upper left quarter, and in colour: a motorcycle, largely red.
    quarter = picture[: picture.shape[0] // 2, : picture.shape[1] // 2].astype(int)
    is_red = (quarter[..., 2] > 120) & (quarter[..., 1] < 70) & (quarter[..., 0] < 70)
    assert is_red.mean() > 0.01


def test_another_size_keeps_the_depth_right(tmp_path):
    """A camera of half the resolution sees the same metres."""
    demo = start_demo(tmp_path, '--pairs', '3', '--size', '370x250')
    out, err = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 0, out + err
    said = LAST_LINE.fullmatch(out.splitlines()[-1])
    assert said is not None, out
    assert float(said['depth']) < 1.0


def test_interrupted_it_takes_its_processes_along(tmp_path):
    demo = start_demo(tmp_path, '--pairs', '100000')
    assert demo.stdout is not None
    assert select.select([demo.stdout], [], [], DEADLINE_S)[0]
    said = re.match(r'Sending .* ROS_DOMAIN_ID (\d+)\.', demo.stdout.readline())
    assert said is not None
    # Nobody else who looks for a free domain gets this one while the programs start.
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
        pytest.raises(OSError, match='in use'),
    ):
        port.bind(('', 7410 + 250 * int(said[1])))
    # All three have begun when all three logs are there.
    deadline = time.monotonic() + DEADLINE_S
    while len(list(tmp_path.glob('*.log'))) < 3 or len(started := children_of(demo.pid)) < 3:
        assert demo.poll() is None
        assert time.monotonic() < deadline
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 130
    assert not [pid for pid in started if runs(pid)]


def test_it_goes_on_streaming_when_asked_to(tmp_path):
    """After the report a node and a publisher run, until the demo is interrupted."""
    demo = start_demo(tmp_path, '--pairs', '3', '--keep-running')
    assert demo.stdout is not None
    lines = iter(demo.stdout.readline, '')
    assert next((line for line in lines if line.startswith('Streaming until')), None)
    assert 'ROS_DOMAIN_ID=' in next(lines)
    commands = [next(lines).split() for _ in range(4)]
    assert [words[:2] for words in commands[:3]] == [
        ['ros2', 'topic'],
        ['ros2', 'param'],
        ['ros2', 'service'],
    ]
    assert commands[3][:4] == ['rviz2', '#', 'Fixed', 'Frame']
    assert commands[3][4] == f'{FRAME_ID};'
    deadline = time.monotonic() + DEADLINE_S
    while len(started := children_of(demo.pid)) < 2:
        assert demo.poll() is None
        assert time.monotonic() < deadline
    demo.send_signal(signal.SIGINT)
    out, _ = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 0
    assert LAST_LINE.fullmatch(out.splitlines()[-1])
    assert not [pid for pid in started if runs(pid)]


def test_it_fails_with_the_reason_when_the_node_cannot_start(tmp_path):
    """No process starts with a middleware that is not installed; the demo says so."""
    demo = start_demo(tmp_path, RMW_IMPLEMENTATION='rmw_that_is_not')
    _, err = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 1
    assert 'demo failed' in err
    assert 'rmw_that_is_not' in err


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--pairs', '0'], '0 is not above 0'),
        (['--size', 'large'], 'WIDTHxHEIGHT'),
        (['--size', '8x8'], 'too small'),
        (['--keep-runing'], 'did you mean --keep-running?'),
        (['--output', os.devnull], f'cannot write to {os.devnull} (File exists): name a folder'),
    ],
)
def test_impossible_options_are_refused_before_anything_starts(tmp_path, options, words):
    demo = start_demo(tmp_path / 'output', *options)
    _, err = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode != 0
    assert words in err
    assert not (tmp_path / 'output').exists()


def test_the_pair_is_the_one_that_scikit_image_gives():
    data = pytest.importorskip('skimage.data', reason='scikit-image cannot be imported here')
    scene = load_motorcycle()
    left, right, disparity = data.stereo_motorcycle()
    assert (scene.colours[0] == left).all()
    assert (scene.colours[1] == right).all()
    known = disparity < float('inf')
    assert (scene.truth[known] == disparity[known]).all()
    assert (scene.truth[~known] != scene.truth[~known]).all()


def test_depth_of_a_resized_scene_is_that_of_the_scene():
    """The depth of a point does not depend on the resolution it is seen with."""
    scene = load_motorcycle()
    half = scene.resized(370, 250)
    assert half.truth.shape == half.left.shape == (250, 370)
    # 741 * 250 / 500 is 370.5: the cut takes the first 370 of 371 columns.
    whole = scene.true_depth[0:500:2, 0:740:2]
    both = (whole == whole) & (half.true_depth == half.true_depth)
    assert both.mean() > 0.85
    # Half a pixel of position decides between the two sides of an edge: not all are equal.
    equal = abs(half.true_depth[both] / whole[both] - 1) < 0.01
    assert equal.mean() > 0.95
