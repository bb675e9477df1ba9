# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth that holds nothing is not said to flow, and why it does not is named."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from scenes import geometry_of, plane, scene_of
from snapshots import changed, first, HEALTHY, names

from stereo_depth_node.core.health.rectification_report import MatchedImages, measure_rectification
from stereo_depth_node.core.health.result import FrozenImage, report_of_result
from stereo_depth_node.core.health.snapshot import Snapshot
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

WIDTH, HEIGHT, DISPARITY = 320, 160, 20.0
# f * B / d = 100 px * 0.1 m / 20 px
CAMERA: dict[str, float] = {'f': 100.0, 'baseline': 0.1}
SCENE = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
# A texture that repeats nowhere and has coarse parts, for what follows single points.
_CHANCE = np.random.default_rng(1)
_TEXTURE = sum(
    cv2.GaussianBlur(_CHANCE.normal(0.0, 100.0, (HEIGHT, WIDTH + 20)), (0, 0), sigma) * sigma
    for sigma in (2.0, 6.0, 18.0)
)
_TEXTURE = np.clip(128.0 + _TEXTURE, 0, 255).astype(np.uint8)
DOTS = (_TEXTURE[:, :WIDTH].copy(), _TEXTURE[:, 20:].copy())
BLACK = np.zeros((HEIGHT, WIDTH), np.uint8)
NOISE = np.random.default_rng(0).normal(4.0, 3.0, (2, HEIGHT, WIDTH)).clip(0, 255).astype(np.uint8)


def snapshot_of(left: Any, right: Any, offset: float = 0.0, **settings: Any) -> Snapshot:
    """Return the node in health, but with the result that these images give."""
    chosen = Settings().replace(**{'num_disparities': 32, **settings})
    geometry = geometry_of(WIDTH, HEIGHT, **CAMERA, offset=offset)
    pipeline = StereoPipeline(chosen, WIDTH, HEIGHT, geometry)
    pipeline.match(left, right)
    result = report_of_result(pipeline, left, right)
    return changed(
        HEALTHY,
        settings=chosen,
        rectification=measure_rectification(left, right, MatchedImages.of(pipeline)),
        result=result if result.is_empty else None,
    )


def test_a_scene_is_not_empty():
    snapshot = snapshot_of(SCENE.left, SCENE.right)
    assert snapshot.result is None
    assert names(snapshot)[0] == 'flowing'


@pytest.mark.parametrize(
    ('left', 'right', 'sides'),
    [
        (BLACK, BLACK, 'left and right image shows nothing (left 0 of 255'),
        (BLACK + 200, BLACK + 200, 'left and right image'),
        (NOISE[0], NOISE[1], 'left and right image'),
        (NOISE[0], SCENE.right, 'the left image'),
        (SCENE.left, BLACK, 'the right image shows nothing (right 0 of 255 on average, +-0.0)'),
    ],
    ids=['caps', 'white', 'noise', 'left cap', 'right cap'],
)
def test_a_covered_lens(left, right, sides):
    snapshot = snapshot_of(left, right)
    assert names(snapshot)[0] == 'uniform_image'
    assert sides in first(snapshot)


@pytest.mark.parametrize('offset', [0.0, -10.0])
def test_one_camera_on_both_topics(offset):
    """With an offset of the principal points each pixel has a depth, and it is wrong."""
    assert names(snapshot_of(SCENE.left, SCENE.left.copy(), offset))[0] == 'identical_images'


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'num_disparities': 16}, 'set min_disparity to 0 and num_disparities to 32'),
        ({'min_disparity': 48}, 'set min_disparity to 19 and num_disparities to 16'),
        ({'min_depth': 1.0}, 'of 0.498 to 0.5 m, min_depth is 1 m and max_depth inf m'),
        ({'max_depth': 0.2}, 'of 0.498 to 0.5 m, min_depth is 0 m and max_depth 0.2 m'),
    ],
)
def test_a_range_that_misses_the_scene(settings, words):
    snapshot = snapshot_of(*DOTS, **settings)
    assert names(snapshot)[0] == 'range_misses_scene'
    assert words in first(snapshot)


def test_disparities_below_infinity():
    snapshot = snapshot_of(SCENE.left, SCENE.right, offset=30.0)
    assert names(snapshot)[0] == 'range_misses_scene'
    assert 'below that of infinity' in first(snapshot)


def test_images_of_different_things():
    other = scene_of(plane(WIDTH, HEIGHT, DISPARITY), seed=1)
    snapshot = snapshot_of(SCENE.left, other.right, uniqueness_ratio=60)
    assert names(snapshot)[0] == 'empty_depth'


def test_a_camera_that_hangs_while_the_other_does_not():
    rng = np.random.default_rng(0)
    frozen, still = FrozenImage(), rng.integers(0, 255, (64, 96)).astype(np.uint8)
    sides = [frozen.look(rng.permutation(still), still) for _ in range(6)]
    assert sides == ['', '', '', '', 'right', 'right']
    assert frozen.look(rng.permutation(still), rng.permutation(still)) == ''
    assert [frozen.look(still, still) for _ in range(6)] == [''] * 6, 'a scene without noise'
