# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the node at full load among random faults, and prints a report.

It fails when the node has ended, when images are neither computed nor counted as dropped, when an
internal error was logged, or when the node holds more than after the warm-up, in which every fault
happens, and the highest load with every camera.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions
from tabulate import tabulate

from benchmarks.worker import Workers
from soak.faults import Bystander, Camera, CAMERAS, FAULTS, node_hangs, parameters_storm
from soak.footprint import Footprint, SharedMemory
from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.environment import graph_environment, reserved_domain
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.processes import Process
from stereo_depth_node.signals import interrupt_on_termination

__all__ = ['main']

NODE = (sys.executable, '-m', 'stereo_depth_node.ros.main')
_GROWTH_BYTES = 5e6
_CALM_S = 4.0
# Long enough that Fast DDS has given up the peers that were killed (20 s lease).
_SETTLE_S = 30.0
_DROPPED = 'images dropped, '


class Ledger:
    """What the node reports in its diagnostics.

    Attributes
    ----------
    values : dict of str to str
        Of the last report.
    reports, contradictions : int
        Reports received; those whose images do not add up.
    causes : Counter of str
        Reports by the state of the node.
    """

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.reports = self.contradictions = 0
        self.causes: Counter[str] = Counter()

    def add(self, array: Any) -> None:
        """Count a report."""
        self.values = {each.key: each.value for each in array.status[0].values}
        self.reports += 1
        self.causes[self.values['cause']] += 1
        self.contradictions += not self.adds_up

    def number(self, key: str) -> int:
        """Return a count of the last report."""
        return int(self.values.get(key, '0'))

    def dropped(self) -> dict[str, int]:
        """Return the images dropped, by reason."""
        return {
            key.removeprefix(_DROPPED): int(value)
            for key, value in self.values.items()
            if key.startswith(_DROPPED)
        }

    @property
    def adds_up(self) -> bool:
        """Whether images received are those computed, dropped or waiting."""
        accounted = 2 * self.number('pairs computed') + sum(self.dropped().values())
        return self.number('images received') == accounted + self.number('images waiting')


def main(arguments: Sequence[str]) -> int:
    """Run a soak; return 0 when the node has stood it."""
    parser = ToolParser(prog='scripts/soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=10.0, help='how long (default: 10)')
    parser.add_argument('--rate', type=float, default=60.0, help='pairs per second (default: 60)')
    parser.add_argument('--seed', type=int, default=1, help='of the faults (default: 1)')
    parser.add_argument('--domain', type=int, help='ROS_DOMAIN_ID (default: a free one)')
    options = parser.parse_whole(arguments)
    interrupt_on_termination()
    memory = SharedMemory()
    try:
        with (
            reserved_domain(options.domain) as domain_id,
            tempfile.TemporaryDirectory() as folder,
            Workers(Path(folder)) as processes,
        ):
            os.environ.update(graph_environment(os.environ, domain_id))
            # Without handlers of its own: a signal is to leave the "with" block.
            rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
            return _soak(options, processes)
    except StereoDepthError as error:
        print(f'soak failed: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('soak: interrupted', file=sys.stderr)
        return 130
    finally:
        rclpy.try_shutdown()
        memory.clean()


def _soak(options: argparse.Namespace, processes: Workers) -> int:
    ledger, camera = Ledger(), Camera(processes, os.environ, options.rate)
    node = processes.start(
        'node',
        (*NODE, '--ros-args', '-p', 'matcher_backend:=opencv'),
        {**os.environ, 'PYTHONFAULTHANDLER': '1'},
    )
    soak = Bystander(ledger.add, options.seed, processes, os.environ, camera, node)
    camera.start()
    end = time.monotonic() + 60.0 * options.minutes
    _warm_up(soak)
    start = _settled_footprint(soak, node)
    happened: Counter[str] = Counter()
    while time.monotonic() < end - _SETTLE_S and node.status is None:
        fault = soak.random.choice(FAULTS)
        _let_happen(fault, soak)
        happened[fault.__name__] += 1
        print(f'{end - time.monotonic():5.0f} s left, {fault.__name__}', file=sys.stderr)
    last = _settled_footprint(soak, node)
    camera.kill()
    soak.pass_time(_CALM_S)
    node.stop()
    print(_table(options, ledger, soak, happened, start, last))
    failures = _failures(ledger, node.status, node.output, start, last)
    print('\n'.join(f'FAILED: {each}' for each in failures) or 'passed')
    return 1 if failures else 0


def _warm_up(soak: Bystander) -> None:
    """Let every fault happen, and the heaviest load: what the node holds then is normal."""
    soak.pass_time(_CALM_S)
    for fault in FAULTS:
        _let_happen(fault, soak)
    for camera in CAMERAS:
        soak.camera.start(*camera)
        soak.pass_time(_CALM_S)
        for fault in (parameters_storm, node_hangs):
            _let_happen(fault, soak)


def _let_happen(fault: Any, soak: Bystander) -> None:
    fault(soak)
    soak.pass_time(_CALM_S)


def _settled_footprint(soak: Bystander, node: Process) -> Footprint:
    """Measure the node at its usual work, after it has given up the peers that are gone.

    Its queues have been full once by then, because the middleware keeps the memory of full queues.
    """
    soak.set_parameters()
    soak.camera.start()
    soak.pass_time(_CALM_S)
    node_hangs(soak)
    soak.pass_time(_SETTLE_S / 2)
    samples = []
    soak.pass_time(_SETTLE_S / 2, 1.0, lambda: samples.append(_footprint(node)))
    # Waiting images come and go: the least is what the node needs.
    return min(samples, key=lambda sample: sample.own_bytes)


def _footprint(node: Process) -> Footprint:
    """Return what the node holds now; nothing when it has ended."""
    return Footprint.of(node.pid) if node.status is None else Footprint(0, 0, 0, 0)


def _table(
    options: argparse.Namespace,
    ledger: Ledger,
    soak: Bystander,
    happened: Counter[str],
    start: Footprint,
    last: Footprint,
) -> str:
    rows = [
        ('time', f'{options.minutes:g} min, {options.rate:g} pairs/s offered'),
        ('images in', str(ledger.number('images received'))),
        ('pairs found', str(ledger.number('pairs found'))),
        ('pairs computed', str(ledger.number('pairs computed'))),
        ('outputs heard', str(soak.outputs)),
        *((f'images dropped, {reason}', str(count)) for reason, count in ledger.dropped().items()),
        ('images waiting', str(ledger.number('images waiting'))),
        ('reports, contradictory', f'{ledger.reports}, {ledger.contradictions}'),
        ('states', ', '.join(f'{name} {count}' for name, count in ledger.causes.items())),
        ('camera restarts survived', str(soak.camera.starts - 1)),
        ('faults', ', '.join(f'{name} {count}' for name, count in happened.items())),
        ('memory of its own', f'{start.own_bytes / 1e6:.1f} -> {last.own_bytes / 1e6:.1f} MB'),
        ('resident', f'{start.resident_bytes / 1e6:.1f} -> {last.resident_bytes / 1e6:.1f} MB'),
        ('descriptors', f'{start.descriptors} -> {last.descriptors}'),
        ('threads', f'{start.threads} -> {last.threads}'),
    ]
    table: str = tabulate(rows, tablefmt='plain', disable_numparse=True)
    return table


def _failures(
    ledger: Ledger, status: int | None, log: str, start: Footprint, last: Footprint
) -> list[str]:
    failures = []
    if status != 0:
        failures.append(f'the node ended with status {status}\n{log[-2000:]}')
    if 'Traceback' in log or 'internal error' in log:
        failures.append(f'the node logged an error\n{log[-4000:]}')
    if ledger.contradictions or not ledger.number('pairs computed'):
        failures.append('images neither computed nor dropped, or nothing computed at all')
    if last.own_bytes - start.own_bytes > _GROWTH_BYTES:
        failures.append('memory has grown by more than 5 MB')
    if last.threads > start.threads or last.descriptors > start.descriptors:
        failures.append('threads or descriptors have grown')
    return failures


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
