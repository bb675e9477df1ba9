# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node's ROS parameters: declared from, validated by and read into `Settings`.

An on-set callback only validates. rclpy calls it once per parameter for `set_parameters` (which
is what ``ros2 param set`` and ``load`` use) and once per batch for `set_parameters_atomically`,
may refuse the change after it in another callback, and stores the values only when all agree. So
the settings are read back from the node when they are next asked for, between two frames; this
works the same on every ROS 2, with or without post-set callbacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.parameter import Parameter, Value
from stereo_depth_node.core.settings.settings import known_parameters, Settings

__all__ = ['SettingsParameters', 'descriptor_of']


class SettingsParameters:
    """Keeps the settings of a node and its ROS parameters the same.

    Parameters
    ----------
    node : Node
        Declares one parameter per setting, at its default or at the value the node was started
        with. A start value that is impossible is refused like any other: an error is logged and
        the default stays.
    also_check : callable
        Given settings that are possible by themselves, raises a SettingsError if they are not
        possible here and now.

    Attributes
    ----------
    refusals : dict of str to str
        Why start values were refused, by parameter, until the parameter is set.
    """

    def __init__(self, node: Node, also_check: Callable[[Settings], None]) -> None:
        self._node = node
        self._also_check = also_check
        self.refusals: dict[str, str] = {}
        self._set_since: set[str] = set()
        self._settings = Settings()
        for known in known_parameters().values():
            self._declare(known)
        self._adopt_start_values()
        self._stale = False
        node.add_on_set_parameters_callback(self._validate)

    @property
    def current(self) -> Settings:
        """The settings in force. The same object until a parameter changes."""
        if self._stale:
            self._stale = False
            self._settings = Settings().merged(self._read())
            for name in self._set_since:
                self.refusals.pop(name, None)
            self._set_since.clear()
        return self._settings

    def _declare(self, known: Parameter) -> None:
        descriptor = descriptor_of(known)
        try:
            self._node.declare_parameter(known.name, known.default, descriptor)
        except InvalidParameterValueException as error:
            self._refuse(known.name, f'{error} The default {known.default!r} stays in force.')
            self._node.declare_parameter(
                known.name, known.default, descriptor, ignore_override=True
            )

    def _adopt_start_values(self) -> None:
        """Take the start values, less as few as it takes to make the others possible."""
        start = self._read()
        for name, value in tuple(start.items()):
            if (error := _refusal_alone(name, value)) is not None:
                del start[name]
                self._fall_back(name, error)
        while (error := _refusal_together(start)) is not None:
            name = _culprit(start)
            del start[name]
            self._fall_back(name, error)
        self._settings = Settings().merged(start)

    def _fall_back(self, name: str, error: SettingsError) -> None:
        default = known_parameters()[name].default
        self._refuse(name, f'{error}. The default {default!r} stays in force.')
        self._node.set_parameters([RosParameter(name, value=default)])

    def _refuse(self, name: str, reason: str) -> None:
        self.refusals[name] = reason
        self._node.get_logger().error(f'parameter refused: {reason}')

    def _validate(self, changed: list[RosParameter[Any]]) -> SetParametersResult:
        """Refuse a change that would make the settings impossible; nothing else happens here."""
        ours = {
            parameter.name: parameter.value
            for parameter in changed
            if parameter.name in known_parameters()
        }
        if not ours:
            return SetParametersResult(successful=True)
        try:
            self._also_check(self.current.merged(ours))
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        except Exception as error:  # noqa: BLE001 (rclpy lets it out of the executor)
            return SetParametersResult(successful=False, reason=f'internal error: {error!r}')
        self._set_since.update(ours)
        self._stale = True
        return SetParametersResult(successful=True)

    def _read(self) -> dict[str, Value]:
        return {name: self._node.get_parameter(name).value for name in known_parameters()}


def descriptor_of(known: Parameter) -> ParameterDescriptor:
    """Return the ROS descriptor of a setting.

    The type of every parameter is dynamic, so that `Settings` judges it: rclpy would refuse a
    number with a fraction given without one (``max_depth:=5``), and any other type with a reason
    that names neither the parameter nor the types.
    """
    descriptor = ParameterDescriptor(description=_description(known), dynamic_typing=True)
    if known.minimum is not None and known.maximum is not None:
        if known.type is float:
            descriptor.floating_point_range = [
                FloatingPointRange(
                    from_value=float(known.minimum), to_value=float(known.maximum), step=0.0
                )
            ]
        else:
            descriptor.integer_range = [
                IntegerRange(
                    from_value=int(known.minimum),
                    to_value=int(known.maximum),
                    step=known.step or 1,
                )
            ]
    if known.choices:
        descriptor.additional_constraints = f'one of {", ".join(known.choices)}'
    return descriptor


def _description(known: Parameter) -> str:
    return f'{known.description} Unit: {known.unit}.' if known.unit else known.description


def _refusal_alone(name: str, value: Value) -> SettingsError | None:
    try:
        known_parameters()[name].parse(value)
    except SettingsError as error:
        return error
    return None


def _refusal_together(values: Mapping[str, Value]) -> SettingsError | None:
    try:
        Settings().merged(values)
    except SettingsError as error:
        return error
    return None


def _culprit(values: Mapping[str, Value]) -> str:
    """Return which of these values to leave out, impossible together but each possible alone.

    The last one without which the others are possible; else the last one that is not a default.
    """
    changed = [name for name, value in values.items() if value != known_parameters()[name].default]
    for name in reversed(changed):
        others = {other: value for other, value in values.items() if other != name}
        if _refusal_together(others) is None:
            return name
    return changed[-1]
