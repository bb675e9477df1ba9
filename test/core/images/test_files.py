# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Image files give the pixels that the node makes of the same images as messages."""

from __future__ import annotations

from pathlib import Path
import struct

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import ImageError, InputError, PairSizeError
from stereo_depth_node.core.images.files import image_pair, read_grey, read_image_pair
from stereo_depth_node.core.images.raw import decode_grey, RawImage, reduce_to_8bit

HEIGHT, WIDTH = 24, 32


def noise(channels: int, dtype: type, seed: int = 0) -> np.ndarray:
    shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
    largest = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, largest, shape, dtype, endpoint=True)


def written(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def turned_jpeg(path: Path, image: np.ndarray, orientation: int) -> Path:
    """Write a JPEG file whose EXIF tag asks to turn it."""
    content = cv2.imencode('.jpg', image)[1].tobytes()
    tiff = b'II*\0' + struct.pack('<IHHHIHHI', 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    segment = b'Exif\0\0' + tiff
    head = b'\xff\xe1' + struct.pack('>H', len(segment) + 2) + segment
    path.write_bytes(content[:2] + head + content[2:])
    return path


@pytest.mark.parametrize(
    ('encoding', 'channels', 'dtype'),
    [
        ('mono8', 1, np.uint8),
        ('mono16', 1, np.uint16),
        ('bgr8', 3, np.uint8),
        ('bgr16', 3, np.uint16),
        ('bgra8', 4, np.uint8),
    ],
)
def test_grey_values_are_those_of_the_message(tmp_path, encoding, channels, dtype):
    image = noise(channels, dtype)
    message = RawImage(HEIGHT, WIDTH, encoding, False, image.strides[0], image)
    grey = read_grey(written(tmp_path / 'image.png', image))
    assert grey.dtype == dtype
    np.testing.assert_array_equal(grey, decode_grey(message))


def test_16_bit_images_are_reduced_with_one_scale_for_both(tmp_path):
    left, right = noise(1, np.uint16) // 16, noise(1, np.uint16, 1) // 32
    pair = read_image_pair(
        written(tmp_path / 'left.png', left), written(tmp_path / 'right.png', right)
    )
    for image, expected in zip((pair.left, pair.right), reduce_to_8bit(left, right), strict=True):
        np.testing.assert_array_equal(image, expected)
    # Seen as colours, grey stays as bright as it is matched.
    np.testing.assert_array_equal(pair.colours[1], np.dstack([pair.right] * 3))


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_colours_are_rgb(tmp_path, dtype):
    images = noise(3, dtype), noise(3, dtype, 1)
    files = [
        written(tmp_path / f'{name}.png', image) for name, image in zip('ab', images, strict=True)
    ]
    expected = reduce_to_8bit(*(image.reshape(HEIGHT, -1) for image in images))
    for found, values in zip(read_image_pair(*files).colours, expected, strict=True):
        np.testing.assert_array_equal(found, values.reshape(HEIGHT, WIDTH, 3)[..., ::-1])


def test_colours_of_12_bits_are_as_bright_as_those_of_8(tmp_path):
    image = noise(3, np.uint16) >> 4
    file = written(tmp_path / 'image.png', image)
    for found in read_image_pair(file, file).colours:
        assert np.abs(found - (image[..., ::-1] >> 4).astype(int)).max() <= 4


@pytest.mark.parametrize('dtype', [np.float16, np.float32])
def test_floating_point_of_any_range_is_reduced_alike(dtype):
    """Differences and scales overflowed where the type's own numbers end."""
    ramp = np.tile(np.linspace(-1.0, 1.0, WIDTH), (HEIGHT, 1)) * (0.9 * np.finfo(dtype).max)
    for values in (ramp, ramp / np.finfo(dtype).max):
        pair = image_pair(values.astype(dtype), values.astype(dtype))
        assert np.all(np.diff(pair.left[0].astype(int)) >= 7)


@pytest.mark.parametrize('orientation', [3, 6])
def test_a_tag_that_asks_to_turn_an_image_is_ignored(tmp_path, orientation):
    image = noise(3, np.uint8)
    plain = written(tmp_path / 'plain.jpg', image)
    tagged = turned_jpeg(tmp_path / 'tagged.jpg', image, orientation)
    assert not np.array_equal(cv2.imread(str(plain)), cv2.imread(str(tagged)))
    pair = read_image_pair(plain, tagged)
    np.testing.assert_array_equal(pair.left, pair.right)
    np.testing.assert_array_equal(*pair.colours)


def test_what_cannot_be_read_is_named_with_the_cause(tmp_path):
    good = written(tmp_path / 'good.png', noise(1, np.uint8))
    with pytest.raises(InputError, match=r'nothing\.png is missing'):
        read_image_pair(good, tmp_path / 'nothing.png')
    with pytest.raises(InputError, match='is a folder'):
        read_image_pair(good, tmp_path)
    cut_short = good.read_bytes()[:40]
    for content, reason in ((b'', 'empty'), (b'no image', 'no image'), (cut_short, 'no image')):
        (tmp_path / 'bad.png').write_bytes(content)
        with pytest.raises(InputError, match=rf'bad\.png is {reason}'):
            read_image_pair(tmp_path / 'bad.png', good)
    real = written(tmp_path / 'real.tiff', noise(1, np.uint8).astype(np.float32))
    with pytest.raises(ImageError, match=r'good\.png has 8 bits, .*real\.tiff has 32'):
        read_image_pair(good, real)
    deep = written(tmp_path / 'deep.png', noise(1, np.uint16))
    with pytest.raises(ImageError, match=r'good\.png has 8 bits, .*deep\.png has 16'):
        read_image_pair(good, deep)
    small = written(tmp_path / 'small.png', noise(1, np.uint8)[1:])
    with pytest.raises(PairSizeError, match=r'good\.png is 32x24, .*small\.png is 32x23'):
        read_image_pair(good, small)
