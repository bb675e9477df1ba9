# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the running node knows of itself: what diagnostics and the observer are given."""

from __future__ import annotations

from collections import Counter

from stereo_depth_node.core.messages.calibration_cache import CalibrationCache
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.arrival import PairArrivals
from stereo_depth_node.core.pairing.frame_queue import FrameQueue
from stereo_depth_node.core.pairing.pairer import StereoPair, StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.processing import PairFailure, PairProcessor
from stereo_depth_node.ros.statistics import Statistics

__all__ = ['NodeState']


class NodeState:
    """The parts of a node that images pass through, and its counters.

    Images received are twice the pairs computed plus the images dropped, counted by reason, plus
    the images waiting.

    Parameters
    ----------
    pairer : StereoPairer
        Images that wait for their partner.
    frames : FrameQueue
        Pairs that wait to be computed.
    processor : PairProcessor
        Computes them.
    calibrations : CalibrationCache
        The calibration of the cameras.

    Attributes
    ----------
    statistics : Statistics
        Rates and latency.
    arrivals : PairArrivals
        When the images of the last pairs arrived.
    computed : int
        Pairs computed.
    failed : Counter of DropReason
        Images of pairs that could not be computed.
    failure : Exception or None
        Why the last pair could not be computed; None when it could.
    last_failure : Exception or None
        Why the last pair that could not be computed could not.
    """

    def __init__(
        self,
        pairer: StereoPairer[SerializedImage],
        frames: FrameQueue[SerializedImage],
        processor: PairProcessor,
        calibrations: CalibrationCache,
    ) -> None:
        self.pairer = pairer
        self.frames = frames
        self.processor = processor
        self.calibrations = calibrations
        self.statistics = Statistics()
        self.arrivals = PairArrivals()
        self.computed = 0
        self.failed: Counter[DropReason] = Counter()
        self.failure: Exception | None = None
        self.last_failure: Exception | None = None

    @property
    def waiting(self) -> int:
        """Images that wait, for their partner or to be computed."""
        return self.pairer.waiting + 2 * len(self.frames)

    @property
    def dropped(self) -> Counter[DropReason]:
        """Images dropped since the start, by reason."""
        return self.pairer.dropped + self.frames.dropped + self.failed

    def note_pair(self, pair: StereoPair[SerializedImage]) -> None:
        """Let a pair wait to be computed."""
        self.arrivals.note(
            pair.epoch,
            (pair.left_ns, pair.right_ns),
            (pair.left.arrival_ns, pair.right.arrival_ns),
        )
        self.frames.put(pair)

    def note_success(self) -> None:
        """Count a pair whose results have been published."""
        self.failure = None
        self.computed += 1
        self.statistics.output.tick()

    def note_failure(self, failure: PairFailure) -> None:
        """Count the two images of a pair that could not be computed."""
        self.failure = self.last_failure = failure.error
        self.failed[failure.reason] += 2
