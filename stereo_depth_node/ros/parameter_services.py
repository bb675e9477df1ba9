# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How requests to set parameters are answered.

What one request sets together is taken together where that is possible, so that a file of
settings can be loaded over any other: one by one in its order, some of them would be impossible
beside what was set before. Where it is not possible together, each is taken or refused by itself,
as rclpy does.

Parameters of types that do not exist are refused like any other wrong value: rclpy raises for
them, which leaves whoever asked without an answer. It takes parameters without a name, which are
refused as well. Names that the node does not have are refused with what was probably meant.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter

from stereo_depth_node.core.settings.names import advice_on_name
from stereo_depth_node.core.settings.params_file import NOT_SETTINGS
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['serve_parameters']

_TYPES = {kind.value for kind in Parameter.Type}
_MOST_PRINTED = 1000

Callback = Callable[..., Any]


def serve_parameters(node: Node) -> None:
    """Have the services that set parameters of a node answer whatever is asked of them."""
    answers: dict[Any, Callback] = {
        SetParameters: partial(_answer_each, node),
        SetParametersAtomically: partial(_answer_together, node),
    }
    for service in node.services:
        answer = answers.get(service.srv_type)
        if answer is not None:
            service.callback = partial(answer, service.callback)


def _answer_each(node: Node, callback: Callback, request: Any, response: Any) -> Any:
    """Set the parameters that there are; answer for the others in their places."""
    asked = list(request.parameters)
    refusals = [_why_not(node, each) for each in asked]
    if len(asked) > 1 and not any(refusals) and _takes_together(node, asked):
        response.results = [SetParametersResult(successful=True) for _ in asked]
        return response
    request.parameters = [each for each, why in zip(asked, refusals, strict=True) if not why]
    results = iter(callback(request, response).results)
    response.results = [_refusal(why) if why else _short(next(results)) for why in refusals]
    return response


def _takes_together(node: Node, asked: list[Any]) -> bool:
    """Set all parameters if that is possible; tell whether it was."""
    parameters = list(map(Parameter.from_parameter_msg, asked))
    return bool(node.set_parameters_atomically(parameters).successful)


def _answer_together(node: Node, callback: Callback, request: Any, response: Any) -> Any:
    """Set all parameters or, if one cannot be, none."""
    for why in filter(None, (_why_not(node, each) for each in request.parameters)):
        response.result = _refusal(why)
        return response
    response = callback(request, response)
    response.result = _short(response.result)
    return response


def _why_not(node: Node, parameter: Any) -> str:
    """Return why a parameter is not for rclpy; empty if it is."""
    if not parameter.name:
        return 'a parameter has no name: name it'
    if parameter.value.type not in _TYPES:
        return (
            f'{printable(parameter.name)} is of the type {parameter.value.type}, which does not '
            f'exist: set it to one of the types 1 to {max(_TYPES)} of '
            'rcl_interfaces/msg/ParameterType'
        )
    name = printable(parameter.name)
    if name.startswith('qos_overrides.'):
        return f'{name}: qos_overrides are read at the start alone, give it with --ros-args -p'
    if not node.has_parameter(parameter.name):
        return advice_on_name(name, (*known_parameters(), *NOT_SETTINGS))
    return ''


def _refusal(reason: str) -> SetParametersResult:
    return SetParametersResult(successful=False, reason=reason)


def _short(result: SetParametersResult) -> SetParametersResult:
    result.reason = printable(result.reason, _MOST_PRINTED)
    return result
