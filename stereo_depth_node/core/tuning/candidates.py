# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The values that a search tries, step by step: those that are the same for every algorithm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings import DISPARITY_STEP, Settings
from stereo_depth_node.core.settings.algorithms.algorithm import TuningCandidates
from stereo_depth_node.core.settings.algorithms.table import algorithm_of, ALGORITHMS
from stereo_depth_node.core.settings.fields import SettingFields
from stereo_depth_node.core.settings.parameter import Changes

__all__ = ['FILTER_CANDIDATES', 'candidates_of', 'possible_changes', 'start_of']

FILTER_CANDIDATES: Sequence[tuple[str, Sequence[Changes]]] = (  # for a higher cost
    ('speckles', [{'speckle_window_size': size, 'speckle_range': 1} for size in (50, 200, 400)]),
    ('left-right check', [{'disp12_max_diff': pixels} for pixels in (1, 4)]),
    ('uniqueness', [{'uniqueness_ratio': ratio} for ratio in (2, 5, 10)]),
)


def start_of(algorithm: str) -> Changes:
    """Return the values from which the search for an algorithm begins."""
    return {'algorithm': algorithm, **ALGORITHMS[algorithm].tuning_start}


def candidates_of(settings: Settings) -> Sequence[TuningCandidates]:
    """Return the steps for the algorithm of `settings`, in their order."""
    return (
        ('left border', _left_border),
        ('speckles', _speckles),
        *algorithm_of(settings).tuning_candidates,
        ('disparity limits', _limits),
    )


def possible_changes(
    settings: Settings, candidates: Iterable[Changes]
) -> Iterator[tuple[Changes, Settings]]:
    """Yield the changes that `settings` can take, each with what comes of it."""
    for changes in candidates:
        try:
            candidate = settings.merged(changes)
        except SettingsError:
            continue
        yield changes, candidate


def _left_border(settings: SettingFields) -> Iterable[Changes]:
    yield {'fill_left_band': True}


def _speckles(settings: SettingFields) -> Iterable[Changes]:
    for size in (0, 100, 200, 400):
        yield {'speckle_window_size': size, 'speckle_range': 1}


def _limits(settings: SettingFields) -> Iterable[Changes]:
    """Widen the range: nearer there may be what was not found before matching.

    It is never narrowed: what lies outside of the range cannot be scored.
    """
    for steps in (1, 2):
        yield {'num_disparities': settings.num_disparities + steps * DISPARITY_STEP}
