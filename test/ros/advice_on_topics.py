# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Advice on who sends and who listens: topics, QoS, names, and how the node was started."""

from __future__ import annotations

import itertools
import re

from advice import of, Scenario, TOPICS
from bench import DISPARITY, HEIGHT, WIDTH
from harness import BEST_EFFORT
import numpy as np
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rig import compressed_message, FRAME, image_message, stamp_of
from scenes import plane, scene_of
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
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
        self.other('viewer').listen(first, DisparityImage)

    def ends(self) -> None:
        self.rig.listen('disparity', DisparityImage)
        super().ends()


@of('starting')
class CamerasThatStartLate(Scenario):
    """It is said for two seconds only: until it is read, the output is asked for again."""

    words = 'waiting for the first pair'

    def breaks(self) -> None:
        turns = itertools.count()

        def ask_anew() -> None:
            turn = next(turns) % 20
            if turn == 0:
                self.rig.listen('disparity', DisparityImage)
            elif turn == 15:
                self.rig.stop_listening('disparity')

        self.sends(lambda: None)
        self.rig.stop_listening('disparity')
        self.bench.wait_for('nobody_subscribes')
        self.sends(ask_anew)

    def obeys(self, said: str) -> None:
        self.sends(self.bench.send)


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


@of('incompatible_subscriber')
class SubscriberOfAnotherType(Scenario):
    def breaks(self) -> None:
        self.rig.stop_listening('disparity')
        self._viewer = self.other('viewer')
        self._viewer.listen('disparity', Image)

    def obeys(self, said: str) -> None:
        (other,) = re.findall(r', or to ([\w/]+),.* instead$', said)
        self._viewer.stop_listening('disparity')
        self._viewer.listen(other, Image)

    def ends(self) -> None:
        self.rig.listen('disparity', DisparityImage)
        super().ends()


class OtherCameras(Scenario):
    """The images come elsewhere or otherwise, and the cameras stay as they are."""

    topics: tuple[str, ...] = TOPICS
    image_type, qos = Image, BEST_EFFORT

    def breaks(self) -> None:
        self.replaces_cameras(self.topics, self.image_type, self.qos)

    def ends(self) -> None:
        self.replaces_cameras(('left/image_rect', 'right/image_rect'), Image, BEST_EFFORT)
        super().ends()


@of('no_publisher')
class OtherTopics(OtherCameras):
    """The images of another node of this kind are no cameras, and are not offered as such."""

    words = 'of that type there are /cam/left/image_raw and /cam/right/image_raw'
    topics = ('/cam/left/image_raw', '/cam/right/image_raw')

    def breaks(self) -> None:
        other = self.other('depth_b')
        other.publisher('/b/disparity', DisparityImage)
        for output in ('depth/image_rect', 'disparity/image_color', 'image_rect'):
            other.publisher(f'/b/{output}', Image)
        super().breaks()

    def obeys(self, said: str) -> None:
        (hint,) = re.findall(r'of that type there are (.*)$', said)
        remaps = zip(TOPICS, hint.split(' and '), strict=True)
        self.starts(*(part for old, new in remaps for part in ('-r', f'{old}:={new}')))


@of('no_publisher')
class OneTopicWithBothImages(OtherCameras):
    words = 'if it holds both images: set stereo_layout'
    topics = ('/usb/image_raw',)

    def breaks(self) -> None:
        super().breaks()
        pair = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        both = image_message(np.hstack([pair.left, pair.right]))

        def send() -> None:
            self.rig.publish_infos()
            self.rig.send_image(0, both, self.rig.next_stamp_ns())

        self.sends(send)

    def obeys(self, said: str) -> None:
        (camera, layout, topic) = re.findall(
            r'there are (\S+), .* set stereo_layout to (\w+) or .* remap (\S+) to it', said
        )[0]
        self.starts('-p', f'stereo_layout:={layout}', '-r', f'{topic}:={camera}')


@of('wrong_type')
class CompressedOnTheRawTopic(OtherCameras):
    words = f'{TOPICS[0]} carries'  # the right one may be discovered first
    image_type = CompressedImage

    def breaks(self) -> None:
        super().breaks()
        scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        self.bench.left, self.bench.right = map(compressed_message, (scene.left, scene.right))

    def obeys(self, said: str) -> None:
        (arguments,) = re.findall(r'--ros-args (.*?), and so for the other camera', said)
        self.starts(*arguments.split(), '-r', f'{TOPICS[1]}/compressed:={TOPICS[1]}')


class CompressedTopicsOfADriver(OtherCameras):
    """Its topics end in /compressed, and are given to the node as they are."""

    topics = ('/cam/left/image_raw/compressed', '/cam/right/image_raw/compressed')
    image_type = CompressedImage
    transport = 'raw'

    def breaks(self) -> None:
        super().breaks()
        scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        self.bench.left, self.bench.right = map(compressed_message, (scene.left, scene.right))
        self.remaps(*self.topics, image_transport=self.transport)

    def remaps(self, left: str, right: str, **parameters: str) -> None:
        arguments = ('-r', f'left/image_rect:={left}', '-r', f'right/image_rect:={right}')
        self.starts(*arguments, **parameters)


@of('wrong_type')
class CompressedTopicsAsRawOnes(CompressedTopicsOfADriver):
    words = f'{CompressedTopicsOfADriver.topics[0]} carries'

    def obeys(self, said: str) -> None:
        ((transport, raw),) = re.findall(
            r'-p image_transport:=(\w+) -r left/image_rect:=(\S+), and so for the other', said
        )
        self.remaps(raw, raw.replace('left', 'right'), image_transport=transport)


@of('no_publisher')
class CompressedTopicsWithTheirEnd(CompressedTopicsOfADriver):
    words = 'remap to /cam/left/image_raw) and /cam/right'
    transport = 'compressed'

    def obeys(self, said: str) -> None:
        self.remaps(*re.findall(r'remap to (\S+)\)', said), image_transport=self.transport)


@of('incompatible_qos')
class ReliableIsAskedFor(OtherCameras):
    def breaks(self) -> None:
        key = 'qos_overrides.{}.subscription.reliability'.format
        self.starts(**{key(topic): 'reliable' for topic in TOPICS})

    def obeys(self, said: str) -> None:
        arguments = re.findall(r'--ros-args (.*?), or', said)
        self.starts(*arguments[0].split())  # the other override is no longer given


@of('wrong_layout')
class BothImagesOnEachTopic(Scenario):
    def breaks(self) -> None:
        pair = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        both = image_message(np.hstack([pair.left, pair.right]))
        self.bench.left = self.bench.right = both

    def obeys(self, said: str) -> None:
        ((layout, topic),) = re.findall(r'set stereo_layout to (\w+) and remap (\S+) to', said)
        remap = f'{topic}:={TOPICS[0]}'
        self.starts('-p', f'stereo_layout:={layout}', '-r', remap)


@of('wrong_layout')
class OneImageTakenForTwo(Scenario):
    def breaks(self) -> None:
        other = self.other('both')
        publisher = other.publisher('/stereo/image_raw', Image)
        self.set(stereo_layout='top_bottom')

        def send() -> None:
            self.bench.left.header = Header(
                stamp=stamp_of(self.rig.next_stamp_ns()), frame_id=FRAME
            )
            publisher.publish(self.bench.left)
            self.bench.send()

        self.sends(send)

    def obeys(self, said: str) -> None:
        (layout,) = re.findall(r'set stereo_layout to (\w+) if', said)
        self.set(stereo_layout=layout)


@of('one_side_only')
class OneCameraHangs(Scenario):
    def breaks(self) -> None:
        self.sends(lambda: self.send_one(1))

    def obeys(self, said: str) -> None:
        assert said.endswith('check the left camera')
        self.sends(self.bench.send)


@of('no_messages')
class PausedPlayback(Scenario):
    def breaks(self) -> None:
        self.sends(lambda: None)

    def obeys(self, said: str) -> None:
        assert 'resume the playback' in said
        self.sends(self.bench.send)


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
            stamp_ns = self.rig.next_stamp_ns()
            self.rig.publish_infos()
            self.rig.send_image(0, self.bench.left, stamp_ns, 'left_optical')
            self.rig.send_image(1, self.bench.right, stamp_ns, 'right_optical')

        self.sends(send)

    def obeys(self, said: str) -> None:
        assert 'outputs use the left one' in said
        self.sends(self.bench.send)  # with one frame
