# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Objectives of tuning: how good the disparities are that settings give for a pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.tuning.accuracy import is_near_ghost
from stereo_depth_node.core.tuning.disparity_range import DisparityRange
from stereo_depth_node.core.tuning.matching import (
    at_full_size,
    matched_disparity,
    Pair,
    pipeline_for,
    Strip,
    strips_of,
)
from stereo_depth_node.core.tuning.reference import BAD_PX, reference_disparity

__all__ = [
    'COMPLETE',
    'NAVIGATION',
    'Objective',
    'ReferenceObjective',
    'Score',
    'TruthObjective',
    'Weights',
]


@dataclass(frozen=True)
class Weights:
    """What pixels cost that are not right, where one without a disparity costs 1.

    Attributes
    ----------
    wrong : float
        With a disparity that is off by more than 2 px.
    near : float
        That seem nearer than they are by more than 2 px and 20 %.
    criterion : str
        What the cost measures, for people.
    """

    wrong: float
    near: float
    criterion: str

    def score(self, wrong: float, density: float, near: float) -> Score:
        """Weigh what is missing, wrong and near; percentages as in `Score`."""
        others = wrong * density / 100.0 - near
        return Score(
            100.0 - density + self.wrong * others + self.near * near, wrong, density, near
        )


NAVIGATION = Weights(1.5, 3.0, 'missing and, weighed, wrong pixels')
"""What a robot does not see costs 1, what it sees wrongly more, and most what it sees too near.

Chosen by the ground truth of twelve scenes, with the settings that each weight led to.
"""
COMPLETE = Weights(1.0, 1.0, 'missing and wrong pixels')
"""A guess costs no more than a gap: this leads to the most complete disparities.

By ground truth the cost is bad-2.0 of all pixels.
"""


@dataclass(frozen=True)
class Score:
    """How good settings are; less is better.

    Attributes
    ----------
    cost : float
        What is missing or wrong, weighed, percent of all pixels.
    wrong : float
        What is wrong, percent of the pixels with a disparity.
    density : float
        Pixels with a disparity, percent.
    near : float
        What seems much nearer than it is, percent of all pixels.
    """

    cost: float
    wrong: float
    density: float
    near: float


class Objective(Protocol):
    """Scores settings.

    Attributes
    ----------
    criterion : str
        What the score measures, for people.
    """

    criterion: str

    def score(self, settings: Settings) -> Score:
        """Match with `settings` and score the result.

        Raises
        ------
        SettingsError
            If the settings are impossible for the images.
        """


class TruthObjective:
    """Scores by ground truth.

    Parameters
    ----------
    pairs : sequence of Pair
        Each with its truth.
    weights : Weights
        Of what is wrong.
    """

    def __init__(self, pairs: Sequence[Pair], weights: Weights = NAVIGATION) -> None:
        self._weights = weights
        self._known = []
        for pair in pairs:
            if pair.truth is None:
                raise ValueError('a pair has no ground truth: use ReferenceObjective')
            whole = (pair.left, pair.right, slice(0, pair.left.shape[0]))
            self._known.append((whole, pair.truth))
        self.criterion = f'{weights.criterion} by ground truth'

    def score(self, settings: Settings) -> Score:
        """Return the mean score of all pairs; see :class:`Objective`."""
        return _score(settings, self._known, self._weights)


class ReferenceObjective:
    """Scores without ground truth, by a reference that is matched once (:mod:`.reference`).

    Parameters
    ----------
    pairs : sequence of Pair
        Rectified; a truth is not used.
    found : DisparityRange
        Of the pairs.
    weights : Weights
        Of what is wrong.
    seed : int
        Chooses the rows of large images that are scored.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        found: DisparityRange,
        weights: Weights = NAVIGATION,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self._weights = weights
        self._known = [
            (strip, reference_disparity(*strip[:2], found))
            for pair in pairs
            for strip in strips_of(pair, rng)
        ]
        self.criterion = weights.criterion

    def score(self, settings: Settings) -> Score:
        """Return the mean score of all pairs; see :class:`Objective`."""
        return _score(settings, self._known, self._weights)


def _score(settings: Settings, known: Iterable[tuple[Strip, Float]], weights: Weights) -> Score:
    """Compare what settings give with what is known, and return the mean score."""
    # Without what does not apply to single rectified pairs.
    settings = settings.for_rectified_pair().replace(roi_x=0, roi_y=0, roi_width=0, roi_height=0)
    scores = []
    for (left, right, counted), truth in known:
        pipeline = pipeline_for(settings, left)
        reduced = matched_disparity(pipeline, left, right)
        disparity = at_full_size(reduced, pipeline.downscale, *left.shape)[counted]
        error = np.abs(disparity - truth[counted])
        count, estimated, wrong, near = (
            int(np.count_nonzero(each))
            for each in (
                np.isfinite(truth[counted]),
                np.isfinite(error),
                error > BAD_PX,
                is_near_ghost(disparity, truth[counted]),
            )
        )
        percent = 100.0 / max(count, 1)
        scores.append(
            weights.score(100.0 * wrong / max(estimated, 1), percent * estimated, percent * near)
        )
    values = np.array([(each.cost, each.wrong, each.density, each.near) for each in scores])
    return Score(*map(float, values.mean(axis=0)))
