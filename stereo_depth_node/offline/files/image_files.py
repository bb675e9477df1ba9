# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of image files: found by patterns, read as grey and as colour."""

from __future__ import annotations

from collections.abc import Sequence
import glob
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.errors import ImageError, InputError, PairSizeError
from stereo_depth_node.core.images.raw import reduce_to_8bit

__all__ = ['find_pairs', 'output_names', 'read_colour', 'read_grey_pair']


# Orientation tags would turn one eye and not the other; calibrations are for the sensor's rows.
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def find_pairs(left: str, right: str) -> list[tuple[Path, Path]]:
    """Return the pairs of files that two paths or patterns stand for, in order of their names.

    Raises
    ------
    InputError
        If there is none, or not as many left as right ones.
    """
    sides = [_found(pattern) for pattern in (left, right)]
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f'{left} are {len(sides[0])} files, {right} are {len(sides[1])}: give as many left '
            'as right images'
        )
    return list(zip(*sides, strict=True))


def output_names(pairs: Sequence[tuple[Path, Path]]) -> list[str]:
    """Return a name for the results of each pair, after its left image.

    Raises
    ------
    InputError
        If two would have the same.
    """
    names = [left.stem for left, _ in pairs]
    if len(set(names)) < len(names):
        names = [f'{left.resolve().parent.name}_{left.stem}' for left, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f'several left images are called {", ".join(twice)}: run them separately')
    return names


def read_grey_pair(left: Path, right: Path) -> tuple[Grey, Grey]:
    """Read a pair as 8-bit grey images; 16 bits are reduced with one scale for both.

    Returns
    -------
    left, right : (H, W) uint8 ndarray

    Raises
    ------
    InputError
        If a file cannot be read or is no image.
    ImageError
        If the images differ in size or depth, or are neither 8 nor 16 bits deep.
    """
    eyes = [_read(path, _GREY) for path in (left, right)]
    for path, eye in zip((left, right), eyes, strict=True):
        if eye.dtype not in (np.uint8, np.uint16):
            raise ImageError(f'{path} holds {eye.dtype} pixels: expected 8 or 16 bits')
    if eyes[0].shape != eyes[1].shape:
        sizes = [f'{eye.shape[1]}x{eye.shape[0]}' for eye in eyes]
        raise PairSizeError(
            f'{left} is {sizes[0]}, {right} is {sizes[1]}: both images must have one size'
        )
    return reduce_to_8bit(eyes[0], eyes[1])


def read_colour(path: Path) -> npt.NDArray[np.uint8]:
    """Read an image as (H, W, 3) uint8 RGB.

    Raises
    ------
    InputError
        If the file cannot be read or is no image.
    """
    return np.asarray(cv2.cvtColor(_read(path, _COLOUR), cv2.COLOR_BGR2RGB), np.uint8)


def _read(path: Path, flags: int) -> npt.NDArray[Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f'cannot read {path}: {error.strerror or error}') from error
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise InputError(f'{path} is no image that OpenCV can read ({error})') from error
    if image is None:
        raise InputError(f'{path} is no image that OpenCV can read')
    return image


def _found(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.exists() or not glob.has_magic(pattern):
        return [path]
    files = [Path(name) for name in glob.glob(pattern, recursive=True)]
    if not files:
        raise InputError(f'no file is called {pattern}')
    return sorted(files, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort 10 behind 9."""
    return [
        (int(part), '') if part.isdigit() else (0, part) for part in re.split(r'(\d+)', str(path))
    ]
