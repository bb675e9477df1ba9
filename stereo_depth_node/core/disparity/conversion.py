# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The results of a matcher in the units that are published, without new memory per frame."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.disparity.depth import (
    depth_from_disparity,
    depth_limits,
    disparity_in_pixels,
    FixedLimits,
    millimetres_from_depth,
)
from stereo_depth_node.core.matching.kernel.provider import kernel_state, KernelState
from stereo_depth_node.core.matching.opencv import DISPARITY_SCALE
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['DisparityConversion']

Fixed = npt.NDArray[np.int16]
Float = npt.NDArray[np.float32]

_SCALE = np.float32(1.0 / DISPARITY_SCALE)


class DisparityConversion:
    """Converts fixed-point disparities of one stereo camera.

    numpy does it in several passes; once the kernel is loaded, compiled code does the same bit
    for bit in one.

    Parameters
    ----------
    settings : Settings
        Of the matcher, in pixels of the matched images.
    geometry : StereoGeometry or None
        Of the matched images. Without it there is no depth.
    """

    def __init__(self, settings: Settings, geometry: StereoGeometry | None) -> None:
        self._offset = np.float32(geometry.offset if geometry is not None else 0.0)
        self._metric = None if geometry is None else (geometry, depth_limits(settings, geometry))
        self._masks: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None = None
        self._metres: Float | None = None

    def disparity(self, fixed: Fixed, out: Float) -> None:
        """Write d = x_l - x_r - (cx_l - cx_r) in pixels into `out`, (h, w) float32."""
        if not _compiled_code_takes(fixed, out):
            disparity_in_pixels(fixed, float(self._offset), out)
            return
        from stereo_depth_node.core.matching.kernel.conversion import convert_to_disparity

        convert_to_disparity(fixed.reshape(-1), _SCALE, self._offset, out.reshape(-1))

    def depth(self, fixed: Fixed, out: npt.NDArray[np.float32] | npt.NDArray[np.uint16]) -> None:
        """Write the depth into `out`, (h, w): float32 metres or uint16 millimetres.

        Raises
        ------
        ValueError
            If there is no geometry.
        """
        geometry, _ = self._camera()
        if out.dtype == np.float32:
            self._metres_into(fixed, cast(Float, out))
            return
        if self._metres is None:
            self._metres = np.empty(fixed.shape, np.float32)
        disparity_in_pixels(fixed, float(self._offset), self._metres)
        depth_from_disparity(self._metres, self.unknown(fixed), geometry, self._metres, fill=0.0)
        millimetres_from_depth(self._metres, cast('npt.NDArray[np.uint16]', out))

    def unknown(self, fixed: Fixed) -> npt.NDArray[np.bool_]:
        """Return where there is no depth, (h, w) bool, good until the next call.

        Raises
        ------
        ValueError
            If there is no geometry.
        """
        _, limits = self._camera()
        if self._masks is None:
            self._masks = (np.empty(fixed.shape, np.bool_), np.empty(fixed.shape, np.bool_))
        limits.reject(fixed, *self._masks)
        return self._masks[0]

    def _metres_into(self, fixed: Fixed, out: Float) -> None:
        geometry, limits = self._camera()
        if not _compiled_code_takes(fixed, out):
            disparity_in_pixels(fixed, float(self._offset), out)
            depth_from_disparity(out, self.unknown(fixed), geometry, out)
            return
        from stereo_depth_node.core.matching.kernel.conversion import convert_to_depth

        convert_to_depth(
            fixed.reshape(-1),
            _SCALE,
            self._offset,
            np.float32(geometry.f * geometry.baseline),
            np.int16(limits.low),
            np.int16(limits.high),
            out.reshape(-1),
        )

    def _camera(self) -> tuple[StereoGeometry, FixedLimits]:
        if self._metric is None:
            raise ValueError('depth needs a geometry: give the pipeline a StereoGeometry')
        return self._metric


def _compiled_code_takes(fixed: Fixed, out: Float) -> bool:
    """Tell whether there is compiled code for arrays like these.

    For others numba would compile anew, in the middle of a frame.
    """
    return (
        kernel_state()[0] is KernelState.READY
        and fixed.flags.carray
        and out.flags.carray
        and out.dtype == np.float32
    )
