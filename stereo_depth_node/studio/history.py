# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings one after the other, to go back and forth between."""

from __future__ import annotations

from collections.abc import Hashable

from stereo_depth_node.core.settings.settings import Settings

__all__ = ['History']

_MOST = 200
# A slider that is drawn makes one change, not one for each place on its way.
_SAME_S = 1.0


class History:
    """The settings now, before, and those that were undone.

    Parameters
    ----------
    start : Settings
        The first ones.
    """

    def __init__(self, start: Settings) -> None:
        self._entries = [start]
        self._place = 0
        self._last: tuple[Hashable, float] = (None, 0.0)

    @property
    def now(self) -> Settings:
        """The settings that are in force."""
        return self._entries[self._place]

    @property
    def can_undo(self) -> bool:
        """Whether there are some before these."""
        return self._place > 0

    @property
    def can_redo(self) -> bool:
        """Whether some were undone."""
        return self._place < len(self._entries) - 1

    def add(self, settings: Settings, what: Hashable, now_s: float) -> None:
        """Put settings in force.

        Parameters
        ----------
        settings : Settings
            The new ones.
        what : hashable
            What was changed. Changes of the same within a second count as one.
        now_s : float
            A time that only grows, seconds.
        """
        del self._entries[self._place + 1 :]
        is_same = what is not None and what == self._last[0] and now_s - self._last[1] < _SAME_S
        if is_same and self._place > 0:
            self._entries[self._place] = settings
        else:
            self._entries.append(settings)
            del self._entries[:-_MOST]
            self._place = len(self._entries) - 1
        self._last = (what, now_s)

    def at(self, change: int) -> Settings | None:
        """Return the settings that a step leads to, None where there are none."""
        place = self._place + change
        return self._entries[place] if 0 <= place < len(self._entries) else None

    def step(self, change: int) -> bool:
        """Go back, -1, or forth, 1; say whether there was somewhere to go to."""
        if self.at(change) is None:
            return False
        self._place, self._last = self._place + change, (None, 0.0)
        return True
