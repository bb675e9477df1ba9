# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semi-global matching: `cv2.StereoSGBM` in its modes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import cv2

from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.algorithms.algorithm import Algorithm
from stereo_depth_node.core.settings.fields import SettingFields
from stereo_depth_node.core.settings.parameter import Changes

__all__ = ['NO_LEFT_RIGHT_CHECK', 'SemiGlobal']

# OpenCV's rule makes p2 of a larger block exceed half of an int16 (32 * 21^2 = 14112).
_LARGEST_BLOCK = 21
# Columns beyond the left border that paths come from; farther ones hardly matter.
_PATH_CONTEXT_PX = 64
NO_LEFT_RIGHT_CHECK = 4096
"""A disp12_max_diff that lets everything pass, as it exceeds every disparity: -1 does not."""


def _checks(settings: SettingFields) -> Iterable[Changes]:
    for ratio in (0, 2, 5, 10, 15):
        for limit in (NO_LEFT_RIGHT_CHECK, 1):
            yield {'uniqueness_ratio': ratio, 'disp12_max_diff': limit}


def _penalties(settings: SettingFields) -> Iterable[Changes]:
    # P1 and P2 as multiples of block_size^2, at a pre_filter_cap of 31; OpenCV's rule is 8 and 32.
    area = settings.block_size**2
    for small in (2, 4, 8, 16):
        for ratio in (2, 4, 8, 16):
            yield {'p1': small * area, 'p2': small * ratio * area}


def _caps(settings: SettingFields) -> Iterable[Changes]:
    for cap in (15, 31, 63):
        yield {'pre_filter_cap': cap}


def _blocks(settings: SettingFields) -> Iterable[Changes]:
    p1, p2 = settings.penalties
    area = settings.block_size**2
    for size in (1, 3, 5, 7, 9):
        # The sums over a block grow with its area: so do the penalties that balance them.
        yield {
            'block_size': size,
            'p1': max(p1 * size**2 // area, 1),
            'p2': max(p2 * size**2 // area, 2),
        }


class SemiGlobal(Algorithm):
    """Block costs that are made smooth along paths through the image.

    Parameters
    ----------
    mode : int
        OpenCV's cv2.STEREO_SGBM_MODE_...
    relative_time : float
        As in :class:`.Algorithm`; more paths take more time.
    """

    family = 'semi-global'
    # It rounds to nearest, and its results crowd at whole pixels: 0.18 px.
    sub_pixel_variance = (1.0 / DISPARITY_SCALE) ** 2 * (1.0 / 12.0) + 0.18**2
    tuning_start: ClassVar[Changes] = {
        'block_size': 3,
        'p1': 0,
        'p2': 0,
        'pre_filter_cap': 31,
        'pre_filter_type': 'xsobel',
        'uniqueness_ratio': 0,
        'disp12_max_diff': NO_LEFT_RIGHT_CHECK,
        'speckle_window_size': 0,
    }
    tuning_candidates = (
        ('checks', _checks),
        ('penalties', _penalties),
        ('pre-filter', _caps),
        ('block size', _blocks),
    )

    def __init__(self, mode: int, relative_time: float) -> None:
        self._mode = mode
        self.relative_time = relative_time

    def create_matcher(self, settings: SettingFields) -> cv2.StereoMatcher:
        """Make a `cv2.StereoSGBM`."""
        p1, p2 = settings.penalties
        return cv2.StereoSGBM.create(
            minDisparity=settings.min_disparity,
            numDisparities=settings.num_disparities,
            blockSize=settings.block_size,
            P1=p1,
            P2=p2,
            disp12MaxDiff=settings.disp12_max_diff,
            preFilterCap=settings.pre_filter_cap,
            uniquenessRatio=settings.uniqueness_ratio,
            mode=self._mode,
        )

    def check(self, settings: SettingFields) -> None:
        """Check the block and the penalties, which would overflow OpenCV's 16-bit sums."""
        p1, p2 = settings.penalties
        if settings.block_size > _LARGEST_BLOCK:
            raise SettingsError(
                f'block_size is {settings.block_size} px, algorithm {settings.algorithm} takes '
                f'{_LARGEST_BLOCK} px at most: 3 to 11 px suit it best'
            )
        if p1 >= p2:
            raise SettingsError(
                f'p1 is {p1} and p2 is {p2} at block_size {settings.block_size}: set p2 above p1'
            )

    def margin(self, settings: SettingFields) -> int:
        """None: blocks are continued beyond the image."""
        return 0

    def left_border(self, settings: SettingFields) -> int:
        """One column more than the largest disparity searched."""
        return max(settings.min_disparity + settings.num_disparities, 0)

    def context(self, settings: SettingFields) -> int:
        """As far as paths matter."""
        return _PATH_CONTEXT_PX

    def fewest_columns(self, settings: SettingFields) -> int:
        """More than half a block: below, OpenCV reads memory that it has not written."""
        return settings.block_size // 2 + 1
