# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The stereo cameras of scenes of data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import read_text
from stereo_depth_node.offline.calibrations.content import CalibrationFile, numbers_in
from stereo_depth_node.offline.calibrations.data_sets import kitti_pairs, middlebury_pair
from stereo_depth_node.offline.calibrations.stereo import CameraPair

__all__ = [
    'kitti_geometry',
    'middlebury_2006_geometry',
    'middlebury_2006_reduction',
    'middlebury_2014_geometry',
]

# Middlebury 2005 and 2006: one camera on a rail, the same for all scenes.
_FOCAL_2006_PX = 3740.0
_BASELINE_2006_M = 0.160
# Full-size images are 1240 to 1400 px wide, the others a half or a third of it.
_REDUCTION_2006 = ((520, 3.0), (1000, 2.0))


def middlebury_2014_geometry(path: Path, width: int, height: int) -> StereoGeometry:
    """Read a calib.txt, whatever size it is for.

    Raises
    ------
    InputError
        If it cannot be read, or an entry is missing.
    CalibrationError
        If its numbers do not make a stereo camera.
    """
    pair = middlebury_pair(CalibrationFile(path, read_text(path)))
    return _geometry(pair, width, height)


def middlebury_2006_geometry(path: Path, width: int, height: int) -> StereoGeometry:
    """Read a dmin.txt: what the crop of the images took from the disparities of full size.

    f is 3740 px at full size and the baseline 160 mm, as the data set's page says. The
    principal point is not known, only the offset matters for depth; the centre stands for it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    numbers = numbers_in(read_text(path))
    if not numbers:
        raise InputError(f'{path} holds no number: dmin.txt of Middlebury 2005 and 2006 has one')
    factor = middlebury_2006_reduction(width)
    f, offset = _FOCAL_2006_PX / factor, numbers[0] / factor
    cx, cy = (width - 1) / 2.0, (height - 1) / 2.0
    return StereoGeometry(width, height, f, cx, cy, cx + offset, _BASELINE_2006_M)


def middlebury_2006_reduction(width: int) -> float:
    """Return by what images of this width are smaller than full size: 1, 2 or 3.

    Grey values of disp1.png are disparities times this.
    """
    return next((factor for limit, factor in _REDUCTION_2006 if width < limit), 1.0)


def kitti_geometry(path: Path, width: int, height: int, *, is_colour: bool) -> StereoGeometry:
    """Read a calibration of KITTI: ``P0: ...`` (2012) or ``P_rect_00: ...`` (2015).

    Parameters
    ----------
    path : Path
        The file.
    width, height : int
        Size of the images, pixels.
    is_colour : bool
        Whether the images are of the colour cameras (2 and 3) or of the grey ones (0 and 1).

    Raises
    ------
    InputError
        If it cannot be read, or the cameras are not in it.
    CalibrationError
        If its numbers do not make a stereo camera.
    """
    folder = 'image_2' if is_colour else 'image_0'
    pairs = kitti_pairs(CalibrationFile(path, read_text(path)), folder)
    pair = next((each for each in pairs if each.size == (width, height)), pairs[0])
    return _geometry(pair, width, height)


def _geometry(pair: CameraPair, width: int, height: int) -> StereoGeometry:
    geometry = StereoGeometry.from_calibrations(*pair.cameras(width, height))
    return replace(geometry, width=width, height=height)
