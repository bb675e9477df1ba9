# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings that a size of images makes impossible are refused with the remedy."""

from __future__ import annotations

import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.constraints import check_image_size
from stereo_depth_node.core.settings.settings import Settings


def refusal_of(settings: Settings, width: int, height: int) -> str:
    with pytest.raises(SettingsError) as caught:
        check_image_size(settings, width, height)
    with pytest.raises(SettingsError):
        StereoPipeline(settings, width, height)
    return str(caught.value)


@pytest.mark.parametrize('fill', [False, True])
@pytest.mark.parametrize('count', [640, 656, 4096])
def test_a_range_of_disparities_as_wide_as_the_image_is_refused(count, fill):
    settings = Settings(num_disparities=count, fill_left_band=fill)
    refusal = refusal_of(settings, 640, 480)
    for word in (f'num_disparities {count}', '640x480', 'reduce num_disparities'):
        assert word in refusal


@pytest.mark.parametrize('minimum', [-640, -2000, 640, 2000])
def test_a_range_of_disparities_outside_of_the_image_is_refused(minimum):
    refusal = refusal_of(Settings(min_disparity=minimum), 640, 480)
    assert f'min_disparity {minimum}' in refusal


@pytest.mark.parametrize('algorithm', ['bm', 'sgbm'])
@pytest.mark.parametrize(('width', 'height'), [(15, 480), (640, 15), (640, 9), (10, 480)])
def test_a_block_that_is_not_smaller_than_the_image_is_refused(algorithm, width, height):
    refusal = refusal_of(Settings(algorithm=algorithm, num_disparities=16), width, height)
    for word in ('block_size is 15 px', f'{width}x{height}', f'below {min(width, height)}'):
        assert word in refusal


@pytest.mark.parametrize(('algorithm', 'size'), [('bm', 5), ('bm', 1), ('sgbm', 1)])
def test_images_that_no_block_fits_into_are_refused_whatever_the_block(algorithm, size):
    refusal = refusal_of(Settings(algorithm=algorithm, num_disparities=16), size, 480)
    assert 'publish larger images' in refusal
    assert 'set block_size' not in refusal


@pytest.mark.parametrize('minimum', [2047 - 16, -2047])
def test_disparities_that_do_not_fit_16_bit_are_refused(minimum):
    """32767 / 16 = 2047.9 px; the value for no match lies 1 px below the smallest."""
    refusal = refusal_of(Settings(min_disparity=minimum - 1, num_disparities=32), 5000, 100)
    assert 'do not fit' in refusal
    assert '2047 px' in refusal
    if minimum > 0:
        check_image_size(Settings(min_disparity=minimum, num_disparities=16), 5000, 100)
    else:
        check_image_size(Settings(min_disparity=minimum + 1, num_disparities=16), 5000, 100)
