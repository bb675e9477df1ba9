# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How good a disparity image is, by the pair alone.

Without ground truth, two things are known about a right disparity. Matched from the right image,
the point has the same one. And the images look alike where it says that they show the same
point. The first finds gaps, hidden places and guesses; the second finds what is wrong in both
directions, above all blocks that spread a near surface over its surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Float, Grey, Mask

__all__ = ['AppearanceReference', 'Consistency', 'consistency_of', 'consistent_pixels']


_SAME_PX = 1.0
_RADIUS = 2
# Noise of single pixels would decide about comparisons of nearly equal ones.
_SMOOTHING_PX = 0.8
_COMPARED = tuple(
    (dy, dx)
    for dy in range(-_RADIUS, _RADIUS + 1)
    for dx in range(-_RADIUS, _RADIUS + 1)
    if (dy, dx) != (0, 0)
)


@dataclass(frozen=True)
class Consistency:
    """How far the disparities of a pair are consistent with it.

    Attributes
    ----------
    cost : float
        Mean over all pixels, in percent, of 1 where there is no disparity or the right image has
        another one, else of the share of comparisons that differ (about 0.5 for unrelated places).
    wrong : float
        The same mean over the pixels with a disparity, in percent; 0 when there is none.
    density : float
        Pixels with a disparity, in percent.
    """

    cost: float
    wrong: float
    density: float


class AppearanceReference:
    """The left image as others are compared with it: by its census transform.

    Each pixel is described by which of the 24 around it are brighter (Zabih and Woodfill,
    "Non-parametric local transforms for computing visual correspondence", ECCV 1994). That
    does not depend on gain and exposure, in which the cameras may differ.

    Parameters
    ----------
    left, right : (H, W) uint8 ndarray
        The pair.
    """

    def __init__(self, left: Grey, right: Grey) -> None:
        self._right = right
        self._left = _comparisons(left)
        height, width = left.shape
        columns = np.arange(width, dtype=np.float32)
        self._columns = np.tile(columns, (height, 1))
        rows = np.arange(height, dtype=np.float32)[:, np.newaxis]
        self._rows = np.ascontiguousarray(np.broadcast_to(rows, (height, width)))

    def difference(self, disparity: Float) -> Float:
        """Return the share, (H, W) float32, of comparisons that differ in the right image.

        Parameters
        ----------
        disparity : (H, W) float32 ndarray
            Pixels, NaN where unknown; the result is of no use there.
        """
        matched = self._columns - np.nan_to_num(disparity)
        moved = cv2.remap(
            self._right, matched, self._rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        differing = np.zeros(disparity.shape, np.uint8)
        for left, right in zip(self._left, _comparisons(np.asarray(moved, np.uint8)), strict=True):
            differing += left != right
        return differing * np.float32(1.0 / len(_COMPARED))


def consistency_of(
    appearance: AppearanceReference, from_left: Float, from_right: Float, counted: slice
) -> Consistency:
    """Measure how consistent a disparity image is.

    Parameters
    ----------
    appearance : AppearanceReference
        Of the pair.
    from_left, from_right : (H, W) float32 ndarray
        Disparities x_l - x_r in pixels at each left and at each right pixel, NaN where unknown.
    counted : slice
        The rows that count.
    """
    consistent = consistent_pixels(from_left, from_right)
    cost = np.where(consistent, appearance.difference(from_left), np.float32(1.0))[counted]
    known = np.isfinite(from_left[counted])
    count = np.count_nonzero(known)
    return Consistency(
        cost=100.0 * float(cost.mean()),
        wrong=100.0 * float(cost[known].mean()) if count else 0.0,
        density=100.0 * count / known.size,
    )


def consistent_pixels(from_left: Float, from_right: Float) -> Mask:
    """Return where the right image gives the same disparity to within 1 px, (H, W) bool.

    Parameters
    ----------
    from_left, from_right : (H, W) float32 ndarray
        As for `consistency_of`.
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


def _comparisons(image: Grey) -> list[Mask]:
    """Return for each neighbour where it is brighter than the pixel, 24 of (H, W) bool."""
    smooth = cv2.GaussianBlur(image, (0, 0), _SMOOTHING_PX)
    height, width = image.shape
    padded = cv2.copyMakeBorder(smooth, *(_RADIUS,) * 4, cv2.BORDER_REFLECT_101)
    return [
        padded[_RADIUS + dy : _RADIUS + dy + height, _RADIUS + dx : _RADIUS + dx + width] > smooth
        for dy, dx in _COMPARED
    ]
