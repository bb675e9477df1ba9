# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A part of a recording: what a worker is given to compute, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.plan import PartPlan
from stereo_depth_node.offline.bags.topics import StereoTopics
from stereo_depth_node.offline.bags.writer import BagFormat, WrittenTopic

__all__ = ['FIGURES', 'PartResult', 'PartTask']

FIGURES = ('stamp_ns', 'density', 'near', 'median', 'far', 'milliseconds')
"""What is kept of each pair: its left stamp, the share of pixels with depth, the 5th, 50th and
95th percentile of the depth in metres (NaN without any), and the time its computation took."""


@dataclass(frozen=True)
class PartTask:
    """All that is needed to compute a part.

    Attributes
    ----------
    recording : Path
        To read.
    topics : StereoTopics
        Of the stereo camera.
    settings : Settings
        To compute with.
    plan : PartPlan
        The pairs.
    folder : Path
        Where the file goes.
    recording_format : BagFormat
        Of the file.
    namespace : str
        Of the results' topics.
    outputs : tuple of str
        What is written, keys of `OUTPUTS`.
    copied : tuple of WrittenTopic
        Topics copied from the recording.
    key : str
        What the result depends on, as a hash; kept with it.
    looked_at : tuple of int
        Places among its pairs at which faults are looked for.
    threads : int or None
        OpenCV's, to compute with; None leaves them as they are.
    """

    recording: Path
    topics: StereoTopics
    settings: Settings
    plan: PartPlan
    folder: Path
    recording_format: BagFormat
    namespace: str
    outputs: tuple[str, ...]
    copied: tuple[WrittenTopic, ...]
    key: str
    looked_at: tuple[int, ...] = ()
    threads: int | None = None


@dataclass
class PartResult:
    """What came of a part.

    Attributes
    ----------
    key : str
        The task's.
    computed : int
        Pairs.
    failed : dict of str to int
        Images of the pairs that could not be computed, by the name of the reason.
    first_error : str
        Why the first of them could not.
    figures : list of list of float
        `FIGURES` of each pair computed.
    findings : list of dict
        What is wrong with the pairs looked at, each :class:`.PairFindings` as JSON has it.
    metadata : dict
        What metadata.yaml says of the file.
    size, checksum : int
        Of the file: bytes, and :func:`.checksum_of`.
    """

    key: str
    computed: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    first_error: str = ''
    figures: list[list[float]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    checksum: int = 0
