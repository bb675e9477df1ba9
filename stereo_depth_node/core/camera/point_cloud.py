# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metric points of a depth image, in the left camera's optical frame.

With the Q of :meth:`.StereoGeometry.reprojection_matrix`, [X Y Z W] = Q [x y d 1]; divided by W
and with Z = f * B / (d - offset), that is::

    X = (x - cx) * Z / f
    Y = (y - cy) * Z / fy

The offset of the principal points is in Z already. x is to the right, y down, z forward
(REP 103).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Colour, Float, Indices
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import SizeError
from stereo_depth_node.core.matching.kernel.provider import compiled_code_takes

__all__ = ['PointProjector', 'Points', 'packed_rgb']

# Voxels are numbered from -_VOXEL_LIMIT to _VOXEL_LIMIT along each axis: 21 bits, so that three of
# them fit 64. What lies farther away falls into the outermost.
_VOXEL_LIMIT = np.float32(2**20 - 1)
_VOXEL_BITS = 21


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


def packed_rgb(image: Colour) -> Float:
    """Return the colours of an image, (H, W, 3) uint8 RGB, as clouds carry them.

    Returns
    -------
    (H, W) float32 ndarray
        The bits of 0x00RRGGBB.
    """
    blue_first = cv2.cvtColor(image, cv2.COLOR_RGB2BGRA)
    packed = blue_first.view('<u4')[:, :, 0] & np.uint32(0xFFFFFF)
    return packed.astype(np.uint32).view(np.float32)


class PointProjector:
    """Projects the pixels of depth images of one camera into space.

    First :meth:`select` decides which pixels become points, then :meth:`write` writes them.
    Buffers are allocated once. NumPy does it in several passes; once the kernel is loaded,
    compiled code does the same bit for bit in one.

    Parameters
    ----------
    geometry : StereoGeometry
        Of the depth images.
    step : int
        Takes every so many pixels of every so many rows; 1 takes all.
    voxel : float
        Of the points in each cube of this side, metres, one is taken: the first in the order of
        the rows. 0 takes all.
    is_organized : bool
        Every pixel taken by `step` becomes a point, of NaN where the depth is unknown, so that
        the points form an image. Not with `voxel`.
    """

    def __init__(
        self,
        geometry: StereoGeometry,
        step: int = 1,
        voxel: float = 0.0,
        *,
        is_organized: bool = False,
    ) -> None:
        if step < 1:
            raise ValueError(f'step is {step}: set 1 or more')
        if is_organized and voxel:
            raise ValueError('organized points cannot be thinned out by voxels: choose one')
        self._shape = (geometry.height, geometry.width)
        self._step = step
        columns, rows = np.arange(geometry.width), np.arange(geometry.height)
        self._right = ((columns - geometry.cx) / geometry.f).astype(np.float32)
        self._down = ((rows - geometry.cy) / geometry.fy).astype(np.float32)
        self._grid = (len(rows[::step]), len(columns[::step]))
        self._is_organized = is_organized
        # A place more than there are pixels: the compiled loop writes before it knows.
        self._pixels: Indices = np.empty(self._grid[0] * self._grid[1] + 1, np.int32)
        if is_organized:
            grid = rows[::step, np.newaxis] * geometry.width + columns[::step]
            self._pixels[:-1] = grid.reshape(-1)
        self._count = 0
        self._depth: Float = np.empty((0, 0), np.float32)
        self._values = self._depth
        self._scale = np.float32(1.0 / voxel) if voxel else None

    def select(self, depth: Float, values: Float | None = None) -> tuple[int, int]:
        """Decide which pixels become points.

        Parameters
        ----------
        depth : (H, W) float32 ndarray
            Metres, positive, NaN where unknown. It must stay as it is until :meth:`write`.
        values : (H, W) float32 ndarray, optional
            What points have beside their place.

        Returns
        -------
        height, width : int
            Rows of points and points in a row: 1 and N, or those of the image of points.

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
        self._depth, self._values = depth, depth if values is None else values
        if self._is_organized:
            self._count = self._pixels.size - 1
            return self._grid
        if compiled_code_takes(depth):
            from stereo_depth_node.core.matching.kernel.conversion import select_known

            self._count = select_known(depth.reshape(-1), self._shape[1], self._step, self._pixels)
        else:
            rows, columns = np.nonzero(np.isfinite(depth[:: self._step, :: self._step]))
            self._count = rows.size
            self._pixels[: rows.size] = (rows * self._shape[1] + columns) * self._step
        if self._scale is not None:
            self._keep_one_per_voxel(self._scale)
        return 1, self._count

    def write(self, out: Float) -> None:
        """Write the points that were selected.

        Parameters
        ----------
        out : (N, 3) or (N, 4) float32 ndarray
            Receives X, Y and Z in metres, in the order of the rows, and the value of the pixel.

        Raises
        ------
        SizeError
            If `out` has not room for exactly these points.
        """
        if out.dtype != np.float32 or out.shape not in ((self._count, 3), (self._count, 4)):
            raise SizeError(
                f'the array for the points is {out.shape} {out.dtype}, expected '
                f'({self._count}, 3) or ({self._count}, 4) float32'
            )
        depth, values = self._depth, self._values
        if compiled_code_takes(depth, values, out):
            from stereo_depth_node.core.matching.kernel.conversion import project_pixels

            project_pixels(
                depth.reshape(-1),
                self._shape[1],
                self._pixels,
                self._count,
                self._right,
                self._down,
                values.reshape(-1),
                out.shape[1],
                out.reshape(-1),
            )
            return
        pixels = self._pixels[: self._count]
        rows, columns = np.divmod(pixels, np.int32(self._shape[1]))
        z = depth.reshape(-1)[pixels]
        np.multiply(self._right[columns], z, out=out[:, 0])
        np.multiply(self._down[rows], z, out=out[:, 1])
        out[:, 2] = z
        if out.shape[1] > 3:
            out[:, 3] = values.reshape(-1)[pixels]

    def project(self, depth: Float) -> Points:
        """Return the points of a depth image, in memory of their own.

        Parameters
        ----------
        depth : (H, W) float32 ndarray
            Metres, positive, NaN where unknown.

        Raises
        ------
        SizeError
            If the image has not the size of the geometry.
        """
        self.select(depth)
        xyz = np.empty((self._count, 3), np.float32)
        self.write(xyz)
        return Points(
            xyz, *np.divmod(self._pixels[: self._count].astype(np.int64), depth.shape[1])
        )

    def _keep_one_per_voxel(self, scale: np.float32) -> None:
        points = np.empty((self._count, 3), np.float32)
        self.write(points)
        if compiled_code_takes(points):
            from stereo_depth_node.core.matching.kernel.conversion import keep_one_per_voxel

            # Not more than two thirds full, so that free places are found soon.
            table = np.full(1 << (self._count * 3 // 2).bit_length(), -1, np.int64)
            self._count = keep_one_per_voxel(
                points.reshape(-1), self._count, scale, _VOXEL_LIMIT, table, self._pixels
            )
            return
        cells = np.clip(np.floor(points * scale), -_VOXEL_LIMIT, _VOXEL_LIMIT)
        x, y, z = (cells + _VOXEL_LIMIT).astype(np.int64).T
        keys = (((x << _VOXEL_BITS) | y) << _VOXEL_BITS) | z
        _, first = np.unique(keys, return_index=True)
        first.sort()
        self._count = first.size
        self._pixels[: first.size] = self._pixels[first]
