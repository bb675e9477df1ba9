# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of a recording in time: which is shown, and the figures of each."""

from __future__ import annotations

from collections.abc import Callable
import math
from typing import Any

from nicegui import background_tasks, ui

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.plan import evenly_spaced
from stereo_depth_node.offline.reports.html import COLOURS
from stereo_depth_node.offline.reports.picture import GREY_INK
from stereo_depth_node.studio.figures import FIGURES, Figures, figures_of, reference_of
from stereo_depth_node.studio.frames import Source
from stereo_depth_node.studio.panels import icon_button
from stereo_depth_node.studio.result import Result
from stereo_depth_node.studio.session import Session

__all__ = ['Timeline']

# Frames whose figures are shown, evenly spaced where there are more.
_MOST_FRAMES = 240
_PLAY_S = 0.1
_REDRAW_EVERY = 8

_SHOWN = ('density', 'wrong', 'near', 'nearest', 'farthest', 'rows', 'time')
# Those that need careful matching, which takes longer than everything else.
_COMPARED = ('wrong', 'near')


class Timeline:
    """Chooses a frame, plays them, and shows a figure of each.

    Parameters
    ----------
    session : Session
        Whose source has several frames.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._places = evenly_spaced(_MOST_FRAMES, session.source.count)
        self._figures: dict[int, Figures | None] = {}
        self._measured: tuple[Settings, bool] | None = None
        self._shown = _SHOWN[0]
        last = session.source.count - 1
        with ui.element('div').classes('studio-timeline').props('data-panel=timeline'):
            with ui.row().classes('studio-transport'):
                icon_button('skip_previous', 'Frame before (,)', lambda: self.step(-1))
                self._play = icon_button('play_arrow', 'Play (space)', self.play)
                icon_button('skip_next', 'Next frame (.)', lambda: self.step(1))
                icon_button('trending_down', 'Worst frame (w)', self.show_worst)
                self._text = ui.label().classes('studio-frame')
                ui.select(
                    {name: FIGURES[name].title for name in _SHOWN},
                    value=self._shown,
                    on_change=lambda event: self._choose(event.value),
                ).props('dense options-dense borderless aria-label="figure of every frame"')
            self._plot = ui.echart(self._options()).classes('studio-timeplot')
            self._slider = ui.slider(min=0, max=last, step=1, value=0, on_change=self._slid)
            self._slider.props('dense aria-label=frame').classes('studio-frames')
        self._timer = ui.timer(_PLAY_S, self._play_on, active=False)
        self._show_text()

    def step(self, change: int) -> None:
        """Show the next frame, 1, or the one before, -1."""
        self._show(self._session.index + change)

    def play(self) -> None:
        """Play from here, or stop."""
        self._timer.active = not self._timer.active
        self._play.props(f'icon={"pause" if self._timer.active else "play_arrow"}')

    def show_worst(self) -> None:
        """Show the frame whose figure is the worst of those that are known.

        The lowest one where neither more nor less is better: the nearest depth, say.
        """
        figure = FIGURES[self._shown]
        known = [(value, place) for place, value in self._points() if value is not None]
        if known:
            worst = max if figure.better < 0 else min
            self._show(worst(known)[1])

    async def measure(self) -> None:
        """Find the figures of every frame with the present settings, until these change."""
        session = self._session
        wanted = (session.settings, self._shown in _COMPARED)
        if self._measured in (wanted, (session.settings, True)):
            return
        if self._measured is None or self._measured[0] != wanted[0]:
            self._figures.clear()
        self._measured = wanted
        for done, place in enumerate(self._places):
            if self._measured != wanted or session.is_closed:
                return
            if session.settings != wanted[0]:
                self._measured = None
                return
            self._figures[place] = await session.in_thread(
                _measure(session.source, place, *wanted)
            )
            if done % _REDRAW_EVERY == _REDRAW_EVERY - 1:
                self._draw()
        self._draw()

    def _choose(self, name: str) -> None:
        self._shown = name
        self._draw()
        background_tasks.create(self.measure())

    def _show(self, index: int) -> None:
        self._session.show_frame(index)
        self._slider.value = self._session.index
        self._show_text()

    def _slid(self) -> None:
        self._show(int(self._slider.value or 0))

    def _play_on(self) -> None:
        session = self._session
        if session.shown_index != session.index:
            return
        if session.index == session.source.count - 1:
            self.play()
        else:
            self.step(1)

    def _show_text(self) -> None:
        self._text.text = f'{self._session.index + 1} of {self._session.source.count}'

    def _points(self) -> list[tuple[int, float | None]]:
        """Return the figure of every frame that is measured, None where it is not known."""
        value = FIGURES[self._shown].value
        return [
            (place, _finite(value(figures)) if figures is not None else None)
            for place, figures in sorted(self._figures.items())
        ]

    def _draw(self) -> None:
        series = self._plot.options['series'][0]
        series['name'] = FIGURES[self._shown].title
        series['data'] = [list(point) for point in self._points()]
        self._plot.update()

    def _options(self) -> dict[str, Any]:
        axis = {'axisLabel': {'color': GREY_INK}, 'splitLine': {'show': False}}
        return {
            'animation': False,
            'grid': {'left': 40, 'right': 10, 'top': 6, 'bottom': 4},
            'tooltip': {'trigger': 'axis'},
            'xAxis': {
                'type': 'value',
                'min': 0,
                'max': max(self._session.source.count - 1, 1),
                'show': False,
            },
            'yAxis': {**axis, 'type': 'value', 'scale': True, 'splitNumber': 2},
            'series': [
                {
                    'type': 'line',
                    'name': FIGURES[self._shown].title,
                    'data': [],
                    'showSymbol': False,
                    'lineStyle': {'width': 1.6, 'color': COLOURS[0]},
                    'areaStyle': {'color': COLOURS[0], 'opacity': 0.12},
                }
            ],
        }


def _measure(
    source: Source, place: int, settings: Settings, is_compared: bool
) -> Callable[[], Figures | None]:
    """Return what finds the figures of a frame, None where it cannot be matched."""

    def figures() -> Figures | None:
        try:
            result = Result(source.frame(place, settings), settings)
            return figures_of(result, reference_of(result) if is_compared else None)
        except StereoDepthError:
            return None

    return figures


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
