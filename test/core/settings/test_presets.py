# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``ros2 param load`` takes a preset over whatever was set before, one parameter at a time."""

from __future__ import annotations

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


def loaded(settings: Settings, preset: dict[str, object]) -> Settings:
    """Return the settings after each value of a preset was set, in the order of the file."""
    for name, value in preset.items():
        settings = settings.merged({name: value})
    return settings


def refusal(settings: Settings, preset: dict[str, object]) -> str:
    """Return why a preset cannot be loaded one by one; empty when it can."""
    try:
        assert loaded(settings, preset) == settings.merged(preset)
    except SettingsError as error:
        return str(error)
    return ''


def if_possible(settings: Settings, changes: dict[str, object]) -> list[Settings]:
    try:
        return [settings.merged(changes)]
    except SettingsError:
        return []


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


@pytest.mark.parametrize('after', PRESETS)
@pytest.mark.parametrize('before', STARTS)
def test_a_preset_is_taken_one_by_one_after_any_other(before, after):
    assert refusal(Settings().merged(STARTS[before]), PRESETS[after]) == ''


@pytest.mark.parametrize(
    ('algorithm', 'preset'),
    [
        (algorithm, preset)
        for algorithm in ALGORITHMS
        for preset in PRESETS
        if ALGORITHMS[PRESETS[preset]['algorithm']].family == 'block matching'
    ],
)
def test_a_preset_of_block_matching_is_taken_after_any_tuned_file(algorithm, preset):
    starts = tuned_settings(algorithm)[::3]
    assert len(starts) > 50
    assert {refusal(start, PRESETS[preset]) for start in starts} == {''}


@pytest.mark.parametrize('algorithm', ALGORITHMS)
def test_accurate_is_taken_after_most_tuned_files_and_says_what_is_in_the_way_of_the_others(
    algorithm,
):
    """No order suits all: a block of bm above 21, or penalties above or below both of accurate."""
    starts = tuned_settings(algorithm)[::3]
    refused = list(filter(None, (refusal(start, PRESETS['accurate']) for start in starts)))
    assert len(refused) < 0.35 * len(starts)
    assert all('px at most' in reason or 'set p2 above p1' in reason for reason in refused)
