# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The search of settings behind the button "Tune": the tuner, which can be cancelled here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import threading

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.disparity_range import find_disparity_range
from stereo_depth_node.core.tuning.matching import Pair
from stereo_depth_node.core.tuning.objectives import ReferenceObjective
from stereo_depth_node.core.tuning.result import TuningResult
from stereo_depth_node.core.tuning.tuner import Tuner

__all__ = ['Search', 'SearchCancelledError']


class SearchCancelledError(Exception):
    """The search was cancelled: there is no result."""


class Search:
    """One search, in a thread of its own.

    Parameters
    ----------
    read_pairs : callable
        Returns the pairs to search on, rectified, of one size.
    infinity_px : float
        Disparity of a point infinitely far away, cx_l - cx_r.
    budget_s : float
        Seconds after which it ends.

    Attributes
    ----------
    step : str
        What is tried now.
    share : float
        Of the budget that is used, 0 to 1.
    """

    def __init__(
        self, read_pairs: Callable[[], Sequence[Pair]], infinity_px: float, budget_s: float
    ) -> None:
        self.step, self.share = 'disparity range', 0.0
        self._read_pairs, self._infinity_px, self._budget_s = read_pairs, infinity_px, budget_s
        self._is_cancelled = threading.Event()

    def cancel(self) -> None:
        """End it at the next settings that are tried."""
        self._is_cancelled.set()

    def run(self, start: Settings, algorithm: str) -> TuningResult:
        """Search; see :meth:`.Tuner.tune`.

        Raises
        ------
        StereoDepthError
            If the pairs cannot be had, or no disparities can be found in them.
        SearchCancelledError
            If it was cancelled.
        """
        pairs = self._read_pairs()
        found = find_disparity_range((pair.left, pair.right) for pair in pairs)
        self._check('reference', 0.0)
        tuner = Tuner(
            pairs,
            ReferenceObjective(pairs, found),
            budget_s=self._budget_s,
            infinity_px=self._infinity_px,
            found=found,
            on_progress=self._check,
        )
        result = tuner.tune(start, algorithm)
        self._check('done', 1.0)
        return result

    def _check(self, step: str, share: float) -> None:
        self.step, self.share = step, share
        if self._is_cancelled.is_set():
            raise SearchCancelledError
