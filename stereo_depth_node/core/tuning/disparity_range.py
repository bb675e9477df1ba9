# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which disparities a pair has, found before it is matched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import math

import cv2
import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Grey
from stereo_depth_node.core.disparity.invalidation import invalid_value, remove_speckles
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings import DISPARITY_STEP, Settings
from stereo_depth_node.core.sparse_matches import match_corners
from stereo_depth_node.core.tuning.consistency import consistent_pixels

__all__ = ['DisparityRange', 'find_disparity_range']


# Ends of the range of what was found; beyond are mostly mistakes.
_PERCENT = (0.5, 99.5)
# Between the nearest point found and the nearest there is.
_MARGIN_SHARE = 0.05
_MARGIN_PX = 2.0
# Of fewer points the percentiles are not reliable.
_FEWEST_MATCHES = 50
_PROBE_WIDTH = 400
_PROBE_BLOCK = 9
# Smaller groups of pixels do not prove that a disparity is there.
_PROBE_ISLAND = 50


@dataclass(frozen=True)
class DisparityRange:
    """Disparities from `low` to `high`, pixels."""

    low: float
    high: float

    def joined(self, other: DisparityRange) -> DisparityRange:
        """Return the smallest range that holds both."""
        return DisparityRange(min(self.low, other.low), max(self.high, other.high))

    def widened(self) -> DisparityRange:
        """Return the range with a margin at either end."""
        margin = _MARGIN_PX + _MARGIN_SHARE * (self.high - self.low)
        return DisparityRange(self.low - margin, self.high + margin)

    def applied_to(self, settings: Settings) -> Settings:
        """Return `settings` that search this range."""
        low = math.floor(self.low)
        count = math.ceil((self.high - low + 1.0) / DISPARITY_STEP) * DISPARITY_STEP
        return settings.replace(min_disparity=low, num_disparities=max(count, DISPARITY_STEP))


def find_disparity_range(pairs: Iterable[tuple[Grey, Grey]]) -> DisparityRange:
    """Find the range of disparities of one or more pairs, with a margin.

    First from sparse matches of corners, which need no range; then, as corners miss small near
    things, from a dense match of the reduced pair over half of its width, of which only larger
    patches count that are consistent from left to right and back.

    Parameters
    ----------
    pairs : iterable of two (H, W) uint8 ndarray
        Rectified pairs.

    Raises
    ------
    SettingsError
        If nothing is found: the images show different things, or are not rectified.
    """
    found = [
        part
        for left, right in pairs
        for part in (_from_corners(left, right), _from_probe(left, right))
        if part is not None
    ]
    if not found:
        raise SettingsError(
            'the two images have too little in common to find a range of disparities: check '
            'that they are a rectified pair, or set min_disparity and num_disparities'
        )
    total = found[0]
    for part in found[1:]:
        total = total.joined(part)
    return total.widened()


def _from_corners(left: Grey, right: Grey) -> DisparityRange | None:
    matches = match_corners(left, right)
    if matches is None or len(matches.disparities) < _FEWEST_MATCHES:
        return None
    return DisparityRange(*matches.disparity_percentiles(*_PERCENT))


def _from_probe(left: Grey, right: Grey) -> DisparityRange | None:
    """Match the reduced pair over a wide range."""
    height, width = left.shape
    factor = max(1, math.ceil(width / _PROBE_WIDTH))
    size = (width // factor, height // factor)
    small = [
        np.asarray(
            cv2.resize(
                image[: size[1] * factor, : size[0] * factor], size, interpolation=cv2.INTER_AREA
            ),
            np.uint8,
        )
        for image in (left, right)
    ]
    low = -(size[0] // 8)
    count = (size[0] // 2 - low) // DISPARITY_STEP * DISPARITY_STEP
    if count < DISPARITY_STEP or min(size) <= 2 * _PROBE_BLOCK:
        return None
    settings = Settings(
        matcher_backend='opencv',
        block_size=_PROBE_BLOCK,
        min_disparity=low,
        num_disparities=count,
        pre_filter_cap=15,
        uniqueness_ratio=10,
        fill_left_band=True,
    )
    pipeline = StereoPipeline(settings, *size)
    pipeline.match(*small)
    fixed = pipeline.fixed.copy()
    pipeline.match(*(np.ascontiguousarray(image[:, ::-1]) for image in reversed(small)))
    from_left, from_right = (
        np.where(
            each >= low * DISPARITY_SCALE, each / np.float32(DISPARITY_SCALE), np.float32(np.nan)
        ).astype(np.float32)
        for each in (fixed, pipeline.fixed[:, ::-1])
    )
    invalid = invalid_value(low)
    fixed[~consistent_pixels(from_left, from_right)] = invalid
    remove_speckles(fixed, invalid, _PROBE_ISLAND, 1)
    known = fixed[fixed > invalid]
    if known.size < _PROBE_ISLAND:
        return None
    ends = np.percentile(known, _PERCENT) * (factor / DISPARITY_SCALE)
    return DisparityRange(float(ends[0]), float(ends[1]))
