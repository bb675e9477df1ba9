# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The page that is derived from the causes: ``python -m stereo_depth_node.ros.reference``.

Run from the root of the repository, it writes docs/troubleshooting.md anew. A test compares it
with the causes that the node knows.
"""

from __future__ import annotations

from pathlib import Path
from string import Formatter

from stereo_depth_node.core.health.cause_table import CAUSES
from stereo_depth_node.core.health.causes import Cause, Level
from stereo_depth_node.core.health.rectification import MATCHES_LOST
from stereo_depth_node.core.pairing.pairer import DropReason

__all__ = ['render_troubleshooting_page']

_PATH = 'docs/troubleshooting.md'

_HEAD = """\
# Troubleshooting

The node always knows what keeps depth from flowing, and says it in three places:

- `ros2 service call /stereo_depth_node/explain std_srvs/srv/Trigger` answers with all causes that
  are present and all figures; `success` says that depth flows. Ask this first.
- `/diagnostics` (1 Hz, and at once when something changes): level and message, the name of the
  cause under the key `cause`, further ones under `also`, then the figures: rates, pairs, images
  dropped by reason, offset of the stamps, latency, time per stage, density, depths, settings.
- The log: a warning when a cause appears, and again every 10 s while it blocks the output.

A cause is told within two seconds, and no longer told within two seconds of its cure, from 5
pairs per second on; what is measured of the calibration takes five. The first cause told is the
one to remove: it may hide others. Numbers and names stand where this page has *words in italics*.

This page is written by `python -m stereo_depth_node.ros.reference`.
"""

_SECTIONS = {
    Level.ERROR: (
        'No depth is published',
        'The causes in the order of the way from the camera to the output.',
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

The share of correct matches that is lost when the rows of the eyes are apart, as the message
`rows_apart` has it. Measured on the Motorcycle pair of Middlebury (741x500) with `bm`, 64
disparities and block 15; a test measures it again.

| rows apart, px | matches lost, % |
|---|---|
"""


def render_troubleshooting_page() -> str:
    """Return the page in Markdown, a section for each cause."""
    parts = [_HEAD]
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
            parts.append(f'*{field.replace("_", " ")}*')
    return ''.join(parts)


def main() -> None:
    """Write the page below the working directory."""
    Path(_PATH).parent.mkdir(parents=True, exist_ok=True)
    Path(_PATH).write_text(render_troubleshooting_page(), encoding='utf-8')


if __name__ == '__main__':
    main()
