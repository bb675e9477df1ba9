# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The pairs that settings are searched on: of a scene, of images or of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.settings import DISPARITY_STEP, Settings
from stereo_depth_node.offline.bags.files import storage_files
from stereo_depth_node.offline.bags.topics import TopicNames
from stereo_depth_node.offline.calibration_options import given_calibration
from stereo_depth_node.offline.datasets.loading import load_scene
from stereo_depth_node.offline.datasets.scenes import load_pair, Scene
from stereo_depth_node.offline.findings import (
    findings_of_rectified_pair,
    PairFindings,
    shows_its_range,
)

__all__ = ['findings_of_pairs', 'load_pairs', 'usable_pairs']


def load_pairs(
    inputs: Sequence[str],
    layout: str | None,
    settings: Settings,
    *,
    count: int,
    names: TopicNames,
    calib: Sequence[Path] = (),
) -> tuple[str, list[Scene]]:
    """Load what the command line names.

    Parameters
    ----------
    inputs : sequence of str
        A scene, two images, an image that holds both, or a recording.
    layout : str or None
        One of :data:`.layouts.LAYOUTS`, where one image holds both.
    settings : Settings
        How the images of a recording are paired, and whether they are to be rectified.
    count : int
        Pairs of a recording, at most.
    names : TopicNames
        Topics of a recording, as far as they are named.
    calib : sequence of Path
        Calibration files of two images, raw ones where the settings rectify.

    Returns
    -------
    name : str
        For people.
    pairs : list of Scene
        Rectified.

    Raises
    ------
    StereoDepthError
        If they cannot be read, or do not make a pair.
    """
    if len(inputs) > 2:
        raise InputError(f'{len(inputs)} inputs: give one scene, one bag, or two images')
    if layout is not None and len(inputs) == 2:
        raise SettingsError(
            f'--layout {layout} is given with two images: give one that holds both, or no --layout'
        )
    if layout is not None or len(inputs) == 2:
        other = Path(inputs[1]) if layout is None else None
        pair = load_pair(Path(inputs[0]), other, layout=layout or '')
        return pair.name, [_calibrated(pair, calib, settings, inputs[0])]
    if calib:
        raise SettingsError(
            '--calib is given with a scene or a recording, which have a calibration of their own: '
            'leave it out, or name two images'
        )
    path = Path(inputs[0])
    if storage_files(path):
        from stereo_depth_node.offline.bags.reader import DamagedBagError  # slow
        from stereo_depth_node.offline.bags.salvage import legible_copy
        from stereo_depth_node.offline.bags.samples import bag_pairs

        try:
            pairs = bag_pairs(path, settings, count, names)
        except DamagedBagError as error:
            with legible_copy(path, error) as copy:
                pairs = bag_pairs(copy, settings, count, names)
        return f'{path.name} ({len(pairs)} pairs)', pairs
    scene = load_scene(inputs[0])
    return scene.name, [scene]


def _calibrated(pair: Scene, calib: Sequence[Path], settings: Settings, images: str) -> Scene:
    """Return a pair with the geometry of its calibration files, rectified if it is to be."""
    calibration = given_calibration(settings, images, calib)
    height, width = pair.left.shape
    cameras = calibration.cameras_for(width, height)
    if settings.rectify and cameras is not None:
        pair = pair.rectified(cameras)
    return replace(pair, geometry=calibration.geometry_for(width, height, settings))


def findings_of_pairs(pairs: Sequence[Scene], settings: Settings) -> list[PairFindings]:
    """Return what is wrong with each pair, with a short range where that of the settings fails."""

    def found(settings: Settings) -> list[PairFindings]:
        return [
            findings_of_rectified_pair(pair.left, pair.right, settings, pair.geometry)
            for pair in pairs
        ]

    try:
        return found(settings)
    except SettingsError:  # they may search more than the images have
        return found(settings.replace(min_disparity=0, num_disparities=DISPARITY_STEP))


def usable_pairs(pairs: Sequence[Scene], seen: Sequence[PairFindings]) -> list[Scene]:
    """Return the pairs that settings can be found on, by what is wrong with each.

    Raises
    ------
    InputError
        If there is none.
    """
    usable = [
        pair
        for pair, findings in zip(pairs, seen, strict=True)
        if shows_its_range(pair.left, pair.right, findings)
    ]
    if not usable:
        raise InputError(
            'settings that are found on such images suit nothing: cure what is said above first; '
            '--force tunes all the same'
        )
    return usable
