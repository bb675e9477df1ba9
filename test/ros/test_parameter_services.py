# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked of the services that set parameters is answered, by the node as a process."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rig import Rig

NODE = '/stereo_depth_node'


def whole(name: str, value: int, kind: int = 2) -> Parameter:
    return Parameter(name=name, value=ParameterValue(type=kind, integer_value=value))


def test_a_type_that_does_not_exist_is_refused_and_the_others_are_set(graph: Graph) -> None:
    process = graph.node_process()
    rig = Rig(graph, [])

    def value_of(name: str) -> int:
        request = GetParameters.Request(names=[name])
        answer = rig.call(GetParameters, f'{NODE}/get_parameters', request)
        return int(answer.values[0].integer_value)

    for kind in (10, 99, 255):
        asked = [whole('block_size', kind), whole('block_size', 7, kind), whole('queue_size', 9)]
        request = SetParameters.Request(parameters=asked)
        results = rig.call(SetParameters, f'{NODE}/set_parameters', request).results
        assert [each.successful for each in results] == [kind % 2 == 1, False, True]
        assert f'block_size is of the type {kind}, which does not exist' in results[1].reason
        before = value_of('queue_size')
        request = SetParametersAtomically.Request(parameters=[whole('queue_size', 3), asked[1]])
        service = f'{NODE}/set_parameters_atomically'
        result = rig.call(SetParametersAtomically, service, request).result
        assert not result.successful
        assert f'type {kind}' in result.reason
        assert value_of('queue_size') == before == 9
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def test_a_parameter_without_a_name_is_refused_and_changes_nothing(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, [])
    asked = [whole('queue_size', 9), whole('', 1)]
    request = SetParametersAtomically.Request(parameters=asked)
    service = f'{NODE}/set_parameters_atomically'
    result = rig.call(SetParametersAtomically, service, request).result
    assert (result.successful, result.reason) == (False, 'a parameter has no name: name it')
    assert node.node.parameters.current.queue_size == 10


def test_a_refusal_is_short_whatever_was_asked_for(graph: Graph) -> None:
    graph.node_process()
    rig = Rig(graph, [])
    long = 'x\x1b[2J' + 'x' * 500_000
    asked = [
        Parameter(name='algorithm', value=ParameterValue(type=4, string_value=long)),
        Parameter(name=long, value=ParameterValue(type=4, string_value=long)),
        whole(long, 1, 77),
    ]
    request = SetParameters.Request(parameters=asked)
    results = rig.call(SetParameters, f'{NODE}/set_parameters', request).results
    for result in results:
        assert not result.successful
        assert len(result.reason) <= 1000
        assert result.reason.isprintable()


def test_a_misspelt_name_is_refused_with_what_was_meant_and_the_others_are_set(
    graph: Graph,
) -> None:
    node = graph.node()
    rig = Rig(graph, [])
    names = ('queue_size', 'num_disparity', 'qos_overrides./disparity.publisher.history')
    results = rig.set_parameters(**dict.fromkeys(names, 16))
    assert [each.successful for each in results] == [True, False, False]
    assert results[1].reason.endswith('did you mean num_disparities?')
    assert 'read at the start alone' in results[2].reason
    result = rig.set_atomically(queue_size=17, blocksize=7)
    assert (result.successful, 'did you mean block_size?' in result.reason) == (False, True)
    assert node.node.parameters.current.queue_size == 16
