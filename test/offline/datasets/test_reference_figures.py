# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy on public scenes: OpenCV's own figures, and what presets and tuning make of them.

Motorcycle comes with scikit-image. The others are looked for in the folder that the environment
variable STEREO_DEPTH_DATA names: ``cones`` and ``teddy`` (Middlebury 2003) and ``aloe``
(OpenCV's samples), each a folder anywhere below it or with the files aloeL.jpg, im2.ppm in it.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from reference_settings import SGBM_TUNED

from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.disparity_range import find_disparity_range
from stereo_depth_node.core.tuning.objectives import (
    COMPLETE,
    ReferenceObjective,
    TruthObjective,
)
from stereo_depth_node.core.tuning.tuner import ANY_ALGORITHM, Tuner
from stereo_depth_node.offline.datasets.evaluation import evaluate_scene
from stereo_depth_node.offline.datasets.loading import load_scene
from stereo_depth_node.offline.datasets.scenes import Scene

DATA = 'STEREO_DEPTH_DATA'
PRESETS = Path(__file__).resolve().parents[3] / 'config' / 'presets'
BLOCK = Settings()
# Scene -> num_disparities and, for each of the two, bad-2.0 of all and of estimated pixels and
# the density, percent, of OpenCV 4.14 and 5.0.
FIGURES = {
    'motorcycle': (64, (27.0, 6.9, 78.4), (19.0, 4.8, 85.1)),
    'cones': (64, (30.7, 4.8, 72.8), (22.4, 3.8, 80.6)),
    'teddy': (64, (35.6, 8.1, 70.1), (23.2, 4.9, 80.8)),
    'aloe': (224, (40.1, 3.9, 62.3), (30.2, 2.4, 71.5)),
}
MARKS = {'cones': 'cones/im2.*', 'teddy': 'teddy/im2.*', 'aloe': 'aloeL.jpg'}


@pytest.fixture(scope='module', params=FIGURES)
def scene(request) -> Scene:
    name = request.param
    if name == 'motorcycle':
        request.getfixturevalue('motorcycle')
        return load_scene(name)
    root = os.environ.get(DATA)
    if not root:
        pytest.skip(f'{DATA} names no folder with stereo scenes')
    found = sorted(Path(root).rglob(MARKS[name]))
    if not found:
        pytest.skip(f'{DATA} has no {MARKS[name]}')
    return load_scene(str(found[0].parent))


def opencv_disparity(settings: Settings, scene: Scene) -> np.ndarray:
    """Compute what a program that calls OpenCV gets."""
    if settings.algorithm == 'bm':
        matcher = cv2.StereoBM.create(settings.num_disparities, settings.block_size)
        matcher.setUniquenessRatio(settings.uniqueness_ratio)
        matcher.setTextureThreshold(settings.texture_threshold)
    else:
        matcher = cv2.StereoSGBM.create(
            0, settings.num_disparities, settings.block_size, settings.p1, settings.p2,
            settings.disp12_max_diff, settings.pre_filter_cap, settings.uniqueness_ratio,
            settings.speckle_window_size, settings.speckle_range, cv2.STEREO_SGBM_MODE_SGBM_3WAY,
        )  # fmt: skip
    fixed = matcher.compute(scene.left, scene.right)
    return np.where(fixed >= 0, fixed / np.float32(16), np.float32(np.nan))


@pytest.mark.parametrize('family', [0, 1], ids=['bm', 'sgbm'])
def test_figures_are_those_of_opencv_and_of_the_table(scene, family):
    """Every pixel is OpenCV's; the table is to a tenth of a percent."""
    count, *expected = FIGURES[scene.name]
    settings = (BLOCK, SGBM_TUNED)[family].replace(num_disparities=count)
    found = evaluate_scene(scene, settings, '', repeats=0)
    np.testing.assert_array_equal(found.disparity, opencv_disparity(settings, scene))
    figures = (found.all.bad_all[2.0], found.all.bad_estimated[2.0], found.all.density)
    assert figures == pytest.approx(expected[family], abs=0.06)


def test_presets_are_better_than_the_defaults_by_what_they_promise(scene):
    """At equal ranges: fast is about as good, balanced better, accurate better still."""
    count = {'num_disparities': FIGURES[scene.name][0]}
    bad, wrong = {}, {}
    for name in ('fast', 'balanced', 'accurate'):
        settings = load_settings(PRESETS / f'{name}.yaml').merged(count)
        found = evaluate_scene(scene, settings, name, repeats=0)
        bad[name], wrong[name] = found.all.bad_all[2.0], found.all.bad_estimated[2.0]
    default = evaluate_scene(scene, Settings().merged(count), '', repeats=0)
    assert bad['accurate'] < bad['balanced'] < default.all.bad_all[2.0]
    assert bad['fast'] < default.all.bad_all[2.0] + 2.0
    assert wrong['balanced'] < default.all.bad_estimated[2.0] + 1.0
    assert wrong['accurate'] < default.all.bad_estimated[2.0] + 1.5


@pytest.fixture(scope='module')
def small_scene(scene) -> Scene:
    """Return the scene at half its size, at most: what tuning finds is no matter of size."""
    height, width = scene.left.shape
    factor = 4 if scene.left.size > 500_000 else 2
    return scene.resized(width // factor, height // factor)


def tuned_bad(scene: Scene, algorithm: str) -> float:
    # Without a limit: how long it takes depends on the machine, what comes out must not.
    found = find_disparity_range([(scene.left, scene.right)])
    objective = ReferenceObjective([scene], found, COMPLETE)
    tuner = Tuner([scene], objective, budget_s=1e6, infinity_px=None, found=found)
    result = tuner.tune(Settings(num_disparities=16, block_size=15), algorithm)
    return TruthObjective([scene], COMPLETE).score(result.settings).cost


def bad(scene: Scene, settings: Settings) -> float:
    settings = settings.replace(num_disparities=scene.num_disparities, fill_left_band=True)
    return evaluate_scene(scene, settings, '', repeats=0).all.bad_all[2.0]


def test_tuning_without_truth_comes_near_to_the_best_that_truth_can_choose(small_scene):
    """From the settings of the tutorials; the grid has all that matters, and the filled band."""
    dense = Settings(uniqueness_ratio=0, texture_threshold=0)
    best = min(
        bad(small_scene, dense.replace(block_size=size, pre_filter_cap=cap))
        for size in (5, 7, 9, 11, 13, 15, 19)
        for cap in (7, 15, 31)
    )
    assert tuned_bad(small_scene, 'bm') <= 1.10 * best


def test_tuning_of_any_algorithm_beats_the_semi_global_settings_of_the_table(small_scene):
    assert tuned_bad(small_scene, ANY_ALGORITHM) <= bad(small_scene, SGBM_TUNED)
