# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Buffers of the block-matching kernel, and the parts that an image is cut into."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.arrays import Grey

__all__ = [
    'CELL',
    'GROUP',
    'RANKS',
    'SAD_STRIDE',
    'TILE',
    'VECTOR',
    'Buffers',
    'Layout',
    'Scratch',
    'Search',
    'Tile',
    'allocate_scratch',
    'flat_view',
    'plan_buffers',
]

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


# The window has to be filled anew for every strip. With strips of so many times the rows that it
# takes, that is a fifth of the work at most; lower ones would cost more than they save.
_WINDOWS_PER_STRIP = 4
# Of SADs, sums over two columns, and quotients.
_SHORT_LANES = (np.uint16, np.int8, np.float32)
_LONG_LANES = (np.uint32, np.int16, np.float64)


class Scratch(NamedTuple):
    """What one thread works in; see :func:`allocate_scratch`.

    `pair_type` and `quotient_type` are empty. Their types say in which lanes a sum over two
    columns fits, and a quotient of which the whole part is wanted.
    """

    sads: NDArray[Any]
    ranks: NDArray[Any]
    quotient_type: NDArray[Any]
    singles: NDArray[np.int8]
    pair_type: NDArray[Any]
    parts: NDArray[np.int16]
    spare: NDArray[np.int16]
    textures: NDArray[np.int32]


class Buffers(NamedTuple):
    """What depends on the size of the images.

    `valid` is the part of the output that can hold disparities, `tiles` what is
    computed for it (more, for the left-right check). `strips` are all rows, for the
    pre-filters, `checked` what the left-right check looks at; `sums` are work space of
    the pre-filters, two rows for each strip.
    """

    shape: tuple[int, int]
    layout: Layout
    left: Grey
    right: Grey
    costs: NDArray[np.uint16]
    sums: NDArray[np.int32]
    strips: list[Tile]
    valid: Tile
    checked: list[Tile]
    tiles: list[Tile]


def allocate_scratch(num_disparities: int, *, short: bool) -> Scratch:
    """Allocate what one thread works in, in short lanes if they are enough."""
    sad_type, pair_type, quotient_type = _SHORT_LANES if short else _LONG_LANES
    return Scratch(
        np.zeros((num_disparities + 2) * SAD_STRIDE, sad_type),
        np.zeros(RANKS * SAD_STRIDE, sad_type),
        np.empty(0, quotient_type),
        np.zeros((GROUP + 1) * CELL, np.int8),
        np.empty(0, pair_type),
        np.zeros((GROUP + 1) * CELL, np.int16),
        np.zeros((GROUP + 1) * CELL, np.int16),
        np.zeros(SAD_STRIDE, np.int32),
    )


def flat_view(image: Grey) -> tuple[Grey, int]:
    """Return the image as one read-only row, and the distance of its rows in it.

    Read-only for all, because numba compiles for either kind of array anew.
    """
    height, width = image.shape
    if image.strides[1] != 1 or image.strides[0] < width:
        image = np.ascontiguousarray(image)
    step = image.strides[0]
    if step == width:
        flat = image.reshape(-1)
        flat.flags.writeable = False
    else:
        flat = np.lib.stride_tricks.as_strided(
            image, ((height - 1) * step + width,), (1,), writeable=False
        )
    return flat, step


def plan_buffers(shape: tuple[int, int], search: Search, threads: int) -> Buffers:
    """Allocate the buffers for images of `shape` and cut the output into tiles."""
    height, width = shape
    half = search.half
    nearest = search.min_disparity + search.num_disparities - 1
    first = max(nearest, 0)
    last = width + min(search.min_disparity, 0)
    valid = Tile(first + half, min(last, width - half) - first - half, half, height - half)
    # OpenCV leaves out the column of the largest disparity itself.
    checked = Tile(max(nearest + 1, 0), last - max(nearest + 1, 0), half, height - half)
    computed = Tile(first, last - first, half, height - half) if search.keep_costs else valid
    # The columns of the right image that have a full set of candidates.
    searchable = valid.columns > 0 and width - search.num_disparities >= max(-nearest, 0)
    slack = CELL + 2 * half + search.num_disparities + abs(search.min_disparity)
    stride = width + 2 * half
    layout = Layout(width, height, slack + half, stride)
    length = (height + 1) * stride + 2 * slack
    left, right = (np.full(length, search.cap, np.uint8) for _ in range(2))
    return Buffers(
        shape,
        layout,
        left,
        right,
        np.zeros(height * width if search.keep_costs else 1, np.uint16),
        np.zeros((2 * threads, width), np.int32),
        _cut_rows(Tile(0, width, 0, height), threads),
        valid,
        _cut_rows(checked, threads),
        _cut(computed, threads, _WINDOWS_PER_STRIP * 2 * half) if searchable else [],
    )


def _cut(tile: Tile, threads: int, least_rows: int) -> list[Tile]:
    """Cut into tiles of whole vectors, and into strips if threads would stand idle."""
    count = -(-tile.columns // TILE)
    lanes = VECTOR // 2
    columns = -(-tile.columns // (count * lanes)) * lanes
    end = tile.column + tile.columns
    tiles = [
        tile._replace(column=column, columns=min(columns, end - column))
        for column in range(tile.column, end, columns)
    ]
    rows = tile.last_row - tile.first_row
    strips = min(threads // math.gcd(threads, len(tiles)), rows // least_rows)
    return [strip for tile in tiles for strip in _cut_rows(tile, strips)]


def _cut_rows(tile: Tile, count: int) -> list[Tile]:
    """Cut into at most `count` strips of about as many rows."""
    rows = tile.last_row - tile.first_row
    count = max(1, min(count, rows))
    edges = [tile.first_row + rows * i // count for i in range(count + 1)]
    return [
        tile._replace(first_row=first, last_row=last) for first, last in itertools.pairwise(edges)
    ]
