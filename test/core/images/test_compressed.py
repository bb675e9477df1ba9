# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images become the grey image they were made of, or a named error."""

from __future__ import annotations

from array import array
import struct
import zlib

from allocations import peak_of
import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from stereo_depth_node.core.errors import CalibrationSizeError, EncodingError, ImageError
from stereo_depth_node.core.images.compressed import claimed_size, decode_compressed_grey


def slopes(bits: int = 8) -> np.ndarray:
    """Return a (48, 64, 3) BGR image with a different linear slope per channel."""
    y, x = np.mgrid[0:48, 0:64] / 64
    bgr = np.dstack([0.2 + 0.3 * x + 0.3 * y, 0.9 - 0.6 * y, 0.1 + 0.8 * x])
    return np.rint(bgr * (2**bits - 1)).astype(f'u{bits // 8}')


def encoded(extension: str, pixels: np.ndarray) -> bytes:
    done, data = cv2.imencode(extension, pixels)
    assert done
    return data.tobytes()


@pytest.mark.parametrize(
    ('extension', 'bits', 'format_'),
    [
        ('.png', 8, 'mono8; png compressed '),
        ('.png', 16, 'mono16; png compressed '),
        ('.tiff', 8, 'mono8; tiff compressed '),
        ('.tiff', 16, '16UC1; tiff compressed '),
        ('.png', 8, 'png'),
    ],
)
def test_lossless_grey_comes_back_exactly(extension, bits, format_):
    pixels = slopes(bits)[..., 1].copy()
    grey = decode_compressed_grey(encoded(extension, pixels), format_)
    assert grey.dtype == pixels.dtype
    np.testing.assert_array_equal(grey, pixels)


@pytest.mark.parametrize(
    ('extension', 'bits', 'format_', 'tolerance'),
    [
        ('.png', 8, 'bgr8; png compressed bgr8', 1),
        ('.png', 16, 'rgb16; png compressed bgr16', 6),  # fixed-point weights
        ('.tiff', 8, 'bgr8; tiff compressed bgr8', 1),
        ('.jpg', 8, 'bgr8; jpeg compressed bgr8', 3),  # quality 95 on smooth slopes
        ('.jpg', 8, 'rgb8; jpeg compressed bgr8', 3),
        ('.jpg', 8, 'jpeg', 3),
    ],
)
def test_colour_gives_its_grey(extension, bits, format_, tolerance):
    bgr = slopes(bits)
    grey = decode_compressed_grey(encoded(extension, bgr), format_)
    assert grey.dtype == bgr.dtype
    expected = bgr @ np.array([0.114, 0.587, 0.299])
    assert np.abs(grey - expected).max() <= tolerance


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize(
    ('name', 'order'), [('rggb', 'RGGB'), ('bggr', 'BGGR'), ('gbrg', 'GBRG'), ('grbg', 'GRBG')]
)
def test_a_compressed_mosaic_is_interpolated(name, order, bits):
    bgr = slopes(bits)
    mosaic = np.empty(bgr.shape[:2], bgr.dtype)
    for index, channel in enumerate(order):
        place = np.s_[index // 2 :: 2, index % 2 :: 2]
        mosaic[place] = bgr[..., 'BGR'.index(channel)][place]
    data = encoded('.png', mosaic)
    grey = decode_compressed_grey(data, f'bayer_{name}{bits}; png compressed ')
    expected = bgr @ np.array([0.114, 0.587, 0.299])
    # On linear slopes the interpolation is exact to 4 levels of 8 bits, borders included.
    assert np.abs(grey - expected).max() <= 4 * (2**bits - 1) / 255


def test_a_mosaic_that_was_made_colour_before_compression_is_taken_as_colour():
    bgr = slopes()
    grey = decode_compressed_grey(encoded('.png', bgr), 'bayer_rggb8; png compressed bgr8')
    np.testing.assert_array_equal(grey, cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))


@pytest.mark.parametrize('buffer_of', [bytes, memoryview, lambda data: array('B', data)])
def test_any_buffer_is_decoded(buffer_of):
    pixels = slopes()[..., 0].copy()
    data = buffer_of(encoded('.png', pixels))
    np.testing.assert_array_equal(decode_compressed_grey(data, 'png'), pixels)


def test_the_exif_orientation_turns_nothing():
    pixels = slopes()[..., 0].copy()
    jpeg = encoded('.jpg', pixels)
    # A TIFF directory with one entry: Orientation (0x112), SHORT, one value, 6 (turn by 90).
    directory = struct.pack('<HHHIHHI', 1, 0x112, 3, 1, 6, 0, 0)
    exif = b'Exif\0\0' + b'II*\0' + struct.pack('<I', 8) + directory
    turned = jpeg[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + jpeg[2:]
    grey = decode_compressed_grey(turned, 'jpeg')
    np.testing.assert_array_equal(grey, decode_compressed_grey(jpeg, 'jpeg'))


@pytest.mark.parametrize('format_', ['16UC1; compressedDepth png', '32FC1; compressedDepth'])
def test_compressed_depth_is_refused_with_the_topic_to_take(format_):
    with pytest.raises(EncodingError, match=r'depth, not a camera image.*compressed topic'):
        decode_compressed_grey(encoded('.png', slopes(16)[..., 0].copy()), format_)


def test_floating_point_pixels_are_refused():
    data = encoded('.tiff', slopes()[..., 0].astype(np.float32))
    with pytest.raises(EncodingError, match='float32'):
        decode_compressed_grey(data, '32FC1; tiff compressed ')


@pytest.mark.parametrize(
    'data', [b'', b'\0' * 100, b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', b'II*\0']
)
def test_data_without_header_is_refused_with_the_format(data):
    with pytest.raises(ImageError, match=r"'h264'.* JPEG, PNG or TIFF"):
        decode_compressed_grey(data, 'h264')


@pytest.mark.parametrize('extension', ['.png', '.tiff'])
def test_an_image_cut_short_is_refused(extension):
    data = encoded(extension, slopes())
    with pytest.raises(ImageError):
        decode_compressed_grey(data[: len(data) // 2], extension[1:])


def test_data_that_is_no_buffer_is_refused():
    with pytest.raises(ImageError, match='data is a list'):
        decode_compressed_grey([1, 2, 3], 'jpeg')


def png_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded('.png', slopes()))
    data[16:24] = struct.pack('>II', width, height)
    data[29:33] = struct.pack('>I', zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded('.jpg', slopes()))
    frame = data.index(b'\xff\xc0')
    data[frame + 5 : frame + 9] = struct.pack('>HH', height, width)
    return bytes(data)


def tiff_claiming(width: int, height: int) -> bytes:
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8)]
    directory = b''.join(struct.pack('<HHII', *entry) for entry in entries)
    return b'II*\0' + struct.pack('<IH', 8, len(entries)) + directory + bytes(4)


@pytest.mark.parametrize('claiming', [png_claiming, jpeg_claiming, tiff_claiming])
@pytest.mark.parametrize(('width', 'height'), [(65000, 65000), (0, 10), (10, 0)])
def test_a_size_that_a_header_merely_claims_is_refused_before_decoding(claiming, width, height):
    data = claiming(width, height)

    def decode() -> None:
        with pytest.raises(ImageError, match=f'claims {width} x {height} pixels'):
            decode_compressed_grey(data, 'bgr8; compressed')

    assert peak_of(decode) < 100_000  # bytes


def test_a_blank_image_that_compresses_well_is_no_false_claim():
    blank = np.zeros((2000, 3000), np.uint8)
    for extension in ('.png', '.jpg', '.tiff'):
        grey = decode_compressed_grey(encoded(extension, blank), extension[1:])
        np.testing.assert_array_equal(grey, blank)


@settings(max_examples=200)
@given(
    start=st.sampled_from([b'', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', b'II*\0', b'MM\0*']),
    rest=st.binary(max_size=200),
    format_=st.sampled_from(['jpeg', 'bayer_rggb8; png compressed ', ';', '']),
)
def test_any_data_gives_an_image_or_a_named_error(start, rest, format_):
    try:
        grey = decode_compressed_grey(start + rest, format_)
    except ImageError:
        return
    assert grey.ndim == 2


def test_an_image_larger_than_the_calibration_is_refused_before_decoding() -> None:
    data = encoded('.png', np.zeros((3000, 4000), np.uint8))

    def decode() -> None:
        with pytest.raises(CalibrationSizeError, match=r'4000x3000, .* for 640x3000'):
            decode_compressed_grey(data, 'png', (640, 3000))
        with pytest.raises(CalibrationSizeError, match=r'4000x3000, .* for 4000x480'):
            decode_compressed_grey(data, 'png', (4000, 480))

    assert peak_of(decode) < 1_000_000
    assert decode_compressed_grey(data, 'png', (4000, 3000)).shape == (3000, 4000)


def test_without_a_calibration_there_may_be_64_million_pixels() -> None:
    """A PNG of 30 kB can hold them; of 100 kB, more than that."""
    with pytest.raises(ImageError, match='images of up to 64 million pixels'):
        decode_compressed_grey(png_claiming(8001, 8000) + bytes(100_000), 'png')


def test_of_several_sizes_in_a_header_the_largest_counts() -> None:
    """Decoders differ in which one they take."""
    pixels = slopes()[..., 1].copy()
    jpeg = encoded('.jpg', pixels)
    start = jpeg.index(b'\xff\xc0')
    frame = jpeg[start : start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], 'big')]
    larger = frame[:5] + struct.pack('>HH', 480, 640) + frame[9:]
    assert claimed_size(memoryview(jpeg)) == (64, 48)
    for both in (frame + larger, larger + frame):
        twice = jpeg[:start] + both + jpeg[start + len(frame) :]
        assert claimed_size(memoryview(twice)) == (640, 480)
    entries = [(256, 64), (256, 640), (257, 48), (322, 2048), (323, 16)]
    fields = b''.join(struct.pack('<HHII', tag, 4, 1, value) for tag, value in entries)
    tiff = b'II*\0' + struct.pack('<IH', 8, len(entries)) + fields + bytes(4)
    assert claimed_size(memoryview(tiff)) == (2048, 48)
