# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of one pixel, and how it was matched: its row in both images, and its costs."""

from __future__ import annotations

import base64
import math
from typing import Any

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.matching.cost_curve import cost_curve, CostCurve
from stereo_depth_node.offline.reports.html import COLOURS
from stereo_depth_node.offline.reports.picture import GREY_INK
from stereo_depth_node.studio.result import Result

__all__ = ['costs_of', 'described', 'explained', 'plot_of', 'row_of']

Pixel = tuple[int, int]

# Rows above and below that of the pixel, columns beside what is compared, and between the images.
_ROWS, _COLUMNS, _GAP = 12, 24, 4
_LINE, _SECOND, _BEST = COLOURS[:3]


def described(result: Result, x: int, y: int) -> list[tuple[str, str]]:
    """Return what is known of a pixel: names and texts.

    Parameters
    ----------
    result : Result
        The matched pair.
    x, y : int
        The pixel, of the images as they were matched.
    """
    with result.lock:
        found = [('Pixel', f'{x}, {y}'), ('Grey', str(int(result.left[y, x])))]
        disparity = float(result.disparity[y, x])
        if math.isfinite(disparity):
            found.append(('Disparity', f'{disparity:.2f} px'))
        depth, sigma = result.depth, result.sigma
        is_known = math.isfinite(disparity if depth is None else depth[y, x])
        if depth is not None and sigma is not None and math.isfinite(depth[y, x]):
            found.append(('Depth', f'{depth[y, x]:.3f} m'))
            found.append(('Sigma', f'{sigma[y, x]:.3f} m'))
        if result.truth is not None and math.isfinite(result.truth[y, x]):
            error = disparity - float(result.truth[y, x])
            wrong = f', {error:+.2f} px' if math.isfinite(error) else ''
            found.append(('Truth', f'{result.truth[y, x]:.2f} px{wrong}'))
    reason = None if is_known else result.reasons.at(x, y)
    if reason is not None:
        found.append(('Unknown', reason.text))
    return found


def costs_of(result: Result, x: int, y: int) -> CostCurve:
    """Return the costs of a pixel of a result."""
    # Without the lock, which may be held for long: the images stay as they are.
    return cost_curve(result.left, result.right, result.pipeline.settings, x, y)


def explained(result: Result, curve: CostCurve, x: int, y: int) -> str:
    """Say in a sentence or two what a cost curve shows."""
    if curve.best is None:
        return 'The block around this pixel lies in the right image at none of the disparities.'
    settings = result.pipeline.settings
    texts = [f'Best at {curve.best} px']
    if curve.second is not None and curve.margin is not None:
        worse = f'{curve.margin:.0f} % worse'
        if math.isinf(curve.margin):
            worse = f'with a cost of {curve.cost_at(curve.second):.0f} after 0'
        texts.append(f', second best at {curve.second} px, {worse}')
    if curve.is_final:
        texts.append(f' (uniqueness_ratio asks for {settings.uniqueness_ratio} %).')
    else:
        texts.append(
            f'. These are the costs of the block alone: {settings.algorithm} adds p1 and p2 where '
            'neighbours differ, and may decide for another disparity.'
        )
    return ''.join(texts)


def plot_of(curve: CostCurve, published: float) -> dict[str, Any]:
    """Return the cost curve as ECharts draws it.

    Parameters
    ----------
    curve : CostCurve
        Of the pixel.
    published : float
        Its disparity, pixels; NaN where it has none.
    """
    points = [
        [int(disparity), float(cost) if math.isfinite(cost) else None]
        for disparity, cost in zip(curve.disparities, curve.costs, strict=True)
    ]
    marks = [
        {'coord': [place, curve.cost_at(place)], 'itemStyle': {'color': colour}, 'name': name}
        for name, place, colour in (
            ('second best', curve.second, _SECOND),
            ('best', curve.best, _BEST),
        )
        if place is not None
    ]
    axis = {
        'nameLocation': 'middle',
        'nameTextStyle': {'color': GREY_INK},
        'axisLabel': {'color': GREY_INK},
        'splitLine': {'lineStyle': {'color': f'{GREY_INK}33'}},
    }
    lines = [{'xAxis': published}] if math.isfinite(published) else []
    return {
        'animation': False,
        'grid': {'left': 52, 'right': 14, 'top': 12, 'bottom': 34},
        'tooltip': {'trigger': 'axis'},
        'xAxis': {**axis, 'type': 'value', 'name': 'disparity, px', 'nameGap': 20}
        | {'min': int(curve.disparities[0]), 'max': int(curve.disparities[-1])},
        'yAxis': {**axis, 'type': 'value', 'name': 'cost', 'nameGap': 38},
        'series': [
            {
                'type': 'line',
                'data': points,
                'showSymbol': False,
                'lineStyle': {'width': 2, 'color': _LINE},
                'itemStyle': {'color': _LINE},
                'markPoint': {
                    'data': marks,
                    'symbol': 'circle',
                    'symbolSize': 11,
                    'label': {'show': False},
                },
                'markLine': {
                    'data': lines,
                    'symbol': 'none',
                    'lineStyle': {'color': _BEST, 'type': 'dashed'},
                    'label': {'show': False},
                },
            }
        ],
    }


def row_of(result: Result, curve: CostCurve, x: int, y: int) -> tuple[str, str, float]:
    """Return the rows around a pixel in both images, with what was compared and what matched.

    Returns
    -------
    source : str
        The left image above the right one, as an address that holds the picture.
    marks : str
        What is drawn over it, SVG.
    ratio : float
        Its width by its height.
    """
    settings = result.pipeline.settings
    height, width = result.left.shape
    nearest, farthest = int(curve.disparities[-1]), int(curve.disparities[0])
    margin = _COLUMNS + settings.block_size // 2
    x0 = max(min(x, x - nearest) - margin, 0)
    x1 = min(max(x, x - farthest) + margin, width)
    y0, y1 = max(y - _ROWS, 0), min(y + _ROWS + 1, height)
    strips = [image[y0:y1, x0:x1] for image in (result.left, result.right)]
    gap = np.full((_GAP, x1 - x0), 128, np.uint8)
    picture: Grey = np.vstack([strips[0], gap, strips[1]])
    content = base64.b64encode(cv2.imencode('.png', picture)[1].tobytes()).decode()
    below = y1 - y0 + _GAP
    middle = y - y0
    side = settings.block_size

    def block(column: int, top: int, colour: str) -> str:
        half = side // 2
        return (
            f'<rect x="{column - x0 - half}" y="{top + middle - half}" width="{side}" '
            f'height="{side}" fill="none" stroke="{colour}" stroke-width="1.2"/>'
        )

    searched = (
        f'<rect x="{x - nearest - x0}" y="{below + middle - 1}" '
        f'width="{nearest - farthest + 1}" height="3" fill="#56b4e9" fill-opacity="0.5"/>'
    )
    found = [
        block(x - place, below, colour)
        for place, colour in ((curve.second, _SECOND), (curve.best, _BEST))
        if place is not None
    ]
    marks = ''.join([searched, block(x, 0, _BEST), *found])
    ratio = picture.shape[1] / picture.shape[0]
    return f'data:image/png;base64,{content}', marks, ratio
