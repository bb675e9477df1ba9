# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""States of the node that have a name, and which of them is present."""

from __future__ import annotations

from dataclasses import dataclass
import enum

__all__ = ['Cause', 'Finding', 'Level']


class Level(enum.IntEnum):
    """How bad it is, in the numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Cause:
    """A state of the node that has a name.

    Attributes
    ----------
    name : str
        Key ``cause`` of the diagnostics.
    level : Level
        ERROR for what blocks the output, WARN for what makes it worse.
    text : str
        What the node says, a template of `str.format`: the cause and its cure.
    remedy : str
        What else helps, for the page on troubleshooting.
    """

    name: str
    level: Level
    text: str
    remedy: str

    def found(self, *, level: Level | None = None, **values: object) -> Finding:
        """Fill the template; the level is the cause's own unless given."""
        return Finding(self, self.level if level is None else level, self.text.format_map(values))


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that is present now, with its numbers."""

    cause: Cause
    level: Level
    text: str
