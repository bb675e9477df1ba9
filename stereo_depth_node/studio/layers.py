# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The layers that lie over one another in the studio, as PNG: transparent where unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
import io
import math

import cv2
from matplotlib import colormaps
import numpy as np
import numpy.typing as npt
from PIL import Image

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Float
from stereo_depth_node.offline.reports.picture import shown_range
from stereo_depth_node.studio.result import LEFT_KEY, Result
from stereo_depth_node.studio.unknown import REASONS

__all__ = [
    'LAYERS',
    'Layer',
    'Limits',
    'css_gradient',
    'is_there',
    'limits_of',
    'png_of_layer',
    'rounded',
]

Limits = tuple[float, float]

# The page is waiting: little compression is fast, and it is the same machine.
_COMPRESSION = 1
_PNG = (
    cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
)  # fmt: skip
_LEVELS = 256
# The largest error of the colours is at least this, pixels: below, errors are no news.
_ERROR_PX = 4.0


@dataclass(frozen=True)
class Layer:
    """One of the pictures that lie over one another.

    Attributes
    ----------
    title : str
        For people.
    unit : str
        Of its values; empty where it has none.
    colours : str
        Colour map of matplotlib.
    values : callable or None
        Returns its values, (h, w) float32, NaN where unknown, or None where there are none; None
        for what is no image of values.
    limits : callable
        Returns the values of the two ends of the colours by default.
    about : str
        What it shows.
    """

    title: str
    unit: str
    colours: str
    values: Callable[[Result], Float | None] | None
    limits: Callable[[Result], Limits]
    about: str


def _searched(result: Result) -> Limits:
    """Return the range searched, so that a colour means the same whatever else is changed."""
    settings = result.pipeline.settings
    return float(settings.min_disparity), float(
        settings.min_disparity + settings.num_disparities - 1
    )


def _middle_of(values: Callable[[Result], Float | None]) -> Callable[[Result], Limits]:
    def limits(result: Result) -> Limits:
        found = values(result)
        return (0.0, 1.0) if found is None else shown_range(found)

    return limits


def _errors(result: Result) -> Limits:
    return 0.0, _ERROR_PX


LAYERS: dict[str, Layer] = {
    'left': Layer('Left image', '', '', None, lambda _: (0.0, 255.0), 'As it was matched.'),
    'disparity': Layer(
        'Disparity',
        'px',
        'turbo',
        lambda result: result.disparity,
        _searched,
        'x of the left image less x of the right one. Near is red.',
    ),
    'depth': Layer(
        'Depth',
        'm',
        'turbo_r',
        lambda result: result.depth,
        _middle_of(lambda result: result.depth),
        'Distance along the optical axis. Near is red.',
    ),
    'uncertainty': Layer(
        'Uncertainty',
        'm',
        'viridis',
        lambda result: result.sigma,
        _middle_of(lambda result: result.sigma),
        'One standard deviation of the depth.',
    ),
    'left_right': Layer(
        'Left-right error',
        'px',
        'magma',
        lambda result: result.left_right_error,
        _errors,
        'What the right image, matched by itself, says otherwise.',
    ),
    'truth': Layer(
        'Error',
        'px',
        'magma',
        lambda result: result.truth_error,
        _errors,
        'Difference to the ground truth.',
    ),
    'unknown': Layer(
        'Why unknown',
        '',
        '',
        None,
        lambda _: (0.0, 1.0),
        'The check or filter that took the disparity away.',
    ),
}
"""From the lowest to the uppermost."""


def limits_of(result: Result, name: str, chosen: Limits | None = None) -> Limits:
    """Return the values of the ends of a layer's colours: those chosen, else the default."""
    if chosen is not None:
        return chosen
    with result.lock:
        return LAYERS[name].limits(result)


def png_of_layer(result: Result, name: str, chosen: Limits | None = None) -> bytes:
    """Return a layer of a result, made once.

    Parameters
    ----------
    result : Result
        The matched pair.
    name : str
        A key of `LAYERS`.
    chosen : tuple of 2 float, optional
        Values of the ends of the colours.
    """
    if name == 'unknown':
        _ = result.reasons  # not while its lock is held, see there
    key = LEFT_KEY if name == 'left' else (name, chosen)
    return result.image(key, lambda: _png(result, name, chosen))


def css_gradient(colours: str) -> str:
    """Return a colour map as CSS has gradients, from left to right."""
    stops = [colormaps[colours](share)[:3] for share in np.linspace(0.0, 1.0, 16)]
    texts = [','.join(str(round(255 * part)) for part in stop) for stop in stops]
    return f'linear-gradient(to right, {", ".join(f"rgb({text})" for text in texts)})'


def _png(result: Result, name: str, chosen: Limits | None) -> bytes:
    if name == 'left':
        pixels = cv2.cvtColor(result.pipeline.colour(), cv2.COLOR_RGB2BGR)
        return cv2.imencode('.png', pixels, _PNG)[1].tobytes()
    if name == 'unknown':
        return _indexed_png(result.reasons.codes, _reason_table())
    layer = LAYERS[name]
    values = layer.values(result) if layer.values is not None else None
    if values is None:
        values = np.full(result.pipeline.fixed.shape, np.nan, np.float32)
    low, high = limits_of(result, name, chosen)
    span = max(high - low, 1.0 / DISPARITY_SCALE / _LEVELS)
    with np.errstate(invalid='ignore'):
        levels = (values - np.float32(low)) * np.float32((_LEVELS - 2) / span)
        np.clip(levels, 0, _LEVELS - 2, out=levels)
        # Level 0 is what is unknown.
        levels += np.float32(1.5)
    levels[~np.isfinite(values)] = 0
    return _indexed_png(levels.astype(np.uint8), _colour_table(layer.colours))


@lru_cache
def _colour_table(colours: str) -> npt.NDArray[np.uint8]:
    """Return (256, 4) RGBA; the first is transparent."""
    shares = np.linspace(0.0, 1.0, _LEVELS - 1)
    table = np.zeros((_LEVELS, 4), np.uint8)
    table[1:] = np.rint(255 * colormaps[colours](shares))
    return table


@lru_cache
def _reason_table() -> npt.NDArray[np.uint8]:
    table = np.zeros((1 + len(REASONS), 4), np.uint8)
    table[1:] = [(*reason.colour, 255) for reason in REASONS.values()]
    return table


def _indexed_png(places: npt.NDArray[np.uint8], colours: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG of places in a table of colours, a quarter of the bytes of RGBA."""
    image = Image.fromarray(places)
    image.putpalette(colours.tobytes(), 'RGBA')
    stream = io.BytesIO()
    image.save(stream, 'PNG', compress_level=_COMPRESSION)
    return stream.getvalue()


def is_there(result: Result, name: str) -> bool:
    """Say whether a result has a layer: without calibration there is no depth."""
    has_depth = result.pipeline.geometry is not None
    has_truth = result.frame.scene.truth is not None and not result.settings.rectify
    return {'depth': has_depth, 'uncertainty': has_depth, 'truth': has_truth}.get(name, True)


def rounded(value: float) -> float:
    """Return a number with three digits, for the ends of colours."""
    if not math.isfinite(value) or value == 0.0:
        return 0.0
    return round(value, 2 - math.floor(math.log10(abs(value))))
