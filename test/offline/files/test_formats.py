# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of disparities, depths and points."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import ImageError
from stereo_depth_node.offline.files.formats import (
    kitti_png,
    millimetre_png,
    npy,
    pfm,
    ply,
    read_pfm,
    tiff,
)

DISPARITY = np.array(
    [[0.0, 1.5, np.nan], [255.99, 256.5, -1.0], [63.9375, 1 / 512, np.nan]], np.float32
)


def decoded(content: bytes) -> np.ndarray:
    """Return the pixels of an image file."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_pfm_has_the_bottom_row_first_and_infinity_where_unknown(tmp_path: Path) -> None:
    content = pfm(DISPARITY)
    assert content.startswith(b'Pf\n3 3\n-1\n')
    first = np.frombuffer(content[-36:], '<f4')[:3]
    np.testing.assert_array_equal(first, [63.9375, 1 / 512, np.inf])
    path = tmp_path / 'd.pfm'
    path.write_bytes(content)
    np.testing.assert_array_equal(read_pfm(path), np.where(np.isnan(DISPARITY), np.inf, DISPARITY))


def test_kitti_png_holds_256_times_the_disparity_and_counts_what_it_cannot_hold() -> None:
    content, lost = kitti_png(DISPARITY)
    pixels = decoded(content)
    assert pixels.dtype == np.uint16
    # 0 means unknown: a disparity of 0 becomes the smallest other value.
    np.testing.assert_array_equal(pixels, [[1, 384, 0], [65533, 0, 0], [16368, 1, 0]])
    assert lost == 2


def test_millimetre_png_is_0_where_unknown_or_too_far() -> None:
    depth = np.array([[1.2344, np.nan], [65.535, 65.54]], np.float32)
    content, lost = millimetre_png(depth)
    np.testing.assert_array_equal(decoded(content), [[1234, 0], [65535, 0]])
    assert lost == 1


def test_tiff_and_npy_keep_every_bit() -> None:
    np.testing.assert_array_equal(decoded(tiff(DISPARITY)), DISPARITY)
    import io

    np.testing.assert_array_equal(np.load(io.BytesIO(npy(DISPARITY))), DISPARITY)


def test_ply_is_binary_with_a_colour_for_each_point() -> None:
    xyz = np.array([[0.5, -1.25, 2.0], [3.0, 4.0, 5.0]], np.float32)
    rgb = np.array([[255, 0, 7], [1, 2, 3]], np.uint8)
    content = ply(xyz, rgb, ['unit: metres'])
    head, _, body = content.partition(b'end_header\n')
    lines = head.decode().splitlines()
    assert lines[:3] == ['ply', 'format binary_little_endian 1.0', 'comment unit: metres']
    assert 'element vertex 2' in lines
    properties = [line.split()[1:] for line in lines if line.startswith('property')]
    kinds = {'float': '<f4', 'uchar': 'u1'}
    vertices = np.frombuffer(body, [(name, kinds[kind]) for kind, name in properties])
    np.testing.assert_array_equal(np.stack([vertices[a] for a in 'xyz'], axis=1), xyz)
    np.testing.assert_array_equal(
        np.stack([vertices[c] for c in ('red', 'green', 'blue')], axis=1), rgb
    )


def test_points_without_a_colour_each_are_refused() -> None:
    with pytest.raises(ImageError, match=r'\(2, 3\).*\(1, 3\)'):
        ply(np.zeros((2, 3), np.float32), np.zeros((1, 3), np.uint8))
