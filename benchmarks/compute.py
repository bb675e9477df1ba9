# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process that measures the bare matcher and the core, without ROS.

Takes a request as JSON on its command line and answers with one line of JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import json
from statistics import fmean, median
import sys
import time
import tracemalloc
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.scene import load_scene
from benchmarks.worker import answer
from stereo_depth_node.core.images.pair_decoder import PairDecoder
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.matching.kernel.provider import KernelState, wait_for_kernel
from stereo_depth_node.core.matching.opencv import OpenCVMatcher
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['CoreFrame', 'bare_matcher', 'measure_in_turn', 'settle_kernel']

# Far above what a busy machine needs to compile the kernel.
_COMPILE_S = 600.0
_MIN_FRAMES = 3
_TURNS = 4


class CoreFrame:
    """All that the core does for one frame, from bytes to the pixels of the messages.

    Parameters
    ----------
    width, height : int
        Size of the images that come, pixels.
    encoding : str
        Of the images, as sensor_msgs names it.
    outputs : sequence of str
        'disparity', 'depth', 'points'.
    settings : Settings
        What to compute and how.
    """

    def __init__(
        self, width: int, height: int, encoding: str, outputs: Sequence[str], settings: Settings
    ) -> None:
        scene = load_scene(width, height)
        self._images = [_raw(pixels, encoding) for pixels in scene.encoded(encoding)]
        self._decoder = PairDecoder()
        self.pipeline = StereoPipeline(settings, width, height, scene.geometry)
        shape = (self.pipeline.height, self.pipeline.width)
        self._results = {output: np.empty(shape, np.float32) for output in outputs}
        self._points = np.empty((shape[0] * shape[1], 3), np.float32)

    def __call__(self) -> None:
        """Compute the frame."""
        left, right = self._decoder.decode(*self._images)
        self.pipeline.match(left, right)
        if 'disparity' in self._results:
            self.pipeline.disparity(self._results['disparity'])
        if 'depth' in self._results:
            self.pipeline.depth(self._results['depth'])
        if 'points' in self._results:
            height, width = self.pipeline.select_points()
            self.pipeline.points(self._points[: height * width])

    def allocated_bytes(self) -> int:
        """Return the most memory that one frame has allocated while it was computed."""
        tracemalloc.start()
        try:
            self()
            tracemalloc.reset_peak()
            level = tracemalloc.get_traced_memory()[0]
            self()
            return tracemalloc.get_traced_memory()[1] - level
        finally:
            tracemalloc.stop()


def bare_matcher(width: int, height: int, settings: Settings) -> Callable[[], None]:
    """Return the call of OpenCV's matcher alone, on grey images, into a buffer that is there."""
    scene = load_scene(width, height)
    matcher = OpenCVMatcher(settings)
    out = np.empty((height, width), np.int16)
    return lambda: matcher.compute(scene.left, scene.right, out)


def measure_in_turn(
    calls: dict[str, Callable[[], None]], seconds: float
) -> dict[str, dict[str, float]]:
    """Measure calls that take turns, each for so many seconds in all.

    Returns
    -------
    dict
        For each, the median of the time of a call, and the mean of the CPU time of the process,
        ms.
    """
    for call in calls.values():
        call()
    wall: dict[str, list[float]] = {name: [] for name in calls}
    cpu: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_TURNS):
        for name, call in calls.items():
            until = time.perf_counter() + seconds / _TURNS
            frames = 0
            while frames < _MIN_FRAMES or time.perf_counter() < until:
                start, start_cpu = time.perf_counter(), time.process_time()
                call()
                wall[name].append((time.perf_counter() - start) * 1e3)
                cpu[name].append((time.process_time() - start_cpu) * 1e3)
                frames += 1
    return {name: {'ms': median(wall[name]), 'cpu_ms': fmean(cpu[name])} for name in calls}


def settle_kernel(backends: Sequence[str]) -> str:
    """Wait for the kernel if a backend wants it; return why it is not to be had, or ''."""
    if all(backend == 'opencv' for backend in backends):
        return ''
    state = wait_for_kernel(_COMPILE_S)
    return '' if state is KernelState.READY else state.value


def _raw(pixels: npt.NDArray[np.uint8], encoding: str) -> RawImage:
    height, width = pixels.shape[:2]
    return RawImage(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=False,
        step=pixels.strides[0],
        data=pixels.tobytes(),
    )


def measure_case(case: dict[str, Any], backends: Sequence[str], seconds: float) -> dict[str, Any]:
    """Measure the bare matcher and the core for a case, given as the fields of `Case`."""
    settle_kernel(backends)
    width, height = case['width'], case['height']
    settings = Settings(
        algorithm=case['algorithm'],
        num_disparities=case['num_disparities'],
        block_size=case['block_size'],
    )
    calls: dict[str, Callable[[], None]] = {'bare': bare_matcher(width, height, settings)}
    cores = {
        backend: CoreFrame(
            width,
            height,
            case['encoding'],
            case['outputs'],
            settings.replace(matcher_backend=backend, downscale=case['downscale']),
        )
        for backend in backends
    }
    calls.update({f'core, {backend}': core for backend, core in cores.items()})
    return {
        'times': measure_in_turn(calls, seconds),
        'backends': {backend: core.pipeline.backend for backend, core in cores.items()},
        'allocated_bytes': {backend: core.allocated_bytes() for backend, core in cores.items()},
        'opencv': cv2.__version__,
        'threads': cv2.getNumThreads(),
    }


def main(request: str) -> int:
    """Measure what the request asks for."""
    answer(measure_case(**json.loads(request)))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
