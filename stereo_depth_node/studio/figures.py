# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether it got better: the figures of a result, and what is wrong with its pair."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
import math
import threading

import numpy as np

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.health.rectification_report import MatchedImages, measure_rectification
from stereo_depth_node.core.tuning.accuracy import disparity_accuracy, is_near_ghost
from stereo_depth_node.core.tuning.disparity_range import find_disparity_range
from stereo_depth_node.core.tuning.reference import BAD_PX, reference_disparity
from stereo_depth_node.offline.findings import findings_of_pair, lines_of_findings
from stereo_depth_node.studio.result import Result

__all__ = ['FIGURES', 'Figure', 'Figures', 'References', 'figures_of', 'reference_of']

# Of the depths found; beyond are mostly mistakes.
_ENDS_PERCENT = (1.0, 99.0)
_UNKNOWN = 'unknown'
# Frames whose careful disparities are kept to compare with.
_REFERENCES = 4


@dataclass(frozen=True)
class Figures:
    """How good a result is; NaN where that is not known.

    Attributes
    ----------
    density : float
        Pixels with a depth (without a calibration: a disparity), percent.
    wrong, near : float
        What is wrong, percent of those with a disparity, and what seems much nearer than it is,
        percent of all pixels; estimated by comparison with careful matching.
    bad : float
        bad-2.0 of all pixels with a ground truth, percent.
    nearest, farthest : float
        Depths that 1 % of those found are below and above; metres, or pixels without calibration.
    milliseconds : float
        For a pair, on this machine.
    rows : float
        How far the rows are apart at most, pixels.
    row_kinds : tuple of str
        The ways in which they are apart, where that costs matches.
    searched, needed : tuple of 2 float
        The range of disparities searched, and that of the scene, pixels of the images that came.
    findings : tuple of str
        What is wrong with the pair, with the cure.
    is_metric : bool
        Whether there is a calibration.
    """

    density: float
    wrong: float
    near: float
    bad: float
    nearest: float
    farthest: float
    milliseconds: float
    rows: float
    row_kinds: tuple[str, ...]
    searched: tuple[float, float]
    needed: tuple[float, float]
    findings: tuple[str, ...]
    is_metric: bool


@dataclass(frozen=True)
class Figure:
    """How a figure is shown.

    Attributes
    ----------
    title : str
        Its name.
    about : str
        What it says.
    text : callable
        Returns it with its unit.
    value : callable
        Returns the number whose trend is shown.
    better : int
        1 where more is better, -1 where less is, 0 where neither is.
    """

    title: str
    about: str
    text: Callable[[Figures], str]
    value: Callable[[Figures], float]
    better: int = 0


def _percent(value: float, digits: int = 1) -> str:
    return f'{value:.{digits}f} %' if math.isfinite(value) else _UNKNOWN


def _length(value: float, *, is_metric: bool) -> str:
    if not math.isfinite(value):
        return _UNKNOWN
    return f'{value:.2f} m' if is_metric else f'{value:.1f} px'


def _time(figures: Figures) -> str:
    milliseconds = figures.milliseconds
    return f'{milliseconds:.1f} ms, {1000.0 / milliseconds:.0f} Hz'


def _range(figures: Figures) -> str:
    searched = '{:.0f} to {:.0f}'.format(*figures.searched)
    needed = '{:.0f} to {:.0f}'.format(*figures.needed) if _is_known(figures.needed) else _UNKNOWN
    return f'{searched} px, needs {needed}'


def _rows(figures: Figures) -> str:
    if not math.isfinite(figures.rows):
        return _UNKNOWN
    return ', '.join([f'{figures.rows:.2f} px', *figures.row_kinds])


def _is_known(ends: tuple[float, float]) -> bool:
    return all(math.isfinite(end) for end in ends)


FIGURES: dict[str, Figure] = {
    'density': Figure(
        'Density',
        'Pixels with a depth, of all pixels.',
        lambda it: _percent(it.density),
        lambda it: it.density,
        1,
    ),
    'wrong': Figure(
        'Wrong',
        'Of the disparities found, estimated by comparison with careful matching.',
        lambda it: _percent(it.wrong),
        lambda it: it.wrong,
        -1,
    ),
    'near': Figure(
        'Near ghosts',
        'Pixels that seem much nearer than they are, of all pixels, estimated: a robot brakes '
        'for them.',
        lambda it: _percent(it.near, 2),
        lambda it: it.near,
        -1,
    ),
    'bad': Figure(
        'bad-2.0',
        'Pixels that are wrong by more than 2 px or have no disparity, of those with a ground '
        'truth.',
        lambda it: _percent(it.bad),
        lambda it: it.bad,
        -1,
    ),
    'nearest': Figure(
        'Nearest',
        'Depth that 1 % of those found are below.',
        lambda it: _length(it.nearest, is_metric=it.is_metric),
        lambda it: it.nearest,
    ),
    'farthest': Figure(
        'Farthest',
        'Depth that 1 % of those found are above.',
        lambda it: _length(it.farthest, is_metric=it.is_metric),
        lambda it: it.farthest,
    ),
    'time': Figure(
        'Time per pair',
        'To match a pair on this machine, and the rate that this allows.',
        _time,
        lambda it: it.milliseconds,
        -1,
    ),
    'range': Figure(
        'Range',
        'Disparities that are searched, and those that points found in both images have.',
        _range,
        lambda it: it.searched[1] - it.searched[0],
    ),
    'rows': Figure(
        'Rows apart',
        'How far the rows of both images are apart at most; above 0.7 px it costs matches.',
        _rows,
        lambda it: it.rows,
        -1,
    ),
}
"""In the order in which they are shown."""


def reference_of(result: Result) -> Float | None:
    """Return careful disparities of the pair of a result, to compare others with.

    (h, w), pixels of the result, NaN where unknown; None where the images have too little in
    common.
    """
    left, right = result.left, result.right
    try:
        return reference_disparity(left, right, find_disparity_range([(left, right)]))
    except SettingsError:
        return None


class References:
    """What :func:`reference_of` gives for the frames that were looked at last; tabs share it."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Float | None] = {}
        self._lock = threading.Lock()

    def of(self, result: Result) -> Float | None:
        """Return that of a result."""
        key = (result.frame, result.settings.rectify, result.settings.downscale)
        with self._lock:
            if key not in self._kept:
                while len(self._kept) >= _REFERENCES:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = reference_of(result)
            return self._kept[key]


def figures_of(result: Result, reference: Float | None) -> Figures:
    """Return the figures of a result.

    Parameters
    ----------
    result : Result
        The matched pair.
    reference : (h, w) float32 ndarray or None
        What :func:`reference_of` gives for the pair.
    """
    # With a pipeline of its own: the result can be looked at meanwhile.
    milliseconds = result.milliseconds
    with result.lock:
        return _figures_of(result, reference, milliseconds)


def _figures_of(result: Result, reference: Float | None, milliseconds: float) -> Figures:
    pipeline, scene = result.pipeline, result.frame.scene
    wrong = near = bad = math.nan
    if reference is not None:
        error = np.abs(result.disparity - reference)
        estimated = int(np.count_nonzero(np.isfinite(error)))
        wrong = 100.0 * np.count_nonzero(error > BAD_PX) / max(estimated, 1)
        near = 100.0 * float(np.mean(is_near_ghost(result.disparity, reference)))
    if scene.truth is not None and not result.settings.rectify:
        accuracy = disparity_accuracy(result.disparity_at_full_size, scene.truth)
        bad = accuracy.bad_all[BAD_PX]
    shown = result.depth if result.depth is not None else result.disparity
    found = shown[np.isfinite(shown)]
    low, high = np.percentile(found, _ENDS_PERCENT) if found.size else (math.nan, math.nan)
    is_metric = result.depth is not None
    report = measure_rectification(pipeline.left, pipeline.right, MatchedImages.of(pipeline))
    settings = result.settings
    return Figures(
        density=100.0 * found.size / shown.size,
        wrong=wrong,
        near=near,
        bad=bad,
        # Of disparities, the largest is the nearest.
        nearest=float(low if is_metric else high),
        farthest=float(high if is_metric else low),
        milliseconds=milliseconds,
        rows=report.row_offset.largest * report.scale if report is not None else math.nan,
        row_kinds=tuple(part.kind for part in report.misalignment) if report is not None else (),
        searched=(
            float(settings.min_disparity),
            float(settings.min_disparity + settings.num_disparities - 1),
        ),
        needed=(report.low, report.high) if report is not None else (math.nan, math.nan),
        findings=_findings(result),
        is_metric=is_metric,
    )


def _findings(result: Result) -> tuple[str, ...]:
    frame = result.frame
    left, right = frame.scene.left, frame.scene.right
    seen = findings_of_pair(result.pipeline, left, right, frame.cameras)
    return tuple(lines_of_findings([seen]))
