# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Block matching that gives what `cv2.StereoBM` gives, bit for bit, in less time.

For every pixel and disparity d, the sum of absolute differences (SAD) of the two
pre-filtered images over a window is wanted; the d of the smallest SAD wins.

1. *Difference rows.* When the window slides down by one row, its SAD changes by
   ``|left - right|`` in the row that enters minus that in the row that leaves. For one
   d that is one row of 8-bit numbers, and every column does the same: vector work.
2. *Tree sums.* Sums over two columns make sums over a third of the block, and three of
   those make its width: exactly for blocks of 9, 15 and 21, with one column more or less
   for others. Larger thirds are doubled up, so that the work grows with the logarithm of
   the block size.
3. *SADs* are kept for every column and d, in 16-bit lanes where they fit (in 32-bit
   lanes for large blocks), and updated in place.
4. *Ranks.* While the SADs pass by, every column remembers the best one and the best of
   the others that are not its neighbours, for the uniqueness test: the SADs need not be
   searched again.
5. The left-right check works on the finished rows.

Columns are cut into tiles whose SADs stay in the cache; tiles, and strips of rows where
there are fewer tiles than threads, are handed to a pool of threads. Nothing of image
size is allocated per frame.

Where OpenCV repeats an edge, so does the kernel: the columns there count in the
left-right check, and at a negative min_disparity they are part of the result. What OpenCV
writes past the end of each row, at a positive min_disparity, is no result: the kernel does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Fixed, Grey
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.matching.kernel.buffers import (
    allocate_scratch,
    Buffers,
    flat_view,
    Layout,
    plan_buffers,
    Search,
    Tile,
)
from stereo_depth_node.core.matching.kernel.limits import (
    check_images,
    fits_short_lanes,
    kernel_supports,
    StereoBMParameters,
)
from stereo_depth_node.core.settings.algorithms.block_matching import response_scales

__all__ = ['NumbaBlockMatcher']

Sums = NDArray[np.int32]


class NumbaBlockMatcher:
    """Computes what `cv2.StereoBM` computes, without its speckle filter.

    Speckles are the caller's next step, as for every algorithm:
    ``cv2.filterSpeckles(out, invalid, window_size, range_px * DISPARITY_SCALE)``.
    Not for two threads at once: the buffers are shared by all calls.

    Parameters
    ----------
    parameters : StereoBMParameters
        OpenCV's.
    threads : int, optional
        Threads to compute with, OpenCV's number by default.

    Raises
    ------
    SettingsError
        If :func:`kernel_supports` has a reason against the settings.
    """

    def __init__(self, parameters: StereoBMParameters, *, threads: int | None = None) -> None:
        reason = kernel_supports(parameters)
        if reason is not None:
            raise SettingsError(f'{reason}: use OpenCV for these settings')
        # Here, so that numba is imported only by those who use it.
        from stereo_depth_node.core.matching.kernel import block_matching, prefilters

        self._kernels = block_matching
        self._prefilters = prefilters
        self._search = Search(
            parameters.min_disparity,
            parameters.num_disparities,
            parameters.block_size // 2,
            parameters.pre_filter_cap,
            parameters.texture_threshold,
            parameters.uniqueness_ratio,
            (parameters.min_disparity - 1) * DISPARITY_SCALE,
            int(parameters.disp12_max_diff >= 0),
        )
        is_xsobel = parameters.pre_filter_type == 'xsobel'
        self._response_window = 0 if is_xsobel else parameters.pre_filter_size
        self._max_difference = parameters.disp12_max_diff * DISPARITY_SCALE
        self._threads = max(1, cv2.getNumThreads() if threads is None else threads)
        self._pool = ThreadPoolExecutor(self._threads - 1) if self._threads > 1 else None
        short = fits_short_lanes(
            parameters.block_size, parameters.pre_filter_cap, parameters.uniqueness_ratio
        )
        self._scratch = [
            allocate_scratch(parameters.num_disparities, short=short) for _ in range(self._threads)
        ]
        self._buffers: Buffers | None = None
        self._packed: Fixed = np.empty((0, 0), np.int16)

    def compute(self, left: Grey, right: Grey, out: Fixed) -> None:
        """Match a pair.

        Parameters
        ----------
        left, right : ndarray, (H, W) uint8
            Rectified grey images; rows may be further apart than W bytes.
        out : ndarray, (H, W) int16
            Receives the disparities in 1/16 px, (min_disparity - 1) * DISPARITY_SCALE where there
            is none.

        Raises
        ------
        SizeError
            If the images differ in size or type, or are not larger than the block.
        """
        check_images(left, right, out, 2 * self._search.half + 1)
        buffers = self._buffers
        if buffers is None or buffers.shape != left.shape:
            buffers = plan_buffers((left.shape[0], left.shape[1]), self._search, self._threads)
            self._buffers = buffers
        target = out
        if not out.flags.carray:  # numba would compile anew for such an array
            if self._packed.shape != out.shape:
                self._packed = np.empty(out.shape, np.int16)
            target = self._packed
        self._match(left, right, target.reshape(-1), buffers)
        self._clear_outside(target, buffers)
        if target is not out:
            np.copyto(out, target)

    def close(self) -> None:
        """End the threads; the matcher cannot be used afterwards."""
        if self._pool is not None:
            self._pool.shutdown()

    def _match(self, left: Grey, right: Grey, out: Fixed, buffers: Buffers) -> None:
        """Run the stages one after the other, each on all threads."""
        if not buffers.tiles:
            return
        left, left_step = flat_view(left)
        right, right_step = flat_view(right)

        def filter_strip(strip: Tile, thread: int) -> None:
            sums = buffers.sums[2 * thread : 2 * thread + 2]
            self._filter(left, left_step, buffers.left, buffers.layout, strip, sums[0])
            self._filter(right, right_step, buffers.right, buffers.layout, strip, sums[1])

        def match_tile(tile: Tile, thread: int) -> None:
            self._match_tile(out, buffers, tile, thread)

        def check_strip(strip: Tile, thread: int) -> None:
            width = buffers.layout.width
            matched = np.empty((2, width), np.int32)
            self._kernels.check_left_right(
                out, buffers.costs, buffers.layout, self._search, strip,
                self._max_difference, matched[0], matched[1],
            )  # fmt: skip

        self._share(filter_strip, buffers.strips)
        self._share(match_tile, buffers.tiles)
        if self._search.keep_costs:
            self._share(check_strip, buffers.checked)

    def _filter(
        self, image: Grey, step: int, target: Grey, layout: Layout, strip: Tile, sums: Sums
    ) -> None:
        """Pre-filter the rows of a strip and repeat its edges as far as windows reach."""
        width, height, origin, stride = layout
        first, last, cap = strip.first_row, strip.last_row, self._search.cap
        if self._response_window:
            self._prefilters.filter_normalized_response(
                image, step, target, origin, stride, width, height, first, last, cap,
                self._response_window, *response_scales(self._response_window), sums,
            )  # fmt: skip
        else:
            self._prefilters.filter_xsobel(
                image, step, target, origin, stride, width, height, first, last, cap
            )
        self._prefilters.pad_rows(target, origin, stride, width, first, last, self._search.half)

    def _match_tile(self, out: Fixed, buffers: Buffers, tile: Tile, thread: int) -> None:
        self._kernels.match_tile(
            buffers.left, buffers.right, buffers.layout, self._search, tile, out,
            buffers.costs, *self._scratch[thread],
        )  # fmt: skip

    def _clear_outside(self, out: Fixed, buffers: Buffers) -> None:
        """Leave no disparity outside of the valid part."""
        filtered = self._search.filtered
        valid = buffers.valid
        if not buffers.tiles:
            out[...] = filtered
            return
        out[: valid.first_row] = filtered
        out[valid.last_row :] = filtered
        out[:, : valid.column] = filtered
        out[:, valid.column + valid.columns :] = filtered

    def _share(self, work: Callable[[Tile, int], None], parts: Sequence[Tile]) -> None:
        """Do `work` on all `parts`; every thread takes the next one when it is free."""
        waiting = iter(parts)
        others = []
        if self._pool is not None and len(parts) > 1:
            others = [
                self._pool.submit(_work_through, work, waiting, thread)
                for thread in range(1, min(self._threads, len(parts)))
            ]
        _work_through(work, waiting, 0)
        for other in others:
            other.result()


def _work_through(work: Callable[[Tile, int], None], parts: Iterator[Tile], thread: int) -> None:
    for part in parts:
        work(part, thread)
