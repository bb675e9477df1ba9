# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The table of algorithms: what one entry says is what the whole package does."""

from __future__ import annotations

import pytest

from stereo_depth_node.core.settings import known_parameters, Settings
from stereo_depth_node.core.settings.algorithms.table import (
    algorithm_families,
    ALGORITHMS,
    FASTEST_ALGORITHM,
)


def test_the_parameter_can_be_set_to_every_algorithm_of_the_table():
    assert known_parameters()['algorithm'].choices == tuple(ALGORITHMS)
    for name in ALGORITHMS:
        assert Settings(algorithm=name).algorithm == name


def test_families_and_their_members_come_from_fast_to_slow():
    families = algorithm_families()
    assert sorted(name for family in families for name in family) == sorted(ALGORITHMS)
    for names in (*families, [family[0] for family in families]):
        times = [ALGORITHMS[name].relative_time for name in names]
        assert times == sorted(times)
    assert families[0][0] == FASTEST_ALGORITHM == 'bm'


@pytest.mark.parametrize('name', ALGORITHMS)
def test_a_search_begins_and_goes_on_with_possible_settings(name):
    algorithm = ALGORITHMS[name]
    start = Settings().merged({'algorithm': name, **algorithm.tuning_start})
    for _, candidates in algorithm.tuning_candidates:
        tried = [start.merged(changes) for changes in candidates(start)]
        assert len(tried) > 1
