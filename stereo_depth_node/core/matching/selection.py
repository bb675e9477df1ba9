# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which implementation does the matching: OpenCV, or the kernel that gives the same in less time.

The kernel has to be compiled once on a machine, and loaded once in a process. Nothing waits for
that: OpenCV does the work until the kernel is ready, and goes on where it is not available. The
results are the same bit for bit.
"""

from __future__ import annotations

from stereo_depth_node.core.arrays import Fixed, Grey
from stereo_depth_node.core.matching.kernel.limits import StereoBMParameters
from stereo_depth_node.core.matching.kernel.matcher import NumbaBlockMatcher
from stereo_depth_node.core.matching.kernel.provider import (
    compile_ahead,
    kernel_state,
    KernelState,
    request_kernel,
)
from stereo_depth_node.core.matching.opencv import Matcher, OpenCVMatcher
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.algorithms.table import algorithm_of

__all__ = ['compile_kernel_ahead', 'create_matcher']


def create_matcher(settings: Settings) -> Matcher:
    """Return a matcher for `settings`, with the kernel where it is allowed and has the algorithm.

    `check_image_size` must have passed for the images that come.
    """
    return _KernelOrOpenCV(settings) if _may_use_kernel(settings) else OpenCVMatcher(settings)


def compile_kernel_ahead(settings: Settings) -> None:
    """Have the kernel compiled if `settings` can use it, by a process that outlives this one."""
    if _may_use_kernel(settings):
        compile_ahead()


def _may_use_kernel(settings: Settings) -> bool:
    return algorithm_of(settings).has_kernel and settings.matcher_backend != 'opencv'


class _KernelOrOpenCV:
    """Matches with OpenCV until the kernel is ready, and with the kernel from then on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opencv = OpenCVMatcher(settings)
        self._kernel: NumbaBlockMatcher | None = None
        request_kernel()

    @property
    def backend(self) -> str:
        """Text for people: what does the matching, and why."""
        state, text = kernel_state()
        return f'numba ({text})' if state is KernelState.READY else f'opencv ({text})'

    def compute(self, left: Grey, right: Grey, out: Fixed) -> None:
        """Match a pair; see :class:`.opencv.Matcher`."""
        if self._kernel is None and kernel_state()[0] is KernelState.READY:
            self._kernel = NumbaBlockMatcher(StereoBMParameters.of(self._settings))
        (self._kernel or self._opencv).compute(left, right, out)
