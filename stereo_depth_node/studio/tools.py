# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the header of the page offers: presets, the search of settings, and files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from nicegui import ui

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.core.settings.text_files import visible
from stereo_depth_node.core.tuning.result import TuningResult
from stereo_depth_node.core.tuning.tuner import ANY_ALGORITHM
from stereo_depth_node.studio.exports import (
    kinds_of,
    LAUNCH_LINE,
    OutputFolder,
    preset,
    presets,
)
from stereo_depth_node.studio.node_source import apply_to_node
from stereo_depth_node.studio.panels import icon_button
from stereo_depth_node.studio.result import Result
from stereo_depth_node.studio.search import Search, SearchCancelledError
from stereo_depth_node.studio.session import Session

__all__ = ['ExportMenu', 'PresetMenu', 'TuneDialog']

Take = Callable[[Settings], Awaitable[str]]
# Returns the number of the result that is looked at, and it.
Shown = Callable[[], tuple[int, Result] | None]
# Shows why something was refused; nothing for an empty text.
Complain = Callable[[str], None]

_BUDGETS_S = (10, 20, 60, 180)
_DEFAULT_BUDGET_S = 20
_REFRESH_S = 0.2


class PresetMenu:
    """The presets, and the defaults."""

    def __init__(self, session: Session, take: Take, complain: Complain) -> None:
        self._session, self._take, self._complain = session, take, complain
        with ui.button('Presets', color=None).props('flat dense no-caps size=md'), ui.menu():
            for name, path in presets().items():
                ui.menu_item(name, partial(self._choose, path))
            ui.separator()
            ui.menu_item('defaults', lambda: take(Settings()))

    async def _choose(self, path: Path) -> None:
        try:
            settings = preset(path, self._session.settings)
        except StereoDepthError as error:
            self._complain(visible(error))
        else:
            await self._take(settings)


class TuneDialog:
    """Starts the search of settings, shows how far it is, and cancels it."""

    def __init__(self, session: Session, take: Take) -> None:
        self._session, self._take = session, take
        self._search: Search | None = None
        names = [*known_parameters()['algorithm'].choices, ANY_ALGORITHM]
        with ui.dialog().props('persistent') as self._dialog, ui.card().classes('studio-tune'):
            ui.label('Tune').classes('studio-title')
            ui.label(
                'Searches the settings that suit this scene: the range of disparities first, then '
                'the matcher and its filters. A pixel without a depth costs 1, a wrong one 1.5, '
                'one that seems much nearer than it is 3.'
            )
            with ui.row():
                self._algorithm = ui.select(names, value='bm', label='algorithm')
                self._budget = ui.select(
                    {seconds: f'{seconds} s' for seconds in _BUDGETS_S},
                    value=_DEFAULT_BUDGET_S,
                    label='at most',
                )
            self._bar = ui.linear_progress(value=0.0, show_value=False).props('instant-feedback')
            self._text = ui.label().classes('studio-tune-text').props('aria-live=polite')
            with ui.row().classes('studio-tune-buttons'):
                self._close = ui.button('Close', on_click=self._dialog.close).props('flat no-caps')
                self._cancel = ui.button('Cancel', on_click=self._stop).props('flat no-caps')
                self._start = ui.button('Start', on_click=self._run).props('no-caps unelevated')
        self._timer = ui.timer(_REFRESH_S, self._show_progress, active=False)
        self._show_state()
        with ui.button('Tune', on_click=self._dialog.open, color=None).props(
            'flat dense no-caps size=md'
        ):
            ui.tooltip('Search the settings that suit this scene')

    async def _run(self) -> None:
        session = self._session
        result = session.result
        if result is None or self._search is not None:
            return
        start, algorithm = session.settings, str(self._algorithm.value)
        read = partial(session.source.pairs, session.index, start)
        offset = result.pipeline.offset * result.pipeline.downscale
        search = self._search = Search(read, offset, float(self._budget.value or 1))
        self._show_state()
        try:
            # In a thread of its own: those of the session go on matching.
            found = await asyncio.to_thread(search.run, start, algorithm)
        except SearchCancelledError:
            self._text.text = 'Cancelled: nothing was changed.'
        except StereoDepthError as error:
            self._text.text = visible(error)
        else:
            self._text.text = _summary(found)
            if not await self._take(found.settings):
                ui.notify('Tuned. z goes back to the settings before.', type='positive')
        finally:
            self._search = None
            self._show_state()

    def _stop(self) -> None:
        if self._search is not None:
            self._search.cancel()
            self._text.text = 'Cancelling …'

    def _show_progress(self) -> None:
        search = self._search
        if search is not None:
            self._bar.value = search.share
            self._text.text = f'{search.step}: {100 * search.share:.0f} % of the time'

    def _show_state(self) -> None:
        is_running = self._search is not None
        self._timer.active = is_running
        self._bar.set_visibility(is_running)
        self._cancel.set_visibility(is_running)
        self._start.set_visibility(not is_running)
        self._close.set_visibility(not is_running)


def _summary(found: TuningResult) -> str:
    first, last = found.steps[0].score, found.steps[-1].score
    tried = sum(step.tried for step in found.steps)
    end = '' if found.is_complete else ' The time was used up: give it more.'
    return f'{tried} settings tried, cost {first.cost:.1f} before, {last.cost:.1f} now.{end}'


class _ApplyDialog:
    """Gives the settings to a node that runs."""

    def __init__(self, session: Session, shown: Shown) -> None:
        self._session, self._shown = session, shown
        with ui.dialog() as dialog, ui.card().classes('studio-tune'):
            ui.label('Apply to a running node').classes('studio-title')
            ui.label(
                'It takes what says how to match, and of the rest what was set here; all of it, '
                'or none and says why.'
            )
            self._name = ui.input('name of the node', value='/stereo_depth_node')
            self._text = ui.label().classes('studio-tune-text').props('role=alert')
            with ui.row().classes('studio-tune-buttons'):
                ui.button('Close', on_click=dialog.close).props('flat no-caps')
                ui.button('Apply', on_click=self._apply).props('no-caps unelevated')
        self.open = dialog.open

    async def _apply(self) -> None:
        name, settings = str(self._name.value or ''), self._session.settings
        shown = self._shown()
        if shown is not None and shown[0] != self._session.number:
            settings = shown[1].settings  # of A, which is looked at
        self._text.text = 'Looking for it …'
        try:
            reason = await asyncio.to_thread(apply_to_node, name, settings)
        except StereoDepthError as error:
            reason = visible(error)
        self._text.text = reason or f'{name} has these settings now.'


class ExportMenu:
    """Files to take away, and the line that starts the node with them."""

    def __init__(
        self,
        session: Session,
        shown: Shown,
        output: OutputFolder | None,
        complain: Complain,
    ) -> None:
        self._session, self._shown, self._output = session, shown, output
        self._complain = complain
        button = ui.button('Export', color=None).props('flat dense no-caps size=md')
        with button, ui.menu().on('show', self._fill):
            self._items = ui.column().classes('studio-export')
            with ui.row().classes('studio-launch'):
                ui.label(LAUNCH_LINE)
                copy = ui.button(icon='content_copy', on_click=self._copy)
                copy.props('flat round dense size=sm aria-label="copy the launch line"')
            if session.source.apply is None and find_spec('rclpy') is not None:
                dialog = _ApplyDialog(session, shown)
                ui.menu_item('apply to a running node …', dialog.open).props('dense')
        self._fill()

    def _fill(self) -> None:
        shown = self._shown()
        self._items.clear()
        with self._items:
            for name in kinds_of(shown[1]) if shown is not None else ():
                with ui.row().classes('studio-export-row'):
                    ui.menu_item(name, partial(self._download, name)).props('dense')
                    if self._output is not None:
                        text = f'Save {name} under --output'
                        icon_button('save', text, partial(self._save, name))

    def _download(self, name: str) -> None:
        shown = self._shown()
        if shown is not None:
            ui.download.from_url(f'/export/{self._session.key}/{shown[0]}/{name}', name)

    async def _save(self, name: str) -> None:
        shown, output = self._shown(), self._output
        if shown is None or output is None:
            return
        _, result = shown
        try:
            path = await self._session.in_thread(lambda: output.save(result, name))
        except StereoDepthError as error:
            self._complain(visible(error))
        else:
            self._complain('')
            ui.notify(f'{visible(path)} is written.', type='positive')

    @staticmethod
    def _copy() -> None:
        ui.clipboard.write(LAUNCH_LINE)
        ui.notify('Copied.')
