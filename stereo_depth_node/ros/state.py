# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the running node knows of itself: what diagnostics and the observer are given."""

from __future__ import annotations

from collections import Counter
import time

from stereo_depth_node.core.errors import ImageError, MissingCalibrationError
from stereo_depth_node.core.messages.calibration_cache import CalibrationCache
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.arrival import PairArrivals
from stereo_depth_node.core.pairing.frame_queue import FrameQueue
from stereo_depth_node.core.pairing.pairer import StereoPair, StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.core.processing import PairFailure, PairProcessor
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.ros.statistics import Statistics

__all__ = ['NodeState']

# For so long a pair waits for its calibration, unless another pair comes.
_CALIBRATION_WAIT_S = 5.0


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
    image_bytes : int
        Size of the image that came last.
    lifecycle : str
        ``active``, or another state of a managed node.
    shared_memory : str
        What is wrong with the shared memory of this machine; empty when nothing is.
    computed : int
        Pairs computed.
    failed : Counter of DropReason
        Images of pairs that could not be computed.
    failure : Exception or None
        Why the last pair could not be computed, or the last message not be read; None once a pair
        has been computed since.
    failed_pair : StereoPair or None
        The last pair that could not be computed; None when one was since.
    last_failure : Exception or None
        The last failure, whatever came since.
    unreadable : ImageError or None
        Why the last unreadable message could not be read; None before the first.
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
        self.image_bytes = 0
        self.lifecycle = 'active'
        self.shared_memory = ''
        self.computed = 0
        self.failed: Counter[DropReason] = Counter()
        self.failure: Exception | None = None
        self.failed_pair: StereoPair[SerializedImage] | None = None
        self.last_failure: Exception | None = None
        self.unreadable: ImageError | None = None
        self._held: StereoPair[SerializedImage] | None = None
        self._held_until = 0.0

    @property
    def waiting(self) -> int:
        """Images that wait, for their partner, to be computed, or for a calibration."""
        return self.pairer.waiting + 2 * len(self.frames) + 2 * self.holds_pair

    @property
    def holds_pair(self) -> bool:
        """Whether a pair waits for its calibration."""
        return self._held is not None

    @property
    def dropped(self) -> Counter[DropReason]:
        """Images dropped since the start, by reason."""
        return self.pairer.dropped + self.frames.dropped + self.failed

    def note_pair(self, pair: StereoPair[SerializedImage]) -> None:
        """Let a pair wait to be computed."""
        self.statistics.pairs.tick()
        self.arrivals.note(
            pair.epoch,
            (pair.left_ns, pair.right_ns),
            (pair.left.arrival_ns, pair.right.arrival_ns),
        )
        self.frames.put(pair)

    def note_success(self) -> None:
        """Count a pair whose results have been published."""
        self.failure = self.failed_pair = None
        self.computed += 1
        self.statistics.output.tick()

    def note_failure(self, failure: PairFailure, pair: StereoPair[SerializedImage]) -> None:
        """Count the two images of a pair that could not be computed.

        A pair without any calibration is held first: that of a camera that is triggered may come
        after its only images. It gives way to the next one.
        """
        self.failure = self.last_failure = failure.error
        self.failed_pair = pair
        if isinstance(failure.error, MissingCalibrationError):
            self.drop_held(failure.reason)
            self._held, self._held_until = pair, time.monotonic() + _CALIBRATION_WAIT_S
        else:
            self.failed[failure.reason] += 2

    def take_held(self, settings: Settings) -> StereoPair[SerializedImage] | None:
        """Return the pair that waited for a calibration which has come, None if there is none."""
        held = self._held
        if held is not None and not self.calibrations.missing(settings):
            self._held = None
            return held
        if held is not None and time.monotonic() > self._held_until:
            self.drop_held(DropReason.NO_CALIBRATION)
        return None

    def drop_held(self, reason: DropReason) -> None:
        """Count the images of the pair that waits for a calibration, if there is one."""
        if self._held is not None:
            self._held = None
            self.failed[reason] += 2

    def note_unreadable(self, side: Side, error: ImageError) -> None:
        """Count an image whose message cannot be read."""
        self.pairer.refuse(side)
        self.unreadable = type(error)(f'the {side.value} image: {error}')
        self.failure = self.last_failure = self.unreadable
