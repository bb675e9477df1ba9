# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
r"""How uncertain a depth is: one standard deviation for every pixel.

Depth is Z = f * B / d, so to first order an error in d becomes::

    sigma_Z = |dZ/dd| * sigma_d = Z^2 / (f * B) * sigma_d

sigma_d has four independent parts, sums and variances over the block that is matched::

    sigma_d^2 = s^2  +  var(l - r) / sum(g^2)  +  var(d)  +  e^2 * (1 + (sum(g*h) / sum(g^2))^2)

1. *Sub-pixel step.* Disparities come in steps of q = 1/16 px. OpenCV's block matching rounds
   up, so that the error is uniform from 0 to q and s^2 = q^2 / 3. The semi-global matchers
   round to nearest, q^2 / 12, but compare pixels by the measure of Birchfield and Tomasi ("A
   pixel dissimilarity measure that is insensitive to image sampling", TPAMI 20(4), 1998): what
   is insensitive to shifts below half a pixel says little about them, and their results crowd
   at whole pixels. On planes of exactly known disparity that is 0.17 to 0.20 px (root mean
   square) for textures of 3.5 to 60 px and any block size. Each algorithm has its s^2 in its
   entry (:mod:`.algorithms`).
2. *Match quality.* Least squares over a block finds a shift with variance
   2 * n^2 / sum(g^2), where n is the standard deviation of the noise of one image and g the
   horizontal gradient (Matthies, Kanade, Szeliski, "Kalman filter-based algorithms for
   estimating depth from image sequences", IJCV 3, 1989, section 3; it is the Cramer-Rao
   bound). 2 * n^2 is measured as the variance, over the block, of the left image minus the
   right one moved by the disparity: noise, and everything else in which the images differ. It
   is at least 2/12, as grey values are rounded. Flat blocks and bad matches become uncertain.
3. *Shape.* The matcher gives a block one disparity, a mean weighted by texture of those in the
   block, and the pixel in its middle has any one of them: their variance over the block is
   the square of what it may be off by. Slopes and edges become uncertain.

4. *Rectification.* With the rows e apart, the block is compared with one that is e rows off. To
   first order the images then differ by g * x + h * e, where h is the vertical gradient and x an
   error of the disparity; the matcher takes the x that makes the sum of squares smallest::

       d/dx sum((g*x + h*e)^2) = 0    =>    x = -e * sum(g*h) / sum(g^2)

   Upright edges forgive rows that are apart, slanted ones do not. What moves rows, an error of
   the calibration, has no preferred direction, and moves columns as far: that enters the
   disparity as it is, and cannot be seen in the images. Hence the 1. e is the standard deviation
   of the rows about 0: the setting `rectification_sigma`, or what was measured.

What is known in the least is that the disparity lies in the range searched, so sigma_d never
exceeds num_disparities / sqrt(12).

It is the spread of *right* matches. Where a repeated or missing texture made the matcher choose
another surface, the error cannot be estimated from one block.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from stereo_depth_node.core.arrays import Fixed, Float, Grey, Mask
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.disparity.depth import disparity_in_pixels
from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.algorithms.table import algorithm_of

__all__ = ['DepthUncertainty']


# Variance of a value rounded to whole steps.
_ROUNDING = 1.0 / 12.0
# A variance needs a few pixels; semi-global matching works with blocks down to one.
_SMALLEST_BLOCK = 3
# cv2.Sobel of size 3 sums to 8 for a slope of 1 grey level per pixel.
_SOBEL_SCALE = 1.0 / 8.0
# Gradients below what rounding alone makes of a flat block carry no information.
_NO_GRADIENT = 1e-3


class DepthUncertainty:
    """Computes the standard deviation of depths.

    Parameters
    ----------
    settings : Settings
        Of the matcher that gave the disparities.
    geometry : StereoGeometry
        Of the images that were matched.
    """

    def __init__(self, settings: Settings, geometry: StereoGeometry) -> None:
        self._settings, self._geometry = settings, geometry
        block = max(settings.block_size, _SMALLEST_BLOCK)
        self._block = (block, block)
        self._step = np.float32(algorithm_of(settings).sub_pixel_variance)
        self._worst = np.float32(settings.num_disparities**2 * _ROUNDING)
        columns = np.arange(geometry.width, dtype=np.float32)
        self._columns = np.tile(columns, (geometry.height, 1))
        shape = self._columns.shape
        rows = np.arange(geometry.height, dtype=np.float32)[:, np.newaxis]
        self._rows = np.ascontiguousarray(np.broadcast_to(rows, shape))
        # Memory that is asked for anew in every frame costs more than all that is computed in it.
        self._disparity, self._gradient, self._energy, self._variance = (
            np.empty(shape, np.float32) for _ in range(4)
        )
        self._scratch, self._product = (np.empty(shape, np.float32) for _ in range(2))
        self._sums = [np.empty(shape, np.float64) for _ in range(3)]
        self._moved = np.empty(shape, np.uint8)
        self._masks = [np.empty(shape, np.bool_) for _ in range(2)]

    def compute(
        self,
        left: Grey,
        right: Grey,
        fixed: Fixed,
        unknown: Mask,
        out: Float,
        row_sigma: float = 0.0,
    ) -> None:
        """Write the standard deviation of each depth.

        Parameters
        ----------
        left, right : (H, W) uint8 ndarray
            The pair as it was matched.
        fixed : (H, W) int16 ndarray
            Its disparities, x_l - x_r in 1/16 px.
        unknown : (H, W) bool ndarray
            Where there is no depth.
        out : (H, W) float32 ndarray
            Receives sigma_Z in metres, NaN where there is no depth.
        row_sigma : float
            Standard deviation of y_left - y_right, pixels; with 0 its part is not computed.
        """
        disparity, energy, variance = self._disparity, self._energy, self._variance
        gradient = self._gradient
        disparity_in_pixels(fixed, 0.0, disparity)
        cv2.Sobel(left, cv2.CV_32F, 1, 0, gradient, scale=_SOBEL_SCALE)
        self._sum(gradient, gradient, energy)
        np.maximum(energy, np.float32(_NO_GRADIENT), out=energy)
        self._match_variance(left, right, disparity, variance)
        np.divide(variance, energy, out=variance)
        if row_sigma > 0.0:
            np.add(variance, self._rectification_variance(left, row_sigma), out=variance)
        np.add(variance, self._shape_variance(disparity, unknown), out=variance)
        np.add(variance, self._step, out=variance)
        np.minimum(variance, self._worst, out=variance)
        np.subtract(disparity, np.float32(self._geometry.offset), out=disparity)
        # sigma_Z = Z^2 / (f * B) * sigma_d = f * B / d^2 * sigma_d
        product = np.float32(self._geometry.f * self._geometry.baseline)
        np.sqrt(variance, out=out)
        with np.errstate(divide='ignore', invalid='ignore', over='ignore'):  # unknown pixels
            np.multiply(disparity, disparity, out=disparity)
            np.divide(out, disparity, out=out)
            np.multiply(out, product, out=out)
        np.copyto(out, np.float32(math.nan), where=unknown)

    def uncertain(self, fixed: Fixed, sigma: Float) -> Mask:
        """Return where a depth is more uncertain than the settings allow.

        Parameters
        ----------
        fixed : (H, W) int16 ndarray
            Disparities, x_l - x_r in 1/16 px.
        sigma : (H, W) float32 ndarray
            The standard deviation of their depths, metres; NaN where there is none.

        Returns
        -------
        (H, W) bool ndarray
            Good until the next call.
        """
        settings, geometry = self._settings, self._geometry
        result, more = self._masks
        result[:] = False
        with np.errstate(invalid='ignore'):  # NaN exceeds nothing
            if settings.max_uncertainty:
                np.greater(sigma, np.float32(settings.max_uncertainty), out=result)
            if settings.max_relative_uncertainty:
                # sigma_Z > share * Z, with Z = f * B / d
                share = settings.max_relative_uncertainty * geometry.f * geometry.baseline
                relative = self._scratch
                disparity_in_pixels(fixed, geometry.offset, relative)
                np.multiply(sigma, relative, out=relative)
                np.greater(relative, np.float32(share), out=more)
                np.logical_or(result, more, out=result)
        return result

    def _sum(self, one: Float, other: Float, out: Float) -> None:
        """Write the sum over the block of the product of two images, (H, W)."""
        cv2.multiply(one, other, self._product)
        cv2.boxFilter(self._product, -1, self._block, out, normalize=False)

    def _match_variance(self, left: Grey, right: Grey, disparity: Float, out: Float) -> None:
        """Write var(l - r), (H, W), squared grey levels."""
        moved, mean, residual = self._moved, self._scratch, self._product
        border = cv2.BORDER_REPLICATE
        columns = np.subtract(self._columns, disparity, out=self._scratch)
        cv2.remap(right, columns, self._rows, cv2.INTER_LINEAR, moved, borderMode=border)
        cv2.subtract(left, moved, residual, dtype=cv2.CV_32F)
        cv2.blur(residual, self._block, mean)
        cv2.multiply(residual, residual, residual)
        cv2.blur(residual, self._block, out)
        np.multiply(mean, mean, out=mean)
        np.subtract(out, mean, out=out)
        np.maximum(out, np.float32(2.0 * _ROUNDING), out=out)

    def _rectification_variance(self, left: Grey, row_sigma: float) -> Float:
        """Return e^2 * (1 + (sum(g*h) / sum(g^2))^2), (H, W), px^2, of the gradients at hand."""
        result = self._scratch
        cv2.Sobel(left, cv2.CV_32F, 0, 1, result, scale=_SOBEL_SCALE)
        self._sum(self._gradient, result, result)
        np.divide(result, self._energy, out=result)
        np.multiply(result, result, out=result)
        np.add(result, np.float32(1.0), out=result)
        return np.multiply(result, np.float32(row_sigma**2), out=result)

    def _shape_variance(self, disparity: Float, unknown: Mask) -> Float:
        """Return the variance of the known disparities in each block, (H, W), px^2."""
        known = np.logical_not(unknown, out=self._masks[0])
        values = np.multiply(disparity, known, out=self._scratch)
        # In 64 bit: a difference of squares of up to 2000 px must resolve 1/100 px.
        count, total, square = self._sums
        depth, block = cv2.CV_64F, self._block
        cv2.boxFilter(known.view(np.uint8), depth, block, count, normalize=False)
        cv2.boxFilter(values, depth, block, total, normalize=False)
        cv2.sqrBoxFilter(values, depth, block, square, normalize=False)
        np.maximum(count, 1.0, out=count)
        # var(d) = (sum(d^2) - sum(d)^2 / n) / n
        np.multiply(total, total, out=total)
        np.divide(total, count, out=total)
        np.subtract(square, total, out=square)
        np.divide(square, count, out=square)
        result = self._scratch
        np.copyto(result, square, casting='same_kind')
        return np.maximum(result, 0.0, out=result)
