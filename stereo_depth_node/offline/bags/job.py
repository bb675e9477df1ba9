# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From one recording to another that has its depth: gives out tasks, takes results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
import dataclasses
from dataclasses import dataclass, field
import hashlib
from importlib import metadata
import json
from pathlib import Path
from typing import Any

import cv2
from rosbags.interfaces import ConnectionExtRosbag2

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.compute import FIGURES, PartResult, PartTask
from stereo_depth_node.offline.bags.files import recording_files, storage_files
from stereo_depth_node.offline.bags.halves import split_name
from stereo_depth_node.offline.bags.plan import BagPlan, evenly_spaced, PartPlan
from stereo_depth_node.offline.bags.reader import Bag, DamagedBagError
from stereo_depth_node.offline.bags.result import ResultFolder
from stereo_depth_node.offline.bags.salvage import salvage, topic_definition, unpack
from stereo_depth_node.offline.bags.topics import find_stereo_topics, StereoTopics
from stereo_depth_node.offline.bags.writer import BagFormat, part_name, WrittenTopic
from stereo_depth_node.offline.findings import lines_of_findings, PairFindings

__all__ = ['BagJob', 'JobOptions', 'JobSummary']

# Pairs of a recording in which faults are looked for, evenly spaced: at least and at most, and one
# of so many in between. Each takes the time of a few pairs.
_FEWEST_SAMPLES, _MOST_SAMPLES, _PAIRS_OF_SAMPLE = 3, 8, 250


@dataclass(frozen=True)
class JobOptions:
    """How recordings are to be computed.

    Attributes
    ----------
    settings : Settings
        Those of the node.
    left, right, left_info, right_info : str
        Topics; empty to find them.
    namespace : str
        Of the results' topics.
    also : tuple of str
        Outputs to write that are not written by default, keys of `OUTPUTS`.
    recording_format : BagFormat
        Of the result.
    copy_all : bool
        Copy all topics but the images.
    copy : tuple of str
        Topics to copy.
    overwrite, resume : bool
        What to do with what is there already.
    """

    settings: Settings
    left: str = ''
    right: str = ''
    left_info: str = ''
    right_info: str = ''
    namespace: str = ''
    also: tuple[str, ...] = ()
    recording_format: BagFormat = field(default_factory=BagFormat)
    copy_all: bool = False
    copy: tuple[str, ...] = ()
    overwrite: bool = False
    resume: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that are written, in the order in which each pair has them."""
        return tuple(
            topic for topic, output in OUTPUTS.items() if output.is_recorded or topic in self.also
        )


@dataclass
class JobSummary:
    """What came of a recording.

    Attributes
    ----------
    source, target : Path
        The recording read and the one written.
    topics : StereoTopics or None
        Of the stereo camera.
    received : dict of str to int
        Images of each side.
    pairs, computed, resets : int
        Pairs found; computed; restarts of the stamps.
    dropped : Counter of DropReason
        Images that made no result.
    resumed : int
        Pairs that had been computed before.
    first_error : str
        Why the first pair that could not be computed could not.
    notes : list of str
        Remarks: damage, topics not copied.
    seen : dict of int to list of PairFindings
        By part, what is wrong with those of its pairs that were looked at.
    figures : dict of int to list
        By part, `FIGURES` of each of its pairs.
    size : int
        Bytes written.
    """

    source: Path
    target: Path
    topics: StereoTopics | None = None
    received: dict[str, int] = field(default_factory=dict)
    pairs: int = 0
    computed: int = 0
    resets: int = 0
    dropped: Counter[DropReason] = field(default_factory=Counter)
    resumed: int = 0
    first_error: str = ''
    notes: list[str] = field(default_factory=list)
    seen: dict[int, list[PairFindings]] = field(default_factory=dict)
    figures: dict[int, list[list[float]]] = field(default_factory=dict)
    size: int = 0

    @property
    def densities(self) -> list[float]:
        """Share of the pixels with a depth of each pair, 0 to 1."""
        column = FIGURES.index('density')
        return [row[column] for index in sorted(self.figures) for row in self.figures[index]]

    @property
    def finding_lines(self) -> list[str]:
        """What is wrong with the pairs that were looked at, a line for each cause."""
        return lines_of_findings(
            [pair for index in sorted(self.seen) for pair in self.seen[index]]
        )


class BagJob:
    """Computes one recording; :meth:`close` ends it.

    Parameters
    ----------
    source, target : Path
        The recording to read and the one to write.
    options : JobOptions
        How.

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
            self.summary.notes.append(f'{self.summary.target} was complete already')
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
        topics = find_stereo_topics(
            recording.topics,
            left=options.left,
            right=options.right,
            left_info=options.left_info,
            right_info=options.right_info,
            compressed=options.settings.image_transport == 'compressed',
            rectify=options.settings.rectify,
            layout=options.settings.stereo_layout,
        )
        if not options.settings.rectify and '/image_raw' in topics.left:
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
        files = [(file.name, file.stat()) for file in storage_files(self.summary.source)]
        return {
            'recording': [[name, stat.st_size, stat.st_mtime_ns] for name, stat in files],
            'settings': dataclasses.asdict(options.settings),
            'topics': dataclasses.asdict(topics),
            'namespace': options.namespace,
            'outputs': list(options.outputs),
            'storage': dataclasses.asdict(options.recording_format),
            'copied topics': [topic.name for topic in copied],
            'versions': [cv2.__version__, metadata.version('rosbags')],
        }


def _samples(pairs: int) -> list[int]:
    """Return the numbers of the pairs in which faults are looked for."""
    count = min(max(pairs // _PAIRS_OF_SAMPLE, _FEWEST_SAMPLES), _MOST_SAMPLES)
    return evenly_spaced(count, pairs)


def _key(identity: dict[str, Any], part: PartPlan) -> str:
    text = json.dumps(identity, sort_keys=True) + repr(part)
    return hashlib.sha256(text.encode()).hexdigest()


def _why_no_pairs(summary: JobSummary, plan: BagPlan, tolerance: float) -> str:
    counts = f'{summary.received["left"]} left and {summary.received["right"]} right images'
    text = f'{summary.source}: no pairs among {counts}'
    offset = plan.last_offset
    if offset is None:
        return f'{text}: one of the topics has no images'
    return (
        f'{text}: right stamps are {abs(offset.nearest_ns) / 1e6:.1f} ms '
        f'{"after" if offset.nearest_ns > 0 else "before"} left ones, sync_tolerance is '
        f'{tolerance * 1e3:.1f} ms: set sync_tolerance to more than that'
    )
