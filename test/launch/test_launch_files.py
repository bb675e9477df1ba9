# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files and the files for rviz and Foxglove name exists; read without launch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.settings.settings import known_parameters

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILES = sorted((ROOT / 'launch').glob('*.launch.py'))
NODE_FILES = [ROOT / 'config/depth.yaml', ROOT / 'config/navigation.yaml']
NODE_FILES += sorted((ROOT / 'config/presets').glob('*.yaml'))


def constants(file: Path) -> dict[str, Any]:
    """Return the constants of a module, by name."""
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and _is_literal(node.value)
    }


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def declared(file: Path) -> set[str]:
    """Return the arguments that a launch file declares."""
    known = constants(file)
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.GeneratorExp) and _is_declaration(node.elt):
            source = node.generators[0].iter
            while not isinstance(source, ast.Name):  # NAMES or NAMES.items()
                source = source.func if isinstance(source, ast.Call) else source.value
            names |= set(known[source.id])
        elif _is_declaration(node) and isinstance(node.args[0], ast.Constant):
            names.add(node.args[0].value)
    return names


def _is_declaration(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'DeclareLaunchArgument'


def used(file: Path) -> set[str]:
    """Return the arguments whose value a launch file takes."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            of = node.value
            if getattr(of, 'id', '') == 'value' or (
                getattr(of, 'attr', '') == 'launch_configurations'
            ):
                names.add(node.slice.value)
        elif isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'LaunchConfiguration':
            names.add(ast.literal_eval(node.args[0]))
    return names


@pytest.mark.parametrize('file', LAUNCH_FILES, ids=lambda file: file.name)
def test_every_argument_that_is_used_is_declared(file: Path) -> None:
    beside = declared(ROOT / 'launch/depth.launch.py')  # which the others include
    assert used(file)
    assert used(file) <= declared(file) | beside


def test_every_argument_of_the_node_is_used() -> None:
    file = ROOT / 'launch/depth.launch.py'
    known = constants(file)
    assert declared(file) == used(file) | {*known['INPUT_TOPICS'], *known['PARAMETERS']}


def test_what_the_launch_file_passes_to_the_node_exists() -> None:
    known = constants(ROOT / 'launch/depth.launch.py')
    assert set(known['PARAMETERS']) <= set(known_parameters())
    assert set(known['POINTS'].values()) == set(known_parameters()['points_color'].choices)


def test_the_page_has_every_argument_with_its_default() -> None:
    """And no other. The rows of docs/launch.md may have several arguments."""
    rows = [
        line.split('|')[1:3]
        for line in (ROOT / 'docs/launch.md').read_text().splitlines()
        if line.startswith('| `')
    ]
    told = [name for names, _ in rows for name in re.findall(r'`(\w+)`', names)]
    assert sorted(told) == sorted(declared(ROOT / 'launch/depth.launch.py'))
    topics = constants(ROOT / 'launch/depth.launch.py')['INPUT_TOPICS']
    for names, defaults in rows:
        for name, default in zip(re.findall(r'`(\w+)`', names), defaults.split(','), strict=False):
            if name in topics:
                assert default.strip() == f'`{topics[name]}`'


def commands() -> Iterator[tuple[str, str]]:
    """Yield page and command line wherever a page launches a file of this package."""
    for page in [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]:
        text = page.read_text().replace('\\\n', ' ')
        for block in re.findall(
            r'^```(?:bash|console)\n(.*?)^```', text, re.MULTILINE | re.DOTALL
        ):
            for line in block.splitlines():
                if 'ros2 launch stereo_depth_node' in line:
                    yield page.name, line


def test_every_command_in_the_pages_gives_arguments_that_there_are() -> None:
    of_depth = declared(ROOT / 'launch/depth.launch.py')
    of = {
        'depth.launch.py': of_depth,
        'navigation.launch.py': of_depth | declared(ROOT / 'launch/navigation.launch.py'),
    }
    found = list(commands())
    assert len([page for page, _ in found if page == 'cameras.md']) >= 8
    for page, line in found:
        name, _, rest = line.partition('stereo_depth_node ')[2].partition(' ')
        given = set(re.findall(r'(\w+):=', rest.partition('#')[0]))
        assert given <= of[name], f'{page}: {line}'


@pytest.mark.parametrize('file', NODE_FILES, ids=lambda file: file.name)
def test_every_parameter_in_a_file_for_the_node_is_one_of_its_own(file: Path) -> None:
    content = yaml.safe_load(file.read_text())
    names = [name for section in content.values() for name in section['ros__parameters']]
    assert names
    assert {name for name in names if '.' not in name} - {'use_sim_time'} <= set(
        known_parameters()
    )


def topics_of(tree: Any) -> Iterator[str]:
    """Yield the topics that a configuration of rviz or Foxglove names."""
    if isinstance(tree, list):
        for each in tree:
            yield from topics_of(each)
    if not isinstance(tree, dict):
        return
    for key, value in tree.items():
        if key in ('imageTopic', 'calibrationTopic'):
            yield value
        elif key == 'Topic':
            yield value['Value']
        elif key == 'topics':
            yield from value
        else:
            yield from topics_of(value)


def test_rviz_shows_image_disparity_depth_and_cloud() -> None:
    """By relative names, so that they follow its namespace."""
    topics = list(topics_of(yaml.safe_load((ROOT / 'config/depth.rviz').read_text())))
    assert topics == ['image_rect', 'disparity/image_color', 'depth/image_rect', 'points2']
    assert set(topics) <= set(OUTPUTS)


def test_foxglove_shows_the_same_and_has_a_place_for_every_panel() -> None:
    content = json.loads((ROOT / 'foxglove/depth.json').read_text())
    assert set(topics_of(content['configById'])) == {
        f'/{topic}'
        for topic in (
            *('image_rect', 'disparity/image_color', 'depth/image_rect', 'depth/camera_info'),
            'points2',
        )
    }
    places = [content['layout']]
    panels = []
    for place in places:
        if isinstance(place, str):
            panels.append(place)
        else:
            places += [place['first'], place['second']]
    assert sorted(panels) == sorted(content['configById'])
