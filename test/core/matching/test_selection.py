# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import fields
import subprocess
import sys

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.matching import selection
from stereo_depth_node.core.matching.kernel.limits import kernel_supports, StereoBMParameters
from stereo_depth_node.core.matching.kernel.provider import KernelState
from stereo_depth_node.core.settings import known_parameters, Settings
from stereo_depth_node.core.settings.constraints import check_image_size

SHAPE = (120, 200)


def noise_pair():
    rng = np.random.default_rng(5)
    wide = rng.integers(0, 256, (SHAPE[0], SHAPE[1] + 12), np.uint8)
    return np.ascontiguousarray(wide[:, :-12]), np.ascontiguousarray(wide[:, 12:])


@pytest.mark.usefixtures('compiled_kernel')
def test_opencv_serves_until_the_kernel_is_ready_and_the_switch_cannot_be_seen(monkeypatch):
    left, right = noise_pair()
    before, after = np.empty(SHAPE, np.int16), np.empty(SHAPE, np.int16)

    monkeypatch.setattr(
        selection, 'kernel_state', lambda: (KernelState.COMPILING, 'compiling in a child process')
    )
    matcher = selection.create_matcher(Settings())
    matcher.compute(left, right, before)
    assert matcher.backend == 'opencv (compiling in a child process)'

    monkeypatch.undo()
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


def random_settings(rng: np.random.Generator) -> Settings:
    """Draw settings of bm, the ends of all ranges among them; raises where they are impossible."""
    values = {}
    for name in (field.name for field in fields(StereoBMParameters)):
        known = known_parameters()[name]
        if known.choices:
            values[name] = str(rng.choice(known.choices))
        else:
            step = max(known.step, 1)
            ends = (known.minimum, known.maximum)
            inside = known.minimum + step * rng.integers(0, (ends[1] - ends[0]) // step + 1)
            values[name] = int(rng.choice([*ends, inside, inside, known.default]))
    return Settings(**values)


def test_the_kernel_reproduces_all_settings_that_are_possible():
    """So there is nothing to decide between: whatever passes the checks goes to the kernel."""
    rng, possible = np.random.default_rng(0), 0
    for _ in range(8_000):
        width, height = (int(side) for side in rng.integers(16, 6000, 2))
        try:
            settings = random_settings(rng)
            check_image_size(settings, width, height)
        except SettingsError:
            continue
        possible += 1
        reason = kernel_supports(StereoBMParameters.of(settings), height=height)
        assert reason is None, (settings, width, height)
    assert possible > 900


def test_importing_the_core_does_not_import_numba():
    code = 'import sys, stereo_depth_node.core.pipeline; sys.exit("numba" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
