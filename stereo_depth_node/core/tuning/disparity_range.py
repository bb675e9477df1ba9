# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which disparities a pair has, found before it is matched.

Three estimates that err for different reasons: corners tracked from image to image, which need
no range but miss small and plain things; block matching of the reduced pair over half of its
width, which guesses where there is no texture; and semi-global matching of it, which continues
surfaces. Each end of the range is where most of them agree. What an estimate has beyond that is
reported and not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
import math

import cv2
import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Grey
from stereo_depth_node.core.disparity.depth import known_disparity
from stereo_depth_node.core.disparity.invalidation import invalid_value, SpeckleFilter
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings import DISPARITY_STEP, Settings
from stereo_depth_node.core.settings.algorithms.semi_global import NO_LEFT_RIGHT_CHECK
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.sparse_matches import match_corners
from stereo_depth_node.core.tuning.matching import consistent_pixels

__all__ = ['DisparityRange', 'agreed_range', 'find_disparity_range']


# Ends of what an estimate has found; beyond are mostly mistakes. Corners are few.
_CORNER_PERCENT = (0.5, 99.5)
_DENSE_PERCENT = (0.2, 99.8)
# Estimates of an end agree to within this share of the range, or so many pixels.
_AGREEMENT_SHARE = 0.2
_AGREEMENT_PX = 4.0
# Between the nearest point found and the nearest there is.
_MARGIN_SHARE = 0.05
_MARGIN_PX = 2.0
# Of fewer points the percentiles are not reliable.
_FEWEST_MATCHES = 50
# Calibration leaves that much below the disparity of infinity.
_CALIBRATION_PX = 2.0
_REDUCED_WIDTH = 400
# Smaller groups of pixels do not prove that a disparity is there.
_ISLAND = 100
_REDUCED_MATCHERS: dict[str, Changes] = {
    'block matching': {'block_size': 9, 'pre_filter_cap': 15, 'uniqueness_ratio': 10},
    'semi-global matching': {
        'algorithm': 'sgbm_3way',
        'block_size': 3,
        'p1': 72,
        'p2': 288,
        'uniqueness_ratio': 10,
        'disp12_max_diff': NO_LEFT_RIGHT_CHECK,
    },
}


@dataclass(frozen=True)
class DisparityRange:
    """Disparities from `low` to `high`, pixels.

    Attributes
    ----------
    low, high : float
        The ends.
    unused : tuple of str
        For people: what was found beyond them and is not used.
    """

    low: float
    high: float
    unused: tuple[str, ...] = ()

    def joined(self, other: DisparityRange) -> DisparityRange:
        """Return the smallest range that holds both."""
        return DisparityRange(
            min(self.low, other.low),
            max(self.high, other.high),
            (*self.unused, *(text for text in other.unused if text not in self.unused)),
        )

    def widened(self) -> DisparityRange:
        """Return the range with a margin at either end."""
        margin = _MARGIN_PX + _MARGIN_SHARE * (self.high - self.low)
        return replace(self, low=self.low - margin, high=self.high + margin)

    def reaching(self, infinity_px: float) -> DisparityRange:
        """Return the range from the disparity of infinity on, that of the farthest of points.

        What lies more than 2 px and the margin below it stays in the range: then the cameras are
        not parallel, or `infinity_px` is not theirs.
        """
        margin = _MARGIN_PX + _MARGIN_SHARE * (self.high - self.low)
        is_beyond = self.low + margin < infinity_px - _CALIBRATION_PX
        return replace(
            self,
            low=self.low if is_beyond else infinity_px,
            high=max(self.high, infinity_px),
        )

    def applied_to(self, settings: Settings) -> Settings:
        """Return `settings` that search this range."""
        low = math.floor(self.low)
        count = math.ceil((self.high - low + 1.0) / DISPARITY_STEP) * DISPARITY_STEP
        return settings.replace(min_disparity=low, num_disparities=max(count, DISPARITY_STEP))


def find_disparity_range(pairs: Iterable[tuple[Grey, Grey]]) -> DisparityRange:
    """Find the range of disparities of one or more pairs, with a margin.

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
        agreed_range(estimates)
        for estimates in (_estimates(left, right) for left, right in pairs)
        if estimates
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


def agreed_range(estimates: Sequence[tuple[str, DisparityRange]]) -> DisparityRange:
    """Return the range that most estimates agree on.

    At each end that is the outermost estimate that agrees with the middle one; of two that
    do not agree the inner one, as what is wrong is mostly far off.

    Parameters
    ----------
    estimates : sequence of (str, DisparityRange)
        At least one, with how each was found.
    """
    lows = sorted((each.low for _, each in estimates), reverse=True)
    highs = sorted(each.high for _, each in estimates)
    middle = (len(estimates) - 1) // 2
    low, high = lows[middle], highs[middle]
    tolerance = max(_AGREEMENT_PX, _AGREEMENT_SHARE * (high - low))
    low = min(end for end in lows if end >= low - tolerance)
    high = max(end for end in highs if end <= high + tolerance)
    unused = tuple(
        f'{name} found {each.low:.0f} to {each.high:.0f} px; beyond {low:.0f} to {high:.0f} px '
        'that is not confirmed and not used'
        for name, each in estimates
        if each.low < low or each.high > high
    )
    return DisparityRange(low, high, unused)


def _estimates(left: Grey, right: Grey) -> list[tuple[str, DisparityRange]]:
    """Return what each method finds, with its name; nothing when it is not to be trusted."""
    corners = _from_corners(left, right)
    dense = [
        (name, part)
        for name, changes in _REDUCED_MATCHERS.items()
        if (part := _from_reduced_pair(left, right, changes)) is not None
    ]
    if corners is not None:
        return [('tracking of corners', corners), *dense]
    # One alone finds something in any two images.
    return dense if len(dense) > 1 else []


def _from_corners(left: Grey, right: Grey) -> DisparityRange | None:
    matches = match_corners(left, right)
    if not matches.are_enough or len(matches.disparities) < _FEWEST_MATCHES:
        return None
    low, high = matches.disparity_percentiles(*_CORNER_PERCENT)
    return DisparityRange(low, high)


def _from_reduced_pair(left: Grey, right: Grey, changes: Changes) -> DisparityRange | None:
    """Match the reduced pair over a wide range, from left to right and back.

    Only larger patches count whose disparities are the same both ways.
    """
    height, width = left.shape
    factor = max(1, math.ceil(width / _REDUCED_WIDTH))
    size = (width // factor, height // factor)
    low = -(size[0] // 8)
    count = (size[0] // 2 - low) // DISPARITY_STEP * DISPARITY_STEP
    settings = Settings(
        matcher_backend='opencv',
        min_disparity=low,
        num_disparities=max(count, DISPARITY_STEP),
        fill_left_band=True,
    ).merged(changes)
    try:
        pipeline = StereoPipeline(settings, *size)
    except SettingsError:  # too small an image
        return None
    small = [
        np.asarray(
            cv2.resize(
                image[: size[1] * factor, : size[0] * factor], size, interpolation=cv2.INTER_AREA
            ),
            np.uint8,
        )
        for image in (left, right)
    ]
    pipeline.match(*small)
    fixed = pipeline.fixed.copy()
    pipeline.match(*(np.ascontiguousarray(image[:, ::-1]) for image in reversed(small)))
    from_left, from_right = (
        known_disparity(each, low) for each in (fixed, pipeline.fixed[:, ::-1])
    )
    invalid = invalid_value(low)
    fixed[~consistent_pixels(from_left, from_right)] = invalid
    SpeckleFilter(_ISLAND, 1).remove(fixed, invalid)
    known = fixed[fixed > invalid]
    if known.size < _ISLAND:
        return None
    ends = np.percentile(known, _DENSE_PERCENT) * (factor / DISPARITY_SCALE)
    return DisparityRange(float(ends[0]), float(ends[1]))
