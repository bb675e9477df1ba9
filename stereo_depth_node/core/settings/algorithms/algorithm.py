# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the package has to know about a matching algorithm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import cv2

from stereo_depth_node.core.settings.fields import SettingFields
from stereo_depth_node.core.settings.parameter import Changes

__all__ = ['Algorithm', 'TuningCandidates']

TuningCandidates = tuple[str, Callable[[SettingFields], Iterable[Changes]]]
"""Name of a step of the search, and the changes that it tries on given settings."""


class Algorithm(ABC):
    """An algorithm of OpenCV, with what settings, filters and tuning need to know about it.

    Its methods are given settings that name this algorithm.

    Attributes
    ----------
    family : str
        What algorithms that take the same settings have in common.
    relative_time : float
        Time to match a pair, in that of StereoBM (640x480, 64 disparities).
    has_kernel : bool
        Whether the kernel in :mod:`.matching.kernel` computes the same.
    smallest_block : int
        The smallest block_size that it takes, pixels.
    decides_by_block : bool
        Whether the block with the smallest cost is the match, whatever is around it.
    sub_pixel_variance : float
        Mean square error of the sub-pixel step, px^2 (derived in :mod:`.uncertainty`).
    tuning_start : mapping of str to value
        The settings from which a search begins.
    tuning_candidates : sequence of TuningCandidates
        What a search tries, in order.
    """

    family: ClassVar[str]
    relative_time: float
    has_kernel: ClassVar[bool] = False
    smallest_block: ClassVar[int] = 1
    decides_by_block: ClassVar[bool] = False
    sub_pixel_variance: ClassVar[float]
    tuning_start: ClassVar[Changes]
    tuning_candidates: ClassVar[Sequence[TuningCandidates]]

    @abstractmethod
    def create_matcher(self, settings: SettingFields) -> cv2.StereoMatcher:
        """Make OpenCV's matcher."""

    @abstractmethod
    def check(self, settings: SettingFields) -> None:
        """Check the settings that this algorithm cannot work with.

        Raises
        ------
        SettingsError
            The text names the values and what to set instead.
        """

    @abstractmethod
    def margin(self, settings: SettingFields) -> int:
        """Return the pixels at each border of the image that get no disparity."""

    @abstractmethod
    def left_border(self, settings: SettingFields) -> int:
        """Return the width of the left border that the range of disparities takes, pixels."""

    @abstractmethod
    def context(self, settings: SettingFields) -> int:
        """Return how many columns beyond itself a match at the left border depends on."""

    @abstractmethod
    def fewest_columns(self, settings: SettingFields) -> int:
        """Return the width that the valid window needs at least, pixels."""

    def pre_filter_window(self, settings: SettingFields) -> int:
        """Return the side of the pre-filter's window, pixels; 0 if it has none to be set."""
        return 0
