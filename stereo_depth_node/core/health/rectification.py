# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the rows and disparities of a pair say about calibration and disparity range."""

from __future__ import annotations

from collections.abc import Iterator
import math

import numpy as np

from stereo_depth_node.core.camera.row_offset import RowOffsetPart
from stereo_depth_node.core.health.causes import CAUSES, Finding, listed
from stereo_depth_node.core.health.rectification_report import RectificationReport
from stereo_depth_node.core.settings import DISPARITY_STEP, known_parameters

__all__ = ['MATCHES_LOST', 'rectification_findings']

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
# Fewer points say nothing of the range of the scene.
_FEWEST_POINTS = 100
# Share of the points beyond the range searched from which on it is reported: some matches
# are wrong.
_NOTABLE_SHARE = 0.05
# Share from which on there is no depth but by chance.
_NEARLY_ALL = 0.8
# Share of the points beyond infinity from which on it is no matter of wrong matches.
_SOME_BEYOND = 0.1
# Part of the range searched that the scene needs, below which the rest is too much.
_SMALL_SHARE = 0.5


def rectification_findings(report: RectificationReport) -> Iterator[Finding]:
    """Yield what a measurement gives reason to say."""
    parts = report.misalignment
    if parts:
        yield _rows_apart(report, parts)
    if report.points < _FEWEST_POINTS:
        return
    if any(part.kind == 'keystone' for part in parts):
        return  # A camera that is turned sideways moves all disparities: the rows come first.
    if report.beyond_infinity > _SOME_BEYOND and not parts:
        yield _beyond_infinity(report)
    if report.beyond_infinity > 0.5:
        return
    yield from _range_findings(report)


def _beyond_infinity(report: RectificationReport) -> Finding:
    """Return what to do about disparities below those of points infinitely far away."""
    share = 100.0 * report.beyond_infinity
    if report.beyond_infinity > 0.5 and report.low < -report.scale:
        return CAUSES['cameras_swapped'].found(share=share, points=report.points)
    return CAUSES['implausible_calibration'].found(
        note=f'{share:.0f} % of {report.points} points have a disparity below '
        f'{report.infinity:.1f} px, which is that of infinity (P[2] of left less P[2] of right): '
        'all depths are off; calibrate the pair anew, or look for a camera that was turned or '
        'for a roi of one camera alone'
    )


def _rows_apart(report: RectificationReport, parts: list[RowOffsetPart]) -> Finding:
    shown = {part.kind for part in parts}
    rows = np.abs(report.row_offset.only(shown).pixels_over_image())
    loss = np.interp(rows, list(MATCHES_LOST), list(MATCHES_LOST.values())).mean()
    return CAUSES['rows_apart'].found(
        rows=('' if shown == {'shift'} else 'up to ') + f'{rows.max() * report.scale:.1f}',
        loss=loss,
        parts=listed(_part_text(report, part) for part in parts),
        cure='set rectify to true if the images are raw, or else calibrate the cameras anew'
        if report.may_be_raw
        else 'calibrate the cameras anew',
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
