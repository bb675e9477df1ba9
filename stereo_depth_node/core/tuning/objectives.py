# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Objectives of tuning: what disparities settings give for a pair, and how good those are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Float, Grey
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.tuning.accuracy import disparity_accuracy
from stereo_depth_node.core.tuning.consistency import (
    AppearanceReference,
    Consistency,
    consistency_of,
)

__all__ = [
    'ConsistencyObjective',
    'Objective',
    'Pair',
    'Score',
    'TruthObjective',
    'matched_disparity',
]


# Pairs with more pixels than this are scored by strips of rows, so that a search ends in time.
_MOST_PIXELS = 500_000
_STRIPS = 3
# Rows around a strip that are matched but do not count: the reach of blocks up to this size.
_MARGIN_ROWS = 20
_BAD_PX = 2.0


class Pair(Protocol):
    """A rectified pair to score settings by: any class that has these.

    Attributes
    ----------
    left, right : (H, W) uint8 ndarray
        Grey images.
    truth : (H, W) float32 ndarray or None
        x_l - x_r in pixels, NaN where unknown, if there is a ground truth.
    """

    @property
    def left(self) -> Grey: ...  # noqa: D102
    @property
    def right(self) -> Grey: ...  # noqa: D102
    @property
    def truth(self) -> Float | None: ...  # noqa: D102


@dataclass(frozen=True)
class Score:
    """How good settings are; less is better.

    Attributes
    ----------
    cost : float
        What is missing or wrong, percent of all pixels.
    wrong : float
        What is wrong, percent of the pixels with a disparity.
    density : float
        Pixels with a disparity, percent.
    """

    cost: float
    wrong: float
    density: float


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
    """Scores by ground truth: bad-2.0 of all known pixels, those without a disparity are bad.

    Parameters
    ----------
    pairs : sequence of Pair
        Each with its truth.
    """

    criterion = 'bad-2.0 of all pixels by ground truth'

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs

    def score(self, settings: Settings) -> Score:
        """Return the mean score of all pairs; see :class:`Objective`."""
        found = []
        for pair in self._pairs:
            if pair.truth is None:
                raise ValueError('a pair has no ground truth: use ConsistencyObjective')
            full_size = settings.replace(downscale=1, temporal_max_diff=0)
            disparity = matched_disparity(_pipeline(full_size, pair.left), pair.left, pair.right)
            accuracy = disparity_accuracy(disparity, pair.truth, thresholds=(_BAD_PX,))
            wrong = accuracy.bad_estimated[_BAD_PX] if accuracy.estimated else 0.0
            found.append(Score(accuracy.bad_all[_BAD_PX], wrong, accuracy.density))
        return _mean(found)


class ConsistencyObjective:
    """Scores without ground truth, by the consistency of the two images (:mod:`.consistency`).

    The disparities of the right image are matched separately, on the mirrored pair, not taken
    from the costs of the left one. A pixel without a disparity is as bad as a wrong one.

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
        self._strips = [strip for pair in pairs for strip in _strips(pair, rng)]
        self._appearances: dict[tuple[int, int], AppearanceReference] = {}

    def score(self, settings: Settings) -> Score:
        """Return the mean score of all pairs; see :class:`Objective`."""
        settings = settings.replace(
            temporal_max_diff=0, rectify=False, roi_x=0, roi_y=0, roi_width=0, roi_height=0
        )
        found = []
        for index, (left, right, counted) in enumerate(self._strips):
            pipeline = _pipeline(settings, left)
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
            found.append(consistency_of(self._appearances[key], from_left, from_right, rows))
        return _mean(found)


def matched_disparity(pipeline: StereoPipeline, left: Grey, right: Grey) -> Float:
    """Match a pair and return x_l - x_r, (h, w) float32, pixels, NaN where there is none."""
    pipeline.match(left, right)
    smallest = pipeline.settings.min_disparity * DISPARITY_SCALE
    disparity = pipeline.fixed * np.float32(1 / DISPARITY_SCALE)
    return np.where(pipeline.fixed >= smallest, disparity, np.float32(np.nan))


def _pipeline(settings: Settings, image: Grey) -> StereoPipeline:
    height, width = image.shape
    # Each one computes a frame or two: OpenCV needs no compilation, and gives the same.
    return StereoPipeline(settings.replace(matcher_backend='opencv'), width, height)


def _strips(pair: Pair, rng: np.random.Generator) -> list[tuple[Grey, Grey, slice]]:
    """Cut a large pair into strips of rows; return each with the rows in it that count."""
    height, width = pair.left.shape
    rows = _MOST_PIXELS // width // _STRIPS
    if height * width <= _MOST_PIXELS or rows <= 2 * _MARGIN_ROWS:
        return [(pair.left, pair.right, slice(0, height))]
    strips = []
    for part in range(_STRIPS):
        # One strip at a random place in each third.
        first = height * part // _STRIPS
        room = height * (part + 1) // _STRIPS - first - rows
        top = first + int(rng.integers(0, max(room, 0) + 1))
        start, stop = max(top - _MARGIN_ROWS, 0), min(top + rows + _MARGIN_ROWS, height)
        images = (np.ascontiguousarray(image[start:stop]) for image in (pair.left, pair.right))
        strips.append((*images, slice(top - start, top - start + rows)))
    return strips  # type: ignore[return-value]


def _mean(found: Sequence[Score | Consistency]) -> Score:
    return Score(
        *(
            float(np.mean([getattr(item, name) for item in found]))
            for name in ('cost', 'wrong', 'density')
        )
    )
