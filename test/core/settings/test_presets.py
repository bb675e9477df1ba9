# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A preset can be taken over whatever was set before."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import pytest
import yaml

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.algorithms.table import ALGORITHMS
from stereo_depth_node.core.settings.settings import Settings

FOLDER = Path(__file__).resolve().parents[3] / 'config' / 'presets'
PRESETS = {
    path.stem: yaml.safe_load(path.read_text())['/**']['ros__parameters']
    for path in FOLDER.glob('*.yaml')
}
STARTS = {'defaults': {}, **PRESETS}


def if_possible(settings: Settings, changes: dict[str, object]) -> list[Settings]:
    try:
        return [settings.merged(changes)]
    except SettingsError:
        return []


@functools.cache
def tuned_settings(algorithm: str) -> list[Settings]:
    """Return settings that the tuner can arrive at: its candidates, two groups of them at once."""
    known = ALGORITHMS[algorithm]
    start = Settings(algorithm=algorithm, **known.tuning_start)
    return [
        tuned
        for (_, first), (_, second) in itertools.permutations(known.tuning_candidates, 2)
        for changes in first(start)
        for changed in if_possible(start, changes)
        for more in second(changed)
        for tuned in if_possible(changed, more)
    ]


@pytest.mark.parametrize('preset', PRESETS)
@pytest.mark.parametrize('algorithm', ALGORITHMS)
def test_a_preset_can_be_taken_over_any_tuned_file(algorithm, preset):
    starts = [*(Settings().merged(each) for each in STARTS.values()), *tuned_settings(algorithm)]
    assert len(starts) > 150
    for start in starts:
        taken = start.merged(PRESETS[preset])
        assert {name: getattr(taken, name) for name in PRESETS[preset]} == PRESETS[preset]
