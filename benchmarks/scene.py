# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is seen: a real stereo pair at any size, or a synthetic one where there is none."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Colour
from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.calibrations.stereo import rectified_cameras
from stereo_depth_node.offline.datasets.loading import load_motorcycle
from stereo_depth_node.offline.datasets.scenes import Scene

__all__ = ['load_scene', 'with_distortion']

_SEED = 1
# Of a real camera with a wide lens (EuRoC's left), and how the two are turned, radians.
_DISTORTION = (-0.28340811, 0.07395907, 0.00019359, 1.76187114e-05, 0.0)
_TURNS = ((0.004, 0.01, 0.003), (-0.003, -0.008, 0.002))


def load_scene(width: int, height: int) -> Scene:
    """Return the pair that is measured with, at a size in pixels."""
    try:
        return load_motorcycle().resized(width, height)
    except InputError:  # no scikit-image, which has the images inside
        return _synthetic(width, height)


def with_distortion(scene: Scene) -> tuple[Scene, list[CameraCalibration]]:
    """Return a pair as cameras with distortion see it, and their calibrations.

    Rectification gives the pair again, but for what interpolation smooths.
    """
    images = scene.colours or (scene.left, scene.right)
    cameras = [
        dataclasses.replace(
            camera, d=_DISTORTION, r=tuple(cv2.Rodrigues(np.array(turn))[0].ravel())
        )
        for camera, turn in zip(rectified_cameras(scene.known_geometry()), _TURNS, strict=True)
    ]
    colours = tuple(_distorted(*each) for each in zip(images, cameras, strict=True))
    greys = [
        each if each.ndim == 2 else cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in colours
    ]
    return dataclasses.replace(
        scene, left=greys[0], right=greys[1], colours=colours if scene.colours else None
    ), cameras


def _distorted(image: Colour, camera: CameraCalibration) -> Colour:
    """Return what a camera sees of what its rectified image shows."""
    pixels = np.indices((camera.height, camera.width), np.float32)[::-1]
    raw = np.ascontiguousarray(pixels.reshape(2, -1).T)[:, None]
    k, r, p = (np.array(each) for each in (camera.k, camera.r, camera.p))
    rectified = cv2.undistortPoints(
        raw, k.reshape(3, 3), np.array(camera.d), R=r.reshape(3, 3), P=p.reshape(3, 4)
    )
    maps = rectified.reshape(camera.height, camera.width, 2)
    return np.asarray(
        cv2.remap(image, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _synthetic(width: int, height: int) -> Scene:
    """Return a noisy texture on a plane that leans; disparities reach a tenth of the width."""
    random = np.random.default_rng(_SEED)
    noise = random.integers(0, 256, (height, width + width // 10, 3), np.uint8)
    texture = cv2.GaussianBlur(noise, (0, 0), 1.5)
    texture = cv2.normalize(texture, texture, 0, 255, cv2.NORM_MINMAX)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    disparity = (y / height * (width // 10)).astype(np.float32)
    right = cv2.remap(texture, x + disparity, y, cv2.INTER_LINEAR)
    geometry = StereoGeometry(
        width=width,
        height=height,
        f=float(width),
        cx=width / 2,
        cy=height / 2,
        cx_right=width / 2,
        baseline=0.1,
    )
    colours = np.ascontiguousarray(texture[:, :width]), right
    grey = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in colours)
    return Scene('synthetic plane', *grey, disparity, None, geometry, colours)
