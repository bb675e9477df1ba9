# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What one tab of the browser shows: its settings and how they came about, and its result.

Matching happens in threads beside the page. Of the changes that come while a pair is matched only
the newest is matched next. The figures, which take longer than the picture, follow when no change
waits, and no change waits for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
import secrets
import time
from typing import TypeVar

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import visible
from stereo_depth_node.studio.figures import Figures, figures_of, References
from stereo_depth_node.studio.frames import Frame, Source
from stereo_depth_node.studio.history import History
from stereo_depth_node.studio.layers import png_of_layer
from stereo_depth_node.studio.result import Result

__all__ = ['Session']

T = TypeVar('T')

# A browser may still ask for layers of results that are not shown any more.
_KEPT_RESULTS = 4
_TREND = 30
# Time in which a picture comes before all else that a change has to show, seconds.
_FIRST_S = 0.25
# Time from the picture to the figures, seconds.
_REST_S = 0.15
# Age of the figures of a running node, seconds.
_OLDEST_S = 2.0
# A node tells all others what has changed within this time, seconds.
_ECHO_S = 1.0


class Session:
    """One tab.

    Parameters
    ----------
    source : Source
        What it looks at.
    start : Settings
        Its first settings.
    workers : Executor
        Threads that match.
    references : References
        To find the figures with.

    Attributes
    ----------
    key : str
        Names it in addresses.
    history : History
        The settings, those before and those that were undone.
    index, shown_index : int
        Which frame of the source is wanted, and which the newest result, or problem, is of.
    is_closed : bool
        Whether the tab is gone.
    number, left_number : int
        Of the newest result, and of the first one with its left image.
    result, figures : Result and Figures, or None
        The newest ones. The figures belong to the result, or to an earlier one.
    figures_number : int
        Of the result that the figures belong to.
    frozen : tuple of int, Result and Figures, or None
        What the new result is compared with: its number, itself and its figures, if known.
    trend : deque of Figures
        The last ones.
    layers : list of tuple of str and limits
        Those that are visible, which are made together with the result.
    began_s : float or None
        When the pair that is being matched was begun, by ``time.monotonic``; None while none is.
    on_result : async callable
        Awaited when there is a new one; it returns when the browser shows it.
    on_figures : callable
        Called when there are new ones.
    on_problem : callable
        Called with a text when a pair cannot be matched, with an empty one when it can again.
    on_settings : callable
        Called with the settings of a running node, which may be others than those here.
    """

    def __init__(
        self, source: Source, start: Settings, workers: Executor, references: References
    ) -> None:
        self.source = source
        self.key = secrets.token_urlsafe(12)
        self.history = History(start)
        self.index, self.shown_index = 0, -1
        self.is_closed = False
        self.began_s: float | None = None
        self.result: Result | None = None
        self.figures: Figures | None = None
        self.frozen: tuple[int, Result, Figures | None] | None = None
        self.trend: deque[Figures] = deque(maxlen=_TREND)
        self.layers: list[tuple[str, tuple[float, float] | None]] = [('left', None)]
        self.on_result: Callable[[], Awaitable[None]] = _nobody
        self.on_figures: Callable[[], None] = _nothing
        self.on_problem: Callable[[str], None] = _nothing
        self.on_settings: Callable[[Settings], None] = _nothing
        self.number = self.left_number = self.figures_number = 0
        self._workers, self._references = workers, references
        self._applying, self._applied_s, self._figures_s = 0, 0.0, 0.0
        self._results: dict[int, Result] = {}
        self._frame: tuple[Hashable, Frame] | None = None
        self._is_shown = asyncio.Event()
        self._has_changed = asyncio.Event()
        self._has_changed.set()
        self._is_at_rest = asyncio.Event()

    @property
    def settings(self) -> Settings:
        """The settings that are wanted, whether they have been matched with or not."""
        return self.history.now

    def why_not(self, settings: Settings) -> str:
        """Say why settings are impossible for the frame that is shown; empty if they are not."""
        try:
            if self._frame is not None:
                self._frame[1].check(settings)
        except StereoDepthError as error:
            return visible(error)
        return ''

    async def change(self, changes: Changes) -> str:
        """Change some settings, or none of them and say why.

        Parameters
        ----------
        changes : mapping of str to value
            The new values.

        Returns
        -------
        str
            Why they are refused, in the words of the node; empty when they are taken.
        """
        try:
            settings = self.settings.merged(changes)
        except StereoDepthError as error:
            return visible(error)
        return await self.take(settings, what=tuple(changes))

    async def take(self, settings: Settings, what: Hashable = None) -> str:
        """Take settings as a whole; as :meth:`change`, `what` says what made them."""
        reason = await self._apply(settings)
        if not reason and settings != self.settings:
            self.history.add(settings, what, time.monotonic())
            self._is_shown.clear()
            self.request()
            # The picture first: whatever else changes on the page keeps the browser busy.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._is_shown.wait(), _FIRST_S)
        return reason

    async def step(self, change: int) -> str:
        """Undo, -1, or redo, 1; return why that is refused."""
        settings = self.history.at(change)
        if settings is None:
            return ''
        reason = await self._apply(settings)
        if not reason:
            self.history.step(change)
            self.request()
        return reason

    def follow(self, settings: Settings) -> bool:
        """Take settings that a running node has got from somebody else; tell whether it had.

        Not while changes of this tab are on their way, whose echoes come later.
        """
        is_own = time.monotonic() - self._applied_s < _ECHO_S
        if self._applying or is_own or settings == self.settings:
            return False
        self.history.add(settings, None, time.monotonic())
        self.request()
        return True

    async def _apply(self, settings: Settings) -> str:
        """Have settings taken by the node, where there is one; return why they are refused."""
        reason = self.why_not(settings)
        apply = self.source.apply
        if reason or apply is None or settings == self.settings:
            return reason
        before = vars(self.settings)
        changes = {name: value for name, value in vars(settings).items() if value != before[name]}
        self._applying += 1
        try:
            return await self.in_thread(lambda: apply(changes))
        finally:
            self._applying -= 1
            self._applied_s = time.monotonic()

    def show_frame(self, index: int) -> None:
        """Show another frame of the source."""
        index = min(max(index, 0), self.source.count - 1)
        if index != self.index:
            self.index = index
            self.request()

    def request(self) -> None:
        """Have the pair matched with the settings that are wanted now."""
        self._has_changed.set()

    def freeze(self) -> None:
        """Keep the present result, to compare the next ones with it."""
        if self.result is not None:
            figures = self.figures if self.figures_number == self.number else None
            self.frozen = (self.number, self.result, figures)

    def result_of(self, number: int) -> Result | None:
        """Return the result of this number, else the newest."""
        if self.frozen is not None and self.frozen[0] == number:
            return self.frozen[1]
        return self._results.get(number, self.result)

    def keep_newest(self) -> None:
        """Forget all results but the newest and the frozen one, as the tab may be gone."""
        for number in [each for each in self._results if each != self.number]:
            del self._results[number]

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Compute something in a thread, while the page goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def run(self) -> None:
        """Match whatever is wanted, and find the figures of it, until cancelled."""
        figures = asyncio.create_task(self._find_figures())
        try:
            await self._match()
        finally:
            figures.cancel()

    async def _match(self) -> None:
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            index = self.index
            self.began_s = time.monotonic()
            try:
                result, index = await self.in_thread(self._matched)
            except Exception as error:  # noqa: BLE001 (whatever it is, the page goes on)
                self.shown_index = index
                self._is_shown.set()
                self.on_problem(_text_of(error))
                continue
            finally:
                self.began_s = None
            self.number += 1
            if self.result is None or not result.has_left_of(self.result):
                self.left_number = self.number
            self.result = self._results[self.number] = result
            self._results.pop(self.number - _KEPT_RESULTS, None)
            self.shown_index = index
            self.on_problem('')
            await self.on_result()
            self._is_shown.set()
            # A slider may not be at rest.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._has_changed.wait(), _REST_S)
            if not self._has_changed.is_set() or self._is_starved():
                self._is_at_rest.set()

    def _is_starved(self) -> bool:
        """Say whether a node that never rests has kept the figures from being found for long."""
        is_live = self.source.apply is not None
        return is_live and time.monotonic() - self._figures_s > _OLDEST_S

    def _matched(self) -> tuple[Result, int]:
        settings, index = self.settings, self.index
        key = (index, *self.source.reading(settings))
        if self._frame is None or self._frame[0] != key:
            self._frame = (key, self.source.frame(index, settings))
        result = Result(self._frame[1], settings)
        if self.result is not None:
            result.take_left_of(self.result)
        for name, limits in list(self.layers):
            png_of_layer(result, name, limits)
        return result, index

    async def _find_figures(self) -> None:
        while True:
            await self._is_at_rest.wait()
            self._is_at_rest.clear()
            result, number = self.result, self.number
            assert result is not None
            try:
                self.figures = await self.in_thread(partial(self._figures_of, result))
            except Exception as error:  # noqa: BLE001 (as above)
                self.on_problem(_text_of(error))
                continue
            self._figures_s = time.monotonic()
            self.figures_number = number
            if self.frozen is not None and self.frozen[0] == number:
                self.frozen = (number, result, self.figures)
            self.trend.append(self.figures)
            self.on_figures()

    def _figures_of(self, result: Result) -> Figures:
        return figures_of(result, self._references.of(result))


def _text_of(error: Exception) -> str:
    text = visible(error)
    return text if isinstance(error, StereoDepthError) else f'{type(error).__name__}: {text}'


def _nothing(*_: object) -> None:
    """Nobody listens yet."""


async def _nobody() -> None:
    """Nobody looks yet."""
