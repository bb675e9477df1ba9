# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Search of the settings that suit a scene.

Coordinate descent in the order in which settings matter: the range of disparities first, as
nothing can be found outside of it, then the filters that leave pixels out, then the matcher,
again and again until nothing improves. Each step tries a whole list of values, takes the best one
and is reported with its score. A slower algorithm or a wider range has to gain half a point. On
request there are filters at the end that remove more wrong than right pixels, as long as the cost
hardly rises; a part of the budget is kept for them.

The result depends on the images, the start, the algorithm and the seed alone. Only when the
budget is used up before the end, it is the best found until then, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math
import time

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.algorithms.table import (
    algorithm_families,
    algorithm_of,
    ALGORITHMS,
)
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.tuning.candidates import (
    candidates_of,
    FILTER_CANDIDATES,
    possible_changes,
    start_of,
)
from stereo_depth_node.core.tuning.disparity_range import DisparityRange, find_disparity_range
from stereo_depth_node.core.tuning.matching import Pair
from stereo_depth_node.core.tuning.objectives import Objective, Score
from stereo_depth_node.core.tuning.result import TuningResult, TuningStep

__all__ = ['ANY_ALGORITHM', 'Tuner']

ANY_ALGORITHM = 'any'

_MOST_ROUNDS = 4
# A gain below this share of the cost is noise: the first of equals, the simplest, stays.
_LEAST_GAIN = 0.002
# What a slower algorithm or a wider range has to gain, in points of the cost. All paths (sgbm_hh)
# gain 0.4 on average over three (sgbm_3way) and take three times as long.
_GAIN_OF_SLOWER = 0.5
_REDUCTIONS = (2, 4)
# Of the budget, for the filters at the end.
_FILTER_SHARE = 0.15


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
    infinity_px : float or None
        Disparity of a point infinitely far away, cx_l - cx_r, at which the range begins, as a
        camera will see farther than in these pairs. None searches what is in the pairs alone.
    found : DisparityRange, optional
        Of the pairs, where it is known already.
    is_fast_enough : callable, optional
        Says of settings whether they may be taken, by the time that a pair takes.
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
        infinity_px: float | None = 0.0,
        found: DisparityRange | None = None,
        is_fast_enough: Callable[[Settings], bool] = lambda settings: True,
        on_progress: Callable[[str, float], None] = lambda name, share: None,
    ) -> None:
        self._pairs = pairs
        self._objective = objective
        self._budget_s = budget_s
        self._filter_allowance = filter_allowance
        self._infinity_px = infinity_px
        self._found = found
        self._is_fast_enough = is_fast_enough
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
        self._budget_share = 1.0 - (_FILTER_SHARE if self._filter_allowance > 0 else 0.0)
        is_complete = True
        try:
            best = self._search(start, algorithm)
        except _BudgetUsedUp:
            best, is_complete = self._best_so_far, False
        if self._filter_allowance > 0:
            try:
                best = self._filter(best)
            except _BudgetUsedUp:
                best, is_complete = self._best_so_far, False
        return TuningResult(best, tuple(self._steps), is_complete)

    def _search(self, start: Settings, algorithm: str) -> Settings:
        families = algorithm_families() if algorithm == ANY_ALGORITHM else [[algorithm]]
        first = families[0][0]
        self._begin(start)
        current = start
        if first != start.algorithm:
            current = self._take('algorithm', current, [start_of(first)], must=True)
        current = self._take('disparity range', current, self._ranges(current), must=True)
        current = self._reduce_until_fast_enough(current)
        current = self._search_family(current, families[0])
        for family in families[1:]:
            before = current
            start_of_family = start_of(family[0])
            name = ALGORITHMS[family[0]].family
            current = self._take(name, current, [start_of_family], must=True)
            if not self._is_fast_enough(current):
                current = before
                continue
            current = self._search_family(current, family)
            back = _differences(current, before)
            current = self._take(f'{algorithm_of(before).family} again', current, [back])
        return current

    def _ranges(self, current: Settings) -> list[Changes]:
        """Return the range that was found, with and without the left border.

        A wide range takes a wide border: it must not lose for that.
        """
        self._on_progress('disparity range', self._share())
        found = self._found
        if found is None:
            found = find_disparity_range((pair.left, pair.right) for pair in self._pairs)
        if self._infinity_px is not None:
            found = found.reaching(self._infinity_px)
        applied = found.applied_to(current)
        limits = {name: getattr(applied, name) for name in ('min_disparity', 'num_disparities')}
        return [{**limits, 'fill_left_band': is_filled} for is_filled in (True, False)]

    def _reduce_until_fast_enough(self, current: Settings) -> Settings:
        """Reduce the images where they take too long at full size."""
        for factor in _REDUCTIONS:
            if self._is_fast_enough(current):
                break
            if factor > current.downscale:
                current = self._take('resolution', current, [{'downscale': factor}], must=True)
        return current

    def _search_family(self, current: Settings, family: Sequence[str]) -> Settings:
        """Search for the algorithm of `current`, then try the others with what it needs."""
        current = self._descend(current)
        return self._take('algorithm', current, [{'algorithm': name} for name in family])

    def _begin(self, start: Settings) -> None:
        began = time.monotonic()
        score = self._score_of(start)
        if score is None:
            # The start may search more than the images have; what is found is tried alone.
            score = Score(100.0, 0.0, 0.0, 0.0)
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
        known = self._cost_of(current)
        cost = math.inf if must else known
        best, best_changes = current, {}
        try:
            for changes, candidate in possible_changes(current, candidates):
                tried += candidate not in self._known
                new = self._cost_of(candidate, name)
                if new < _limit(cost, best, candidate) and (
                    must or self._is_fast_enough(candidate)
                ):
                    best, best_changes, cost = candidate, dict(changes), new
        finally:
            if tried or best_changes:
                self._report(name, current, best, tried, began)
            if not must or best_changes:
                self._best_so_far = min(self._best_so_far, best, key=self._cost_of)
        return best

    def _filter(self, current: Settings) -> Settings:
        """Add the filters that remove what is wrong at little cost."""
        limit = self._cost_of(current) * (1.0 + self._filter_allowance)
        self._budget_share = 1.0
        for name, candidates in FILTER_CANDIDATES:
            began, tried, before = time.monotonic(), 0, current
            known = self._known[current]
            wrong = known.wrong if known is not None else 0.0
            for _, candidate in possible_changes(before, candidates):
                tried += candidate not in self._known
                score = self._score_of(candidate, name)
                if (
                    score is not None
                    and score.cost <= limit
                    and score.wrong < wrong
                    and self._is_fast_enough(candidate)
                ):
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
            if share >= self._budget_share and self._known:
                raise _BudgetUsedUp
            self._on_progress(step or 'start', min(share, 1.0))
            try:
                self._known[settings] = self._objective.score(settings)
            except SettingsError:
                self._known[settings] = None
        return self._known[settings]

    def _cost_of(self, settings: Settings, step: str = '') -> float:
        """Return the cost of settings; infinite where they are impossible for the images."""
        score = self._score_of(settings, step)
        return score.cost if score is not None else math.inf

    def _share(self) -> float:
        return (time.monotonic() - self._started) / self._budget_s


class _BudgetUsedUp(Exception):  # noqa: N818 (ends the search, nothing is wrong)
    """The time is up."""


def _limit(cost: float, best: Settings, candidate: Settings) -> float:
    """Return the cost below which the candidate is to be taken in place of the best."""
    times = [
        algorithm_of(settings).relative_time * settings.num_disparities
        for settings in (best, candidate)
    ]
    if times[0] == times[1]:
        return cost * (1.0 - _LEAST_GAIN)
    return cost - _GAIN_OF_SLOWER if times[1] > times[0] else cost + _GAIN_OF_SLOWER


def _differences(before: Settings, after: Settings) -> Changes:
    """Return what turns one into the other."""
    return {name: value for name, value in vars(after).items() if value != getattr(before, name)}
