# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One setting: its type, its range, its step, its choice, and the words of a refusal."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from stereo_depth_node.core.errors import SettingsError, StereoDepthError
from stereo_depth_node.core.settings.parameter import Parameter, parameter, parameters_of

SIZE = Parameter('size', 16, 'A size.', 'Group', minimum=16, maximum=64, step=16, unit='px')
RATE = Parameter('rate', 0.5, 'A rate.', 'Group', minimum=0.0, maximum=1.0, unit='Hz')
FLAG = Parameter('flag', False, 'A flag.', 'Group')
MODE = Parameter('mode', 'fast', 'A mode.', 'Group', choices=('fast', 'slow'))
PATH = Parameter('path', '', 'A path.', 'Group')


@pytest.mark.parametrize(
    ('known', 'value'),
    [
        (SIZE, 16),
        (SIZE, 32),
        (SIZE, 64),
        (RATE, 0.0),
        (RATE, 1.0),
        (FLAG, True),
        (MODE, 'slow'),
        (PATH, 'any text at all'),
    ],
)
def test_what_fits_comes_back_unchanged(known, value):
    parsed = known.parse(value)
    assert parsed == value
    assert type(parsed) is known.type


def test_a_whole_number_is_taken_for_a_float():
    parsed = RATE.parse(1)
    assert parsed == 1.0
    assert type(parsed) is float


@pytest.mark.parametrize(
    ('known', 'value', 'words'),
    [
        (SIZE, 16.0, ['size', '16.0', 'float', 'a whole number', 'for instance 16']),
        (SIZE, '16', ['size', "'16'", 'str', 'a whole number']),
        (SIZE, True, ['size', 'True', 'bool', 'a whole number']),
        (SIZE, None, ['size', 'None', 'a whole number']),
        (SIZE, np.int32(16), ['size', 'int32', 'a whole number']),
        (SIZE, [16], ['size', '[16]', 'list', 'a whole number']),
        (RATE, True, ['rate', 'True', 'bool', 'a number', 'for instance 0.5']),
        (RATE, '0.5', ['rate', "'0.5'", 'a number']),
        (FLAG, 1, ['flag', '1', 'int', 'true or false', 'for instance false']),
        (FLAG, 'true', ['flag', "'true'", 'true or false']),
        (MODE, 3, ['mode', '3', 'a text', "for instance 'fast'"]),
        (PATH, 3, ['path', '3', 'a text']),
    ],
)
def test_another_type_is_refused_with_what_came_and_what_fits(known, value, words):
    refusal = refusal_of(known, value)
    assert all(word in refusal for word in words), refusal


@pytest.mark.parametrize(
    ('known', 'value', 'words'),
    [
        (SIZE, 0, ['size is 0 px', '16 px or more']),
        (SIZE, -16, ['size is -16 px', '16 px or more']),
        (SIZE, 80, ['size is 80 px', '64 px or less']),
        (RATE, -0.1, ['rate is -0.1 Hz', '0.0 Hz or more']),
        (RATE, 1.5, ['rate is 1.5 Hz', '1.0 Hz or less']),
        (RATE, math.nan, ['rate is nan', 'finite']),
        (RATE, math.inf, ['rate is inf', 'finite']),
        (RATE, -math.inf, ['rate is -inf', 'finite']),
        pytest.param(RATE, 10**400, ['rate is inf', 'finite'], id='rate-huge'),
        pytest.param(RATE, -(10**400), ['rate is -inf', 'finite'], id='rate-minus-huge'),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_limit_and_its_unit(known, value, words):
    refusal = refusal_of(known, value)
    assert all(word in refusal for word in words), refusal


@pytest.mark.parametrize(('value', 'below', 'above'), [(17, 16, 32), (47, 32, 48), (63, 48, 64)])
def test_a_number_off_the_grid_is_refused_with_its_neighbours_on_the_grid(value, below, above):
    assert f'set it to {below} or {above}' in refusal_of(SIZE, value)
    assert SIZE.parse(below) == below
    assert SIZE.parse(above) == above


def test_an_unknown_choice_is_refused_with_all_choices():
    assert refusal_of(MODE, 'medium') == "mode is 'medium': choose one of fast, slow"


def test_a_refusal_is_an_error_of_the_package_and_a_value_error():
    assert issubclass(SettingsError, StereoDepthError)
    assert issubclass(SettingsError, ValueError)


def test_the_parameters_of_a_class_are_its_fields_in_order():
    @dataclasses.dataclass(frozen=True)
    class Two:
        second: int = parameter(2, 'B.', group='G', minimum=0, maximum=9, step=1, unit='m')
        first: str = parameter('a', 'A.', group='H', choices=('a', 'b'))

    second = Parameter('second', 2, 'B.', 'G', minimum=0, maximum=9, step=1, unit='m')
    first = Parameter('first', 'a', 'A.', 'H', choices=('a', 'b'))
    assert parameters_of(Two) == (second, first)
    assert parameters_of(Two(second=5)) == (second, first)


def refusal_of(known: Parameter, value: object) -> str:
    with pytest.raises(SettingsError) as caught:
        known.parse(value)
    return str(caught.value)
