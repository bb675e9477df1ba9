# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Advice on what comes in: topics, QoS, stamps, rates, and how the node was started."""

from __future__ import annotations

import itertools
import re
import time

from advice import of, Scenario, TOPICS
from bench import DISPARITY, HEIGHT, WIDTH
from harness import BEST_EFFORT
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rig import compressed_message, next_stamp_ns
from scenes import plane, scene_of
from sensor_msgs.msg import CompressedImage, Image
from stereo_msgs.msg import DisparityImage


@of('flowing')
class AllIsWell(Scenario):
    """There is nothing to do."""


@of('nobody_subscribes')
class NobodySubscribes(Scenario):
    def breaks(self) -> None:
        self.rig.stop_listening('disparity')

    def obeys(self, said: str) -> None:
        (first,) = re.findall(r'nobody subscribes to ([\w/]+),', said)
        self.rig.listen(first, DisparityImage)


@of('starting')
class Starting(Scenario):
    def breaks(self) -> None:
        self.sends(lambda: None)
        self.rig.stop_listening('disparity')
        self.bench.wait_for('nobody_subscribes')
        self.rig.listen('disparity', DisparityImage)

    def obeys(self, said: str) -> None:
        assert 'waiting for the first pair' in said
        self.bench.restore()


@of('incompatible_subscriber')
class SubscriberWantsTransientLocal(Scenario):
    def breaks(self) -> None:
        durable = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
        self.rig.stop_listening('disparity')
        self.rig.listen('disparity', DisparityImage, durable)

    def obeys(self, said: str) -> None:
        assert '(volatile publisher and transient local subscription)' in said
        self.starts_as_told(said)

    def ends(self) -> None:
        self.rig.stop_listening('disparity')
        self.rig.listen('disparity', DisparityImage)
        super().ends()


class OtherCameras(Scenario):
    """The images come elsewhere or otherwise, and the cameras stay as they are."""

    topics, image_type, qos = TOPICS, Image, BEST_EFFORT

    def breaks(self) -> None:
        self.replaces_cameras(self.topics, self.image_type, self.qos)

    def ends(self) -> None:
        self.replaces_cameras(('left/image_rect', 'right/image_rect'), Image, BEST_EFFORT)
        super().ends()


@of('no_publisher')
class OtherTopics(OtherCameras):
    topics = ('/cam/left/image_raw', '/cam/right/image_raw')

    def obeys(self, said: str) -> None:
        (hint,) = re.findall(r'of that type there are (.*)$', said)
        remaps = zip(TOPICS, hint.split(' and '), strict=True)
        self.starts(*(part for old, new in remaps for part in ('-r', f'{old}:={new}')))


@of('wrong_type')
class CompressedOnTheRawTopic(OtherCameras):
    image_type = CompressedImage

    def breaks(self) -> None:
        super().breaks()
        scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        self.bench.left, self.bench.right = map(compressed_message, (scene.left, scene.right))

    def obeys(self, said: str) -> None:
        (arguments,) = re.findall(r'--ros-args (.*?), and so for the other camera', said)
        self.starts(*arguments.split(), '-r', f'{TOPICS[1]}/compressed:={TOPICS[1]}')


@of('incompatible_qos')
class ReliableIsAskedFor(OtherCameras):
    def breaks(self) -> None:
        key = 'qos_overrides.{}.subscription.reliability'.format
        self.starts(**{key(topic): 'reliable' for topic in TOPICS})

    def obeys(self, said: str) -> None:
        arguments = re.findall(r'--ros-args (.*?), or', said)
        self.starts(*arguments[0].split())  # the other override is no longer given


@of('one_side_only')
class OneCameraHangs(Scenario):
    def breaks(self) -> None:
        self.sends(lambda: self.send_one(1))

    def obeys(self, said: str) -> None:
        assert said.endswith('check the left camera')
        self.bench.restore()


@of('no_messages')
class PausedPlayback(Scenario):
    def breaks(self) -> None:
        self.sends(lambda: None)

    def obeys(self, said: str) -> None:
        assert 'resume the playback' in said
        self.bench.restore()


@of('stamps_zero')
class NoStamps(Scenario):
    def breaks(self) -> None:
        bench = self.bench
        self.sends(lambda: self.rig.send(bench.left, bench.right, stamp_ns=0))


@of('stamps_repeat')
class StuckStamp(Scenario):
    def breaks(self) -> None:
        bench, stuck = self.bench, next_stamp_ns()
        self.sends(lambda: self.rig.send(bench.left, bench.right, stamp_ns=stuck))


@of('stamps_backward')
class ClockSetBackAgainAndAgain(Scenario):
    def breaks(self) -> None:
        bench = self.bench
        stamps = (next_stamp_ns() + 10**12 - 50_000_000 * n for n in itertools.count(0, 4))
        self.sends(lambda: self.rig.send(bench.left, bench.right, stamp_ns=next(stamps)))


@of('clocks_differ')
class TwoClocks(Scenario):
    def breaks(self) -> None:
        self.bench.right_later_ns = 3_000_000_000


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
            for stamp_ns in [next_stamp_ns() for _ in range(3)]:
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
        self.bench.restore()


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
        self.bench.restore()


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
                next_stamp_ns()
            self.bench.send()

        self.sends(send)

    def obeys(self, said: str) -> None:
        assert 'start the cameras with the environment of this node' in said
        self.bench.restore()


@of('images_unpaired')
class CamerasOfTwoRates(Scenario):
    def breaks(self) -> None:
        def send() -> None:
            self.bench.send()
            self.send_one(0)

        self.sends(send)

    def obeys(self, said: str) -> None:
        assert 'run both cameras at one rate' in said
        self.bench.restore()


@of('several_publishers')
class TwoDrivers(Scenario):
    def breaks(self) -> None:
        self._second = self.other('second_driver')
        self._second.publisher(TOPICS[0], Image)

    def obeys(self, said: str) -> None:
        assert '/second_driver' in said
        assert 'stop all but one' in said
        self.stops(self._second)


@of('shared_output')
class TwoNodes(Scenario):
    def breaks(self) -> None:
        self._second = self.other('depth_b')
        self._second.publisher('/disparity', DisparityImage)

    def obeys(self, said: str) -> None:
        assert 'start each node in a namespace of its own' in said
        self.stops(self._second)
        self.other('depth_b').publisher('/b/disparity', DisparityImage)


@of('no_clock')
class NoSimulator(Scenario):
    def breaks(self) -> None:
        self.starts(use_sim_time=True)

    def obeys(self, said: str) -> None:
        assert 'or set use_sim_time to false' in said
        (result,) = self.rig.set_parameters(use_sim_time=False)
        assert result.successful


@of('parameter_refused')
class ImpossibleStartValue(Scenario):
    def breaks(self) -> None:
        self.starts(block_size=14)

    def obeys(self, said: str) -> None:
        (value,) = re.findall(r'block_size is 14 px: .* set it to (\d+) or', said)
        self.set(block_size=int(value))


@of('parameter_ignored')
class MisspeltParameter(Scenario):
    def breaks(self) -> None:
        self.starts(num_disparity=32)

    def obeys(self, said: str) -> None:
        (name,) = re.findall(r'did you mean (\w+)\?', said)
        self.starts(**{name: 32})


@of('frame_ids_differ')
class TwoFrames(Scenario):
    def breaks(self) -> None:
        def send() -> None:
            stamp_ns = next_stamp_ns()
            self.rig.publish_infos()
            self.rig.send_image(0, self.bench.left, stamp_ns, 'left_optical')
            self.rig.send_image(1, self.bench.right, stamp_ns, 'right_optical')

        self.sends(send)
