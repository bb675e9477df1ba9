# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The verdict of the demo: every way of being wrong is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.demo.report import DemoResult
from stereo_depth_node.offline.datasets.scenes import Scene

GEOMETRY = StereoGeometry(
    width=50, height=20, f=100.0, cx=25.0, cy=10.0, cx_right=35.0, baseline=0.1
)
MS = 1_000_000


@pytest.fixture
def scene() -> Scene:
    """Give a ramp of disparities 8 to 28 px; principal points are 10 px apart."""
    truth = np.broadcast_to(np.linspace(8, 28, 50, dtype=np.float32), (20, 50)).copy()
    grey = np.zeros((20, 50), np.uint8)
    return Scene('ramp', grey, grey, truth, geometry=GEOMETRY)


@pytest.fixture
def result(scene) -> DemoResult:
    """Give what a perfect node returns for four pairs, 10 ms after each."""
    sent = tuple(at * 100 * MS for at in range(1, 5))
    arrivals = np.array([(stamp, stamp + 10 * MS) for stamp in sent])
    # Every sixth column is unknown: density is 82 %.
    disparity = scene.true_disparity.copy()
    disparity[:, ::6] = np.nan
    depth = np.float32(GEOMETRY.f * GEOMETRY.baseline) / disparity
    return DemoResult(
        scene,
        sent,
        {'disparity': arrivals, 'depth/image_rect': arrivals, 'depth/camera_info': arrivals},
        {'disparity': {'f': GEOMETRY.f, 't': GEOMETRY.baseline}},
        disparity,
        depth,
    )


def problems(result: DemoResult) -> str:
    return '\n'.join(result.problems(has_reference=False))


def test_true_disparity_and_depth_take_the_principal_points_into_account(scene):
    # x_l - x_r = 8 with cx_l - cx_r = -10 is d = 18; Z = 100 px * 0.1 m / 18 px.
    assert scene.true_disparity[0, 0] == pytest.approx(18)
    assert scene.true_depth[0, 0] == pytest.approx(10 / 18)


def test_the_search_range_is_the_next_multiple_of_16_above_the_truth(scene):
    assert scene.num_disparities == 32
    assert replace(scene, truth=scene.truth + np.float32(4)).num_disparities == 48


def test_a_perfect_result_has_no_problem(result):
    assert problems(result) == ''
    assert result.rate('depth/image_rect') == pytest.approx(10)
    assert result.latency_ms('depth/image_rect', 50) == pytest.approx(10)


def test_a_depth_that_ignores_the_principal_points_is_found(result):
    wrong = np.float32(10) / (result.disparity - np.float32(10))
    assert 'f * B / d' in problems(replace(result, depth=wrong))


def test_a_disparity_that_ignores_the_principal_points_is_found(result):
    raw = result.disparity - np.float32(10)
    found = problems(replace(result, disparity=raw, depth=np.float32(10) / raw))
    assert 'bad-2.0' in found
    assert 'median depth error' in found


def test_depth_where_disparity_is_unknown_is_found(result):
    assert 'exactly where' in problems(replace(result, depth=result.scene.true_depth))


def test_missing_results_are_found(result):
    few = {**result.arrivals, 'depth/image_rect': result.arrivals['depth/image_rect'][:1]}
    assert 'only 1 of 4 came on depth/image_rect' in problems(replace(result, arrivals=few))


def test_two_results_for_one_pair_are_found(result):
    twice = np.vstack([result.arrivals['disparity'], result.arrivals['disparity'][:1]])
    arrivals = {**result.arrivals, 'disparity': twice}
    assert 'two results for one pair' in problems(replace(result, arrivals=arrivals))


def test_a_stamp_that_was_never_sent_is_found(result):
    arrivals = {**result.arrivals, 'depth/camera_info': result.arrivals['depth/camera_info'] + 1}
    assert 'stamps that no pair was sent with' in problems(replace(result, arrivals=arrivals))


def test_an_empty_result_is_found(result):
    nothing = np.full_like(result.disparity, np.nan)
    assert 'density' in problems(replace(result, disparity=nothing, depth=nothing))


def test_figures_off_the_reference_are_found_with_what_was_expected(result):
    """The perfect ramp is not what block matching makes of the motorcycle."""
    found = '\n'.join(result.problems(has_reference=True))
    assert 'expected 78.4' in found
    assert 'expected 6.9' in found


def test_the_last_line_has_the_figures(result, tmp_path):
    assert result.last_line(tmp_path / 'demo.png') == (
        'demo: 4 pairs, density 82.0 %, bad-2.0 0.0 % of estimated, '
        f'median depth error 0.00 %, picture {tmp_path / "demo.png"}'
    )
