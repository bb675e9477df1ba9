# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What sparse matches say about the calibration and about the disparities that are searched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import math

import numpy as np

from stereo_depth_node.core.health.causes import CAUSES, Finding
from stereo_depth_node.core.settings import DISPARITY_STEP, known_parameters
from stereo_depth_node.core.sparse_matches import SparseMatches

__all__ = ['MATCHES_LOST', 'RectificationReport', 'rectification_findings', 'report_of_matches']

#: Share of the correct matches that is lost when the rows are so many pixels apart, %.
#: Measured: Middlebury's Motorcycle (741x500), StereoBM with 64 disparities and block 15, the
#: right image moved up and down by bilinear interpolation; matches within 2 px of the truth, mean
#: of both directions. OpenCV 4.6 to 5.0 agree to 0.25.
MATCHES_LOST: dict[float, float] = {
    0.0: 0.0,
    0.5: 2.0,
    0.75: 5.5,
    1.0: 12.0,
    1.25: 20.0,
    1.5: 31.0,
    2.0: 53.0,
    2.5: 62.0,
    3.0: 70.0,
    4.0: 78.0,
    6.0: 85.0,
}
# Rows nearer than this cost less than what the matches can show.
_TOLERABLE_ROWS_PX = 0.75
# Fewer points say nothing of the range of the scene.
_FEWEST_POINTS = 100
# The nearest and the farthest of the points are left out: a few matches are wrong.
_NEAR_PERCENT, _FAR_PERCENT = 98.0, 2.0
# Share of the points beyond the range searched from which on it is reported: some matches
# are wrong.
_NOTABLE_SHARE = 0.05
# Part of the range searched that the scene needs, below which the rest is too much.
_SMALL_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class RectificationReport:
    """One measurement, in pixels of the images that come in unless said otherwise.

    Attributes
    ----------
    points : int
        Points found in both images.
    rows_apart : float
        Median of y_left - y_right.
    rows_apart_matched : float
        The same in pixels of the images that are matched.
    rows_spread : float
        Its standard deviation.
    low, high : float
        The range of disparities x_left - x_right of the scene, less 2 % at either end.
    beyond_infinity : float
        Share of the points with a disparity that no real point has, 0 to 1.
    too_near, too_far : float
        Shares of the points with a disparity above and below those searched.
    start, end : int
        The disparities searched, [start, end).
    """

    points: int
    rows_apart: float
    rows_apart_matched: float
    rows_spread: float
    low: float
    high: float
    beyond_infinity: float
    too_near: float
    too_far: float
    start: int
    end: int


def report_of_matches(
    matches: SparseMatches, *, offset: float, scale: int, start: int, end: int
) -> RectificationReport:
    """Condense matches.

    Parameters
    ----------
    matches : SparseMatches
        In the images that were matched.
    offset : float
        cx_left - cx_right of these images, pixels.
    scale : int
        Factor by which they were reduced.
    start, end : int
        The disparities searched in these images, [start, end), pixels.
    """
    low, high = matches.disparity_percentiles(_FAR_PERCENT, _NEAR_PERCENT)
    return RectificationReport(
        points=matches.count,
        rows_apart=matches.rows_apart * scale,
        rows_apart_matched=matches.rows_apart,
        rows_spread=matches.rows_spread * scale,
        low=low * scale,
        high=high * scale,
        beyond_infinity=matches.share_beyond_infinity(offset),
        too_near=float(np.mean(matches.disparities > end)),
        too_far=float(np.mean(matches.disparities < start - 1)),
        start=start * scale,
        end=end * scale,
    )


def rectification_findings(report: RectificationReport) -> Iterator[Finding]:
    """Yield what a measurement gives reason to say."""
    apart = abs(report.rows_apart_matched)
    if apart >= _TOLERABLE_ROWS_PX and report.rows_spread < max(1.0, abs(report.rows_apart)):
        loss = float(np.interp(apart, list(MATCHES_LOST), list(MATCHES_LOST.values())))
        yield CAUSES['rows_apart'].found(rows=abs(report.rows_apart), loss=loss)
    if report.points < _FEWEST_POINTS:
        return
    if report.beyond_infinity > 0.5:
        yield CAUSES['cameras_swapped'].found(
            share=100.0 * report.beyond_infinity, points=report.points
        )
        return
    yield from _range_findings(report)


def _range_findings(report: RectificationReport) -> Iterator[Finding]:
    searched = report.end - report.start
    if report.too_near > _NOTABLE_SHARE:
        yield CAUSES['scene_too_near'].found(
            need=report.high, end=report.end, proposal=_steps(report.high - report.start)
        )
    if report.too_far > _NOTABLE_SHARE and report.high > report.start:
        yield CAUSES['scene_too_far'].found(
            need=report.low, start=report.start, proposal=math.floor(report.low)
        )
    reach = report.high - report.start
    needed = _steps(reach)
    if reach > 0.0 and needed <= _SMALL_SHARE * searched:
        yield CAUSES['search_too_wide'].found(
            low=report.low,
            high=report.high,
            start=report.start,
            end=report.end,
            proposal=needed,
            share=100.0 * needed / searched,
        )


def _steps(disparities: float) -> int:
    """Return the number of disparities to search: whole steps, with a tenth to spare."""
    limit = known_parameters()['num_disparities'].maximum or math.inf
    wanted = math.ceil(1.1 * disparities / DISPARITY_STEP) * DISPARITY_STEP
    return int(min(max(wanted, DISPARITY_STEP), limit))
