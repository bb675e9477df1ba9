#!/usr/bin/env python3
# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Write the files that are derived from the code: what the code says once is not typed again.

config/depth.yaml and docs/parameters.md come from `Settings`, docs/troubleshooting.md from the
table of causes, the outputs in config/sros2_policy.xml from theirs. ``--check`` writes nothing and
says which of them are out of date.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from string import Formatter
import sys

from stereo_depth_node.core.health.causes import Cause, CAUSES, Level
from stereo_depth_node.core.health.rectification import MATCHES_LOST
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.settings.params_file import constraint_of, render_params_file
from stereo_depth_node.core.settings.settings import known_parameters, Settings

ROOT = Path(__file__).resolve().parent.parent

_POLICY = ROOT / 'config/sros2_policy.xml'
_PUBLISHED = '<topics publish="ALLOW">\n'

_YAML_HEAD = """\
Every parameter of stereo_depth_node at its default.
All can be changed while the node runs: ros2 param set /stereo_depth_node num_disparities 128
Written by scripts/make_docs"""

_PAGE_HEAD = """\
# Parameters

For whoever looks for a parameter, its range or its default.

Every parameter can be changed while the node runs (`ros2 param set /stereo_depth_node
num_disparities 128`); a change holds from the next frame on. A change that is impossible, by
itself, together with the others or for the images that come in, is refused with the reason, and
everything stays as it was. `config/depth.yaml` has them all at their defaults.

This page is written by `scripts/make_docs`.
"""


def rendered_files() -> dict[str, str]:
    """Return the content of each derived file by its path in the repository."""
    return {
        'config/sros2_policy.xml': render_policy(),
        'config/depth.yaml': render_params_file(Settings(), comment=_YAML_HEAD, describe=True),
        'docs/parameters.md': render_parameters_page(),
        'docs/troubleshooting.md': render_troubleshooting_page(),
    }


def render_policy() -> str:
    """Return the security policy with all outputs in its list of what is published."""
    head, begin, rest = _POLICY.read_text(encoding='utf-8').partition(_PUBLISHED)
    # Behind the outputs, whose names are relative, stand the topics of every node.
    others = rest[rest.index('            <topic>/') :]
    return (
        head + begin + ''.join(f'            <topic>{name}</topic>\n' for name in OUTPUTS) + others
    )


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


_TROUBLE_HEAD = """\
# Troubleshooting

For whoever gets no depth, or a wrong one.

The node always knows what keeps depth from flowing, and says it in three places:

- `ros2 service call /stereo_depth_node/explain std_srvs/srv/Trigger` answers with all causes that
  are present and all figures; `success` says that depth flows. Ask this first, and let
  `| sed 's/\\\\n/\\n/g'` behind it break the lines, which ros2 service prints in one.
- `/diagnostics` (1 Hz, and at once when something changes): level and message, the name of the
  cause under the key `cause`, further ones under `also`, then the figures: rates, pairs, images
  dropped by reason, offset of the stamps, latency, time per stage, density, depths, settings.
- The log: a warning when a cause appears, again every 30 s while it blocks the output, and a line
  when it is over.

A cause is reported within two seconds, and no longer two seconds after its cure, from 5 pairs per
second on; what is measured of the calibration takes five. The first cause is the one to remove: it
may hide others. Numbers and names stand where this page has *words in italics*.

| what you see | often |
|---|---|
"""

# What is seen -> the causes that it comes from most.
_SYMPTOMS = {
    'no message at all': (
        *('nobody_subscribes', 'no_publisher', 'no_camera_info', 'no_messages', 'no_pairs'),
    ),
    'small images work, large ones do not': ('no_messages', 'images_lost', 'shared_memory'),
    'most is unknown': (
        *('rows_apart', 'few_points', 'cameras_swapped', 'scene_too_near', 'empty_depth'),
    ),
    'depth is there, and wrong': (
        *('implausible_calibration', 'rows_apart', 'moments_differ', 'disparity_reduced'),
    ),
    'depth jumps': ('several_publishers', 'shared_output'),
    'depth comes late, or in gaps': ('overloaded', 'images_lost', 'images_unpaired'),
    '`ros2 topic` shows it, rviz and Nav2 do not': (
        *('clock_foreign', 'frame_id_empty', 'frame_id_slash', 'incompatible_subscriber'),
    ),
}

_WRITTEN = """
This page is written by `scripts/make_docs`.
"""

_SECTIONS = {
    Level.ERROR: (
        'No depth, or none that means anything',
        'In the order of the way from camera to output. Depth may go out beside the last four.',
    ),
    Level.WARN: ('Depth is published, but something is wrong', ''),
    Level.OK: ('States that are no faults', ''),
}

_DROPS = """\
## Images that were dropped

Every image received is computed, waiting, or dropped for one of these reasons, which the
diagnostics count:

| reason | meaning |
|---|---|
"""

_ROWS = """\
## What rows that are apart cost

The share of correct matches that is lost when the rows of the two images are apart, as the message
`rows_apart` has it. Measured on the Motorcycle pair of Middlebury (741x500) with `bm`, 64
disparities and block 15; a test measures it again.

| rows apart, px | matches lost, % |
|---|---|
"""


def render_troubleshooting_page() -> str:
    """Return the page in Markdown, a section for each cause."""
    symptoms = ''.join(
        f'| {seen} | {", ".join(f"[{CAUSES[name].name}](#{name})" for name in names)} |\n'
        for seen, names in _SYMPTOMS.items()
    )
    parts = [_TROUBLE_HEAD + symptoms + _WRITTEN]
    for level, (title, text) in _SECTIONS.items():
        parts.append(f'## {title}\n' + (f'\n{text}\n' if text else ''))
        parts += [_section(cause) for cause in CAUSES.values() if cause.level is level]
    drops = [f'| {reason.name.lower()} | {reason.value} |' for reason in DropReason]
    parts.append(_DROPS + '\n'.join(drops) + '\n')
    rows = [f'| {rows:g} | {lost:g} |' for rows, lost in MATCHES_LOST.items()]
    parts.append(_ROWS + '\n'.join(rows) + '\n')
    return '\n'.join(parts)


def _section(cause: Cause) -> str:
    return f'### {cause.name}\n\n> {_in_italics(cause.text)}\n\n{cause.remedy}\n'


def _in_italics(template: str) -> str:
    """Return a template of `str.format` with its fields as words for a reader."""
    parts = []
    for literal, field, _, _ in Formatter().parse(template):
        parts.append(literal)
        if field is not None:
            # What follows a word without a blank begins with one, or is empty.
            blank = ' ' if literal[-1:].isalnum() else ''
            parts.append(f'{blank}*{field.replace("_", " ")}*')
    return ''.join(parts)


def main() -> int:
    """Write the files below the root of the repository, or compare them."""
    parser = argparse.ArgumentParser(prog='make_docs', description=__doc__)
    parser.add_argument('--check', action='store_true', help='write nothing; 1 if out of date')
    is_check = parser.parse_args().check
    outdated = []
    for name, content in rendered_files().items():
        path = ROOT / name
        if path.is_file() and path.read_text(encoding='utf-8') == content:
            continue
        outdated.append(name)
        if not is_check:
            path.write_text(content, encoding='utf-8')
    if outdated:
        said = 'out of date, run scripts/make_docs' if is_check else 'written'
        print(f'{", ".join(outdated)}: {said}')
    return int(is_check and bool(outdated))


if __name__ == '__main__':
    sys.exit(main())
