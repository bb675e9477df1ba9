# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A whole run: every case, every contestant, repeats taking turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import dataclasses
import json
import os
from pathlib import Path
import sys
from typing import Any

from benchmarks.cases import Case, Contestant
from benchmarks.summary import summarise_case
from benchmarks.trial import Plan, run_trial
from benchmarks.worker import Workers

__all__ = ['Session']

_ANSWER_S = 1800.0
# Above what the core alone can do: no node can keep up with it.
_OVERLOAD = 1.3
# A node that gives as much as it is fed, less this share, is not overloaded.
_SATURATED = 0.95
_MORE = 1.5
_MOST_PROBES = 5
# Of the rate that the slowest can take: there latency is that of a frame, not of a queue.
_MODERATE = 0.6
_PROBE_S = 1.0
# Pixels of images that cameras give at the full rate; 640x480.
_CAMERA_PIXELS = 307_200
# 120 pairs a second from cameras of 30.
_CHAIN_OVERLOAD = 4.0


class Session:
    """Measures.

    Parameters
    ----------
    backends : sequence of str
        Matcher backends of the node of this package.
    duration_s : float
        Of each measurement of a node; the core gets half of it.
    warm_up_s : float
        Overload before the first measurement of a node.
    repeats : int
        How often everything is measured.
    latency_rate : float
        Pairs per second at which latency is measured, if all can sustain it.
    log_folder : Path
        Each process has its log there.
    report : callable
        Called with a line of text before each step.
    """

    def __init__(
        self,
        backends: Sequence[str],
        *,
        duration_s: float,
        warm_up_s: float,
        repeats: int,
        latency_rate: float,
        log_folder: Path,
        report: Callable[[str], None],
    ) -> None:
        self._backends = list(backends)
        self._duration_s = duration_s
        self._warm_up_s = warm_up_s
        self._repeats = repeats
        self._latency_rate = latency_rate
        self._log_folder = log_folder
        self._report = report

    def measure(self, case: Case, contestants: Sequence[Contestant]) -> dict[str, Any]:
        """Measure the bare matcher, the core and the contestants, each in turn.

        Returns
        -------
        dict
            The case, the rates it was fed at, and a row of figures for each.
        """
        backends = [each.backend for each in contestants if each.backend is not None]
        self._report(f'{case}')
        cores: list[dict[str, Any]] = []
        trials: dict[str, list[dict[str, Any]]] = {each.name: [] for each in contestants}
        plan: Plan | None = None
        for repeat in range(self._repeats):
            self._report(f'  {repeat + 1} of {self._repeats}')
            cores.append(self._core(case, backends))
            if plan is None:
                plan = self._probe(case, contestants, cores[0])
            for contestant in contestants:
                with_trace = dataclasses.replace(plan, trace=repeat == 0)
                trials[contestant.name].append(
                    run_trial(case, contestant, with_trace, self._log_folder)
                )
        assert plan is not None
        measured = {'core': cores, 'nodes': trials}
        return {
            'case': dataclasses.asdict(case),
            'name': str(case),
            'overload_rate': plan.overload_rate,
            'moderate_rate': plan.moderate_rate,
            'rows': summarise_case(measured),
            'backends': cores[0]['backends'],
            'allocated_bytes': cores[0]['allocated_bytes'],
            'opencv': cores[0]['opencv'],
            'threads': cores[0]['threads'],
        }

    def measure_chain(self, case: Case, contestants: Sequence[Contestant]) -> dict[str, Any]:
        """Measure the contestants in turn, at the rate of a camera and above what they can.

        Returns
        -------
        dict
            As `measure`, without matcher and core.
        """
        self._report(f'{case}')
        # Larger images come slower from a camera.
        rate = self._latency_rate * min(1.0, _CAMERA_PIXELS / (case.width * case.height))
        plan = Plan(_CHAIN_OVERLOAD * rate, rate, self._duration_s, self._warm_up_s)
        trials: dict[str, list[dict[str, Any]]] = {each.name: [] for each in contestants}
        for repeat in range(self._repeats):
            self._report(f'  {repeat + 1} of {self._repeats}')
            for contestant in contestants:
                trials[contestant.name].append(run_trial(case, contestant, plan, self._log_folder))
        return {
            'case': dataclasses.asdict(case),
            'name': str(case),
            'overload_rate': plan.overload_rate,
            'moderate_rate': plan.moderate_rate,
            'rows': summarise_case({'core': [], 'nodes': trials}),
        }

    def scale(self, block_size: int, largest_pixels: int) -> dict[str, Any]:
        """Measure how the time of a frame grows."""
        self._report('growth with pixels, disparities and threads')
        return self._ask(
            'scaling',
            {
                'backends': self._backends,
                'block_size': block_size,
                'seconds': self._duration_s / 4,
                'largest_pixels': largest_pixels,
            },
        )

    def _core(self, case: Case, backends: Sequence[str]) -> dict[str, Any]:
        return self._ask(
            'compute',
            {
                'case': dataclasses.asdict(case),
                'backends': backends,
                'seconds': self._duration_s / 2,
            },
        )

    def _probe(self, case: Case, contestants: Sequence[Contestant], core: dict[str, Any]) -> Plan:
        """Find rates that overload every contestant, and that every contestant can sustain."""
        fastest_ms = min(times['ms'] for times in core['times'].values())
        plan = Plan(_OVERLOAD * 1e3 / fastest_ms, self._latency_rate, self._duration_s, 0.0)
        sustained = [self._latency_rate / _MODERATE]
        for contestant in contestants:
            for _ in range(_MOST_PROBES):
                short = dataclasses.replace(plan, duration_s=min(_PROBE_S, self._duration_s))
                seen = run_trial(case, contestant, short, self._log_folder, only_overload=True)
                overload = seen['overload']
                feeder_is_at_its_limit = overload['fed_rate'] < _SATURATED * plan.overload_rate
                if overload['rate'] < _SATURATED * overload['fed_rate'] or feeder_is_at_its_limit:
                    break
                plan = dataclasses.replace(plan, overload_rate=_MORE * plan.overload_rate)
            sustained.append(overload['rate'])
        return dataclasses.replace(
            plan, moderate_rate=_MODERATE * min(sustained), warm_up_s=self._warm_up_s
        )

    def _ask(self, module: str, request: dict[str, Any]) -> dict[str, Any]:
        command = [sys.executable, '-m', f'benchmarks.{module}', json.dumps(request)]
        with Workers(self._log_folder) as processes:
            process = processes.start_worker(module, command, os.environ)
            return process.answer(_ANSWER_S)
