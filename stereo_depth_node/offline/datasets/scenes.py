# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A rectified stereo pair with what is known of it: ground truth, calibration, colours."""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Colour, Float, Grey, Mask
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.core.disparity.depth import depth_from_disparity
from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.settings import DISPARITY_STEP
from stereo_depth_node.offline.calibrations.stereo import Cameras
from stereo_depth_node.offline.files.pairs import PairSource

__all__ = ['ENCODINGS', 'Scene', 'load_pair']

ENCODINGS = ('bgr8', 'mono8')
"""Encodings that :meth:`Scene.encoded` gives the images in."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A rectified pair with what is known of it.

    Attributes
    ----------
    name : str
        For people.
    left, right : (H, W) uint8 ndarray
        Grey images.
    truth : (H, W) float32 ndarray or None
        x_l - x_r at each left pixel, pixels, NaN where unknown.
    visible : (H, W) bool ndarray or None
        The pixels that both cameras see, where the data set has them.
    geometry : StereoGeometry or None
        The stereo camera, where the data set has its calibration.
    colours : tuple of two (H, W, 3) uint8 ndarrays or None
        The images in RGB, left and right.
    """

    name: str
    left: Grey
    right: Grey
    truth: Float | None = None
    visible: Mask | None = None
    geometry: StereoGeometry | None = None
    colours: tuple[Colour, Colour] | None = None

    def encoded(self, encoding: str) -> tuple[Colour, Colour]:
        """Return left and right image in one of `ENCODINGS`."""
        if encoding == 'mono8':
            return self.left, self.right
        images, code = self.colours, cv2.COLOR_RGB2BGR
        if images is None:
            images, code = (self.left, self.right), cv2.COLOR_GRAY2BGR
        return _converted(images, code)

    def known_truth(self) -> Float:
        """Return the truth.

        Raises
        ------
        InputError
            The scene has none.
        """
        if self.truth is None:
            raise InputError(f'{self.name} has no ground truth')
        return self.truth

    def known_geometry(self) -> StereoGeometry:
        """Return the stereo camera.

        Raises
        ------
        InputError
            The scene has no calibration.
        """
        if self.geometry is None:
            raise InputError(f'{self.name} has no calibration')
        return self.geometry

    @property
    def true_disparity(self) -> Float:
        """The truth as DisparityImage defines it, (H, W): x_l - x_r - (cx_l - cx_r), pixels."""
        return self.known_truth() - np.float32(self.known_geometry().offset)

    @property
    def true_depth(self) -> Float:
        """The truth as Z = f * B / d, (H, W), metres, NaN where unknown."""
        depth = self.true_disparity
        depth_from_disparity(depth, ~(depth > 0), self.known_geometry(), depth)
        return depth

    @property
    def num_disparities(self) -> int:
        """The smallest search range from 0 that a matcher takes and that holds the truth."""
        largest = float(np.nanmax(self.known_truth()))
        return DISPARITY_STEP * math.floor(largest / DISPARITY_STEP + 1)

    def rectified(self, cameras: Cameras) -> Scene:
        """Return what rectified cameras see, in grey; nothing else is known of that."""
        images = []
        for image, camera in zip((self.left, self.right), cameras, strict=True):
            images.append(np.empty_like(image))
            Rectifier(camera).rectify(image, images[-1])
        return Scene(self.name, images[0], images[1])

    def resized(self, width: int, height: int) -> Scene:
        """Return the scene as a camera of another resolution sees it.

        Scaled to cover `width` x `height`, then cut to it around the centre.

        Raises
        ------
        SettingsError
            The size is too small for any matcher.
        """
        if width < DISPARITY_STEP or height < DISPARITY_STEP:
            raise SettingsError(
                f'a size of {width}x{height} is too small, at least '
                f'{DISPARITY_STEP}x{DISPARITY_STEP} is needed'
            )
        old_height, old_width = self.left.shape
        scale: float = max(width / old_width, height / old_height)
        full = max(width, round(old_width * scale)), max(height, round(old_height * scale))
        x, y = (full[0] - width) // 2, (full[1] - height) // 2
        smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR

        def cut(image: npt.NDArray[Any], interpolation: int) -> npt.NDArray[Any]:
            resized = cv2.resize(image, full, interpolation=interpolation)
            return np.ascontiguousarray(resized[y : y + height, x : x + width])

        def moved(centre: float, start: int) -> float:
            # The centre of the first pixel is 0, its edge -0.5: edges scale.
            return (centre + 0.5) * scale - 0.5 - start

        if self.colours is not None:
            colours = cut(self.colours[0], smooth), cut(self.colours[1], smooth)
            grey = _converted(colours, cv2.COLOR_RGB2GRAY)
        else:
            colours, grey = None, (cut(self.left, smooth), cut(self.right, smooth))
        truth, visible, seen = self.truth, self.visible, self.geometry
        if truth is not None:
            truth = np.float32(scale) * cut(truth, cv2.INTER_NEAREST)
        if visible is not None:
            visible = cut(visible.view(np.uint8), cv2.INTER_NEAREST).view(np.bool_)
        if seen is not None:
            seen = StereoGeometry(
                width=width,
                height=height,
                f=seen.f * scale,
                cx=moved(seen.cx, x),
                cy=moved(seen.cy, y),
                cx_right=moved(seen.cx_right, x),
                baseline=seen.baseline,
                fy=seen.fy * scale,
            )
        return Scene(self.name, *grey, truth, visible, seen, colours)


def load_pair(left: Path, right: Path | None, name: str = '', *, layout: str = '') -> Scene:
    """Load two images of which nothing more is known.

    Parameters
    ----------
    left : Path
        The left image, or the file that holds both.
    right : Path or None
        The right image; None where one file holds both.
    name : str
        Of the scene; that of the files by default.
    layout : str
        One of :data:`.layouts.LAYOUTS`, of a file that holds both.

    Raises
    ------
    InputError
        If a file cannot be read.
    ImageError
        If the images do not make a pair.
    """
    images = PairSource(name, left, right, layout).read()
    name = name or (left.name if right is None else f'{left.name} and {right.name}')
    return Scene(name, images.left, images.right, colours=images.colours)


def _converted(images: tuple[Colour, Colour], code: int) -> tuple[Colour, Colour]:
    """Convert both images with a code of ``cv2.cvtColor``."""
    left, right = (np.asarray(cv2.cvtColor(image, code), np.uint8) for image in images)
    return left, right
