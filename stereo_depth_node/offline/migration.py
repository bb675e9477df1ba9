# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files of stereo_image_proc, converted to ours."""

from __future__ import annotations

from pathlib import Path
import re
import textwrap
from typing import Any

import yaml

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.params_file import (
    node_sections,
    read_params_file,
    yaml_value,
)
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.stereo_image_proc import (
    Conversion,
    NODES,
    nodes_that_have,
    OldParameters,
)

__all__ = ['migrated']

_IMAGE_PROC = ('debayer_node', 'rectify_node', 'rectify_mono_node', 'rectify_color_node')
_NODE_NAME = re.compile(r'[\w/*]+', re.ASCII)
_WILDCARDS = ('*', '**')
_WIDTH = 95
_INDENT = '    '


def migrated(path: str | Path) -> str:
    """Convert a parameter file of stereo_image_proc.

    Parameters
    ----------
    path : str or Path
        A ROS 2 parameter file with sections for disparity_node or point_cloud_node, in any
        namespaces, or for all nodes.

    Returns
    -------
    str
        A parameter file for our node: for any name, or where the old one has several cameras
        for stereo_depth_node in the namespace of each. Comments say what each setting comes from,
        and what was left out and why.

    Raises
    ------
    InputError
        If the file cannot be read, or nothing in it is for stereo_image_proc.
    SettingsError
        If what it sets is impossible together.
    """
    rigs, notes = _rigs_in(path)
    if not rigs:
        raise InputError(
            f'{printable(path)}: has no ros__parameters for disparity_node or point_cloud_node of '
            'stereo_image_proc: give the file that these nodes are started with, or what '
            '"ros2 param dump" writes of them'
        )
    lines = [
        f'# Settings of stereo_image_proc in {printable(Path(path).name)}, for stereo_depth_node.',
        '# Above each stands what it comes from; docs/migration.md has the differences.',
    ]
    for namespace, rig in rigs.items():
        conversion = Conversion(rig)
        Settings().merged({name: value for name, (value, _) in conversion.settings.items()})
        lines.append(f'{namespace}/stereo_depth_node:' if len(rigs) > 1 else '/**:')
        lines += _section(conversion)
    lines += [line for note in notes for line in _comment(note, '')]
    return '\n'.join(lines) + '\n'


def _rigs_in(path: str | Path) -> tuple[dict[str, OldParameters], list[str]]:
    """Return what is there for stereo_image_proc by namespace, and what to say of other nodes."""
    rigs: dict[str, OldParameters] = {}
    notes = []
    sections = [
        (name, {str(key): value for key, value in parameters.items()})
        for name, parameters in node_sections(read_params_file(path))
        if isinstance(parameters, dict)
    ]
    for_all: dict[str, Any] = {}
    for section, parameters in sections:
        if section.rpartition('/')[2] in _WILDCARDS:
            for_all.update(parameters)
    for section, parameters in sections:
        namespace, _, name = section.rpartition('/')
        if name in _WILDCARDS:
            continue
        if not _NODE_NAME.fullmatch(section):
            notes.append(f'{printable(section)}: not a name of a node')
            continue
        nodes = [name] if name in NODES else nodes_that_have(parameters)
        for node in nodes:
            rigs.setdefault(namespace, OldParameters()).add(node, {**for_all, **parameters})
        if name in _IMAGE_PROC:
            notes.append(f'{printable(section)}: set rectify to true and give the raw images')
        elif not nodes:
            notes.append(f'{printable(section)}: not a node of stereo_image_proc')
    for node in () if rigs else nodes_that_have(for_all):
        rigs.setdefault('', OldParameters()).add(node, for_all)
    return rigs, notes


def _section(conversion: Conversion) -> list[str]:
    """Return the lines below the name of a node."""
    lines = ['  ros__parameters:']
    for name, (value, reason) in conversion.settings.items():
        lines += _comment(reason, _INDENT)
        lines.append(f'{_INDENT}{name}: {yaml_value(value)}')
    if conversion.kept:
        kept = yaml.safe_dump(conversion.kept, default_flow_style=False)
        lines += textwrap.indent(kept, _INDENT).splitlines()
    if not conversion.settings and not conversion.kept:
        lines[-1] += ' {}'
    if conversion.notes:
        lines += _comment('Left out:', _INDENT)
    for note in dict.fromkeys(conversion.notes):
        lines += _comment(note, _INDENT)
    return lines


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=f'{indent}# ', subsequent_indent=f'{indent}#   '
    )
