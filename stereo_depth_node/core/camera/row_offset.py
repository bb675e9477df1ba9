# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far the rows of a left and a right image are apart, over the whole image.

Dense matching needs corresponding points in one row. A camera that has moved since its calibration
breaks that in one of four ways, to first order in small angles. With x and y from -1 to 1 over the
image::

    y_left - y_right = shift + rotation * x + zoom * y + keystone * x * y

A camera that is moved or tilted up or down gives the shift, one that is turned about its optical
axis the rotation, another focal length the zoom, and one that is turned towards the other or away
from it (toe-in) the keystone. The median of the rows shows the shift alone: all others are 0 in
the middle of the image.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Float

__all__ = ['ROW_OFFSET_KINDS', 'RowOffset', 'RowOffsetPart', 'fit_row_offset']

#: The ways in which rows can be apart.
ROW_OFFSET_KINDS = ('shift', 'rotation', 'zoom', 'keystone')

# Median absolute deviation to standard deviation of a normal distribution.
_MAD_TO_SIGMA = 1.4826
# Tukey's biweight leaves out what is farther away than this many standard deviations.
_TUKEY = 4.685
# Residuals below this say nothing about which match is better.
_NOISE_PX = 0.05
_ROUNDS = 15
# A part that is smaller can be noise of the matches: well rectified pairs have up to 0.3 px, and
# up to 0.1 px of a keystone.
_NOTABLE_PX = {'shift': 0.5, 'rotation': 0.5, 'zoom': 0.5, 'keystone': 0.45}
# A part is named beside a larger one when it has at least this share of it: turning an image also
# shifts its near points, by up to a tenth.
_NOTABLE_SHARE = 0.25
# A part is real when it exceeds its standard error this many times.
_CERTAIN = 4.0


class RowOffsetPart(NamedTuple):
    """One way in which rows are apart: its name, and its largest effect in the image, pixels."""

    kind: str
    pixels: float


@dataclass(frozen=True)
class RowOffset:
    """y_left - y_right over the image, each part by its largest effect in pixels.

    Attributes
    ----------
    parts : tuple of 4 float
        In the order of `ROW_OFFSET_KINDS`. Shift: everywhere, positive when the left image sits
        lower. Rotation: at the right border, negative when the right image is turned clockwise.
        Zoom: at the lower border, negative when the right image is larger. Keystone: in the lower
        right corner, negative when the cameras are turned towards each other.
    errors : tuple of 4 float
        Standard errors of these.
    spread : float
        Standard deviation of single matches about them.
    width, height : int
        Size of the images, pixels.
    """

    parts: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    errors: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    spread: float = 0.0
    width: int = 1
    height: int = 1

    @property
    def rotation_degrees(self) -> float:
        """Angle of the right image against the left one; positive is clockwise."""
        return -math.degrees(math.atan(2.0 * self.parts[1] / self.width))

    @property
    def zoom_percent(self) -> float:
        """By how much the right image is larger than the left one."""
        return -200.0 * self.parts[2] / self.height

    def toe_in_degrees(self, f: float) -> float:
        """Angle of the optical axes towards each other, for the focal length `f` in pixels.

        A camera turned by a about its vertical axis sees a point at (x, y), in pixels from its
        principal point, in the row y + tan(a) * x * y / f, to first order.
        """
        return -math.degrees(math.atan(4.0 * self.parts[3] * f / (self.width * self.height)))

    @property
    def largest(self) -> float:
        """Largest distance of the rows in the image, pixels: that in one of its corners."""
        return float(np.abs(self.pixels_over_image(2)).max())

    def notable_parts(self) -> list[RowOffsetPart]:
        """Return the parts that are certain and not small, the largest first."""
        parts = [
            RowOffsetPart(kind, pixels)
            for kind, pixels, error in zip(ROW_OFFSET_KINDS, self.parts, self.errors, strict=True)
            if abs(pixels) > max(_NOTABLE_PX[kind], _CERTAIN * error)
        ]
        parts.sort(key=lambda part: -abs(part.pixels))
        return [
            part for part in parts if abs(part.pixels) >= _NOTABLE_SHARE * abs(parts[0].pixels)
        ]

    def only(self, kinds: Collection[str]) -> RowOffset:
        """Return the offset without the parts of other kinds."""
        parts = zip(ROW_OFFSET_KINDS, self.parts, strict=True)
        return replace(self, parts=tuple(pixels * (kind in kinds) for kind, pixels in parts))

    def pixels_over_image(self, samples: int = 41) -> npt.NDArray[np.float64]:
        """Return y_left - y_right on a grid over the image, (samples, samples)."""
        ends = np.linspace(-1.0, 1.0, samples)
        x, y = np.meshgrid(ends, ends)
        return np.asarray(_terms(x.ravel(), y.ravel()) @ self.parts).reshape(x.shape)

    def at(self, x: Float, y: Float) -> npt.NDArray[np.float64]:
        """Return y_left - y_right at points of the image, pixels."""
        return np.asarray(_terms(*_scaled(x, y, self.width, self.height)) @ self.parts)


def fit_row_offset(left: Float, right: Float, width: int, height: int) -> RowOffset:
    """Fit the offset of the rows to points that were found in both images.

    Parameters
    ----------
    left, right : (N, 2) float32 ndarray
        x and y of each point in both images, pixels; at least 4.
    width, height : int
        Size of the images, pixels.

    Notes
    -----
    Which of the two cameras has moved is not known; the fit is over the middle between both
    points, where the difference is smallest. Parts that the points do not show for certain, such
    as a rotation where all of them are in one column, are left at 0.
    """
    middle = (left.astype(np.float64) + right) / 2.0
    terms = _terms(*_scaled(middle[:, 0], middle[:, 1], width, height))
    rows = (left[:, 1] - right[:, 1]).astype(np.float64)
    parts, errors, _ = _robust_fit(terms, rows)
    is_used = np.abs(parts) > _CERTAIN * errors
    is_used[0] = True
    parts[:], errors[:] = 0.0, 0.0
    parts[is_used], errors[is_used], spread = _robust_fit(terms[:, is_used], rows)
    return RowOffset(
        tuple(map(float, parts)), tuple(map(float, errors)), spread, width=width, height=height
    )


def _robust_fit(
    terms: npt.NDArray[np.float64], rows: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Return the factors of `terms`, (N, K), that give `rows`, their errors, and the spread.

    Iteratively reweighted least squares: first the smallest sum of absolute residuals, then
    Tukey's biweight, which leaves wrong matches out.
    """
    # What the points do not show at all stays near 0 and gets a large error.
    prior = np.identity(terms.shape[1]) * 1e-3
    weights = np.ones_like(rows)
    for round_ in range(2 * _ROUNDS):
        weighted = terms * weights[:, np.newaxis]
        normal = weighted.T @ terms + prior
        factors = np.linalg.solve(normal, weighted.T @ rows)
        residuals = np.abs(rows - terms @ factors)
        spread = _MAD_TO_SIGMA * float(np.median(residuals))
        if round_ < _ROUNDS:
            weights = 1.0 / np.maximum(residuals, _NOISE_PX)
        else:
            limit = _TUKEY * max(spread, _NOISE_PX)
            weights = np.maximum(1.0 - (residuals / limit) ** 2, 0.0) ** 2
    errors = max(spread, _NOISE_PX) * np.sqrt(np.diag(np.linalg.inv(normal)))
    return np.asarray(factors, np.float64), errors, spread


def _scaled(
    x: npt.NDArray[Any], y: npt.NDArray[Any], width: int, height: int
) -> Iterator[npt.NDArray[np.float64]]:
    """Yield x and y from -1 to 1 over the image."""
    for values, size in ((x, width), (y, height)):
        yield (2.0 * np.asarray(values, np.float64) - (size - 1)) / size


def _terms(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what each of `ROW_OFFSET_KINDS` is multiplied with at points, (N, 4)."""
    return np.stack([np.ones_like(x), x, y, x * y], axis=1)
