# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is to be computed of a recording: its pairs, in parts that can be computed anywhere.

One pass over the stamps pairs the images with the node's own :class:`.StereoPairer`, in the order
in which they were recorded, so that the pairs are those the node would find. The parts depend on
the recording and the settings alone, not on who computes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import heapq
import itertools
import math

import numpy as np

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages.calibration_cache import says_the_same
from stereo_depth_node.core.pairing.offset import OffsetEstimate
from stereo_depth_node.core.pairing.pairer import StereoPair, StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.halves import split_name
from stereo_depth_node.offline.bags.reader import Bag, serialized_stamp_ns
from stereo_depth_node.offline.bags.topics import StereoTopics

__all__ = [
    'BagPlan',
    'Calibration',
    'ImageRef',
    'PartPlan',
    'PlannedPair',
    'evenly_spaced',
    'part_size',
]

# Parts are files of the result: small enough to share the work out and to lose little when it is
# stopped, not so small that opening and closing files shows, and not so many that a long
# recording has thousands of them.
_SMALLEST_PART, _LARGEST_PART, _PARTS = 100, 500, 32

Calibration = tuple[bytes | None, bytes | None]
"""Serialized CameraInfo of the left and the right camera, None where there is none."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image of a recording: when it was recorded and its stamp, both ns."""

    bag_ns: int
    stamp_ns: int


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """A pair to compute.

    Attributes
    ----------
    left, right : ImageRef
        Its images.
    epoch : int
        Restarts of the stamps before it.
    calibration : Calibration
        What the cameras had said of themselves by then.
    """

    left: ImageRef
    right: ImageRef
    epoch: int
    calibration: Calibration

    @property
    def complete_ns(self) -> int:
        """When its later image was recorded, ns: the time of its results."""
        return max(self.left.bag_ns, self.right.bag_ns)

    @property
    def order(self) -> tuple[int, int, int]:
        """What the results of a recording are sorted by."""
        return self.complete_ns, self.epoch, self.left.stamp_ns


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Consecutive pairs that make one file of the result.

    Attributes
    ----------
    index : int
        Which part it is, from 0.
    pairs : tuple of PlannedPair
        In the order of their results.
    before : PlannedPair or None
        The pair before the first one, where a filter over time looks back at it.
    start_ns, stop_ns : int or None
        The time of the recording that belongs to the part; None at either end of it.
    """

    index: int
    pairs: tuple[PlannedPair, ...]
    before: PlannedPair | None
    start_ns: int | None
    stop_ns: int | None


def part_size(expected_pairs: int) -> int:
    """Return how many pairs each part of a recording has."""
    return min(_LARGEST_PART, max(_SMALLEST_PART, math.ceil(expected_pairs / _PARTS)))


def evenly_spaced(count: int, of: int) -> list[int]:
    """Return `count` of the numbers below `of`, or all if there are fewer, the ends included."""
    return [round(place) for place in np.linspace(0, of - 1, min(count, of))]


class BagPlan:
    """Pairs the images of a recording.

    Parameters
    ----------
    recording : Bag
        Is read once, while the parts are taken.
    topics : StereoTopics
        Of the stereo camera.
    settings : Settings
        Of these, sync_tolerance, queue_size and temporal_max_diff count.
    also : iterable of str
        Topics to read as well, so that damage to them is found here.

    Attributes
    ----------
    pairer : StereoPairer
        What it has counted so far.
    unreadable : int
        Images without a legible header.
    first_calibration : Calibration
        The first one of each camera, from wherever in the recording.
    last_offset : OffsetEstimate or None
        Of the stamps of both cameras, at the end.
    """

    def __init__(
        self,
        recording: Bag,
        topics: StereoTopics,
        settings: Settings,
        also: Iterable[str] = (),
    ) -> None:
        self._recording, self._topics = recording, topics
        self._also = tuple(also)
        self.pairer: StereoPairer[ImageRef] = StereoPairer(
            round(settings.sync_tolerance * NS_PER_S), settings.queue_size
        )
        self._looks_back = settings.temporal_max_diff > 0
        self.unreadable = 0
        self.first_calibration = self._calibration = self._find_calibration()
        self.last_offset: OffsetEstimate | None = None
        self._waiting: dict[Side, dict[int, int]] = {side: {} for side in Side}
        counts = [
            sum(each.count for each in recording.topics if each.name == split_name(name)[0])
            for name in (topics.left, topics.right)
        ]
        self.expected_pairs = min(counts)

    @property
    def dropped(self) -> Counter[DropReason]:
        """Images that made no pair, by reason."""
        dropped = self.pairer.dropped.copy()
        if self.unreadable:
            dropped[DropReason.INVALID] += self.unreadable
        return dropped

    def parts(self) -> Iterator[PartPlan]:
        """Yield the parts, as the recording is read."""
        size = part_size(self.expected_pairs)
        pairs: list[PlannedPair] = []
        before: PlannedPair | None = None
        index, start_ns = 0, None
        for pair in self._sorted_pairs():
            if len(pairs) == size:
                yield PartPlan(index, tuple(pairs), before, start_ns, pair.complete_ns)
                before = pairs[-1] if self._looks_back else None
                index, start_ns, pairs = index + 1, pair.complete_ns, []
            pairs.append(pair)
        if pairs:
            yield PartPlan(index, tuple(pairs), before, start_ns, None)

    def _sorted_pairs(self) -> Iterator[PlannedPair]:
        """Yield the pairs in the order of their results.

        The pairer gives a pair late when a better one might still come; a pair is passed on when
        no image that waits can be in an earlier one.
        """
        found: list[tuple[tuple[int, int, int], int, PlannedPair]] = []
        numbers = itertools.count()
        for now_ns, pairs in self._pairs():
            for pair in pairs:
                # The number decides between equals: pairs themselves have no order.
                heapq.heappush(found, (pair.order, next(numbers), pair))
            horizon_ns = self._oldest_waiting_ns(now_ns)
            while found and found[0][-1].complete_ns < horizon_ns:
                yield heapq.heappop(found)[-1]
        while found:
            yield heapq.heappop(found)[-1]

    def _oldest_waiting_ns(self, now_ns: int) -> int:
        """Return when the first of the images that wait was recorded, `now_ns` if none waits."""
        streams = {Side.LEFT: self.pairer.left, Side.RIGHT: self.pairer.right}
        return min(
            (
                self._waiting[side][stamp]
                for side, stream in streams.items()
                for stamp in stream.stamps
            ),
            default=now_ns,
        )

    def _pairs(self) -> Iterator[tuple[int, list[PlannedPair]]]:
        """Yield the time and the pairs found for each image of the recording."""
        topics = self._topics
        sides = {topics.left: Side.LEFT, topics.right: Side.RIGHT}
        infos = {topics.left_info: 0, topics.right_info: 1}
        names = [name for name in (*sides, *infos, *self._also) if name is not None]
        now_ns = 0
        for topic, now_ns, data in self._recording.messages(names):
            if topic in infos:
                self._take_info(infos[topic], data)
            if topic not in sides:
                continue
            try:
                stamp = serialized_stamp_ns(data)
            except InputError:
                self.unreadable += 1
                continue
            side = sides[topic]
            found = self.pairer.add(side, stamp, ImageRef(now_ns, stamp))
            self._note(side, stamp, now_ns)
            yield now_ns, [self._planned(pair) for pair in found]
        yield now_ns, [self._planned(pair) for pair in self.pairer.settle()]
        self.last_offset = self.pairer.offset()
        self.pairer.clear(DropReason.UNPAIRED)

    def _note(self, side: Side, stamp: int, now_ns: int) -> None:
        """Remember when the images that wait were recorded."""
        times = self._waiting[side]
        times.setdefault(stamp, now_ns)
        stream = self.pairer.left if side is Side.LEFT else self.pairer.right
        if len(times) > 4 * (len(stream.stamps) + 1):
            self._waiting[side] = {each: times[each] for each in stream.stamps}

    def _planned(self, pair: StereoPair[ImageRef]) -> PlannedPair:
        return PlannedPair(pair.left, pair.right, pair.epoch, self._calibration)

    def _find_calibration(self) -> Calibration:
        """Return the first one of each camera: it also holds for the images before it."""
        first = [
            next((data for _, _, data in self._recording.messages([name])), None)
            if name is not None
            else None
            for name in (self._topics.left_info, self._topics.right_info)
        ]
        return first[0], first[1]

    def _take_info(self, side: int, data: bytes) -> None:
        if says_the_same(self._calibration[side], data):
            return
        both = list(self._calibration)
        both[side] = data
        self._calibration = (both[0], both[1])
