# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What sparse matches say about the calibration and about the disparities that are searched.

:func:`measure_rectification` and :func:`rectification_findings` are what the node's monitor,
``inspect`` and the other tools share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
import math

import numpy as np

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.camera.row_offset import RowOffset, RowOffsetPart
from stereo_depth_node.core.health.causes import CAUSES, Finding, listed
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings import DISPARITY_STEP, known_parameters
from stereo_depth_node.core.sparse_matches import match_corners, SparseMatches

__all__ = [
    'MATCHES_LOST',
    'MatchedImages',
    'RectificationReport',
    'measure_rectification',
    'rectification_findings',
    'report_of_matches',
]

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
# Rows nearer than this, wherever in the image, cost less than what the matches can show. But
# cameras that are turned towards each other move all disparities, by far more than the rows.
_TOLERABLE_ROWS_PX = 0.7
_TOLERABLE_KEYSTONE_PX = 0.45
# Fewer points say nothing of the range of the scene.
_FEWEST_POINTS = 100
# The nearest and the farthest of the points are left out: a few matches are wrong.
_NEAR_PERCENT, _FAR_PERCENT = 98.0, 2.0
# Share of the points beyond the range searched from which on it is reported: some matches
# are wrong.
_NOTABLE_SHARE = 0.05
# Share from which on there is no depth but by chance.
_NEARLY_ALL = 0.8
# Part of the range searched that the scene needs, below which the rest is too much.
_SMALL_SHARE = 0.5


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
    """

    offset: float
    scale: int
    start: int
    end: int
    f: float = 0.0

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
    rows_apart_matched : float
        The same in pixels of the images that are matched.
    rows_spread : float
        Standard deviation of single points about `row_offset`.
    low, high : float
        The range of disparities x_left - x_right of the scene, less 2 % at either end.
    beyond_infinity : float
        Share of the points with a disparity that no real point has, 0 to 1.
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
    row_offset: RowOffset = field(default_factory=RowOffset)
    rows_sigma: float = 0.0
    scale: int = 1
    f: float = 0.0

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
    matches = match_corners(left, right, max_corners=max_corners)
    if matches is None or not matches.rows_agree:
        return None
    return report_of_matches(
        matches,
        offset=images.offset,
        scale=images.scale,
        start=images.start,
        end=images.end,
        f=images.f,
    )


def report_of_matches(
    matches: SparseMatches, *, offset: float, scale: int, start: int, end: int, f: float = 0.0
) -> RectificationReport:
    """Condense matches.

    Parameters
    ----------
    matches : SparseMatches
        In the images that were matched.
    offset, scale, start, end, f
        As in :class:`MatchedImages`.
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
        row_offset=matches.row_offset,
        rows_sigma=matches.rows_sigma,
        scale=scale,
        f=f,
    )


def rectification_findings(report: RectificationReport) -> Iterator[Finding]:
    """Yield what a measurement gives reason to say."""
    parts = report.misalignment
    if parts:
        yield _rows_apart(report, parts)
    if report.points < _FEWEST_POINTS:
        return
    if any(part.kind == 'keystone' for part in parts):
        return  # A camera that is turned sideways moves all disparities: the rows come first.
    if report.beyond_infinity > 0.5:
        if not parts:
            yield CAUSES['cameras_swapped'].found(
                share=100.0 * report.beyond_infinity, points=report.points
            )
        return
    yield from _range_findings(report)


def _rows_apart(report: RectificationReport, parts: list[RowOffsetPart]) -> Finding:
    shown = {part.kind for part in parts}
    rows = np.abs(report.row_offset.only(shown).pixels_over_image())
    loss = np.interp(rows, list(MATCHES_LOST), list(MATCHES_LOST.values())).mean()
    return CAUSES['rows_apart'].found(
        rows=('' if shown == {'shift'} else 'up to ') + f'{rows.max() * report.scale:.1f}',
        loss=loss,
        parts=listed(_part_text(report, part) for part in parts),
    )


def _part_text(report: RectificationReport, part: RowOffsetPart) -> str:
    """Return which way the rows are apart, and how much, in the images that come in."""
    offset, pixels = report.row_offset, part.pixels * report.scale
    if part.kind == 'shift':
        return f'a shift of {abs(pixels):.2f} px (the {_side(pixels > 0)} image is lower)'
    if part.kind == 'rotation':
        degrees = offset.rotation_degrees
        turned = 'clockwise' if degrees > 0 else 'anticlockwise'
        return f'a rotation of {abs(degrees):.2f} degrees (the right image is turned {turned})'
    if part.kind == 'zoom':
        percent = offset.zoom_percent
        return f'a zoom of {abs(percent):.2f} % (the {_side(percent < 0)} image is larger)'
    direction = 'in' if pixels < 0 else 'out'
    angle = f' of {abs(offset.toe_in_degrees(report.f)):.2f} degrees' if report.f else ''
    return f'a keystone of {abs(pixels):.2f} px in the corners (a toe-{direction}{angle})'


def _side(is_left: bool) -> str:
    return 'left' if is_left else 'right'


def _range_findings(report: RectificationReport) -> Iterator[Finding]:
    if report.too_near + report.too_far > _NEARLY_ALL:
        yield _missed_range(report)
        return
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


def _missed_range(report: RectificationReport) -> Finding:
    start = min(report.start, math.floor(report.low))
    return CAUSES['range_misses_scene'].found(
        reason=f'the scene has disparities from {report.low:.0f} to {report.high:.0f} px, '
        f'{report.start} to {report.end} px are searched: set min_disparity to {start} and '
        f'num_disparities to {_steps(report.high - start)}'
    )


def _steps(disparities: float) -> int:
    """Return the number of disparities to search: whole steps, with a tenth to spare."""
    limit = known_parameters()['num_disparities'].maximum or math.inf
    wanted = math.ceil(1.1 * disparities / DISPARITY_STEP) * DISPARITY_STEP
    return int(min(max(wanted, DISPARITY_STEP), limit))
