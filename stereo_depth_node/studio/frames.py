# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the studio looks at: pairs of images, one or many, with what is known of the cameras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from stereo_depth_node.core.arrays import Fixed
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import MissingCalibrationError, SettingsError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.constraints import check_image_size
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.messages import calibration_from
from stereo_depth_node.offline.bags.plan import Calibration
from stereo_depth_node.offline.calibration_options import GivenCalibration
from stereo_depth_node.offline.calibrations.stereo import Cameras
from stereo_depth_node.offline.datasets.scenes import Scene

__all__ = ['Frame', 'SceneSource', 'Source', 'pair_source', 'recorded_cameras']


@dataclass(frozen=True, eq=False)
class Frame:
    """A pair of images as it came.

    Attributes
    ----------
    scene : Scene
        Images, and truth and geometry where there are any.
    title : str
        Of pictures of it.
    cameras : tuple of 2 CameraCalibration or None
        Left and right, where more is known of them than the geometry.
    before : Scene or None
        The pair before it in a recording, for the filter over time.
    published : (h, w) int16 ndarray or None
        The disparities that a node has published of it, x_l - x_r in 1/16 px, in place of those
        that are computed here.
    """

    scene: Scene
    title: str
    cameras: Cameras | None = None
    before: Scene | None = None
    published: Fixed | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images, pixels."""
        height, width = self.scene.left.shape
        return width, height

    def geometry(self, settings: Settings) -> StereoGeometry | None:
        """Return the stereo camera, None where it is not known.

        Raises
        ------
        CalibrationError
            If the calibration does not make one.
        """
        if self.cameras is not None:
            return StereoGeometry.from_calibrations(*self.cameras, settings.baseline)
        geometry = self.scene.geometry
        if geometry is not None and settings.baseline:
            return replace(geometry, baseline=settings.baseline)
        return geometry

    def check(self, settings: Settings) -> None:
        """Check that the settings can work on the pair, without matching it.

        Raises
        ------
        SettingsError
            If they are impossible for these images.
        CalibrationError
            If the calibration does not make a stereo camera.
        """
        if settings.rectify and (
            self.cameras is None or not all(each.is_rectifiable for each in self.cameras)
        ):
            raise SettingsError(
                'rectify is on, and there are no matrices K, D and R of raw images: give a '
                'calibration that has them with --calib'
            )
        self.geometry(settings)
        sizes = (length // settings.downscale for length in self.size)
        check_image_size(settings.for_downscaled_images(), *sizes)

    def pipeline(self, settings: Settings) -> StereoPipeline:
        """Make what matches the pair.

        Raises
        ------
        SettingsError, CalibrationError
            As for :meth:`check`.
        """
        self.check(settings)
        cameras = self.cameras if settings.rectify else None
        return StereoPipeline(settings, *self.size, self.geometry(settings), cameras)

    def rectified(self, settings: Settings) -> Scene:
        """Return the pair with rows that line up, in full size, for the search of settings.

        Raises
        ------
        SettingsError, CalibrationError
            As for :meth:`check`.
        """
        geometry = self.geometry(settings)
        if not settings.rectify or self.cameras is None:
            return replace(self.scene, geometry=geometry)
        return replace(self.scene.rectified(self.cameras), geometry=geometry)

    def matched(self, settings: Settings) -> StereoPipeline:
        """Return a pipeline that has matched the pair, behind the one before it where it counts.

        Raises
        ------
        SettingsError, CalibrationError
            As for :meth:`pipeline`.
        """
        pipeline, scene = self.pipeline(settings), self.scene
        if self.before is not None and settings.temporal_max_diff:
            pipeline.match(self.before.left, self.before.right)
        colours = scene.colours
        colour = (lambda: colours[0]) if colours is not None else None
        pipeline.match(scene.left, scene.right, colour=colour)
        return pipeline


class Source(Protocol):
    """Where the frames come from."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def count(self) -> int:
        """The number of frames that there are."""

    @property
    def apply(self) -> Callable[[Changes], str] | None:
        """Has changes taken by a running node whose settings they are, and returns why not."""

    def reading(self, settings: Settings) -> tuple[object, ...]:
        """Return of the settings what a frame depends on: it is read anew when that changes."""

    def frame(self, index: int, settings: Settings) -> Frame:
        """Return one of the frames.

        Parameters
        ----------
        index : int
            Which, from 0.
        settings : Settings
            How images are paired and calibrations are found.

        Raises
        ------
        StereoDepthError
            If it cannot be read.
        """

    def pairs(self, index: int, settings: Settings) -> Sequence[Scene]:
        """Return rectified pairs to search settings for, when a frame is shown.

        Raises
        ------
        StereoDepthError
            If they cannot be had.
        """


@dataclass(frozen=True, eq=False)
class SceneSource:
    """One pair: two images, or a scene of a data set.

    Attributes
    ----------
    only : Frame
        The pair.
    """

    only: Frame
    count: int = 1
    apply: None = None

    @property
    def name(self) -> str:
        """For people."""
        return self.only.scene.name

    def reading(self, settings: Settings) -> tuple[object, ...]:
        """Return nothing: the pair is always the same."""
        return ()

    def frame(self, index: int, settings: Settings) -> Frame:
        """Return the pair; see :class:`Source`."""
        return self.only

    def pairs(self, index: int, settings: Settings) -> Sequence[Scene]:
        """Return the pair; see :class:`Source`."""
        return [self.only.rectified(settings)]


def recorded_cameras(infos: Calibration, scene: Scene, settings: Settings) -> Cameras | None:
    """Return the cameras of a pair of messages; None where nothing is said of them.

    Parameters
    ----------
    infos : tuple of 2 bytes or None
        CameraInfo of the left and the right camera, serialized.
    scene : Scene
        The pair.
    settings : Settings
        May name calibration files.

    Raises
    ------
    InputError
        If a message or a file cannot be used.
    """
    try:
        calibration = calibration_from(infos, settings)
    except MissingCalibrationError:
        return None
    height, width = scene.left.shape
    return calibration.left.sized(width, height), calibration.right.sized(width, height)


def pair_source(scene: Scene, title: str, calibration: GivenCalibration) -> SceneSource:
    """Return the source of a pair whose calibration was given.

    Raises
    ------
    CalibrationError
        If the calibration is none of theirs.
    """
    height, width = scene.left.shape
    cameras = calibration.cameras_for(width, height)
    if cameras is None:
        scene = replace(scene, geometry=calibration.geometry_for(width, height, Settings()))
    return SceneSource(Frame(scene, title, cameras))
