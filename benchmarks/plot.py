# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of how the time of a frame grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scaling import model_ms

__all__ = ['draw_scaling']

_COLOURS = {'opencv': '#9a3b2f', 'auto': '#1f5f8b', 'numba': '#1f5f8b'}
_AXES = {
    'pixels': 'megapixels, at 64 disparities',
    'disparities': 'disparities, at 640x480',
    'threads': 'threads, at 640x480 and 64 disparities',
}


def draw_scaling(
    points: Sequence[dict[str, Any]], fits: dict[str, dict[str, float]], path: Path
) -> None:
    """Draw time per frame over pixels, disparities and threads, with the fit as a line.

    Parameters
    ----------
    points, fits
        From `measure_scaling` and `fit`.
    path : Path
        The picture; its folder is made.
    """
    import matplotlib as mpl

    mpl.use('Agg')
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.4), layout='constrained')
    for axis, (varied, label) in zip(axes, _AXES.items(), strict=True):
        for backend, fitted in fits.items():
            own = [p for p in points if p['varied'] == varied and p['backend'] == backend]
            x = [_abscissa(point) for point in own]
            colour = _COLOURS.get(backend)
            axis.plot(x, [p['ms'] for p in own], 'o', color=colour, label=backend, markersize=4)
            axis.plot(x, [model_ms(point, fitted) for point in own], color=colour, lw=0.8)
        axis.set_xlabel(label)
        axis.set_ylim(bottom=0)
        axis.set_xlim(left=0)
        axis.spines[['top', 'right']].set_visible(False)
    axes[0].set_ylabel('ms per frame')
    axes[0].legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _abscissa(point: dict[str, Any]) -> float:
    if point['varied'] == 'pixels':
        return float(point['width'] * point['height'] / 1e6)
    return float(point[point['varied']])
