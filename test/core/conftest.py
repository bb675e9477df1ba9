# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How examples are generated: the same in each run, however long each takes. And the kernel."""

from __future__ import annotations

from hypothesis import settings
import pytest

from stereo_depth_node.core.matching.kernel.provider import (
    kernel_state,
    KernelState,
    wait_for_kernel,
)

settings.register_profile('reproducible', deadline=None, derandomize=True)
settings.load_profile('reproducible')


@pytest.fixture(scope='session')
def compiled_kernel() -> None:
    """Wait until the kernel is compiled; where there is no numba, the test is skipped."""
    pytest.importorskip('numba')
    # A cold compilation takes some 15 s at low priority.
    assert wait_for_kernel(500.0) is KernelState.READY, kernel_state()
