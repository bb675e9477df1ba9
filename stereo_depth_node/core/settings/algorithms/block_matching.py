# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Block matching: `cv2.StereoBM`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import cv2

from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.algorithms.algorithm import Algorithm
from stereo_depth_node.core.settings.fields import SettingFields
from stereo_depth_node.core.settings.parameter import Changes

__all__ = [
    'RESPONSE_BITS',
    'BlockMatching',
    'exceeds_response_table',
    'left_right_check_is_defined',
    'response_scales',
]

RESPONSE_BITS = 10
"""Of the fixed point in which OpenCV computes normalized_response."""

_PRE_FILTERS = {
    'xsobel': cv2.STEREO_BM_PREFILTER_XSOBEL,
    'normalized_response': cv2.STEREO_BM_PREFILTER_NORMALIZED_RESPONSE,
}
_SMALLEST_BLOCK = 5
# OpenCV's code for larger blocks and caps leaves out the matching costs that the left-right check
# then reads (seen in 4.14 and 5.0): the result changes from call to call.
_LARGEST_CHECKED_BLOCK, _LARGEST_CHECKED_CAP = 21, 31


def _checks(settings: SettingFields) -> Iterable[Changes]:
    for ratio in (0, 2, 5, 10, 15):
        for limit in (-1, 1):
            yield {
                'uniqueness_ratio': ratio,
                'texture_threshold': 0,
                'disp12_max_diff': limit,
            }


def _blocks(settings: SettingFields) -> Iterable[Changes]:
    near = (settings.block_size + change for change in (-4, -2, 2, 4))
    for size in (5, 7, 9, 11, 13, 17, 21, 27, 35, *near):
        if size >= _SMALLEST_BLOCK:
            yield {'block_size': size}


def _pre_filters(settings: SettingFields) -> Iterable[Changes]:
    for cap in (4, 7, 10, 15, 23, 31, 47, 63):
        yield {'pre_filter_type': 'xsobel', 'pre_filter_cap': cap}
    for size in (5, 9, 15, 25):
        for cap in (15, 31, 63):
            yield {
                'pre_filter_type': 'normalized_response',
                'pre_filter_size': size,
                'pre_filter_cap': cap,
            }


class BlockMatching(Algorithm):
    """Sums of absolute differences over a square block."""

    family = 'block matching'
    relative_time = 1.0
    has_kernel = True
    smallest_block = _SMALLEST_BLOCK
    decides_by_block = True
    # It rounds up: the error is uniform from 0 to 1/16 px.
    sub_pixel_variance = (1.0 / DISPARITY_SCALE) ** 2 / 3.0
    tuning_start: ClassVar[Changes] = {
        'disp12_max_diff': -1,
        'speckle_window_size': 0,
        'pre_filter_cap': 31,
        'block_size': 15,
    }
    tuning_candidates = (
        ('checks', _checks),
        ('block size', _blocks),
        ('pre-filter', _pre_filters),
    )

    def create_matcher(self, settings: SettingFields) -> cv2.StereoMatcher:
        """Make a `cv2.StereoBM`."""
        matcher = cv2.StereoBM.create(settings.num_disparities, settings.block_size)
        matcher.setMinDisparity(settings.min_disparity)
        matcher.setPreFilterType(_PRE_FILTERS[settings.pre_filter_type])
        matcher.setPreFilterSize(settings.pre_filter_size)
        matcher.setPreFilterCap(settings.pre_filter_cap)
        matcher.setTextureThreshold(settings.texture_threshold)
        matcher.setUniquenessRatio(settings.uniqueness_ratio)
        matcher.setDisp12MaxDiff(settings.disp12_max_diff)
        return matcher

    def check(self, settings: SettingFields) -> None:
        """Check the block, the left-right check and the pre-filter."""
        if settings.block_size < _SMALLEST_BLOCK:
            raise SettingsError(
                f'block_size is {settings.block_size} px, algorithm bm needs {_SMALLEST_BLOCK} px '
                f'or more: set block_size to {_SMALLEST_BLOCK}, or algorithm to sgbm'
            )
        if settings.disp12_max_diff >= 0:
            _check_left_right_check(settings)
        if exceeds_response_table(self.pre_filter_window(settings)):
            raise SettingsError(
                f'pre_filter_size is {settings.pre_filter_size} px, for which the '
                'normalized_response of OpenCV reads outside of its table: set it to 49 or less, '
                'or pre_filter_type to xsobel'
            )

    def margin(self, settings: SettingFields) -> int:
        """Half a block: only whole blocks are compared."""
        return settings.block_size // 2

    def left_border(self, settings: SettingFields) -> int:
        """Up to the largest disparity searched."""
        return max(settings.min_disparity + settings.num_disparities - 1, 0)

    def context(self, settings: SettingFields) -> int:
        """Half a block and a column for the gradient, which a block holds; half a pre-filter."""
        return settings.block_size + self.pre_filter_window(settings) // 2

    def fewest_columns(self, settings: SettingFields) -> int:
        """One: each block is matched by itself."""
        return 1

    def pre_filter_window(self, settings: SettingFields) -> int:
        """Of normalized_response; that of xsobel is fixed."""
        is_set = settings.pre_filter_type == 'normalized_response'
        return settings.pre_filter_size if is_set else 0


def _check_left_right_check(settings: SettingFields) -> None:
    limits = {'block_size': _LARGEST_CHECKED_BLOCK, 'pre_filter_cap': _LARGEST_CHECKED_CAP}
    for name, limit in limits.items():
        if getattr(settings, name) > limit:
            raise SettingsError(
                f'{name} is {getattr(settings, name)} and disp12_max_diff is '
                f'{settings.disp12_max_diff}: the left-right check of algorithm bm works up to '
                f'{name} {limit}, set it to that, or disp12_max_diff to -1'
            )


def left_right_check_is_defined(block_size: int, pre_filter_cap: int) -> bool:
    """Say whether the left-right check of OpenCV's StereoBM reads only what it has written."""
    return block_size <= _LARGEST_CHECKED_BLOCK and pre_filter_cap <= _LARGEST_CHECKED_CAP


def exceeds_response_table(window: int) -> bool:
    """Say whether responses exceed the -1280 .. 1535 that OpenCV has a table for.

    They are extreme where the pixel and its four neighbours are white on black, or the
    reverse: the cross counts 8 times its scale, each pixel of the window once.

    Parameters
    ----------
    window : int
        Side of the window of normalized_response, pixels; 0 for no such pre-filter.
    """
    if window == 0:
        return False
    cross_scale, sum_scale = response_scales(window)
    largest = (8 * cross_scale - 5 * sum_scale) * 255 >> RESPONSE_BITS
    smallest = -(window * window - 5) * sum_scale * 255 >> RESPONSE_BITS
    return largest > 1535 or smallest < -1280


def response_scales(window: int) -> tuple[int, int]:
    """Return the scales of normalized_response as OpenCV has them, in 1/1024.

    That of the pixel and its four neighbours, which together count 8 times, and that of each
    pixel of the window, whose side is `window` pixels.
    """
    area = window * window // 8
    sum_scale = ((1 << RESPONSE_BITS) + area) // (2 * area)
    return area * sum_scale, sum_scale
