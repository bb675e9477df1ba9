# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Search of the settings that suit a scene.

Coordinate descent in the order in which settings matter: the range of disparities first, as
nothing can be found outside of it, then the filters that leave pixels out, then the matcher,
again and again until nothing improves. Each step tries a whole list of values, takes the best one
and is reported with its score. At the end come the filters that remove more wrong than right
pixels, as long as the cost hardly rises.

The result depends on the images, the start, the algorithm and the seed alone. Only when the
budget is used up before the end, it is the best found until then, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import time

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.algorithms.table import (
    algorithm_families,
    algorithm_of,
    ALGORITHMS,
)
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.tuning.candidates import candidates_of, FILTER_CANDIDATES
from stereo_depth_node.core.tuning.disparity_range import DisparityRange, find_disparity_range
from stereo_depth_node.core.tuning.objectives import Objective, Pair, Score
from stereo_depth_node.core.tuning.result import TuningResult, TuningStep

__all__ = ['ANY_ALGORITHM', 'Tuner']

ANY_ALGORITHM = 'any'

_MOST_ROUNDS = 4
# A gain below this share of the cost is noise: the first of equals, the simplest, stays.
_LEAST_GAIN = 0.002


class Tuner:
    """Searches settings for one or more pairs of a camera.

    Parameters
    ----------
    pairs : sequence of Pair
        Rectified, of one size.
    objective : Objective
        Scores settings.
    budget_s : float
        Seconds after which the search stops where it is.
    filter_allowance : float
        Share of itself, 0 to 1, by which the cost may rise for filters that remove wrong
        disparities and some right ones with them.
    infinity_px : float, optional
        A disparity that the range must hold: that of a point infinitely far away, cx_l - cx_r,
        for a camera that will see farther than in these pairs.
    on_progress : callable, optional
        Called with the name of the step and the share of the budget used, 0 to 1.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        objective: Objective,
        *,
        budget_s: float = 60.0,
        filter_allowance: float = 0.0,
        infinity_px: float | None = None,
        on_progress: Callable[[str, float], None] = lambda name, share: None,
    ) -> None:
        self._pairs = pairs
        self._objective = objective
        self._budget_s = budget_s
        self._filter_allowance = filter_allowance
        self._infinity_px = infinity_px
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._known: dict[Settings, Score | None] = {}
        self._steps: list[TuningStep] = []

    def tune(self, start: Settings, algorithm: str) -> TuningResult:
        """Search from `start`.

        Parameters
        ----------
        start : Settings
            Settings that are not tuned stay as they are here.
        algorithm : str
            One of those of `Settings`, or 'any' for the best of all.

        Raises
        ------
        SettingsError
            If no disparities can be found in the pairs, or if the images are too small.
        """
        self._started = time.monotonic()
        self._known.clear()
        self._steps.clear()
        self._best_so_far = start
        try:
            best, is_complete = self._search(start, algorithm), True
        except _BudgetUsedUp:
            best, is_complete = self._best_so_far, False
        return TuningResult(best, tuple(self._steps), is_complete)

    def _search(self, start: Settings, algorithm: str) -> Settings:
        families = algorithm_families() if algorithm == ANY_ALGORITHM else [[algorithm]]
        first = families[0][0]
        self._begin(start)
        current = start
        if first != start.algorithm:
            current = self._take('algorithm', current, [_start_of(first)], must=True)
        self._on_progress('disparity range', self._share())
        images = [(pair.left, pair.right) for pair in self._pairs]
        seen = find_disparity_range(images)
        if self._infinity_px is not None:
            seen = seen.joined(DisparityRange(self._infinity_px, self._infinity_px))
        found = seen.applied_to(current)
        limits = {name: getattr(found, name) for name in ('min_disparity', 'num_disparities')}
        current = self._take('disparity range', current, [limits])
        current = self._search_family(current, families[0])
        for family in families[1:]:
            before = current
            start_of_family = _start_of(family[0])
            name = ALGORITHMS[family[0]].family
            current = self._take(name, current, [start_of_family], must=True)
            current = self._search_family(current, family)
            back = _differences(current, before)
            current = self._take(f'{algorithm_of(before).family} again', current, [back])
        return self._filter(current)

    def _search_family(self, current: Settings, family: Sequence[str]) -> Settings:
        """Search for the algorithm of `current`, then try the others with what it needs."""
        current = self._descend(current)
        return self._take('algorithm', current, [{'algorithm': name} for name in family])

    def _begin(self, start: Settings) -> None:
        began = time.monotonic()
        score = self._score_of(start)
        if score is None:
            # The start may search more than the images have; what is found is tried alone.
            score = Score(100.0, 100.0, 0.0)
            self._known[start] = score
        self._steps.append(TuningStep('start', {}, score, 1, time.monotonic() - began))

    def _descend(self, current: Settings) -> Settings:
        """Go through all lists of values until none of them improves the score."""
        for _ in range(_MOST_ROUNDS):
            before = current
            for name, changes in candidates_of(current):
                current = self._take(name, current, list(changes(current)))
            if current == before:
                break
        return current

    def _take(
        self, name: str, current: Settings, candidates: Sequence[Changes], *, must: bool = False
    ) -> Settings:
        """Return the best of `current` and its candidates, and report the step."""
        began, tried = time.monotonic(), 0
        score = self._score_of(current)
        cost = score.cost if score is not None and not must else float('inf')
        best, best_changes, limit = current, {}, cost * (1.0 - _LEAST_GAIN)
        try:
            for changes in candidates:
                try:
                    candidate = current.merged(changes)
                except SettingsError:
                    continue
                tried += candidate not in self._known
                score = self._score_of(candidate, name)
                if score is not None and score.cost < limit:
                    best, best_changes, limit = candidate, dict(changes), score.cost
        finally:
            if tried or best_changes:
                self._report(name, current, best, tried, began)
            if not must or best_changes:
                self._best_so_far = self._better(self._best_so_far, best)
        return best

    def _filter(self, current: Settings) -> Settings:
        """Add the filters that remove what is wrong at little cost."""
        base = self._score_of(current)
        limit = base.cost * (1.0 + self._filter_allowance) if base is not None else 0.0
        for name, candidates in FILTER_CANDIDATES:
            began, tried, before = time.monotonic(), 0, current
            known = self._known[current]
            wrong = known.wrong if known is not None else 0.0
            for changes in candidates:
                try:
                    candidate = before.merged(changes)
                except SettingsError:
                    continue
                tried += candidate not in self._known
                score = self._score_of(candidate, name)
                if score is not None and score.cost <= limit and score.wrong < wrong:
                    current, wrong = candidate, score.wrong
            self._best_so_far = current
            self._report(name, before, current, tried, began)
        return current

    def _report(
        self, name: str, before: Settings, after: Settings, tried: int, began: float
    ) -> None:
        score = self._known[after]
        if score is not None:
            changes, seconds = _differences(before, after), time.monotonic() - began
            self._steps.append(TuningStep(name, changes, score, tried, seconds))

    def _score_of(self, settings: Settings, step: str = '') -> Score | None:
        """Score settings, each once; None where they are impossible for the images."""
        if settings not in self._known:
            share = self._share()
            if share >= 1.0 and self._known:
                raise _BudgetUsedUp
            self._on_progress(step or 'start', min(share, 1.0))
            try:
                self._known[settings] = self._objective.score(settings)
            except SettingsError:
                self._known[settings] = None
        return self._known[settings]

    def _better(self, one: Settings, other: Settings) -> Settings:
        costs = [
            score.cost if score is not None else float('inf')
            for score in (self._known.get(one), self._known.get(other))
        ]
        return other if costs[1] < costs[0] else one

    def _share(self) -> float:
        return (time.monotonic() - self._started) / self._budget_s


class _BudgetUsedUp(Exception):  # noqa: N818 (ends the search, nothing is wrong)
    """The time is up."""


def _start_of(algorithm: str) -> Changes:
    """Return the values from which the search for an algorithm begins."""
    return {'algorithm': algorithm, **ALGORITHMS[algorithm].tuning_start}


def _differences(before: Settings, after: Settings) -> Changes:
    """Return what turns one into the other."""
    return {name: value for name, value in vars(after).items() if value != getattr(before, name)}
