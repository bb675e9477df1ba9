# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which implementation does the matching: OpenCV, or the kernel that gives the same in less time.

The kernel has to be compiled once on a machine, and loaded once in a process. Nobody waits for
that: OpenCV does the work until the kernel is ready, and goes on where it is not to be had or
does not cover the settings. The results are the same bit for bit.
"""

from __future__ import annotations

from stereo_depth_node.core.matching.kernel.matcher import kernel_supports, NumbaBlockMatcher
from stereo_depth_node.core.matching.kernel.provider import (
    kernel_state,
    KernelState,
    request_kernel,
)
from stereo_depth_node.core.matching.opencv import Fixed, Grey, Matcher, OpenCVMatcher
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['create_matcher']

_KERNEL_SETTINGS = (
    'min_disparity',
    'num_disparities',
    'block_size',
    'pre_filter_type',
    'pre_filter_size',
    'pre_filter_cap',
    'texture_threshold',
    'uniqueness_ratio',
    'disp12_max_diff',
)


def create_matcher(settings: Settings) -> Matcher:
    """Return a matcher for `settings`, by the kernel where it can and may do the work."""
    if settings.algorithm != 'bm' or settings.matcher_backend == 'opencv':
        return OpenCVMatcher(settings)
    reason = kernel_supports(**{name: getattr(settings, name) for name in _KERNEL_SETTINGS})
    if reason is not None:
        return OpenCVMatcher(settings, f'the kernel does not cover these settings: {reason}')
    return _KernelOrOpenCV(settings)


class _KernelOrOpenCV:
    """Matches with OpenCV until the kernel is ready, and with the kernel from then on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opencv = OpenCVMatcher(settings)
        self._kernel: NumbaBlockMatcher | None = None
        request_kernel()

    @property
    def backend(self) -> str:
        """Who does the work, and why."""
        state, text = kernel_state()
        return f'numba ({text})' if state is KernelState.READY else f'opencv ({text})'

    def compute(self, left: Grey, right: Grey, out: Fixed) -> None:
        """Match a pair; see :class:`.opencv.Matcher`."""
        if self._kernel is None and kernel_state()[0] is KernelState.READY:
            self._kernel = NumbaBlockMatcher(
                **{name: getattr(self._settings, name) for name in _KERNEL_SETTINGS}
            )
        (self._kernel or self._opencv).compute(left, right, out)
