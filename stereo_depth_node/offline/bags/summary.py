# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What came of a recording: counts, figures and findings, for people and for the report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.offline.bags.part import FIGURES
from stereo_depth_node.offline.bags.topics import StereoTopics
from stereo_depth_node.offline.findings import lines_of_findings, PairFindings

__all__ = ['JobSummary']


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
