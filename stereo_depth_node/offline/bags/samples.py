# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs out of a recording: a few rectified ones to search settings for, or any as they came."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.images.colour import decode_colour, has_colour
from stereo_depth_node.core.images.pair_decoder import PairDecoder
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.messages import calibration_from
from stereo_depth_node.offline.bags.plan import BagPlan, evenly_spaced, ImageRef, PlannedPair
from stereo_depth_node.offline.bags.reader import Bag, serialized_stamp_ns
from stereo_depth_node.offline.bags.topics import find_stereo_topics, StereoTopics
from stereo_depth_node.offline.datasets.scenes import Scene

__all__ = ['PAIRS_OF_RANGE', 'bag_pairs', 'planned_pairs', 'read_pairs']

PAIRS_OF_RANGE = 3
"""From so many pairs of a recording the range of disparities is proposed."""


def bag_pairs(
    path: Path, settings: Settings, count: int, *, left: str = '', right: str = ''
) -> list[Scene]:
    """Return pairs from all over a recording, rectified, with its first calibration if it has one.

    Parameters
    ----------
    path : Path
        A ROS 2 bag.
    settings : Settings
        How images are paired, and whether they are to be rectified.
    count : int
        How many pairs, at most; evenly spaced.
    left, right : str
        Topics of the images; empty to find them.

    Raises
    ------
    InputError
        If the recording cannot be read or has no pair.
    CalibrationError
        If the images are to be rectified and there is no usable calibration.
    """
    with closing(Bag(path)) as recording:
        topics, planned = planned_pairs(recording, settings, left=left, right=right)
        chosen = [planned[place] for place in evenly_spaced(count, len(planned))]
        scenes = read_pairs(recording, topics, chosen)
    calibration = chosen[0].calibration
    geometry = None
    if all(info is not None for info in calibration):
        cameras = calibration_from(calibration, settings)
        geometry = StereoGeometry.from_calibrations(cameras.left, cameras.right, settings.baseline)
    return [
        replace(_rectified(scene, pair, settings), geometry=geometry)
        for scene, pair in zip(scenes, chosen, strict=True)
    ]


def planned_pairs(
    recording: Bag, settings: Settings, *, left: str = '', right: str = ''
) -> tuple[StereoTopics, list[PlannedPair]]:
    """Return the topics of the stereo camera in a recording, and all of its pairs.

    Parameters
    ----------
    recording : Bag
        Is read once.
    settings : Settings
        How images are paired, and which of the topics are taken.
    left, right : str
        Topics of the images; empty to find them.

    Raises
    ------
    InputError
        If it cannot be read, or has no pair.
    """
    topics = find_stereo_topics(recording.topics, settings, left=left, right=right)
    plan = BagPlan(recording, topics, settings)
    planned = [pair for part in plan.parts() for pair in part.pairs]
    if not planned:
        raise InputError(
            f'{recording.path} has no pair of images: look at it with stereo_depth inspect, or '
            'set a larger sync_tolerance'
        )
    return topics, planned


def read_pairs(recording: Bag, topics: StereoTopics, pairs: Sequence[PlannedPair]) -> list[Scene]:
    """Return some of the pairs of a recording as they came, in colour where they have it.

    Raises
    ------
    InputError
        If they cannot be read.
    ImageError
        If they cannot be decoded.
    """
    data = _messages(recording, topics, pairs)
    return [_decoded(pair, data, topics) for pair in pairs]


def _messages(
    recording: Bag, topics: StereoTopics, pairs: Sequence[PlannedPair]
) -> dict[tuple[str, ImageRef], bytes]:
    wanted = {
        key for pair in pairs for key in ((topics.left, pair.left), (topics.right, pair.right))
    }
    times = [ref.bag_ns for _, ref in wanted]
    found = {}
    for topic, bag_ns, data in recording.messages(
        (topics.left, topics.right), min(times), max(times) + 1
    ):
        try:
            key = (topic, ImageRef(bag_ns, serialized_stamp_ns(data)))
        except InputError:  # an image without a header is in no pair
            continue
        if key in wanted:
            found[key] = data
    return found


def _decoded(
    pair: PlannedPair,
    data: dict[tuple[str, ImageRef], bytes],
    topics: StereoTopics,
) -> Scene:
    left = topics.image(Side.LEFT, data[topics.left, pair.left]).content()
    right = topics.image(Side.RIGHT, data[topics.right, pair.right]).content()
    grey = [np.array(image) for image in PairDecoder().decode(left, right)]
    colours = None
    if has_colour(left) and has_colour(right):
        colours = np.array(decode_colour(left)), np.array(decode_colour(right))
    return Scene(f'stamp {pair.left.stamp_ns}', grey[0], grey[1], colours=colours)


def _rectified(scene: Scene, pair: PlannedPair, settings: Settings) -> Scene:
    if not settings.rectify:
        return scene
    calibration = calibration_from(pair.calibration, settings)
    left, right = np.empty_like(scene.left), np.empty_like(scene.right)
    Rectifier(calibration.left).rectify(scene.left, left)
    Rectifier(calibration.right).rectify(scene.right, right)
    return Scene(scene.name, left, right)
