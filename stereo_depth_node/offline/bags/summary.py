# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How recordings are to be computed, and what came of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from stereo_depth_node.core.pairing.pairer import DropReason
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.topics import StereoTopics
from stereo_depth_node.offline.bags.writer import RecordingFormat

__all__ = ['JobOptions', 'JobSummary']


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
