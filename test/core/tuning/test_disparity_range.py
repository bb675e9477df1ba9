# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The range of disparities: what independent estimates agree on, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import scene_of

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.disparity_range import (
    agreed_range,
    DisparityRange,
    find_disparity_range,
)


def agreed(*ends: tuple[float, float]) -> DisparityRange:
    return agreed_range([(f'method {n}', DisparityRange(*each)) for n, each in enumerate(ends)])


@pytest.mark.parametrize(
    ('estimates', 'expected'),
    [
        # One that is far off at both ends.
        ([(36, 71), (-52, 142), (12, 77)], (12, 77)),
        ([(9, 58), (9.5, 59), (-32, 354)], (9, 59)),
        # One that misses what is near, or far: the others have it.
        ([(20, 40), (20, 80), (21, 82)], (20, 82)),
        ([(40, 80), (5, 80), (6, 81)], (5, 81)),
        # One that alone sees a little more: within the agreement.
        ([(15, 43), (15, 43), (14.5, 47.8)], (14.5, 47.8)),
        # Two that agree, and two that do not.
        ([(10, 50), (12, 52)], (10, 52)),
        ([(10, 50), (-60, 300)], (10, 50)),
        ([(10, 50)], (10, 50)),
    ],
)
def test_each_end_is_where_most_estimates_agree(estimates, expected):
    found = agreed(*estimates)
    assert (found.low, found.high) == expected


def test_what_is_not_confirmed_is_said_with_its_figures():
    assert not agreed((10, 50), (11, 52), (9, 51)).unused
    found = agreed((36, 71), (-52, 142), (12, 77))
    assert len(found.unused) == 1
    for text in ('method 1', '-52 to 142 px', '12 to 77 px', 'not used'):
        assert text in found.unused[0]


def test_ranges_of_several_pairs_are_joined_with_what_is_said_of_them():
    total = DisparityRange(5, 20, ('a',)).joined(DisparityRange(8, 40, ('a', 'b')))
    assert (total.low, total.high, total.unused) == (5, 40, ('a', 'b'))


@pytest.mark.parametrize(
    ('low', 'infinity', 'expected'),
    [
        (12.0, 0.0, 0.0),  # the camera will see farther
        (-3.0, 0.0, 0.0),  # the margin, and what calibration leaves
        (-58.0, 0.0, -58.0),  # points that no parallel cameras have
        (4.0, -31.1, -31.1),
    ],
)
def test_a_range_begins_at_infinity_unless_there_is_more(low, infinity, expected):
    found = DisparityRange(low, 60.0).reaching(infinity)
    assert (found.low, found.high) == (expected, 60.0)


def test_a_near_thing_is_in_the_range_although_corners_cannot_be_tracked_that_far():
    """200 of 600 px, far beyond the reach of the tracking from 5 px."""
    field = np.full((200, 600), 5.0)
    field[60:160, 350:550] = 200.0
    pair = scene_of(field, finest_px=5.0)
    found = find_disparity_range([(pair.left, pair.right)])
    assert found.low < 5.0
    assert 200.0 < found.high < 240.0


def test_images_of_a_single_estimate_have_too_little_in_common(motorcycle):
    upside_down = np.ascontiguousarray(motorcycle.right[::-1, ::-1])
    with pytest.raises(SettingsError, match='too little in common'):
        find_disparity_range([(motorcycle.left, upside_down)])


@pytest.mark.parametrize('shape', [(1, 401), (2, 4000), (300, 3), (1, 1)])
def test_images_of_a_few_rows_or_columns_have_too_little_in_common(shape):
    noise = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    with pytest.raises(SettingsError, match='too little in common'):
        find_disparity_range([(noise, noise)])


def test_one_per_cent_of_the_truth_at_most_is_left_out(motorcycle):
    found = find_disparity_range([(motorcycle.left, motorcycle.right)])
    truth = motorcycle.disparity[np.isfinite(motorcycle.disparity)]
    settings = found.applied_to(Settings())
    assert np.mean(truth < settings.min_disparity) < 0.01
    assert np.mean(truth >= settings.min_disparity + settings.num_disparities) < 0.01
