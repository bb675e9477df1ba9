# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of a recording, read when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import threading

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.plan import evenly_spaced, PlannedPair
from stereo_depth_node.offline.bags.reader import open_bag
from stereo_depth_node.offline.bags.samples import PAIRS_OF_RANGE, planned_pairs, read_pairs
from stereo_depth_node.offline.bags.topics import NO_NAMES, StereoTopics, TopicNames
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.studio.frames import Frame, recorded_cameras

__all__ = ['RecordingSource']

Plan = tuple[StereoTopics, list[PlannedPair]]
# Settings that decide which images make a pair, and how they are read.
_OF_PAIRING = ('sync_tolerance', 'queue_size', 'image_transport', 'rectify', 'stereo_layout')
_OF_CALIBRATION = ('left_camera_info_url', 'right_camera_info_url')


class RecordingSource:
    """The pairs of a recording (a ROS 2 bag).

    Parameters
    ----------
    path : Path
        The recording.
    settings : Settings
        How images are paired.
    names : TopicNames
        Topics, as far as they are named.

    Attributes
    ----------
    name : str
        For people.
    count : int
        Pairs with the settings that it was opened with.

    Raises
    ------
    InputError
        If it cannot be read or has no pair.
    """

    apply = None

    def __init__(self, path: Path, settings: Settings, names: TopicNames = NO_NAMES) -> None:
        self._path, self._names = path, names
        self._lock = threading.Lock()
        self._planned: tuple[tuple[object, ...], Plan] | None = None
        self.name = path.name
        self.count = len(self._plan(settings)[1])

    def reading(self, settings: Settings) -> tuple[object, ...]:
        """Return of the settings what a frame depends on."""
        looks_back = settings.temporal_max_diff > 0
        names = (*_OF_PAIRING, *_OF_CALIBRATION)
        return (*(getattr(settings, name) for name in names), looks_back)

    def frame(self, index: int, settings: Settings) -> Frame:
        """Return a pair, with the one before it where a filter looks back."""
        topics, planned = self._plan(settings)
        index = min(index, len(planned) - 1)
        looks_back = settings.temporal_max_diff > 0 and index > 0
        pairs = planned[index - looks_back : index + 1]
        scenes = read_pairs(open_bag(self._path), topics, pairs)
        title = f'{self.name}, pair {index + 1}'
        cameras = recorded_cameras(pairs[-1].calibration, scenes[-1], settings)
        return Frame(scenes[-1], title, cameras, before=scenes[0] if looks_back else None)

    def pairs(self, index: int, settings: Settings) -> Sequence[Scene]:
        """Return rectified pairs from all over the recording."""
        count = len(self._plan(settings)[1])
        return [
            self.frame(place, settings).rectified(settings)
            for place in evenly_spaced(PAIRS_OF_RANGE, count)
        ]

    def _plan(self, settings: Settings) -> Plan:
        """Return what is to be read, found anew when the pairing changes."""
        key = tuple(getattr(settings, name) for name in _OF_PAIRING)
        with self._lock:
            if self._planned is None or self._planned[0] != key:
                recording = open_bag(self._path)
                self._planned = (key, planned_pairs(recording, settings, self._names))
            return self._planned[1]
