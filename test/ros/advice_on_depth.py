# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Advice on what becomes of the images: calibration, images, settings, what the depth shows."""

from __future__ import annotations

import re
from typing import Any

from advice import of, Scenario, TOPICS
from bench import DISPARITY, HEIGHT, WIDTH
import numpy as np
from rig import camera_infos, image_message
from scenes import plane, scene_of, StereoScene, tilted_plane

INFOS = ('/left/camera_info', '/right/camera_info')
SWAP_IMAGES = ('-r', f'{TOPICS[0]}:={TOPICS[1]}', '-r', f'{TOPICS[1]}:={TOPICS[0]}')
SWAP_INFOS = ('-r', f'{INFOS[0]}:={INFOS[1]}', '-r', f'{INFOS[1]}:={INFOS[0]}')


class FilesFromTheCalibration(Scenario):
    """The advice is to give files; they are those that cameracalibrator wrote."""

    def obeys(self, said: str) -> None:
        names = re.findall(r'(left_camera_info_url) and (right_camera_info_url)', said)[0]
        for name, info in zip(names, camera_infos(WIDTH, HEIGHT), strict=True):
            path = self.folder / f'{name}.yaml'
            path.write_text(calibration_file(info))
            self.set(**{name: str(path)})


@of('no_camera_info')
class NoDriverInfo(FilesFromTheCalibration):
    def breaks(self) -> None:
        self.starts()
        self.rig.infos = None


@of('uncalibrated')
class ZerosFromTheDriver(FilesFromTheCalibration):
    """They hide no file that is given."""

    def breaks(self) -> None:
        for info in self.rig.infos:
            info.k, info.p = [0.0] * 9, [0.0] * 12


@of('no_baseline')
class NoBaseline(Scenario):
    def breaks(self) -> None:
        self.rig.infos[1].p[3] = 0.0

    def obeys(self, said: str) -> None:
        assert 'set the parameter baseline' in said
        self.set(baseline=0.1)


class Swapped(Scenario):
    """Exchange just what the text says, once the images have been looked at."""

    def obeys(self, said: str) -> None:
        if 'image and camera_info' in said:
            self.starts(*SWAP_IMAGES, *SWAP_INFOS)
        elif 'camera_info topics, or calibration files' in said:
            self.starts(*SWAP_INFOS)
        elif 'exchange the left and right image topics' in said:
            self.starts(*SWAP_IMAGES)

    def starts(self, *arguments: str, **parameters: Any) -> None:
        super().starts(*arguments, **parameters)
        self.bench.reports.clear()

    def swaps_infos(self) -> None:
        left, right = self.rig.infos
        self.rig.infos = (right, left)

    def swaps_images(self) -> None:
        self.bench.left, self.bench.right = self.bench.right, self.bench.left


@of('no_baseline')
class CalibrationsSwapped(Swapped):
    words = 'the calibrations are swapped and the images are not'

    def breaks(self) -> None:
        self.swaps_infos()


@of('no_baseline')
class SignOfTheBaseline(CalibrationsSwapped):
    def breaks(self) -> None:
        self.rig.infos[1].p[3] = -self.rig.infos[1].p[3]


@of('no_baseline')
class CamerasSwapped(Swapped):
    words = 'the cameras are swapped, images and calibrations'

    def breaks(self) -> None:
        self.swaps_infos()
        self.swaps_images()


@of('cameras_swapped')
class ImagesSwapped(Swapped):
    words = 'swapped in the images, not in their calibrations'

    def breaks(self) -> None:
        self.starts()
        self.swaps_images()


@of('cameras_swapped')
class ImagesTurned(Swapped):
    words = 'exchange the left and right image topics'

    def breaks(self) -> None:
        self.starts()
        scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        turned = [np.ascontiguousarray(each[::-1, ::-1]) for each in (scene.left, scene.right)]
        self.bench.left, self.bench.right = map(image_message, turned)


@of('calibrations_differ')
class CalibratedAtTwoSizes(Scenario):
    def breaks(self) -> None:
        self.rig.infos[0].width = 2 * WIDTH

    def obeys(self, said: str) -> None:
        assert 'calibrate both cameras at one size' in said
        self.bench.restore()


@of('calibration_file')
class FileThatIsNotThere(Scenario):
    def breaks(self) -> None:
        self.starts()
        self.rig.infos = None
        paths = {f'{side}_camera_info_url': self.folder / f'{side}.yaml' for side in SIDES}
        self.set(**{name: str(path) for name, path in paths.items()})

    def obeys(self, said: str) -> None:
        (path,) = re.findall(r'calibration file: (\S+): cannot be read \(there is no such', said)
        assert path == str(self.folder / 'left.yaml')
        for side, info in zip(SIDES, camera_infos(WIDTH, HEIGHT), strict=True):
            (self.folder / f'{side}.yaml').write_text(calibration_file(info))


@of('calibration_size')
class CalibratedAtAnotherSize(Scenario):
    def breaks(self) -> None:
        self.rig.infos = camera_infos(640, 480)

    def obeys(self, said: str) -> None:
        assert 'the calibration is for 640x480' in said
        self.bench.restore()


@of('sizes_differ')
class CroppedRightImage(Scenario):
    def breaks(self) -> None:
        self.bench.right = image_message(np.zeros((HEIGHT, WIDTH - 8), np.uint8))


@of('unsupported_encoding')
class ThermalCamera(Scenario):
    def breaks(self) -> None:
        self.bench.left.encoding = 'thermal_77'

    def obeys(self, said: str) -> None:
        assert 'mono8' in said
        self.bench.left.encoding = 'mono8'


@of('data_length')
class CutData(Scenario):
    def breaks(self) -> None:
        self.bench.left.data = self.bench.left.data[:-1]


@of('unusable_image')
class EncodingsThatDiffer(Scenario):
    def breaks(self) -> None:
        self.bench.right = image_message(np.zeros((HEIGHT, WIDTH), np.uint8), 'mono16')


@of('impossible_settings')
class RangeWiderThanTheImages(Scenario):
    def breaks(self) -> None:
        self.starts(num_disparities=96)

    def obeys(self, said: str) -> None:
        assert 'reduce num_disparities' in said
        self.set(num_disparities=16)


@of('implausible_calibration')
class Millimetres(Scenario):
    def breaks(self) -> None:
        self.rig.infos[1].p[3] = -500.0 * 100.0

    def obeys(self, said: str) -> None:
        assert 'divide P[3] of the right camera by 1000' in said
        self.rig.infos[1].p[3] /= 1000.0


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
        self.bench.right = self.bench.left

    def obeys(self, said: str) -> None:
        assert 'have the driver publish the other camera' in said
        self.bench.restore()


@of('uniform_image')
class LensCap(Scenario):
    def breaks(self) -> None:
        self.bench.left = image_message(np.zeros((HEIGHT, WIDTH), np.uint8))

    def obeys(self, said: str) -> None:
        assert 'the left image shows nothing' in said
        assert 'take off the lens cap' in said
        self.bench.restore()


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
        self.bench.restore()


@of('rows_apart')
class MountThatMoved(Scenario):
    def breaks(self) -> None:
        self.starts()
        scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        self.shows(StereoScene(scene.left, np.roll(scene.right, 3, axis=0), scene.disparity))

    def obeys(self, said: str) -> None:
        assert 'calibrate the cameras anew' in said
        self.bench.restore()


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


SIDES = ('left', 'right')


def calibration_file(info: Any) -> str:
    """Return a CameraInfo as a calibration file."""
    matrices = {
        'camera_matrix': info.k,
        'distortion_coefficients': info.d,
        'rectification_matrix': info.r,
        'projection_matrix': info.p,
    }
    return '\n'.join(
        [
            f'image_width: {info.width}',
            f'image_height: {info.height}',
            f'distortion_model: {info.distortion_model}',
            *(f'{name}: {{data: {[*map(float, data)]}}}' for name, data in matrices.items()),
        ]
    )
