# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A picture in colour has the same grey values by whatever way it comes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.images.files import read_grey, read_image_pair
from stereo_depth_node.core.images.pair_decoder import CompressedImage, PairDecoder
from stereo_depth_node.core.images.raw import RawImage, reduce_to_8bit
from stereo_depth_node.offline.datasets.loading import load_scene

HEIGHT, WIDTH = 60, 81


def picture(bits: int = 8) -> np.ndarray:
    """Return colours of every kind, saturated ones among them, (H, W, 3) BGR."""
    rng = np.random.default_rng(5)
    return rng.integers(0, 2**bits, (HEIGHT, WIDTH, 3)).astype(f'u{bits // 8}')


def in_message(bgr: np.ndarray, encoding: str) -> RawImage:
    """Return the picture in a message; alpha, where there is one, is any."""
    order = {'bgr': [0, 1, 2], 'rgb': [2, 1, 0], 'bgra': [0, 1, 2, 1], 'rgba': [2, 1, 0, 1]}
    data = np.ascontiguousarray(bgr[:, :, order[encoding.rstrip('0123456789')]])
    return RawImage(HEIGHT, WIDTH, encoding, False, data.strides[0], data.tobytes())


def grey_in_node(image: RawImage | CompressedImage) -> np.ndarray:
    """Return the grey values that node and bag tool match."""
    return PairDecoder().decode(image, image)[0]


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('channels', ['bgr', 'rgb', 'bgra', 'rgba'])
def test_in_messages_of_every_order(channels, bits):
    bgr = picture(bits)
    expected = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    if bits == 16:
        expected = reduce_to_8bit(expected, expected)[0]
    found = grey_in_node(in_message(bgr, f'{channels}{bits}'))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ('ending', 'bits'), [('png', 8), ('png', 16), ('tiff', 8), ('tiff', 16), ('jpg', 8)]
)
def test_in_compressed_messages_in_files_and_in_scenes(ending, bits, tmp_path: Path):
    """Of a JPEG the picture is what a viewer shows."""
    content = cv2.imencode(f'.{ending}', picture(bits))[1].tobytes()
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    expected = grey_in_node(in_message(shown, f'bgr{bits}'))
    compressed = CompressedImage(f'bgr{bits}; {ending} compressed bgr{bits}', content)
    np.testing.assert_array_equal(grey_in_node(compressed), expected)
    for name in ('im0.png', 'im1.png'):  # a scene's; what a file is, its first bytes say
        (tmp_path / name).write_bytes(content)
    pair = read_image_pair(tmp_path / 'im0.png', tmp_path / 'im1.png')
    np.testing.assert_array_equal(pair.left, expected)
    np.testing.assert_array_equal(load_scene(str(tmp_path)).left, expected)
    grey = read_grey(tmp_path / 'im0.png')
    np.testing.assert_array_equal(reduce_to_8bit(grey, grey)[0], expected)


def test_alpha_does_not_count_in_compressed_messages():
    opaque = np.dstack([picture(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    clear = np.dstack([picture(), np.zeros((HEIGHT, WIDTH), np.uint8)])
    expected = grey_in_node(in_message(picture(), 'bgr8'))
    for image in (opaque, clear):
        content = cv2.imencode('.png', image)[1].tobytes()
        found = grey_in_node(CompressedImage('bgra8; png compressed bgra8', content))
        np.testing.assert_array_equal(found, expected)
