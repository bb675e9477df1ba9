# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth_node``: what it is started with, and where."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of

WIDTH, HEIGHT = 200, 120
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, 10)))
INFOS = camera_infos(WIDTH, HEIGHT)


@pytest.mark.parametrize('home', ['unset', 'empty', 'not writable'])
def test_it_starts_without_a_home(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    """As under systemd; a log file is written where one can be."""
    rig = Rig(graph, ['disparity'], infos=INFOS)
    with monkeypatch.context() as patch:
        for name in ('HOME', 'ROS_HOME', 'ROS_LOG_DIR', 'XDG_CACHE_HOME'):
            patch.delenv(name, raising=False)
        if home != 'unset':
            patch.setenv('HOME', '' if home == 'empty' else '/proc/nowhere')
        process = graph.node_program()
    rig.connect(*PAIR)

    assert process.stop() == 0
    assert 'Traceback' not in process.output
    assert ('no log file is written' in process.output) == (home == 'not writable')


def test_warnings_that_python_takes_for_errors_do_not_end_it(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ROS imports has some, with some versions of Python."""
    rig = Rig(graph, ['disparity'], infos=INFOS)
    with monkeypatch.context() as patch:
        patch.setenv('PYTHONWARNINGS', 'error')
        process = graph.node_program()
    rig.connect(*PAIR)

    assert process.stop() == 0
    assert 'Traceback' not in process.output


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--params-file', '/nowhere/depth.yaml'], '/nowhere/depth.yaml'),
        (['-r', 'left'], "remap rule: '-r left'"),
        (['--frame-policy', 'every'], '--frame-policy'),
        (['num_disparities:=128'], '-p NAME:=VALUE'),
    ],
)
def test_wrong_ros_arguments_are_named_instead_of_a_traceback(
    graph: Graph, arguments: list[str], words: str
) -> None:
    process = graph.node_process(*arguments)
    graph.wait_until(lambda: not process.is_running, 'its end')

    assert process.stop() == 2
    assert 'stereo_depth_node cannot start' in process.output
    assert words in process.output
    assert 'Check what follows --ros-args' in process.output
    assert 'Traceback' not in process.output


@pytest.mark.parametrize(
    ('remaps', 'words'),
    [
        (['left/camera_info:=left/image_rect'], 'one topic after remapping, /left/image_rect: '),
        (
            ['disparity:=x', 'points2:=/x'],
            'disparity (stereo_msgs/msg/DisparityImage) and points2',
        ),
    ],
)
def test_topics_of_two_types_that_are_remapped_to_one_are_named(
    remaps: list[str], words: str
) -> None:
    ended = started_with('--ros-args', *(part for each in remaps for part in ('-r', each)))

    assert ended.returncode == 2
    assert words in ended.stderr
    assert 'Traceback' not in ended.stderr


def started_with(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the program until it ends by itself."""
    command = [sys.executable, '-m', 'stereo_depth_node.ros.main', *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, **options
    )


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--params-file', 'depth.yaml'], 'stereo_depth_node --ros-args --params-file depth.yaml'),
        (['num_disparities:=128'], 'stereo_depth_node --ros-args -p num_disparities:=128\n'),
        (['-p', 'a:=1', 'left/x:=/y'], 'stereo_depth_node --ros-args -p a:=1 -r left/x:=/y\n'),
        (['--ros-args', '-p', 'block_size:=9', '--', '-x'], 'unknown arguments -x. '),
        (['depth.yaml'], 'stereo_depth_node --help'),
    ],
)
def test_arguments_that_nobody_reads_end_it_with_what_to_write(
    arguments: list[str], words: str
) -> None:
    ended = started_with(*arguments)

    assert ended.returncode == 2
    assert ended.stderr.startswith('stereo_depth_node cannot start: unknown arguments ')
    assert words in ended.stderr


@pytest.mark.parametrize('arguments', [['--help'], ['-h'], ['--help', '--ros-args', '-r', 'a:=b']])
def test_help_is_printed_without_ros(tmp_path: Path, arguments: list[str]) -> None:
    ended = started_with(*arguments, env=without_rclpy(tmp_path))

    assert ended.returncode == 0
    assert 'usage: stereo_depth_node [--help] [--managed] [--ros-args' in ended.stdout
    assert '--params-file depth.yaml' in ended.stdout
    assert not ended.stderr


def test_without_rclpy_one_line_says_what_to_do(tmp_path: Path) -> None:
    ended = started_with(env=without_rclpy(tmp_path))

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "No module named 'rclpy'. Source ROS 2 first" in line


def test_without_opencv_one_line_names_the_package_that_has_it(tmp_path: Path) -> None:
    text = 'raise ModuleNotFoundError("No module named \'cv2\'", name="cv2")'
    Path(tmp_path, 'cv2.py').write_text(text)
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    ended = started_with(env={**os.environ, 'PYTHONPATH': path})

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.endswith("No module named 'cv2': sudo apt install python3-opencv")


def without_rclpy(folder: Path) -> dict[str, str]:
    """Return an environment in which there is no rclpy to import."""
    Path(folder, 'rclpy.py').write_text('raise ModuleNotFoundError("No module named \'rclpy\'")')
    return {**os.environ, 'PYTHONPATH': str(folder)}
