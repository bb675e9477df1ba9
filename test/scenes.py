# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic stereo pairs whose disparity is known exactly, and cameras to go with them.

The right image is a texture T, a sum of cosines that is defined between the pixels too; the
left image is ``left(x, y) = T(x - d(x, y), y)``. So every left pixel has its match at x - d,
for any disparity d, whole or not, and no pixel is occluded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.geometry import StereoGeometry

Field = NDArray[np.float64]


@dataclass(frozen=True)
class StereoScene:
    """Grey images, (H, W) uint8, and `disparity`, (H, W) float64, x_l - x_r in pixels."""

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    disparity: Field

    @property
    def truth(self) -> NDArray[np.float32]:
        """The disparity in single precision, as data sets have it."""
        return self.disparity.astype(np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images."""
        height, width = self.left.shape
        return width, height


def scene_of(disparity: Field, *, seed: int = 0, finest_px: float = 3.5) -> StereoScene:
    """Make the pair that has this disparity.

    Parameters
    ----------
    disparity : (H, W) float64
        x_l - x_r at each left pixel.
    seed : int
        Of the texture.
    finest_px : float
        Shortest wave of the texture, pixels: 4 or more survive a reduction by 2.
    """
    height, width = disparity.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    texture = _texture(np.random.default_rng(seed), finest_px)
    return StereoScene(texture(x - disparity, y), texture(x, y), disparity)


def plane(width: int, height: int, disparity: float) -> Field:
    """Disparity of a plane that faces the cameras."""
    return np.full((height, width), float(disparity))


def tilted_plane(width: int, height: int, left: float, right: float, down: float = 0.0) -> Field:
    """Disparity that goes from `left` to `right` along a row and grows by `down` per row."""
    rows = down * np.arange(height)[:, np.newaxis]
    return rows + np.linspace(left, right, width)[np.newaxis, :]


def step(width: int, height: int, far: float, near: float) -> Field:
    """Disparity of a far left half and a near right half."""
    field = plane(width, height, far)
    field[:, width // 2 :] = near
    return field


def camera(
    width: int,
    height: int,
    *,
    f: float = 500.0,
    cx: float | None = None,
    cy: float | None = None,
    tx: float = 0.0,
    **others: object,
) -> CameraCalibration:
    """Calibration of a distortion-free camera; `tx` is P[3], `others` are further attributes."""
    cx = (width - 1) / 2 if cx is None else cx
    cy = (height - 1) / 2 if cy is None else cy
    content = {
        'width': width,
        'height': height,
        'distortion_model': 'plumb_bob',
        'd': (0.0,) * 5,
        'k': (f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0),
        'r': (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        'p': (f, 0.0, cx, tx, 0.0, f, cy, 0.0, 0.0, 0.0, 1.0, 0.0),
    }
    return CameraCalibration(**{**content, **others})


def geometry_of(
    width: int, height: int, *, f: float = 500.0, baseline: float = 0.1, offset: float = 0.0
) -> StereoGeometry:
    """Make a rectified stereo camera whose principal points differ by `offset`, cx_l - cx_r."""
    cx, cy = (width - 1) / 2, (height - 1) / 2
    return StereoGeometry(width, height, f, cx, cy, cx - offset, baseline)


def _texture(
    rng: np.random.Generator, finest_px: float
) -> Callable[[Field, Field], NDArray[np.uint8]]:
    """Return a random texture with waves of `finest_px` to 5 times that, in all directions."""
    count = 48
    frequency = 2 * np.pi / (finest_px * np.exp(rng.uniform(0, np.log(5), count)))
    angle, phase = rng.uniform(0, np.pi, count), rng.uniform(0, 2 * np.pi, count)
    along_x, along_y = frequency * np.cos(angle), frequency * np.sin(angle)

    def texture(x: Field, y: Field) -> NDArray[np.uint8]:
        if (x == x[0]).all():
            # All rows are alike: cos(u + v) = cos(u) cos(v) - sin(u) sin(v), ten times as fast.
            u, v = np.outer(y[:, 0], along_y), np.outer(along_x, x[0]) + phase[:, np.newaxis]
            total = _product(np.cos(u), np.cos(v)) - _product(np.sin(u), np.sin(v))
        else:
            total = np.zeros(x.shape)
            for a, b, c in zip(along_x, along_y, phase, strict=True):
                total += np.cos(a * x + b * y + c)
        # The sum has variance count / 2: 128 are three standard deviations.
        grey = 127.5 + 128 / 3 * total / np.sqrt(count / 2)
        return np.clip(np.rint(grey), 0, 255).astype(np.uint8)

    return texture


def _product(a: Field, b: Field) -> Field:
    """Multiply matrices on one thread: the others of BLAS would spin beside other tests."""
    return np.einsum('yk,kx->yx', a, b)
