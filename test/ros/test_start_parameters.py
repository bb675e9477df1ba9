# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node is started with: parameter files and arguments, right, wrong, and misspelt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.parameter import Parameter, parameter_value_to_python
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of
from std_srvs.srv import Trigger

from stereo_depth_node.core.settings.params_file import NOT_SETTINGS
from stereo_depth_node.core.settings.settings import known_parameters, Settings
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
    ('name', 'refused', 'value'), [('use_sim_time', 'true', True), ('block_size', 14, 15)]
)
def test_a_start_value_that_was_refused_is_told_until_the_parameter_is_set(
    graph: Graph, name: str, refused: Any, value: Any
) -> None:
    node = graph.node(**{name: refused}).node
    assert list(node.parameters.refusals) == [name]
    (result,) = node.set_parameters([Parameter(name, value=value)])
    assert result.successful

    assert node.parameters.current == Settings()
    assert not node.parameters.refusals


MISSPELT = """
/**:
  ros__parameters:
    num_disparity: 128
    disparity_range: 128
    block_size: {value: 9}
    use_simtime: true
    qos_overrides:
      /disparty: {publisher: {depth: 7}}
      /left/image_rect: {publisher: {depth: 7}}
"""


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (
            MISSPELT,
            (
                'did you mean num_disparities?',
                'set num_disparities instead',
                'takes a value, not a map',
                'did you mean use_sim_time?',
                'did you mean /disparity?',
                'of this topic the node has a subscription',
            ),
        ),
        ('depth_node: {ros__parameters: {block_size: 9}}', ('they are for /depth_node',)),
        (
            'disparity_node: {ros__parameters: {block_size: 9}}',
            ('converted by stereo_depth migrate',),
        ),
        ('', ('it has none at all',)),
        ('/**: {ros__parameters: {use_sim_time: "true"}}', ("use_sim_time is 'true' (str)",)),
        ('/**: {ros__parameters: {use_sim_time: 1}}', ('use_sim_time is 1 (int)',)),
    ],
    ids=['misspelt', 'another node', 'stereo_image_proc', 'empty', 'text', 'number'],
)
def test_what_nobody_took_of_a_parameter_file_is_reported(
    graph: Graph, tmp_path: Path, content: str, words: tuple[str, ...]
) -> None:
    """In the log and in answer to explain; the node runs, and has no parameter but its own."""
    path = tmp_path / 'depth.yaml'
    path.write_text(content + '\n')
    process = graph.node_process('--params-file', str(path))
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)

    answer = rig.call(Trigger, '/stereo_depth_node/explain', Trigger.Request())
    for each in words:
        assert each in answer.message
    # With the first look of the node at itself, which may come after the answer.
    graph.wait_until(lambda: all(each in process.output for each in words), 'the log')
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
