# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs out of a recording: a few rectified ones to search settings for, or any as they came."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.images.colour import decode_colour, has_colour
from stereo_depth_node.core.images.pair_decoder import PairDecoder
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.messages import calibration_from
from stereo_depth_node.offline.bags.plan import BagPlan, evenly_spaced, ImageRef, PlannedPair
from stereo_depth_node.offline.bags.reader import Bag, serialized_stamp_ns
from stereo_depth_node.offline.bags.topics import (
    find_stereo_topics,
    StereoTopics,
    TopicNames,
)
from stereo_depth_node.offline.datasets.scenes import Scene

__all__ = [
    'PAIRS_OF_RANGE',
    'bag_pairs',
    'decoded_pair',
    'pair_messages',
    'planned_pairs',
    'read_pairs',
]

PAIRS_OF_RANGE = 3
"""From so many pairs of a recording the range of disparities is proposed."""


def bag_pairs(path: Path, settings: Settings, count: int, names: TopicNames) -> list[Scene]:
    """Return pairs from all over a recording, rectified, with its first calibration if it has one.

    Parameters
    ----------
    path : Path
        A ROS 2 bag.
    settings : Settings
        How images are paired, and whether they are to be rectified.
    count : int
        How many pairs, at most; evenly spaced.
    names : TopicNames
        Topics, as far as they are named.

    Raises
    ------
    InputError
        If the recording cannot be read or has no pair.
    CalibrationError
        If the images are to be rectified and there is no usable calibration.
    """
    with closing(Bag(path)) as recording:
        topics, planned = planned_pairs(recording, settings, names)
        chosen = [planned[place] for place in evenly_spaced(count, len(planned))]
        scenes = read_pairs(recording, topics, chosen)
    calibration = chosen[0].calibration
    geometry = None
    if all(info is not None for info in calibration):
        cameras = calibration_from(calibration, settings)
        geometry = StereoGeometry.from_calibrations(cameras.left, cameras.right, settings.baseline)
    if settings.rectify:
        calibrations = [calibration_from(pair.calibration, settings) for pair in chosen]
        scenes = [
            scene.rectified((both.left, both.right))
            for scene, both in zip(scenes, calibrations, strict=True)
        ]
    return [replace(scene, geometry=geometry) for scene in scenes]


def planned_pairs(
    recording: Bag, settings: Settings, names: TopicNames
) -> tuple[StereoTopics, list[PlannedPair]]:
    """Return the topics of the stereo camera in a recording, and all of its pairs.

    Parameters
    ----------
    recording : Bag
        Is read once.
    settings : Settings
        How images are paired, and which of the topics are taken.
    names : TopicNames
        Topics, as far as they are named.

    Raises
    ------
    InputError
        If it cannot be read, or has no pair.
    """
    topics = find_stereo_topics(recording.topics, settings, names)
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
    return [
        decoded_pair(
            f'stamp {pair.left.stamp_ns}',
            *map(topics.image, Side, pair_messages(recording, topics, pair)),
        )
        for pair in pairs
    ]


def pair_messages(recording: Bag, topics: StereoTopics, pair: PlannedPair) -> tuple[bytes, bytes]:
    """Return the messages of a pair, left and right, serialized."""
    found = {}
    start, stop = min(pair.left.bag_ns, pair.right.bag_ns), pair.complete_ns + 1
    for topic, bag_ns, data in recording.messages((topics.left, topics.right), start, stop):
        with suppress(InputError):  # an image without a header is in no pair
            found[topic, ImageRef(bag_ns, serialized_stamp_ns(data))] = data
    return found[topics.left, pair.left], found[topics.right, pair.right]


def decoded_pair(name: str, left: SerializedImage, right: SerializedImage) -> Scene:
    """Return two images as they came, in colour where both have it.

    Raises
    ------
    ImageError
        If they cannot be decoded, or do not make a pair.
    """
    contents = left.content(), right.content()
    grey = [np.array(image) for image in PairDecoder().decode(*contents)]
    colours = None
    if all(map(has_colour, contents)):
        colours = np.array(decode_colour(contents[0])), np.array(decode_colour(contents[1]))
    return Scene(name, grey[0], grey[1], colours=colours)
