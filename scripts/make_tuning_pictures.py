#!/usr/bin/env python3
# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Draw the pictures of docs/tuning.md: what each setting does on a real scene.

The scene is Motorcycle (Middlebury 2014), from scikit-image; its disparities are 7 to 60 px.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.accuracy import is_near_ghost
from stereo_depth_node.offline.datasets.evaluation import evaluate_scene
from stereo_depth_node.offline.datasets.loading import load_scene, MOTORCYCLE
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.offline.reports.picture import Panel, png_of_panels, shown_range

ROOT = Path(__file__).resolve().parent.parent
BASE = Settings(fill_left_band=True, uniqueness_ratio=5, texture_threshold=0)
DENSE = BASE.replace(uniqueness_ratio=0)
SEMI_GLOBAL = DENSE.replace(block_size=3, algorithm='sgbm_3way', disp12_max_diff=4096)
WIDTH_PX = 900

# Picture -> the settings it compares.
PICTURES: dict[str, dict[str, Settings]] = {
    'num_disparities': {
        f'num_disparities {count}': Settings(num_disparities=count) for count in (16, 48, 64, 128)
    },
    'block_size': {
        f'block_size {size}': BASE.replace(block_size=size) for size in (5, 11, 21, 41)
    },
    'uniqueness_ratio': {
        f'uniqueness_ratio {ratio}': BASE.replace(uniqueness_ratio=ratio)
        for ratio in (0, 5, 15, 30)
    },
    'texture_threshold': {
        f'texture_threshold {level}': DENSE.replace(texture_threshold=level)
        for level in (0, 100, 500, 1500)
    },
    'speckles': {
        f'speckle_window_size {size}': DENSE.replace(speckle_window_size=size, speckle_range=1)
        for size in (0, 50, 200, 1000)
    },
    'disp12_max_diff': {
        'disp12_max_diff -1': DENSE,
        **{
            f'disp12_max_diff {limit}': DENSE.replace(disp12_max_diff=limit) for limit in (8, 4, 1)
        },
    },
    'pre_filter_cap': {
        f'pre_filter_cap {cap}': DENSE.replace(pre_filter_cap=cap) for cap in (1, 7, 31, 63)
    },
    'fill_left_band': {
        'fill_left_band false': BASE.replace(fill_left_band=False),
        'fill_left_band true': BASE,
    },
    'median_size': {f'median_size {size}': DENSE.replace(median_size=size) for size in (0, 5)},
    'penalties': {
        f'p1 {small}, p2 {large}': SEMI_GLOBAL.replace(p1=small, p2=large)
        for small, large in ((5, 10), (72, 288), (72, 576), (1000, 8000))
    },
    'algorithm': {
        'bm, block_size 11': DENSE.replace(block_size=11),
        **{
            f'{name}, block_size 3': SEMI_GLOBAL.replace(algorithm=name, p1=72, p2=576)
            for name in ('sgbm_3way', 'sgbm', 'sgbm_hh')
        },
    },
    'presets': {
        'default': Settings(),
        **{
            name: load_settings(ROOT / 'config' / 'presets' / f'{name}.yaml')
            for name in ('navigation', 'fast', 'balanced', 'accurate')
        },
    },
}
# Near ghosts of the most complete disparities, of the defaults and of the presets without them.
GHOSTS = {
    'most complete, as tune --complete finds it': DENSE.replace(block_size=11),
    **{name: PICTURES['presets'][name] for name in ('default', 'navigation', 'accurate')},
}
NEAR_COLOUR, FAR_COLOUR, UNKNOWN_COLOUR = (230, 30, 30), (240, 200, 40), (40, 60, 110)


def draw(path: Path, scene: Scene, candidates: dict[str, Settings]) -> None:
    """Draw the disparities that each of the settings gives."""
    limits = shown_range(scene.known_truth(), 99.8)
    panels = []
    for label, settings in candidates.items():
        found = evaluate_scene(scene, settings, label, repeats=0)
        title = (
            f'{label}: bad-2.0 {found.all.bad_all[2.0]:.1f} %, '
            f'of estimated {found.all.bad_estimated[2.0]:.1f} %'
        )
        panels.append(Panel(title, found.disparity, 'disparity, px', limits))
    save(path, panels)


def draw_ghosts(path: Path, scene: Scene, candidates: dict[str, Settings]) -> None:
    """Draw on the left image what seems nearer than it is, what is wrong otherwise or unknown."""
    truth = scene.known_truth()
    panels = []
    for label, settings in candidates.items():
        found = evaluate_scene(scene, settings, label, repeats=0)
        image = np.repeat(scene.left[:, :, np.newaxis], 3, axis=2)
        wrong = np.abs(found.disparity - truth) > 2.0
        image[np.isnan(found.disparity)] = UNKNOWN_COLOUR
        image[wrong] = FAR_COLOUR
        image[is_near_ghost(found.disparity, truth)] = NEAR_COLOUR
        title = (
            f'{label}: near ghosts {found.all.near_ghosts:.1f} %, '
            f'density {found.all.density:.0f} %'
        )
        panels.append(Panel(title, image))
    save(path, panels)


def save(path: Path, panels: list[Panel]) -> None:
    """Write panels as one picture, of the width that a page shows it at."""
    image = np.asarray(cv2.imdecode(np.frombuffer(png_of_panels(panels), np.uint8), 1))
    height = round(image.shape[0] * WIDTH_PX / image.shape[1])
    small = cv2.resize(image, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), np.asarray(small), [cv2.IMWRITE_JPEG_QUALITY, 85]):
        raise OSError(f'cannot write {path}')


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(prog='make_tuning_pictures', description=__doc__)
    parser.add_argument(
        'folder', type=Path, nargs='?', default=ROOT / 'docs/images', help='default: docs/images'
    )
    folder = parser.parse_args().folder
    scene = load_scene(MOTORCYCLE)
    draw_ghosts(folder / 'tuning_ghosts.jpg', scene, GHOSTS)
    for name, candidates in PICTURES.items():
        print(name)
        draw(folder / f'tuning_{name}.jpg', scene, candidates)


if __name__ == '__main__':
    main()
