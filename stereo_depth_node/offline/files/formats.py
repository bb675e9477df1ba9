# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The formats of files of disparity, depth and points.

Disparity files hold ``x_l - x_r`` in pixels, as the stereo benchmarks define it:

- PFM (Middlebury): float32, rows from bottom to top, infinity where unknown.
- PNG (KITTI): uint16, 256 times the disparity, 0 where unknown.
- NPY (NumPy): float32, NaN where unknown.

Depth files hold metres (NPY, TIFF: float32, NaN where unknown) or, as PNG, millimetres in
uint16, 0 where unknown (REP 118). Points are PLY (G. Turk, "The PLY polygon file format", 1994).
"""

from __future__ import annotations

from collections.abc import Sequence
import io
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.errors import ImageError, InputError
from stereo_depth_node.core.settings.text_files import read_bytes

__all__ = [
    'KITTI_SCALE',
    'MM_PER_M',
    'kitti_png',
    'millimetre_png',
    'npy',
    'pfm',
    'ply',
    'read_pfm',
    'tiff',
]

KITTI_SCALE = 256.0
"""By what the numbers of KITTI's disparity PNG are larger than pixels."""
MM_PER_M = 1000.0
_UINT16_MAX = 65535
# "Pf", width, height, scale, then one white-space character; a negative scale is little-endian.
_PFM_HEADER = re.compile(
    rb'Pf\s{1,9}(\d{1,9})\s{1,9}(\d{1,9})\s{1,9}(-?[\d.eE+-]{1,99})[ \t]{0,9}\r?\n?'
)
_PFM_MOST_PIXELS = 1 << 28
_PFM_MOST_HEADER = 400
_VERTEX = np.dtype(
    [(axis, '<f4') for axis in ('x', 'y', 'z')]
    + [(colour, 'u1') for colour in ('red', 'green', 'blue')]
)
_CHANNELS = (('x', 'red'), ('y', 'green'), ('z', 'blue'))
_PLY_TYPES = {'<f4': 'float', '|u1': 'uchar'}


def pfm(disparity: Float) -> bytes:
    """Return a disparity image, (H, W) float32 with NaN where unknown, as a PFM file."""
    return _encoded('.pfm', np.where(np.isfinite(disparity), disparity, np.float32(np.inf)))


def read_pfm(path: Path) -> Float:
    """Read a grey PFM file.

    Returns
    -------
    (H, W) float32 ndarray
        The first row is the upper one; infinite where Middlebury has no value.

    Raises
    ------
    InputError
        If it cannot be read, or is not a whole grey PFM file.
    """
    # Not with OpenCV, which divides by the scale: Middlebury 2014 has -0.003922 there and means
    # the byte order alone.
    content = read_bytes(path, 4 * _PFM_MOST_PIXELS + _PFM_MOST_HEADER)
    header = _PFM_HEADER.match(content)
    if header is None:
        if content.startswith(b'PF'):
            raise InputError(f'{path} is a colour PFM file: expected a grey one, "Pf"')
        raise InputError(
            f'{path} is no PFM file: expected "Pf", width, height and scale in its first lines'
        )
    width, height = int(header[1]), int(header[2])
    try:
        scale = float(header[3])
    except ValueError:
        scale = 0.0
    if scale == 0.0:
        raise InputError(
            f'{path} has the scale {header[3].decode()}: expected a number below 0 '
            '(little-endian) or above it (big-endian)'
        )
    order = '<' if scale < 0 else '>'
    needed = 4 * width * height
    available = len(content) - header.end()
    if not 0 < width * height <= _PFM_MOST_PIXELS or available < needed:
        raise InputError(
            f'{path} says {width}x{height} pixels, {needed} bytes, and holds {available}: '
            'the file was cut short, or is damaged'
        )
    pixels = np.frombuffer(content, f'{order}f4', width * height, header.end())
    # Rows are stored from bottom to top.
    return np.ascontiguousarray(pixels.reshape(height, width)[::-1], np.float32)


def kitti_png(disparity: Float) -> tuple[bytes, int]:
    """Return a disparity image as a 16-bit PNG in the convention of KITTI.

    A disparity of 0 becomes 1/256 px, since 0 means unknown.

    Parameters
    ----------
    disparity : (H, W) float32
        Pixels, NaN where unknown.

    Returns
    -------
    content : bytes
        Of the file.
    lost : int
        Known pixels that the format cannot hold, below 0 or above 255.99 px: unknown in it.
    """
    return _whole_png(disparity, KITTI_SCALE, smallest=1)


def millimetre_png(depth: Float) -> tuple[bytes, int]:
    """Return a depth image as a 16-bit PNG in millimetres.

    Parameters
    ----------
    depth : (H, W) float32
        Metres, NaN where unknown.

    Returns
    -------
    content : bytes
        Of the file.
    lost : int
        Known pixels beyond 65.535 m: unknown in the file.
    """
    return _whole_png(depth, MM_PER_M, smallest=0)


def tiff(image: Float) -> bytes:
    """Return an (H, W) float32 image as a TIFF file of one float channel."""
    return _encoded('.tiff', image)


def npy(image: npt.NDArray[Any]) -> bytes:
    """Return an array as a NumPy file."""
    stream = io.BytesIO()
    np.save(stream, image, allow_pickle=False)
    return stream.getvalue()


def ply(
    xyz: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8], comments: Sequence[str] = ()
) -> bytes:
    """Return coloured points as a binary little-endian PLY file.

    Parameters
    ----------
    xyz : (N, 3) float32
        The points.
    rgb : (N, 3) uint8
        Their colours.
    comments : sequence of str
        Lines for the head of the file, such as the unit and the frame.

    Raises
    ------
    ImageError
        If there is not one colour for each point.
    """
    if xyz.shape != rgb.shape or xyz.ndim != 2 or xyz.shape[1] != 3:
        raise ImageError(f'the points are {xyz.shape}, their colours {rgb.shape}: expected (N, 3)')
    vertices = np.empty(len(xyz), _VERTEX)
    for index, (axis, colour) in enumerate(_CHANNELS):
        vertices[axis] = xyz[:, index]
        vertices[colour] = rgb[:, index]
    head = [
        'ply',
        'format binary_little_endian 1.0',
        *(f'comment {line}' for line in comments),
        f'element vertex {len(xyz)}',
        *(f'property {_PLY_TYPES[_VERTEX[name].str]} {name}' for name in _VERTEX.names or ()),
        'end_header\n',
    ]
    return '\n'.join(head).encode('ascii', 'replace') + vertices.tobytes()


def _whole_png(values: Float, scale: float, *, smallest: int) -> tuple[bytes, int]:
    """Return values in 16 bits, no known one below `smallest`, and how many do not fit."""
    known = np.isfinite(values)
    scaled = np.rint(np.where(known, values, 0.0) * scale)
    fits = known & (scaled >= 0) & (scaled <= _UINT16_MAX)
    fixed = np.where(fits, np.maximum(scaled, smallest), 0.0).astype(np.uint16)
    return _encoded('.png', fixed), int(np.count_nonzero(known & ~fits))


def _encoded(kind: str, image: npt.NDArray[Any]) -> bytes:
    written, content = cv2.imencode(kind, image)
    if not written:
        raise InputError(f'this OpenCV cannot write {kind} files: use another format')
    return content.tobytes()
