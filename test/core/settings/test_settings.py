# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The settings: defaults that work, refusals that help, and nothing changed by a refusal."""

from __future__ import annotations

import dataclasses
import math

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.settings import known_parameters, Settings

IMPOSSIBLE = [
    ({'num_disparities': 0}, ['num_disparities is 0 px', '16 px or more']),
    ({'num_disparities': 17}, ['num_disparities is 17 px', 'set it to 16 or 32']),
    ({'num_disparities': -16}, ['num_disparities is -16 px', '16 px or more']),
    ({'num_disparities': 64.0}, ['num_disparities is 64.0 (float)', 'a whole number']),
    ({'num_disparities': '64'}, ["num_disparities is '64' (str)", 'a whole number']),
    ({'num_disparities': True}, ['num_disparities is True (bool)', 'a whole number']),
    ({'num_disparities': None}, ['num_disparities is None', 'a whole number']),
    ({'num_disparities': 10**30}, ['num_disparities', '4096 px or less']),
    ({'block_size': 14}, ['block_size is 14 px', 'set it to 13 or 15']),
    ({'block_size': 0}, ['block_size is 0 px', '1 px or more']),
    ({'block_size': 257}, ['block_size is 257 px', '255 px or less']),
    ({'block_size': 3}, ['block_size is 3 px', 'bm needs 5', 'set block_size to 5', 'sgbm']),
    ({'algorithm': 'sgbm', 'block_size': 4}, ['block_size is 4 px', 'set it to 3 or 5']),
    ({'algorithm': 'sgbm', 'block_size': 23}, ['block_size is 23 px', '21 px at most']),
    (
        {'algorithm': 'sgbm', 'block_size': 31, 'p1': 10, 'p2': 100},
        ['block_size is 31 px', '21 px at most'],
    ),
    (
        {'pre_filter_type': 'normalized_response', 'pre_filter_size': 51},
        ['pre_filter_size is 51 px', 'set it to 49 or less'],
    ),
    ({'algorithm': 'sgbm', 'p2': 32767}, ['p2 is 32767', '16384 or less']),
    ({'algorithm': 'census'}, ["algorithm is 'census'", 'bm, sgbm, sgbm_3way']),
    ({'pre_filter_cap': 0}, ['pre_filter_cap is 0', 'set it to 1 or more']),
    ({'pre_filter_cap': 64}, ['pre_filter_cap is 64', 'set it to 63 or less']),
    ({'pre_filter_size': 8}, ['pre_filter_size is 8 px', 'set it to 7 or 9']),
    ({'pre_filter_size': 3}, ['pre_filter_size is 3 px', '5 px or more']),
    ({'pre_filter_type': 'sobel'}, ["pre_filter_type is 'sobel'", 'xsobel']),
    ({'uniqueness_ratio': 101}, ['uniqueness_ratio is 101 %', '100 % or less']),
    ({'texture_threshold': -1}, ['texture_threshold is -1', '0 or more']),
    ({'disp12_max_diff': -2}, ['disp12_max_diff is -2 px', '-1 px or more']),
    ({'disp12_max_diff': 1, 'block_size': 23}, ['block_size is 23', 'disp12_max_diff to -1']),
    ({'disp12_max_diff': 0, 'pre_filter_cap': 32}, ['pre_filter_cap is 32', 'up to', '31']),
    ({'algorithm': 'sgbm', 'p1': 100, 'p2': 100}, ['p1 is 100 and p2 is 100', 'p2 above p1']),
    ({'algorithm': 'sgbm_hh', 'p1': 8000}, ['p1 is 8000 and p2 is 7200', 'p2 above p1']),
    ({'algorithm': 'sgbm', 'p2': 10}, ['p1 is 1800 and p2 is 10', 'p2 above p1']),
    ({'min_depth': 2.0, 'max_depth': 2.0}, ['min_depth is 2.0 m', 'max_depth is 2.0 m', 'above']),
    ({'min_depth': 3.0, 'max_depth': 2.0}, ['min_depth is 3.0 m', 'or to 0 for no limit']),
    ({'min_depth': math.nan}, ['min_depth is nan', 'finite']),
    ({'max_depth': math.inf}, ['max_depth is inf', 'finite']),
    ({'max_depth': -1.0}, ['max_depth is -1.0 m', '0.0 m or more']),
    ({'depth_encoding': 'mono16'}, ["depth_encoding is 'mono16'", '32FC1, 16UC1']),
    ({'baseline': -0.1}, ['baseline is -0.1 m', '0.0 m or more']),
    ({'baseline': 1e-7}, ['baseline is 1e-07 m', '1e-06 m or more, or to 0']),
    ({'downscale': 3}, ['downscale is 3', '1, 2 or 4']),
    ({'rectify': 1}, ['rectify is 1 (int)', 'true or false']),
    ({'sync_tolerance': -0.001}, ['sync_tolerance is -0.001 s', '0.0 s or more']),
    ({'queue_size': 0}, ['queue_size is 0', '1 or more']),
    ({'numDisparities': 64}, ['no setting numDisparities', 'num_disparities']),
]


def refusal_of(settings: Settings, changes: dict[str, object]) -> str:
    with pytest.raises(SettingsError) as caught:
        settings.merged(changes)
    return str(caught.value)


def test_the_defaults_are_possible_and_those_that_the_documentation_names():
    settings = Settings()
    assert settings.algorithm == 'bm'
    assert (settings.min_disparity, settings.num_disparities, settings.block_size) == (0, 64, 15)


@pytest.mark.parametrize(('changes', 'words'), IMPOSSIBLE)
def test_an_impossible_change_is_refused_with_setting_value_and_remedy(changes, words):
    refusal = refusal_of(Settings(), changes)
    assert all(word in refusal for word in words), refusal


@pytest.mark.parametrize(('changes', 'words'), IMPOSSIBLE)
def test_an_impossible_change_in_a_batch_of_good_ones_changes_nothing(changes, words):
    before = Settings(min_disparity=-16, uniqueness_ratio=5)
    content = dataclasses.asdict(before)
    refusal = refusal_of(before, {'speckle_window_size': 50, 'texture_threshold': 3, **changes})
    assert all(word in refusal for word in words), refusal
    assert dataclasses.asdict(before) == content


@pytest.mark.parametrize(('changes', 'words'), IMPOSSIBLE)
def test_impossible_settings_cannot_be_made_from_the_start_either(changes, words):
    if set(changes) <= set(known_parameters()):
        with pytest.raises(SettingsError) as caught:
            Settings(**changes)
        assert all(word in str(caught.value) for word in words)


def test_changes_that_are_possible_only_together_are_taken_together():
    deep = Settings(min_depth=1.0, max_depth=2.0)
    refusal_of(deep, {'min_depth': 5.0})
    assert deep.replace(min_depth=5.0, max_depth=9.0).min_depth == 5.0
    fine = Settings().replace(algorithm='sgbm', block_size=3)
    refusal_of(fine, {'algorithm': 'bm'})


def test_no_maximum_depth_goes_with_any_minimum():
    assert Settings(min_depth=5.0, max_depth=0.0).min_depth == 5.0


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().block_size = 21


def test_equal_settings_are_equal_and_hash_alike():
    assert Settings(max_depth=5) == Settings(max_depth=5.0)
    assert hash(Settings(max_depth=5)) == hash(Settings(max_depth=5.0))
    assert Settings(max_depth=5) != Settings()


def test_penalties_follow_opencvs_rule_unless_they_are_set():
    settings = Settings(algorithm='sgbm', block_size=5)
    assert settings.penalties == (8 * 25, 32 * 25)
    assert settings.replace(p1=36).penalties == (36, 800)
    assert settings.replace(p1=36, p2=144).penalties == (36, 144)


def test_bm_does_not_mind_penalties_that_only_sgbm_uses():
    assert Settings(p1=100, p2=50).replace(block_size=255).penalties == (100, 50)


@pytest.mark.parametrize('known', known_parameters().values(), ids=lambda known: known.name)
def test_each_parameter_is_described_and_its_range_ends_lie_on_its_grid(known):
    assert known.description.endswith('.')
    assert known.group
    assert known.parse(known.default) == known.default
    if known.type in (int, float):
        assert type(known.minimum) is type(known.maximum) is known.type
        assert known.parse(known.minimum) == known.minimum
        assert known.parse(known.maximum) == known.maximum
    if known.choices:
        assert known.default in known.choices


@given(
    factor=st.sampled_from((1, 2, 4)),
    low=st.integers(-2048, 2048),
    count=st.integers(1, 256).map(lambda steps: 16 * steps),
)
@hypothesis_settings(max_examples=300)
def test_a_reduced_range_of_disparities_covers_the_full_one_and_little_more(factor, low, count):
    full = Settings(min_disparity=low, num_disparities=count, downscale=factor)
    reduced = full.for_downscaled_images()
    end = reduced.min_disparity + reduced.num_disparities
    assert reduced.downscale == 1
    assert reduced.num_disparities % 16 == 0
    assert reduced.min_disparity * factor <= low < (reduced.min_disparity + 1) * factor
    # Outwards to whole pixels at either end, then up to 15 more for a multiple of 16.
    assert low + count <= end * factor < low + count + (2 + 15) * factor


def test_images_that_are_not_reduced_keep_their_settings():
    settings = Settings(min_disparity=-7)
    assert settings.for_downscaled_images() is settings
