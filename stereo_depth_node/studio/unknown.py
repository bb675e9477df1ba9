# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What made a pixel unknown: the check or the filter that took its disparity away.

The pair is matched again with all of them off, and then with one after the other switched on, in
the order in which they work. The one behind which a pixel has no disparity any more is the
reason. Nothing of the matchers is imitated: each time it is the pipeline that matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Float, Mask
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.algorithms.table import algorithm_of
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.window import left_border, valid_window, ValidWindow
from stereo_depth_node.studio.frames import Frame

__all__ = ['REASONS', 'Reason', 'Reasons', 'reasons_of']

# Semi-global matching checks at -1 after all; this is more than any difference.
_NO_CHECK_OF_BM, _NO_CHECK_OF_SGBM = -1, 4096


@dataclass(frozen=True)
class Reason:
    """Why a pixel has no depth.

    Attributes
    ----------
    text : str
        For people; what to change is part of it.
    colour : tuple of 3 int
        RGB in the picture of the reasons.
    """

    text: str
    colour: tuple[int, int, int]


# Colours that people who are blind to red or green can tell apart (Wong, Nature Methods 2011).
REASONS: dict[str, Reason] = {
    'border': Reason(
        'border: not every disparity that is searched lies in the right image (fill_left_band)',
        (86, 180, 233),
    ),
    'region': Reason('outside of the region of interest (roi_x, ...)', (120, 130, 140)),
    'matching': Reason('the matcher found nothing, or the raw image ends there', (190, 190, 190)),
    'texture': Reason('texture: too little to match there (texture_threshold)', (240, 228, 66)),
    'uniqueness': Reason(
        'uniqueness: another disparity fits nearly as well (uniqueness_ratio)', (230, 159, 0)
    ),
    'left_right': Reason(
        'left-right: the right image has another disparity (disp12_max_diff)', (213, 94, 0)
    ),
    'outside': Reason('its match lies outside of the right image', (0, 114, 178)),
    'time': Reason('the pair before had another disparity (temporal_max_diff)', (0, 158, 115)),
    'speckle': Reason(
        'speckle: an island that is too small (speckle_window_size)', (204, 121, 167)
    ),
    'uncertainty': Reason(
        'too uncertain (max_uncertainty, max_relative_uncertainty)', (148, 103, 189)
    ),
    'range': Reason(
        'range: nearer than min_depth, farther than max_depth or beyond infinity', (140, 86, 75)
    ),
}
_ORDER = tuple(REASONS)


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why the pixels of a result are unknown.

    Attributes
    ----------
    codes : (h, w) uint8 ndarray
        0 where the pixel is known, else 1 + the place of the reason in `REASONS`.
    """

    codes: npt.NDArray[np.uint8]

    def at(self, x: int, y: int) -> Reason | None:
        """Return the reason of a pixel, None where it is known."""
        code = int(self.codes[y, x])
        return REASONS[_ORDER[code - 1]] if code else None

    def shares(self) -> dict[str, float]:
        """Return by reason the share of all pixels, percent; only what there is."""
        counts = np.bincount(self.codes.reshape(-1), minlength=len(_ORDER) + 1)
        return {
            name: 100.0 * count / self.codes.size
            for name, count in zip(_ORDER, counts[1:], strict=True)
            if count
        }


# In the order in which they work: reason, and the setting that switches it on.
_CHECKS = (
    ('texture', ('texture_threshold',)),
    ('uniqueness', ('uniqueness_ratio',)),
    ('left_right', ('disp12_max_diff',)),
    ('time', ('temporal_max_diff',)),
    ('speckle', ('speckle_window_size',)),
    ('uncertainty', ('max_uncertainty', 'max_relative_uncertainty')),
)


def reasons_of(
    frame: Frame, settings: Settings, pipeline: StereoPipeline, depth: Float | None
) -> Reasons:
    """Find out why the pixels of a matched pair are unknown.

    Parameters
    ----------
    frame : Frame
        The pair.
    settings : Settings
        With which it was matched.
    pipeline : StereoPipeline
        Has matched it; it is not changed.
    depth : (h, w) float32 ndarray or None
        What it gives, NaN where unknown; None without a calibration.
    """
    known = _known(pipeline)
    codes = np.zeros(known.shape, np.uint8)
    before = np.ones(known.shape, np.bool_)
    for reason, after in (*_steps(frame, settings, pipeline), ('matching', known)):
        # Where several take it away and give it back, the last of them counts.
        codes[before & ~after & ~known] = _code(reason)
        before = after
    if depth is not None:
        codes[known & np.isnan(depth)] = _code('range')
    return Reasons(codes)


def _steps(
    frame: Frame, settings: Settings, pipeline: StereoPipeline
) -> Iterator[tuple[str, Mask]]:
    """Yield the reasons in order, each with the pixels that are known behind it."""
    matched = pipeline.settings
    height, width = pipeline.fixed.shape
    yield 'border', _inside(valid_window(matched, width, height), height, width)
    yield 'region', _inside(pipeline.valid_window, height, width)
    current = _unchecked(settings)
    found = _known(frame.matched(current))
    if settings.fill_left_band:
        # Only there are disparities removed whose match is no pixel of the right image.
        beside = found.copy()
        beside[:, left_border(matched) :] = True
        yield 'outside', _inside(pipeline.valid_window, height, width) & beside
    yield 'matching', found
    for reason, names in _CHECKS:
        asked = {name: getattr(settings, name) for name in names}
        checked = current.merged(asked)
        if checked != current:
            current = checked
            yield reason, _known(frame.matched(current))


def _unchecked(settings: Settings) -> Settings:
    """Return settings that keep whatever the matcher finds."""
    decides_by_block = algorithm_of(settings).decides_by_block
    return settings.replace(
        texture_threshold=0,
        uniqueness_ratio=0,
        disp12_max_diff=_NO_CHECK_OF_BM if decides_by_block else _NO_CHECK_OF_SGBM,
        temporal_max_diff=0,
        speckle_window_size=0,
        median_size=0,
        wls_lambda=0.0,
        max_uncertainty=0.0,
        max_relative_uncertainty=0.0,
    )


def _known(pipeline: StereoPipeline) -> Mask:
    return pipeline.fixed >= pipeline.smallest_fixed


def _inside(window: ValidWindow, height: int, width: int) -> Mask:
    inside = np.zeros((height, width), np.bool_)
    inside[window.y0 : window.y1, window.x0 : window.x1] = True
    return inside


def _code(reason: str) -> int:
    return 1 + _ORDER.index(reason)
