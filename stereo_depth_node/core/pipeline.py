# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a pair of grey images to disparity, depth and points, in buffers that are made once.

:class:`StereoPipeline` is what the node, the offline tools and the tests share. It is made for
one set of settings, one calibration and one image size, and made anew when one of them changes;
per frame it allocates nothing of image size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import (
    Colour,
    DISPARITY_SCALE,
    Fixed,
    Float,
    Grey,
    Mask,
    Millimetres,
)
from stereo_depth_node.core.camera.calibration import (
    CALIBRATE_AT_SIZE,
    CameraCalibration,
    why_size_differs,
)
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.point_cloud import packed_rgb, PointProjector
from stereo_depth_node.core.camera.preparation import ImagePreparation
from stereo_depth_node.core.disparity.colours import DisparityColours
from stereo_depth_node.core.disparity.depth import DisparityConversion, FixedLimits
from stereo_depth_node.core.disparity.filters import DisparityFilters
from stereo_depth_node.core.disparity.invalidation import invalid_value
from stereo_depth_node.core.disparity.uncertainty import DepthUncertainty
from stereo_depth_node.core.errors import ImageError
from stereo_depth_node.core.images.layouts import SEPARATE, size_error, whole_size
from stereo_depth_node.core.matching.left_border import LeftBorderMatcher
from stereo_depth_node.core.matching.selection import create_matcher
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.constraints import check_image_size
from stereo_depth_node.core.settings.window import region_of_interest, valid_window, ValidWindow

__all__ = ['StereoPipeline']


class StereoPipeline:
    """Matches pairs of one size and gives their disparity and depth.

    Parameters
    ----------
    settings : Settings
        What to compute and how.
    width, height : int
        Size of the images that come, pixels.
    geometry : StereoGeometry or None
        The stereo camera, of the same size. Without it there is disparity, but no depth.
    cameras : tuple of two CameraCalibration or None
        For raw images: the left and the right camera, to rectify their images by.

    Attributes
    ----------
    downscale : int
        Factor by which the images that come are reduced.
    fixed : (h, w) int16 ndarray
        Disparities of the last pair as matched, x_l - x_r in 1/16 px;
        (settings.min_disparity - 1) * DISPARITY_SCALE where there is none. (h, w) is
        (H, W) // downscale.
    geometry : StereoGeometry or None
        The stereo camera of the result, downscaled where the images are.
    left : (h, w) uint8 ndarray
        The left image of the last pair as it was matched: rectified and reduced.
    right : (h, w) uint8 ndarray
        The right image of the last pair as it was matched.
    row_sigma : float
        Standard deviation of y_left - y_right that was measured in the images as they are matched,
        pixels; to be set by whoever measures, the default of `rectification_sigma` until then. The
        uncertainty takes it where that setting is negative.
    settings : Settings
        The settings of the matcher, in pixels of the result.
    valid_window : ValidWindow
        The pixels of the result that can have a disparity: the matcher can reach them, and the
        region of interest holds them.
    width, height : int
        Size of the result, pixels.

    Raises
    ------
    SettingsError
        If the settings cannot work on images of this size.
    CalibrationSizeError, LayoutError
        If the calibration is for images of another size.
    CalibrationError
        If the images are raw and a camera has no usable calibration.

    Notes
    -----
    :meth:`match` computes; :meth:`disparity` and :meth:`depth` then convert its result into the
    buffers they are given, each time they are called, so that nothing is computed that is not
    needed. Not to be used by two threads at once.
    """

    def __init__(
        self,
        settings: Settings,
        width: int,
        height: int,
        geometry: StereoGeometry | None = None,
        cameras: tuple[CameraCalibration, CameraCalibration] | None = None,
    ) -> None:
        if geometry is not None and (geometry.width, geometry.height) != (width, height):
            size = geometry.width, geometry.height
            raise size_error((width, height), SEPARATE, size, CALIBRATE_AT_SIZE)
        factor = self.downscale = settings.downscale
        self.settings = settings = settings.for_downscaled_images()
        self.geometry = geometry.downscaled(factor) if geometry is not None else None
        self.width, self.height = size = width // factor, height // factor
        check_image_size(settings, *size)
        region = region_of_interest(settings, *size)
        self.valid_window: ValidWindow = valid_window(settings, *size).within(region)
        self._images = ImagePreparation(width, height, factor, cameras)
        self._matcher = create_matcher(settings)
        self._left_border = LeftBorderMatcher(settings, *size) if settings.fill_left_band else None
        self._invalid = invalid_value(settings.min_disparity)
        shape = (self.height, self.width)
        self.fixed: Fixed = np.full(shape, self._invalid, np.int16)
        self.left: Grey = np.zeros(shape, np.uint8)
        self.right: Grey = self.left
        self._filters = DisparityFilters(settings, self.valid_window, self._images.seen_areas())
        self._conversion = DisparityConversion(settings, self.geometry)
        self.row_sigma = Settings.rectification_sigma
        self._uncertainty: DepthUncertainty | None = None
        is_limited = settings.max_uncertainty or settings.max_relative_uncertainty
        # Of the last pair before the most uncertain depths were removed.
        self._sigma: Float | None = (
            np.empty(shape, np.float32) if is_limited and self.geometry is not None else None
        )
        self._colour_of_pair: Callable[[], Colour] | None = None
        self._colours: DisparityColours | None = None
        self._projector: PointProjector | None = None
        self._metres: Float = np.empty((0, 0), np.float32)

    @classmethod
    def from_calibrations(
        cls,
        settings: Settings,
        width: int,
        height: int,
        left: CameraCalibration,
        right: CameraCalibration,
    ) -> StereoPipeline:
        """Make the pipeline of two calibrated cameras.

        Raises
        ------
        CalibrationError
            If the calibrations do not make a stereo camera.
        SettingsError, SizeError
            As for the class.
        """
        left, right = (camera.sized(width, height) for camera in (left, right))
        geometry = StereoGeometry.from_calibrations(left, right, settings.baseline)
        if (geometry.width, geometry.height) != (width, height):
            raise size_error(
                whole_size(settings.stereo_layout, width, height),
                settings.stereo_layout,
                (geometry.width, geometry.height),
                why_size_differs(left, width, height),
            )
        return cls(settings, width, height, geometry, (left, right) if settings.rectify else None)

    @property
    def backend(self) -> str:
        """Text for people: what does the matching, and why."""
        return self._matcher.backend

    @property
    def offset(self) -> float:
        """cx_l - cx_r of the geometry, pixels; 0 without one."""
        return self.geometry.offset if self.geometry is not None else 0.0

    @property
    def depth_limits(self) -> FixedLimits:
        """The values of :attr:`fixed` that have a depth; all values without a geometry."""
        return self._conversion.limits

    @property
    def smallest_fixed(self) -> int:
        """The smallest value of :attr:`fixed` that is a disparity; all below is invalid."""
        return self.settings.min_disparity * DISPARITY_SCALE

    @property
    def min_disparity(self) -> float:
        """Smallest disparity that :meth:`disparity` can give, pixels; all below is invalid.

        Rounded to float32 as the pixels are, so that the comparison is exact.
        """
        return float(np.float32(self.settings.min_disparity) - np.float32(self.offset))

    @property
    def max_disparity(self) -> float:
        """Largest disparity that :meth:`disparity` can give, pixels."""
        largest = self.settings.min_disparity + self.settings.num_disparities - 1
        return float(np.float32(largest) - np.float32(self.offset))

    def match(
        self, left: Grey, right: Grey, *, colour: Callable[[], Colour] | None = None
    ) -> None:
        """Match a pair.

        Parameters
        ----------
        left, right : (H, W) uint8 ndarray
            Grey images; rectified, or raw where the pipeline has cameras.
        colour : callable, optional
            Returns the left image in RGB, (H, W, 3) uint8, for outputs in colour; it must do so
            until the next pair. Without it they are grey.

        Raises
        ------
        ImageError
            If an image is not grey, in 8 bits.
        SizeError
            If an image has not the size that the pipeline is made for.
        """
        self._images.check(left, right)
        prepare = self._images.prepare
        self.left, self.right = prepare(left, 0), prepare(right, 1)
        self._matcher.compute(self.left, self.right, self.fixed)
        if self._left_border is not None:
            self._left_border.fill(self.left, self.right, self.fixed)
        self._filters.apply(self.fixed, self.left)
        if self._sigma is not None:
            estimator = self._compute_uncertainty(self._sigma)
            uncertain = estimator.uncertain(self.fixed, self._sigma)
            np.copyto(self.fixed, np.int16(self._invalid), where=uncertain)
        self._colour_of_pair = colour

    def reset(self) -> None:
        """Forget the last pair: the next one does not follow it (a gap, a jump in time)."""
        self._filters.reset()

    def disparity(self, out: Float) -> None:
        """Write the disparity of the last pair.

        Parameters
        ----------
        out : (h, w) float32 ndarray
            Receives d = x_l - x_r - (cx_l - cx_r), pixels; below :attr:`min_disparity` where
            there is none.

        Raises
        ------
        ImageError
            If `out` is no such array.
        """
        self._check_out(out, np.float32)
        self._conversion.disparity(self.fixed, out)

    def unknown_depth(self) -> Mask:
        """Return where the last pair has no depth, (h, w) bool, good until the next pair.

        Raises
        ------
        ValueError
            If the pipeline has no geometry.
        """
        return self._conversion.unknown(self.fixed)

    def depth(self, out: Float | Millimetres) -> None:
        """Write the depth of the last pair.

        Parameters
        ----------
        out : (h, w) float32 or uint16 ndarray
            float32 receives metres, NaN where unknown; uint16 millimetres, 0 where unknown.

        Raises
        ------
        ValueError
            If the pipeline has no geometry.
        ImageError
            If `out` is no such array.
        """
        self._check_out(out, np.float32, np.uint16)
        self._conversion.depth(self.fixed, out)

    def uncertainty(self, out: Float) -> None:
        """Write the standard deviation of the depth of the last pair (:mod:`.uncertainty`).

        The images given to :meth:`match` must still be as they were.

        Parameters
        ----------
        out : (h, w) float32 ndarray
            Receives metres, 1 sigma; NaN where there is no depth.

        Raises
        ------
        ValueError
            If the pipeline has no geometry.
        ImageError
            If `out` is no such array.
        """
        self._check_out(out, np.float32)
        if self._sigma is None:
            self._compute_uncertainty(out)
        else:
            np.copyto(out, self._sigma)
            np.copyto(out, np.float32(np.nan), where=self.unknown_depth())

    @property
    def is_colour(self) -> bool:
        """Whether the left image of the last pair came in colour."""
        return self._colour_of_pair is not None

    def colour(self) -> Colour:
        """Return the left image of the last pair in RGB as it was matched, (h, w, 3) uint8."""
        if self._colour_of_pair is None:
            return cast(Colour, cv2.cvtColor(self.left, cv2.COLOR_GRAY2RGB))
        return self._images.colour(self._colour_of_pair())

    def disparity_colours(self) -> Colour:
        """Return the disparities of the last pair as colours, (h, w, 3) uint8 RGB."""
        if self._colours is None:
            self._colours = DisparityColours(self.settings)
        return self._colours.colour(self.fixed)

    def select_points(self) -> tuple[int, int]:
        """Decide which pixels of the last pair become points, and of which colour they are.

        Returns
        -------
        height, width : int
            Rows of points and points in a row: 1 and N, or with `points_organized` those of the
            image of points.

        Raises
        ------
        ValueError
            If the pipeline has no geometry.
        ImageError
            If the colours of the left image cannot be decoded.
        """
        if self._projector is None:
            settings = self.settings
            self._metres = np.empty((self.height, self.width), np.float32)
            self._projector = PointProjector(
                self._conversion.camera(),
                settings.points_step,
                settings.points_voxel,
                is_organized=settings.points_organized,
            )
        self.depth(self._metres)
        return self._projector.select(self._metres, self._values_of_points())

    def points(self, out: Float) -> None:
        """Write the points that :meth:`select_points` decided on, in the left optical frame.

        Parameters
        ----------
        out : (N, 3) or (N, 4) float32 ndarray
            Receives X, Y and Z, metres; in the fourth column the intensity from 0 to 255, or
            with `points_color` rgb the colour, the bits of 0x00RRGGBB.

        Raises
        ------
        SizeError
            If it has not room for exactly these points.
        """
        cast(PointProjector, self._projector).write(out)

    def _check_out(self, out: npt.NDArray[Any], *types: type[np.generic]) -> None:
        """Refuse an array of another kind: compiled code would write beyond it."""
        if out.shape != self.fixed.shape or out.dtype not in types:
            names = ' or '.join(each.__name__ for each in types)
            raise ImageError(
                f'the array for the result is {out.shape} {out.dtype}, expected '
                f'{self.fixed.shape} {names}: make it with np.empty({self.fixed.shape}, '
                f'np.{types[0].__name__})'
            )

    def _values_of_points(self) -> Float | None:
        """Return what points have in the fourth column, (h, w) float32, None for nothing."""
        if self.settings.points_color == 'intensity':
            return self.left.astype(np.float32)
        if self.settings.points_color == 'rgb':
            return packed_rgb(self.colour())
        return None

    def _compute_uncertainty(self, out: Float) -> DepthUncertainty:
        """Write the standard deviation of the depth of the last pair; return what computes it."""
        unknown = self.unknown_depth()
        if self._uncertainty is None:
            self._uncertainty = DepthUncertainty(self.settings, self._conversion.camera())
        row_sigma = self.settings.rectification_sigma
        if row_sigma < 0.0:
            row_sigma = self.row_sigma
        self._uncertainty.compute(self.left, self.right, self.fixed, unknown, out, row_sigma)
        return self._uncertainty
