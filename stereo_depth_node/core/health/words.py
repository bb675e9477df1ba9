# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lists in sentences."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ['listed']


def listed(words: Iterable[str], last: str = 'and') -> str:
    """Return ``a, b and c``."""
    *others, final = tuple(words) or ('',)
    return f'{", ".join(others)} {last} {final}' if others else final
