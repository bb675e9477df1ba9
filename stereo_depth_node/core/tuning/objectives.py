# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Objectives of tuning: how good the disparities are that settings give for a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.tuning.accuracy import disparity_accuracy, is_near_ghost
from stereo_depth_node.core.tuning.consistency import AppearanceReference, consistency_of
from stereo_depth_node.core.tuning.disparity_range import DisparityRange
from stereo_depth_node.core.tuning.matching import (
    at_full_size,
    matched_disparity,
    Pair,
    pipeline_for,
    strips_of,
)
from stereo_depth_node.core.tuning.reference import BAD_PX, reference_disparity

__all__ = [
    'ConsistencyObjective',
    'NavigationObjective',
    'Objective',
    'Score',
    'TruthObjective',
]


# What a robot does not see costs 1, what it sees wrongly more, and most what it sees too near.
# Chosen by the ground truth of twelve scenes, with the settings that each weight led to.
_WRONG_WEIGHT = 1.5
_NEAR_WEIGHT = 3.0


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
    near : float or None
        What seems much nearer than it is, percent of all pixels; None where it is not measured.
    """

    cost: float
    wrong: float
    density: float
    near: float | None = None


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
    for_navigation : bool
        Weigh wrong and near disparities as :class:`NavigationObjective` does; else the cost is
        bad-2.0 of all known pixels, of which those without a disparity are bad.
    """

    def __init__(self, pairs: Sequence[Pair], *, for_navigation: bool = False) -> None:
        self._pairs = pairs
        self._for_navigation = for_navigation
        self.criterion = (
            'missing and, weighed, wrong pixels by ground truth'
            if for_navigation
            else 'bad-2.0 of all pixels by ground truth'
        )

    def score(self, settings: Settings) -> Score:
        """Return the mean score of all pairs; see :class:`Objective`."""
        found = []
        for pair in self._pairs:
            if pair.truth is None:
                raise ValueError('a pair has no ground truth: use ConsistencyObjective')
            pipeline = pipeline_for(_single_pair(settings), pair.left)
            disparity = at_full_size(
                matched_disparity(pipeline, pair.left, pair.right),
                pipeline.downscale,
                *pair.left.shape,
            )
            accuracy = disparity_accuracy(disparity, pair.truth, thresholds=(BAD_PX,))
            wrong = accuracy.bad_estimated[BAD_PX] if accuracy.estimated else 0.0
            score = _navigation_score(wrong, accuracy.density, accuracy.near_ghosts)
            if not self._for_navigation:
                cost = accuracy.bad_all[BAD_PX]
                score = Score(cost, wrong, accuracy.density, accuracy.near_ghosts)
            found.append(score)
        return _mean(found)


class ConsistencyObjective:
    """Scores without ground truth, by the consistency of the two images (:mod:`.consistency`).

    The disparities of the right image are matched separately, on the mirrored pair, not taken
    from the costs of the left one. A pixel without a disparity is as bad as a wrong one: this
    leads to the most complete disparities.

    Parameters
    ----------
    pairs : sequence of Pair
        Rectified; a truth is not used.
    seed : int
        Chooses the rows of large images that are scored.
    """

    criterion = 'consistency of the left and the right image'

    def __init__(self, pairs: Sequence[Pair], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._strips = [strip for pair in pairs for strip in strips_of(pair, rng)]
        self._appearances: dict[tuple[int, int], AppearanceReference] = {}

    def score(self, settings: Settings) -> Score:
        """Return the mean score of all pairs; see :class:`Objective`."""
        settings = _single_pair(settings)
        found = []
        for index, (left, right, counted) in enumerate(self._strips):
            pipeline = pipeline_for(settings, left)
            from_left = matched_disparity(pipeline, left, right)
            key = (index, pipeline.downscale)
            if key not in self._appearances:
                self._appearances[key] = AppearanceReference(
                    pipeline.left.copy(), pipeline.right.copy()
                )
            # The right image becomes the left one of the mirrored scene.
            mirrored = (np.ascontiguousarray(image[:, ::-1]) for image in (right, left))
            from_right = matched_disparity(pipeline, *mirrored)[:, ::-1]
            rows = slice(counted.start // pipeline.downscale, counted.stop // pipeline.downscale)
            each = consistency_of(self._appearances[key], from_left, from_right, rows)
            found.append(Score(each.cost, each.wrong, each.density))
        return _mean(found)


class NavigationObjective:
    """Scores without ground truth what a robot needs: rather no depth than a wrong one.

    Disparities are compared with a reference that is matched once (:mod:`.reference`). A pixel
    without a disparity costs 1, a wrong one 1.5, and one that seems nearer than it is by more
    than 2 px and 20 % costs 3, as a robot brakes for it.

    Parameters
    ----------
    pairs : sequence of Pair
        Rectified; a truth is not used.
    found : DisparityRange
        Of the pairs.
    seed : int
        Chooses the rows of large images that are scored.
    """

    criterion = 'missing and, weighed, wrong pixels'

    def __init__(self, pairs: Sequence[Pair], found: DisparityRange, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._strips = [
            (strip, reference_disparity(*strip[:2], found))
            for pair in pairs
            for strip in strips_of(pair, rng)
        ]

    def score(self, settings: Settings) -> Score:
        """Return the mean score of all pairs; see :class:`Objective`."""
        settings = _single_pair(settings)
        found = []
        for (left, right, counted), whole_reference in self._strips:
            pipeline = pipeline_for(settings, left)
            reduced = matched_disparity(pipeline, left, right)
            disparity = at_full_size(reduced, pipeline.downscale, *left.shape)[counted]
            reference = whole_reference[counted]
            estimated = int(np.count_nonzero(np.isfinite(disparity)))
            with np.errstate(invalid='ignore'):
                wrong = int(np.count_nonzero(np.abs(disparity - reference) > BAD_PX))
            near = int(np.count_nonzero(is_near_ghost(disparity, reference)))
            found.append(
                _navigation_score(
                    100.0 * wrong / max(estimated, 1),
                    100.0 * estimated / disparity.size,
                    100.0 * near / disparity.size,
                )
            )
        return _mean(found)


def _navigation_score(wrong: float, density: float, near: float) -> Score:
    """Weigh what is missing, wrong and near; percentages as in `Score`."""
    far = wrong * density / 100.0 - near
    cost = 100.0 - density + _WRONG_WEIGHT * far + _NEAR_WEIGHT * near
    return Score(cost, wrong, density, near)


def _single_pair(settings: Settings) -> Settings:
    """Return the settings without what does not apply to single rectified pairs."""
    return settings.replace(
        temporal_max_diff=0, rectify=False, roi_x=0, roi_y=0, roi_width=0, roi_height=0
    )


def _mean(found: Sequence[Score]) -> Score:
    cost, wrong, density = (
        float(np.mean([getattr(item, name) for item in found]))
        for name in ('cost', 'wrong', 'density')
    )
    near = [item.near for item in found if item.near is not None]
    return Score(cost, wrong, density, float(np.mean(near)) if near else None)
