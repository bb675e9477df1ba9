# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Raw images of every encoding become the grey image they were made of."""

from __future__ import annotations

from array import array
from itertools import product

from allocations import peak_of
import cv2
from encoded import (
    COLOUR_ORDERS,
    MOSAICS,
    NATIVE_BIG,
    pixels_of,
    quantised,
    raw_image,
    rec601,
    scene,
)
import numpy as np
import pytest

from stereo_depth_node.core.errors import ImageError
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.images.raw import (
    decode_grey,
    RawImage,
)


def tolerance(encoding: str, bits: int) -> float:
    """Return how far OpenCV's grey may be from the exact one.

    Half a level of rounding, and one more for its fixed-point weights (14 bits, so at 16 bits
    the rounded weights of three channels add up to 6 levels). A mosaic is interpolated: exact
    to 4 levels of 8 bits on linear slopes of up to 3.2 levels per pixel, borders included
    (2 levels in OpenCV 5; 4.5 does not round).
    """
    if encoding.startswith('bayer'):
        return 4.0 * (2**bits - 1) / 255
    return 1.0 if bits == 8 else 6.0


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
def test_every_encoding_gives_the_grey_of_the_scene(encoding):
    """However the rows are padded and the bytes ordered."""
    bits = ENCODINGS[encoding].bits
    rgb = quantised(scene(), bits)
    pixels, expected = pixels_of(encoding, rgb), rec601(rgb)
    for padding, big_endian in product((0, 1, 6), (False, True)):
        image = raw_image(pixels, encoding, padding=padding, big_endian=big_endian)
        out = np.zeros((48, 64), f'u{bits // 8}')
        grey = decode_grey(image, out)
        assert grey.dtype == out.dtype
        assert grey.dtype.isnative
        error = np.abs(grey - expected).max()
        assert error <= tolerance(encoding, bits), (padding, big_endian)
        assert grey is out or np.shares_memory(grey, np.frombuffer(image.data, np.uint8))
        np.testing.assert_array_equal(decode_grey(image), grey)


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('order', sorted(COLOUR_ORDERS))
def test_colour_is_weighted_exactly_as_opencv_does(order, bits):
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 2**bits, (33, 47, 3)).astype(f'u{bits // 8}')
    image = raw_image(pixels_of(f'{order}{bits}', rgb), f'{order}{bits}')
    np.testing.assert_array_equal(decode_grey(image), cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize('pattern', sorted(MOSAICS))
def test_a_mosaic_taken_for_another_one_would_be_told(pattern):
    """The scene's channels differ enough for the tolerance to tell the four mosaics apart."""
    rgb = quantised(scene(), 8)
    for other in set(MOSAICS) - {pattern}:
        image = raw_image(pixels_of(f'bayer_{pattern}8', rgb), f'bayer_{other}8')
        assert np.abs(decode_grey(image) - rec601(rgb)).max() > 10


@pytest.mark.parametrize('encoding', ['mono8', '8UC1', 'mono16', '16UC1'])
@pytest.mark.parametrize('padding', [0, 2])
def test_grey_data_is_not_copied(encoding, padding):
    pixels = quantised(scene(), ENCODINGS[encoding].bits)[..., 0]
    image = raw_image(pixels, encoding, padding=padding)
    grey = decode_grey(image)
    assert np.shares_memory(grey, np.frombuffer(image.data, np.uint8))
    np.testing.assert_array_equal(grey, pixels)


@pytest.mark.parametrize('padding', [1, 3])
def test_16_bit_rows_at_an_odd_step_are_copied_to_where_opencv_takes_them(padding):
    pixels = quantised(scene(), 16)[..., 0]
    grey = decode_grey(raw_image(pixels, 'mono16', padding=padding))
    np.testing.assert_array_equal(cv2.flip(grey, 0), pixels[::-1])


@pytest.mark.parametrize(
    'buffer_of',
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: array('B', data),
        lambda data: np.frombuffer(data, np.uint8),
    ],
    ids=['bytes', 'bytearray', 'memoryview', 'array', 'ndarray'],
)
def test_any_buffer_holds_an_image(buffer_of):
    pixels = quantised(scene(), 8)[..., 0]
    image = RawImage(48, 64, 'mono8', False, 64, buffer_of(pixels.tobytes()))
    np.testing.assert_array_equal(decode_grey(image), pixels)


def test_a_buffer_of_wider_values_is_taken_as_bytes():
    pixels = quantised(scene(), 16)[..., 0]
    image = RawImage(48, 64, 'mono16', NATIVE_BIG, 128, pixels)
    np.testing.assert_array_equal(decode_grey(image), pixels)


def test_a_buffer_with_gaps_is_read_in_order():
    pixels = quantised(scene(), 8)
    image = RawImage(48, 64, 'mono8', False, 64, pixels[..., 1])
    assert not pixels[..., 1].flags.c_contiguous
    np.testing.assert_array_equal(decode_grey(image), pixels[..., 1])


def test_a_list_is_no_buffer():
    with pytest.raises(ImageError, match='data is a list'):
        decode_grey(RawImage(1, 2, 'mono8', False, 2, [1, 2]))


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
def test_the_smallest_images_decode(encoding):
    for height, width in product((1, 2, 3), (1, 2, 3, 5)):
        rgb = quantised(scene(height, width), ENCODINGS[encoding].bits)
        grey = decode_grey(raw_image(pixels_of(encoding, rgb), encoding, padding=3))
        assert grey.shape == (height, width)
        if not encoding.startswith('bayer'):  # no mosaic has neighbours there
            limit = tolerance(encoding, ENCODINGS[encoding].bits)
            assert np.abs(grey - rec601(rgb)).max() <= limit, (height, width)


@pytest.mark.parametrize(
    'unfit',
    [
        np.empty((48, 63), np.uint8),
        np.empty((48, 64), np.uint16),
        np.empty((64, 48), np.uint8).T,
        np.frombuffer(bytes(48 * 64), np.uint8).reshape(48, 64),
    ],
    ids=['shape', 'type', 'order', 'read-only'],
)
def test_an_output_that_does_not_fit_is_left_alone(unfit):
    before = unfit.copy()
    grey = decode_grey(raw_image(quantised(scene(), 8), 'rgb8'), unfit)
    assert grey.shape == (48, 64)
    assert not np.shares_memory(grey, unfit)
    np.testing.assert_array_equal(unfit, before)


@pytest.mark.parametrize(
    'encoding', ['mono8', 'mono16', 'bgr8', 'rgba16', 'bayer_gbrg8', 'bayer_rggb16', 'yuv422']
)
def test_with_an_output_nothing_of_the_size_of_the_image_is_allocated(encoding):
    bits = ENCODINGS[encoding].bits
    rgb = quantised(np.tile(scene(), (10, 10, 1)) % 1, bits)
    image = raw_image(pixels_of(encoding, rgb), encoding, padding=4)
    out = np.empty(rgb.shape[:2], rgb.dtype)
    decode_grey(image, out)
    # Bytes; the smallest of these images has 307,200.
    assert peak_of(lambda: decode_grey(image, out)) < 20_000
