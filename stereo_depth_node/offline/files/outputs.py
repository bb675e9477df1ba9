# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of image files, computed, and what was asked for written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.point_cloud import PointProjector
from stereo_depth_node.core.disparity.depth import depth_from_disparity, known_disparity
from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.calibration_options import GivenCalibration, unit_geometry
from stereo_depth_node.offline.files.formats import kitti_png, millimetre_png, npy, pfm, ply, tiff
from stereo_depth_node.offline.files.pairs import PairSource
from stereo_depth_node.offline.files.writing import check_is_no_input, check_output, write_file
from stereo_depth_node.offline.findings import findings_of_pair, PairFindings
from stereo_depth_node.offline.reports.picture import Panel, png_of_panels
from stereo_depth_node.offline.workers import completed, local_workers, result_of

__all__ = [
    'KINDS',
    'METRIC_KINDS',
    'ComputedPair',
    'ImageTask',
    'PairOutcome',
    'compute_pair',
    'compute_pairs',
]


_GREYS = ('gray', 'grey')


@dataclass(frozen=True)
class ImageTask:
    """A pair to compute.

    Attributes
    ----------
    source : PairSource
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
    is_looked_at : bool
        Whether it is one of the pairs in which faults are looked for.
    threads : int or None
        OpenCV's; None leaves them as they are.
    """

    source: PairSource
    settings: Settings
    calibration: GivenCalibration
    outputs: tuple[tuple[str, Path], ...]
    colours: str = 'turbo'
    overwrite: bool = False
    is_looked_at: bool = True
    threads: int | None = None


@dataclass(frozen=True)
class PairOutcome:
    """What is to be said of a computed pair.

    Attributes
    ----------
    density : float
        Share of the pixels with a disparity, 0 to 1.
    notes : list of str
        Remarks on the results, a sentence each.
    seen : PairFindings or None
        What is wrong with it, where it was looked at.
    """

    density: float
    notes: list[str]
    seen: PairFindings | None


@dataclass
class ComputedPair:
    """The contents of the files that can be written of a computed pair.

    Attributes
    ----------
    name : str
        Of the left image, for people.
    settings : Settings
        With which it was computed.
    pipeline : StereoPipeline
        Has just matched it.
    colours : str
        Colour map of the pictures.
    notes : list of str
        Remarks on what was made, a sentence each.
    """

    name: str
    settings: Settings
    pipeline: StereoPipeline
    colours: str = 'turbo'
    notes: list[str] = field(default_factory=list)

    def disparity(self) -> Float:
        """Return x_l - x_r, (h, w), pixels of the result, NaN where unknown."""
        return known_disparity(self.pipeline.fixed, self.pipeline.settings.min_disparity)

    def depth(self) -> Float:
        """Return the depth, (h, w), metres, NaN where unknown."""
        depth = np.empty(self.pipeline.fixed.shape, np.float32)
        self.pipeline.depth(depth)
        return depth

    def kitti(self) -> bytes:
        """Return the disparity in KITTI's format."""
        content, lost = kitti_png(self.disparity())
        self._note_lost(lost, 'disparities below 0 or above 255.99 px')
        return content

    def millimetres(self) -> bytes:
        """Return the depth as PNG."""
        content, lost = millimetre_png(self.depth())
        self._note_lost(lost, 'depths beyond 65.535 m')
        return content

    def cloud(self) -> bytes:
        """Return the point cloud; in baselines where there is no calibration."""
        geometry, depth = self.pipeline.geometry, None
        unit = 'metres'
        if geometry is None:
            unit = 'baselines (uncalibrated, focal length assumed 0.8 image widths)'
            geometry = unit_geometry(self.pipeline.width, self.pipeline.height)
            depth = self.disparity()
            depth_from_disparity(depth, ~(depth > 0), geometry, depth)
            self.notes.append(f'the point cloud is in {unit}')
        points = PointProjector(geometry).project(self.depth() if depth is None else depth)
        colours = self.pipeline.colour()[points.rows, points.columns]
        return ply(
            points.xyz,
            colours,
            [f'unit: {unit}', 'frame: left camera, x right, y down, z forward'],
        )

    def picture(self) -> bytes:
        """Return a picture of the left image, disparity and depth side by side."""
        colours = self.colours
        disparity = self.disparity()
        panels = [Panel('Left image', self.pipeline.colour()), self._disparity_panel(disparity)]
        if self.pipeline.geometry is not None:
            panels.append(Panel('Depth', self.depth(), 'm', colours=_reversed(colours)))
        share = 100.0 * np.count_nonzero(np.isfinite(disparity)) / disparity.size
        settings = self.settings
        caption = (
            f'{self.name}: {share:.1f} % of the pixels, {settings.algorithm}, '
            f'{settings.num_disparities} disparities, block {settings.block_size}'
        )
        return png_of_panels(panels, caption=caption, columns=len(panels))

    def _disparity_panel(self, disparity: Float) -> Panel:
        colours, settings = self.colours, self.pipeline.settings
        if colours not in _GREYS:
            return Panel('Disparity', disparity, 'px', colours=colours)
        # As OpenCV's tutorial shows it: the whole range, and black where it is unknown.
        low, high = settings.min_disparity - 1, settings.min_disparity + settings.num_disparities
        black = np.where(np.isfinite(disparity), disparity, np.float32(low))
        return Panel('Disparity (black: unknown)', black, 'px', (low, high), colours)

    def _note_lost(self, lost: int, what: str) -> None:
        if lost:
            self.notes.append(f'{lost} {what} do not fit the PNG and are unknown in it')


KINDS: dict[str, Callable[[ComputedPair], bytes]] = {
    'disparity.pfm': lambda result: pfm(result.disparity()),
    'disparity.png': ComputedPair.kitti,
    'disparity.npy': lambda result: npy(result.disparity()),
    'depth.png': ComputedPair.millimetres,
    'depth.npy': lambda result: npy(result.depth()),
    'depth.tiff': lambda result: tiff(result.depth()),
    'cloud.ply': ComputedPair.cloud,
    'picture.png': ComputedPair.picture,
}
"""What can be written, and what makes it."""

METRIC_KINDS = tuple(kind for kind in KINDS if kind.startswith('depth'))
"""What cannot be had without a calibration."""


def compute_pairs(
    tasks: Iterable[ImageTask], processes: int
) -> Iterator[tuple[ImageTask, PairOutcome | StereoDepthError]]:
    """Compute pairs in several processes, whatever becomes of some of them.

    Parameters
    ----------
    tasks : iterable of ImageTask
        The pairs; a few are taken at a time.
    processes : int
        Processes to work in, 1 or more.

    Yields
    ------
    task : ImageTask
        One that has ended; they come in any order.
    outcome : PairOutcome or StereoDepthError
        As `compute_pair` returns or raises it.

    Raises
    ------
    StereoDepthError
        Of the tasks, where a video has no further pair; when all that came before is done.
    """
    with local_workers(processes) as workers:

        def submit(task: ImageTask) -> Future[PairOutcome]:
            return workers.submit(compute_pair, replace(task, threads=workers.threads))

        for task, future in completed(tasks, submit, workers.window):
            yield task, _outcome(future)


def compute_pair(task: ImageTask) -> PairOutcome:
    """Compute a pair and write its results.

    Raises
    ------
    StereoDepthError
        If the images, the calibration or the settings cannot be used, or a result cannot be
        written.
    """
    if task.threads is not None:
        cv2.setNumThreads(task.threads)
    images = task.source.read()
    outputs = [path for _, path in task.outputs]
    for path in outputs:
        check_output(path, overwrite=task.overwrite)
    check_is_no_input(outputs, filter(None, (task.source.left, task.source.right)))
    height, width = images.left.shape
    geometry: StereoGeometry | None = task.calibration.geometry_for(width, height, task.settings)
    cameras = task.calibration.cameras_for(width, height)
    pipeline = StereoPipeline(
        task.settings, width, height, geometry, cameras if task.settings.rectify else None
    )
    pipeline.match(images.left, images.right, colour=lambda: images.colours[0])
    result = ComputedPair(task.source.left.name, task.settings, pipeline, task.colours)
    seen = None
    if task.is_looked_at:
        seen = findings_of_pair(pipeline, images.left, images.right, cameras)
    density = np.count_nonzero(np.isfinite(result.disparity())) / pipeline.fixed.size
    for kind, path in task.outputs:
        write_file(path, KINDS[kind](result), overwrite=task.overwrite)
    return PairOutcome(density, result.notes, seen)


def _outcome(future: Future[PairOutcome]) -> PairOutcome | StereoDepthError:
    try:
        return result_of(future)
    except StereoDepthError as error:
        return error


def _reversed(colours: str) -> str:
    """Return the colour map that gives near things the same colours in depth as in disparity."""
    return colours.removesuffix('_r') if colours.endswith('_r') else f'{colours}_r'
