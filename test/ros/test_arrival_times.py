# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps that are not what they seem: the running node knows it from when images arrive."""

from __future__ import annotations

from collections.abc import Callable
import random
import time

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench
from harness import Graph

PERIOD_S = 0.05
# Of what the camera sends.
_RESOLUTION_S = 0.01
NS_PER_S = 1_000_000_000


class LiveCamera:
    """Sends the pairs of a bench at a steady rate, stamped by the clock of this machine.

    Parameters
    ----------
    bench : Bench
        Whose images it sends.
    period_s : float
        Seconds between two pairs.
    delay_s : callable
        Returns how much later than the left image the right one is sent.
    ahead_s : float
        How far the stamps are ahead of the clock.

    Attributes
    ----------
    longest_ms : float
        Longest time from the moment when a left image was due to be sent until its right one was.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        period_s: float = PERIOD_S,
        delay_s: Callable[[], float] = lambda: 0.0,
        ahead_s: float = 0.0,
    ) -> None:
        self._bench, self._period_s, self._delay_s, self._ahead_s = (
            bench,
            period_s,
            delay_s,
            ahead_s,
        )
        self._late: list[tuple[float, int, float]] = []
        self.longest_ms = 0.0
        self._due = time.monotonic()
        bench.sends = lambda: None
        bench.rig.node.create_timer(_RESOLUTION_S, self._send)

    def _send(self) -> None:
        bench, now = self._bench, time.monotonic()
        if now >= self._due:
            self._due += self._period_s
            stamp_ns = time.time_ns() + round(self._ahead_s * NS_PER_S)
            bench.rig.publish_infos()
            bench.rig.send_image(0, bench.left, stamp_ns)
            self._late.append((now + self._delay_s(), stamp_ns, now))
        while self._late and self._late[0][0] <= now:
            _, stamp_ns, sent = self._late.pop(0)
            bench.rig.send_image(1, bench.right, stamp_ns)
            self.longest_ms = max(self.longest_ms, 1e3 * (time.monotonic() - sent))


def test_stamps_agree_and_moments_do_not(graph: Graph):
    bench = Bench(graph, process=True)
    # Slow enough that what a busy machine adds is little of a period.
    camera = LiveCamera(bench, period_s=0.1, delay_s=lambda: 0.3)
    text, _ = bench.wait_for('moments_differ')
    # Three periods; more where the machine is busy. On their way images spend some ms.
    lag_ms = int(text.split('right images come ')[1].split(' ms')[0])
    assert 270 <= lag_ms <= camera.longest_ms + 30
    assert 'after the left ones of the same stamp' in text
    assert bench.level == b'\1'
    bench.assert_adds_up()


def test_a_slow_network_is_no_difference_of_moments(graph: Graph):
    """Images of one side come 0 to 0.4 s late, 4 periods on average, in order."""
    chance = random.Random(0)
    bench = Bench(graph, process=True)
    LiveCamera(bench, delay_s=lambda: chance.uniform(0.0, 8.0 * PERIOD_S))
    bench.wait_for('flowing')
    # Sent since "flowing" was told; what was there before is of the same camera.
    bench.graph.wait_until(lambda: 'right arrives after left' in bench.values, 'enough pairs')
    assert 'moments_differ' not in bench.explain()[1]


@pytest.mark.parametrize(
    ('ahead_s', 'words'),
    [(37.0, 'TAI'), (3600.0, 'local time'), (2128.0 - time.time(), 'uptime')],
    ids=['TAI', 'local time', 'uptime'],
)
def test_stamps_of_another_clock(graph: Graph, ahead_s: float, words: str):
    bench = Bench(graph, process=True)
    LiveCamera(bench, ahead_s=ahead_s)
    text, _ = bench.wait_for('clock_foreign')
    assert words in text
    assert '\n  latency: ' not in text
    bench.assert_adds_up()


def test_a_camera_with_the_right_clock_has_a_latency(graph: Graph):
    bench = Bench(graph, process=True)
    LiveCamera(bench)
    bench.wait_for_health()
    bench.graph.wait_until(lambda: 'right arrives after left' in bench.values, 'enough pairs')
    assert 'clock_foreign' not in bench.causes
    assert 0.0 < float(bench.values['latency'].split()[0]) < 10_000.0
