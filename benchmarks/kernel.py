# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The block-matching kernel against cv2.StereoBM: speed and equality.

Run it with ``scripts/bench kernel``. Times are medians of rounds in which the two take turns, with
the quartiles as spread; both run on the same number of threads.
``--cases`` compares the results on that many random images and settings, drawn as those of the
tests but from another seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import json
from pathlib import Path
import sys
import time
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import DEFAULT_SIZES
from benchmarks.kernel_cases import (
    DEFAULTS,
    kernel_result,
    opencv_matcher,
    opencv_result,
    random_case,
)
from benchmarks.scene import load_scene
from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.matching.kernel.limits import StereoBMParameters
from stereo_depth_node.core.matching.kernel.matcher import NumbaBlockMatcher
from stereo_depth_node.core.matching.kernel.provider import (
    kernel_state,
    KernelState,
    wait_for_kernel,
)
from stereo_depth_node.offline.parser import ToolParser

__all__ = ['Equality', 'Speed', 'Times', 'compare_results', 'measure_speed']

_BLOCKS = (9, 15, 21)
_COMPILE_TIMEOUT_S = 300.0


class Times(NamedTuple):
    """Milliseconds per frame: median and quartiles."""

    median: float
    lower: float
    upper: float

    def __str__(self) -> str:
        """Return the times as text."""
        return f'{self.median:.2f} ms ({self.lower:.2f} to {self.upper:.2f})'


class Speed(NamedTuple):
    """One comparison; `ratio` is how many times as fast the kernel is."""

    images: str
    width: int
    height: int
    num_disparities: int
    block_size: int
    threads: int
    opencv: Times
    kernel: Times
    ratio: float
    is_equal: bool


class Equality(NamedTuple):
    """How many random cases were compared, how many had valid pixels, and which differed."""

    cases: int
    with_disparities: int
    different: list[str]
    seconds: float


def measure_speed(
    width: int,
    height: int,
    num_disparities: int,
    *,
    block_size: int = 15,
    threads: int = 1,
    rounds: int = 15,
    images: str = 'scene',
) -> Speed:
    """Time one frame of OpenCV and of the kernel in turn.

    Parameters
    ----------
    width, height, num_disparities, block_size : int
        Pixels.
    threads : int
        For either.
    rounds : int
        Frames of each that count; one more warms up.
    images : str
        'scene' (see `benchmarks.scene.load_scene`) or 'noise'.
    """
    left, right = _images(images, width, height)
    settings = {**DEFAULTS, 'num_disparities': num_disparities, 'block_size': block_size}
    opencv = opencv_matcher(settings)
    kernel = NumbaBlockMatcher(StereoBMParameters(**settings), threads=threads)
    expected, out = (np.empty(left.shape, np.int16) for _ in range(2))
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        opencv_times, kernel_times = _take_turns(
            (
                lambda: opencv.compute(left, right, expected),
                lambda: kernel.compute(left, right, out),
            ),
            rounds,
        )
    finally:
        cv2.setNumThreads(before)
        kernel.close()
    return Speed(
        images,
        width,
        height,
        num_disparities,
        block_size,
        threads,
        opencv_times,
        kernel_times,
        opencv_times.median / kernel_times.median,
        np.array_equal(out, expected),
    )


def compare_results(
    cases: int, seed: int = 1000, *, report: Callable[[int], None] | None = None
) -> Equality:
    """Compare the results on random images and settings.

    Parameters
    ----------
    cases : int
        How many.
    seed : int
        Of the random numbers.
    report : callable, optional
        Called with the number of cases done, after each thousand.
    """
    rng = np.random.default_rng(seed)
    with_disparities = 0
    different = []
    start = time.perf_counter()
    for number in range(cases):
        case = random_case(rng)
        expected = opencv_result(case)
        with_disparities += int(
            (expected >= case.settings['min_disparity'] * DISPARITY_SCALE).any()
        )
        if not np.array_equal(kernel_result(case, threads=1 + number % 3), expected):
            different.append(f'seed {seed}, case {number}: {case}')
        if report is not None and (number + 1) % 1000 == 0:
            report(number + 1)
    return Equality(cases, with_disparities, different, time.perf_counter() - start)


def _images(name: str, width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if name == 'noise':
        rng = np.random.default_rng(5)
        left, right = rng.integers(0, 256, (2, height, width), dtype=np.uint8)
        return left, right
    scene = load_scene(width, height)
    return scene.left, scene.right


def _take_turns(functions: Sequence[Callable[[], Any]], rounds: int) -> list[Times]:
    times: list[list[float]] = [[] for _ in functions]
    for turn in range(rounds + 1):
        for function, taken in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            if turn > 0:
                taken.append(1e3 * (time.perf_counter() - start))
    return [Times(*(float(q) for q in np.percentile(t, (50, 25, 75)))) for t in times]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and fail if a result differs."""
    parser = ToolParser(prog='scripts/bench kernel', description=__doc__)
    parser.add_argument('--blocks', type=int, nargs='+', default=_BLOCKS, help='block sizes, px')
    parser.add_argument('--threads', type=int, nargs='+', default=[1, 2])
    parser.add_argument('--images', nargs='+', choices=['scene', 'noise'], default=['scene'])
    parser.add_argument('--rounds', type=int, default=15, help='frames of each (0: no times)')
    parser.add_argument('--cases', type=int, default=0, help='random cases to compare')
    parser.add_argument('--seed', type=int, default=1000, help='of the random cases')
    parser.add_argument('--json', type=Path, help='write the figures to this file as well')
    options = parser.parse_whole(arguments)
    if wait_for_kernel(_COMPILE_TIMEOUT_S) is not KernelState.READY:
        print(f'no kernel: {kernel_state()[1]}', file=sys.stderr)
        return 1
    speeds = []
    for images in options.images if options.rounds else ():
        for threads in options.threads:
            for (width, height), disparities in DEFAULT_SIZES.items():
                for block in options.blocks:
                    speed = measure_speed(
                        width, height, disparities, block_size=block, threads=threads,
                        rounds=options.rounds, images=images,
                    )  # fmt: skip
                    speeds.append(speed)
                    print(
                        f'{images} {width}x{height}, {disparities} disparities, block {block}, '
                        f'{threads} thread(s): cv2 {speed.opencv}, kernel {speed.kernel}, '
                        f'ratio {speed.ratio:.2f}, {"equal" if speed.is_equal else "DIFFERENT"}',
                        flush=True,
                    )
    equality = None
    if options.cases:
        equality = compare_results(
            options.cases, options.seed, report=lambda done: print(f'{done} cases', flush=True)
        )
        print(
            f'{equality.cases} random cases, {equality.with_disparities} with disparities: '
            f'{len(equality.different)} different ({equality.seconds:.0f} s)'
        )
        print('\n'.join(equality.different[:10]))
    if options.json:
        figures = {
            'speed': [
                {**s._asdict(), 'opencv': s.opencv._asdict(), 'kernel': s.kernel._asdict()}
                for s in speeds
            ],
            'equality': equality and equality._asdict(),
        }
        options.json.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')
    differs = any(not s.is_equal for s in speeds) or bool(equality and equality.different)
    return int(differs)


if __name__ == '__main__':
    sys.exit(main())
