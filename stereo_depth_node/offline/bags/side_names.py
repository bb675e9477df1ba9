# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How names of topics say left and right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
import re

__all__ = ['SIDES', 'partners', 'patterns_of_sides']

#: How drivers name left and right camera, the clearest names first.
SIDES = (
    ('left', 'right'),
    ('Left', 'Right'),
    ('LEFT', 'RIGHT'),
    ('infra1', 'infra2'),
    ('infrared_1', 'infrared_2'),
    ('fisheye1', 'fisheye2'),
    *(
        (f'{name}{first}', f'{name}{first + 1}')
        for first in (0, 1)
        for name in ('cam', 'cam_', 'camera', 'camera_')
    ),
    ('l', 'r'),
    ('L', 'R'),
)


def partners(name: str, left: str, right: str) -> Iterator[str]:
    """Yield what the right topic may be called: the side nearest to the end tells it."""
    places = [match.span() for match in _side_pattern(left).finditer(name)]
    for start, end in places[::-1]:
        yield name[:start] + right + name[end:]
    # Twice in a name, as in left/left_image, but not of a rig and of its camera.
    if len(places) > 1 and name[places[0][0] :].count('/') < 2:
        yield _side_pattern(left).sub(right, name)


@lru_cache
def _side_pattern(side: str) -> re.Pattern[str]:
    """Return a pattern of a side in a name, though not of the side of a robot."""
    word = re.escape(side)
    if len(side) == 1:
        return re.compile(rf'(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])')
    return re.compile(rf'{word}(?!\d|_?(?:arm|hand|wrist|gripper|leg|foot|finger))')


def patterns_of_sides(name: str) -> list[re.Pattern[str]]:
    """Return patterns of the sides that a name has, by which names of the same side are found."""
    patterns = [_side_pattern(side) for sides in SIDES for side in sides]
    return [pattern for pattern in patterns if pattern.search(name)]
