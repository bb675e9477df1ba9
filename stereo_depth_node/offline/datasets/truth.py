# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth and masks for two images, in the formats that such files come in.

====================== ======================== =========================
format                 unknown                  disparity
====================== ======================== =========================
PFM, grey              infinite or NaN          value
NPY, NPZ, TIFF; float  infinite or NaN          value
PNG of 16 bits (KITTI) 0                        value / 256
other whole numbers    0                        value / scale, to be said
====================== ======================== =========================
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Float, Mask
from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.images.npy import array_of_npy, array_of_npz, NPY_MAGIC, NPZ_MAGIC
from stereo_depth_node.core.settings.text_files import printable, read_bytes
from stereo_depth_node.offline.datasets.scenes import load_pair, Scene
from stereo_depth_node.offline.files.formats import KITTI_SCALE, read_pfm
from stereo_depth_node.offline.terminal import print_problem

__all__ = ['add_truth_options', 'load_given_pair', 'read_mask', 'read_truth']

_MOST_BYTES = 1 << 30
# Share of the known pixels: a few are errors of the truth.
_MOST_ODD = 0.01
_PNG_MAGIC = b'\x89PNG'


def add_truth_options(group: argparse._ActionsContainer) -> None:
    """Add the options for the ground truth of two images."""
    group.add_argument(
        '--truth',
        type=Path,
        metavar='FILE',
        help='disparities of the left image: PFM, 16-bit PNG of KITTI, TIFF, NPY, NPZ, or 8-bit '
        'PNG with --truth-scale',
    )
    group.add_argument(
        '--truth-scale',
        type=float,
        metavar='S',
        help='the numbers in the file are S times the pixels (default: as the format has it)',
    )
    group.add_argument(
        '--mask', type=Path, metavar='FILE', help='image that is 0 where no pixel counts'
    )


def load_given_pair(
    arguments: argparse.Namespace, names: Sequence[str], layout: str = ''
) -> Scene:
    """Load two rectified images, with their ground truth where that is given, and say its doubts.

    A mask that has values between 0 and its largest one, as those of Middlebury have, says that
    only the right camera does not see these pixels.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of a parser that went through :func:`add_truth_options`.
    names : sequence of str
        The images, or the one that holds both.
    layout : str
        One of :data:`.layouts.LAYOUTS` where one holds both.

    Raises
    ------
    SettingsError
        If there are not as many names as images, or an option misses another one.
    InputError
        If a file cannot be read, or is not of the size of the left image.
    ImageError
        If the images do not make a pair.
    """
    if len(names) != (1 if layout else 2):
        wanted = 'the one image that holds both' if layout else 'two images, LEFT RIGHT'
        raise SettingsError(f'{len(names)} names are given: give {wanted}')
    truth, scale, mask = arguments.truth, arguments.truth_scale, arguments.mask
    if truth is None and (scale is not None or mask is not None):
        option = '--truth-scale' if scale is not None else '--mask'
        raise SettingsError(f'{option} goes with --truth, which is missing')
    if scale is not None and not scale > 0:
        raise SettingsError(f'--truth-scale is {scale:g}: it must be above 0')
    left, right = Path(names[0]), None if layout else Path(names[1])
    pair = load_pair(left, right, layout=layout)
    if truth is None:
        return pair
    disparity = read_truth(truth, scale)
    _check_size(truth, disparity, left, pair.left)
    visible = None
    if mask is not None:
        counts, visible = read_mask(mask)
        _check_size(mask, counts, left, pair.left)
        disparity = np.where(counts, disparity, np.float32(np.nan))
    if doubt := _doubt_of_truth(disparity):
        print_problem(f'{printable(truth)}: {doubt}', is_error=False)
    return replace(pair, truth=disparity, visible=visible)


def read_truth(path: Path, scale: float | None = None) -> Float:
    """Read a disparity image.

    Returns
    -------
    (H, W) float32 ndarray
        x_l - x_r, pixels, NaN where unknown.

    Raises
    ------
    InputError
        If it cannot be read, has colours, or its scale is not known.
    """
    values, kind = _read(path)
    if values.dtype.kind == 'f':
        known = np.isfinite(values)
    else:
        known = values != 0
        if scale is None and values.dtype == np.uint16 and kind == _PNG_MAGIC:
            scale = KITTI_SCALE
        if scale is None:
            raise InputError(
                f'{printable(path)} has whole numbers of {8 * values.dtype.itemsize} bits: say '
                'by what they are to be divided to be pixels, as in --truth-scale 4 (Middlebury '
                '2003: 4 or 8, 2005 and 2006: 1 to 3, KITTI: 256)'
            )
    with np.errstate(over='ignore', divide='ignore'):
        disparity = np.where(known, values, np.nan).astype(np.float32) / np.float32(scale or 1.0)
    if not np.isfinite(disparity).any():
        raise InputError(f'{printable(path)} has no known pixel')
    return disparity


def _doubt_of_truth(truth: Float) -> str:
    """Return what is odd in a ground truth, empty where nothing is.

    Hardly a point has a disparity of 0 or below, and none one of the width of the image: such
    numbers mostly stand for unknown.
    """
    known = truth[np.isfinite(truth)]
    odd = np.count_nonzero((known <= 0) | (known >= truth.shape[1])) / max(known.size, 1)
    if odd < _MOST_ODD:
        return ''
    return (
        f'{100 * odd:.1f} % of its known pixels are 0 or below, or not below the width of the '
        'images: these count as they are, as x_l - x_r; if they mean unknown, leave them out '
        'with --mask'
    )


def read_mask(path: Path) -> tuple[Mask, Mask | None]:
    """Read an image of the pixels that count.

    Returns
    -------
    counts : (H, W) bool ndarray
        Where it is not 0.
    visible : (H, W) bool ndarray or None
        Where it has its largest value, if it has values between.

    Raises
    ------
    InputError
        If it cannot be read, or has colours.
    """
    values, _ = _read(path)
    counts, visible = values != 0, values == values.max()
    return counts, visible if np.any(counts & ~visible) else None


def _read(path: Path) -> tuple[npt.NDArray[Any], bytes]:
    """Return the numbers, (H, W), and the first four bytes of the file."""
    content = read_bytes(path, _MOST_BYTES)
    if content[:2] in (b'Pf', b'PF'):
        return read_pfm(path), content[:4]
    if content.startswith(NPY_MAGIC):
        values: Any = array_of_npy(content, path)
    elif content.startswith(NPZ_MAGIC):
        values = array_of_npz(content, path)
    else:
        flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
        try:
            values = cv2.imdecode(np.frombuffer(content, np.uint8), flags) if content else None
        except cv2.error:
            values = None
        if values is None:
            raise InputError(
                f'{printable(path)} is none of PFM, PNG, TIFF, NPY and NPZ, the formats of '
                'ground truth'
            )
    if values.ndim != 2 or 0 in values.shape:
        what = 'colours' if values.ndim == 3 and values.shape[2] in (3, 4) else 'a shape'
        raise InputError(
            f'{printable(path)} has {what} {values.shape}: expected one number for each pixel'
        )
    return values, content[:4]


def _check_size(path: Path, values: npt.NDArray[Any], left: Path, image: npt.NDArray[Any]) -> None:
    if values.shape != image.shape:
        raise InputError(
            f'{printable(path)} is {values.shape[1]}x{values.shape[0]}, {printable(left)} is '
            f'{image.shape[1]}x{image.shape[0]}: take files of one size'
        )
