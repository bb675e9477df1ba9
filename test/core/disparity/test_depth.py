# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Disparity to depth: the formula, its limits, and what is unknown."""

from __future__ import annotations

import math
from unittest.mock import patch

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scenes import geometry_of

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.disparity.depth import (
    depth_from_disparity,
    depth_limits,
    disparity_in_pixels,
    DisparityConversion,
    FixedLimits,
    millimetres_from_depth,
)
from stereo_depth_node.core.matching.kernel import provider
from stereo_depth_node.core.matching.kernel.provider import KernelState
from stereo_depth_node.core.settings.settings import Settings

# Every value that an int16 can have, once.
EVERY_VALUE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16).reshape(256, 256)
# Every disparity from -80 to 80 px in steps of 1/16 px.
FIXED = np.arange(-80 * 16, 80 * 16 + 1, dtype=np.int16).reshape(1, -1)
OFFSETS = [0.0, 31.086, -31.086, 10.0 - 1e-9, 10.0 + 1e-9, -1.0 / 16, 5.03125]


def depth_of(
    fixed: np.ndarray, settings: Settings, geometry: StereoGeometry
) -> tuple[np.ndarray, np.ndarray]:
    """Return disparity and depth as the pipeline computes them."""
    unknown, scratch = (np.empty(fixed.shape, bool) for _ in range(2))
    disparity, depth = (np.empty(fixed.shape, np.float32) for _ in range(2))
    depth_limits(settings, geometry).reject(fixed, unknown, scratch)
    disparity_in_pixels(fixed, geometry.offset, disparity)
    depth_from_disparity(disparity, unknown, geometry, depth)
    return disparity, depth


@pytest.mark.parametrize('offset', OFFSETS)
def test_disparity_is_a_sixteenth_of_the_fixed_point_value_less_the_offset(offset):
    disparity = np.empty(FIXED.shape, np.float32)
    disparity_in_pixels(FIXED, offset, disparity)
    # float32 holds 80 px to 4e-6 px, and two roundings are made.
    np.testing.assert_allclose(disparity, FIXED / 16.0 - offset, rtol=0, atol=1e-5)


@pytest.mark.parametrize('minimum', [-80, -16, 0, 20])
@pytest.mark.parametrize('offset', OFFSETS)
def test_depth_is_known_exactly_where_there_is_a_positive_disparity(offset, minimum):
    disparity, depth = depth_of(
        FIXED, Settings(min_disparity=minimum), geometry_of(640, 480, offset=offset)
    )
    np.testing.assert_array_equal(np.isfinite(depth), (minimum * 16 <= FIXED) & (disparity > 0))
    assert not np.isinf(depth).any()


@pytest.mark.parametrize('offset', OFFSETS)
def test_depth_is_focal_length_times_baseline_over_disparity(offset):
    geometry = geometry_of(640, 480, f=994.978, baseline=0.193001, offset=offset)
    disparity, depth = depth_of(FIXED, Settings(min_disparity=-80), geometry)
    known = np.isfinite(depth)
    expected = 994.978 * 0.193001 / disparity[known].astype(float)
    np.testing.assert_allclose(depth[known], expected, rtol=1e-6)
    # Against the exact disparity, float32 is good to 1e-5 from a fifth of a pixel on.
    exact = FIXED / 16.0 - offset
    known &= exact > 0.2
    np.testing.assert_allclose(depth[known], 994.978 * 0.193001 / exact[known], rtol=1e-5)


@given(
    offset=st.floats(-60, 60),
    f=st.floats(100, 3000),
    baseline=st.floats(0.005, 2),
    minimum=st.integers(-80, 40),
    near=st.just(0.0) | st.floats(0.01, 50),
    more=st.just(0.0) | st.floats(0.01, 100),
    encoding=st.sampled_from(('32FC1', '16UC1')),
)
@hypothesis_settings(max_examples=200)
def test_limits_of_depth_keep_what_lies_between_them(
    offset, f, baseline, minimum, near, more, encoding
):
    far = near + more if more else 0.0
    settings = Settings(
        min_disparity=minimum, min_depth=near, max_depth=far, depth_encoding=encoding
    )
    geometry = geometry_of(640, 480, f=f, baseline=baseline, offset=offset)
    disparity, depth = depth_of(FIXED, settings, geometry)
    end = min(far or math.inf, 65.535 if encoding == '16UC1' else math.inf)
    with np.errstate(divide='ignore'):
        true_depth = f * baseline / disparity.astype(float)
    there = (disparity > 0) & (minimum * 16 <= FIXED)
    known = np.isfinite(depth)
    # At a limit itself rounding decides, by no more than that of float32 disparities.
    slack = 1 + 4e-6 * (60 + 80) / np.where(there, disparity, 1)
    inside = there & (true_depth * slack < end) & (true_depth > near * slack)
    outside = ~there | (true_depth > end * slack) | (true_depth * slack < near)
    assert np.all(known[inside])
    assert not np.any(known[outside])


def test_limits_are_inclusive():
    """At f * B = 50, disparities of 10, 20 and 25 px are 5, 2.5 and 2 m."""
    geometry = geometry_of(640, 480, f=500.0, baseline=0.1)
    assert depth_limits(Settings(min_depth=2.5, max_depth=5.0), geometry) == (160, 320)
    assert depth_limits(Settings(min_depth=2.0), geometry) == (1, 400)


def test_limits_near_zero_are_limits_like_any_others():
    """The smallest floats above 0, at which f * B / depth is infinite."""
    geometry = geometry_of(640, 480, f=500.0, baseline=0.1)
    smallest = math.ulp(0.0)
    assert depth_limits(Settings(min_depth=smallest), geometry) == (1, 2**15 - 1)
    assert depth_limits(Settings(max_depth=smallest), geometry).low == 2**15 - 1


def test_limits_that_no_disparity_can_meet_reject_everything():
    geometry = geometry_of(640, 480, f=3000.0, baseline=2.0)
    settings = Settings(max_depth=0.001)
    _, depth = depth_of(FIXED, settings, geometry)
    assert np.isnan(depth).all()


def test_the_mask_of_rejected_pixels_is_written_whole():
    fixed = np.array([[-16, 0, 1, 15, 16, 17, 32767, -32768]], np.int16)
    out, scratch = np.ones(fixed.shape, bool), np.ones(fixed.shape, bool)
    FixedLimits(1, 16).reject(fixed, out, scratch)
    assert out.tolist() == [[True, True, False, False, False, True, True, True]]
    FixedLimits(1, 32767).reject(fixed, out, scratch)
    assert out.tolist() == [[True, True, False, False, False, False, False, True]]


def test_unknown_pixels_are_filled_with_what_is_asked_for():
    disparity = np.array([[0.0, 10.0, -1.0]], np.float32)
    unknown = np.array([[True, False, True]])
    geometry = geometry_of(640, 480, f=500.0, baseline=0.1)
    out = np.empty_like(disparity)
    depth_from_disparity(disparity, unknown, geometry, out, fill=0.0)
    assert out.tolist() == [[0.0, 5.0, 0.0]]
    depth_from_disparity(disparity, unknown, geometry, disparity)
    np.testing.assert_array_equal(disparity, np.float32([[np.nan, 5.0, np.nan]]))


@pytest.mark.parametrize(
    ('metres', 'millimetres'),
    [
        (0.0, 0),
        (0.0004, 0),
        (0.0006, 1),
        (1.2344, 1234),
        (1.2346, 1235),
        (65.5344, 65534),
        (65.535, 65535),
    ],
)
def test_millimetres_are_rounded_to_nearest(metres, millimetres):
    out = np.zeros((1, 1), np.uint16)
    millimetres_from_depth(np.full((1, 1), metres, np.float32), out)
    assert out[0, 0] == millimetres


@given(f=st.floats(100, 3000), baseline=st.floats(0.005, 2), offset=st.floats(-60, 60))
@hypothesis_settings(max_examples=200)
def test_millimetres_never_wrap(f, baseline, offset):
    """Beyond 65.535 m a depth is unknown in 16UC1, and up to it never more than 65535."""
    geometry = geometry_of(640, 480, f=f, baseline=baseline, offset=offset)
    settings = Settings(min_disparity=-80, depth_encoding='16UC1')
    _, depth = depth_of(FIXED, settings, geometry)
    known = np.isfinite(depth)
    out = np.zeros(depth.shape, np.uint16)
    millimetres_from_depth(np.where(known, depth, np.float32(0)), out)
    np.testing.assert_allclose(out[known], depth[known] * 1000.0, rtol=1e-6, atol=0.5)
    assert np.all(out[~known] == 0)


def camera_with(offset: float) -> StereoGeometry:
    return StereoGeometry(256, 256, 700.0, 128.0, 128.0, 128.0 - offset, 0.12)


def both_ways(monkeypatch, settings, geometry, fixed):
    """Convert with numpy and with compiled code; return both disparities and both depths."""
    results = []
    for state in (KernelState.COMPILING, KernelState.READY):
        monkeypatch.setattr(provider, 'kernel_state', lambda state=state: (state, ''))
        made = DisparityConversion(settings, geometry)
        disparity = np.zeros(fixed.shape, np.float32)
        depth = np.zeros(fixed.shape, np.float32)
        made.disparity(fixed, disparity)
        made.depth(fixed, depth)
        results.append((disparity, depth))
    monkeypatch.undo()
    return results


@pytest.mark.usefixtures('compiled_kernel')
@pytest.mark.parametrize('offset', [0.0, -31.086, 12.3])
@pytest.mark.parametrize(
    'settings',
    [Settings(), Settings(min_disparity=-20), Settings(min_depth=0.7, max_depth=6.5)],
    ids=['default', 'negative', 'limited'],
)
def test_compiled_code_gives_what_numpy_gives_for_every_disparity(monkeypatch, settings, offset):
    from stereo_depth_node.core.matching.kernel import conversion

    with patch.object(
        conversion, 'convert_to_depth', wraps=conversion.convert_to_depth
    ) as compiled:
        slow, fast = both_ways(monkeypatch, settings, camera_with(offset), EVERY_VALUE)
    compiled.assert_called_once()
    np.testing.assert_array_equal(fast[0].view(np.uint32), slow[0].view(np.uint32))
    np.testing.assert_array_equal(fast[1], slow[1])
    known = np.isfinite(fast[1])
    assert 0 < known.sum() < known.size
    # The depth of the disparity that is published, which is rounded to float32 itself.
    disparity = fast[0][known].astype(np.float64)
    np.testing.assert_allclose(fast[1][known], 700.0 * 0.12 / disparity, rtol=1e-5)


@pytest.mark.usefixtures('compiled_kernel')
def test_arrays_that_compiled_code_is_not_made_for_are_converted_all_the_same():
    made = DisparityConversion(Settings(), camera_with(3.0))
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
