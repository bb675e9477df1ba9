# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration files of stereo data sets."""

from __future__ import annotations

from pathlib import Path
import re

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.files.formats import described_os_error

__all__ = [
    'kitti_geometry',
    'middlebury_2006_geometry',
    'middlebury_2006_reduction',
    'middlebury_2014_geometry',
]

_NUMBER = re.compile(r'-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?')
# Middlebury 2005 and 2006: one camera on a rail, the same for all scenes.
_FOCAL_2006_PX = 3740.0
_BASELINE_2006_M = 0.160
# Full-size images are 1240 to 1400 px wide, the others a half or a third of it.
_REDUCTION_2006 = ((520, 3.0), (1000, 2.0))


def middlebury_2014_geometry(path: Path, width: int, height: int) -> StereoGeometry:
    """Read a calib.txt: ``cam0=[f 0 cx; 0 f cy; 0 0 1]``, doffs, baseline in mm.

    Raises
    ------
    InputError
        If it cannot be read, or an entry is missing.
    """
    entries = dict(
        line.split('=', 1) for line in _lines(path) if '=' in line and not line.startswith('#')
    )
    camera = _numbers(path, entries, 'cam0', 9)
    offset = _numbers(path, entries, 'doffs', 1)[0]
    baseline = _numbers(path, entries, 'baseline', 1)[0] / 1000.0
    f, cx, cy = camera[0], camera[2], camera[5]
    return StereoGeometry(width, height, f, cx, cy, cx + offset, baseline)


def middlebury_2006_geometry(path: Path, width: int, height: int) -> StereoGeometry:
    """Read a dmin.txt: what the crop of the images took from the disparities of full size.

    f is 3740 px at full size and the baseline 160 mm, as the data set's page says. The
    principal point is not known, only the offset matters for depth; the centre stands for it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    numbers = [float(number) for line in _lines(path) for number in _NUMBER.findall(line)]
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
    """
    entries = dict(line.split(':', 1) for line in _lines(path) if ':' in line)
    cameras = (2, 3) if is_colour else (0, 1)
    left, right = (
        _numbers(path, entries, name if (name := f'P_rect_0{each}') in entries else f'P{each}', 12)
        for each in cameras
    )
    f = left[0]
    baseline = left[3] / f - right[3] / right[0]
    return StereoGeometry(width, height, f, left[2], left[6], right[2], baseline)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding='utf-8').splitlines()
    except OSError as error:
        raise described_os_error('read', path, error) from error
    except UnicodeDecodeError as error:
        raise InputError(f'{path} is no text file: expected a calibration') from error


def _numbers(path: Path, entries: dict[str, str], key: str, count: int) -> list[float]:
    numbers = [float(number) for number in _NUMBER.findall(entries.get(key, ''))]
    if len(numbers) < count:
        raise InputError(f'{path}: {key} has {len(numbers)} numbers, expected {count}')
    return numbers[:count]
