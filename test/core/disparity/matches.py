# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a pipeline finds in a scene, for the tests of filters."""

from __future__ import annotations

import numpy as np
from scenes import StereoScene

from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

INVALID = -16


def matched(settings: Settings, scene: StereoScene) -> StereoPipeline:
    pipeline = StereoPipeline(settings, *scene.size)
    pipeline.match(scene.left, scene.right)
    return pipeline


def known(pipeline: StereoPipeline) -> np.ndarray:
    return pipeline.fixed >= pipeline.settings.min_disparity * 16
