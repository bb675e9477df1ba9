# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip('matplotlib', reason='plots are drawn with matplotlib')

from browser import Opened, problems
import numpy as np
from scenes import plane, scene_of

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.datasets.evaluation import evaluate_scene
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.offline.reports.evaluation import evaluations_report


def test_two_settings_are_compared_on_one_page(opened: Opened, tmp_path: Path) -> None:
    pair = scene_of(plane(200, 120, 12.0))
    truth = pair.disparity.astype(np.float32)
    scene = Scene('a plane', pair.left, pair.right, truth, None, None)
    evaluations = [
        evaluate_scene(scene, Settings(block_size=size), f'block {size}', repeats=1)
        for size in (9, 15)
    ]
    evaluations_report([scene], evaluations).write(tmp_path / 'report.html')
    driver = opened(tmp_path / 'report.html')
    assert problems(driver) == []
    assert driver.title == 'Accuracy on a plane'
    text = driver.find_element('css selector', 'tbody').text
    assert [line.split()[:4] for line in text.splitlines()] == [
        ['a', 'plane', 'block', '9'],
        ['a', 'plane', 'block', '15'],
    ]
    assert f'{evaluations[0].all.bad_all[2.0]:.4g}' in text
    assert len(driver.find_elements('css selector', 'figure svg')) == 1
    folded = driver.find_elements('css selector', 'details')
    assert [each.text for each in folded] == ['block 9', 'block 15']
