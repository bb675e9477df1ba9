# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel gives what cv2.StereoBM gives, bit for bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from benchmarks.kernel_cases import (
    Case,
    DEFAULTS,
    kernel_result,
    opencv_result,
    random_case,
)
from stereo_depth_node.core.errors import SettingsError, SizeError
from stereo_depth_node.core.matching.kernel.buffers import plan_buffers, Search
from stereo_depth_node.core.matching.kernel.limits import (
    fits_short_lanes,
    kernel_supports,
    StereoBMParameters,
)
from stereo_depth_node.core.matching.kernel.matcher import NumbaBlockMatcher

pytest.importorskip('numba')

pytestmark = pytest.mark.usefixtures('compiled_kernel')
CASES_PER_SEED = 500


def textured_case(width: int = 160, height: int = 90, **changes: object) -> Case:
    """Noise that the right camera sees 9 px further left."""
    texture = np.random.default_rng(3).integers(0, 256, (height, width + 9), dtype=np.uint8)
    left, right = texture[:, :width].copy(), texture[:, 9:].copy()
    return Case(left, right, {**DEFAULTS, 'num_disparities': 32, **changes}, 0, 0)


@pytest.mark.parametrize('seed', range(6))
def test_random_settings_and_images_give_the_result_of_opencv(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for number in range(CASES_PER_SEED):
        case = random_case(rng)
        expected = opencv_result(case)
        result = kernel_result(case, threads=1 + number % 3)
        np.testing.assert_array_equal(result, expected, f'seed {seed}, case {number}: {case}')


@pytest.mark.parametrize('block_size', [5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 29, 31, 33, 63, 65])
@pytest.mark.parametrize('min_disparity', [-20, 0, 20])
def test_every_way_to_sum_a_window_gives_the_result_of_opencv(
    block_size: int, min_disparity: int
) -> None:
    case = textured_case(block_size=block_size, min_disparity=min_disparity)
    np.testing.assert_array_equal(kernel_result(case, 2), opencv_result(case))


@pytest.mark.parametrize('width', [1057, 1058, 1100, 1105, 2150])
def test_images_of_several_tiles_have_no_seams(width: int) -> None:
    case = textured_case(width=width, height=40, disp12_max_diff=1)
    np.testing.assert_array_equal(kernel_result(case, 1), opencv_result(case))


@pytest.mark.parametrize('min_disparity', [-1100, 1100])
def test_disparities_may_be_larger_than_a_tile_is_wide(min_disparity: int) -> None:
    case = textured_case(width=2300, height=40, min_disparity=min_disparity, disp12_max_diff=1)
    shift = min_disparity + 9
    case = case._replace(right=np.roll(case.left, -shift, axis=1))
    expected = opencv_result(case)
    assert np.mean(np.abs(expected - shift * 16) <= 8) > 0.3
    np.testing.assert_array_equal(kernel_result(case, 2), expected)


@pytest.mark.parametrize('uniqueness_ratio', [1202, 1203])
def test_the_uniqueness_test_is_exact_at_the_end_of_float32(uniqueness_ratio: int) -> None:
    """Of its whole numbers, which the smaller ratio leaves the largest SAD within."""
    case = textured_case(uniqueness_ratio=uniqueness_ratio, block_size=15)
    noise = np.random.default_rng(4).integers(0, 2, case.left.shape, dtype=np.uint8)
    case = case._replace(left=np.where(case.left < 255, case.left + noise, 255).astype(np.uint8))
    expected = opencv_result(case)
    assert 0.1 < np.mean(expected >= 0) < 0.75  # some pass the test, and some do not
    np.testing.assert_array_equal(kernel_result(case, 2), expected)
    assert fits_short_lanes(15, 31, uniqueness_ratio) is (uniqueness_ratio == 1202)


def test_whole_parts_of_quotients_are_right_in_float32() -> None:
    """As `fits_short_lanes` claims: the two kinds of quotients that the kernel takes."""
    for first in range(0, 2**24, 2**20):
        n = np.arange(first, first + 2**20)
        whole = (n.astype(np.float32) / np.float32(100)).astype(np.int64)
        np.testing.assert_array_equal(whole, n // 100)
    for m in [*range(1, 300), *range(300, 2**16, 97), *range(2**16 - 300, 2**16)]:
        n = 128 * np.arange(m + 1)
        whole = (n.astype(np.float32) / np.float32(m)).astype(np.int64)
        np.testing.assert_array_equal(whole, n // m)


@pytest.mark.parametrize('block_size', [101, 255])
@pytest.mark.parametrize('pre_filter_type', ['xsobel', 'normalized_response'])
def test_the_largest_sums_do_not_overflow(block_size: int, pre_filter_type: str) -> None:
    """Opposite stripes differ by 2 * cap in every pixel of the block."""
    stripes = np.tile((np.arange(330) // 2 % 2 * 255).astype(np.uint8), (270, 1))
    settings = {
        **DEFAULTS,
        'num_disparities': 16,
        'block_size': block_size,
        'pre_filter_type': pre_filter_type,
        'pre_filter_cap': 63,
        'uniqueness_ratio': 0,
    }
    case = Case(stripes, 255 - stripes, settings, 0, 0)
    np.testing.assert_array_equal(kernel_result(case, 2), opencv_result(case))


def test_a_shift_of_nine_pixels_is_a_disparity_of_nine() -> None:
    out = kernel_result(textured_case(), 1)
    # Exact: the noise matches itself without a remainder, so the parabola is symmetric
    # to within its 1/16 px steps where the neighbours' costs differ.
    valid = out[7:-7, 31 + 7 : -7]
    assert (valid >= 0).mean() > 0.99
    assert np.abs(valid[valid >= 0] / 16 - 9.0).max() <= 0.5
    assert np.median(valid) == 9 * 16


@pytest.mark.parametrize('threads', [1, 2, 3, 5, 8])
@pytest.mark.parametrize('block_size', [5, 15])
def test_the_number_of_threads_does_not_matter(threads: int, block_size: int) -> None:
    case = textured_case(height=8 * 64, block_size=block_size, disp12_max_diff=0)
    np.testing.assert_array_equal(kernel_result(case, threads), opencv_result(case))


@pytest.mark.parametrize(
    ('size', 'threads', 'expected'),
    [
        ((640, 480), 1, 1),
        ((640, 480), 6, 6),
        ((640, 480), 64, 8),  # 466 rows: more strips would be lower than 56 rows
        ((640, 90), 4, 1),
        ((1280, 720), 2, 2),  # two tiles side by side
        ((1280, 720), 16, 16),
        ((2600, 720), 2, 6),  # three tiles: cut in two, so that no thread stands idle
    ],
)
def test_threads_share_the_work_in_strips_worth_filling_a_window_for(
    size: tuple[int, int], threads: int, expected: int
) -> None:
    search = Search(0, 64, 7, 31, 10, 15, -16, 0)
    tiles = plan_buffers(size[::-1], search, threads).tiles
    assert len(tiles) == expected
    assert expected == 1 or min(tile.last_row - tile.first_row for tile in tiles) >= 4 * 14
    assert sum(tile.columns * (tile.last_row - tile.first_row) for tile in tiles) == (
        (size[0] - 63 - 14) * (size[1] - 14)
    )


def test_padded_reversed_and_read_only_arrays_are_understood() -> None:
    case = textured_case()
    expected = opencv_result(case)
    padded = np.zeros((90, 200), np.uint8)
    padded[:, :160] = case.left
    every_second = np.zeros((90, 320), np.uint8)
    every_second[:, ::2] = case.right
    read_only = np.frombuffer(case.left.tobytes(), np.uint8).reshape(case.left.shape)
    wide = np.zeros((90, 200), np.int16)
    matcher = NumbaBlockMatcher(StereoBMParameters(**case.settings), threads=2)
    for left in (case.left, padded[:, :160], read_only):
        for right in (case.right, every_second[:, ::2]):
            out = wide[:, 20:180]
            out[...] = -1
            matcher.compute(left, right, out)
            np.testing.assert_array_equal(out, expected)
    matcher.close()
    assert not wide[:, :20].any()
    assert not wide[:, 180:].any()


def test_one_matcher_serves_images_of_changing_size() -> None:
    matcher = NumbaBlockMatcher(StereoBMParameters(**textured_case().settings), threads=2)
    for width, height in ((160, 90), (90, 60), (161, 91), (160, 90)):
        case = textured_case(width, height)
        out = np.empty((height, width), np.int16)
        matcher.compute(case.left, case.right, out)
        np.testing.assert_array_equal(out, opencv_result(case))
    matcher.close()


def test_too_many_disparities_for_the_width_leave_nothing_valid() -> None:
    """OpenCV leaves such an output unwritten; ours is always written."""
    case = textured_case(width=40, num_disparities=32)
    out = np.full(case.left.shape, 77, np.int16)
    matcher = NumbaBlockMatcher(StereoBMParameters(**case.settings), threads=1)
    matcher.compute(case.left, case.right, out)
    assert (out == -16).all()


@pytest.mark.parametrize(
    ('changes', 'word'),
    [
        ({'block_size': 8}, 'block_size 8'),
        ({'block_size': 257}, 'block_size 257'),
        ({'pre_filter_cap': 64}, 'pre_filter_cap 64'),
        ({'pre_filter_type': 'census'}, 'census'),
        ({'num_disparities': 40}, 'num_disparities 40'),
        ({'uniqueness_ratio': -1}, 'uniqueness_ratio'),
        ({'min_disparity': 2040}, '16 bits'),
        ({'block_size': 255, 'pre_filter_cap': 63, 'uniqueness_ratio': 300}, '32 bits'),
        ({'pre_filter_type': 'normalized_response', 'pre_filter_size': 89}, 'table'),
        ({'block_size': 23, 'disp12_max_diff': 1}, 'memory'),
        ({'pre_filter_cap': 32, 'disp12_max_diff': 1}, 'memory'),
    ],
)
def test_settings_that_it_cannot_reproduce_are_refused_with_the_reason(
    changes: dict[str, object], word: str
) -> None:
    settings = {**DEFAULTS, **changes}
    assert word in (kernel_supports(StereoBMParameters(**settings)) or '')
    with pytest.raises(SettingsError, match=word):
        NumbaBlockMatcher(StereoBMParameters(**settings))


def test_a_pre_filter_higher_than_the_image_is_not_supported() -> None:
    settings = {**DEFAULTS, 'pre_filter_type': 'normalized_response', 'pre_filter_size': 101}
    assert kernel_supports(StereoBMParameters(**settings), height=50) is None
    assert '49 rows' in (kernel_supports(StereoBMParameters(**settings), height=49) or '')


@pytest.mark.parametrize(
    ('height', 'right_width', 'right_type', 'out_type', 'word'),
    [
        (40, 61, np.uint8, np.int16, 'one'),
        (40, 60, np.int8, np.int16, 'uint8'),
        (40, 60, np.uint8, np.int32, 'int16'),
        (15, 60, np.uint8, np.int16, 'below 15'),
    ],
)
def test_images_that_do_not_fit_are_refused(
    height: int, right_width: int, right_type: type, out_type: type, word: str
) -> None:
    left = np.zeros((height, 60), np.uint8)
    right = np.zeros((height, right_width), right_type)
    out = np.zeros((height, 60), out_type)
    with pytest.raises(SizeError, match=word):
        NumbaBlockMatcher(StereoBMParameters(**DEFAULTS), threads=1).compute(left, right, out)


def test_importing_the_matcher_does_not_import_numba() -> None:
    program = (
        'import sys; from stereo_depth_node.core.matching.kernel import matcher, provider; '
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, '-c', program], check=False).returncode == 0
