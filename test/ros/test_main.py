# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node as a process of its own: start, transport of images, end."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.parameter import parameter_value_to_python
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of
from std_srvs.srv import Trigger

from stereo_depth_node.core.settings.params_file import NOT_SETTINGS
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.environment import shared_file
from stereo_depth_node.offline.migration import migrated

WIDTH, HEIGHT = 200, 120
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, 10)))
INFOS = camera_infos(WIDTH, HEIGHT)


def parameters_of(rig: Rig) -> dict[str, Any]:
    """Return all settings that the node has."""
    names = list(known_parameters())
    values = rig.call(
        GetParameters,
        '/stereo_depth_node/get_parameters',
        GetParameters.Request(names=names),
    ).values
    return {
        name: parameter_value_to_python(value) for name, value in zip(names, values, strict=True)
    }


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=lambda it: it.name)
@pytest.mark.parametrize('state', ['idle', 'at work'])
def test_a_signal_ends_it_cleanly(graph: Graph, number: signal.Signals, state: str) -> None:
    process = graph.node_program()
    rig = Rig(graph, infos=INFOS)
    if state == 'at work':
        rig.connect(*PAIR)
        for _ in range(20):
            rig.send(*PAIR)
    else:
        parameters_of(rig)

    assert process.stop(number) == 0
    assert 'Traceback' not in process.output
    assert '[ERROR]' not in process.output


@pytest.mark.parametrize('second', [signal.SIGINT, signal.SIGTERM], ids=lambda it: it.name)
def test_signals_during_the_end_change_nothing(graph: Graph, second: signal.Signals) -> None:
    """As from somebody who presses Ctrl-C again and again, or from launch, which sends both."""
    process = graph.node_program()
    rig = Rig(graph, infos=INFOS)
    rig.connect(*PAIR)
    os.kill(process.pid, signal.SIGINT)

    graph.wait_until(
        lambda: not process.is_running,
        'the end',
        repeat=lambda: [
            (os.kill(process.pid, second), time.sleep(0.005))
            for _ in range(30)
            if process.is_running
        ],
    )

    assert process.stop() == 0
    assert 'Traceback' not in process.output


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
    arguments: list[str], words: str
) -> None:
    ended = started_with('--ros-args', *arguments)

    assert ended.returncode == 2
    assert 'stereo_depth_node cannot start' in ended.stderr
    assert words in ended.stderr
    assert 'Check what follows --ros-args' in ended.stderr
    assert 'Traceback' not in ended.stderr


def started_with(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the program until it ends by itself."""
    command = [sys.executable, '-m', 'stereo_depth_node.ros.main', *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **options
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


def test_the_shipped_parameter_file_is_taken_without_complaint(graph: Graph) -> None:
    process = graph.node_process('--params-file', str(shared_file('config/depth.yaml')))
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)

    defaults = {name: known.default for name, known in known_parameters().items()}
    assert parameters_of(rig) == defaults
    assert 'refused' not in process.output
    assert '[ERROR]' not in process.output


IMPOSSIBLE = {
    'num_disparities': 17,
    'block_size': 14,
    'pre_filter_cap': 0,
    'algorithm': 'fast',
    'uniqueness_ratio': 'high',
    'fill_left_band': 3,
    'max_depth': -1.0,
}


def as_arguments(values: dict[str, Any], _: Path) -> list[str]:
    return [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]


def as_file(values: dict[str, Any], folder: Path) -> list[str]:
    lines = ['/**:', '  ros__parameters:']
    lines += [f'    {name}: {value}' for name, value in values.items()]
    path = folder / 'impossible.yaml'
    path.write_text('\n'.join(lines) + '\n')
    return ['--params-file', str(path)]


@pytest.mark.parametrize('given', [as_arguments, as_file])
def test_impossible_start_values_are_refused_by_name_and_the_node_runs(
    graph: Graph, tmp_path: Path, given: Any
) -> None:
    """The possible ones among them count."""
    values = {**IMPOSSIBLE, 'speckle_window_size': 50, 'min_depth': 1}
    process = graph.node_process(*given(values, tmp_path))
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)

    refused = [line for line in process.output.splitlines() if 'parameter refused' in line]
    for name in IMPOSSIBLE:
        (line,) = (each for each in refused if name in each)
        assert f'default {known_parameters()[name].default!r} stays' in line
    assert len(refused) == len(IMPOSSIBLE)
    defaults = {name: known.default for name, known in known_parameters().items()}
    assert parameters_of(rig) == {**defaults, 'speckle_window_size': 50, 'min_depth': 1}


@pytest.mark.parametrize(
    ('values', 'refused'),
    [
        ({'algorithm': 'sgbm', 'p1': 9000, 'p2': 9000}, 'p1'),
        ({'algorithm': 'sgbm', 'block_size': 3, 'num_disparities': 17}, 'num_disparities'),
        ({'min_depth': 5.0, 'max_depth': 4.0}, 'max_depth'),
        ({'min_depth': 5.0, 'max_depth': 9.0, 'block_size': 2}, 'block_size'),
        ({'algorithm': 'sgbm', 'p1': 9000, 'p2': 9500, 'downscale': 3}, 'downscale'),
    ],
    ids=lambda item: str(item)[:40],
)
def test_of_start_values_impossible_together_as_few_as_possible_are_refused(
    graph: Graph, values: dict[str, Any], refused: str
) -> None:
    parameters = graph.node(**values).node.parameters

    assert len(parameters.refusals) == 1
    assert refused in str(parameters.refusals)
    for name, value in values.items():
        expected = known_parameters()[name].default if name == refused else value
        assert getattr(parameters.current, name) == expected


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('/**: {ros__parameters: {num_disparity: 128}}', 'did you mean num_disparities?'),
        ('/**: {ros__parameters: {disparity_range: 128}}', 'set num_disparities instead'),
        ('/**: {ros__parameters: {num_disparities: {value: 128}}}', 'takes a value, not a map'),
        ('depth_node: {ros__parameters: {block_size: 9}}', 'they are for /depth_node'),
        (
            'disparity_node: {ros__parameters: {block_size: 9}}',
            'converted by stereo_depth migrate',
        ),
        (
            '/**: {ros__parameters: {qos_overrides: {/disparty: {publisher: {depth: 7}}}}}',
            'did you mean /disparity?',
        ),
        (
            '/**: {ros__parameters: {qos_overrides: {/left/image_rect: {publisher: {depth: 7}}}}}',
            'of this topic the node has a subscription',
        ),
        ('/**: {ros__parameters: {use_simtime: true}}', 'did you mean use_sim_time?'),
        ('', 'it has none at all'),
        ('/**: {ros__parameters: {use_sim_time: "true"}}', "use_sim_time is 'true' (str)"),
        ('/**: {ros__parameters: {use_sim_time: 1}}', 'use_sim_time is 1 (int)'),
    ],
)
def test_what_nobody_took_of_a_parameter_file_is_reported(
    graph: Graph, tmp_path: Path, content: str, words: str
) -> None:
    """In the log and in answer to explain; the node runs, and has no parameter but its own."""
    path = tmp_path / 'depth.yaml'
    path.write_text(content + '\n')
    process = graph.node_process('--params-file', str(path))
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)

    answer = rig.call(Trigger, '/stereo_depth_node/explain', Trigger.Request())
    assert words in answer.message
    assert words in process.output
    assert 'Traceback' not in process.output
    defaults = {name: known.default for name, known in known_parameters().items()}
    assert parameters_of(rig) == defaults
    request = ListParameters.Request()
    listed = rig.call(ListParameters, '/stereo_depth_node/list_parameters', request).result.names
    strange = [name for name in listed if name.partition('.')[0] not in (*defaults, *NOT_SETTINGS)]
    assert strange == []


def test_a_migrated_file_of_stereo_image_proc_is_taken_whole(graph: Graph, tmp_path: Path) -> None:
    old, new = tmp_path / 'old.yaml', tmp_path / 'new.yaml'
    old.write_text(
        'disparity_node: {ros__parameters: {stereo_algorithm: 1, sgbm_mode: 2, P1: 10.0, '
        'uniqueness_ratio: 5.0, qos_overrides: {/disparity: {publisher: {depth: 7}}}}}\n'
        'point_cloud_node: {ros__parameters: {use_color: true}}\n'
    )
    new.write_text(migrated(old))
    process = graph.node_process('--params-file', str(new))
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)

    changed = {
        name: value
        for name, value in parameters_of(rig).items()
        if value != known_parameters()[name].default
    }
    assert changed == {
        'algorithm': 'sgbm_3way',
        'disp12_max_diff': 0,
        'p1': 10,
        'p2': 400,
        'points_color': 'rgb',
        'points_organized': True,
        'queue_size': 5,
        'speckle_range': 4,
        'speckle_window_size': 100,
        'sync_tolerance': 0.0,
        'uniqueness_ratio': 5,
    }
    answer = rig.call(Trigger, '/stereo_depth_node/explain', Trigger.Request())
    assert 'not used' not in answer.message
    assert 'refused' not in process.output
