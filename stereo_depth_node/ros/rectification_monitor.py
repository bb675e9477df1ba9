# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measures every few seconds how far the rows of both images are apart, in a thread."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
import time
from typing import NamedTuple

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.health.rectification_report import (
    MatchedImages,
    RectificationReport,
    report_of_matches,
)
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.sparse_matches import match_corners, SparseMatches
from stereo_depth_node.memory import take_work_space_of_algebra

__all__ = ['RectificationMonitor']


_PERIOD_S = 5.0
# Its thread may take this share of a core; OpenCV takes as much again in others.
_CORE_SHARE = 0.003
# Enough for the median row and for the ends of the range of disparities.
_CORNERS = 400


class _Measurement(NamedTuple):
    matches: SparseMatches
    report: RectificationReport | None


class RectificationMonitor:
    """Finds sparse matches of single pairs, one pair at a time, in one thread of its own.

    OpenCV releases the GIL while it works, so that frames are computed meanwhile.

    Attributes
    ----------
    failure : Exception or None
        Why the last measurement failed.
    measured : int
        Measurements begun.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.measured = 0
        self._next = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='rectification monitor')
        self._measurement: Future[None] | None = None
        self._pipeline: StereoPipeline | None = None
        # Of the pipeline at hand; a thread that began with another one writes into another list.
        self._measured: list[_Measurement] = []
        take_work_space_of_algebra()

    @property
    def report(self) -> RectificationReport | None:
        """The last measurement; None before the first, and when too few points were found."""
        return self._measured[-1].report if self._measured else None

    @property
    def sees_no_common_scene(self) -> bool:
        """Whether the images have texture, but not the same."""
        return bool(self._measured) and self._measured[-1].matches.show_no_common_scene

    @property
    def is_due(self) -> bool:
        """Whether it is time to measure, and the last measurement is done."""
        is_busy = self._measurement is not None and not self._measurement.done()
        return not is_busy and time.monotonic() >= self._next

    def update(self, pipeline: StereoPipeline) -> None:
        """Begin to measure the pair that a pipeline matched last, if it is time to.

        The pipeline is given what was measured with it, for its uncertainty. What was measured
        with another one no longer counts.
        """
        if pipeline is not self._pipeline:
            self.forget()
            self._pipeline = pipeline
        report = self.report
        if report is not None:
            pipeline.row_sigma = report.rows_sigma
        if not self.is_due:
            return
        self._next = time.monotonic() + _PERIOD_S
        # Copies: the images are those of messages, or of buffers that the next pair overwrites.
        pair = pipeline.left.copy(), pipeline.right.copy()
        self._measurement = self._thread.submit(
            self._track, *pair, MatchedImages.of(pipeline), self._measured
        )
        self.measured += 1

    def forget(self) -> None:
        """Drop what was measured: it is of another camera, or of long ago."""
        self._measured = []
        self._next = 0.0
        self._pipeline = None

    def close(self) -> None:
        """End the thread, after the measurement under way if there is one."""
        self._thread.shutdown()

    def _track(
        self,
        left: Grey,
        right: Grey,
        images: MatchedImages,
        measured: list[_Measurement],
    ) -> None:
        started = time.thread_time()
        try:
            matches = match_corners(left, right, max_corners=_CORNERS)
            measured[:] = [_Measurement(matches, report_of_matches(matches, images))]
            self.failure = None
        except Exception as error:  # noqa: BLE001 (a thread has nobody to raise it to)
            measured.clear()
            self.failure = error
        rest = (time.thread_time() - started) / _CORE_SHARE
        self._next = max(self._next, time.monotonic() + rest)
