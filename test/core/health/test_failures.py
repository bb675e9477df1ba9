# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What errors mean that have no type of their own."""

from __future__ import annotations

import cv2
import pytest

from stereo_depth_node.core.errors import ImageError
from stereo_depth_node.core.health.failures import cause_of_error, drop_reason_of
from stereo_depth_node.core.pairing.reasons import DropReason


def opencv_without_memory() -> cv2.error:
    error = cv2.error('Failed to allocate 1 bytes')
    error.code = -4  # as OpenCV sets it: StsNoMem
    return error


def wrapped(error: Exception) -> Exception:
    outer = ImageError('cannot be decoded')
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    'error', [MemoryError('1 TiB'), opencv_without_memory(), RuntimeError('std::bad_alloc')]
)
def test_memory_that_is_not_to_be_had_is_a_cause_of_its_own(error: Exception) -> None:
    for each in (error, wrapped(error)):
        assert cause_of_error(each).name == 'out_of_memory'
        assert drop_reason_of(each) is DropReason.NO_MEMORY


@pytest.mark.parametrize('error', [cv2.error('(-215:Assertion failed) x'), ValueError('no')])
def test_other_errors_without_a_type_are_internal(error: Exception) -> None:
    assert cause_of_error(error).name == 'internal_error'
    assert cause_of_error(wrapped(error)).name == 'unusable_image'
