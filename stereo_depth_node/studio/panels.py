# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the page beside the pictures: figures, the pixel, its match, and the points."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
import math

from nicegui import ui

from stereo_depth_node.studio.cloud import cloud_of
from stereo_depth_node.studio.figures import Figure, FIGURES, Figures
from stereo_depth_node.studio.inspection import costs_of, described, explained, plot_of, row_of
from stereo_depth_node.studio.node_source import NodeSource
from stereo_depth_node.studio.result import Result
from stereo_depth_node.studio.session import Session

__all__ = ['CloudPanel', 'FiguresPanel', 'MatchPanel', 'NodePanel', 'PixelPanel', 'icon_button']

Pixel = tuple[int, int]
# Changes that are too small to be a gain or a loss.
_SAME_SHARE = 0.005
# Of the small plots of the trends, pixels.
_WIDTH, _HEIGHT = 72, 20
_SPACE = '#15191e'
# Between two questions to a running node, seconds.
_EXPLAIN_S = 2.0
# Of the rows of a match, pixels: below them is room for what is said of it.
_ROWS_HEIGHT = 130
# Size of a point, of its usual distance.
_POINT_SHARE = 0.006


def icon_button(icon: str, text: str, on_click: Callable[[], object]) -> ui.button:
    """Return a button without a text of its own, which a tooltip has."""
    button = ui.button(icon=icon, on_click=on_click, color=None)
    button.props(f'flat round dense size=sm aria-label="{text}"')
    with button:
        ui.tooltip(text)
    return button


class FiguresPanel:
    """The figures of the newest result, each with its trend, and what is wrong with the pair."""

    def __init__(self) -> None:
        self._texts: dict[str, ui.label] = {}
        self._plots: dict[str, ui.html] = {}
        self._changes: dict[str, ui.label] = {}
        self._rows: dict[str, ui.element] = {}
        with (
            ui.element('div').classes('studio-figures').props('data-panel=figures') as self._table
        ):
            for name, figure in FIGURES.items():
                self._add(name, figure)
        self._findings = ui.column().classes('studio-findings')

    def show(
        self,
        number: int,
        figures: Figures,
        trend: Sequence[Figures],
        compared: Figures | None = None,
    ) -> None:
        """Show figures.

        Parameters
        ----------
        number : int
            Of the result that they are of.
        figures : Figures
            Of the result that is shown.
        trend : sequence of Figures
            The last ones.
        compared : Figures, optional
            What the change is to; the figures before them by default.
        """
        before = compared or (trend[-2] if len(trend) > 1 else None)
        for name, figure in FIGURES.items():
            self._texts[name].text = figure.text(figures)
            values = [figure.value(each) for each in trend]
            self._plots[name].content = _sparkline(values)
            self._show_change(name, figure, figures, before)
        self._rows['bad'].set_visibility(math.isfinite(figures.bad))
        self._table.classes(remove='studio-old').props(f'data-number={number}')
        self._findings.clear()
        with self._findings:
            for text in figures.findings:
                ui.label(text).classes('studio-finding')

    def mark_old(self) -> None:
        """Show that the figures are those of the result before."""
        self._table.classes(add='studio-old')

    def _add(self, name: str, figure: Figure) -> None:
        with ui.element('div').classes('studio-figure').props(f'data-figure={name}') as row:
            ui.label(figure.title).classes('studio-figure-name')
            with row:
                ui.tooltip(figure.about).classes('studio-tip')
            self._plots[name] = ui.html('', sanitize=False).classes('studio-trend')
            self._changes[name] = ui.label().classes('studio-change')
            self._texts[name] = ui.label('…').classes('studio-figure-value')
        self._rows[name] = row

    def _show_change(
        self, name: str, figure: Figure, figures: Figures, before: Figures | None
    ) -> None:
        label = self._changes[name]
        change = figure.value(figures) - figure.value(before) if before is not None else math.nan
        size = abs(figure.value(before)) if before is not None else math.nan
        is_news = math.isfinite(change) and abs(change) > _SAME_SHARE * max(size, 0.1)
        label.text = ('▲' if change > 0 else '▼') if is_news else ''
        kind = 'studio-better' if change * figure.better > 0 else 'studio-worse'
        label.classes(
            add=kind if is_news and figure.better else '', remove='studio-better studio-worse'
        )


def _sparkline(values: Sequence[float]) -> str:
    """Return a small plot of values, SVG."""
    known = [value for value in values if math.isfinite(value)]
    if len(known) < 2:
        return ''
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    room = _HEIGHT - 6
    points = [
        (
            2 + (_WIDTH - 4) * place / (len(values) - 1),
            3 + room * (high - value) / span if high > low else _HEIGHT / 2,
        )
        for place, value in enumerate(values)
        if math.isfinite(value)
    ]
    path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
    x, y = points[-1]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'aria-hidden="true"><polyline points="{path}" fill="none" stroke="currentColor" '
        f'stroke-width="1.4"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="currentColor"/></svg>'
    )


class PixelPanel:
    """What is known of the pixel under the pointer."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wanted: tuple[Result, Pixel] | None = None
        self._is_busy = False
        with ui.element('div').classes('studio-pixel').props('data-panel=pixel') as self._panel:
            ui.label('Point at the pictures to read values, click to see how a pixel was matched.')

    async def show(self, result: Result | None, pixel: Pixel | None) -> None:
        """Show a pixel of a result; of those that come meanwhile, the last."""
        if result is None or pixel is None or not _has(result, pixel):
            self._wanted = None
            return
        self._wanted = (result, pixel)
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._wanted is not None:
                (result, pixel), self._wanted = self._wanted, None
                self._write(await self._session.in_thread(partial(described, result, *pixel)))
        finally:
            self._is_busy = False

    def _write(self, texts: Sequence[tuple[str, str]]) -> None:
        self._panel.clear()
        with self._panel:
            for name, text in texts:
                ui.label(name).classes('studio-pixel-name')
                ui.label(text).props(f'data-pixel="{name}"')


def _has(result: Result, pixel: Pixel) -> bool:
    """Say whether a result has a pixel; another may have been smaller or larger."""
    height, width = result.left.shape
    return bool(pixel[0] < width and pixel[1] < height)


class MatchPanel:
    """How one pixel was matched: its row in both images, and the costs of all disparities."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._newest = 0
        with ui.element('div').classes('studio-match').props('data-panel=match') as self._panel:
            with ui.column().classes('studio-rows'):
                ui.label('Its row: left image above, right image below').classes('studio-caption')
                self._rows = ui.interactive_image(sanitize=False).classes('studio-row-image')
                self._text = ui.label().classes('studio-explained')
            self._plot = ui.echart({'series': []}).classes('studio-costs')
        self._panel.set_visibility(False)

    @property
    def is_open(self) -> bool:
        """Whether a pixel is shown."""
        return bool(self._panel.visible)

    async def show(self, result: Result, pixel: Pixel) -> None:
        """Show a pixel of a result."""
        if not _has(result, pixel):
            return
        x, y = pixel
        self._newest += 1
        number = self._newest
        curve = await self._session.in_thread(lambda: costs_of(result, x, y))
        if number != self._newest:
            return
        source, marks, ratio = row_of(result, curve, x, y)
        self._rows.style(replace=f'width: min(100%, {ratio * _ROWS_HEIGHT:.0f}px)')
        self._rows.set_source(source)
        self._rows.set_content(marks)
        self._text.text = explained(result, curve, x, y)
        self._plot.options.clear()
        self._plot.options.update(plot_of(curve, float(result.disparity[y, x])))
        self._plot.update()
        self._panel.set_visibility(True)

    def close(self) -> None:
        """Show no pixel any more."""
        self._panel.set_visibility(False)


class NodePanel:
    """What a running node says of itself, again and again."""

    def __init__(self, node: NodeSource) -> None:
        self._node = node
        ui.label('What the node says').classes('studio-title')
        self._text = ui.label('…').classes('studio-explain').props('data-panel=node')
        ui.timer(_EXPLAIN_S, self._ask)

    async def _ask(self) -> None:
        # Not in a thread of the session: the answer may take long.
        self._text.text = await asyncio.to_thread(self._node.explain)


class CloudPanel:
    """The points in space; made only while they are looked at."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: Result | None = None
        self._scene: ui.scene | None = None
        with ui.element('div').classes('studio-cloud').props('data-panel=cloud') as self._panel:
            self._text = ui.label().classes('studio-cloud-text')

    async def show(self, result: Result | None) -> None:
        """Show the points of a result."""
        if result is None or result is self._shown:
            return
        self._shown = result
        cloud = await self._session.in_thread(lambda: cloud_of(result))
        if self._shown is not result:
            return
        if self._scene is None:
            # It draws all the time once it is there, and has to be visible to know its size.
            with self._panel:
                self._scene = ui.scene(grid=False, background_color=_SPACE, fps=30)
            self._scene.classes('studio-scene')
            self._look(self._scene, cloud.middle)
        self._scene.clear()
        with self._scene as scene:
            size = _POINT_SHARE * cloud.middle
            scene.point_cloud(cloud.points, cloud.colours, point_size=size)
        unit = 'metres' if cloud.is_metric else 'baselines, as there is no calibration'
        self._text.text = f'{len(cloud.points)} points, in {unit}. Drag turns, wheel zooms.'

    def set_visibility(self, *, is_visible: bool) -> None:
        """Show or hide the points."""
        self._panel.set_visibility(is_visible)
        if is_visible and self._scene is not None:
            self._scene.run_method('resize')

    @staticmethod
    def _look(scene: ui.scene, middle: float) -> None:
        """Look at the points from a little beside and above the camera."""
        scene.move_camera(
            x=0.25 * middle,
            y=0.25 * middle,
            z=0.15 * middle,
            look_at_x=0.0,
            look_at_y=middle,
            look_at_z=0.0,
            duration=0,
        )
