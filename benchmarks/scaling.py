# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How the time of a frame grows with pixels, disparities and threads.

The model: every pixel costs something, and so does every disparity that is tried at a pixel. All
D of them are tried where the right image reaches far enough, in W - D of its W columns::

    t = a * W * H + b * (W - D) * H * D

As a process, takes a request as JSON on its command line and answers with one line of JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
import sys
from typing import Any

import cv2
import numpy as np

from benchmarks.compute import CoreFrame, measure_in_turn, settle_kernel
from benchmarks.protocol import answer
from stereo_depth_node.core.settings import Settings

__all__ = ['SIZES', 'fit', 'measure_scaling', 'tries']

SIZES = ((320, 240), (480, 360), (640, 480), (960, 540), (1280, 720), (1600, 900), (1920, 1080))
_DISPARITIES = (16, 32, 64, 96, 128, 192, 256)
_FIXED_SIZE, _FIXED_DISPARITIES = (640, 480), 64


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
            for size in SIZES
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
    """Fit the model to the points of all threads, by least squares of relative errors.

    Returns
    -------
    dict
        By backend: `pixel_ns` (a), `try_ns` (b), and `worst_percent`, the largest
        relative error of the model at a measured point.
    """
    result = {}
    for backend in dict.fromkeys(point['backend'] for point in points):
        own = [p for p in points if p['backend'] == backend and p['varied'] != 'threads']
        time_ns = np.array([point['ms'] * 1e6 for point in own])
        pixels = np.array([float(point['width'] * point['height']) for point in own])
        tried = np.array([tries(point) for point in own])
        # Divided by the time measured: a small image counts as much as a large one.
        terms = np.column_stack((pixels, tried)) / time_ns[:, None]
        (a, b), *_ = np.linalg.lstsq(terms, np.ones(len(own)), rcond=None)
        errors = np.abs(terms @ (a, b) - 1.0)
        result[backend] = {
            'pixel_ns': float(a),
            'try_ns': float(b),
            'worst_percent': float(errors.max() * 100.0),
        }
    return result


def tries(point: dict[str, Any]) -> float:
    """Return how many pairs of pixels are compared at a point: (W - D) * H * D."""
    width, disparities = point['width'], point['disparities']
    return float((width - disparities) * point['height'] * disparities)


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
