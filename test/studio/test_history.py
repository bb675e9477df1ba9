# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings one after the other, and the values of sliders."""

from __future__ import annotations

import pytest

from stereo_depth_node.core import Settings
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.studio.history import History


def test_settings_go_back_and_forth():
    history = History(Settings())
    for size in (9, 11):
        history.add(Settings(block_size=size), None, 0.0)
    assert not history.can_redo
    assert history.step(-1)
    assert history.step(-1)
    assert history.now == Settings()
    assert not history.step(-1)
    assert history.step(1)
    assert history.now.block_size == 9
    history.add(Settings(block_size=21), None, 0.0)
    assert not history.can_redo
    assert history.step(-1)
    assert history.now.block_size == 9


def test_a_slider_that_is_drawn_makes_one_change():
    history = History(Settings())
    for place, size in enumerate((9, 11, 13)):
        history.add(Settings(block_size=size), ('block_size',), 10.0 + 0.2 * place)
    history.add(Settings(block_size=13, p1=5), ('p1',), 10.7)
    history.add(Settings(block_size=13, p1=9), ('p1',), 14.0)
    found = []
    while history.step(-1):
        found.append((history.now.block_size, history.now.p1))
    assert found == [(13, 5), (13, 0), (15, 0)]


def test_the_first_settings_can_always_be_had_back():
    history = History(Settings())
    history.add(Settings(block_size=9), ('block_size',), 0.1)
    assert history.step(-1)
    assert history.now == Settings()


@pytest.mark.parametrize('name', [n for n, p in known_parameters().items() if p.maximum])
def test_a_slider_has_only_values_that_the_setting_takes(name):
    pytest.importorskip('nicegui')
    from stereo_depth_node.studio.controls import slider_values

    known = known_parameters()[name]
    values = slider_values(known)
    assert values == sorted(set(values))
    assert known.default in values
    assert (values[0], values[-1]) == (known.minimum, known.maximum)
    assert len(values) <= 400
    for value in values:
        assert known.parse(known.type(value)) == value
