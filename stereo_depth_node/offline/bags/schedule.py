# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Gives the parts of many recordings to workers, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from itertools import chain, islice

from stereo_depth_node.core.errors import InputError, StereoDepthError
from stereo_depth_node.offline.bags.compute import compute_part
from stereo_depth_node.offline.bags.job import BagJob
from stereo_depth_node.offline.bags.part import PartResult, PartTask
from stereo_depth_node.offline.terminal import Progress
from stereo_depth_node.offline.workers import completed, dask_workers, local_workers, result_of

__all__ = ['run_jobs']


def run_jobs(
    jobs: Sequence[BagJob], *, processes: int, dask: str, progress: Progress
) -> list[StereoDepthError]:
    """Compute recordings, one after the other where all of them cannot be in work at once.

    Parameters
    ----------
    jobs : sequence of BagJob
        What to do.
    processes : int
        Processes of this machine to work in.
    dask : str
        Address of a Dask scheduler to work on instead; empty for none.
    progress : Progress
        A bar of the pairs; its total grows as the recordings are read.

    Returns
    -------
    list of StereoDepthError
        Of the recordings that could not be computed.
    """
    runs = [_Run(job, progress) for job in jobs]
    given = chain.from_iterable(run.tasks() for run in runs)
    # A single part is not worth the start of processes.
    first = list(islice(given, 2))
    if not dask and len(first) < 2:
        processes = 1
    with dask_workers(dask) if dask else local_workers(processes) as workers:

        def submit(item: tuple[_Run, PartTask]) -> Future[PartResult]:
            return workers.submit(compute_part, replace(item[1], threads=workers.threads))

        for (run, task), future in completed(chain(first, given), submit, workers.window):
            run.take(task, future)
    for run in runs:
        run.finish()
    return [run.error for run in runs if run.error is not None]


class _Run:
    """A job in work; an error ends it, and the others go on."""

    def __init__(self, job: BagJob, progress: Progress) -> None:
        self.job = job
        self.error: StereoDepthError | None = None
        self._progress = progress
        self._outstanding = 0
        self._is_planned = False
        self._is_finished = False

    def tasks(self) -> Iterator[tuple[_Run, PartTask]]:
        """Yield the tasks of the job."""
        expected = resumed = 0
        try:
            for task in self.job.tasks():
                self._progress.add_to_total(self.job.expected_pairs - expected)
                expected = self.job.expected_pairs
                self._progress.update(self.job.summary.resumed - resumed)
                resumed = self.job.summary.resumed
                if self.error is not None:
                    break
                self._outstanding += 1
                yield self, task
        except StereoDepthError as error:
            self.fail(error)
        self._progress.add_to_total(self.job.summary.pairs - expected)
        self._progress.update(self.job.summary.resumed - resumed)
        self._is_planned = True
        self.finish()

    def take(self, task: PartTask, future: Future[PartResult]) -> None:
        """Take the result of a task."""
        self._outstanding -= 1
        try:
            self.job.accept(task, result_of(future))
            self._progress.update(len(task.plan.pairs))
        except StereoDepthError as error:
            self.fail(error)
        self.finish()

    def fail(self, error: StereoDepthError) -> None:
        """End the job; the first error is reported, with the recording and its damage."""
        if self.error is None:
            summary = self.job.summary
            place = '' if str(summary.source) in str(error) else f'{summary.source}: '
            notes = f' ({"; ".join(summary.notes)})' if summary.notes else ''
            self.error = InputError(f'{place}{error}{notes}')

    def finish(self) -> None:
        """Put the result together once everything is there."""
        if self._is_finished or not self._is_planned or self._outstanding:
            return
        self._is_finished = True
        try:
            if self.error is None:
                self.job.finish()
        except StereoDepthError as error:
            self.fail(error)
        if self.error is not None:
            self.job.abandon()
