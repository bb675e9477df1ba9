# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings as a ROS 2 parameter file, which the node and the offline tools both read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
import textwrap
from typing import Any

from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.settings.parameter import Parameter, Value
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.core.settings.text_files import parse_yaml, printable, read_text

__all__ = [
    'NOT_SETTINGS',
    'constraint_of',
    'load_settings',
    'node_sections',
    'read_params_file',
    'render_params_file',
    'why_nothing_is_for',
    'why_ros_refuses',
    'yaml_value',
]

_WIDTH = 95
_INDENT = '    '
#: Keys that are a node's own business, whatever its settings.
NOT_SETTINGS = ('qos_overrides', 'start_type_description_service', 'use_sim_time')


def load_settings(path: str | Path) -> Settings:
    """Read settings from a ROS 2 parameter file.

    Parameters
    ----------
    path : str or Path
        A YAML file with one node (any name, ``/**`` too) that has ``ros__parameters``.

    Raises
    ------
    InputError
        If the file cannot be read or is not such a file.
    SettingsError
        If a setting in it is unknown or impossible; the text names the file.
    """
    content = read_params_file(path)
    values = {
        name: value
        for name, value in _node_parameters(path, content).items()
        if name not in NOT_SETTINGS
    }
    try:
        return Settings().merged(values)
    except SettingsError as error:
        raise SettingsError(f'{printable(path)}: {error}') from error


def why_nothing_is_for(node: str, path: str | Path) -> str:
    """Say why ROS takes nothing from a parameter file for a node; empty when it takes something.

    Parameters
    ----------
    node : str
        Its name with the namespace, such as ``/ns/stereo_depth_node``.
    path : str or Path
        The file.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    documents = parse_yaml(read_text(path), path)
    sections = [name for content in documents for name, _ in node_sections(content)]
    if any(re.fullmatch(_pattern_of(section), node) for section in sections):
        return ''
    came = f'they are for {", ".join(sections)}' if sections else 'it has none at all'
    is_old = any(re.search('/(disparity|point_cloud)_node$', section) for section in sections)
    advice = '; a file of stereo_image_proc is converted by stereo_depth migrate' if is_old else ''
    return (
        f'the params file {path} has no ros__parameters for this node, {node} ({came}): begin '
        f'the file with "{node}:" or "/**:", and "  ros__parameters:" below{advice}'
    )


def why_ros_refuses(path: str | Path) -> str:
    """Say what is wrong with a parameter file that ROS cannot read; empty when that is not known.

    Parameters
    ----------
    path : str or Path
        The file.
    """
    name = printable(path)
    try:
        text = read_text(path)
        for number, line in enumerate(text.splitlines(), 1):
            if '\t' in line[: len(line) - len(line.lstrip())]:
                return f'{name}: line {number} is indented by a tab, YAML takes spaces alone'
        documents = parse_yaml(text, path)
    except InputError as error:
        return str(error)
    sections = [section for content in documents for section in node_sections(content)]
    if not sections:
        return (
            f'{name}: begin the file with "/**:" and "  ros__parameters:" (with two underscores), '
            'and write the parameters below, further in'
        )
    for _, parameters in sections:
        for key, value in parameters.items() if isinstance(parameters, dict) else ():
            if value is None:
                return f'{name}: {printable(key)} has no value, give it one or remove the line'
    return ''


def render_params_file(
    settings: Settings, *, comment: str = '', describe: bool = False, changed: bool = False
) -> str:
    """Write settings as a ROS 2 parameter file for any node name.

    Parameters
    ----------
    settings : Settings
        They are written.
    comment : str
        Lines for the head of the file.
    describe : bool
        Put the description of each setting above it.
    changed : bool
        Write only those that are not as by default.

    Returns
    -------
    str
        The content of the file.
    """
    lines = [f'# {line}'.rstrip() for line in comment.splitlines()]
    lines += ['/**:', '  ros__parameters:']
    group = ''
    written = [
        known
        for known in known_parameters().values()
        if not changed or getattr(settings, known.name) != known.default
    ]
    if not written:
        lines[-1] += ' {}'
    for known in written:
        if describe:
            if group and known.group != group:
                lines.append('')
            group = known.group
            lines += textwrap.wrap(
                f'{known.description} ({constraint_of(known)})',
                _WIDTH,
                initial_indent=f'{_INDENT}# ',
                subsequent_indent=f'{_INDENT}# ',
            )
        lines.append(f'{_INDENT}{known.name}: {yaml_value(getattr(settings, known.name))}')
    return '\n'.join(lines) + '\n'


def constraint_of(known: Parameter) -> str:
    """Return which values a setting can have: ``16 to 4096 px, step 16``."""
    if known.choices:
        return ' | '.join(known.choices)
    if known.minimum is None or known.maximum is None:
        return known.type.__name__
    unit = f' {known.unit}' if known.unit else ''
    step = f', step {known.step}' if known.step > 1 else ''
    return f'{known.minimum} to {known.maximum}{unit}{step}'


def read_params_file(path: str | Path) -> Any:
    """Return what a YAML file of one document has.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    documents = parse_yaml(read_text(path), path)
    if len(documents) > 1:
        raise InputError(f'{printable(path)}: has {len(documents)} YAML documents, expected one')
    return documents[0] if documents else None


def node_sections(content: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield the node names, wildcards in them, and their ``ros__parameters``, if not empty."""
    for key, value in content.items() if isinstance(content, dict) else ():
        if key == 'ros__parameters' and value:
            yield prefix, value
        elif isinstance(value, dict):
            yield from node_sections(value, f'{prefix}/{str(key).strip("/")}')


def _pattern_of(section: str) -> str:
    """Return the regular expression of a section: ``*`` is one name, ``**`` any number of them."""
    names = section.strip('/').split('/')
    parts = {'*': r'/[^/]+', '**': r'(/[^/]+)*'}
    return ''.join(parts.get(name, '/' + re.escape(name)) for name in names)


def _node_parameters(path: str | Path, content: Any) -> dict[str, Any]:
    nodes = content if isinstance(content, dict) else {}
    found = [
        node['ros__parameters']
        for node in nodes.values()
        if isinstance(node, dict) and isinstance(node.get('ros__parameters'), dict)
    ]
    if len(found) != 1:
        raise InputError(
            f'{printable(path)}: has {len(found)} nodes with ros__parameters, expected one: '
            'begin the file with "/**:" and "  ros__parameters:"'
        )
    return {str(name): value for name, value in found[0].items()}


def yaml_value(value: Value) -> str:
    """Write the value of a setting so that YAML 1.1 reads it with its type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    text = repr(value)
    # YAML 1.1 takes 1e-05 for a text and 1.0e-05 for a number.
    return text.replace('e', '.0e') if 'e' in text and '.' not in text else text
