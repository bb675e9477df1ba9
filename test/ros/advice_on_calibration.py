# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Advice on calibrations, and on images that do not fit to them."""

from __future__ import annotations

import re
from typing import Any

from advice import of, Scenario, TOPICS
from bench import DISPARITY, HEIGHT, WIDTH
import numpy as np
from rig import camera_infos, image_message
from scenes import plane, scene_of, StereoScene

SIDES = ('left', 'right')
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


@of('cameras_vertical')
class CamerasOneAboveTheOther(Scenario):
    """The left camera is the upper one."""

    def breaks(self) -> None:
        scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        self._images = [np.rot90(image, -1) for image in (scene.left, scene.right)]
        self.publishes(camera_infos(HEIGHT, WIDTH))
        self.rig.infos[1].p[3], self.rig.infos[1].p[7] = 0.0, self.rig.infos[1].p[3]

    def publishes(self, infos: Any) -> None:
        self.bench.left, self.bench.right = map(image_message, self._images)
        self.rig.infos = infos

    def obeys(self, said: str) -> None:
        assert 'turn both images by 90 degrees anticlockwise' in said
        assert '(now left) becomes the left one, and calibrate the turned images' in said
        self._images = [np.rot90(image) for image in self._images]
        self.publishes(camera_infos(WIDTH, HEIGHT))


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
        self.rig.infos[0].width = WIDTH


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
        self.rig.infos = camera_infos(WIDTH, HEIGHT)


@of('implausible_calibration')
class Millimetres(Scenario):
    def breaks(self) -> None:
        self.rig.infos[1].p[3] = -500.0 * 100.0

    def obeys(self, said: str) -> None:
        assert 'divide P[3] of the right camera by 1000' in said
        self.rig.infos[1].p[3] /= 1000.0


@of('rows_apart')
class MountThatMoved(Scenario):
    def breaks(self) -> None:
        self.starts()
        scene = scene_of(plane(WIDTH, HEIGHT, DISPARITY))
        self.shows(StereoScene(scene.left, np.roll(scene.right, 3, axis=0), scene.disparity))

    def obeys(self, said: str) -> None:
        assert 'calibrate the cameras anew' in said
        self.calibrates()
        self.starts(rectify=True)

    def calibrates(self) -> None:
        for info in self.rig.infos:
            info.k = [500.0, 0.0, info.p[2], 0.0, 500.0, info.p[6], 0.0, 0.0, 1.0]
            info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        self.rig.infos[1].k[5] += 3.0


@of('rows_apart')
class RawImages(MountThatMoved):
    def breaks(self) -> None:
        super().breaks()
        self.calibrates()

    def obeys(self, said: str) -> None:
        assert 'set rectify to true if the images are raw' in said
        self.starts(rectify=True)


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
