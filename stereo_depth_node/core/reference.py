# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The files that are derived from `Settings`: ``python -m stereo_depth_node.core.reference``.

Run from the root of the repository, it writes config/depth.yaml and docs/parameters.md anew. A
test compares both with `Settings`.
"""

from __future__ import annotations

from pathlib import Path

from stereo_depth_node.core.settings.params_file import constraint_of, render_params_file
from stereo_depth_node.core.settings.settings import known_parameters, Settings

__all__ = ['render_parameters_page', 'render_reference']

_YAML_HEAD = """\
Every parameter of stereo_depth_node at its default.
All can be changed while the node runs: ros2 param set /stereo_depth_node num_disparities 128
Written by: python -m stereo_depth_node.core.reference"""

_PAGE_HEAD = """\
# Parameters

Every parameter can be changed while the node runs (`ros2 param set /stereo_depth_node
num_disparities 128`); a change holds from the next frame on. A change that is impossible, by
itself, together with the others or for the images that come in, is refused with the reason, and
everything stays as it was. `config/depth.yaml` has them all at their defaults.

This page is written by `python -m stereo_depth_node.core.reference`.
"""


def render_reference() -> dict[str, str]:
    """Return the content of each derived file by its path in the repository."""
    return {
        'config/depth.yaml': render_params_file(Settings(), comment=_YAML_HEAD, describe=True),
        'docs/parameters.md': render_parameters_page(),
    }


def render_parameters_page() -> str:
    """Return the reference page of all settings in Markdown, a table for each group."""
    lines = [_PAGE_HEAD]
    group = ''
    for known in known_parameters().values():
        if known.group != group:
            group = known.group
            lines += [f'\n## {group}\n', '| parameter | default | values | meaning |']
            lines.append('|---|---|---|---|')
        values = constraint_of(known).replace('|', '\\|')
        default = repr(known.default) if known.type is not bool else str(known.default).lower()
        lines.append(f'| `{known.name}` | `{default}` | {values} | {known.description} |')
    return '\n'.join(lines).rstrip() + '\n'


def main() -> None:
    """Write the derived files below the working directory."""
    for path, content in render_reference().items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(content, encoding='utf-8')


if __name__ == '__main__':
    main()
