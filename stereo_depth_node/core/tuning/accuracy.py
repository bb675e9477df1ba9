# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far disparity and depth are from a ground truth.

The measures are those of the stereo benchmarks (Scharstein et al., "High-resolution stereo
datasets with subpixel-accurate ground truth", GCPR 2014; Menze and Geiger, "Object scene flow
for autonomous vehicles", CVPR 2015). NaN and infinity mean "unknown", in the estimate as in
the truth. Pixels without truth never count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.arrays import Mask
from stereo_depth_node.core.errors import ImageError, SizeError

__all__ = [
    'BAD_THRESHOLDS',
    'DepthAccuracy',
    'DisparityAccuracy',
    'depth_accuracy',
    'disparity_accuracy',
    'is_near_ghost',
]

BAD_THRESHOLDS = (0.5, 1.0, 2.0, 4.0)
"""Pixels; an error above the threshold makes a pixel bad."""

# Beyond both, a robot takes what it sees for another thing than is there, and brakes.
_NEAR_PX, _NEAR_SHARE = 2.0, 0.2


@dataclass(frozen=True)
class DisparityAccuracy:
    """Figures of one disparity image; NaN where there is no pixel to compute one from.

    Attributes
    ----------
    known : int
        Pixels with a ground truth (and inside the mask); at least 1.
    estimated : int
        Those of them that have an estimate.
    bad_all : mapping of float to float
        For each threshold in pixels, the percentage of known pixels whose error is above it
        or that have no estimate.
    bad_estimated : mapping of float to float
        As before, of estimated pixels only.
    near_ghosts : float
        Percentage of known pixels that seem nearer than they are by more than 2 px and 20 % of
        the true disparity (:func:`is_near_ghost`).
    end_point_error : float
        Mean absolute error of estimated pixels, in pixels (EPE, "avgerr").
    root_mean_square : float
        Root of the mean squared error of estimated pixels, in pixels.
    a50, a90, a95 : float
        The absolute error, in pixels, that 50, 90, 95 % of estimated pixels do not exceed.
    """

    known: int
    estimated: int
    bad_all: Mapping[float, float]
    bad_estimated: Mapping[float, float]
    near_ghosts: float
    end_point_error: float
    root_mean_square: float
    a50: float
    a90: float
    a95: float

    @property
    def density(self) -> float:
        """Percentage of the known pixels that have an estimate."""
        return 100.0 * self.estimated / self.known


@dataclass(frozen=True)
class DepthAccuracy:
    """Figures of one depth image; NaN where no pixel has an estimate.

    Attributes
    ----------
    known, estimated : int
        As in `DisparityAccuracy`.
    median_relative_error, mean_relative_error : float
        Median and mean of ``|Z - Z_true| / Z_true`` over estimated pixels, in percent.
    """

    known: int
    estimated: int
    median_relative_error: float
    mean_relative_error: float


def disparity_accuracy(
    disparity: NDArray[np.floating],
    truth: NDArray[np.floating],
    *,
    mask: Mask | None = None,
    thresholds: tuple[float, ...] = BAD_THRESHOLDS,
) -> DisparityAccuracy:
    """Compare a disparity image with its ground truth.

    Parameters
    ----------
    disparity : (H, W) float
        Pixels, NaN where there is no estimate.
    truth : (H, W) float
        Pixels, NaN or infinite where unknown.
    mask : (H, W) bool, optional
        The pixels that count, such as those that both cameras see.
    thresholds : tuple of float
        Errors in pixels above which a pixel is bad.

    Raises
    ------
    SizeError
        The shapes differ.
    ImageError
        No pixel has a ground truth.
    """
    known, both = _comparable(disparity, truth, mask)
    known_count = int(np.count_nonzero(known))
    estimate, right = disparity[both].astype(np.float64), truth[both]
    error = np.abs(estimate - right)
    bad = {limit: int(np.count_nonzero(error > limit)) for limit in thresholds}
    missing = known_count - error.size
    a50, a90, a95 = np.percentile(error, (50, 90, 95)) if error.size else (math.nan,) * 3
    return DisparityAccuracy(
        known=known_count,
        estimated=error.size,
        bad_all={limit: 100.0 * (count + missing) / known_count for limit, count in bad.items()},
        bad_estimated={
            limit: 100.0 * count / error.size if error.size else math.nan
            for limit, count in bad.items()
        },
        near_ghosts=100.0 * np.count_nonzero(is_near_ghost(estimate, right)) / known_count,
        end_point_error=float(error.mean()) if error.size else math.nan,
        root_mean_square=float(np.sqrt(np.mean(error**2))) if error.size else math.nan,
        a50=float(a50),
        a90=float(a90),
        a95=float(a95),
    )


def is_near_ghost(disparity: NDArray[np.floating], truth: NDArray[np.floating]) -> Mask:
    """Return where a disparity claims something much nearer than there is, bool.

    Parameters
    ----------
    disparity, truth : float ndarray of one shape
        x_l - x_r in pixels; False where either is NaN.
    """
    with np.errstate(invalid='ignore'):
        nearer = disparity - truth
        return np.asarray((nearer > _NEAR_PX) & (nearer > _NEAR_SHARE * np.abs(truth)))


def depth_accuracy(
    depth: NDArray[np.floating],
    truth: NDArray[np.floating],
    *,
    mask: Mask | None = None,
) -> DepthAccuracy:
    """Compare a depth image with its ground truth.

    Parameters
    ----------
    depth, truth : (H, W) float
        Metres (or any one unit), NaN or infinite where unknown; `truth` above 0.
    mask : (H, W) bool, optional
        The pixels that count.

    Raises
    ------
    SizeError
        The shapes differ.
    ImageError
        No pixel has a ground truth, or a true depth is not above 0.
    """
    known, both = _comparable(depth, truth, mask)
    true_depth = truth[both].astype(np.float64)
    if np.any(true_depth <= 0):
        raise ImageError(
            f'the true depth must be above 0 where it is known, but is {true_depth.min():g} '
            'somewhere: mark unknown pixels with NaN'
        )
    relative = 100.0 * np.abs(depth[both] - true_depth) / true_depth
    return DepthAccuracy(
        known=int(np.count_nonzero(known)),
        estimated=relative.size,
        median_relative_error=float(np.median(relative)) if relative.size else math.nan,
        mean_relative_error=float(relative.mean()) if relative.size else math.nan,
    )


def _comparable(
    estimate: NDArray[np.floating],
    truth: NDArray[np.floating],
    mask: Mask | None,
) -> tuple[Mask, Mask]:
    """Return where the truth is known, and where estimate and truth are both known."""
    for name, image in (('ground truth', truth), ('mask', mask)):
        if image is not None and image.shape != estimate.shape:
            raise SizeError(
                f'the {name} is {_size(image)} and the estimate {_size(estimate)}: '
                'bring them to one size first'
            )
    known = np.isfinite(truth)
    if mask is not None:
        known &= mask
    if not known.any():
        raise ImageError(
            'no pixel has a known ground truth: is this the right file, and is the mask not empty?'
        )
    return known, known & np.isfinite(estimate)


def _size(image: NDArray[np.generic]) -> str:
    return ' x '.join(str(length) for length in reversed(image.shape))
