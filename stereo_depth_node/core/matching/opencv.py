# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stereo matching with OpenCV, its traps closed.

A matcher gives fixed-point disparities: int16 in steps of 1/16 px. A pixel without a match holds
``(min_disparity - 1) * 16``, below every disparity searched.

OpenCV checks part of its settings only when it computes, and part not at all:

- StereoBM with as many disparities as the image has columns returns memory it never wrote.
- StereoBM with min_disparity > 0 writes past the right end of each row, into the next one.
- StereoSGBM takes even blocks, and its result is not deterministic when half a block is as wide
  as the valid part of the image.

So settings are checked against the image first (:func:`check_image_size`), and what lies outside
of the true valid window is invalid whatever OpenCV wrote there.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.settings import Settings

__all__ = [
    'DISPARITY_SCALE',
    'Matcher',
    'OpenCVMatcher',
    'ValidWindow',
    'check_image_size',
    'left_border',
    'region_of_interest',
    'valid_window',
]

Grey = npt.NDArray[np.uint8]
Fixed = npt.NDArray[np.int16]

# Fixed-point disparities are in 1/16 px (cv2.StereoMatcher.DISP_SCALE).
DISPARITY_SCALE = 16
_INT16_MAX = 32767

_SGBM_MODES = {
    'sgbm': cv2.STEREO_SGBM_MODE_SGBM,
    'sgbm_3way': cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    'sgbm_hh': cv2.STEREO_SGBM_MODE_HH,
    'sgbm_hh4': cv2.STEREO_SGBM_MODE_HH4,
}
_PRE_FILTERS = {
    'xsobel': cv2.STEREO_BM_PREFILTER_XSOBEL,
    'normalized_response': cv2.STEREO_BM_PREFILTER_NORMALIZED_RESPONSE,
}


class Matcher(Protocol):
    """Computes fixed-point disparities of a pair of grey images."""

    @property
    def backend(self) -> str:
        """Who does the work, and why, in words for people."""

    def compute(self, left: Grey, right: Grey, out: Fixed) -> None:
        """Match `left` with `right`, both (H, W) uint8, into `out`, (H, W) int16 in 1/16 px."""


class ValidWindow(NamedTuple):
    """The pixels of the left image that can have a disparity: [x0, x1) by [y0, y1)."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is left."""
        return self.x0 >= self.x1 or self.y0 >= self.y1

    def within(self, other: ValidWindow) -> ValidWindow:
        """Return the pixels that are in both windows."""
        return ValidWindow(
            max(self.x0, other.x0),
            max(self.y0, other.y0),
            min(self.x1, other.x1),
            min(self.y1, other.y1),
        )


def valid_window(settings: Settings, width: int, height: int) -> ValidWindow:
    """Return the pixels that can have a disparity.

    A left pixel x is compared with x - d for every d searched, so that
    max(d) <= x < W + min(d, 0); bm leaves out half a block at each border as well.
    (`cv2.getValidDisparityROI` misses the right limit at a negative min_disparity, and its
    rule for sgbm is bm's.) With fill_left_band the left limit is the border's alone.

    Parameters
    ----------
    settings : Settings
        The matcher's settings.
    width, height : int
        Size of the images, pixels.
    """
    half = settings.block_size // 2 if settings.algorithm == 'bm' else 0
    x0 = 0 if settings.fill_left_band else left_border(settings)
    x1 = width + min(settings.min_disparity, 0)
    return ValidWindow(x0 + half, half, min(x1, width - half), height - half)


def region_of_interest(settings: Settings, width: int, height: int) -> ValidWindow:
    """Return the pixels that are asked for: roi_x, roi_y, roi_width and roi_height.

    Parameters
    ----------
    settings : Settings
        In pixels of these images.
    width, height : int
        Size of the images, pixels.
    """
    x1 = settings.roi_x + settings.roi_width if settings.roi_width else width
    y1 = settings.roi_y + settings.roi_height if settings.roi_height else height
    return ValidWindow(settings.roi_x, settings.roi_y, x1, y1)


def left_border(settings: Settings) -> int:
    """Width of the band on the left without a full set of candidates, pixels."""
    end = settings.min_disparity + settings.num_disparities
    return max(end - 1 if settings.algorithm == 'bm' else end, 0)


def check_image_size(settings: Settings, width: int, height: int) -> None:
    """Check that the settings can work on images of this size.

    Parameters
    ----------
    settings : Settings
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
    size = f'{width}x{height}'
    if settings.block_size >= min(width, height):
        raise SettingsError(
            f'block_size is {settings.block_size} px, the images are {size}: '
            f'set block_size below {min(width, height)}'
        )
    has_window = settings.algorithm == 'bm' and settings.pre_filter_type == 'normalized_response'
    if has_window and settings.pre_filter_size >= min(width, height):
        raise SettingsError(
            f'pre_filter_size is {settings.pre_filter_size} px, the images are {size}: '
            f'set pre_filter_size below {min(width, height)}'
        )
    window = valid_window(settings.replace(fill_left_band=False), width, height)
    half = settings.block_size // 2
    too_narrow = settings.algorithm != 'bm' and half >= window.x1 - window.x0
    if window.is_empty or too_narrow:
        raise SettingsError(
            f'min_disparity {settings.min_disparity} and num_disparities '
            f'{settings.num_disparities} at block_size {settings.block_size} leave no column of '
            f'the {size} images to match: reduce num_disparities, or use wider images'
        )
    ends = (settings.min_disparity - 1, settings.min_disparity + settings.num_disparities)
    if max(abs(end) for end in ends) * DISPARITY_SCALE > _INT16_MAX:
        raise SettingsError(
            f'disparities from {ends[0] + 1} to {ends[1]} px do not fit the matcher (up to '
            f'{_INT16_MAX // DISPARITY_SCALE} px): reduce num_disparities, or downscale'
        )
    _check_region(settings, width, height)


def _check_region(settings: Settings, width: int, height: int) -> None:
    region = region_of_interest(settings, width, height)
    inside = region.x0 < region.x1 <= width and region.y0 < region.y1 <= height
    if not inside:
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


class OpenCVMatcher:
    """StereoBM or StereoSGBM of OpenCV.

    Speckles are not removed here: that is one filter for every matcher (:mod:`.invalidation`).

    Parameters
    ----------
    settings : Settings
        Any; `check_image_size` must have passed for the images that come.
    reason : str
        Why it is OpenCV, where something else was possible.
    """

    def __init__(self, settings: Settings, reason: str = '') -> None:
        self.backend = f'opencv ({reason})' if reason else 'opencv'
        self._matcher = (
            _create_bm(settings) if settings.algorithm == 'bm' else _create_sgbm(settings)
        )

    def compute(self, left: Grey, right: Grey, out: Fixed) -> None:
        """Match a pair; see :class:`Matcher`."""
        result = self._matcher.compute(left, right, out)
        if result is not out:
            np.copyto(out, result)


def _create_bm(settings: Settings) -> Any:
    matcher = cv2.StereoBM.create(settings.num_disparities, settings.block_size)
    matcher.setMinDisparity(settings.min_disparity)
    matcher.setPreFilterType(_PRE_FILTERS[settings.pre_filter_type])
    matcher.setPreFilterSize(settings.pre_filter_size)
    matcher.setPreFilterCap(settings.pre_filter_cap)
    matcher.setTextureThreshold(settings.texture_threshold)
    matcher.setUniquenessRatio(settings.uniqueness_ratio)
    matcher.setDisp12MaxDiff(settings.disp12_max_diff)
    return matcher


def _create_sgbm(settings: Settings) -> Any:
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
        mode=_SGBM_MODES[settings.algorithm],
    )
