# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metric points of a depth image, in the left camera's optical frame.

With the Q of :meth:`.StereoGeometry.reprojection_matrix`, [X Y Z W] = Q [x y d 1]; divided by W
and with Z = f * B / (d - offset), that is::

    X = (x - cx) * Z / f
    Y = (y - cy) * Z / f

The offset of the principal points is in Z already. x is to the right, y down, z forward
(REP 103).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import SizeError

__all__ = ['PointProjector', 'Points']


class Points(NamedTuple):
    """The points of one depth image.

    Attributes
    ----------
    xyz : (N, 3) float32 ndarray
        Metres, none of them NaN, in the order of the rows of the image.
    rows, columns : (N,) int64 ndarray
        The pixel of each point: ``image[rows, columns]`` are the colours.
    """

    xyz: Float
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]


class PointProjector:
    """Projects the pixels of depth images of one camera into space.

    Parameters
    ----------
    geometry : StereoGeometry
        Of the depth images.
    step : int
        Takes every so many pixels of every so many rows; 1 takes all.
    """

    def __init__(self, geometry: StereoGeometry, step: int = 1) -> None:
        if step < 1:
            raise ValueError(f'step is {step}: set 1 or more')
        self._shape = (geometry.height, geometry.width)
        self._step = step
        rows = np.arange(0, geometry.height, step)
        columns = np.arange(0, geometry.width, step)
        self._right = ((columns - geometry.cx) / geometry.f).astype(np.float32)
        self._down = ((rows - geometry.cy) / geometry.f).astype(np.float32)

    def project(self, depth: Float) -> Points:
        """Return the points of the pixels whose depth is known.

        Parameters
        ----------
        depth : (H, W) float32 ndarray
            Metres, NaN where unknown.

        Raises
        ------
        SizeError
            If the image has not the size of the geometry.
        """
        if depth.shape != self._shape:
            raise SizeError(
                f'the depth image is {depth.shape[1]}x{depth.shape[0]}, the geometry is for '
                f'{self._shape[1]}x{self._shape[0]}: take that of the depth image'
            )
        sampled = depth[:: self._step, :: self._step]
        rows, columns = np.nonzero(np.isfinite(sampled))
        z = sampled[rows, columns]
        xyz = np.empty((z.size, 3), np.float32)
        np.multiply(self._right[columns], z, out=xyz[:, 0])
        np.multiply(self._down[rows], z, out=xyz[:, 1])
        xyz[:, 2] = z
        return Points(xyz, rows * self._step, columns * self._step)
