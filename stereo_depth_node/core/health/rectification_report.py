# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How well the rows of a pair line up, and which disparities it has, from sparse matches.

:func:`measure_rectification` is what the node's monitor, ``inspect`` and the other tools share.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.camera.row_offset import RowOffset, RowOffsetPart
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.sparse_matches import match_corners, SparseMatches

__all__ = [
    'MatchedImages',
    'RectificationReport',
    'measure_rectification',
    'report_of_matches',
]

# Rows nearer than this, wherever in the image, cost less than what the matches can show. But
# cameras that are turned towards each other move all disparities, by far more than the rows.
_TOLERABLE_ROWS_PX = 0.7
_TOLERABLE_KEYSTONE_PX = 0.45
# The nearest and the farthest of the points are left out: a few matches are wrong.
_NEAR_PERCENT, _FAR_PERCENT = 98.0, 2.0


@dataclass(frozen=True, slots=True)
class MatchedImages:
    """What is known of the images of a pipeline, besides their pixels.

    Attributes
    ----------
    offset : float
        cx_left - cx_right, pixels.
    scale : int
        Factor by which they were reduced.
    start, end : int
        The disparities searched in these images, [start, end), pixels.
    f : float
        Focal length, pixels; 0 when it is not known.
    may_be_raw : bool
        They are calibrated and not rectified here.
    """

    offset: float
    scale: int
    start: int
    end: int
    f: float = 0.0
    may_be_raw: bool = False

    @classmethod
    def of(cls, pipeline: StereoPipeline) -> MatchedImages:
        """Return what a pipeline knows of the images that it matches."""
        settings, geometry = pipeline.settings, pipeline.geometry
        return cls(
            offset=pipeline.offset,
            scale=pipeline.downscale,
            start=settings.min_disparity,
            end=settings.min_disparity + settings.num_disparities,
            f=geometry.f if geometry is not None else 0.0,
            may_be_raw=geometry is not None and not settings.rectify,
        )


@dataclass(frozen=True, slots=True)
class RectificationReport:
    """One measurement, in pixels of the images that come in unless said otherwise.

    Attributes
    ----------
    points : int
        Points found in both images.
    rows_apart : float
        Median of y_left - y_right.
    low, high : float
        The range of disparities x_left - x_right of the scene, less 2 % at either end.
    beyond_infinity : float
        Share of the points with a disparity that no real point has, 0 to 1.
    infinity : float
        The disparity of a point infinitely far away, cx_left - cx_right.
    too_near, too_far : float
        Shares of the points with a disparity above and below those searched.
    start, end : int
        The disparities searched, [start, end).
    row_offset : RowOffset
        The rows over the image, in pixels of the images that are matched.
    rows_sigma : float
        Standard deviation of y_left - y_right about 0, in pixels of the images that are matched,
        wrong matches left out: the uncertainty takes it where `rectification_sigma` is negative.
    scale : int
        Factor by which the images are reduced before they are matched.
    f : float
        Focal length of the images that are matched, pixels; 0 when it is not known.
    may_be_raw : bool
        The images are calibrated and not rectified here.
    """

    points: int
    rows_apart: float
    low: float
    high: float
    beyond_infinity: float
    too_near: float
    too_far: float
    start: int
    end: int
    row_offset: RowOffset = field(default_factory=RowOffset)
    rows_sigma: float = 0.0
    scale: int = 1
    f: float = 0.0
    may_be_raw: bool = False
    infinity: float = 0.0

    @property
    def misalignment(self) -> list[RowOffsetPart]:
        """The ways in which rows are apart, the largest first; none of a well rectified pair.

        In pixels of the images that are matched.
        """
        parts = self.row_offset.notable_parts()
        is_found = any(
            abs(part.pixels)
            >= (_TOLERABLE_KEYSTONE_PX if part.kind == 'keystone' else _TOLERABLE_ROWS_PX)
            for part in parts
        )
        return parts if is_found else []


def measure_rectification(
    left: Grey, right: Grey, images: MatchedImages, *, max_corners: int = 1000
) -> RectificationReport | None:
    """Find points of the left image in the right one, and condense what they say.

    Parameters
    ----------
    left, right : (H, W) uint8 ndarray
        A pair as it was matched.
    images : MatchedImages
        What is known of it.
    max_corners : int
        Corners to look for; time grows in proportion.

    Returns
    -------
    RectificationReport or None
        None where too few points are found in both images, or they do not agree.
    """
    return report_of_matches(match_corners(left, right, max_corners=max_corners), images)


def report_of_matches(matches: SparseMatches, images: MatchedImages) -> RectificationReport | None:
    """Condense matches.

    Parameters
    ----------
    matches : SparseMatches
        In the images that were matched.
    images : MatchedImages
        What is known of these.

    Returns
    -------
    RectificationReport or None
        None where there are too few, or they do not agree.
    """
    if not (matches.are_enough and matches.rows_agree):
        return None
    scale, start, end = images.scale, images.start, images.end
    low, high = matches.disparity_percentiles(_FAR_PERCENT, _NEAR_PERCENT)
    return RectificationReport(
        points=matches.count,
        rows_apart=matches.rows_apart * scale,
        low=low * scale,
        high=high * scale,
        beyond_infinity=matches.share_beyond_infinity(images.offset),
        too_near=float(np.mean(matches.disparities > end)),
        too_far=float(np.mean(matches.disparities < start - 1)),
        start=start * scale,
        end=end * scale,
        row_offset=matches.row_offset,
        rows_sigma=matches.rows_sigma,
        scale=scale,
        f=images.f,
        may_be_raw=images.may_be_raw,
        infinity=images.offset * scale,
    )
