# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Advice on when images come: stamps, clocks, rates, and what is lost or skipped."""

from __future__ import annotations

import itertools
import re
import time

from advice import of, Scenario
from scenes import plane, scene_of


@of('stamps_zero')
class NoStamps(Scenario):
    def breaks(self) -> None:
        bench = self.bench
        self.sends(lambda: self.rig.send(bench.left, bench.right, stamp_ns=0))

    def obeys(self, said: str) -> None:
        assert 'have the driver stamp each image with the time of capture' in said
        self.sends(self.bench.send)


@of('stamps_repeat')
class StuckStamp(Scenario):
    def breaks(self) -> None:
        stuck = self.rig.next_stamp_ns()
        self.sends(lambda: self.bench.send_stuck(stuck))

    def obeys(self, said: str) -> None:
        assert 'have the driver stamp each image with its own time of capture' in said
        self.sends(self.bench.send)


@of('pair_repeats')
class CameraThatHangs(Scenario):
    """Its driver sends the last image again."""

    def breaks(self) -> None:
        bench, last = self.bench, self.rig.next_stamp_ns()
        self.sends(lambda: self.rig.send(bench.left, bench.right, stamp_ns=last))

    def obeys(self, said: str) -> None:
        assert 'a camera hangs (/left/image_rect is published by /rig' in said
        assert 'start its driver anew' in said
        self.sends(self.bench.send)


@of('stamps_backward')
class ClockSetBackAgainAndAgain(Scenario):
    def breaks(self) -> None:
        bench = self.bench
        stamps = itertools.count(self.rig.next_stamp_ns() + 10**12, -100_000_000)
        self.sends(lambda: self.rig.send(bench.left, bench.right, stamp_ns=next(stamps)))

    def obeys(self, said: str) -> None:
        assert 'a clock that is set again and again' in said
        self.sends(self.bench.send)


@of('clocks_differ')
class TwoClocks(Scenario):
    def breaks(self) -> None:
        self.bench.right_later_ns = 3_000_000_000

    def obeys(self, said: str) -> None:
        assert 'set both cameras to one clock' in said
        self.bench.right_later_ns = 0


@of('stamps_apart')
class ShuttersApart(Scenario):
    def breaks(self) -> None:
        self.bench.right_later_ns = 33_100_000

    def obeys(self, said: str) -> None:
        self.sets(said, 'sync_tolerance')


@of('queue_too_short')
class SlowSide(Scenario):
    def breaks(self) -> None:
        waiting: list[int] = []

        def send() -> None:
            self.rig.publish_infos()
            for stamp_ns in [self.rig.next_stamp_ns() for _ in range(3)]:
                self.send_one(0, stamp_ns)
                waiting.append(stamp_ns)
            while len(waiting) > 15:
                self.send_one(1, waiting.pop(0))

        self.sends(send)

    def obeys(self, said: str) -> None:
        self.sets(said, 'queue_size')


@of('no_pairs')
class TwoImagesOfEachCamera(Scenario):
    """Too few to say by how much the stamps differ."""

    def breaks(self) -> None:
        self.starts()
        self.bench.right_later_ns = 1_000_000_000
        turns = itertools.count()
        # Every two and a half seconds.
        self.sends(lambda: None if next(turns) % 12 else self.bench.send())

    def obeys(self, said: str) -> None:
        assert 'compare the stamps of both cameras' in said
        self.bench.right_later_ns = 0


@of('overloaded')
class TooManyPixels(Scenario):
    """One pair takes longer than the next one takes to come, on any machine."""

    words = 'set algorithm to bm, set downscale to 2 or reduce num_disparities (256)'

    def breaks(self) -> None:
        self.starts(algorithm='sgbm_hh', num_disparities=256)
        self.shows(scene_of(plane(640, 480, 20.0)))

    def obeys(self, said: str) -> None:
        self.set(algorithm='bm', downscale=2, num_disparities=64)


@of('overloaded')
class Bursts(Scenario):
    """The node has time enough, but three pairs come at once."""

    words = 'set frame_policy to'

    def breaks(self) -> None:
        self.sends(lambda: [self.bench.send() for _ in range(3)])

    def obeys(self, said: str) -> None:
        (policy,) = re.findall(r'set frame_policy to (\w+)', said)
        self.set(frame_policy=policy)


@of('moments_differ')
class OneDriverKeepsImagesBack(Scenario):
    def breaks(self) -> None:
        kept: list[int] = []

        def send() -> None:
            self.rig.publish_infos()
            kept.append(time.time_ns())
            self.send_one(0, kept[-1])
            if len(kept) > 3:
                self.send_one(1, kept.pop(0))

        self.sends(send)

    def obeys(self, said: str) -> None:
        assert 'the right images come' in said
        assert 'look for a driver that keeps images back' in said
        self.sends(self.bench.send)


@of('clock_foreign')
class StampsOfPtp(Scenario):
    lead_ns = 37_000_000_000

    def breaks(self) -> None:
        bench = self.bench
        self.sends(
            lambda: self.rig.send(bench.left, bench.right, stamp_ns=time.time_ns() + self.lead_ns)
        )

    def obeys(self, said: str) -> None:
        (seconds,) = re.findall(r'TAI, as PTP has it \((\d+) s ahead of UTC\): convert', said)
        self.lead_ns -= int(seconds) * 10**9


@of('images_lost')
class CamerasWithoutTheProfile(Scenario):
    """Every third image gets lost between the processes; the node has the profile."""

    def breaks(self) -> None:
        frames = itertools.count()

        def send() -> None:
            if next(frames) % 3 == 2:
                self.rig.next_stamp_ns()
            self.bench.send()

        self.sends(send)

    def obeys(self, said: str) -> None:
        assert 'start the cameras with the environment of this node' in said
        self.sends(self.bench.send)


@of('images_unpaired')
class CamerasOfTwoRates(Scenario):
    def breaks(self) -> None:
        def send() -> None:
            self.bench.send()
            self.send_one(0)

        self.sends(send)

    def obeys(self, said: str) -> None:
        assert 'run both cameras at one rate' in said
        self.sends(self.bench.send)


@of('no_clock')
class NoSimulator(Scenario):
    def breaks(self) -> None:
        self.starts(use_sim_time=True)

    def obeys(self, said: str) -> None:
        assert 'or set use_sim_time to false' in said
        (result,) = self.rig.set_parameters(use_sim_time=False)
        assert result.successful
