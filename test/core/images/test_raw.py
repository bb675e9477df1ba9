# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Raw images of every encoding become the grey image they were made of."""

from __future__ import annotations

from array import array
from itertools import product
import sys
import tracemalloc

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from stereo_depth_node.core.errors import EncodingError, ImageError, SizeError
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.images.pair_decoder import PairDecoder
from stereo_depth_node.core.images.raw import (
    check_that_data_is_used,
    decode_grey,
    RawImage,
)

NATIVE_BIG = sys.byteorder == 'big'


COLOUR_ORDERS = {'rgb': 'RGB', 'bgr': 'BGR', 'rgba': 'RGBA', 'bgra': 'BGRA'}


MOSAICS = {'rggb': 'RGGB', 'bggr': 'BGGR', 'gbrg': 'GBRG', 'grbg': 'GRBG'}


# Rows of colour behind those of Y, per row of the image, in rows as long as these.
PLANAR = {'nv12': 0.5, 'nv21': 0.5, 'i420': 0.5, 'nv16': 1, 'nv61': 1, 'nv24': 2, 'nv42': 2}


def scene(height: int = 48, width: int = 64) -> np.ndarray:
    """Return an (H, W, 3) float RGB image in 0..1 with a different linear slope per channel."""
    y, x = np.mgrid[0:height, 0:width] / 64
    return np.dstack([0.1 + 0.8 * x, 0.9 - 0.6 * y, 0.2 + 0.3 * x + 0.3 * y])


def rec601(rgb: np.ndarray) -> np.ndarray:
    """Return the luma of ITU-R BT.601 of an (H, W, 3) RGB image, as float."""
    return rgb @ np.array([0.299, 0.587, 0.114])


def quantised(rgb: np.ndarray, bits: int) -> np.ndarray:
    return np.rint(rgb * (2**bits - 1)).astype(f'u{bits // 8}')


def raw_image(
    pixels: np.ndarray, encoding: str, *, padding: int = 0, big_endian: bool = NATIVE_BIG
) -> RawImage:
    """Return an image message's content; the padding of each row is filled with 0xAA."""
    height, width = pixels.shape[:2]
    ordered = pixels.astype(pixels.dtype.newbyteorder('>' if big_endian else '<'))
    rows = np.frombuffer(ordered.tobytes(), np.uint8).reshape(height, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xAA)
    colour = b'\x55' * int(PLANAR.get(encoding, 0) * padded.size)
    return RawImage(
        height, width, encoding, big_endian, padded.shape[1], padded.tobytes() + colour
    )


def mosaic_of(rgb: np.ndarray, pattern: str) -> np.ndarray:
    mosaic = np.empty(rgb.shape[:2], rgb.dtype)
    for index, channel in enumerate(pattern):
        place = np.s_[index // 2 :: 2, index % 2 :: 2]
        mosaic[place] = rgb[..., 'RGB'.index(channel)][place]
    return mosaic


def pixels_of(encoding: str, rgb: np.ndarray) -> np.ndarray:
    """Return what a camera with this encoding sends of an integer RGB image."""
    bits = 8 * rgb.dtype.itemsize
    if encoding in (f'mono{bits}', f'{bits}UC1'):
        return np.rint(rec601(rgb)).astype(rgb.dtype)
    if encoding.startswith('bayer'):
        return mosaic_of(rgb, MOSAICS[encoding[6:10]])
    name = {f'{bits}UC3': 'bgr', f'{bits}UC4': 'bgra'}.get(encoding, encoding.rstrip('0123456789'))
    if name in COLOUR_ORDERS:
        with_alpha = np.dstack([rgb, np.full(rgb.shape[:2], 77, rgb.dtype)])
        return with_alpha[..., ['RGBA'.index(channel) for channel in COLOUR_ORDERS[name]]]
    luma = np.rint(rec601(rgb)).astype(np.uint8)
    if encoding in PLANAR:
        return luma
    chroma = np.full_like(luma, 99)
    luma_first = encoding in ('yuv422_yuy2', 'yuyv')
    return np.dstack([luma, chroma] if luma_first else [chroma, luma])


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
    tracemalloc.start()
    try:
        decode_grey(image, out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000  # bytes; the smallest of these images has 307,200


def test_data_may_end_with_the_last_pixel():
    image = raw_image(quantised(scene(), 8), 'rgb8', padding=7)
    full = decode_grey(image)
    cut = RawImage(48, 64, 'rgb8', False, image.step, image.data[:-7])
    np.testing.assert_array_equal(decode_grey(cut), full)


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
def test_one_byte_too_few_is_refused_with_both_numbers(encoding):
    bits = ENCODINGS[encoding].bits
    image = raw_image(pixels_of(encoding, quantised(scene(), bits)), encoding)
    size = 48 * image.step if encoding in PLANAR else len(image.data)  # colour is not needed
    short = RawImage(48, 64, encoding, False, image.step, image.data[: size - 1])
    with pytest.raises(SizeError, match=f'{size - 1} bytes.* {size}:'):
        decode_grey(short)


@pytest.mark.parametrize(('encoding', 'factor'), [('rgb8', 3), ('mono16', 2)])
def test_data_of_another_encoding_than_the_header_says_is_refused(encoding, factor):
    bits = ENCODINGS[encoding].bits
    data = raw_image(pixels_of(encoding, quantised(scene(), bits)), encoding).data
    image = RawImage(48, 64, 'mono8', False, 64, data)
    with pytest.raises(SizeError, match=f'data holds {factor * 48 * 64} bytes, but 48 rows'):
        check_that_data_is_used(image)
    check_that_data_is_used(RawImage(48, 64, encoding, False, 64 * factor, data))
    with pytest.raises(SizeError, match='the left image: data holds'):
        PairDecoder().decode(image, image)


def test_a_step_below_the_width_of_a_row_is_refused_with_both_numbers():
    with pytest.raises(SizeError, match=r'step is 191 bytes.* takes 192'):
        decode_grey(RawImage(48, 64, 'rgb8', False, 191, bytes(48 * 192)))


@pytest.mark.parametrize(('height', 'width'), [(0, 64), (48, 0), (0, 0)])
@pytest.mark.parametrize('fallback', [None, lambda image: np.empty((0, 0), np.uint8)])
@pytest.mark.parametrize('encoding', ['mono8', 'bayer_rggb16', 'yuv444'])
def test_an_empty_image_is_refused(height, width, fallback, encoding):
    with pytest.raises(EncodingError if encoding == 'yuv444' and not fallback else SizeError):
        decode_grey(RawImage(height, width, encoding, False, 64, b''), fallback=fallback)


@pytest.mark.parametrize('encoding', [*sorted(ENCODINGS), 'yuv444'])
def test_a_size_that_a_header_merely_claims_is_not_allocated(encoding):
    huge = RawImage(2**32 - 1, 2**28, encoding, False, 2**32 - 1, bytes(1000))
    tracemalloc.start()
    try:
        with pytest.raises(SizeError):
            decode_grey(huge, fallback=lambda image: np.empty((image.height, image.width)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_an_unknown_encoding_is_named_with_what_is_supported_and_the_remedy():
    with pytest.raises(EncodingError, match=r"'yuv444'.*bayer.*yuv422.*cv_bridge"):
        decode_grey(RawImage(2, 2, 'yuv444', False, 2, bytes(6)))
    with pytest.raises(EncodingError) as error:
        decode_grey(RawImage(2, 2, 'x' * 100_000, False, 2, bytes(6)))
    assert len(str(error.value)) < 500


def test_the_fallback_decodes_unknown_encodings_only():
    answer = np.full((2, 2), 9, np.uint8)
    unknown = RawImage(2, 2, 'yuv444', False, 2, bytes(6))
    assert decode_grey(unknown, fallback=lambda image: answer) is answer
    known = decode_grey(RawImage(2, 2, 'mono8', False, 2, bytes(4)), fallback=lambda image: answer)
    np.testing.assert_array_equal(known, np.zeros((2, 2)))


@pytest.mark.parametrize(
    'answer', [np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.float32), np.zeros((2, 2, 3), 'u1')]
)
def test_a_fallback_that_gives_no_grey_image_is_refused(answer):
    with pytest.raises(EncodingError, match='expected'):
        decode_grey(RawImage(2, 2, 'yuv444', False, 2, bytes(6)), fallback=lambda image: answer)


@settings(max_examples=300)
@given(
    size=st.tuples(*[st.one_of(st.integers(0, 6), st.integers(0, 2**32 - 1))] * 3),
    encoding=st.one_of(st.sampled_from(sorted(ENCODINGS)), st.text(max_size=5)),
    big_endian=st.booleans(),
    data=st.binary(max_size=400),
)
def test_any_header_and_data_give_an_image_or_a_named_error(size, encoding, big_endian, data):
    height, width, step = size
    try:
        grey = decode_grey(RawImage(height, width, encoding, big_endian, step, data))
    except ImageError:
        return
    assert grey.shape == (height, width)
    assert grey.dtype in (np.uint8, np.uint16)
