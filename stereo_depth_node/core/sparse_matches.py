# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Single points found in both images, without rectified rows and a range of disparities.

Dense matching needs corresponding points in one row and within the range searched. Corners
tracked from the left to the right image show whether that is so: how far apart the rows are, and
in which way, which disparities the scene has, and whether the cameras are swapped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Float, Grey, Mask
from stereo_depth_node.core.camera.row_offset import fit_row_offset, RowOffset

__all__ = ['SparseMatches', 'match_corners']


_WINDOW_PX = 21
# Each level of the pyramid doubles the reach: about 10 px * 2^5 = 320 px.
_LEVELS = 5
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.03)
_CORNER_QUALITY = 0.01
# A corner tracked there and back must end where it began.
_RETURN_PX = 0.5
# Fewer do not represent the whole image.
_FEWEST = 20
# Of the corners of a stereo pair half and more are found again, of unrelated images a few.
_LEAST_SHARE = 0.25
# Rows of right matches agree to a few tenths of a pixel, those of wrong ones do not.
_ROW_TOLERANCE_PX = 1.5
# Of right matches the rows spread by up to 0.9 px, even in raw images; of wrong ones, in textures
# that repeat, by more, and by as much as they are apart.
_LARGEST_SPREAD_PX = 1.0
_LARGEST_SPREAD_SHARE = 1.0 / 3.0
# With so many corners there is texture enough to find them again. Of a scene that both cameras
# show a third and more are found, in blurred or noisy images a quarter; of unrelated ones 3 %, in
# textures that repeat a fifth.
_MANY_CORNERS, _UNRELATED_SHARE = 50, 0.2


@dataclass(frozen=True, eq=False)
class SparseMatches:
    """Points found in both images.

    Attributes
    ----------
    rows : (N,) float32 ndarray
        y_left - y_right of each, pixels; 0 in a well rectified pair.
    disparities : (M,) float32 ndarray
        x_left - x_right, pixels, ascending, of those M whose rows agree with most others.
    row_offset : RowOffset
        The rows as a function of the place in the image, in pixels of it.
    rows_sigma : float
        Root mean square of `rows`, pixels, of those that agree with most others.
    corners : int
        How many were looked for.
    """

    rows: Float
    disparities: Float
    row_offset: RowOffset = field(default_factory=RowOffset)
    rows_sigma: float = 0.0
    corners: int = 0

    @property
    def are_enough(self) -> bool:
        """Whether they say something: 20 points, a quarter of the corners, rows of some agree."""
        is_share = self.count >= max(_FEWEST, _LEAST_SHARE * self.corners)
        return is_share and self.disparities.size > 0

    @property
    def show_no_common_scene(self) -> bool:
        """Whether there is texture, and hardly any of it is in both images."""
        return self.corners >= _MANY_CORNERS and self.count < _UNRELATED_SHARE * self.corners

    @property
    def count(self) -> int:
        """Number of points found in both images."""
        return int(self.rows.size)

    @property
    def rows_apart(self) -> float:
        """Median of y_left - y_right, pixels: positive when the left image sits lower."""
        return float(np.median(self.rows))

    @property
    def rows_agree(self) -> bool:
        """Whether most rows are as the fit has them: else most matches are wrong."""
        largest = max(_LARGEST_SPREAD_PX, _LARGEST_SPREAD_SHARE * self.row_offset.largest)
        return self.row_offset.spread <= largest

    def disparity_percentiles(self, *percent: float) -> tuple[float, ...]:
        """Return the disparities, pixels, that `percent` of the points do not exceed."""
        return tuple(float(value) for value in np.percentile(self.disparities, percent))

    def share_beyond_infinity(self, offset: float = 0.0) -> float:
        """Return the share, 0 to 1, of points with a disparity that no real point can have.

        Below `offset`, cx_l - cx_r in pixels, less 1 px for what calibration leaves. When it is
        most of them, the cameras are swapped.
        """
        return float(np.mean(self.disparities < offset - 1.0))


def match_corners(left: Grey, right: Grey, *, max_corners: int = 1000) -> SparseMatches:
    """Find corners of the left image in the right one.

    Corners (Shi and Tomasi, CVPR 1994) are tracked to the right image and back by pyramidal
    Lucas-Kanade; those that do not return are dropped. Histograms are equalised first, so that
    the cameras need not be exposed alike.

    Parameters
    ----------
    left, right : (H, W) uint8 ndarray
        A pair, rectified or nearly so.
    max_corners : int
        Corners to track, the strongest ones; time grows in proportion.

    Returns
    -------
    SparseMatches
        Not enough of them where there is too little texture, or in images of different things.
    """
    left, right = cv2.equalizeHist(left), cv2.equalizeHist(right)  # type: ignore[assignment]
    spacing = max(3.0, np.sqrt(left.size / (4.0 * max_corners)))
    corners = cv2.goodFeaturesToTrack(left, max_corners, _CORNER_QUALITY, spacing)
    nothing = np.empty(0, np.float32)
    if corners is None or len(corners) < _FEWEST:
        return SparseMatches(nothing, nothing)
    found, is_found = _track(left, right, np.asarray(corners, np.float32))
    returned, is_back = _track(right, left, found)
    error = np.abs(returned - corners).max(axis=(1, 2))
    kept = is_found & is_back & (error < _RETURN_PX)
    if np.count_nonzero(kept) < _FEWEST:
        return SparseMatches(nothing, nothing, corners=len(corners))
    start, end = corners[kept, 0], found[kept, 0]
    height, width = left.shape
    row_offset = fit_row_offset(start, end, width, height)
    shift = start - end
    rows = np.ascontiguousarray(shift[:, 1])
    in_row = np.abs(rows - row_offset.at(*((start + end) / 2.0).T)) < _ROW_TOLERANCE_PX
    rows_sigma = float(np.sqrt(np.mean(rows[in_row] ** 2))) if in_row.any() else 0.0
    disparities = np.sort(shift[in_row, 0])
    return SparseMatches(rows, disparities, row_offset, rows_sigma, len(corners))


def _track(start: Grey, end: Grey, points: Float) -> tuple[Float, Mask]:
    """Return where points of `start` are in `end`, and whether they were found."""
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        start,
        end,
        points,
        None,  # type: ignore[call-overload]
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=_LEVELS,
        criteria=_STOP,
    )
    return np.asarray(found, np.float32), status.ravel() > 0
