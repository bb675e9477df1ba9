# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A control for every setting, made from the one table of settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from itertools import groupby
from typing import Any, cast

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement
from nicegui.events import ValueChangeEventArguments

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.parameter import Changes, Parameter, Value
from stereo_depth_node.core.settings.params_file import constraint_of
from stereo_depth_node.core.settings.settings import known_parameters, Settings

__all__ = ['Controls', 'slider_values']

Change = Callable[[Changes], Awaitable[str]]

# Groups that are open at first: those that change the picture.
_OPEN = ('Matching', 'Filters', 'Depth')
_PLACES, _FEW = 160, 64
_NARROW_SPACE = '\u202f'
# Ranges with more values than places are finer at their beginning, where values are usual.
_POWER = 3
_WIDE_POWER, _WIDE = 5, 10_000


def slider_values(known: Parameter) -> list[float]:
    """Return the values that the places of a slider stand for, ascending.

    All that there are, if they are few; else they are denser near 0, or near the lower end.
    """
    low, high = known.minimum, known.maximum
    assert low is not None
    assert high is not None
    is_whole = known.type is int
    step = known.step or 1
    if is_whole and (high - low) / step <= _FEW:
        return [int(low) + step * place for place in range(int((high - low) // step) + 1)]
    power = _WIDE_POWER if high - low > _WIDE else _POWER
    # A negative end near 0 is a value of its own, such as -1 for "off".
    zero, ends = max(low, 0.0), (high,) if low > -2 else (low, high)
    values = {low, high, cast(float, known.default)}
    for place in range(_PLACES + 1):
        share = (place / _PLACES) ** power
        for end in ends:
            value = zero + (end - zero) * share
            values.add(_on_grid(value, low, step) if is_whole else float(f'{value:.2g}'))
    return sorted(value for value in values if low <= value <= high)


def _on_grid(value: float, low: float, step: int) -> int:
    return int(low) + step * round((value - low) / step)


class Controls:
    """The controls of all settings, and what they say of a value that is refused.

    Parameters
    ----------
    settings : Settings
        What they show first.
    change : callable
        Takes changes and returns why they are refused, or an empty text.
    """

    def __init__(self, settings: Settings, change: Change) -> None:
        self._change = change
        self._settings = settings
        self._controls: dict[str, _Control] = {}
        self._rows: dict[str, ui.element] = {}
        self._groups: list[tuple[ui.expansion, list[str]]] = []
        find = ui.input(placeholder='find a setting', on_change=self._find)
        find.props('dense outlined clearable debounce=100 aria-label="find a setting"')
        find.classes('w-full')
        for group, members in groupby(known_parameters().values(), lambda known: known.group):
            with ui.expansion(group, value=group in _OPEN) as expansion:
                expansion.classes('w-full studio-group').props('dense')
                names = [self._add(known) for known in members]
            self._groups.append((expansion, names))
        self.show(settings)

    def show(self, settings: Settings) -> None:
        """Show settings that something else has changed; errors are gone."""
        self._settings = settings
        for name, control in self._controls.items():
            control.show(getattr(settings, name))
            control.say('')

    def _add(self, known: Parameter) -> str:
        with (
            ui.element('div').classes('studio-setting').props(f'data-setting={known.name}') as row
        ):
            self._controls[known.name] = _Control(known, partial(self._take, known))
        self._rows[known.name] = row
        return known.name

    async def _take(self, known: Parameter, value: Any) -> tuple[Value, str]:
        """Apply a value; return the one that holds then and, if it was refused, why."""
        now: Value = getattr(self._settings, known.name)
        try:
            value = known.parse(value)
        except SettingsError as error:
            return now, str(error)
        if value == now:
            return now, ''
        reason = await self._change({known.name: value})
        if reason:
            return now, reason
        self._settings = self._settings.replace(**{known.name: value})
        return value, ''

    def _find(self, event: ValueChangeEventArguments[str | None]) -> None:
        wanted = (event.value or '').strip().lower().replace(' ', '_')
        parameters: Mapping[str, Parameter] = known_parameters()
        for expansion, names in self._groups:
            found = [
                name
                for name in names
                if wanted in name
                or wanted.replace('_', ' ') in parameters[name].description.lower()
            ]
            for name in names:
                self._rows[name].set_visibility(name in found)
            expansion.set_visibility(bool(found))
            if wanted and found:
                expansion.value = True


class _Control:
    """The control of one setting."""

    def __init__(
        self, known: Parameter, take: Callable[[Any], Awaitable[tuple[Value, str]]]
    ) -> None:
        self._known, self._take = known, take
        self._wanted: list[tuple[Any, bool]] = []
        self._is_busy = False
        self._value: Value = known.default
        self._elements: list[ValueElement[Any]] = []
        self._slider: ui.slider | None = None
        self._places: list[float] = []
        with ui.row().classes('studio-setting-head'):
            self._name = ui.label(known.name).classes('studio-name')
            with self._name:
                ui.tooltip(f'{known.description} ({constraint_of(known)})').classes('studio-tip')
            self._reset = ui.button(icon='undo', on_click=lambda: self._want(known.default))
            self._reset.props(f'flat round dense size=xs aria-label="default of {known.name}"')
            with self._reset:
                ui.tooltip(f'default: {_shown(known.default)}')
            ui.space()
            self._make_entry()
        if known.minimum is not None and known.type is not bool:
            self._make_slider()
        self._reason = ui.label().classes('studio-reason').props('role=alert')

    def show(self, value: Value, *, moves_slider: bool = True) -> None:
        """Show a value, without taking it for a change."""
        self._value = value
        for element in self._elements:
            element.value = value
        if self._slider is not None and moves_slider:
            self._slider.value = self._place_of(value)
        is_default = value == self._known.default
        self._reset.set_visibility(not is_default)
        self._name.classes(
            add='' if is_default else 'studio-changed',
            remove='studio-changed' if is_default else '',
        )

    def say(self, reason: str) -> None:
        """Show why a value was refused; nothing for an empty text."""
        self._reason.text = reason
        self._reason.set_visibility(bool(reason))

    def _make_entry(self) -> None:
        known, name = self._known, self._known.name
        entry: ValueElement[Any]
        if known.type is bool:
            entry = ui.switch(value=bool(known.default)).props('dense')
        elif known.choices:
            entry = ui.select(list(known.choices), value=known.default)
            entry.props('dense outlined options-dense').classes('studio-choice')
        elif known.type is str:
            entry = ui.input(value=str(known.default)).props('dense outlined')
            entry.classes('studio-text')
        else:
            entry = ui.number(value=cast(float, known.default))
            entry.props(f'dense outlined suffix="{_NARROW_SPACE}{known.unit}"').classes(
                'studio-number'
            )
        entry.props(f'aria-label={name}')
        if known.type in (int, float) or (known.type is str and not known.choices):
            # When it has been typed, not at each digit of it.
            entry.on('blur', lambda: self._chosen(entry.value))
            entry.on('keydown.enter', lambda: self._typed(entry.value))
        else:
            entry.on_value_change(lambda: self._chosen(entry.value))
        self._elements.append(entry)

    def _make_slider(self) -> None:
        self._places = slider_values(self._known)
        last = len(self._places) - 1
        marked = self._places.index(cast(float, self._known.default))
        with ui.element('div').classes('studio-slider'):
            ui.element('div').classes('studio-default').style(f'--at: {marked / last:.4f}')
            self._slider = ui.slider(min=0, max=last, step=1, on_change=self._slid)
            self._slider.props(f'dense aria-label="{self._known.name} slider"')

    async def _typed(self, value: Any, *, is_slid: bool = False) -> None:
        known = self._known
        if value is None:
            value = '' if known.type is str else self._value
        if known.type is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        if known.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        await self._want(value, is_slid=is_slid)

    async def _chosen(self, value: Any) -> None:
        # What was refused is set back, which is no choice: its reason stays.
        if value != self._value:
            await self._typed(value)

    async def _want(self, value: Any, *, is_slid: bool = False) -> None:
        """Apply a value; of those that come meanwhile, the last."""
        self._wanted = [(value, is_slid)]
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._wanted:
                value, is_slid = self._wanted.pop()
                now, reason = await self._take(value)
        finally:
            self._is_busy = False
        # A slider whose value was taken is at its place, or on its way to the next one.
        self.show(now, moves_slider=not is_slid or bool(reason))
        self.say(reason)

    async def _slid(self) -> None:
        if self._slider is None:
            return
        # The newest place: a handler may run when the slider has moved on.
        place = int(self._slider.value or 0)
        # While another value is being taken, the one that is shown says nothing.
        if self._is_busy or place != self._place_of(self._value):
            await self._typed(self._places[place], is_slid=True)

    def _place_of(self, value: Value) -> int:
        """Return the place of the slider that is nearest to a value."""
        distances = [abs(each - cast(float, value)) for each in self._places]
        return distances.index(min(distances))


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value != '' else 'none'
