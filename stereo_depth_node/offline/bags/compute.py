# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Computes one part of a recording: pairs in, a file of results out.

Runs in any process on any machine that sees the recording and the folder of the result, and
gives the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
import heapq
from operator import itemgetter
import time
from traceback import format_exception
from typing import Any

import cv2
import numpy as np

from stereo_depth_node.core.errors import InputError, StereoDepthError
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.messages.output_messages import OutputImage
from stereo_depth_node.core.pairing.pairer import StereoPair
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.processing import PairFailure, PairProcessor, PairResult
from stereo_depth_node.memory import keep_freed_memory
from stereo_depth_node.offline.bags.marks import sealed, write_mark
from stereo_depth_node.offline.bags.messages import BagMessages, new_calibration_cache
from stereo_depth_node.offline.bags.part import PartResult, PartTask
from stereo_depth_node.offline.bags.plan import ImageRef, PartPlan, PlannedPair
from stereo_depth_node.offline.bags.reader import Bag, open_bag, serialized_stamp_ns
from stereo_depth_node.offline.bags.topics import StereoTopics
from stereo_depth_node.offline.bags.writer import part_name, write_part, WrittenTopic
from stereo_depth_node.offline.files.formats import MM_PER_M
from stereo_depth_node.offline.findings import findings_of_pair, PairFindings

__all__ = ['compute_part']

_PERCENTILES = (5.0, 50.0, 95.0)
# Every so many rows and columns say enough about the depths of a pair.
_SAMPLE_STEP = 16


def compute_part(task: PartTask) -> PartResult:
    """Compute a part and write its file, and beside it the mark that says that it is whole.

    Raises
    ------
    InputError
        If the recording cannot be read, or the file cannot be written.
    """
    keep_freed_memory()
    if task.threads is not None:
        cv2.setNumThreads(task.threads)
    name = part_name(task.plan.index, task.recording_format)
    result = PartResult(task.key)
    # In the order of their times; of equal ones the copies first.
    items = heapq.merge(_copies(task), _results(task, result), key=itemgetter(0))
    result.metadata = write_part(
        task.folder, name, task.recording_format, _written_topics(task), items
    )
    # On the disk before the mark, so that a crash of the machine leaves no mark without its part.
    result.size, result.checksum = sealed(task.folder / name)
    write_mark(task.folder / f'{name}.json', asdict(result))
    return result


_Item = tuple[int, dict[str, bytearray | bytes]]


def _written_topics(task: PartTask) -> tuple[WrittenTopic, ...]:
    results = (
        WrittenTopic.of_type(f'{task.namespace}/{topic}', OUTPUTS[topic].type)
        for topic in task.outputs
    )
    return (*results, *task.copied)


def _results(task: PartTask, result: PartResult) -> Iterator[_Item]:
    """Yield time and messages of the pairs, and note in `result` what becomes of them."""
    computer = _PairComputer(task)
    bag = open_bag(task.recording)
    for pair, images in _pairs_with_images(bag, task.topics, task.plan):
        # The pair before the first one is for the filters over time alone.
        counted = result if pair is not task.plan.before else None
        messages = computer.compute(pair, images, counted)
        if messages:
            yield (
                pair.complete_ns,
                {f'{task.namespace}/{topic}': data for topic, data in messages.items()},
            )


def _copies(task: PartTask) -> Iterator[_Item]:
    """Yield time and message of what is copied."""
    if not task.copied:
        return
    names = [topic.name for topic in task.copied]
    # On its own: a recording without an index cannot be read at two places at a time.
    with closing(Bag(task.recording)) as recording:
        for topic, bag_ns, data in recording.messages(
            names, task.plan.start_ns, task.plan.stop_ns
        ):
            yield bag_ns, {topic: data}


class _PairComputer:
    """Computes pairs one after the other, as the node does."""

    def __init__(self, task: PartTask) -> None:
        self._task = task
        self._processor = PairProcessor(BagMessages())
        self._calibrations = new_calibration_cache()

    def compute(
        self, pair: PlannedPair, images: tuple[bytes, bytes], result: PartResult | None
    ) -> dict[str, bytearray]:
        """Return the messages of a pair, none where it cannot be computed; `result` says why.

        They are good until the next pair is computed.
        """
        start = time.perf_counter()
        outcome = self._process(pair, images)
        if result is None:
            return {}
        if isinstance(outcome, PairFailure):
            name = outcome.reason.name
            result.failed[name] = result.failed.get(name, 0) + 2
            result.first_error = result.first_error or _described(outcome)
            return {}
        messages = {topic: outcome.message(topic) for topic in self._task.outputs}
        depth = messages['depth/image_rect']
        assert isinstance(depth, OutputImage)
        spent_ms = 1e3 * (time.perf_counter() - start)
        result.computed += 1
        result.figures.append(
            [float(pair.left.stamp_ns), *_depth_figures(outcome.pipeline, depth.pixels), spent_ms]
        )
        # One that cannot be computed is made up for by the next one.
        done = result.computed + sum(result.failed.values()) // 2
        due = sum(place < done for place in self._task.looked_at)
        if len(result.findings) < due:
            result.findings.append(self._seen(outcome.pipeline).as_json())
        return {topic: message.serialized for topic, message in messages.items()}

    def _seen(self, pipeline: StereoPipeline) -> PairFindings:
        """Look at the pair that was matched last."""
        assert self._processor.images is not None
        calibration = self._calibrations.current(self._task.settings)
        cameras = (calibration.left, calibration.right)
        return findings_of_pair(pipeline, *self._processor.images, cameras)

    def _process(self, pair: PlannedPair, images: tuple[bytes, bytes]) -> PairResult | PairFailure:
        try:
            for side, info in zip(Side, pair.calibration, strict=True):
                if info is not None:
                    self._calibrations.take(side, info)
            left, right = map(self._task.topics.image, Side, images)
        except StereoDepthError as error:
            return PairFailure.of(error)
        return self._processor.process(
            StereoPair(pair.left.stamp_ns, pair.right.stamp_ns, left, right, pair.epoch),
            self._task.settings,
            self._calibrations,
        )


def _described(failure: PairFailure) -> str:
    """Return why a pair could not be computed; a bug with the place where it happened."""
    if failure.reason is not DropReason.INTERNAL_ERROR:
        return str(failure.error)
    return 'internal error, please report it: ' + ''.join(format_exception(failure.error))


def _depth_figures(pipeline: StereoPipeline, depth: np.ndarray[Any, Any]) -> list[float]:
    """Return the share of pixels with depth, and percentiles of the depth in metres."""
    unknown = pipeline.unknown_depth()
    density = 1.0 - np.count_nonzero(unknown) / unknown.size
    sample = np.s_[::_SAMPLE_STEP, ::_SAMPLE_STEP]
    known = np.sort(depth[sample][~unknown[sample]])
    if not known.size:
        return [density, *[float('nan')] * len(_PERCENTILES)]
    scale = 1.0 if depth.dtype == np.float32 else 1.0 / MM_PER_M
    places = [round(percent / 100 * (known.size - 1)) for percent in _PERCENTILES]
    return [density, *(scale * float(known[place]) for place in places)]


def _pairs_with_images(
    recording: Bag, topics: StereoTopics, plan: PartPlan
) -> Iterator[tuple[PlannedPair, tuple[bytes, bytes]]]:
    """Yield the pairs with their messages, each as soon as both are read."""
    pairs = [*([plan.before] if plan.before is not None else []), *plan.pairs]
    refs = [ref for pair in pairs for ref in (pair.left, pair.right)]
    wanted = {(topics.left, pair.left) for pair in pairs}
    wanted |= {(topics.right, pair.right) for pair in pairs}
    held: dict[tuple[str, ImageRef], bytes] = {}
    start, stop = min(ref.bag_ns for ref in refs), max(ref.bag_ns for ref in refs) + 1
    remaining = iter(pairs)
    pair = next(remaining)
    for topic, bag_ns, data in recording.messages((topics.left, topics.right), start, stop):
        try:
            key = (topic, ImageRef(bag_ns, serialized_stamp_ns(data)))
        except InputError:  # counted when the pairs were planned
            continue
        if key not in wanted:
            continue
        wanted.discard(key)  # an image that was recorded twice counts once
        held[key] = data
        while (topics.left, pair.left) in held and (topics.right, pair.right) in held:
            yield pair, (held.pop((topics.left, pair.left)), held.pop((topics.right, pair.right)))
            following = next(remaining, None)
            if following is None:
                return
            pair = following
    raise InputError(f'{recording.path} changed while it was read: run again')
