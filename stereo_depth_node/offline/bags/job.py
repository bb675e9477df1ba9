# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From one recording to another that has its depth: gives out tasks, takes results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
from rosbags.interfaces import ConnectionExtRosbag2

from stereo_depth_node.core.camera.calibration_file import calibration_path
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.settings.text_files import read_bytes
from stereo_depth_node.offline.bags.files import recording_files, storage_files
from stereo_depth_node.offline.bags.halves import split_name
from stereo_depth_node.offline.bags.options import JobOptions
from stereo_depth_node.offline.bags.part import PartResult, PartTask
from stereo_depth_node.offline.bags.plan import BagPlan, evenly_spaced, PartPlan
from stereo_depth_node.offline.bags.reader import Bag, DamagedBagError
from stereo_depth_node.offline.bags.result import ResultFolder
from stereo_depth_node.offline.bags.salvage import salvage, topic_definition, unpack
from stereo_depth_node.offline.bags.summary import JobSummary
from stereo_depth_node.offline.bags.topics import find_stereo_topics, StereoTopics
from stereo_depth_node.offline.bags.writer import part_name, WrittenTopic
from stereo_depth_node.offline.findings import PairFindings
from stereo_depth_node.offline.versions import version_of

__all__ = ['BagJob']

# Pairs of a recording in which faults are looked for, evenly spaced: at least and at most, and one
# of so many in between. Each takes the time of a few pairs.
_FEWEST_SAMPLES, _MOST_SAMPLES, _PAIRS_OF_SAMPLE = 3, 8, 250


class BagJob:
    """Computes one recording; :meth:`close` ends it.

    Parameters
    ----------
    source, target : Path
        The recording to read and the one to write.
    options : JobOptions
        How it is computed.

    Attributes
    ----------
    summary : JobSummary
        Complete after :meth:`finish`.
    expected_pairs : int
        How many pairs there are at most, once the first task is out.
    is_complete : bool
        The result has its name.

    Raises
    ------
    InputError
        If there is no recording to read, or something that may not be replaced where one is to
        be written, or another run writes it.
    """

    def __init__(self, source: Path, target: Path, options: JobOptions) -> None:
        self.summary = JobSummary(source, target)
        self.expected_pairs = 0
        self.is_complete = False
        self._options = options
        self._parts: dict[int, dict[str, Any]] = {}
        recording_files(source)  # refuses what is no recording
        self._result = ResultFolder(
            source, target, overwrite=options.overwrite, resume=options.resume
        )

    def tasks(self) -> Iterator[PartTask]:
        """Yield what is to be computed, as the recording is read.

        Raises
        ------
        InputError
            If the recording cannot be used, or the result cannot be written.
        """
        if self._result.is_done:
            self.summary.notes.append(
                f'{self.summary.target} was complete already and is left as it is, whatever the '
                'settings: --overwrite without --resume computes it anew'
            )
            return
        self._result.prepare()
        try:
            yield from self._tasks(self._source_in_parts())
        except DamagedBagError as error:
            # Anew, from a copy of what is legible; what is given out already no longer counts.
            source, target = self.summary.source, self.summary.target
            self.summary = JobSummary(source, target, notes=[str(error)])
            self._parts.clear()
            self._result.begin_anew()
            self.summary.notes += salvage(source, self._result.copy)
            yield from self._tasks(self._result.copy)

    def accept(self, task: PartTask, result: PartResult) -> None:
        """Take the result of a task.

        Raises
        ------
        InputError
            If it is not there, or no pair of the first part could be computed.
        """
        if task.folder != self._result.path:
            return  # of the recording before it was found damaged
        summary = self.summary
        file = task.folder / part_name(task.plan.index, task.recording_format)
        if not file.exists():
            raise InputError(
                f'{file} was computed but is not here: the workers must see the same folders as '
                'this machine'
            )
        size = file.stat().st_size
        if size != result.size:
            raise InputError(
                f'{file} has {size} bytes where {result.size} were written: somebody else writes '
                'there; run again with --resume'
            )
        if task.plan.index == 0 and not result.computed:
            raise InputError(f'{summary.source}: {result.first_error}')
        summary.computed += result.computed
        summary.dropped.update({DropReason[name]: count for name, count in result.failed.items()})
        summary.first_error = summary.first_error or result.first_error
        summary.figures[task.plan.index] = result.figures
        summary.seen[task.plan.index] = [PairFindings.of_json(pair) for pair in result.findings]
        summary.size += size
        self._parts[task.plan.index] = result.metadata

    def finish(self) -> None:
        """Put the parts together and give the result its name.

        Raises
        ------
        InputError
            If that cannot be written.
        """
        if not self._result.is_done:
            self._result.finish(self._parts[index] for index in sorted(self._parts))
        self.is_complete = True

    def abandon(self) -> None:
        """Remove what was begun, unless there is a part of the result in it to go on with."""
        self._result.abandon()

    def close(self) -> None:
        """Let other runs write the result."""
        self._result.close()

    def _source_in_parts(self) -> Path:
        """Return the recording, or a copy if it cannot be read in parts as it is."""
        source = self.summary.source
        with closing(Bag(source)) as recording:
            if not recording.is_compressed_whole:
                return source
            unpack(recording, self._result.copy)
            return self._result.copy

    def _tasks(self, path: Path) -> Iterator[PartTask]:
        options, summary = self._options, self.summary
        with closing(Bag(path)) as recording:
            topics = summary.topics = self._topics(recording)
            copied = self._copied_topics(recording, topics)
            plan = BagPlan(
                recording, topics, options.settings, also=[topic.name for topic in copied]
            )
            self.expected_pairs = plan.expected_pairs
            samples = _samples(plan.expected_pairs)
            identity = self._identity(topics, copied)
            self._result.check_identity(identity)
            for part in plan.parts():
                first = summary.pairs
                summary.pairs += len(part.pairs)
                task = PartTask(
                    recording=path,
                    topics=topics,
                    settings=options.settings,
                    plan=part,
                    folder=self._result.path,
                    recording_format=options.recording_format,
                    namespace=options.namespace,
                    outputs=options.outputs,
                    copied=copied,
                    key=_key(identity, part),
                    looked_at=tuple(
                        number - first for number in samples if first <= number < summary.pairs
                    ),
                )
                earlier = self._result.earlier_result(task)
                if earlier is None:
                    yield task
                else:
                    summary.resumed += len(part.pairs)
                    self.accept(task, earlier)
        summary.received = {'left': plan.pairer.left.count, 'right': plan.pairer.right.count}
        summary.resets = plan.pairer.resets
        summary.dropped.update(plan.dropped)
        if not summary.pairs:
            raise InputError(_why_no_pairs(summary, plan, options.settings.sync_tolerance))

    def _topics(self, recording: Bag) -> StereoTopics:
        options = self._options
        topics = find_stereo_topics(recording.topics, options.settings, options.topics)
        if topics.seem_raw and not options.settings.rectify:
            self.summary.notes.append(
                f'{topics.left} is taken as rectified: if it is not, run with --set rectify=true'
            )
        return topics

    def _copied_topics(self, recording: Bag, topics: StereoTopics) -> tuple[WrittenTopic, ...]:
        options, notes = self._options, self.summary.notes
        ours = {f'{options.namespace}/{topic}' for topic in OUTPUTS}
        names = {topic.name for topic in recording.topics}
        wanted = set(options.copy)
        if options.copy_all:
            wanted |= names - {split_name(name)[0] for name in (topics.left, topics.right)}
        if missing := sorted(wanted - names):
            raise InputError(
                f'there is no topic {", ".join(missing)} to copy, the recording has '
                f'{", ".join(sorted(names))}'
            )
        copied: dict[str, WrittenTopic] = {}
        for connection in recording.connections(wanted):
            name, kind = connection.topic, connection.msgtype
            known = topic_definition(kind, connection.msgdef.data)
            if name in ours:
                notes.append(f'{name} is not copied: a result has its name')
            elif known is None:
                notes.append(f'{name} is not copied: the recording does not define {kind}')
            else:
                assert isinstance(connection.ext, ConnectionExtRosbag2)  # it is a ROS 2 bag
                qos = tuple(connection.ext.offered_qos_profiles)
                copied.setdefault(name, WrittenTopic(name, kind, *known, qos))
        return tuple(copied[name] for name in sorted(copied))

    def _identity(self, topics: StereoTopics, copied: tuple[WrittenTopic, ...]) -> dict[str, Any]:
        """Return all that the result depends on, by its name for people."""
        options = self._options
        settings = options.settings
        files = [(file.name, file.stat()) for file in storage_files(self.summary.source)]
        urls = (settings.left_camera_info_url, settings.right_camera_info_url)
        return {
            'recording': [[name, stat.st_size, stat.st_mtime_ns] for name, stat in files],
            'settings': dataclasses.asdict(settings),
            'calibration files': [_content_of(url) for url in urls if url],
            'topics': dataclasses.asdict(topics),
            'namespace': options.namespace,
            'outputs': list(options.outputs),
            'storage': dataclasses.asdict(options.recording_format),
            'copied topics': [topic.name for topic in copied],
            'versions': [cv2.__version__, *map(version_of, ('rosbags', 'stereo_depth_node'))],
        }


def _samples(pairs: int) -> list[int]:
    """Return the numbers of the pairs in which faults are looked for."""
    count = min(max(pairs // _PAIRS_OF_SAMPLE, _FEWEST_SAMPLES), _MOST_SAMPLES)
    return evenly_spaced(count, pairs)


def _content_of(url: str) -> str:
    """Return a digest of a calibration file, empty where it cannot be read: it may not be used."""
    try:
        return hashlib.sha256(read_bytes(calibration_path(url))).hexdigest()
    except InputError:
        return ''


def _key(identity: dict[str, Any], part: PartPlan) -> str:
    text = json.dumps(identity, sort_keys=True) + repr(part)
    return hashlib.sha256(text.encode()).hexdigest()


def _why_no_pairs(summary: JobSummary, plan: BagPlan, tolerance: float) -> str:
    counts = f'{summary.received["left"]} left and {summary.received["right"]} right images'
    text = f'{summary.source}: no pairs among {counts}'
    offset = plan.last_offset
    if offset is None:
        lost = [f'{n} not used: {reason.value}' for reason, n in summary.dropped.items() if n]
        return f'{text}: {", ".join(lost) or "one of the topics has no images"}'
    return (
        f'{text}: right stamps are {abs(offset.nearest_ns) / 1e6:.1f} ms '
        f'{"after" if offset.nearest_ns > 0 else "before"} left ones, sync_tolerance is '
        f'{tolerance * 1e3:.1f} ms: set sync_tolerance to more than that'
    )
