# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Matching of pairs as a search needs it: many settings, each for one pair."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from stereo_depth_node.core.arrays import Float, Grey, Mask
from stereo_depth_node.core.disparity.depth import known_disparity
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings import Settings

__all__ = [
    'Pair',
    'Strip',
    'at_full_size',
    'consistent_pixels',
    'matched_disparity',
    'pipeline_for',
    'strips_of',
]


# Pairs with more pixels than this are scored by strips of rows, so that a search ends in time.
_MOST_PIXELS = 500_000
_STRIPS = 3
# Rows around a strip that are matched but do not count: the reach of blocks up to this size.
_MARGIN_ROWS = 20
# Disparities of the left and of the right image that differ by more are not the same.
_SAME_PX = 1.0

Strip = tuple[Grey, Grey, slice]
"""Rows of the left and of the right image, and which of them count."""


class Pair(Protocol):
    """A rectified pair to score settings by: any class that has these."""

    @property
    def left(self) -> Grey:
        """The grey image of the left camera, (H, W) uint8."""

    @property
    def right(self) -> Grey:
        """The grey image of the right camera, (H, W) uint8."""

    @property
    def truth(self) -> Float | None:
        """x_l - x_r, pixels, (H, W) float32, NaN where unknown; None without a ground truth."""


def pipeline_for(settings: Settings, image: Grey) -> StereoPipeline:
    """Make a pipeline for pairs of the size of `image`, (H, W) uint8."""
    height, width = image.shape
    # Each one computes a frame or two: OpenCV needs no compilation, and gives the same.
    return StereoPipeline(settings.replace(matcher_backend='opencv'), width, height)


def matched_disparity(pipeline: StereoPipeline, left: Grey, right: Grey) -> Float:
    """Match a pair and return x_l - x_r, (h, w) float32, pixels, NaN where there is none."""
    pipeline.match(left, right)
    return known_disparity(pipeline.fixed, pipeline.settings.min_disparity)


def consistent_pixels(from_left: Float, from_right: Float) -> Mask:
    """Return where the right image gives the same disparity to within 1 px, (H, W) bool.

    Parameters
    ----------
    from_left, from_right : (H, W) float32 ndarray
        Disparities x_l - x_r in pixels at each left and at each right pixel, NaN where unknown.
    """
    height, width = from_left.shape
    known = np.isfinite(from_left)
    columns = np.arange(width, dtype=np.int32)[np.newaxis, :]
    matched = columns - np.rint(np.where(known, from_left, np.float32(0))).astype(np.int32)
    is_inside = (matched >= 0) & (matched < width)
    rows = np.arange(height)[:, np.newaxis]
    seen = from_right[rows, np.clip(matched, 0, width - 1)]
    with np.errstate(invalid='ignore'):
        is_same = np.abs(seen - from_left) <= _SAME_PX
    return np.asarray(known & is_inside & is_same)


def at_full_size(
    image: Float, factor: int, height: int, width: int, scale: int | None = None
) -> Float:
    """Repeat each pixel of a reduced image; disparities are scaled with it.

    Parameters
    ----------
    image : (height // factor, width // factor) float32 ndarray
        Values of the reduced image.
    factor : int
        By which it is reduced.
    height, width : int
        Of the result; what `factor` leaves over is NaN.
    scale : int, optional
        Factor of the values; `factor` by default, as for disparities.
    """
    if factor == 1:
        return image
    full = np.full((height, width), np.nan, np.float32)
    repeated = image.repeat(factor, axis=0).repeat(factor, axis=1)
    full[: repeated.shape[0], : repeated.shape[1]] = repeated
    return full * np.float32(factor if scale is None else scale)


def strips_of(pair: Pair, rng: np.random.Generator) -> list[Strip]:
    """Cut a large pair into strips of rows, at random places; a small one is one strip."""
    height, width = pair.left.shape
    rows = _MOST_PIXELS // width // _STRIPS
    if height * width <= _MOST_PIXELS or rows <= 2 * _MARGIN_ROWS:
        return [(pair.left, pair.right, slice(0, height))]
    strips: list[Strip] = []
    for part in range(_STRIPS):
        # One strip at a random place in each third.
        first = height * part // _STRIPS
        room = height * (part + 1) // _STRIPS - first - rows
        top = first + int(rng.integers(0, max(room, 0) + 1))
        start, stop = max(top - _MARGIN_ROWS, 0), min(top + rows + _MARGIN_ROWS, height)
        left, right = (
            np.ascontiguousarray(image[start:stop]) for image in (pair.left, pair.right)
        )
        strips.append((left, right, slice(top - start, top - start + rows)))
    return strips
