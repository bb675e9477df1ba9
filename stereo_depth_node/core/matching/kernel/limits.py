# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of `cv2.StereoBM`, and which of them the kernel reproduces bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from stereo_depth_node.core.arrays import Fixed, Grey
from stereo_depth_node.core.errors import SizeError
from stereo_depth_node.core.settings.algorithms.block_matching import (
    exceeds_response_table,
    left_right_check_is_defined,
)
from stereo_depth_node.core.settings.constraints import fits_fixed_point
from stereo_depth_node.core.settings.fields import DISPARITY_STEP, SettingFields

__all__ = ['StereoBMParameters', 'check_images', 'fits_short_lanes', 'kernel_supports']

_UINT16_MAX = 65535
_INT32_MAX = 2**31 - 1
_FLOAT32_WHOLE = 2**24
_TYPES = (np.dtype(np.uint8), np.dtype(np.uint8), np.dtype(np.int16))


@dataclass(frozen=True, slots=True)
class StereoBMParameters:
    """OpenCV's parameters, under the names of the settings.

    Attributes
    ----------
    min_disparity, num_disparities, block_size : int
        Pixels.
    pre_filter_type : str
        'xsobel' or 'normalized_response'.
    pre_filter_size, pre_filter_cap : int
        Pixels, and grey values.
    texture_threshold, uniqueness_ratio, disp12_max_diff : int
        What is rejected; OpenCV's units.
    """

    min_disparity: int
    num_disparities: int
    block_size: int
    pre_filter_type: str
    pre_filter_size: int
    pre_filter_cap: int
    texture_threshold: int
    uniqueness_ratio: int
    disp12_max_diff: int

    @classmethod
    def of(cls, settings: SettingFields) -> StereoBMParameters:
        """Return those of the settings."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


def _largest_sad(block_size: int, pre_filter_cap: int) -> int:
    """Pre-filtered pixels are 0 .. 2 * cap, and a block has block_size ** 2 of them."""
    return block_size**2 * 2 * pre_filter_cap


def fits_short_lanes(block_size: int, pre_filter_cap: int, uniqueness_ratio: int) -> bool:
    """Say whether the kernel can do with lanes of 8 and 16 bits, and with float32.

    Up to a cap of 31, two columns of differences fit 8 bits. The whole part of a quotient n / m
    in float32 is right while n is below 2**24 and m is 100, or while the quotient is at most 128
    and m below 2**16: then the rounding error is less than 1 / m, and reaches no whole number.
    """
    largest = _largest_sad(block_size, pre_filter_cap)
    return (
        pre_filter_cap <= 31
        and largest < _UINT16_MAX
        and largest * uniqueness_ratio < _FLOAT32_WHOLE
    )


def kernel_supports(parameters: StereoBMParameters, *, height: int | None = None) -> str | None:
    """Say why the kernel cannot stand in for `cv2.StereoBM`.

    Parameters
    ----------
    parameters : StereoBMParameters
        What the kernel would have to reproduce.
    height : int, optional
        Rows of the images, if known.

    Returns
    -------
    str or None
        The reason, or None: the kernel's result is OpenCV's.
    """
    min_disparity, num_disparities = parameters.min_disparity, parameters.num_disparities
    block_size, pre_filter_type = parameters.block_size, parameters.pre_filter_type
    pre_filter_size, pre_filter_cap = parameters.pre_filter_size, parameters.pre_filter_cap
    uniqueness_ratio = parameters.uniqueness_ratio
    if pre_filter_type not in ('xsobel', 'normalized_response'):
        return f'pre_filter_type {pre_filter_type!r} is not one of OpenCV'
    for name, value in (('block_size', block_size), ('pre_filter_size', pre_filter_size)):
        if not 5 <= value <= 255 or value % 2 == 0:
            return f'{name} {value} is not odd and within 5 to 255'
    if not 1 <= pre_filter_cap <= 63:
        return f'pre_filter_cap {pre_filter_cap} is not within 1 to 63'
    if num_disparities <= 0 or num_disparities % DISPARITY_STEP:
        return f'num_disparities {num_disparities} is not a positive multiple of {DISPARITY_STEP}'
    if parameters.texture_threshold < 0 or uniqueness_ratio < 0:
        return 'texture_threshold and uniqueness_ratio must not be negative'
    if not fits_fixed_point(min_disparity, num_disparities):
        return 'the disparities do not fit 16 bits'
    if _largest_sad(block_size, pre_filter_cap) * uniqueness_ratio > _INT32_MAX:
        return f'uniqueness_ratio {uniqueness_ratio} makes OpenCV count beyond 32 bits'
    if parameters.disp12_max_diff >= 0 and not left_right_check_is_defined(
        block_size, pre_filter_cap
    ):
        return (
            f'with disp12_max_diff, block_size {block_size} and pre_filter_cap {pre_filter_cap}, '
            "OpenCV's result depends on memory that it did not write"
        )
    if pre_filter_type == 'normalized_response' and exceeds_response_table(pre_filter_size):
        return f'pre_filter_size {pre_filter_size} makes OpenCV read outside of its table'
    too_low = height is not None and pre_filter_size // 2 > height
    if too_low and pre_filter_type == 'normalized_response':
        return f'pre_filter_size {pre_filter_size} makes OpenCV read beyond {height} rows'
    return None


def check_images(left: Grey, right: Grey, out: Fixed, block_size: int) -> None:
    """Raise SizeError unless the three are images of one size, larger than the block."""
    shapes = (left.shape, right.shape, out.shape)
    if len(set(shapes)) != 1 or left.ndim != 2:
        raise SizeError(f'left, right and out are {shapes}: they must be one (H, W)')
    types = (left.dtype, right.dtype, out.dtype)
    if types != _TYPES:
        names = [each.name for each in types]
        raise SizeError(f'left, right and out are {names}: they must be uint8, uint8, int16')
    if block_size >= min(left.shape):
        raise SizeError(
            f'block_size is {block_size}, the images are {left.shape[1]}x{left.shape[0]}: '
            f'set block_size below {min(left.shape)}'
        )
