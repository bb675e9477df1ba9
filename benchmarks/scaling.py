# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How the time of a frame grows with pixels, disparities and threads.

The model: every frame costs something, every pixel does, and so does every disparity that is tried
at a pixel. All D of them are tried where the right image reaches far enough, in W - D of its W
columns. Threads share what pixels and disparities cost, and not what the frame does::

    t = c + (a * W * H + b * (W - D) * H * D) / threads

As a process, takes a request as JSON on its command line and answers with one line of JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from pathlib import Path
import sys
from typing import Any

import cv2
import numpy as np

from benchmarks.compute import CoreFrame, measure_in_turn, settle_kernel
from benchmarks.worker import answer
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['draw_scaling', 'fit', 'measure_scaling', 'model_ms', 'tries']

_SIZES = ((320, 240), (480, 360), (640, 480), (960, 540), (1280, 720), (1600, 900), (1920, 1080))
_DISPARITIES = (16, 32, 64, 96, 128, 192, 256)
_FIXED_SIZE, _FIXED_DISPARITIES = (640, 480), 64
_COLOURS = {'opencv': '#9a3b2f', 'auto': '#1f5f8b', 'numba': '#1f5f8b'}
_AXES = {
    'pixels': 'megapixels, at 64 disparities',
    'disparities': 'disparities, at 640x480',
    'threads': 'threads, at 640x480 and 64 disparities',
}
_COSTS = ('frame_ms', 'pixel_ns', 'try_ns')  # c, a and b of the model


def measure_scaling(
    backends: Sequence[str], block_size: int, seconds: float, largest_pixels: int
) -> list[dict[str, Any]]:
    """Measure the core (disparity alone) over pixels, disparities and threads.

    Parameters
    ----------
    backends : sequence of str
        Matcher backends, which take turns.
    block_size : int
        Pixels.
    seconds : float
        For each point and backend.
    largest_pixels : int
        Sizes above this are left out.

    Returns
    -------
    list of dict
        One point each: what was varied, size, disparities, threads, backend, ms, cpu_ms.
    """
    settle_kernel(backends)
    all_threads = cv2.getNumThreads()
    plan = [
        *(
            ('pixels', size, _FIXED_DISPARITIES, all_threads)
            for size in _SIZES
            if size[0] * size[1] <= largest_pixels
        ),
        *(('disparities', _FIXED_SIZE, count, all_threads) for count in _DISPARITIES),
        *(('threads', _FIXED_SIZE, _FIXED_DISPARITIES, n) for n in _thread_counts()),
    ]
    points = []
    for varied, size, disparities, threads in plan:
        cv2.setNumThreads(threads)
        calls = {
            backend: CoreFrame(
                *size,
                'mono8',
                ('disparity',),
                Settings(
                    num_disparities=disparities, block_size=block_size, matcher_backend=backend
                ),
            )
            for backend in backends
        }
        points += [
            {
                'varied': varied,
                'width': size[0],
                'height': size[1],
                'disparities': disparities,
                'threads': threads,
                'backend': backend,
                **times,
            }
            for backend, times in measure_in_turn(dict(calls), seconds).items()
        ]
    cv2.setNumThreads(all_threads)
    return points


def fit(points: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Fit the model to the points, by least squares of relative errors.

    Returns
    -------
    dict
        By backend: `frame_ms` (c), `pixel_ns` (a), `try_ns` (b), and `worst_percent`, the
        largest relative error of the model at a measured point.
    """
    result = {}
    for backend in dict.fromkeys(point['backend'] for point in points):
        own = [point for point in points if point['backend'] == backend]
        # Divided by the time measured: a small image counts as much as a large one.
        terms = np.array([_terms(point) for point in own]) / [[point['ms']] for point in own]
        costs, *_ = np.linalg.lstsq(terms, np.ones(len(own)), rcond=None)
        result[backend] = {
            **dict(zip(_COSTS, map(float, costs), strict=True)),
            'worst_percent': float(np.abs(terms @ costs - 1.0).max() * 100.0),
        }
    return result


def model_ms(point: dict[str, Any], fitted: dict[str, float]) -> float:
    """Return the time that the model gives for a frame at a point, ms."""
    return sum(fitted[cost] * term for cost, term in zip(_COSTS, _terms(point), strict=True))


def tries(point: dict[str, Any]) -> float:
    """Return how many pairs of pixels are compared at a point: (W - D) * H * D."""
    width, disparities = point['width'], point['disparities']
    return float((width - disparities) * point['height'] * disparities)


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


def _terms(point: dict[str, Any]) -> tuple[float, float, float]:
    """Return what each of `_COSTS` is multiplied with, in units that give ms."""
    pixels, threads = point['width'] * point['height'], point['threads']
    return 1.0, pixels / threads / 1e6, tries(point) / threads / 1e6


def _thread_counts() -> list[int]:
    """Return 1, 2, 4 and so on up to the processors that this process may use."""
    available = len(os.sched_getaffinity(0))
    counts = [1]
    while counts[-1] * 2 < available:
        counts.append(counts[-1] * 2)
    return [*counts, available] if available > 1 else counts


def main(request: str) -> int:
    """Measure what the request asks for."""
    points = measure_scaling(**json.loads(request))
    answer({'points': points, 'fit': fit(points)})
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
