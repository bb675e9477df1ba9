# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The page: settings on the left, pictures in the middle, figures on the right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from pathlib import Path
import time

from nicegui import background_tasks, ui
from nicegui.events import KeyEventArguments, ValueChangeEventArguments

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.reports.html import COLOURS
from stereo_depth_node.studio.controls import Controls
from stereo_depth_node.studio.exports import OutputFolder
from stereo_depth_node.studio.history import History
from stereo_depth_node.studio.node_source import NodeSource
from stereo_depth_node.studio.panels import (
    CloudPanel,
    FiguresPanel,
    icon_button,
    MatchPanel,
    NodePanel,
    PixelPanel,
)
from stereo_depth_node.studio.result import Result
from stereo_depth_node.studio.session import Session
from stereo_depth_node.studio.timeline import Timeline
from stereo_depth_node.studio.tools import ExportMenu, PresetMenu, TuneDialog
from stereo_depth_node.studio.viewer import LayerPanel, Viewer

__all__ = ['build_page']

Pixel = tuple[int, int]

# Matching that takes longer than this is said to go on, seconds.
_SLOW_S, _LOOK_S = 0.6, 0.3

_STYLE = Path(__file__).with_name('studio.css')
_KEYS = """\
**Pictures** (click on them first): arrow keys move the chosen pixel, Shift for 10; `+` `-` zoom, \
`0` shows all.

**Everywhere**: `1` to `7` show and hide layers, `f` freezes A, `b` flips between A and B, \
`z` undoes, `y` does again, `p` pictures, `c` points, `Esc` closes the match.

**A recording**: `,` `.` one frame, space plays, `w` the worst frame.
"""


def build_page(session: Session, output: OutputFolder | None = None) -> Callable[[History], None]:
    """Build the page of a tab; with an output folder, files can be saved there.

    Returns
    -------
    callable
        Has it go on with settings that there were before.
    """
    ui.add_css(_STYLE)
    ui.colors(primary=COLOURS[0], accent=COLOURS[1], positive=COLOURS[2])
    return _Page(session, output).resume


class _Page:
    """The page of one tab, and what happens on it."""

    def __init__(self, session: Session, output: OutputFolder | None) -> None:
        self._session, self._output = session, output
        # What was pointed at, and what was clicked on, in a result of this width and height.
        self._pointed: Pixel | None = None
        self._pixel: Pixel | None = None
        self._size = (1, 1)
        self._shows_frozen = False
        self._refused: tuple[ui.notification, Settings] | None = None
        self._dark = ui.dark_mode(None)
        self._build_header()
        with ui.element('main').classes('studio-main'):
            with ui.element('section').classes('studio-settings').props('aria-label=settings'):
                self._controls = Controls(session.settings, session.change)
            with ui.element('section').classes('studio-centre').props('aria-label=pictures'):
                self._problem = ui.label().classes('studio-problem').props('role=alert')
                with ui.element('div').classes('studio-view'):
                    self._viewer = Viewer(self._point, self._pick)
                    self._cloud = CloudPanel(session)
                    self._badge = ui.label('A, frozen').classes('studio-badge')
                    self._busy = ui.label('Matching …').classes('studio-badge studio-busy')
                    self._busy.props('role=status')
                self._match = MatchPanel(session)
                self._timeline = Timeline(session) if session.source.count > 1 else None
            with ui.element('section').classes('studio-side').props('aria-label=figures'):
                self._figures = FiguresPanel()
                self._pixels = PixelPanel(session)
                if isinstance(session.source, NodeSource):
                    NodePanel(session.source)
                ui.label('Layers').classes('studio-title')
                self._layers = LayerPanel(session, self._viewer)
        self._show_view('pictures')
        self._problem.set_visibility(False)
        self._badge.set_visibility(False)
        self._busy.set_visibility(False)
        ui.timer(_LOOK_S, self._show_busy)
        self._keys = self._actions()
        ui.keyboard(on_key=self._key)
        session.on_result = self._show_result
        session.on_figures = self._show_figures
        session.on_problem = self._show_problem
        session.on_settings = self._follow
        self._update_buttons()

    def resume(self, history: History) -> None:
        """Go on with the settings of the tab, and those before them."""
        self._session.history = history
        self._session.request()
        self._controls.show(history.now)

    def _build_header(self) -> None:
        session = self._session
        with ui.header().classes('studio-header'):
            ui.label('stereo_depth studio').classes('studio-brand')
            ui.label(session.source.name).classes('studio-source')
            ui.space()
            self._view = ui.toggle(
                {'pictures': 'Pictures', 'cloud': '3D'},
                value='pictures',
                on_change=lambda event: self._show_view(event.value),
            ).props('dense unelevated no-caps size=sm')
            PresetMenu(session, self._take, self._complain)
            TuneDialog(session, self._take)
            self._undo = icon_button('undo', 'Undo (z)', lambda: self._step(-1))
            self._redo = icon_button('redo', 'Do again (y)', lambda: self._step(1))
            icon_button('push_pin', 'Freeze this result as A (f)', self._freeze_now)
            self._flip = ui.switch('A', on_change=self._flipped).props('dense')
            self._flip.props('aria-label="show A, the frozen result"')
            with self._flip:
                ui.tooltip('Show the frozen result in place of the new one (b)')
            ExportMenu(session, self._shown, self._output, self._complain)
            icon_button('contrast', 'Light or dark', self._change_theme)
            with icon_button('keyboard', 'Keys', lambda: None), ui.menu().classes('studio-keys'):
                ui.markdown(_KEYS)

    def _shown(self) -> tuple[int, Result] | None:
        """Return the number of the result that is looked at, and it."""
        session = self._session
        if self._shows_frozen and session.frozen is not None:
            return session.frozen[:2]
        return None if session.result is None else (session.number, session.result)

    async def _show_result(self) -> None:
        """Show a new result: its pictures, and the rest when they are seen."""
        self._shows_frozen = False
        if self._refused is not None and self._refused[1] != self._session.settings:
            self._complain('')
        shown = self._shown()
        if shown is not None:
            # A browser that draws nothing, as the page is hidden, is not waited for.
            with suppress(TimeoutError):
                await self._layers.show(*shown)
        self._figures.mark_old()
        self._flip.value = False
        self._refresh()

    def _refresh(self) -> None:
        """Show the result that is looked at in all parts of the page but the pictures."""
        shown = self._shown()
        if shown is None:
            return
        _, result = shown
        self._follow_size(result)
        background_tasks.create(self._layers.describe(result))
        self._badge.set_visibility(self._shows_frozen)
        self._update_buttons()
        if self._view.value == 'cloud':
            background_tasks.create(self._cloud.show(result))
        if self._pixel is not None and self._match.is_open:
            pixel = self._pixel
            background_tasks.create(self._match.show(result, pixel))

    def _follow_size(self, result: Result) -> None:
        """Keep the pixels at their place in the scene where a result is of another size."""
        height, width = result.left.shape
        old, self._size = self._size, (width, height)
        if old != self._size:
            self._pointed, self._pixel = (
                each and (each[0] * width // old[0], each[1] * height // old[1])
                for each in (self._pointed, self._pixel)
            )
            if self._pixel is not None:
                self._viewer.put_cross(self._pixel)

    def _show_figures(self) -> None:
        session, shown = self._session, self._shown()
        if session.figures is None:
            return
        if shown is not None and self._pointed is not None:
            background_tasks.create(self._pixels.show(shown[1], self._pointed))
        number, figures, compared = session.figures_number, session.figures, None
        if session.frozen is not None:
            compared = session.frozen[2]
            if self._shows_frozen and compared is not None:
                number, figures, compared = session.frozen[0], compared, None
        self._figures.show(number, figures, session.trend, compared)
        if shown is not None and shown[0] != number:
            self._figures.mark_old()
        if self._timeline is not None:
            background_tasks.create(self._timeline.measure())

    def _show_problem(self, text: str) -> None:
        self._problem.text = text
        self._problem.set_visibility(bool(text))

    def _show_busy(self) -> None:
        began_s = self._session.began_s
        self._busy.set_visibility(began_s is not None and time.monotonic() - began_s > _SLOW_S)

    def _complain(self, text: str) -> None:
        """Say why something was refused, until that is dismissed or outdated; nothing if empty."""
        if self._refused is not None and not self._refused[0].is_deleted:
            self._refused[0].dismiss()
        self._refused = None
        if text:
            shown = ui.notification(
                text, type='negative', multi_line=True, timeout=None, close_button='Dismiss'
            )
            self._refused = shown, self._session.settings

    async def _take(self, settings: Settings) -> str:
        """Take settings that a preset or the search has; say why not."""
        reason = await self._session.take(settings)
        self._complain(reason)
        if not reason:
            self._controls.show(self._session.settings)
        return reason

    async def _step(self, change: int) -> None:
        reason = await self._session.step(change)
        self._complain(reason)
        self._controls.show(self._session.settings)

    def _follow(self, settings: Settings) -> None:
        """Show the settings that a running node has now."""
        if self._session.follow(settings):
            self._controls.show(self._session.settings)

    def _freeze_now(self) -> None:
        self._session.freeze()
        self._update_buttons()
        ui.notify('Frozen as A. Change settings, then flip with b.', type='info')

    def _flipped(self, event: ValueChangeEventArguments[bool | None]) -> None:
        if bool(event.value) != self._shows_frozen:
            self._shows_frozen = bool(event.value)
            shown = self._shown()
            if shown is not None:
                self._layers.show(*shown)
            self._refresh()
            self._show_figures()

    def _update_buttons(self) -> None:
        history = self._session.history
        self._undo.set_enabled(history.can_undo)
        self._redo.set_enabled(history.can_redo)
        self._flip.set_visibility(self._session.frozen is not None)

    def _show_view(self, name: str | None) -> None:
        self._viewer.set_visibility(name != 'cloud')
        self._cloud.set_visibility(is_visible=name == 'cloud')
        if name == 'cloud':
            shown = self._shown()
            if shown is not None:
                background_tasks.create(self._cloud.show(shown[1]))

    async def _point(self, pixel: Pixel | None) -> None:
        shown = self._shown()
        self._pointed = pixel or self._pointed
        await self._pixels.show(None if shown is None else shown[1], pixel)

    async def _pick(self, pixel: Pixel) -> None:
        shown = self._shown()
        if shown is None:
            return
        _, result = shown
        self._pointed = self._pixel = pixel
        self._viewer.put_cross(pixel)
        await asyncio.gather(self._match.show(result, pixel), self._pixels.show(result, pixel))

    def _change_theme(self) -> None:
        self._dark.value = not self._dark.value

    async def _key(self, event: KeyEventArguments) -> None:
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.alt:
            return
        key = event.key.name
        if key.isdigit():
            self._layers.toggle(int(key))
        elif key in self._keys:
            outcome = self._keys[key]()
            if isawaitable(outcome):
                await outcome

    def _actions(self) -> dict[str, Callable[[], object]]:
        """Return what each key does, but those for the layers."""
        actions: dict[str, Callable[[], object]] = {
            'z': partial(self._step, -1),
            'y': partial(self._step, 1),
            'f': self._freeze_now,
            'b': self._flip_over,
            'p': partial(self._view.set_value, 'pictures'),
            'c': partial(self._view.set_value, 'cloud'),
            'Escape': self._match.close,
        }
        if self._timeline is not None:
            actions |= {
                ',': partial(self._timeline.step, -1),
                '.': partial(self._timeline.step, 1),
                ' ': self._timeline.play,
                'w': self._timeline.show_worst,
            }
        return actions

    def _flip_over(self) -> None:
        if self._session.frozen is not None:
            self._flip.value = not self._flip.value
