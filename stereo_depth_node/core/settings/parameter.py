# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is known about one setting besides its value: range, step, unit, description.

A setting is a dataclass field made by :func:`parameter`. The ROS parameter descriptor, the
validation, the shipped YAML file and the reference page are all derived from that one place.
"""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import math
from typing import Any, cast

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['Changes', 'Parameter', 'Value', 'parameter', 'parameters_of']

Value = bool | int | float | str
Changes = Mapping[str, Value]
"""New values of some settings, by their names."""

_KEY = 'parameter'
_TYPE_NAMES = {bool: 'true or false', int: 'a whole number', float: 'a number', str: 'a text'}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """Description of one setting.

    Attributes
    ----------
    name : str
        The setting's name, which is also its ROS parameter's.
    default : bool, int, float or str
        Its default; the type of the setting is the type of its default.
    description : str
        One or two sentences for the person who sets it.
    group : str
        Heading under which the reference page lists it.
    minimum, maximum : int, float or None
        Inclusive range; both lie on the step grid.
    step : int
        Allowed values are ``minimum + k * step``; 0 when any value in the range will do.
    unit : str
        Physical unit, empty for a pure number.
    choices : tuple of str
        The allowed texts; empty when any text will do.
    """

    name: str
    default: Value
    description: str
    group: str
    minimum: float | None = None
    maximum: float | None = None
    step: int = 0
    unit: str = ''
    choices: tuple[str, ...] = ()

    @property
    def type(self) -> type[Value]:
        """Type of the setting: bool, int, float or str."""
        return type(self.default)

    def parse(self, value: object) -> Value:
        """Check one value by itself.

        Parameters
        ----------
        value : object
            What came. A whole number is taken for a float, nothing else is converted.

        Returns
        -------
        bool, int, float or str
            The value, of the setting's own type.

        Raises
        ------
        SettingsError
            If the type, the range, the step or the choice does not fit.
        """
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            try:
                value = float(value)
            except OverflowError:
                value = math.inf if value > 0 else -math.inf
        if type(value) is not self.type:
            raise SettingsError(
                f'{self.name} is {printable(repr(value))} ({type(value).__name__}): '
                f'set it to {_TYPE_NAMES[self.type]}{self._example()}'
            )
        if isinstance(value, str):
            self._check_choice(value)
        elif isinstance(value, (int, float)) and self.type is not bool:
            self._check_range(value)
        return value

    def _check_choice(self, value: str) -> None:
        if self.choices and value not in self.choices:
            raise SettingsError(
                f'{self.name} is {printable(repr(value))}: choose one of {", ".join(self.choices)}'
            )

    def _check_range(self, value: float) -> None:
        unit = f' {self.unit}' if self.unit else ''
        if not math.isfinite(value):
            raise SettingsError(f'{self.name} is {value}: set it to a finite number')
        if self.minimum is not None and value < self.minimum:
            raise SettingsError(
                f'{self.name} is {value}{unit}: set it to {self.minimum}{unit} or more'
            )
        if self.maximum is not None and value > self.maximum:
            raise SettingsError(
                f'{self.name} is {value}{unit}: set it to {self.maximum}{unit} or less'
            )
        if self.step > 1 and self.minimum is not None and (value - self.minimum) % self.step:
            below = value - (value - self.minimum) % self.step
            raise SettingsError(
                f'{self.name} is {value}{unit}: it goes in steps of {self.step} from '
                f'{self.minimum}, set it to {below} or {below + self.step}'
            )

    def _example(self) -> str:
        # As it is written in YAML and on a command line.
        default = str(self.default).lower() if self.type is bool else repr(self.default)
        return f', for instance {default}' if self.default != '' else ''


def parameter(
    default: Value,
    description: str,
    *,
    group: str,
    minimum: float | None = None,
    maximum: float | None = None,
    step: int = 0,
    unit: str = '',
    choices: tuple[str, ...] = (),
) -> Any:
    """Make a dataclass field that carries its :class:`Parameter`.

    Returns
    -------
    dataclasses.Field
        Typed as Any, as `dataclasses.field` is, so that it can be assigned to the field.
    """
    known = {
        'description': description,
        'group': group,
        'minimum': minimum,
        'maximum': maximum,
        'step': step,
        'unit': unit,
        'choices': choices,
    }
    return dataclasses.field(default=default, metadata={_KEY: known})


def parameters_of(settings: Any) -> tuple[Parameter, ...]:
    """List the parameters of a settings class or of one of its values, in declared order."""
    return tuple(
        Parameter(name=field.name, default=cast(Value, field.default), **field.metadata[_KEY])
        for field in dataclasses.fields(settings)
    )
