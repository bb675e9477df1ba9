# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the depth images have any known pixels, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Fixed, Grey
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.health.causes import CAUSES, Finding, listed
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['FrozenImage', 'ResultReport', 'report_of_result', 'why_depth_is_empty']

# Below this share of the pixels that could have a depth, there is next to nothing.
_NEXT_TO_NOTHING = 0.01
# The grey values of a covered lens have a smaller standard deviation than this; in the dark, below
# this mean, noise makes it larger.
_UNIFORM_SPREAD = 3.0
_DARK_MEAN, _DARK_SPREAD = 20.0, 6.0
# Noise of a covered camera gives some matches by chance, but not as many as these.
_MATCHES_OF_NOISE = 0.2
# An image that was the same so many times, while the other one was another each time, is frozen.
_LOOKS = 4
# So many rows of the result, and every so many rows and columns of the images, are looked at.
_ROWS, _STRIDE = 100, 8


@dataclass(frozen=True, slots=True)
class ResultReport:
    """What went into the last pair, and what came out.

    Attributes
    ----------
    matched, known : float
        Shares of the pixels that can have a disparity, 0 to 1: that have one (at least), and that
        have a depth.
    are_identical : bool
        The left and the right image are the same, pixel for pixel.
    means, spreads : tuple of 2 float
        Mean and standard deviation of the grey values of the left and the right image, 0 to 255.
    depths : tuple of 2 float or None
        Where next to nothing is known: nearest and farthest depth of the disparities found, less
        5 % at either end, metres; None when none is positive.
    """

    matched: float
    known: float
    are_identical: bool
    means: tuple[float, float]
    spreads: tuple[float, float]
    depths: tuple[float, float] | None = None

    @property
    def uniform_sides(self) -> list[str]:
        """The sides whose image shows nothing."""
        looks = zip(('left', 'right'), self.means, self.spreads, strict=True)
        return [
            side
            for side, mean, spread in looks
            if spread < (_DARK_SPREAD if mean < _DARK_MEAN else _UNIFORM_SPREAD)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether the depth says nothing of the scene."""
        is_blind = bool(self.uniform_sides) and self.known < _MATCHES_OF_NOISE
        return self.known < _NEXT_TO_NOTHING or self.are_identical or is_blind


class FrozenImage:
    """Notices that the image of one camera stands still while that of the other does not.

    No camera gives the same image twice: it has noise. A driver that hangs gives the last one
    again, under new stamps.
    """

    def __init__(self) -> None:
        self._seen: list[bytes] = [b'', b'']
        self._still = [0, 0]

    def look(self, left: Grey, right: Grey) -> str:
        """Look at a pair, (H, W) uint8; return the side that is frozen, empty if none is."""
        seen = [image[::_STRIDE, ::_STRIDE].tobytes() for image in (left, right)]
        moves = [new != old for new, old in zip(seen, self._seen, strict=True)]
        self._seen = seen
        for side, other in ((0, 1), (1, 0)):
            self._still[side] = self._still[side] + 1 if moves[other] and not moves[side] else 0
        frozen = [count >= _LOOKS for count in self._still]
        return 'left' if frozen[0] else 'right' if frozen[1] else ''


def report_of_result(pipeline: StereoPipeline, left: Grey, right: Grey) -> ResultReport:
    """Look at the pair that a pipeline has just matched.

    Parameters
    ----------
    pipeline : StereoPipeline
        With a geometry.
    left, right : (H, W) uint8 ndarray
        The images as they came.
    """
    window, limits = pipeline.valid_window, pipeline.depth_limits
    rows = max((window.y1 - window.y0) // _ROWS, 1)
    fixed = pipeline.fixed[window.y0 : window.y1 : rows, window.x0 : window.x1]
    is_known = (fixed >= limits.low) & (fixed <= limits.high)
    known = matched = float(np.count_nonzero(is_known)) / max(fixed.size, 1)
    depths = None
    if known < _NEXT_TO_NOTHING:
        found = fixed[fixed >= pipeline.smallest_fixed]
        matched = found.size / max(fixed.size, 1)
        depths = _depths(found, pipeline.geometry)
    left_look, right_look = (image[::_STRIDE, ::_STRIDE] for image in (left, right))
    return ResultReport(
        matched=matched,
        known=known,
        are_identical=np.array_equal(left_look, right_look) and np.array_equal(left, right),
        means=(float(left_look.mean()), float(right_look.mean())),
        spreads=(float(left_look.std()), float(right_look.std())),
        depths=depths,
    )


def _depths(fixed: Fixed, geometry: StereoGeometry | None) -> tuple[float, float] | None:
    """Return the nearest and the farthest depth of disparities, less 5 % at either end."""
    if geometry is None or not fixed.size:
        return None
    far, near = (float(each) for each in np.percentile(fixed, (5, 95)) / DISPARITY_SCALE)
    depths = (geometry.depth_at(near), geometry.depth_at(far))
    return depths if near > geometry.offset else None


def why_depth_is_empty(result: ResultReport, settings: Settings) -> Finding:
    """Return the likeliest reason why there is next to no depth."""
    if result.uniform_sides:
        sides = zip(('left', 'right'), result.means, result.spreads, strict=True)
        return CAUSES['uniform_image'].found(
            sides=listed(result.uniform_sides),
            figures=listed(
                f'{side} {mean:.0f} of 255 on average, +-{spread:.1f}'
                for side, mean, spread in sides
                if side in result.uniform_sides
            ),
        )
    if result.are_identical:
        return CAUSES['identical_images'].found()
    if result.matched >= _NEXT_TO_NOTHING:
        return _depth_out_of_range(result, settings)
    return CAUSES['empty_depth'].found(share=100.0 * result.known)


def _depth_out_of_range(result: ResultReport, settings: Settings) -> Finding:
    if result.depths is None:
        reason = (
            'all disparities found lie below that of infinity, cx of left less cx of right: check '
            'P[2] of both cameras, and whether left and right are exchanged'
        )
    else:
        near, far = result.depths
        reason = (
            f'the disparities found are those of {near:.3g} to {far:.3g} m, min_depth is '
            f'{settings.min_depth:g} m and max_depth {settings.max_depth or "inf"} m'
            f'{" (16UC1 ends at 65.5 m)" if settings.depth_encoding == "16UC1" else ""}: set them '
            'to hold the scene'
        )
    return CAUSES['range_misses_scene'].found(reason=reason)
