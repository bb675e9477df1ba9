# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Portable float maps, in which Middlebury keeps its ground truth."""

from __future__ import annotations

from pathlib import Path
import re

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.files.formats import described_os_error

__all__ = ['read_pfm']

# "Pf", width, height, scale, then one white-space character; a negative scale is little-endian.
_HEADER = re.compile(rb'Pf\s+(\d+)\s+(\d+)\s+(-?[\d.eE+-]+)[ \t]*\r?\n?')
_MOST_PIXELS = 1 << 28


def read_pfm(path: Path) -> npt.NDArray[np.float32]:
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
    try:
        content = path.read_bytes()
    except OSError as error:
        raise described_os_error('read', path, error) from error
    header = _HEADER.match(content)
    if header is None:
        kind = 'a colour PFM' if content.startswith(b'PF') else 'no PFM'
        raise InputError(f'{path} is {kind} file: expected a grey one, which begins with "Pf"')
    width, height = int(header[1]), int(header[2])
    try:
        order = '<' if float(header[3]) < 0 else '>'
    except ValueError as error:
        raise InputError(f'{path} has the scale {header[3]!r}: expected a number') from error
    needed = 4 * width * height
    available = len(content) - header.end()
    if not 0 < width * height <= _MOST_PIXELS or available < needed:
        raise InputError(
            f'{path} says {width}x{height} pixels, {needed} bytes, and holds {available}: '
            'the file was cut short, or is damaged'
        )
    pixels = np.frombuffer(content, f'{order}f4', width * height, header.end())
    # Rows are stored from bottom to top.
    return np.ascontiguousarray(pixels.reshape(height, width)[::-1], np.float32)
