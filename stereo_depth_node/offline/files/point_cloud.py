# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Point clouds as PLY files (G. Turk, "The PLY polygon file format", 1994), binary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.errors import ImageError

__all__ = ['ply']

_VERTEX = np.dtype(
    [(axis, '<f4') for axis in ('x', 'y', 'z')]
    + [(colour, 'u1') for colour in ('red', 'green', 'blue')]
)
_CHANNELS = (('x', 'red'), ('y', 'green'), ('z', 'blue'))
_TYPE_NAMES = {'<f4': 'float', '|u1': 'uchar'}


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
        *(f'property {_TYPE_NAMES[_VERTEX[name].str]} {name}' for name in _VERTEX.names or ()),
        'end_header\n',
    ]
    return '\n'.join(head).encode('ascii', 'replace') + vertices.tobytes()
