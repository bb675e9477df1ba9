# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the node at full load with random faults and prints what came of it.

It fails when the node ended, when images are neither computed nor counted as dropped, when an
internal error was logged, or when the node holds more than it did after the warm-up, in which
every fault happens, and the highest load with every camera.
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

from benchmarks.soak_faults import Bystander, CAMERAS, FAULTS, node_hangs, parameters_storm
from benchmarks.soak_processes import Camera, Footprint, NodeUnderTest, SharedMemory
from stereo_depth_node.environment import fast_dds_environment

__all__ = ['main']

_GROWTH_BYTES = 5e6
_CALM_S = 4.0
# Long enough that Fast DDS has given up the peers that were killed (20 s lease).
_SETTLE_S = 30.0
_DROPPED = 'images dropped, '


class Ledger:
    """What the node reports of itself.

    Attributes
    ----------
    values : dict of str to str
        Of the last report.
    reports, contradictions : int
        Reports that came; those whose images do not add up.
    causes : Counter of str
        Reports by the state they tell.
    """

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.reports = self.contradictions = 0
        self.causes: Counter[str] = Counter()

    def take(self, array: Any) -> None:
        """Take a report."""
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
    """Run a soak; return 0 when the node stood it."""
    parser = argparse.ArgumentParser(prog='scripts/soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=10.0, help='how long (default: 10)')
    parser.add_argument('--rate', type=float, default=60.0, help='pairs per second (default: 60)')
    parser.add_argument('--seed', type=int, default=1, help='of the faults (default: 1)')
    parser.add_argument('--domain', type=int, default=os.getpid() % 100 + 1, help='ROS_DOMAIN_ID')
    options = parser.parse_args(arguments)
    os.environ['ROS_DOMAIN_ID'] = str(options.domain)
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    os.environ.update(fast_dds_environment(os.environ))
    with tempfile.TemporaryDirectory() as folder:
        return _soak(options, Path(folder, 'node.log'))


def _soak(options: argparse.Namespace, log: Path) -> int:
    memory = SharedMemory()
    rclpy.init()
    ledger, camera = Ledger(), Camera(options.rate)
    node = NodeUnderTest(log, ['--ros-args', '-p', 'matcher_backend:=opencv'])
    try:
        soak = Bystander(ledger.take, options.seed, camera, node)
        camera.start()
        end = time.monotonic() + 60.0 * options.minutes
        _warm_up(soak)
        start = _settled_footprint(soak, node)
        happened: Counter[str] = Counter()
        while time.monotonic() < end - _SETTLE_S and node.is_running:
            fault = soak.random.choice(FAULTS)
            _let_happen(fault, soak)
            happened[fault.__name__] += 1
            print(f'{end - time.monotonic():5.0f} s left, {fault.__name__}', file=sys.stderr)
        last = _settled_footprint(soak, node)
        camera.kill()
        soak.pass_time(_CALM_S)
    finally:
        camera.kill()
        code = node.stop()
    print(_table(options, ledger, soak, happened, start, last))
    failures = _failures(ledger, code, node.words(), start, last)
    print('\n'.join(f'FAILED: {each}' for each in failures) or 'passed')
    rclpy.try_shutdown()
    memory.clean()
    return 1 if failures else 0


def _warm_up(soak: Bystander) -> None:
    """Let every fault happen, and the heaviest load that may come: what is kept then is normal."""
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


def _settled_footprint(soak: Bystander, node: NodeUnderTest) -> Footprint:
    """Return what the node holds at usual work, when it has forgotten who has gone.

    Once its queues have been full: the middleware keeps the room that they have had.
    """
    soak.set_parameters()
    soak.camera.start()
    soak.pass_time(_CALM_S)
    node_hangs(soak)
    soak.pass_time(_SETTLE_S / 2)
    samples = []
    soak.pass_time(_SETTLE_S / 2, 1.0, lambda: samples.append(node.footprint()))
    # Images that wait come and go: the least is what the node cannot do without.
    return min(samples, key=lambda sample: sample.own_bytes)


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
        ('states told', ', '.join(f'{name} {count}' for name, count in ledger.causes.items())),
        ('camera restarts survived', str(soak.camera.starts - 1)),
        ('faults', ', '.join(f'{name} {count}' for name, count in happened.items())),
        ('memory of its own', f'{start.own_bytes / 1e6:.1f} -> {last.own_bytes / 1e6:.1f} MB'),
        ('resident', f'{start.resident_bytes / 1e6:.1f} -> {last.resident_bytes / 1e6:.1f} MB'),
        ('descriptors', f'{start.descriptors} -> {last.descriptors}'),
        ('threads', f'{start.threads} -> {last.threads}'),
    ]
    width = max(len(name) for name, _ in rows)
    return '\n'.join(f'{name.ljust(width)}  {value}' for name, value in rows)


def _failures(
    ledger: Ledger, code: int, words: str, start: Footprint, last: Footprint
) -> list[str]:
    failures = []
    if code != 0:
        failures.append(f'the node ended with code {code}\n{words[-2000:]}')
    if 'Traceback' in words or 'internal error' in words:
        failures.append(f'the node logged an error\n{words[-4000:]}')
    if ledger.contradictions or not ledger.number('pairs computed'):
        failures.append('images neither computed nor dropped, or nothing computed at all')
    if last.own_bytes - start.own_bytes > _GROWTH_BYTES:
        failures.append('memory has grown by more than 5 MB')
    if last.threads > start.threads or last.descriptors > start.descriptors:
        failures.append('threads or descriptors have grown')
    return failures


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
