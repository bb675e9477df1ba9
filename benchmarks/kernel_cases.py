# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Random images and settings on which the kernel is compared with OpenCV."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.matching.kernel.limits import kernel_supports, StereoBMParameters
from stereo_depth_node.core.matching.kernel.matcher import NumbaBlockMatcher

DEFAULTS: dict[str, Any] = {
    'min_disparity': 0,
    'num_disparities': 64,
    'block_size': 15,
    'pre_filter_type': 'xsobel',
    'pre_filter_size': 9,
    'pre_filter_cap': 31,
    'texture_threshold': 10,
    'uniqueness_ratio': 15,
    'disp12_max_diff': -1,
}

_PRE_FILTERS = {
    'xsobel': cv2.STEREO_BM_PREFILTER_XSOBEL,
    'normalized_response': cv2.STEREO_BM_PREFILTER_NORMALIZED_RESPONSE,
}


class Case(NamedTuple):
    """A pair of images, the matcher's settings and those of the speckle filter (in px)."""

    left: np.ndarray
    right: np.ndarray
    settings: dict[str, Any]
    speckle_window_size: int
    speckle_range: int

    def __str__(self) -> str:
        height, width = self.left.shape
        return f'{width}x{height} {self.settings}'


def random_case(rng: np.random.Generator) -> Case:
    """Draw a case that the kernel supports."""
    while True:
        width, height = int(rng.integers(12, 200)), int(rng.integers(7, 72))
        settings = _random_settings(rng, min(width, height))
        nearest = settings['min_disparity'] + settings['num_disparities'] - 1
        farthest = settings['min_disparity']
        columns = width + min(farthest, 0) - max(nearest, 0) - settings['block_size']
        is_worthwhile = columns > 0 or rng.random() < 0.1
        parameters = StereoBMParameters(**settings)
        if is_worthwhile and kernel_supports(parameters, height=height) is None:
            break
    left, right = _random_images(rng, width, height, settings)
    return Case(left, right, settings, int(rng.choice([0, 0, 10, 60])), int(rng.integers(0, 4)))


def _random_settings(rng: np.random.Generator, side: int) -> dict[str, Any]:
    """Draw common and unusual values, so that both code paths of OpenCV are covered."""
    small = min(21, side - 1)
    largest = small if rng.random() < 0.75 else min(255, side - 1)
    return {
        'min_disparity': int(rng.choice([0, 0, rng.integers(-90, 60), rng.integers(-8, 9)])),
        'num_disparities': 16 * int(rng.choice([1, 1, 2, 3, 4, 5])),
        'block_size': 5 + 2 * int(rng.integers(0, (largest - 5) // 2 + 1)),
        'pre_filter_type': str(rng.choice(['xsobel', 'xsobel', 'normalized_response'])),
        'pre_filter_size': 5 + 2 * int(rng.integers(0, rng.choice([8, 126]))),
        'pre_filter_cap': int(rng.choice([31, 31, rng.integers(1, 32), rng.integers(32, 64)])),
        'texture_threshold': int(rng.choice([0, 10, rng.integers(0, 3000)])),
        'uniqueness_ratio': int(rng.choice([0, 15, rng.integers(0, 100)])),
        'disp12_max_diff': int(rng.choice([-1, 0, rng.integers(0, 6)])),
    }


def _random_images(
    rng: np.random.Generator, width: int, height: int, settings: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Make a textured pair with a shift, then disturb it."""
    texture = rng.integers(0, 256, (height, width + 200)).astype(np.float32)
    texture = cv2.GaussianBlur(texture, (0, 0), float(rng.choice([0.3, 1.0, 3.0])))
    texture = (texture - texture.mean()) * rng.choice([0.2, 1.0, 4.0]) + rng.choice([40, 128, 220])
    nearest = settings['min_disparity'] + settings['num_disparities']
    shift = int(np.clip(rng.integers(settings['min_disparity'] - 2, nearest + 2), -95, 95))
    starts = (100 - shift // 2, 100 - shift // 2 + shift)
    pair = [texture[:, start : start + width].copy() for start in starts]
    for image in pair:
        np.add(image, rng.normal(0, rng.choice([0.0, 1.0, 10.0]), image.shape), out=image)
        for value in (0.0, 255.0, 128.0):
            if rng.random() < 0.25:  # a flat or saturated region
                x, y = rng.integers(0, width), rng.integers(0, height)
                image[y : y + height // 2, x : x + width // 2] = value
    if rng.random() < 0.05:
        pair[1] = pair[0].copy()
    if rng.random() < 0.05:
        stripes = np.arange(width) // int(rng.integers(1, 9)) % 2 * 200.0
        pair = [np.tile(stripes, (height, 1)) for _ in pair]
    left, right = (np.clip(image, 0, 255).astype(np.uint8) for image in pair)
    return left, right


def opencv_matcher(settings: dict[str, Any]) -> Any:
    """Make the `cv2.StereoBM` of these settings."""
    matcher = cv2.StereoBM.create(settings['num_disparities'], settings['block_size'])
    matcher.setMinDisparity(settings['min_disparity'])
    matcher.setPreFilterType(_PRE_FILTERS[settings['pre_filter_type']])
    matcher.setPreFilterSize(settings['pre_filter_size'])
    matcher.setPreFilterCap(settings['pre_filter_cap'])
    matcher.setTextureThreshold(settings['texture_threshold'])
    matcher.setUniquenessRatio(settings['uniqueness_ratio'])
    matcher.setDisp12MaxDiff(settings['disp12_max_diff'])
    return matcher


def opencv_result(case: Case) -> np.ndarray:
    """Match with OpenCV, then filter speckles; pixels that it leaves unwritten are invalid.

    On one thread: at a positive min_disparity its strips of rows write into each other.
    """
    height = len(case.left)
    out = np.full(case.left.shape, _invalid(case), np.int16)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        opencv_matcher(case.settings).compute(case.left, case.right, out)
    finally:
        cv2.setNumThreads(threads)
    # There it also writes past the end of each row; below the last valid one, that stays.
    out[height - case.settings['block_size'] // 2 :] = _invalid(case)
    return _without_speckles(out, case)


def kernel_result(case: Case, threads: int) -> np.ndarray:
    """Match with the kernel, then filter speckles."""
    matcher = NumbaBlockMatcher(StereoBMParameters(**case.settings), threads=threads)
    out = np.empty(case.left.shape, np.int16)
    try:
        matcher.compute(case.left, case.right, out)
    finally:
        matcher.close()
    return _without_speckles(out, case)


def _without_speckles(disparities: np.ndarray, case: Case) -> np.ndarray:
    if case.speckle_window_size > 0:
        largest = case.speckle_range * DISPARITY_SCALE
        cv2.filterSpeckles(disparities, _invalid(case), case.speckle_window_size, largest)
    return disparities


def _invalid(case: Case) -> int:
    return (case.settings['min_disparity'] - 1) * DISPARITY_SCALE
