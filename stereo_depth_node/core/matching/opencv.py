# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stereo matching with OpenCV.

A matcher gives fixed-point disparities: int16 in steps of 1/16 px. A pixel without a match holds
``(min_disparity - 1) * DISPARITY_SCALE``, below every disparity searched.

OpenCV checks part of its settings only when it computes, and part not at all: so
:func:`.constraints.check_image_size` comes first. StereoBM with min_disparity > 0 also writes past
the right end of each row, into the next one: so what lies outside of the true
:func:`.window.valid_window` is made invalid afterwards (:mod:`.filters`).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from stereo_depth_node.core.arrays import Fixed, Grey
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.algorithms.table import algorithm_of

__all__ = ['Matcher', 'OpenCVMatcher']


class Matcher(Protocol):
    """Computes fixed-point disparities of a pair of grey images."""

    @property
    def backend(self) -> str:
        """Text for people: what does the matching, and why."""

    def compute(self, left: Grey, right: Grey, out: Fixed) -> None:
        """Match `left` with `right`, both (H, W) uint8, into `out`, (H, W) int16 in 1/16 px."""


class OpenCVMatcher:
    """The algorithm of the settings as OpenCV has it.

    Speckles are not removed here: that is one filter for every matcher (:mod:`.invalidation`).

    Parameters
    ----------
    settings : Settings
        Any; `check_image_size` must have passed for the images that come.
    """

    backend = 'opencv'

    def __init__(self, settings: Settings) -> None:
        self._matcher = algorithm_of(settings).create_matcher(settings)

    def compute(self, left: Grey, right: Grey, out: Fixed) -> None:
        """Match a pair; see :class:`Matcher`."""
        result = self._matcher.compute(left, right, out)
        if result is not out:
            np.copyto(out, result)
