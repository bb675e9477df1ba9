# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.disparity import conversion
from stereo_depth_node.core.disparity.conversion import DisparityConversion
from stereo_depth_node.core.matching.kernel.provider import KernelState, wait_for_kernel
from stereo_depth_node.core.settings.settings import Settings

COMPILE_S = 300.0
# Every value that an int16 can have, once.
EVERY_VALUE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16).reshape(256, 256)


def camera(offset: float) -> StereoGeometry:
    return StereoGeometry(256, 256, 700.0, 128.0, 128.0, 128.0 - offset, 0.12)


def both_ways(monkeypatch, settings, geometry, fixed):
    """Convert with numpy and with compiled code; return both disparities and both depths."""
    results = []
    for state in (KernelState.COMPILING, KernelState.READY):
        monkeypatch.setattr(conversion, 'kernel_state', lambda state=state: (state, ''))
        made = DisparityConversion(settings, geometry)
        disparity = np.zeros(fixed.shape, np.float32)
        depth = np.zeros(fixed.shape, np.float32)
        made.disparity(fixed, disparity)
        made.depth(fixed, depth)
        results.append((disparity, depth))
    monkeypatch.undo()
    return results


@pytest.mark.parametrize('offset', [0.0, -31.086, 12.3])
@pytest.mark.parametrize(
    'settings',
    [Settings(), Settings(min_disparity=-20), Settings(min_depth=0.7, max_depth=6.5)],
    ids=['default', 'negative', 'limited'],
)
def test_compiled_code_gives_what_numpy_gives_for_every_disparity(monkeypatch, settings, offset):
    pytest.importorskip('numba')
    assert wait_for_kernel(COMPILE_S) is KernelState.READY
    slow, fast = both_ways(monkeypatch, settings, camera(offset), EVERY_VALUE)
    np.testing.assert_array_equal(fast[0].view(np.uint32), slow[0].view(np.uint32))
    np.testing.assert_array_equal(fast[1], slow[1])
    known = np.isfinite(fast[1])
    assert 0 < known.sum() < known.size
    # The depth of the disparity that is published, which is rounded to float32 itself.
    disparity = fast[0][known].astype(np.float64)
    np.testing.assert_allclose(fast[1][known], 700.0 * 0.12 / disparity, rtol=1e-5)


def test_arrays_that_compiled_code_is_not_made_for_are_converted_all_the_same():
    wait_for_kernel(COMPILE_S)
    made = DisparityConversion(Settings(), camera(3.0))
    whole, part = np.empty((256, 512), np.float32), np.empty((256, 256), np.float32)
    made.depth(EVERY_VALUE, whole[:, ::2])
    made.depth(EVERY_VALUE, part)
    np.testing.assert_array_equal(whole[:, ::2], part)


def test_without_a_camera_there_is_disparity_but_no_depth():
    made = DisparityConversion(Settings(), None)
    out = np.empty(EVERY_VALUE.shape, np.float32)
    made.disparity(EVERY_VALUE, out)
    np.testing.assert_array_equal(out, EVERY_VALUE / np.float32(16))
    with pytest.raises(ValueError, match='give the pipeline a StereoGeometry'):
        made.depth(EVERY_VALUE, out)
