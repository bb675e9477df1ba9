# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Computes one pair of image files and writes what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Float
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.point_cloud import PointProjector
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.core.disparity.depth import disparity_in_pixels
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.calibration_options import GivenCalibration, unit_geometry
from stereo_depth_node.offline.files.formats import (
    check_output,
    kitti_png,
    millimetre_png,
    npy,
    partial_path,
    pfm,
    tiff,
    write_file,
)
from stereo_depth_node.offline.files.image_files import read_colour, read_grey_pair
from stereo_depth_node.offline.files.point_cloud import ply
from stereo_depth_node.offline.reports.picture import draw_panels, Panel

__all__ = ['KINDS', 'METRIC_KINDS', 'ImageTask', 'compute_images']


_GREYS = ('gray', 'grey')


@dataclass(frozen=True)
class ImageTask:
    """A pair to compute.

    Attributes
    ----------
    left, right : Path
        The images.
    settings : Settings
        To compute with.
    calibration : GivenCalibration
        Of the cameras.
    outputs : tuple of tuple of str and Path
        Kinds of results, from `KINDS`, and where each goes.
    colours : str
        Colour map of the pictures.
    overwrite : bool
        Replace what is there.
    threads : int or None
        OpenCV's; None leaves them as they are.
    """

    left: Path
    right: Path
    settings: Settings
    calibration: GivenCalibration
    outputs: tuple[tuple[str, Path], ...]
    colours: str = 'turbo'
    overwrite: bool = False
    threads: int | None = None


@dataclass
class _Result:
    """What is known of a computed pair, made when it is asked for."""

    task: ImageTask
    pipeline: StereoPipeline
    notes: list[str] = field(default_factory=list)

    def disparity(self) -> Float:
        """Return x_l - x_r, (h, w), pixels of the result, NaN where unknown."""
        fixed = self.pipeline.fixed
        disparity = np.empty(fixed.shape, np.float32)
        disparity_in_pixels(fixed, 0.0, disparity)
        disparity[fixed < self.pipeline.settings.min_disparity * DISPARITY_SCALE] = np.nan
        return disparity

    def depth(self) -> Float:
        """Return the depth, (h, w), metres, NaN where unknown."""
        depth = np.empty(self.pipeline.fixed.shape, np.float32)
        self.pipeline.depth(depth)
        return depth

    def colour(self) -> npt.NDArray[np.uint8]:
        """Return the left image in RGB as it was matched: rectified and reduced."""
        colour = read_colour(self.task.left)
        if self.task.settings.rectify and self.task.calibration.cameras is not None:
            rectifier = Rectifier(self.task.calibration.cameras[0])
            planes = [np.ascontiguousarray(colour[:, :, channel]) for channel in range(3)]
            rectified = np.empty_like(planes[0])
            for channel, plane in enumerate(planes):
                rectifier.rectify(plane, rectified)
                colour[:, :, channel] = rectified
        factor = self.pipeline.downscale
        if factor > 1:
            size = (self.pipeline.width, self.pipeline.height)
            whole = colour[: size[1] * factor, : size[0] * factor]
            colour = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
        return colour

    def kitti(self) -> bytes:
        """Return the disparity in KITTI's format."""
        content, lost = kitti_png(self.disparity())
        self._tell_lost(lost, 'disparities below 0 or above 255.99 px')
        return content

    def millimetres(self) -> bytes:
        """Return the depth as PNG."""
        content, lost = millimetre_png(self.depth())
        self._tell_lost(lost, 'depths beyond 65.535 m')
        return content

    def cloud(self) -> bytes:
        """Return the point cloud; in baselines where there is no calibration."""
        geometry, depth = self.pipeline.geometry, None
        unit = 'metres'
        if geometry is None:
            unit = 'baselines (uncalibrated, focal length assumed 0.8 image widths)'
            geometry = unit_geometry(self.pipeline.width, self.pipeline.height)
            disparity = self.disparity()
            with np.errstate(divide='ignore'):
                depth = np.float32(geometry.f) / disparity
            depth[~(disparity > 0)] = np.nan
            self.notes.append(f'the point cloud is in {unit}')
        points = PointProjector(geometry).project(self.depth() if depth is None else depth)
        colours = self.colour()[points.rows, points.columns]
        return ply(
            points.xyz,
            colours,
            [f'unit: {unit}', 'frame: left camera, x right, y down, z forward'],
        )

    def picture(self, path: Path) -> None:
        """Draw the left image, disparity and depth side by side."""
        colours = self.task.colours
        disparity = self.disparity()
        panels = [Panel('Left image', self.colour()), self._disparity_panel(disparity)]
        if self.pipeline.geometry is not None:
            panels.append(Panel('Depth', self.depth(), 'm', colours=_reversed(colours)))
        share = 100.0 * np.count_nonzero(np.isfinite(disparity)) / disparity.size
        settings = self.task.settings
        caption = (
            f'{self.task.left.name}: {share:.1f} % of the pixels, {settings.algorithm}, '
            f'{settings.num_disparities} disparities, block {settings.block_size}'
        )
        draw_panels(path, panels, caption=caption, columns=len(panels))

    def _disparity_panel(self, disparity: Float) -> Panel:
        colours, settings = self.task.colours, self.pipeline.settings
        if colours not in _GREYS:
            return Panel('Disparity', disparity, 'px', colours=colours)
        # As OpenCV's tutorial shows it: the whole range, and black where it is unknown.
        low, high = settings.min_disparity - 1, settings.min_disparity + settings.num_disparities
        black = np.where(np.isfinite(disparity), disparity, np.float32(low))
        return Panel('Disparity (black: unknown)', black, 'px', (low, high), colours)

    def _tell_lost(self, lost: int, what: str) -> None:
        if lost:
            self.notes.append(f'{lost} {what} do not fit the PNG and are unknown in it')


KINDS: dict[str, Callable[[_Result], bytes] | None] = {
    'disparity.pfm': lambda result: pfm(result.disparity()),
    'disparity.png': _Result.kitti,
    'disparity.npy': lambda result: npy(result.disparity()),
    'depth.png': _Result.millimetres,
    'depth.npy': lambda result: npy(result.depth()),
    'depth.tiff': lambda result: tiff(result.depth()),
    'cloud.ply': _Result.cloud,
    'picture.png': None,
}
"""What can be written; the picture is drawn into its file."""

METRIC_KINDS = tuple(kind for kind in KINDS if kind.startswith('depth'))
"""What cannot be had without a calibration."""


def compute_images(task: ImageTask) -> list[str]:
    """Compute a pair and write its results.

    Returns
    -------
    list of str
        What is to be told of it.

    Raises
    ------
    StereoDepthError
        If the images, the calibration or the settings cannot be used, or a result cannot be
        written.
    """
    if task.threads is not None:
        cv2.setNumThreads(task.threads)
    for _, path in task.outputs:
        check_output(path, overwrite=task.overwrite)
    left, right = read_grey_pair(task.left, task.right)
    height, width = left.shape
    geometry: StereoGeometry | None = task.calibration.geometry_for(width, height, task.settings)
    cameras = task.calibration.cameras if task.settings.rectify else None
    pipeline = StereoPipeline(task.settings, width, height, geometry, cameras)
    pipeline.match(left, right)
    result = _Result(task, pipeline)
    for kind, path in task.outputs:
        make = KINDS[kind]
        if make is not None:
            write_file(path, make(result), overwrite=task.overwrite)
        else:
            _draw(result, path)
    return result.notes


def _draw(result: _Result, path: Path) -> None:
    """Draw beside the final name first; the ending tells matplotlib the format."""
    partial = partial_path(path).with_suffix('.partial.png')
    try:
        result.picture(partial)
        write_file(path, partial.read_bytes(), overwrite=result.task.overwrite)
    finally:
        partial.unlink(missing_ok=True)


def _reversed(colours: str) -> str:
    """Return the colour map that gives near things the same colours in depth as in disparity."""
    return colours.removesuffix('_r') if colours.endswith('_r') else f'{colours}_r'
