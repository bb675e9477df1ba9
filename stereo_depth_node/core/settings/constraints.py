# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which settings are impossible together, most of them because OpenCV computes nonsense then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.matching.kernel.limits import leaves_table

if TYPE_CHECKING:
    from stereo_depth_node.core.settings.settings import Settings

__all__ = ['MAX_PENALTY', 'check_together']

# OpenCV's sgbm adds the cost of a block and p2 in int16: half of it for either. Above that the
# sums overflow without a word and most disparities are wrong. p2 follows from the block by
# OpenCV's rule, 32 * 21^2 = 14112.
MAX_PENALTY = 16384
_MAX_SGBM_BLOCK = 21
_DOWNSCALES = (1, 2, 4)
_MEDIAN_SIZES = (0, 3, 5)


def check_together(settings: Settings) -> None:
    """Check the settings that are possible by themselves as a whole.

    Raises
    ------
    SettingsError
        If they are impossible together. The text names the values and what to set instead.
    """
    if settings.downscale not in _DOWNSCALES:
        raise SettingsError(f'downscale is {settings.downscale}: set it to 1, 2 or 4')
    if settings.median_size not in _MEDIAN_SIZES:
        raise SettingsError(f'median_size is {settings.median_size} px: set it to 0, 3 or 5')
    if 0.0 < settings.max_depth <= settings.min_depth:
        raise SettingsError(
            f'min_depth is {settings.min_depth} m and max_depth is {settings.max_depth} m: '
            'set max_depth above min_depth, or to 0 for no limit'
        )
    if settings.wls_lambda > 0.0:
        _check_smoothing(settings)
    if settings.algorithm == 'bm':
        _check_block_matching(settings)
    else:
        _check_semi_global(settings)


def _check_block_matching(settings: Settings) -> None:
    if settings.block_size < 5:
        raise SettingsError(
            f'block_size is {settings.block_size} px, algorithm bm needs 5 px or more: '
            'set block_size to 5, or algorithm to sgbm'
        )
    if settings.disp12_max_diff >= 0:
        _check_left_right_check(settings)
    has_window = settings.pre_filter_type == 'normalized_response'
    if has_window and leaves_table(settings.pre_filter_size):
        raise SettingsError(
            f'pre_filter_size is {settings.pre_filter_size} px, for which the normalized_response '
            'of OpenCV reads outside of its table: set it to 49 or less, or pre_filter_type to '
            'xsobel'
        )


def _check_left_right_check(settings: Settings) -> None:
    """Refuse where OpenCV's StereoBM checks against matching costs that it never wrote.

    Its code for large blocks and caps leaves them out (seen in 4.14 and 5.0): the result changes
    from call to call.
    """
    for name, limit in (('block_size', 21), ('pre_filter_cap', 31)):
        if getattr(settings, name) > limit:
            raise SettingsError(
                f'{name} is {getattr(settings, name)} and disp12_max_diff is '
                f'{settings.disp12_max_diff}: the left-right check of algorithm bm works up to '
                f'{name} {limit}, set it to that, or disp12_max_diff to -1'
            )


def _check_semi_global(settings: Settings) -> None:
    """Refuse what overflows the 16-bit sums of OpenCV's StereoSGBM."""
    algorithm, block_size = settings.algorithm, settings.block_size
    p1, p2 = settings.penalties
    if block_size > _MAX_SGBM_BLOCK:
        raise SettingsError(
            f'block_size is {block_size} px, algorithm {algorithm} takes {_MAX_SGBM_BLOCK} px at '
            'most: 3 to 11 px suit it best'
        )
    if p1 >= p2:
        raise SettingsError(
            f'p1 is {p1} and p2 is {p2} at block_size {block_size}: set p2 above p1'
        )


def _check_smoothing(settings: Settings) -> None:
    """Refuse smoothing that the installed OpenCV does not have."""
    from stereo_depth_node.core.disparity.smoothing import smoothing_is_available

    if not smoothing_is_available():
        raise SettingsError(
            f'wls_lambda is {settings.wls_lambda}, and the installed OpenCV has no ximgproc: '
            'install one with the contrib modules (pip: opencv-contrib-python-headless in '
            'place of opencv-python-headless), or set wls_lambda to 0'
        )
