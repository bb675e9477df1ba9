# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The shapes and constants that the block-matching kernels share.

Arrays are flat and indices unsigned: numba then needs no code for negative
indices, and LLVM turns every inner loop into vector instructions. The rows of
the scratch arrays lie at constant distances (`SAD_STRIDE`, `CELL`), so that LLVM
sees at compile time that they do not overlap. The kernels work on whole vectors,
past the end of a tile; what lies there is never read as a result.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ['CELL', 'GROUP', 'RANKS', 'SAD_STRIDE', 'TILE', 'VECTOR', 'Layout', 'Search', 'Tile']

GROUP = 8  # disparities worked on together
TILE = 1024  # columns of a tile at most
VECTOR = 64  # bytes of the widest vector register: loops run over multiples of it
SAD_STRIDE = TILE + 32  # distance between the SADs of neighbouring disparities
CELL = TILE + 6 * VECTOR + 32  # distance between the differences of neighbouring disparities
RANKS = 6  # numbers kept per column


class Layout(NamedTuple):
    """Pixel (x, y) of a pre-filtered image is at ``origin + y * stride + x``.

    Row `height` holds the value of "no texture": instead of a row that leaves the
    window, while the window is still filling.
    """

    width: int
    height: int
    origin: int
    stride: int


class Search(NamedTuple):
    """What is searched, and what of it is rejected; OpenCV's parameters as numbers."""

    min_disparity: int
    num_disparities: int
    half: int
    cap: int
    texture_threshold: int
    uniqueness_ratio: int
    filtered: int
    keep_costs: int


class Tile(NamedTuple):
    """The part of the output that one call computes."""

    column: int
    columns: int
    first_row: int
    last_row: int
