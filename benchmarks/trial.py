# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One trial: a node between feeder and receiver, in overload and at a moderate rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import dataclasses
import os
from pathlib import Path
import sys
import time
from typing import Any

from benchmarks.cases import Case, Contestant
from benchmarks.receiver import TOPICS
from benchmarks.usage import usage_of
from benchmarks.worker import Worker, Workers
from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.environment import graph_environment, reserved_domain
from stereo_depth_node.processes import ProcessError

__all__ = ['Plan', 'run_trial']

_NS_PER_MS = 1e6
# Far above what a busy machine needs to start a program and discover it.
_START_S = 120.0
_COMPILE_S = 900.0
_START_RATE = 30.0
_SETTLE_S = 0.5
_POLL_S = 0.25
_QUIET_S = 1.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a trial is run.

    Attributes
    ----------
    overload_rate : float
        Pairs per second that the node cannot keep up with.
    moderate_rate : float
        Pairs per second at which latency is measured.
    duration_s : float
        Of each of the two measurements.
    warm_up_s : float
        Overload before the first one.
    trace : bool
        Record allocations of a node of this package, after everything else.
    """

    overload_rate: float
    moderate_rate: float
    duration_s: float
    warm_up_s: float
    trace: bool = False


def run_trial(
    case: Case,
    contestant: Contestant,
    plan: Plan,
    log_folder: Path,
    *,
    only_overload: bool = False,
) -> dict[str, Any]:
    """Start a node, measure it, end it.

    Returns
    -------
    dict
        `start_s` (exec to the first result, seconds), what was measured under `overload` and
        `moderate`, and `peak_bytes`, the most memory that a stage of the node allocated.
    """
    with reserved_domain() as domain_id, Workers(log_folder) as processes:
        environment = graph_environment(os.environ, domain_id)
        trial = _Trial(
            processes.start_worker('feeder', _feeder_command(case), environment),
            processes.start_worker('receiver', _receiver_command(case), environment),
            contestant,
            case,
        )
        start = processes.start_worker if contestant.is_own else processes.start
        if not contestant.is_own:
            environment = _for_strangers(environment)
        nodes: list[Any] = [
            start(f'node {number}' if number else 'node', command, environment)
            for number, command in enumerate(contestant.commands_for(case))
        ]
        start_s = trial.await_first(nodes)
        (node, *_) = nodes
        backend = node.ask('settle', _COMPILE_S)['backend'] if contestant.is_own else None
        if plan.warm_up_s:
            trial.phase(plan.overload_rate, plan.warm_up_s)
        measured = {
            'start_s': start_s,
            'backend': backend,
            'overload': trial.phase(plan.overload_rate, plan.duration_s),
        }
        if only_overload:
            return measured
        measured['moderate'] = trial.phase(plan.moderate_rate, plan.duration_s)
        if plan.trace and contestant.is_own:
            node.ask('trace')
            trial.phase(plan.moderate_rate, plan.duration_s)
            measured['peak_bytes'] = max(node.ask('counters')['peak_bytes'])
        return measured


class _Trial:
    """The processes of a trial, and how they are measured."""

    def __init__(
        self,
        feeder: Worker,
        receiver: Worker,
        contestant: Contestant,
        case: Case,
    ) -> None:
        self._feeder, self._receiver = feeder, receiver
        self._is_own = contestant.is_own
        self._outputs = case.outputs
        self._images = 'image_raw' if case.is_raw else 'image_rect'
        feeder.answer(_START_S)
        receiver.answer(_START_S)
        feeder.ask(f'start {_START_RATE}')

    def await_first(self, nodes: Sequence[Any]) -> float:
        """Wait for a result of every output; return how long it took since exec, seconds."""
        self._nodes = nodes
        deadline = time.monotonic() + _START_S
        missing = set(self._outputs)
        while missing and time.monotonic() < deadline:
            self._watch(0.0)
            first = self._receiver.ask(f'first {_POLL_S}')['first']
            missing = set(self._outputs) - set(first)
        if missing:
            topics = ' and no '.join(TOPICS[output] for output in sorted(missing))
            said = '\n'.join(node.last_words() for node in nodes)
            raise ProcessError(
                f'nobody published {topics} within {_START_S:g} s: a peer must subscribe to '
                f'left|right/{self._images} and publish reliably\n{said}'
            )
        self._feeder.ask('stop')
        self._receiver.ask(f'quiet {_QUIET_S}')
        return float(max(first.values()) - nodes[0].started_ns) / NS_PER_S

    def phase(self, rate: float, duration_s: float) -> dict[str, Any]:
        """Feed at a rate, and measure once the node has settled.

        Again and for longer where no result comes: the machine may be busy with other things.
        """
        longest_s = max(duration_s, _START_S)
        while duration_s <= longest_s:
            measured = self._measured(rate, duration_s)
            if measured is not None:
                return measured
            duration_s *= 2.0
        raise ProcessError(f'no result came in {duration_s / 2.0:g} s')

    def _measured(self, rate: float, duration_s: float) -> dict[str, Any] | None:
        """Return what was measured, None where no result came."""
        before = self._counters()
        self._receiver.ask('reset')
        self._feeder.ask(f'start {rate}')
        pids = [node.pid for node in self._nodes]
        self._watch(_SETTLE_S)
        begin, began_ns = usage_of(*pids), time.time_ns()
        self._watch(duration_s)
        end, ended_ns = usage_of(*pids), time.time_ns()
        fed = self._feeder.ask('stop')
        arrivals = self._receiver.ask(f'quiet {_QUIET_S}')['arrivals']
        after = self._counters()

        within = {
            output: [(stamp, at) for stamp, at in come if began_ns < at <= ended_ns]
            for output, come in arrivals.items()
        }
        if not all(within.values()):
            return None
        frames = len(within[self._outputs[0]])
        seconds = (ended_ns - began_ns) / NS_PER_S
        result = {
            'fed_rate': len(fed['stamps']) / (seconds + _SETTLE_S),
            'rate': frames / seconds,
            'cpu_ms': (end.cpu_s - begin.cpu_s) * 1e3 / frames,
            'rss_mib': end.rss_bytes / 2**20,
            'rss_growth_mib': (end.rss_bytes - begin.rss_bytes) / 2**20,
            'latency_ms': {
                output: [(at - stamp) / _NS_PER_MS for stamp, at in come]
                for output, come in within.items()
            },
            'frames': _account(fed, self._outputs[0], arrivals, before, after),
        }
        if before is not None and after is not None:
            result['stage_ms'] = _stages(before, after)
        return result

    def _counters(self) -> dict[str, Any] | None:
        return self._nodes[0].ask('counters') if self._is_own else None

    def _watch(self, seconds: float) -> None:
        """Wait, and fail when a node ends meanwhile."""
        for node in self._nodes:
            node.watch(seconds)
            seconds = 0.0


def _account(
    fed: Mapping[str, Any],
    output: str,
    arrivals: Mapping[str, list[Any]],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Count the pairs of a phase by their fate, as far as an output shows it.

    For a peer it is unknown whether an image was lost on the way or dropped by the node.
    """
    sent = len(fed['stamps'])
    stamps = set(fed['stamps'])
    come = arrivals[output]
    results = {stamp for stamp, _ in come}
    account: dict[str, Any] = {
        'sent_pairs': sent,
        'skipped_by_feeder': fed['skipped'],
        'results': len(come),
        'results_of_unknown_stamp': len(results - stamps),
        'results_repeated': len(come) - len(results),
        'pairs_without_result': len(stamps - results),
    }
    if before is None or after is None:
        return account
    reasons = {
        reason: after['dropped'][reason] - before['dropped'].get(reason, 0)
        for reason in after['dropped']
    }
    received = after['received'] - before['received']
    topic = TOPICS[output]
    published = after['published'][topic] - before['published'][topic]
    return {
        **account,
        'received_images': received,
        'lost_in_transport_images': 2 * sent - received,
        'computed_pairs': after['computed_pairs'] - before['computed_pairs'],
        'dropped_images': {reason: count for reason, count in reasons.items() if count},
        'waiting_images': after['waiting'] - before['waiting'],
        'published': published,
        'lost_results': published - len(come),
    }


def _stages(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the mean time per pair of each stage of the node, ms: wall and CPU."""
    pairs = after['computed_pairs'] - before['computed_pairs']
    return {
        kind: {
            name: (seconds - before[f'stage_{kind}_s'].get(name, 0.0)) * 1e3 / max(pairs, 1)
            for name, seconds in after[f'stage_{kind}_s'].items()
        }
        for kind in ('wall', 'cpu')
    }


def _feeder_command(case: Case) -> list[str]:
    raw = ['--raw'] if case.is_raw else []
    return [*_module('feeder'), str(case.width), str(case.height), case.encoding, *raw]


def _receiver_command(case: Case) -> list[str]:
    return [*_module('receiver'), *case.outputs]


def _module(name: str) -> list[str]:
    return [sys.executable, '-m', f'benchmarks.{name}']


def _for_strangers(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program that may have a Python environment of its own.

    The ROS 2 wheels mark the processes whose library path they have set; a program of another
    environment must not inherit that.
    """
    strange = dict(environment)
    if strange.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE', None):
        strange.pop('LD_LIBRARY_PATH', None)
    return strange
