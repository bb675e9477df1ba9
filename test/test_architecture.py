# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The borders inside the package: who may import whom, and that the core knows no ROS."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
import os
from pathlib import Path
import subprocess
import sys

import pytest

PACKAGE = 'stereo_depth_node'
ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / PACKAGE).rglob('*.py'))

# Part of the package -> the parts it may import.
ALLOWED = {
    'core': {'core'},
    'ros': {'core', 'ros', 'environment', 'memory', 'shared_memory'},
    'offline': {'core', 'environment', 'memory', 'offline'},
    'demo': {'core', 'demo', 'offline', 'ros', 'environment', 'processes', 'memory', 'signals'},
    'studio': {'core', 'environment', 'offline', 'ros', 'studio'},
    'environment': {'core'},
    'processes': {'core', 'signals'},
    'signals': set(),
    'memory': set(),
    'shared_memory': {'core', 'environment'},
}
ROS_PACKAGES = (
    'ament_index_python',
    'builtin_interfaces',
    'cv_bridge',
    'launch',
    'launch_ros',
    'message_filters',
    'rcl_interfaces',
    'rclpy',
)

# Run in an interpreter of its own: imports of ROS fail there, whatever is installed. A library
# that is optional, such as numba, may be missing.
IMPORT_WITHOUT_ROS = """
import importlib, sys

class NoRos:
    def find_spec(self, name, path=None, target=None):
        top = name.partition('.')[0]
        if top in {packages!r} or top.endswith(('_msgs', '_srvs')):
            raise ModuleNotFoundError(f'{{name}} is a ROS package')

sys.meta_path.insert(0, NoRos())
for module in {modules!r}:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:  # what NoRos raises has no name
        if error.name is None or error.name.startswith('stereo_depth_node'):
            raise
"""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {module_name(source) for source in SOURCES}


def part_of(module: str) -> str:
    """Return the second name of a module: its folder or file in the package."""
    return [*module.split('.'), ''][1]


@cache
def syntax_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding='utf-8'))


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of every module that a file imports, wherever it does."""
    package = module_name(path).split('.')
    if path.name != '__init__.py':
        package = package[:-1]
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = '.'.join([*above, *([node.module] if node.module else [])])
            if base == PACKAGE:
                for alias in node.names:
                    yield node.lineno, f'{base}.{alias.name}'
            else:
                yield node.lineno, base


def is_ros(module: str) -> bool:
    top = module.partition('.')[0]
    return top in ROS_PACKAGES or top.endswith(('_msgs', '_srvs'))


def modules_of(part: str) -> list[str]:
    return [module_name(path) for path in SOURCES if part_of(module_name(path)) == part]


def test_the_parts_of_the_package_import_each_other_in_no_circle():
    assert without_leaves({part: others - {part} for part, others in ALLOWED.items()}) == {}


def test_every_part_of_the_package_has_a_rule():
    assert {part_of(module_name(path)) for path in SOURCES} - {''} == set(ALLOWED)


@pytest.mark.parametrize('part', sorted(ALLOWED))
def test_imports_go_one_way(part):
    wrong = [
        f'{path.relative_to(ROOT)}:{line} imports {module}'
        for path in SOURCES
        if part_of(module_name(path)) == part
        for line, module in imports_of(path)
        if module.startswith(f'{PACKAGE}.') and part_of(module) not in ALLOWED[part]
    ]
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize(
    'part', ['core', 'offline', 'studio', 'environment', 'processes', 'memory', 'signals']
)
def test_no_ros_package_is_named_outside_of_the_ros_parts(part):
    wrong = [
        f'{path.relative_to(ROOT)}:{line} imports {module}'
        for path in SOURCES
        if part_of(module_name(path)) == part
        for line, module in imports_of(path)
        if is_ros(module)
    ]
    assert not wrong, '\n'.join(wrong)


def test_every_module_can_be_imported_where_there_is_no_ros():
    modules = [name for part in ('core', 'offline', 'studio') for name in modules_of(part)]
    assert len(modules) > 100
    code = IMPORT_WITHOUT_ROS.format(packages=ROS_PACKAGES, modules=modules)
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(
        [sys.executable, '-c', code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def imported_modules(path: Path) -> set[str]:
    """Return the modules of the package that a file imports, at whatever place in it."""
    found = set()
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f'{node.module}.{alias.name}' for alias in node.names)}
    return (found & MODULES) - {module_name(path)}


def without_leaves(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return what is left when modules that import nothing are taken away, again and again."""
    while leaves := {name for name, imports in graph.items() if not imports & graph.keys()}:
        graph = {name: imports for name, imports in graph.items() if name not in leaves}
    return {name: imports & graph.keys() for name, imports in graph.items()}


def test_modules_import_each_other_in_no_circle():
    """Neither for type checkers alone nor late, inside a function."""
    graph = {module_name(path): imported_modules(path) for path in SOURCES}
    assert without_leaves(graph) == {}


def test_folders_of_the_core_import_each_other_in_no_circle():
    folders = {path.parent.name for path in (ROOT / PACKAGE / 'core').glob('*/__init__.py')}
    graph: dict[str, set[str]] = {folder: set() for folder in folders}
    for path in SOURCES:
        place = [*module_name(path).split('.'), '', ''][1:3]
        if place[0] == 'core' and place[1] in folders:
            others = {tuple([*each.split('.'), '', ''][1:3]) for each in imported_modules(path)}
            graph[place[1]] |= {folder for part, folder in others if part == 'core'} & folders
            graph[place[1]].discard(place[1])
    assert without_leaves(graph) == {}


def test_a_circle_of_imports_is_seen():
    graph = {'a': {'b'}, 'b': {'c'}, 'c': {'b', 'd'}, 'd': set()}
    assert without_leaves(graph) == {'a': {'b'}, 'b': {'c'}, 'c': {'b'}}


def test_the_scan_sees_every_form_of_import(tmp_path, monkeypatch):
    """A scan that overlooks a form of import would let the border rot."""
    monkeypatch.setattr(sys.modules[__name__], 'ROOT', tmp_path)
    file = tmp_path / PACKAGE / 'core' / 'module.py'
    file.parent.mkdir(parents=True)
    file.write_text(
        'import rclpy.node\n'
        'from . import sibling\n'
        'from .errors import E\n'
        'from ..ros import node\n'
        'from .. import offline\n'
        'from stereo_depth_node import demo\n'
        'def f():\n'
        '    from std_msgs.msg import Header\n'
    )
    assert [module for _, module in sorted(imports_of(file))] == [
        'rclpy.node',
        'stereo_depth_node.core',
        'stereo_depth_node.core.errors',
        'stereo_depth_node.ros',
        'stereo_depth_node.offline',
        'stereo_depth_node.demo',
        'std_msgs.msg',
    ]
