# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Topics whose images hold both: a half of them has a name of its own.

``/cam/image:left`` and ``:right`` are the halves of images side by side, ``:top`` and ``:bottom``
those of images one above the other. No name of ROS has a colon.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stereo_depth_node.core.images.layouts import Half, halves_of

__all__ = ['half_names', 'split_name']

_HALVES: Mapping[str, Half] = MappingProxyType(
    dict(
        zip(
            ('left', 'right', 'top', 'bottom'),
            (*halves_of('side_by_side'), *halves_of('top_bottom')),
            strict=True,
        )
    )
)


def split_name(name: str) -> tuple[str, Half | None]:
    """Return the name of a recorded topic and the half of its images, None for the whole."""
    topic, separator, half = name.rpartition(':')
    return (topic, _HALVES[half]) if separator and half in _HALVES else (name, None)


def half_names(topic: str, layout: str) -> tuple[str, str]:
    """Return the names of both halves of a topic whose images have this layout."""
    left, right = (name for name, half in _HALVES.items() if half.layout == layout)
    return f'{topic}:{left}', f'{topic}:{right}'
