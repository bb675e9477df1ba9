# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which settings are impossible together, and which on images of a given size.

What is impossible with one algorithm alone stands in its entry (:mod:`.algorithms`). Most of it
OpenCV accepts, and then computes nonsense:

- StereoBM with as many disparities as the image has columns returns memory it never wrote.
- StereoSGBM takes even blocks, and its result is not deterministic when half a block is as wide
  as the valid part of the image.
- Neither checks that the disparities fit into its 16 bits.
"""

from __future__ import annotations

import cv2

from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.algorithms.table import algorithm_of
from stereo_depth_node.core.settings.fields import (
    DISPARITY_STEP,
    SettingFields,
    SMALLEST_BASELINE_M,
)
from stereo_depth_node.core.settings.window import region_of_interest, valid_window

__all__ = [
    'check_image_size',
    'check_together',
    'fits_fixed_point',
    'smoothing_is_available',
]

_DOWNSCALES = (1, 2, 4)
_MEDIAN_SIZES = (0, 3, 5)
_LARGEST_FIXED = 32767
# The points of smaller ones are told apart to a few metres only (:mod:`.point_cloud`).
_SMALLEST_VOXEL_M = 0.001


def check_together(settings: SettingFields) -> None:
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
    if 0.0 < settings.baseline < SMALLEST_BASELINE_M:
        raise SettingsError(
            f'baseline is {settings.baseline} m: set it to {SMALLEST_BASELINE_M:g} m or more, or '
            'to 0 for that of the calibration'
        )
    if 0.0 < settings.points_voxel < _SMALLEST_VOXEL_M:
        raise SettingsError(
            f'points_voxel is {settings.points_voxel} m: set it to {_SMALLEST_VOXEL_M} m or more, '
            'or to 0 to take all points'
        )
    if settings.points_organized and settings.points_voxel > 0.0:
        raise SettingsError(
            f'points_organized is true and points_voxel is {settings.points_voxel} m: an image of '
            'points has one for every pixel, set points_voxel to 0 (and points_step to thin it '
            'out), or points_organized to false'
        )
    if settings.wls_lambda > 0.0 and not smoothing_is_available():
        raise SettingsError(
            f'wls_lambda is {settings.wls_lambda}, and the installed OpenCV has no ximgproc: '
            'install one with the contrib modules (pip: opencv-contrib-python-headless in '
            'place of opencv-python-headless), or set wls_lambda to 0'
        )
    algorithm_of(settings).check(settings)


def check_image_size(settings: SettingFields, width: int, height: int) -> None:
    """Check that the settings can work on images of this size.

    Parameters
    ----------
    settings : SettingFields
        The matcher's settings.
    width, height : int
        Size of the images, pixels.

    Raises
    ------
    SettingsError
        If the block or the pre-filter's window is not smaller than the image, if no pixel could
        get a disparity, if a disparity would not fit int16, or if the region of interest is not
        in the image. The text says what to set.
    """
    algorithm = algorithm_of(settings)
    size = f'{width}x{height}'
    if algorithm.smallest_block >= min(width, height):
        raise SettingsError(
            f'images of {size} are too small to match, algorithm {settings.algorithm} compares '
            f'blocks of {algorithm.smallest_block} px at least: publish larger images, or reduce '
            'them less (downscale)'
        )
    if settings.block_size >= min(width, height):
        raise SettingsError(
            f'block_size is {settings.block_size} px, the images are {size}: '
            f'set block_size below {min(width, height)}'
        )
    if algorithm.pre_filter_window(settings) >= min(width, height):
        raise SettingsError(
            f'pre_filter_size is {settings.pre_filter_size} px, the images are {size}: '
            f'set pre_filter_size below {min(width, height)}'
        )
    window = valid_window(settings, width, height, fill_left_band=False)
    if window.is_empty or window.x1 - window.x0 < algorithm.fewest_columns(settings):
        least = {
            'num_disparities': DISPARITY_STEP,
            'min_disparity': 0,
            'block_size': algorithm.smallest_block,
        }
        large = [name for name, value in least.items() if getattr(settings, name) > value]
        cure = f'reduce {large[0]}, or use wider images' if large else 'use wider images'
        raise SettingsError(
            f'min_disparity {settings.min_disparity} and num_disparities '
            f'{settings.num_disparities} at block_size {settings.block_size} leave no column of '
            f'the {size} images to match: {cure}'
        )
    low, end = settings.min_disparity, settings.min_disparity + settings.num_disparities
    if not fits_fixed_point(settings.min_disparity, settings.num_disparities):
        raise SettingsError(
            f'disparities from {low} to {end} px do not fit the matcher (up to '
            f'{_LARGEST_FIXED // DISPARITY_SCALE} px): reduce num_disparities, or downscale'
        )
    _check_region(settings, width, height)


def _check_region(settings: SettingFields, width: int, height: int) -> None:
    region = region_of_interest(settings, width, height)
    is_inside = region.x0 < region.x1 <= width and region.y0 < region.y1 <= height
    if not is_inside:
        raise SettingsError(
            f'the region of interest is x {region.x0} to {region.x1} and y {region.y0} to '
            f'{region.y1} px, the images that are matched are {width}x{height}: set roi_x, '
            'roi_y, roi_width and roi_height inside of the image, or all to 0 for all of it'
        )
    window = valid_window(settings, width, height)
    if window.within(region).is_empty:
        raise SettingsError(
            f'the region of interest, x {region.x0} to {region.x1} and y {region.y0} to '
            f'{region.y1} px, lies where nothing can be matched (possible are x {window.x0} to '
            f'{window.x1}, y {window.y0} to {window.y1}): move it, or set fill_left_band to true'
        )


def fits_fixed_point(min_disparity: int, num_disparities: int) -> bool:
    """Say whether all disparities, and the invalid one 1 px below them, fit 1/16 px in int16."""
    ends = (min_disparity - 1, min_disparity + num_disparities)
    return max(abs(end) for end in ends) * DISPARITY_SCALE <= _LARGEST_FIXED


def smoothing_is_available() -> bool:
    """Say whether the installed OpenCV has the filter that wls_lambda switches on."""
    return hasattr(getattr(cv2, 'ximgproc', None), 'createFastGlobalSmootherFilter')
