# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From one recording to another that has its depth.

The result grows in ``NAME.partial`` and gets its name when it is complete. Each part there has a
JSON file beside it that says so; a job that is resumed computes what has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
import dataclasses
from dataclasses import dataclass, field
import hashlib
from importlib import metadata
import json
from pathlib import Path
import shutil
from typing import Any

import cv2

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.offline.bag_messages import OUTPUT_TYPES
from stereo_depth_node.offline.bag_part import PartResult, PartTask
from stereo_depth_node.offline.bag_plan import PartPlan, RecordingPlan
from stereo_depth_node.offline.bag_reader import DamagedRecordingError, Recording, storage_files
from stereo_depth_node.offline.bag_salvage import salvage, topic_definition, unpack
from stereo_depth_node.offline.bag_topics import find_stereo_topics, StereoTopics
from stereo_depth_node.offline.bag_writer import (
    CopiedTopic,
    joined_metadata,
    METADATA,
    part_name,
    RecordingFormat,
)
from stereo_depth_node.offline.files import described_os_error, partial_path, write_file
from stereo_depth_node.ros.pairing import DropReason

__all__ = ['JobOptions', 'JobSummary', 'RecordingJob']

_JOB = 'job.json'
_READABLE = 'recording'
_SALVAGED = 'salvaged'


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
    recording_format : RecordingFormat
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
    recording_format: RecordingFormat = field(default_factory=RecordingFormat)
    copy_all: bool = False
    copy: tuple[str, ...] = ()
    overwrite: bool = False
    resume: bool = False


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
        What else is to be told: damage, topics not copied.
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
    figures: dict[int, list[list[float]]] = field(default_factory=dict)
    size: int = 0


class RecordingJob:
    """Computes one recording: gives out tasks, takes results, puts them together.

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
    is_done : bool
        The result is there already.
    is_complete : bool
        The result has its name.

    Raises
    ------
    InputError
        If the result exists, or the source does not.
    """

    def __init__(self, source: Path, target: Path, options: JobOptions) -> None:
        self.summary = JobSummary(source, target)
        self.is_done = False
        self.is_complete = False
        self.expected_pairs = 0
        self._options = options
        self._partial = partial_path(target)
        self._folder = self._partial
        self._parts: dict[int, dict[str, Any]] = {}
        _check_source(source)
        self._check_target()

    def tasks(self) -> Iterator[PartTask]:
        """Yield what is to be computed, as the recording is read.

        Raises
        ------
        InputError
            If the recording cannot be used, or the result cannot be written.
        """
        if self.is_done:
            return
        self._prepare_partial()
        try:
            yield from self._tasks(self._readable_source())
        except DamagedRecordingError as error:
            # Anew from the copy; what is given out already ends up in the folder of before.
            self._folder = self._partial / _SALVAGED
            self._forget(error)
            copy = self._folder / _READABLE
            _remove(copy)
            self.summary.notes += salvage(self.summary.source, copy)
            yield from self._tasks(copy)

    def _tasks(self, path: Path) -> Iterator[PartTask]:
        with closing(Recording(path)) as recording:
            options, summary = self._options, self.summary
            topics = find_stereo_topics(
                recording.topics,
                left=options.left,
                right=options.right,
                left_info=options.left_info,
                right_info=options.right_info,
                compressed=options.settings.image_transport == 'compressed',
                rectify=options.settings.rectify,
            )
            summary.topics = topics
            if not options.settings.rectify and '/image_raw' in topics.left:
                summary.notes.append(
                    f'{topics.left} is taken as rectified: if it is not, run with --set '
                    'rectify=true'
                )
            copied = self._copied_topics(recording, topics)
            plan = RecordingPlan(
                recording, topics, options.settings, also=[topic.name for topic in copied]
            )
            self.expected_pairs = plan.expected_pairs
            identity = self._identity(topics, copied)
            self._check_resumed(identity)
            for part in plan.parts():
                summary.pairs += len(part.pairs)
                task = PartTask(
                    recording=path,
                    topics=topics,
                    settings=options.settings,
                    plan=part,
                    folder=self._folder,
                    recording_format=options.recording_format,
                    namespace=options.namespace,
                    copied=copied,
                    key=_key(identity, part),
                )
                earlier = self._earlier_result(task)
                if earlier is None:
                    yield task
                else:
                    summary.resumed += len(part.pairs)
                    self.accept(task, earlier)
            self._note_pairing(recording, plan)

    def _note_pairing(self, recording: Recording, plan: RecordingPlan) -> None:
        summary, pairer = self.summary, plan.pairer
        summary.received = {'left': pairer.left.count, 'right': pairer.right.count}
        summary.resets = pairer.resets
        summary.dropped.update(plan.dropped)
        if not summary.pairs:
            raise InputError(_why_no_pairs(recording, plan, self._options.settings))

    def _forget(self, error: DamagedRecordingError) -> None:
        """Begin the summary anew."""
        source, target = self.summary.source, self.summary.target
        self.summary = JobSummary(source, target, notes=[str(error)])
        self._parts.clear()

    def accept(self, task: PartTask, result: PartResult) -> None:
        """Take the result of a task.

        Raises
        ------
        InputError
            If it is not there, or no pair of the first part could be computed.
        """
        summary = self.summary
        if task.folder != self._folder:
            return  # of the recording before it was found damaged
        file = self._folder / part_name(task.plan.index, task.recording_format)
        if not file.exists():
            raise InputError(
                f'{file} was computed but is not here: the workers must see the same folders as '
                'this machine'
            )
        if task.plan.index == 0 and not result.computed:
            raise InputError(f'{summary.source}: {result.first_error}')
        summary.computed += result.computed
        summary.dropped.update({DropReason[name]: count for name, count in result.failed.items()})
        summary.first_error = summary.first_error or result.first_error
        summary.figures[task.plan.index] = result.figures
        summary.size += file.stat().st_size
        self._parts[task.plan.index] = result.metadata

    def finish(self) -> None:
        """Put the parts together and give the result its name.

        Raises
        ------
        InputError
            If that cannot be written.
        """
        if self.is_done:
            self.is_complete = True
            return
        target, folder = self.summary.target, self._folder
        parts = [self._parts[index] for index in sorted(self._parts)]
        write_file(folder / METADATA, joined_metadata(parts).encode(), overwrite=True)
        names = {name for part in parts for name in part['relative_file_paths']} | {METADATA}
        try:
            for path in folder.iterdir():
                if path.name not in names:
                    _remove(path)
            _remove(target)
            folder.rename(target)
            _remove(self._partial)
        except OSError as error:
            raise described_os_error('write', target, error) from error
        self.is_complete = True

    def abandon(self) -> None:
        """Remove what was begun, unless there is a part of the result in it to go on with."""
        with suppress(OSError):
            if not any(self._partial.rglob('stereo_depth_*.json')):
                _remove(self._partial)

    def _check_target(self) -> None:
        """Refuse to write over what is there, unless that is wanted."""
        target, options = self.summary.target, self._options
        source = self.summary.source.resolve()
        if target.resolve() in (source, source.parent):
            raise InputError(f'{target} is what is read: choose another name for the result')
        if target.exists():
            if options.resume and (target / METADATA).exists():
                self.is_done = True
                self.summary.notes.append(f'{target} was complete already')
            elif not options.overwrite:
                raise InputError(
                    f'{target} exists: give another name, or --overwrite to replace it'
                )
            elif not _is_recording(target):
                raise InputError(f'{target} is no recording and is not overwritten: remove it')
        elif self._partial.exists() and not (options.resume or options.overwrite):
            raise InputError(
                f'{self._partial} is there from an earlier run: go on with --resume, or begin '
                'anew with --overwrite'
            )

    def _prepare_partial(self) -> None:
        try:
            if not self._options.resume:
                _remove(self._partial)
            self._partial.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise described_os_error('write', self._partial, error) from error

    def _readable_source(self) -> Path:
        """Return the recording, or a copy if it cannot be read in parts as it is."""
        source, copy = self.summary.source, self._folder / _READABLE
        with closing(Recording(source)) as recording:
            if not recording.is_compressed_whole:
                return source
            _remove(copy)
            unpack(recording, copy)
            return copy

    def _copied_topics(
        self, recording: Recording, topics: StereoTopics
    ) -> tuple[CopiedTopic, ...]:
        options, notes = self._options, self.summary.notes
        ours = {f'{options.namespace.rstrip("/")}/{topic}' for topic in OUTPUT_TYPES}
        names = {topic.name for topic in recording.topics}
        wanted = set(options.copy)
        if options.copy_all:
            wanted |= names - {topics.left, topics.right}
        for name in sorted(wanted - names):
            raise InputError(
                f'there is no topic {name} to copy, the recording has {", ".join(sorted(names))}'
            )
        copied: dict[str, CopiedTopic] = {}
        for connection in recording.connections(wanted):
            known = topic_definition(connection.msgtype, connection.msgdef.data)
            if connection.topic in ours:
                notes.append(f'{connection.topic} is not copied: a result has its name')
            elif known is None:
                notes.append(
                    f'{connection.topic} is not copied: the recording does not define its type '
                    f'{connection.msgtype}'
                )
            else:
                copied.setdefault(
                    connection.topic,
                    CopiedTopic(
                        connection.topic,
                        connection.msgtype,
                        *known,
                        tuple(connection.ext.offered_qos_profiles),
                    ),
                )
        return tuple(copied[name] for name in sorted(copied))

    def _identity(self, topics: StereoTopics, copied: tuple[CopiedTopic, ...]) -> dict[str, Any]:
        """Return all that the result depends on, as a resumed job compares it."""
        options = self._options
        files = storage_files(self.summary.source)
        return {
            'recording': [
                [file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files
            ],
            'settings': dataclasses.asdict(options.settings),
            'topics': dataclasses.asdict(topics),
            'namespace': options.namespace,
            'storage': dataclasses.asdict(options.recording_format),
            'copied topics': [topic.name for topic in copied],
            'versions': [cv2.__version__, metadata.version('rosbags')],
        }

    def _check_resumed(self, identity: dict[str, Any]) -> None:
        """Refuse to go on with what was begun otherwise."""
        file = self._partial / _JOB
        if file.exists():
            begun = json.loads(file.read_text(encoding='utf-8'))
            differing = [name for name in identity if begun.get(name) != identity[name]]
            if differing:
                raise InputError(
                    f'{self._partial} was begun with other {", ".join(differing)}: run as then, '
                    'or begin anew with --overwrite'
                )
        write_file(file, json.dumps(identity).encode(), overwrite=True)

    def _earlier_result(self, task: PartTask) -> PartResult | None:
        """Return the result of an earlier run, None if there is none that fits."""
        name = part_name(task.plan.index, task.recording_format)
        marker = self._folder / f'{name}.json'
        if not (marker.exists() and (self._folder / name).exists()):
            return None
        result = PartResult(**json.loads(marker.read_text(encoding='utf-8')))
        return result if result.key == task.key else None


def _check_source(source: Path) -> None:
    """Refuse what is no recording."""
    try:
        exists = source.exists()
        files = storage_files(source) if exists else []
    except OSError as error:
        raise described_os_error('read', source, error) from error
    if not exists:
        raise InputError(f'{source} does not exist: name a ROS 2 bag')
    if not files:
        raise InputError(f'{source} is no ROS 2 bag: expected a folder, or a .mcap or .db3 file')


def _key(identity: dict[str, Any], part: PartPlan) -> str:
    text = json.dumps(identity, sort_keys=True) + repr(part)
    return hashlib.sha256(text.encode()).hexdigest()


def _why_no_pairs(recording: Recording, plan: RecordingPlan, settings: Settings) -> str:
    counts = f'{plan.pairer.left.count} left and {plan.pairer.right.count} right images'
    text = f'{recording.path}: no pairs among {counts}'
    offset = plan.last_offset
    if offset is None:
        return f'{text}: one of the topics has no images'
    return (
        f'{text}: right stamps are {abs(offset.nearest_ns) / 1e6:.1f} ms '
        f'{"after" if offset.nearest_ns > 0 else "before"} left ones, sync_tolerance is '
        f'{settings.sync_tolerance * 1e3:.1f} ms: set sync_tolerance to more than that'
    )


def _is_recording(path: Path) -> bool:
    """Tell whether a folder holds a recording and nothing else."""
    return path.is_dir() and all(
        each.name == METADATA or '.mcap' in each.suffixes or '.db3' in each.suffixes
        for each in path.iterdir()
    )


def _remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
