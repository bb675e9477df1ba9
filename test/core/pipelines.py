# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pipelines that have matched a scene, and what they give."""

from __future__ import annotations

import functools

import numpy as np
from scenes import scene_of, StereoScene, tilted_plane

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings


def run(
    settings: Settings, scene: StereoScene, geometry: StereoGeometry | None = None
) -> StereoPipeline:
    pipeline = StereoPipeline(settings, *scene.size, geometry)
    pipeline.match(scene.left, scene.right)
    return pipeline


def disparity_of(pipeline: StereoPipeline) -> np.ndarray:
    out = np.full(pipeline.fixed.shape, 1e9, np.float32)
    pipeline.disparity(out)
    return out


def depth_of(pipeline: StereoPipeline, dtype: type = np.float32) -> np.ndarray:
    out = np.full(pipeline.fixed.shape, 12345, dtype)
    pipeline.depth(out)
    return out


@functools.lru_cache(maxsize=8)
def textured(width: int, height: int) -> StereoScene:
    return scene_of(tilted_plane(width, height, -9.0, 14.0))
