# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A stereo pair with its calibration and its ground truth.

The pair is "Motorcycle" of the Middlebury 2014 data set (Scharstein et al., GCPR 2014) at a
quarter of its size, as the wheels of scikit-image carry it. Its principal points differ by
31 px: a program that takes Z = f * B / (x_l - x_r) is wrong here by 1.5 to 5.3 times.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
import importlib.util
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.settings import DISPARITY_STEP

__all__ = ['ENCODINGS', 'StereoScene', 'load_motorcycle', 'parse_size']

ENCODINGS = {
    'bgr8': cv2.COLOR_RGB2BGR,
    'mono8': cv2.COLOR_RGB2GRAY,
}
"""Encoding that the images can be sent in -> how they are made from RGB."""

# calib.txt of the data set has 3979.911 px, 1244.772, 1019.507, doffs 124.343, 193.001 mm.
_MOTORCYCLE = StereoGeometry(
    width=741,
    height=500,
    f=994.978,
    cx=311.193,
    cy=254.877,
    cx_right=311.193 + 31.086,
    baseline=0.193001,
)


@dataclass(frozen=True, eq=False)
class StereoScene:
    """Two rectified images of a known scene.

    Parameters
    ----------
    name : str
        For people.
    left, right : (H, W, 3) uint8
        RGB.
    truth : (H, W) float32
        x_l - x_r in pixels of these images, NaN where unknown.
    geometry : StereoGeometry
        Of the camera that took them.
    """

    name: str
    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    truth: NDArray[np.float32]
    geometry: StereoGeometry

    @property
    def true_disparity(self) -> NDArray[np.float32]:
        """The truth as DisparityImage defines it, (H, W): x_l - x_r - (cx_l - cx_r), pixels."""
        return self.truth - np.float32(self.geometry.offset)

    @property
    def true_depth(self) -> NDArray[np.float32]:
        """The truth as Z = f * B / d, (H, W), metres."""
        return np.float32(self.geometry.f * self.geometry.baseline) / self.true_disparity

    @property
    def num_disparities(self) -> int:
        """The smallest search range from 0 that a matcher takes and that holds the truth."""
        return DISPARITY_STEP * math.floor(float(np.nanmax(self.truth)) / DISPARITY_STEP + 1)

    def resized(self, width: int, height: int) -> StereoScene:
        """Return the scene as a camera of another resolution sees it.

        Scaled to cover `width` x `height`, then cut to it around the centre.
        """
        if width < DISPARITY_STEP or height < DISPARITY_STEP:
            raise SettingsError(
                f'a size of {width}x{height} is too small, at least '
                f'{DISPARITY_STEP}x{DISPARITY_STEP} is needed'
            )
        seen = self.geometry
        scale = max(width / seen.width, height / seen.height)
        full = (
            max(width, round(seen.width * scale)),
            max(height, round(seen.height * scale)),
        )
        x, y = (full[0] - width) // 2, (full[1] - height) // 2
        cut = np.s_[y : y + height, x : x + width]
        smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR

        def moved(centre: float, start: int) -> float:
            # The centre of the first pixel is 0, its edge -0.5: edges scale.
            return (centre + 0.5) * scale - 0.5 - start

        return replace(
            self,
            left=np.ascontiguousarray(cv2.resize(self.left, full, interpolation=smooth)[cut]),
            right=np.ascontiguousarray(cv2.resize(self.right, full, interpolation=smooth)[cut]),
            truth=np.float32(scale)
            * cv2.resize(self.truth, full, interpolation=cv2.INTER_NEAREST)[cut],
            geometry=StereoGeometry(
                width=width,
                height=height,
                f=seen.f * scale,
                cx=moved(seen.cx, x),
                cy=moved(seen.cy, y),
                cx_right=moved(seen.cx_right, x),
                baseline=seen.baseline,
            ),
        )


def load_motorcycle() -> StereoScene:
    """Read the pair from the installed scikit-image.

    Its files are read without importing it: beside the NumPy of a ROS 2 distribution a newer
    scikit-image cannot always be imported.

    Raises
    ------
    InputError
        scikit-image is not there, or is one that has not got the files.
    """
    found = importlib.util.find_spec('skimage')
    if found is None or not found.submodule_search_locations:
        raise InputError('the demo pair is inside scikit-image, which is missing: install it')
    folder = Path(found.submodule_search_locations[0], 'data')
    left, right = (_read_rgb(folder / f'motorcycle_{side}.png') for side in ('left', 'right'))
    with np.load(folder / 'motorcycle_disp.npz') as archive:
        truth = archive['arr_0'].astype(np.float32)
    truth[~np.isfinite(truth)] = np.nan
    return StereoScene('Middlebury 2014 Motorcycle', left, right, truth, _MOTORCYCLE)


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``."""
    width, separator, height = text.partition('x')
    if not separator or not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f'{text!r} is not WIDTHxHEIGHT, such as 640x480')
    return int(width), int(height)


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(
            f'{path} is missing or no image: scikit-image 0.25 or later has it inside'
        )
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
