# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings: begun again, at any speed, paused, from the middle, with and without a clock."""

from __future__ import annotations

from collections.abc import Iterator
import itertools
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench, causes_of, SETTINGS
from harness import BEST_EFFORT, Graph, RELIABLE
from rig import camera_infos, messages_of, next_stamp_ns, Rig, stamp_ns_of, stamp_of
from rosgraph_msgs.msg import Clock
from scenes import plane, scene_of
from std_msgs.msg import Header

WIDTH, HEIGHT = 96, 64
# Of a second, long ago.
FRAMES = 30
START_NS, PERIOD_NS = 1_600_000_000 * 10**9, 33_333_333
RECORDING = [
    (START_NS + number * PERIOD_NS, *messages_of(scene_of(plane(WIDTH, HEIGHT, 4.0 + number % 4))))
    for number in range(FRAMES)
]


class Player:
    """Plays the recording to a node, as ``ros2 bag play`` does, as fast as it is taken."""

    def __init__(self, graph: Graph, *, clock: bool = False, **parameters: Any) -> None:
        self.graph = graph
        parameters = {**SETTINGS, 'frame_policy': 'every', **parameters}
        self.node = graph.node(use_sim_time=clock, **parameters)
        self.rig = Rig(graph, ('disparity',), infos=camera_infos(WIDTH, HEIGHT), qos=RELIABLE)
        self.heard = self.rig.heard['disparity']
        self._clock = self.rig.publisher('/clock', Clock, BEST_EFFORT) if clock else None
        graph.wait_until(lambda: self.rig.is_wanted, 'the node to subscribe')
        # Until then the first pairs would have no calibration.
        graph.wait_until(
            lambda: (
                not self.node.node.state.calibrations.missing(self.node.node.parameters.current)
            ),
            'the calibration',
            repeat=self.rig.publish_infos,
        )

    def play(self, frames: Any = RECORDING, *, at_once: int = 1) -> list[bytes]:
        """Play frames, some of them at once; return the disparities that came, in order."""
        self.heard.clear()
        frames = list(frames)
        while frames:
            batch, frames = frames[:at_once], frames[at_once:]
            expected = len(self.heard) + len(batch)
            for stamp_ns, left, right in batch:
                if self._clock is not None:
                    self._clock.publish(Clock(clock=stamp_of(stamp_ns)))
                for publisher, image in zip(self.rig.images, (left, right), strict=True):
                    image.header = Header(stamp=stamp_of(stamp_ns), frame_id='left_optical')
                    publisher.publish(image)
            self.graph.wait_until(
                lambda: len(self.heard) >= expected,  # noqa: B023
                f'{expected} disparities',
            )
        self.node.assert_adds_up()
        return [message.image.data.tobytes() for message in self.heard]

    def stamps(self) -> list[int]:
        """Return the stamps of the disparities that came, ns."""
        return [stamp_ns_of(message) for message in self.heard]


ALL_STAMPS = [stamp_ns for stamp_ns, *_ in RECORDING]


@pytest.fixture(scope='module')
def player(shared_graph: Graph) -> Iterator[Player]:
    player = Player(shared_graph)
    yield player
    assert not player.node.dropped.keys() - {'RESET'}, player.node.seen()


def test_a_recording_played_again_and_again_gives_the_same_bytes(player):
    first = player.play()
    assert player.stamps() == ALL_STAMPS
    assert len(set(first)) > 1, 'the frames of the recording differ'
    resets = player.node.node.state.pairer.resets
    for loop in range(1, 4):
        assert player.play() == first
        assert player.stamps() == ALL_STAMPS
        assert player.node.node.state.pairer.resets == resets + loop


@pytest.mark.parametrize('pairs', [1, 2, 3])
def test_a_recording_of_a_few_pairs_in_a_loop_is_computed_and_blamed_for_nothing(graph, pairs):
    """Not for stamps that repeat or images that miss; of one pair it says that it is the same."""
    bench = Bench(graph)
    stamps = [next_stamp_ns() for _ in range(pairs)]
    turns = itertools.cycle(stamps)
    heard = bench.rig.heard['disparity']
    bench.graph.wait_until(
        lambda: bench.rig.is_wanted and bench.rig.is_calibration_wanted, 'the node to subscribe'
    )
    bench.reports.clear()

    bench.graph.wait_until(
        lambda: len(heard) > 4 * pairs + 4 and len(bench.reports) > 3,
        'disparities and reports',
        repeat=lambda: bench.rig.send(bench.left, bench.right, stamp_ns=next(turns)),
        period_s=0.05,
    )

    assert {stamp_ns_of(message) for message in heard} == {*stamps}
    said = {cause for report in bench.reports for cause in causes_of(report)}
    of_one = {'pair_repeats'} if pairs == 1 else set()
    assert said - {'nobody_subscribes', 'starting'} == {'flowing', *of_one}


def test_speed_does_not_matter(player):
    slow = player.play(at_once=1)
    for at_once in (2, 5):
        assert player.play(at_once=at_once) == slow


def test_pause_and_resume(player):
    whole = player.play()
    before = player.play(RECORDING[:5])
    node = player.node.node
    player.graph.wait_until(
        lambda: node.diagnostics.findings[0].cause.name == 'no_messages', 'the pause to be told'
    )
    assert before + player.play(RECORDING[5:]) == whole


def test_a_start_in_the_middle(player):
    whole = player.play()
    assert player.play(RECORDING[7:]) == whole[7:]


def test_the_same_bytes_with_a_clock_and_after_a_reset_of_the_simulation(player, graph):
    without = player.play()
    simulated = Player(graph, clock=True)
    assert simulated.play() == without
    # The simulator begins again at 0: clock and stamps jump back by 50 years.
    again = [(stamp_ns - START_NS + PERIOD_NS, *pair) for stamp_ns, *pair in RECORDING]
    assert simulated.play(again) == without
    assert simulated.node.node.state.pairer.resets == 1


def test_a_clock_that_stands_still_stops_nothing(graph):
    player = Player(graph, clock=True)
    player._clock = None
    assert len(player.play()) == FRAMES


def test_a_recording_that_loops_under_load_recovers_at_once(graph):
    bench = Bench(graph, frame_policy='latest')
    bench.wait_for_health()
    for _ in range(3):
        bench.rig.heard['disparity'].clear()
        for stamp_ns in ALL_STAMPS:
            bench.rig.send(bench.left, bench.right, stamp_ns=stamp_ns)
        graph.wait_until(
            lambda: ALL_STAMPS[-1] in map(stamp_ns_of, bench.rig.heard['disparity']),
            'the last pair of the recording',
        )
    bench.node.assert_adds_up()
