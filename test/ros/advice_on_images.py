# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Advice on images, on what they show, and on the depth that comes of them."""

from __future__ import annotations

from pathlib import Path
import re
import resource

from advice import of, Scenario, TOPICS
from bench import DISPARITY, HEIGHT, WIDTH
import cv2
import numpy as np
import pytest
from rig import image_message
from scenes import plane, scene_of, tilted_plane


@of('sizes_differ')
class CroppedRightImage(Scenario):
    def breaks(self) -> None:
        self._whole = self.bench.right
        self.bench.right = image_message(np.zeros((HEIGHT, WIDTH - 8), np.uint8))

    def obeys(self, said: str) -> None:
        assert 'the right one 88x64: set both cameras to one size' in said
        self.bench.right = self._whole


@of('unsupported_encoding')
class ThermalCamera(Scenario):
    def breaks(self) -> None:
        self.bench.left.encoding = 'thermal_77'

    def obeys(self, said: str) -> None:
        assert 'nv12' in said
        assert 'publish one of them, best mono8' in said
        self.bench.left.encoding = 'mono8'


@of('data_length')
class CutData(Scenario):
    def breaks(self) -> None:
        self._whole = self.bench.left.data
        self.bench.left.data = self._whole[:-1]

    def obeys(self, said: str) -> None:
        assert 'the image was cut short, or its header is wrong' in said
        self.bench.left.data = self._whole


@of('unusable_image')
class EncodingsThatDiffer(Scenario):
    def breaks(self) -> None:
        self._grey = self.bench.right
        self.bench.right = image_message(np.zeros((HEIGHT, WIDTH), np.uint8), 'mono16')

    def obeys(self, said: str) -> None:
        assert 'set both cameras to the same encoding, 8 or 16 bits' in said
        self.bench.right = self._grey


@of('impossible_settings')
class RangeWiderThanTheImages(Scenario):
    def breaks(self) -> None:
        self.starts(num_disparities=96)

    def obeys(self, said: str) -> None:
        assert 'reduce num_disparities' in said
        self.set(num_disparities=16)


@of('same_topic')
class BothInputsOnOneTopic(Scenario):
    def breaks(self) -> None:
        self.starts('-r', f'{TOPICS[1]}:={TOPICS[0]}')

    def obeys(self, said: str) -> None:
        assert 'remap one of them' in said
        self.starts()


@of('identical_images')
class OneCameraTwice(Scenario):
    def breaks(self) -> None:
        self._right = self.bench.right
        self.bench.right = self.bench.left

    def obeys(self, said: str) -> None:
        assert 'have the driver publish the other camera' in said
        self.bench.right = self._right


@of('few_points')
class CamerasThatLookElsewhere(Scenario):
    def breaks(self) -> None:
        self._scene = scene_of(plane(320, 240, 10.0))
        self.shows(self._scene)
        self.bench.right = image_message(scene_of(plane(320, 240, 10.0), seed=7).right)

    def obeys(self, said: str) -> None:
        assert 'check that both show one scene at one time' in said
        self.shows(self._scene)


@of('image_frozen')
class DriverThatHangs(Scenario):
    """The left camera goes on, its noise shows in a pixel that is looked at."""

    def breaks(self) -> None:
        def send() -> None:
            self.bench.left.data[0] = (self.bench.left.data[0] + 1) % 256
            self.bench.send()

        self.sends(send)

    def obeys(self, said: str) -> None:
        assert 'the right image is the same again and again' in said
        self.sends(self.bench.send)


@of('uniform_image')
class LensCap(Scenario):
    def breaks(self) -> None:
        self._uncovered = self.bench.left
        self.bench.left = image_message(np.zeros((HEIGHT, WIDTH), np.uint8))

    def obeys(self, said: str) -> None:
        assert 'the left image shows nothing' in said
        assert 'take off the lens cap' in said
        self.bench.left = self._uncovered


@of('range_misses_scene')
class SceneBeforeTheRange(Scenario):
    def breaks(self) -> None:
        self.starts()
        self.shows(scene_of(plane(320, 240, 30.0)))

    def obeys(self, said: str) -> None:
        self.sets(said, 'min_disparity', 'num_disparities')


@of('empty_depth')
class WallWithoutTexture(Scenario):
    """It gets darker downwards, which both cameras see, and a match for no column."""

    def breaks(self) -> None:
        rows = np.arange(HEIGHT, dtype=np.uint8)[:, None]
        walls = (np.broadcast_to(rows * 2 + dark, (HEIGHT, WIDTH)) for dark in (0, 1))
        self.bench.left, self.bench.right = (
            image_message(wall.astype(np.uint8)) for wall in walls
        )

    def obeys(self, said: str) -> None:
        assert 'light and focus the scene, check that both cameras see it' in said
        self.shows(scene_of(plane(WIDTH, HEIGHT, DISPARITY)))


@of('scene_too_near')
class SceneTooNear(Scenario):
    def breaks(self) -> None:
        self.starts()
        self.shows(scene_of(tilted_plane(320, 240, 4.0, 26.0)))

    def obeys(self, said: str) -> None:
        self.sets(said, 'num_disparities')


@of('scene_too_far')
class SceneTooFar(Scenario):
    def breaks(self) -> None:
        self.starts(min_disparity=12)
        self.shows(scene_of(tilted_plane(320, 240, 4.0, 26.0)))

    def obeys(self, said: str) -> None:
        self.sets(said, 'min_disparity')


@of('search_too_wide')
class SearchTooWide(Scenario):
    def breaks(self) -> None:
        self.starts(num_disparities=64)

    def obeys(self, said: str) -> None:
        self.sets(said, 'num_disparities')


@of('out_of_memory')
class LittleMemory(Scenario):
    """Semi-global matching over the whole image takes 1280 * 720 * 128 * 2 bytes, 225 MiB."""

    def breaks(self) -> None:
        if cv2.__version__.startswith('4.5.4'):
            pytest.skip('this OpenCV ends the process when it gets no memory')
        self.starts(matcher_backend='opencv', num_disparities=128)
        self.shows(scene_of(plane(1280, 720, DISPARITY)))
        self.bench.wait_for('flowing')
        pid = self.bench.node.pid
        status = Path(f'/proc/{pid}/status').read_text()
        most = int(status.partition('VmSize:')[2].split()[0]) * 1024 + (100 << 20)
        resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
        self.set(algorithm='sgbm_hh')

    def obeys(self, said: str) -> None:
        assert 'internal error' not in self.bench.node.output
        (algorithm,) = re.findall(r'set downscale to 2 or algorithm to (\w+)', said)
        self.set(algorithm=algorithm)


@of('frame_id_empty')
class DriverWithoutFrames(Scenario):
    frame_id = ''

    def breaks(self) -> None:
        for info in self.rig.infos:
            info.header.frame_id = ''
        self.sends(self.send)

    def send(self) -> None:
        stamp_ns = self.rig.next_stamp_ns()
        self.rig.publish_infos()
        for side, image in enumerate((self.bench.left, self.bench.right)):
            self.rig.send_image(side, image, stamp_ns, self.frame_id)

    def obeys(self, said: str) -> None:
        assert 'set the parameter frame_id to its optical frame' in said
        self.set(frame_id='left_optical')


@of('frame_id_slash')
class DriverPortedFromRos1(DriverWithoutFrames):
    frame_id = '/left_optical'

    def obeys(self, said: str) -> None:
        assert 'drop the slash in the driver' in said
        self.frame_id = 'left_optical'


@of('frame_id_slash')
class ParameterAgainstTheSlash(DriverPortedFromRos1):
    def obeys(self, said: str) -> None:
        (frame_id,) = re.findall("outputs have '([^']*)'; .* set the parameter frame_id", said)
        self.set(frame_id=frame_id)


@of('disparity_reduced')
class DisparityOfReducedImages(Scenario):
    def breaks(self) -> None:
        self.set(downscale=2)

    def obeys(self, said: str) -> None:
        self.sets(said, 'downscale')
