# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixed-point disparity to disparity in pixels and to metric depth, as they are published.

With the rectified geometry of :class:`.StereoGeometry`::

    d = x_l - x_r - (cx_l - cx_r)      disparity, pixels, 0 for a point at infinity
    Z = f * B / d                      depth, metres

Depth falls as disparity rises, so that every limit on depth is a limit on the fixed-point
disparity: what is valid is decided once, exactly, on whole numbers (:func:`depth_limits`).
"""

from __future__ import annotations

import math
from typing import cast, NamedTuple

import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Fixed, Float, Mask, Millimetres
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.matching.kernel.provider import compiled_code_takes
from stereo_depth_node.core.settings import Settings

__all__ = [
    'DisparityConversion',
    'FixedLimits',
    'depth_from_disparity',
    'depth_limits',
    'disparity_in_pixels',
    'known_disparity',
    'millimetres_from_depth',
]


_PIXELS = np.float32(1.0 / DISPARITY_SCALE)
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
    """Convert fixed-point disparities: d = fixed / DISPARITY_SCALE - offset.

    Parameters
    ----------
    fixed : (H, W) int16 ndarray
        Disparities x_l - x_r in 1/16 px.
    offset : float
        cx_l - cx_r, pixels.
    out : (H, W) float32 ndarray
        Receives d, pixels; a pixel without a match stays 1 px below the smallest disparity.
    """
    np.multiply(fixed, _PIXELS, out=out)
    if offset:
        np.subtract(out, np.float32(offset), out=out)


def known_disparity(fixed: Fixed, min_disparity: int) -> Float:
    """Return fixed-point disparities, (H, W) int16, as x_l - x_r in pixels, NaN where unknown.

    Parameters
    ----------
    fixed : (H, W) int16 ndarray
        Disparities x_l - x_r in 1/16 px.
    min_disparity : int
        The smallest one searched, pixels.
    """
    disparity = np.empty(fixed.shape, np.float32)
    disparity_in_pixels(fixed, 0.0, disparity)
    disparity[fixed < min_disparity * DISPARITY_SCALE] = np.nan
    return disparity


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


def millimetres_from_depth(depth: Float, out: Millimetres) -> None:
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


class DisparityConversion:
    """Converts fixed-point disparities of one stereo camera.

    NumPy does it in several passes; once the kernel is loaded, compiled code does the same bit
    for bit in one. Buffers are allocated once.

    Parameters
    ----------
    settings : Settings
        Of the matcher, in pixels of the matched images.
    geometry : StereoGeometry or None
        Of the matched images. Without it there is no depth.

    Attributes
    ----------
    limits : FixedLimits
        The disparities that give a depth; all of them without a geometry.
    """

    def __init__(self, settings: Settings, geometry: StereoGeometry | None) -> None:
        self._geometry = geometry
        self._offset = np.float32(geometry.offset if geometry is not None else 0.0)
        self.limits = FixedLimits(*_INT16)
        if geometry is not None:
            self.limits = depth_limits(settings, geometry)
        self._masks: tuple[Mask, Mask] | None = None
        self._metres: Float | None = None

    def disparity(self, fixed: Fixed, out: Float) -> None:
        """Write d = x_l - x_r - (cx_l - cx_r) in pixels into `out`, (h, w) float32."""
        if not compiled_code_takes(fixed, out):
            disparity_in_pixels(fixed, float(self._offset), out)
            return
        from stereo_depth_node.core.matching.kernel.conversion import convert_to_disparity

        convert_to_disparity(fixed.reshape(-1), _PIXELS, self._offset, out.reshape(-1))

    def depth(self, fixed: Fixed, out: Float | Millimetres) -> None:
        """Write the depth into `out`, (h, w): float32 metres or uint16 millimetres.

        Raises
        ------
        ValueError
            If there is no geometry.
        """
        geometry = self.camera()
        if out.dtype == np.float32:
            self._metres_into(fixed, cast(Float, out), geometry)
            return
        if self._metres is None:
            self._metres = np.empty(fixed.shape, np.float32)
        disparity_in_pixels(fixed, float(self._offset), self._metres)
        depth_from_disparity(self._metres, self.unknown(fixed), geometry, self._metres, fill=0.0)
        millimetres_from_depth(self._metres, cast(Millimetres, out))

    def unknown(self, fixed: Fixed) -> Mask:
        """Return where there is no depth, (h, w) bool, good until the next call.

        Raises
        ------
        ValueError
            If there is no geometry.
        """
        self.camera()
        if self._masks is None:
            self._masks = (np.empty(fixed.shape, np.bool_), np.empty(fixed.shape, np.bool_))
        self.limits.reject(fixed, *self._masks)
        return self._masks[0]

    def _metres_into(self, fixed: Fixed, out: Float, geometry: StereoGeometry) -> None:
        if not compiled_code_takes(fixed, out):
            disparity_in_pixels(fixed, float(self._offset), out)
            depth_from_disparity(out, self.unknown(fixed), geometry, out)
            return
        from stereo_depth_node.core.matching.kernel.conversion import convert_to_depth

        convert_to_depth(
            fixed.reshape(-1),
            _PIXELS,
            self._offset,
            np.float32(geometry.f * geometry.baseline),
            np.int16(self.limits.low),
            np.int16(self.limits.high),
            out.reshape(-1),
        )

    def camera(self) -> StereoGeometry:
        """Return the geometry.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self._geometry is None:
            raise ValueError('depth needs a geometry: give the pipeline a StereoGeometry')
        return self._geometry
