# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The search of settings: what it finds, that it repeats, and what it says on the way."""

from __future__ import annotations

from collections.abc import Callable
import functools
import math

import numpy as np
import pytest
from scenes import scene_of, StereoScene, tilted_plane

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.assessment import PairTimer
from stereo_depth_node.core.tuning.candidates import FILTER_CANDIDATES
from stereo_depth_node.core.tuning.disparity_range import DisparityRange, find_disparity_range
from stereo_depth_node.core.tuning.objectives import (
    COMPLETE,
    ReferenceObjective,
    Score,
    TruthObjective,
)
from stereo_depth_node.core.tuning.result import TuningResult
from stereo_depth_node.core.tuning.tuner import ANY_ALGORITHM, Tuner

# The settings that the tutorials begin with: nothing beyond 16 px is found.
START = Settings(num_disparities=16, block_size=15)
NO_LIMIT_S = 1e6
FILTER_NAMES = [name for name, _ in FILTER_CANDIDATES]


@pytest.fixture(scope='module')
def scene() -> StereoScene:
    """Return a tilted plane with disparities from 22 to 40 px, with noise in both images."""
    clean = scene_of(tilted_plane(240, 120, 22.0, 40.0), seed=3)
    rng = np.random.default_rng(0)
    left, right = (
        np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
        for image in (clean.left, clean.right)
    )
    return StereoScene(left, right, clean.disparity)


def tuned(scene: StereoScene, algorithm: str = 'bm', **options: object) -> TuningResult:
    options = {'budget_s': NO_LIMIT_S, **options}
    objective = options.pop('objective', None) or complete(scene)
    return Tuner([scene], objective, **options).tune(START, algorithm)


@pytest.fixture(scope='module')
def result_of(scene: StereoScene) -> Callable[[str], TuningResult]:
    """Return what gives the result of the search with an algorithm, which is run once."""
    return functools.cache(lambda algorithm: tuned(scene, algorithm))


def complete(scene: StereoScene) -> ReferenceObjective:
    found = find_disparity_range([(scene.left, scene.right)])
    return ReferenceObjective([scene], found, COMPLETE)


def bad(settings: Settings, scene: StereoScene) -> float:
    return TruthObjective([scene], COMPLETE).score(settings).cost


@pytest.mark.parametrize('algorithm', ['bm', 'sgbm_3way', ANY_ALGORITHM])
def test_the_range_is_found_and_the_scene_too_from_settings_that_find_nothing(
    scene, result_of, algorithm
):
    result = result_of(algorithm)
    found = result.settings
    assert result.is_complete
    assert found.min_disparity <= 22
    assert found.min_disparity + found.num_disparities > 40
    assert bad(START, scene) > 90.0
    assert bad(found, scene) < 40.0
    if algorithm != ANY_ALGORITHM:
        assert found.algorithm == algorithm


def test_the_search_repeats(scene, result_of):
    first, second = result_of('bm'), tuned(scene)
    assert first.settings == second.settings
    assert [(step.name, step.changes) for step in first.steps] == [
        (step.name, step.changes) for step in second.steps
    ]


def test_each_step_reports_what_it_changed_and_no_step_makes_it_worse(result_of):
    result = result_of('bm')
    costs = [step.score.cost for step in result.steps]
    assert result.steps[0].name == 'start'
    assert costs == sorted(costs, reverse=True)
    changed = START
    for step in result.steps:
        changed = changed.merged(dict(step.changes))
    assert changed == result.settings


class CountingObjective:
    """Prefers large blocks, and lets time pass for each score."""

    criterion = 'the block'

    def __init__(self, clock: list[float], seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self.scored: list[Settings] = []

    def score(self, settings: Settings) -> Score:
        """Count, let time pass, and like large blocks."""
        self._clock[0] += self._seconds
        self.scored.append(settings)
        return Score(100.0 - settings.block_size, 50.0, 100.0, 0.0)


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr('stereo_depth_node.core.tuning.tuner.time.monotonic', lambda: now[0])
    return now


def test_a_budget_that_is_used_up_gives_the_best_so_far_and_says_so(scene, clock):
    objective = CountingObjective(clock, 1.0)
    result = tuned(scene, objective=objective, budget_s=15.0)
    assert not result.is_complete
    assert len(objective.scored) == 15
    best = min(objective.scored, key=lambda settings: 100.0 - settings.block_size)
    assert result.settings.block_size == best.block_size


def test_a_budget_that_is_not_used_up_does_not_change_the_result(scene, clock):
    results = [
        tuned(scene, objective=CountingObjective(clock, 0.001), budget_s=budget)
        for budget in (10.0, 1000.0)
    ]
    assert results[0].is_complete
    assert results[0].settings == results[1].settings


def test_settings_that_are_not_tuned_stay_as_they_were(scene, clock):
    start = START.replace(max_depth=7.5, depth_encoding='16UC1', sync_tolerance=0.05)
    objective = CountingObjective(clock, 0.0)
    found = Tuner([scene], objective, budget_s=NO_LIMIT_S).tune(start, 'bm').settings
    assert found.block_size > START.block_size
    for name in ('max_depth', 'depth_encoding', 'sync_tolerance', 'image_transport', 'baseline'):
        assert getattr(found, name) == getattr(start, name)


def test_no_settings_are_scored_twice(scene, clock):
    objective = CountingObjective(clock, 0.0)
    tuned(scene, objective=objective)
    assert len(objective.scored) == len(set(objective.scored))


def test_with_an_allowance_filters_take_wrong_disparities_away(small_motorcycle):
    objective = complete(small_motorcycle)
    results = [
        Tuner([small_motorcycle], objective, budget_s=NO_LIMIT_S, filter_allowance=allowance)
        .tune(START, 'bm')
        .steps[-1]
        .score
        for allowance in (0.0, 0.06)
    ]
    strict, clean = results
    assert clean.wrong < 0.85 * strict.wrong
    assert strict.cost <= clean.cost <= 1.06 * strict.cost


def test_infinity_stays_in_the_range_when_it_is_asked_for(scene):
    found = tuned(scene, objective=CountingObjective([0.0], 0.0), infinity_px=-3.0).settings
    assert found.min_disparity <= -3
    assert found.min_disparity + found.num_disparities > 40


def test_images_with_nothing_in_common_have_no_range():
    flat = np.full((120, 160), 80, np.uint8)
    with pytest.raises(SettingsError, match='too little in common'):
        find_disparity_range([(flat, flat)])


@pytest.mark.parametrize(('low', 'high'), [(3.2, 18.9), (-20.5, 40.0), (5.0, 5.0), (0.0, 63.5)])
def test_settings_of_a_range_search_all_of_it_in_steps_of_16(low, high):
    settings = DisparityRange(low, high).applied_to(Settings())
    assert settings.min_disparity == math.floor(low)
    assert settings.num_disparities % 16 == 0
    assert settings.min_disparity + settings.num_disparities - 1 >= high - 1
    assert settings.num_disparities < high - low + 1 + 17


def test_tuning_for_navigation_has_fewer_near_ghosts_than_the_defaults_and_more_depth(motorcycle):
    """Without ground truth; both are then measured by it."""
    pairs = [motorcycle]
    found = find_disparity_range([(motorcycle.left, motorcycle.right)])
    objective = ReferenceObjective(pairs, found)
    settings = tuned(motorcycle, objective=objective, found=found).settings
    truth = TruthObjective(pairs)
    default, result = truth.score(Settings()), truth.score(settings)
    assert result.near < 0.95 * default.near
    assert result.density > default.density + 5.0
    assert settings.min_disparity == 0


class AlgorithmObjective(CountingObjective):
    """Gives each algorithm a cost of its own; the other settings do not matter."""

    def __init__(self, costs: dict[str, float]) -> None:
        super().__init__([0.0], 0.0)
        self._costs = costs

    def score(self, settings: Settings) -> Score:
        """Look the cost up."""
        return Score(self._costs.get(settings.algorithm, 50.0), 5.0, 90.0, 0.0)


@pytest.mark.parametrize(
    ('costs', 'best'),
    [
        ({'bm': 20.0, 'sgbm_3way': 19.6}, 'bm'),
        ({'bm': 20.0, 'sgbm_3way': 15.0, 'sgbm': 14.8, 'sgbm_hh': 14.6}, 'sgbm_3way'),
        ({'bm': 20.0, 'sgbm_3way': 15.0, 'sgbm': 14.8, 'sgbm_hh': 14.4}, 'sgbm_hh'),
    ],
)
def test_a_slower_algorithm_is_taken_only_for_half_a_point(scene, costs, best):
    result = tuned(scene, ANY_ALGORITHM, objective=AlgorithmObjective(costs))
    assert result.settings.algorithm == best


def test_settings_that_are_too_slow_are_not_taken(scene):
    """Half the width is fast enough for block matching, and nothing for the others."""

    def is_fast_enough(settings: Settings) -> bool:
        return (settings.algorithm, settings.downscale >= 2) == ('bm', True)

    result = tuned(scene, ANY_ALGORITHM, is_fast_enough=is_fast_enough)
    assert (result.settings.algorithm, result.settings.downscale) == ('bm', 2)
    assert [step.changes for step in result.steps if step.name == 'resolution'] == [
        {'downscale': 2}
    ]


def test_a_rate_is_held_when_a_pair_leaves_a_fifth_of_its_time():
    pair = scene_of(tilted_plane(240, 120, 22.0, 40.0))
    timer = PairTimer(pair)
    seconds = timer.seconds(Settings())
    assert timer.holds(Settings(), 0.79 / seconds)
    assert not timer.holds(Settings(), 0.81 / seconds)
    assert timer.seconds(Settings(num_disparities=1024)) == math.inf


def test_filters_have_a_part_of_the_budget_for_themselves(scene, clock):
    """The search alone would take all of it."""
    result = tuned(
        scene, objective=CountingObjective(clock, 1.0), budget_s=20.0, filter_allowance=0.05
    )
    assert not result.is_complete
    assert sum(step.tried for step in result.steps if step.name in FILTER_NAMES) >= 3


def test_a_wide_range_does_not_lose_to_a_narrow_one_for_its_left_border():
    """Without the border filled, what a range of 240 px takes is more than it finds."""
    field = np.full((160, 480), 5.0)
    field[40:120, 300:420] = 160.0
    found = tuned(scene_of(field, finest_px=5.0)).settings
    assert found.min_disparity + found.num_disparities > 160
