# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Compile the kernels: ``python -m stereo_depth_node.core.matching.kernel.compiler``.

Run as a program it fills the cache at low priority, and ends when its standard
input does: whoever started it holds the other end, and takes it along when it dies.
With ``--stay`` it goes on by itself. One process at a time compiles; the others wait for it.
"""

from __future__ import annotations

import os
import sys
import threading

import numpy as np

from stereo_depth_node.core.matching.kernel.cache import (
    cache_folder,
    compiling_alone,
    discard_renewed,
    is_complete,
    renewed_cache,
)
from stereo_depth_node.core.matching.kernel.limits import StereoBMParameters
from stereo_depth_node.core.matching.kernel.matcher import NumbaBlockMatcher

__all__ = ['compile_kernels', 'main']

_STAY = '--stay'


def compile_kernels() -> None:
    """Compile everything for all settings, or load it from the cache."""
    # Both lane widths, both pre-filters and the left-right check: every set of argument types.
    _match_example(pre_filter_cap=31, pre_filter_type='xsobel', disp12_max_diff=1)
    _match_example(pre_filter_cap=63, pre_filter_type='normalized_response', disp12_max_diff=-1)
    _convert_example()
    _remap_example()


def _match_example(*, pre_filter_cap: int, pre_filter_type: str, disp12_max_diff: int) -> None:
    image = np.zeros((24, 64), np.uint8)
    parameters = StereoBMParameters(
        min_disparity=0,
        num_disparities=16,
        block_size=9,
        pre_filter_type=pre_filter_type,
        pre_filter_size=9,
        pre_filter_cap=pre_filter_cap,
        texture_threshold=0,
        uniqueness_ratio=0,
        disp12_max_diff=disp12_max_diff,
    )
    matcher = NumbaBlockMatcher(parameters, threads=1)
    matcher.compute(image, image, np.empty(image.shape, np.int16))


def _convert_example() -> None:
    from stereo_depth_node.core.matching.kernel.conversion import (
        convert_to_depth,
        convert_to_disparity,
        keep_one_per_voxel,
        project_pixels,
        select_known,
    )

    fixed, out = np.zeros(64, np.int16), np.empty(64, np.float32)
    one = np.float32(1.0)
    convert_to_disparity(fixed, one, one, out)
    convert_to_depth(fixed, one, one, one, np.int16(0), np.int16(0), out)
    pixels, points = np.empty(64, np.int32), np.empty(192, np.float32)
    count = select_known(out, 64, 1, pixels)
    project_pixels(out, 64, pixels, count, out, out, out, 3, points)
    keep_one_per_voxel(points, count, one, one, np.full(128, -1, np.int64), pixels)


def _remap_example() -> None:
    from stereo_depth_node.core.matching.kernel.remapping import remap_bilinear

    grey, numbers = np.zeros(64, np.uint8), np.zeros(32, np.uint32)
    remap_bilinear(grey, np.uint64(8), numbers, np.zeros(32, np.uint16), numbers.copy(), grey[32:])


def main() -> None:
    """Compile at low priority what is not compiled yet, for as long as the parent lives."""
    if _STAY not in sys.argv[1:]:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, 'nice'):
        os.nice(10)
    with compiling_alone():
        folder = cache_folder()
        if folder is not None and is_complete(folder):
            return  # by another process, meanwhile
        with renewed_cache():
            compile_kernels()


def _end_with_parent() -> None:
    # Not sys.stdin: its lock, held in here, would break the interpreter's own end.
    while os.read(sys.stdin.fileno(), 1):
        pass
    discard_renewed()
    os._exit(1)


if __name__ == '__main__':
    main()
