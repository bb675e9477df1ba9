# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images, as compressed_image_transport sends them, become grey images."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np

from stereo_depth_node.core.arrays import AnyGrey
from stereo_depth_node.core.errors import EncodingError, ImageError
from stereo_depth_node.core.images.encodings import Encoding, ENCODINGS
from stereo_depth_node.core.images.layouts import SEPARATE, size_error, whole_size
from stereo_depth_node.core.images.raw import grey_of_bgr

__all__ = [
    'AS_STORED',
    'MAX_PIXELS_PER_BYTE',
    'claimed_size',
    'decode_compressed',
    'decode_compressed_grey',
    'encoding_of_format',
    'grey_of_compressed',
    'mosaic_of_format',
]

# No JPEG, PNG or TIFF makes more pixels than this of one byte (deflate stops at 1032, LZW at
# 2730): a header that claims more is refused before anything is allocated for it.
MAX_PIXELS_PER_BYTE = 4096
# Beyond any stereo camera, and 64 MB of grey.
_MOST_PIXELS = 64_000_000
# Grey or BGR, as deep as it is stored. An orientation tag is ignored: it could turn one image and
# not the other, and calibrations are for the rows of the sensor.
AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
# Tags of a width (0) or a height (1), of the image and of its tiles.
_TIFF_SIZES = {256: 0, 257: 1, 322: 0, 323: 1}
_TIFF_TILES, _USUAL_TILE = (322, 323), 1024


def decode_compressed_grey(
    data: Any,
    format: str,  # noqa: A002 (ROS's name)
    largest: tuple[int, int] | None = None,
) -> AnyGrey:
    """Return the grey values of a JPEG, PNG or TIFF image.

    Parameters
    ----------
    data, format, largest
        As for :func:`decode_compressed`.

    Returns
    -------
    (H, W) uint8 or uint16 ndarray
        A new array in native byte order.

    Raises
    ------
    ImageError
        As for :func:`decode_compressed`.
    """
    return grey_of_compressed(decode_compressed(data, format, largest), format)


def decode_compressed(
    data: Any,
    format: str,  # noqa: A002 (ROS's name)
    largest: tuple[int, int] | None = None,
    layout: str = SEPARATE,
) -> AnyGrey:
    """Return the pixels of a JPEG, PNG or TIFF image as they are stored.

    What its header says is checked before anything is decoded: a file of a megabyte can hold an
    image of gigabytes.

    Parameters
    ----------
    data : buffer
        The compressed image: bytes, memoryview, ``array.array`` or ndarray.
    format : str
        The format field of the message, such as ``'bgr8; jpeg compressed bgr8'``, ``'mono16;
        png compressed '`` or ``'jpeg'``. It matters for Bayer mosaics, which are compressed as
        they are; what the data is, its first bytes say.
    largest : tuple of 2 int, optional
        Width and height of the calibration, pixels: no image is larger. None has more than 64
        million pixels.
    layout : str
        One of :data:`.layouts.LAYOUTS` where both images are in this one, and each has the size
        of the calibration.

    Returns
    -------
    (H, W) or (H, W, 3) uint8 or uint16 ndarray
        Grey or a Bayer mosaic, or BGR: a new array in native byte order.

    Raises
    ------
    EncodingError
        The format or the kind of pixels is not one of a camera image.
    CalibrationSizeError, LayoutError
        The image is larger than the calibration.
    ImageError
        The data cannot be decoded.
    """
    buffer = _checked(data, format, largest, layout)
    flags = cv2.IMREAD_UNCHANGED if mosaic_of_format(format) is not None else AS_STORED
    try:
        image = cv2.imdecode(np.frombuffer(buffer, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f'OpenCV cannot decode format {format[:60]!r}: {error}') from error
    if image is None:
        raise ImageError(
            f'{buffer.nbytes} bytes of format {format[:60]!r} cannot be decoded: the image is '
            'damaged or was cut short'
        )
    if image.dtype not in (np.uint8, np.uint16):
        raise EncodingError(
            f'format {format[:60]!r} holds {image.dtype} pixels: expected 8 or 16 bits'
        )
    return image


def _checked(
    data: Any,
    format: str,  # noqa: A002 (ROS's name)
    largest: tuple[int, int] | None,
    layout: str,
) -> memoryview:
    """Return the bytes of an image that by its header may be decoded."""
    if 'compressedDepth' in format:
        raise EncodingError(
            f'format {format[:60]!r} carries depth, not a camera image: '
            "subscribe to the camera's .../compressed topic"
        )
    try:
        buffer = memoryview(data).cast('B')
    except TypeError as error:
        raise ImageError(
            f'data is a {type(data).__name__}: expected contiguous bytes, memoryview, array or '
            'ndarray'
        ) from error
    size = claimed_size(buffer)
    if size is None:
        raise ImageError(
            f'{buffer.nbytes} bytes of format {format[:60]!r} have no JPEG, PNG or TIFF header: '
            'set the transport of the camera to one of these formats'
        )
    width, height = size
    if not 0 < width * height <= MAX_PIXELS_PER_BYTE * buffer.nbytes:
        raise ImageError(
            f'the header claims {width} x {height} pixels, which {buffer.nbytes} bytes cannot '
            'hold: the image is damaged'
        )
    if largest is not None:
        most = whole_size(layout, *largest)
        if width > most[0] or height > most[1]:
            raise size_error(size, layout, largest, 'calibrate at the size that is published')
    if width * height > _MOST_PIXELS:
        raise ImageError(
            f'the header claims {width} x {height} pixels: images of up to '
            f'{_MOST_PIXELS // 1_000_000} million pixels are decoded'
        )
    return buffer


def grey_of_compressed(stored: AnyGrey, format: str) -> AnyGrey:  # noqa: A002 (ROS's name)
    """Return the grey values, (H, W), of what :func:`decode_compressed` gave for a format."""
    mosaic = mosaic_of_format(format)
    if stored.ndim == 3:
        return grey_of_bgr(stored[:, :, :3])
    if mosaic is not None and mosaic.grey_code is not None:
        return cv2.cvtColor(stored, mosaic.grey_code)
    return stored


def mosaic_of_format(format: str) -> Encoding | None:  # noqa: A002 (ROS's name)
    """Return the encoding of a Bayer mosaic that was compressed as it is, None for others."""
    encoding = encoding_of_format(format)
    return encoding if encoding is not None and encoding.is_mosaic else None


def encoding_of_format(format: str) -> Encoding | None:  # noqa: A002 (ROS's name)
    """Return the encoding that was compressed, such as bgr8, None where the format is silent."""
    return ENCODINGS.get(format.partition(';')[0].strip())


def claimed_size(data: memoryview) -> tuple[int, int] | None:
    """Return width and height as the header has them, None if there is no header.

    Where it says several, the largest: decoders differ in which one they believe.
    """
    start = bytes(data[:8])
    try:
        if start == b'\x89PNG\r\n\x1a\n':
            width, height = struct.unpack_from('>II', data, 16)
            return width, height
        if start[:2] == b'\xff\xd8':
            return _jpeg_size(data)
        if start[:4] in (b'II*\0', b'MM\0*'):
            return _tiff_size(data, '<' if start[:1] == b'I' else '>')
    except struct.error:  # the data ends within the header
        return None
    return None


def _jpeg_size(data: memoryview) -> tuple[int, int] | None:
    """Return the size in the frame headers (SOF) of ITU-T T.81, annex B, before the first scan."""
    position = 2
    size: tuple[int, int] | None = None
    while True:
        prefix, marker = struct.unpack_from('BB', data, position)
        if prefix != 0xFF:
            return None
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a segment
            position += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from('>HH', data, position + 5)
            size = (width, height) if size is None else (max(width, size[0]), max(height, size[1]))
            position += 2 + struct.unpack_from('>H', data, position + 2)[0]
        elif marker in (0xD9, 0xDA):  # end of image, start of scan
            return size
        else:
            position += 2 + struct.unpack_from('>H', data, position + 2)[0]


def _tiff_size(data: memoryview, order: str) -> tuple[int, int] | None:
    """Return ImageWidth and ImageLength of the first directory (TIFF 6.0, section 2).

    Or TileWidth and TileLength (section 15), if these are large: a tile is decoded whole, and may
    well be larger than a small image.
    """
    (directory,) = struct.unpack_from(f'{order}I', data, 4)
    (entries,) = struct.unpack_from(f'{order}H', data, directory)
    values: dict[int, int] = {}
    for index in range(entries):
        position = directory + 2 + 12 * index
        tag, kind = struct.unpack_from(f'{order}HH', data, position)
        if tag in _TIFF_SIZES:
            code = 'H' if kind == 3 else 'I'
            (value,) = struct.unpack_from(f'{order}{code}', data, position + 8)
            if tag in _TIFF_TILES and value <= _USUAL_TILE:
                continue
            values[_TIFF_SIZES[tag]] = max(value, values.get(_TIFF_SIZES[tag], 0))
    return (values[0], values[1]) if len(values) == 2 else None
