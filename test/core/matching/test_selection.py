# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.matching import selection
from stereo_depth_node.core.matching.kernel.provider import KernelState, wait_for_kernel
from stereo_depth_node.core.settings.settings import Settings

COMPILE_S = 300.0
SHAPE = (120, 200)


def noise_pair():
    rng = np.random.default_rng(5)
    wide = rng.integers(0, 256, (SHAPE[0], SHAPE[1] + 12), np.uint8)
    return np.ascontiguousarray(wide[:, :-12]), np.ascontiguousarray(wide[:, 12:])


def test_opencv_serves_until_the_kernel_is_ready_and_the_switch_cannot_be_seen(monkeypatch):
    pytest.importorskip('numba')
    left, right = noise_pair()
    before, after = np.empty(SHAPE, np.int16), np.empty(SHAPE, np.int16)

    monkeypatch.setattr(
        selection, 'kernel_state', lambda: (KernelState.COMPILING, 'compiling in a child process')
    )
    matcher = selection.create_matcher(Settings())
    matcher.compute(left, right, before)
    assert matcher.backend == 'opencv (compiling in a child process)'

    monkeypatch.undo()
    assert wait_for_kernel(COMPILE_S) is KernelState.READY
    matcher.compute(left, right, after)
    assert matcher.backend.startswith('numba (')

    np.testing.assert_array_equal(after, before)
    expected = cv2.StereoBM.create(64, 15).compute(left, right)
    np.testing.assert_array_equal(after, expected)


def test_without_a_kernel_opencv_goes_on_and_says_why(monkeypatch):
    reason = 'numba is not installed'
    monkeypatch.setattr(selection, 'kernel_state', lambda: (KernelState.UNAVAILABLE, reason))
    left, right = noise_pair()
    out = np.empty(SHAPE, np.int16)
    matcher = selection.create_matcher(Settings(matcher_backend='numba'))
    matcher.compute(left, right, out)
    np.testing.assert_array_equal(out, cv2.StereoBM.create(64, 15).compute(left, right))
    assert matcher.backend == f'opencv ({reason})'


@pytest.mark.parametrize(
    'settings', [Settings(matcher_backend='opencv'), Settings(algorithm='sgbm', block_size=5)]
)
def test_the_kernel_is_not_asked_for_where_it_is_not_wanted(settings, monkeypatch):
    asked = []
    monkeypatch.setattr(selection, 'request_kernel', lambda: asked.append('asked'))
    assert selection.create_matcher(settings).backend == 'opencv'
    assert asked == []


def test_what_the_kernel_does_not_cover_goes_to_opencv_with_the_reason(monkeypatch):
    monkeypatch.setattr(selection, 'kernel_supports', lambda **_: 'too large')
    matcher = selection.create_matcher(Settings())
    assert matcher.backend == 'opencv (the kernel does not cover these settings: too large)'


def test_importing_the_core_does_not_import_numba():
    code = 'import sys, stereo_depth_node.core.pipeline; sys.exit("numba" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
