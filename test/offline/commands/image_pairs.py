# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of image files, and ``stereo_depth images`` of them."""

from __future__ import annotations

from pathlib import Path

import cv2
from scenes import StereoScene

from stereo_depth_node.offline.cli import main


def run(*arguments: object) -> int:
    """Run the tool in this process."""
    return main(['images', *map(str, arguments), '--quiet', '--processes', '1'])


def write_pair(folder: Path, scene: StereoScene, name: str = 'pair') -> tuple[Path, Path]:
    """Write a scene as two PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f'{name}_left.png', folder / f'{name}_right.png'
    for path, pixels in zip(paths, (scene.left, scene.right), strict=True):
        cv2.imwrite(str(path), pixels)
    return paths
