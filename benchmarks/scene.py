# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is seen: a real stereo pair at any size, or a synthetic one where there is none."""

from __future__ import annotations

import cv2
import numpy as np

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.datasets.scenes import load_motorcycle, Scene

__all__ = ['load_scene']

_SEED = 1


def load_scene(width: int, height: int) -> Scene:
    """Return the pair that is measured with, at a size in pixels."""
    try:
        return load_motorcycle().resized(width, height)
    except InputError:  # no scikit-image, which has the images inside
        return _synthetic(width, height)


def _synthetic(width: int, height: int) -> Scene:
    """Return a noisy texture on a plane that leans; disparities reach a tenth of the width."""
    random = np.random.default_rng(_SEED)
    noise = random.integers(0, 256, (height, width + width // 10, 3), np.uint8)
    texture = cv2.GaussianBlur(noise, (0, 0), 1.5)
    texture = cv2.normalize(texture, texture, 0, 255, cv2.NORM_MINMAX)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    disparity = (y / height * (width // 10)).astype(np.float32)
    right = cv2.remap(texture, x + disparity, y, cv2.INTER_LINEAR)
    geometry = StereoGeometry(
        width=width,
        height=height,
        f=float(width),
        cx=width / 2,
        cy=height / 2,
        cx_right=width / 2,
        baseline=0.1,
    )
    colours = np.ascontiguousarray(texture[:, :width]), right
    grey = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in colours)
    return Scene('synthetic plane', *grey, disparity, None, geometry, colours)
