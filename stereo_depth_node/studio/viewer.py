# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a result over one another, and what chooses and colours them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nicegui import background_tasks, ui
from nicegui.awaitable_response import AwaitableResponse
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from stereo_depth_node.studio.layers import (
    css_gradient,
    is_there,
    LAYERS,
    Limits,
    limits_of,
    rounded,
)
from stereo_depth_node.studio.result import Result
from stereo_depth_node.studio.session import Session
from stereo_depth_node.studio.unknown import REASONS

__all__ = ['LayerPanel', 'Viewer']

Pixel = tuple[int, int]
# Seconds between two reports of where the pointer is.
_POINTER_S = 0.05


class Viewer(Element, component='viewer.js'):
    """Pictures of one size over one another, zoomed and moved together.

    Parameters
    ----------
    on_point : callable
        Called with the pixel under the pointer, with None where there is none.
    on_pick : callable
        Called with a pixel that is clicked on, or reached by the arrow keys.
    """

    def __init__(
        self,
        on_point: Callable[[Pixel | None], Awaitable[None]],
        on_pick: Callable[[Pixel], Awaitable[None]],
    ) -> None:
        super().__init__()
        self.props['label'] = (
            'pictures: arrow keys choose a pixel, plus and minus zoom, 0 shows all'
        )
        self.on(
            'point',
            lambda event: on_point(_pixel(event)),
            throttle=_POINTER_S,
            args=['x', 'y'],
        )
        self.on('leave', lambda: on_point(None), args=[])
        self.on('pick', lambda event: on_pick(_pixel(event)), args=['x', 'y'])

    def show(self, layers: list[dict[str, Any]], size: Pixel) -> AwaitableResponse:
        """Show layers, the lowest first, of images of this width and height.

        What is returned can be awaited: until the browser has drawn them.
        """
        return self.run_method('show', layers, *size)

    def put_cross(self, pixel: Pixel) -> None:
        """Put the cross on a pixel."""
        self.run_method('mark', *pixel)


def _pixel(event: GenericEventArguments) -> Pixel:
    return int(event.args['x']), int(event.args['y'])


@dataclass
class _Choice:
    """What is chosen for a layer."""

    is_visible: bool
    opacity: float = 1.0
    limits: tuple[float, float] | None = None


class LayerPanel:
    """Chooses which layers are visible, how opaque they are, and which values their colours have.

    Parameters
    ----------
    session : Session
        Is told which layers are visible, so that they are made with the result.
    viewer : Viewer
        Shows them.
    """

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._session, self._viewer = session, viewer
        self._choices = {name: _Choice(name in ('left', 'disparity')) for name in LAYERS}
        self._shown: tuple[int, Result] | None = None
        self._rows: dict[str, ui.element] = {}
        self._ends: dict[str, tuple[ui.number, ui.number]] = {}
        self._shares: dict[str, float] = {}
        for name in reversed(LAYERS):
            self._add(name)
        self._tell_session()

    def show(self, number: int, result: Result) -> AwaitableResponse:
        """Show the pictures of a result; see :meth:`Viewer.show`.

        Its number is part of their addresses.
        """
        self._shown = (number, result)
        key, layers = self._session.key, []
        is_frozen = number != self._session.number
        for name, choice in self._choices.items():
            # A left image that is still the same is not fetched again.
            at = self._session.left_number if name == 'left' and not is_frozen else number
            query = '' if choice.limits is None else '?low={}&high={}'.format(*choice.limits)
            layers.append(
                {
                    'name': name,
                    'src': f'/picture/{key}/{at}/{name}{query}',
                    'number': at,
                    'opacity': choice.opacity,
                    'visible': choice.is_visible and is_there(result, name),
                }
            )
        height, width = result.pipeline.fixed.shape
        return self._viewer.show(layers, (width, height))

    async def describe(self, result: Result) -> None:
        """Write what the layers of a result are: which there are, the ends of their colours."""
        chosen = {}
        for name, choice in self._choices.items():
            exists = is_there(result, name)
            self._rows[name].set_visibility(exists)
            if name in self._ends and choice.is_visible and exists:
                chosen[name] = choice.limits
        # In a thread: a result may be in use there for seconds, and the page would stand still.
        found = await self._session.in_thread(
            lambda: {name: limits_of(result, name, limits) for name, limits in chosen.items()}
        )
        if self._shown is not None and self._shown[1] is result:
            for name, limits in found.items():
                self._label(name, limits)
            self.show_reasons(result)

    def toggle(self, place: int) -> None:
        """Show or hide a layer, counted from 1 and from the lowest."""
        names = list(LAYERS)
        if 1 <= place <= len(names):
            self._set(names[place - 1], is_visible=not self._choices[names[place - 1]].is_visible)

    def _add(self, name: str) -> None:
        layer, choice = LAYERS[name], self._choices[name]
        with ui.element('div').classes('studio-layer') as row:
            row.props(f'data-layer-row={name}')
            with ui.row().classes('studio-layer-head'):
                box = ui.checkbox(layer.title, value=choice.is_visible).props('dense')
                box.on_value_change(lambda event: self._set(name, is_visible=bool(event.value)))
                with box:
                    ui.tooltip(layer.about)
                opacity = ui.slider(min=0.0, max=1.0, step=0.05, value=1.0)
                opacity.props(f'dense aria-label="opacity of {layer.title}"')
                opacity.on_value_change(lambda event: self._set(name, opacity=event.value))
                opacity.classes('studio-opacity').bind_visibility_from(box, 'value')
            if layer.colours:
                with ui.element('div').classes('studio-bar') as bar:
                    bar.bind_visibility_from(box, 'value')
                    low = ui.number().classes('studio-end')
                    gradient = ui.element('div').classes('studio-gradient')
                    gradient.style(f'background: {css_gradient(layer.colours)}')
                    high = ui.number(suffix=layer.unit).classes('studio-end')
                for end, text in ((low, 'lowest'), (high, 'highest')):
                    end.props(f'dense borderless aria-label="{text} value of {layer.title}"')
                    for event in ('blur', 'keydown.enter'):
                        end.on(event, lambda: self._typed(name))
                self._ends[name] = (low, high)
            elif name == 'unknown':
                with ui.element('div').classes('studio-reasons') as self._legend:
                    self._legend.bind_visibility_from(box, 'value')
        self._rows[name] = row

    def show_reasons(self, result: Result) -> None:
        """Write how many pixels are unknown for which reason, where that is known."""
        shares = result.reasons.shares() if 'reasons' in vars(result) else {}
        if shares == self._shares:
            return
        self._shares = shares
        self._legend.clear()
        with self._legend:
            for name, reason in REASONS.items():
                if name in shares:
                    with ui.row().classes('studio-reason-row'):
                        colour = 'rgb({},{},{})'.format(*reason.colour)
                        ui.element('span').classes('studio-dot').style(f'background: {colour}')
                        ui.label(f'{shares[name]:.1f} %').classes('studio-share')
                        ui.label(reason.text)

    def _label(self, name: str, limits: Limits) -> None:
        """Write the values of the ends of a layer's colours."""
        for end, value in zip(self._ends[name], limits, strict=True):
            end.value = rounded(value)

    async def _typed(self, name: str) -> None:
        """Take the ends that were typed; nothing in one of them is the default again."""
        if self._shown is None:
            return
        _, result = self._shown
        typed = [end.value for end in self._ends[name]]
        if typed == [None, None]:
            self._set(name, limits=None)
            return
        default = await self._session.in_thread(lambda: limits_of(result, name))
        now = self._choices[name].limits or default
        low, high = (
            default[place] if value is None else value for place, value in enumerate(typed)
        )
        if low < high and typed != [rounded(value) for value in now]:
            self._set(name, limits=(float(low), float(high)))
        else:
            self._label(name, now)

    def _set(self, name: str, **changes: Any) -> None:
        choice = self._choices[name]
        for key, value in changes.items():
            setattr(choice, key, value)
        self._tell_session()
        if self._shown is not None:
            background_tasks.create(self._show_again(*self._shown))

    async def _show_again(self, number: int, result: Result) -> None:
        with suppress(TimeoutError):
            await self.show(number, result)
        # Some is only known when the picture has been made.
        await self.describe(result)

    def _tell_session(self) -> None:
        self._session.layers = [
            (name, choice.limits) for name, choice in self._choices.items() if choice.is_visible
        ]
