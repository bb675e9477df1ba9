# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixed-point disparity to disparity in pixels and to metric depth.

With the rectified geometry of :class:`.StereoGeometry`::

    d = x_l - x_r - (cx_l - cx_r)      disparity, pixels, 0 for a point at infinity
    Z = f * B / d                      depth, metres

Depth falls as disparity rises, so that every limit on depth is a limit on the fixed-point
disparity: what is valid is decided once, exactly, on whole numbers (:func:`depth_limits`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.matching.opencv import DISPARITY_SCALE
from stereo_depth_node.core.settings.settings import Settings

__all__ = [
    'FixedLimits',
    'depth_from_disparity',
    'depth_limits',
    'disparity_in_pixels',
    'millimetres_from_depth',
]

Fixed = npt.NDArray[np.int16]
Float = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_MILLIMETRES = np.float32(1000.0)
# 16UC1 depth ends here (REP 118: millimetres in 16 bit, 0 is unknown).
_MAX_MILLIMETRES = 65535
_INT16 = (-32768, 32767)


class FixedLimits(NamedTuple):
    """The fixed-point disparities that give a valid depth: low <= fixed <= high."""

    low: int
    high: int

    def reject(self, fixed: Fixed, out: Mask, scratch: Mask) -> None:
        """Write into `out`, (H, W) bool, which pixels of `fixed` lie outside of the limits."""
        np.less(fixed, np.int16(self.low), out=out)
        if self.high < _INT16[1]:
            np.greater(fixed, np.int16(self.high), out=scratch)
            np.logical_or(out, scratch, out=out)


def depth_limits(settings: Settings, geometry: StereoGeometry) -> FixedLimits:
    """Return the fixed-point disparities whose depth is positive and within the limits set.

    Parameters
    ----------
    settings : Settings
        Of these min_disparity, min_depth, max_depth and depth_encoding count.
    geometry : StereoGeometry
        Of the images that were matched.
    """
    product = geometry.f * geometry.baseline
    # As disparity_in_pixels takes it off: a d that is 0 in float32 is not positive.
    offset = float(np.float32(geometry.offset))

    def fixed_at(depth: float) -> float:
        """Return it within what an int16 holds; at the smallest of depths it is infinite."""
        return min(max((product / depth + offset) * DISPARITY_SCALE, _INT16[0]), _INT16[1])

    farthest = settings.max_depth or math.inf
    if settings.depth_encoding == '16UC1':
        farthest = min(farthest, _MAX_MILLIMETRES / 1000.0)
    low = max(
        settings.min_disparity * DISPARITY_SCALE,
        math.floor(offset * DISPARITY_SCALE) + 1,
        math.ceil(fixed_at(farthest)),
    )
    high = _INT16[1] if settings.min_depth == 0.0 else math.floor(fixed_at(settings.min_depth))
    return FixedLimits(min(low, _INT16[1]), high)


def disparity_in_pixels(fixed: Fixed, offset: float, out: Float) -> None:
    """Convert fixed-point disparities: d = fixed / 16 - offset.

    Parameters
    ----------
    fixed : (H, W) int16 ndarray
        Disparities x_l - x_r in 1/16 px.
    offset : float
        cx_l - cx_r, pixels.
    out : (H, W) float32 ndarray
        Receives d in pixels; a pixel without a match stays 1 px below the smallest disparity.
    """
    np.multiply(fixed, np.float32(1.0 / DISPARITY_SCALE), out=out)
    if offset:
        np.subtract(out, np.float32(offset), out=out)


def depth_from_disparity(
    disparity: Float,
    unknown: Mask,
    geometry: StereoGeometry,
    out: Float,
    fill: float = math.nan,
) -> None:
    """Convert disparity to depth: Z = f * B / d.

    Parameters
    ----------
    disparity : (H, W) float32 ndarray
        d = x_l - x_r - (cx_l - cx_r), pixels.
    unknown : (H, W) bool ndarray
        Where d is not known or not positive.
    geometry : StereoGeometry
        Gives f in pixels and the baseline B in metres.
    out : (H, W) float32 ndarray
        Receives Z in metres; may be `disparity`.
    fill : float
        Given to unknown pixels.
    """
    with np.errstate(divide='ignore'):  # d may be 0 where it is unknown
        np.divide(np.float32(geometry.f * geometry.baseline), disparity, out=out)
    np.copyto(out, np.float32(fill), where=unknown)


def millimetres_from_depth(depth: Float, out: npt.NDArray[np.uint16]) -> None:
    """Convert depth to whole millimetres, rounded to nearest.

    Parameters
    ----------
    depth : (H, W) float32 ndarray
        Metres from 0 to 65.535 (see `depth_limits`); overwritten, it is the scratch.
    out : (H, W) uint16 ndarray
        Receives millimetres.
    """
    np.multiply(depth, _MILLIMETRES, out=depth)
    np.rint(depth, out=depth)
    np.copyto(out, depth, casting='unsafe')
