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

from collections.abc import Callable, Iterable, Iterator, Mapping
import contextlib
import copy
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from stereo_depth_node.core.errors import InputError, SettingsError, StereoDepthError
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.messages.library import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.names import advice_on_name, advice_on_qos_override
from stereo_depth_node.core.settings.parameter import Parameter, Value
from stereo_depth_node.core.settings.params_file import NOT_SETTINGS, why_nothing_is_for
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.ros.camera_infos import camera_info_topic
from stereo_depth_node.ros.subscriptions import image_topic

__all__ = ['SettingsParameters', 'check_topics', 'with_range']


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
    params_files : iterable of str
        The parameter files that the node was started with.

    Attributes
    ----------
    refusals : dict of str to str
        Why start values were refused, by parameter, until the parameter is set.
    ignored : tuple of str
        What else the node was started with and nobody took, with what was probably meant.
    """

    def __init__(
        self,
        node: Node,
        also_check: Callable[[Settings], None],
        params_files: Iterable[str] = (),
    ) -> None:
        self._node = node
        self._also_check = also_check
        self.refusals: dict[str, str] = {}
        self._set_since: set[str] = set()
        self._settings = Settings()
        self.ignored = (*self._files_without_effect(params_files), *self._unknown_names())
        for known in known_parameters().values():
            node.declare_parameter(known.name, known.default, _descriptor_of(known))
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

    def _files_without_effect(self, params_files: Iterable[str]) -> Iterator[str]:
        for path in params_files:
            # Where this package cannot read a file that ROS has read, nothing is known of it.
            with contextlib.suppress(InputError):
                if reason := why_nothing_is_for(self._node.get_fully_qualified_name(), path):
                    yield reason

    def _unknown_names(self) -> Iterator[str]:
        """Undeclare the start values, and yield advice on those with names that do not exist.

        To learn what it is started with, the node has declared all of it, of the types that came.
        """
        node = self._node
        for name, given in node.get_parameters_by_prefix('').items():
            if name == 'use_sim_time':
                self._check_use_sim_time(given.value)
                continue
            if name in NOT_SETTINGS:
                continue
            node.undeclare_parameter(name)
            if name.startswith('qos_overrides.'):
                if advice := advice_on_qos_override(name, _topics_of(node)):
                    yield advice
            elif name not in known_parameters() and name.partition('.')[0] not in NOT_SETTINGS:
                yield advice_on_name(name, (*known_parameters(), *NOT_SETTINGS))

    def _check_use_sim_time(self, value: object) -> None:
        if isinstance(value, bool):
            return
        self._refuse(
            'use_sim_time',
            f'use_sim_time is {value!r} ({type(value).__name__}): set it to true or false, '
            'without quotes. The default False stays in force.',
        )
        self._node.undeclare_parameter('use_sim_time')
        self._node.declare_parameter('use_sim_time', False, ignore_override=True)

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
        try:
            if ours:
                self._also_check(self.current.merged(ours))
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        except Exception as error:  # noqa: BLE001 (rclpy lets it out of the executor)
            return SetParametersResult(successful=False, reason=f'internal error: {error!r}')
        self._set_since.update(parameter.name for parameter in changed)
        self._stale = True
        return SetParametersResult(successful=True)

    def _read(self) -> dict[str, Value]:
        return {name: self._node.get_parameter(name).value for name in known_parameters()}


def check_topics(node: Node, settings: Settings) -> None:
    """Check that each topic of a node has one type after remapping.

    Raises
    ------
    StereoDepthError
        If two types come to one topic, of which the middleware takes the first alone.
    """
    image = COMPRESSED_IMAGE if settings.image_transport == 'compressed' else IMAGE
    types = {image_topic(node, side, settings): image for side in Side}
    types |= dict.fromkeys(map(camera_info_topic, Side), CAMERA_INFO)
    types |= {topic: output.type for topic, output in OUTPUTS.items()}
    known: dict[str, str] = {}
    for topic in types:
        name = node.resolve_topic_name(topic)
        other = known.setdefault(name, topic)
        if types[other] != types[topic]:
            raise StereoDepthError(
                f'{other} ({types[other]}) and {topic} ({types[topic]}) are one topic after '
                f'remapping, {name}: remap one of them to another'
            )


def _topics_of(node: Node) -> dict[str, str]:
    """Return the topics of the node whose QoS can be overridden, by their full names."""
    inputs = [
        image_topic(node, side, Settings(image_transport=transport, stereo_layout=layout))
        for transport in known_parameters()['image_transport'].choices
        for layout in known_parameters()['stereo_layout'].choices
        for side in Side
    ]
    inputs += map(camera_info_topic, Side)
    kinds = dict.fromkeys(OUTPUTS, 'publisher') | dict.fromkeys(inputs, 'subscription')
    return {node.resolve_topic_name(topic): kind for topic, kind in kinds.items()}


def _descriptor_of(known: Parameter) -> ParameterDescriptor:
    """Return the ROS descriptor that a setting is declared with.

    It leaves all checks to `Settings`, whose refusals say what to set: rclpy would refuse a
    number with a fraction given without one (``max_depth:=5``), and a value outside of a range
    as "not a valid step". So the type is dynamic, and :func:`with_range` adds the range when the
    descriptor is asked for.
    """
    descriptor = ParameterDescriptor(description=_description(known), dynamic_typing=True)
    if known.choices:
        descriptor.additional_constraints = f'one of {", ".join(known.choices)}'
    return descriptor


def with_range(descriptor: ParameterDescriptor) -> ParameterDescriptor:
    """Return the descriptor of a parameter with its range and step, if it is a setting."""
    known = known_parameters().get(descriptor.name)
    if known is None or known.minimum is None or known.maximum is None:
        return descriptor
    described = copy.copy(descriptor)
    low, high = known.minimum, known.maximum
    if known.type is float:
        described.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
        ]
    else:
        described.integer_range = [
            IntegerRange(from_value=int(low), to_value=int(high), step=known.step or 1)
        ]
    return described


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
