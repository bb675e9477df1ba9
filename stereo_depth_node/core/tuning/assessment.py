# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What settings give for a pair, in units: for people who decide whether to take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math
import time

import numpy as np

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.tuning.matching import matched_disparity, Pair, pipeline_for
from stereo_depth_node.core.tuning.objectives import Objective, Score

__all__ = ['Assessment', 'PairTimer', 'assess']

# Of the disparities found; beyond are mostly mistakes.
_ENDS_PERCENT = (1.0, 99.0)
# Of the time between two pairs; the rest is for decoding, conversion and messages.
_SHARE_FOR_MATCHING = 0.8
_REPEATS = 2


@dataclass(frozen=True)
class Assessment:
    """What settings give.

    Attributes
    ----------
    score : Score
        Density, and what is wrong and near.
    farthest_px, nearest_px : float
        Disparities that 1 % of those found are below and above, pixels.
    milliseconds : float
        For a pair.
    """

    score: Score
    farthest_px: float
    nearest_px: float
    milliseconds: float

    def lines(self, geometry: StereoGeometry | None, *, is_estimate: bool) -> list[str]:
        """Return it for people.

        Parameters
        ----------
        geometry : StereoGeometry or None
            Gives the depths.
        is_estimate : bool
            Whether what is wrong was found without a ground truth.
        """
        score = self.score
        how = ' at least, estimated from the images' if is_estimate else ''
        depths = [_depth(each, geometry) for each in (self.nearest_px, self.farthest_px)]
        rate = 1000.0 / self.milliseconds
        return [
            f'density      {score.density:.1f} % of all pixels',
            f'wrong        {score.wrong:.1f} % of these{how}',
            f'near ghosts  {score.near:.1f} % of all pixels{how}',
            f'nearest      {depths[0]}',
            f'farthest     {depths[1]}',
            f'time         {self.milliseconds:.1f} ms a pair, {rate:.0f} Hz, here, by OpenCV',
        ]


class PairTimer:
    """Measures how long settings take for a pair on this machine, each once.

    By OpenCV, also where the node has a faster kernel: then there is time to spare.

    Parameters
    ----------
    pair : Pair
        Of the size that counts.
    """

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._known: dict[Settings, float] = {}

    def seconds(self, settings: Settings) -> float:
        """Return the least time for a pair; infinity where the settings are impossible."""
        if settings not in self._known:
            self._known[settings] = self._measured(settings)
        return self._known[settings]

    def holds(self, settings: Settings, rate: float) -> bool:
        """Say whether pairs that come at `rate`, Hz, can be matched with time to spare."""
        return self.seconds(settings) <= _SHARE_FOR_MATCHING / rate

    def _measured(self, settings: Settings) -> float:
        left, right = self._pair.left, self._pair.right
        try:
            pipeline = pipeline_for(settings.replace(rectify=False), left)
        except SettingsError:
            return math.inf
        pipeline.match(left, right)  # allocates
        seconds = []
        for _ in range(_REPEATS):
            began = time.perf_counter()
            pipeline.match(left, right)
            seconds.append(time.perf_counter() - began)
        return min(seconds)


def assess(
    settings: Settings, pairs: Sequence[Pair], objective: Objective, timer: PairTimer
) -> Assessment:
    """Return what `settings` give for `pairs`."""
    single = settings.for_rectified_pair()
    known = []
    for pair in pairs:
        pipeline = pipeline_for(single, pair.left)
        disparity = matched_disparity(pipeline, pair.left, pair.right)
        known.append(disparity[np.isfinite(disparity)] * pipeline.downscale)
    found = np.concatenate(known)
    ends = np.percentile(found, _ENDS_PERCENT) if found.size else (math.nan, math.nan)
    return Assessment(
        objective.score(settings), float(ends[0]), float(ends[1]), 1000.0 * timer.seconds(settings)
    )


def _depth(disparity: float, geometry: StereoGeometry | None) -> str:
    if not math.isfinite(disparity):
        return 'nothing found'
    if geometry is None:
        return f'{disparity:.1f} px'
    depth = geometry.depth_at(disparity)
    text = f'{depth:.2f} m' if math.isfinite(depth) else 'infinity'
    return f'{text} ({disparity:.1f} px)'
