# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Raw image buffers of any supported encoding become grey images.

A header is checked against the data it comes with before any pixel is touched, so that no size
that it merely claims is ever allocated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Any, cast

import cv2
import numpy as np

from stereo_depth_node.core.arrays import AnyGrey
from stereo_depth_node.core.errors import DataLengthError, EncodingError, ImageError, SizeError
from stereo_depth_node.core.images.encodings import Encoding, ENCODINGS, SUPPORTED_ENCODINGS

__all__ = [
    'RawImage',
    'check_that_data_is_used',
    'decode_grey',
    'pixels_of',
    'reduce_to_8bit',
]


# Pixels of each image from which the common range of 16-bit images is taken, roughly.
_RANGE_SAMPLES = 4096
# The share of the darkest and of the brightest samples that may saturate: hot pixels, glints.
_OUTLIERS = 0.001
# Bytes of 16-bit pixels scaled at a time, so that the intermediate result stays in the cache.
_STRIP_BYTES = 1 << 17


@dataclass(frozen=True, slots=True)
class RawImage:
    """A raw image as ROS describes it.

    Attributes
    ----------
    height, width : int
        Size in pixels.
    encoding : str
        ROS name of the pixel encoding, one of `ENCODINGS`.
    is_bigendian : bool
        Byte order of 16-bit values.
    step : int
        Bytes from one row to the next.
    data : buffer
        The rows: bytes, memoryview, ``array.array`` or ndarray.
    """

    height: int
    width: int
    encoding: str
    is_bigendian: bool
    step: int
    data: Any


def decode_grey(
    image: RawImage,
    out: AnyGrey | None = None,
    *,
    fallback: Callable[[RawImage], AnyGrey] | None = None,
) -> AnyGrey:
    """Return the grey values of an image, without a copy where the data is grey already.

    Colours are weighted as in Rec. 601 (0.299 R + 0.587 G + 0.114 B), as OpenCV does; of YUV
    the Y is taken as it is.

    Parameters
    ----------
    image
        The image.
    out : (H, W) uint8 or uint16 ndarray, optional
        Receives the result where one has to be computed. It is used when its shape and type
        fit and it is contiguous, otherwise a new array is made. With it, nothing of the size
        of the image is allocated, except for big-endian colour and Bayer images.
    fallback : callable, optional
        Decodes the images whose encoding is not in `ENCODINGS`.

    Returns
    -------
    (H, W) uint8 or uint16 ndarray
        In native byte order: `out`, a new array, or, for mono and 8UC1/16UC1, a view of the
        data. A view may have padded rows and may be read-only.

    Raises
    ------
    EncodingError
        The encoding is unknown and there is no fallback.
    SizeError
        Size, step and amount of data contradict each other.
    ImageError
        The data is no buffer, or OpenCV refuses the image.
    """
    encoding = ENCODINGS.get(image.encoding)
    if encoding is None:
        return _decode_otherwise(image, fallback)
    pixels = pixels_of(image, encoding)
    shape = (image.height, image.width)
    native = pixels.dtype.newbyteorder('=')
    # OpenCV takes rows at any distance that is a whole number of values.
    usable = pixels.dtype.isnative and pixels.flags.aligned
    is_grey = encoding.grey_code is None and encoding.grey_channel is None
    if is_grey and usable:
        return pixels
    out = out if out is not None and _fits(out, shape, native) else np.empty(shape, native)
    if is_grey:
        np.copyto(out, pixels)
        return out
    if not usable:
        pixels = pixels.astype(native)
    try:
        if encoding.grey_channel is not None:
            cv2.extractChannel(pixels, encoding.grey_channel, dst=out)
        elif encoding.grey_code is not None:
            cv2.cvtColor(pixels, encoding.grey_code, dst=out)
    except cv2.error as error:
        raise ImageError(
            f'OpenCV cannot convert this {image.encoding} image of '
            f'{image.width} x {image.height} pixels: {error}'
        ) from error
    return out


def grey_of_bgr(colour: AnyGrey) -> AnyGrey:
    """Return the grey values of blue, green and red, weighted as in a message of encoding bgr8.

    Decoders of files weight and round otherwise (libpng), or take the brightness before it is
    converted to colours (libjpeg): ask them for colour.

    Parameters
    ----------
    colour : (H, W, 3) uint8 or uint16 ndarray
        The image.
    """
    return cv2.cvtColor(colour, cast(int, ENCODINGS['bgr8'].grey_code))


def reduce_to_8bit(
    left: AnyGrey,
    right: AnyGrey,
    left_out: AnyGrey | None = None,
    right_out: AnyGrey | None = None,
) -> tuple[AnyGrey, AnyGrey]:
    """Return a pair of grey images as 8-bit ones, with one scale and offset for both.

    The scale maps the range that both images share, less one in a thousand outliers at either
    end, with a margin, to 0..255; values beyond saturate. It never magnifies, so images that
    hold no more than 8 bits keep their contrast, and a constant image stays constant. It may
    differ from frame to frame: matching compares the two images, not the frames.

    Parameters
    ----------
    left, right : (H, W) uint8 or uint16 ndarray
        A pair. 8-bit images are returned as they are.
    left_out, right_out : (H, W) uint8 ndarray, optional
        Receive the results; new arrays are made where they do not fit.

    Raises
    ------
    ImageError
        One image has 8 bits and the other 16: no common scale is known.
    """
    if left.dtype == right.dtype == np.uint8:
        return left, right
    if left.dtype != np.uint16 or right.dtype != np.uint16:
        raise ImageError(
            f'the left image is {left.dtype}, the right one {right.dtype}: '
            'set both cameras to the same encoding, 8 or 16 bits'
        )
    low, scale = _common_scale(left, right)
    return _scaled(left, low, scale, left_out), _scaled(right, low, scale, right_out)


def _decode_otherwise(image: RawImage, fallback: Callable[[RawImage], AnyGrey] | None) -> AnyGrey:
    name = repr(image.encoding[:40])
    if fallback is None:
        raise EncodingError(
            f'encoding {name} is not supported. Supported are {SUPPORTED_ENCODINGS}: '
            'set the camera driver to one of them, or install cv_bridge, which knows more'
        )
    rows = image.height - 1
    if image.height < 1 or image.width < 1 or rows * image.step > _buffer(image).nbytes:
        raise DataLengthError(
            f'an image of {image.width} x {image.height} pixels with step {image.step} cannot '
            f'be in {_buffer(image).nbytes} bytes of data: check the driver'
        )
    grey = fallback(image)
    if grey.dtype not in (np.uint8, np.uint16) or grey.shape != (image.height, image.width):
        raise EncodingError(
            f'encoding {name} was converted to {grey.dtype} of shape {grey.shape}, expected '
            f'uint8 or uint16 of shape {(image.height, image.width)}'
        )
    return grey


def _buffer(image: RawImage) -> memoryview:
    try:
        return memoryview(image.data)
    except TypeError as error:
        raise ImageError(
            f'data is a {type(image.data).__name__}: expected bytes, memoryview, array or ndarray'
        ) from error


def pixels_of(image: RawImage, encoding: Encoding) -> AnyGrey:
    """Return the (H, W) or (H, W, channels) view of the data after checking every size."""
    height, width, step = image.height, image.width, image.step
    row = width * encoding.bytes_per_pixel
    if height < 1 or width < 1:
        raise SizeError(f'the image has {width} x {height} pixels: expected at least 1 x 1')
    if step < row:
        raise DataLengthError(
            f'step is {step} bytes, but a row of {width} {image.encoding} pixels takes {row}: '
            'check the driver'
        )
    buffer = _buffer(image)
    needed = (height - 1) * step + row  # the last row needs no padding
    if buffer.nbytes < needed:
        raise DataLengthError(
            f'data holds {buffer.nbytes} bytes, but {height} rows of {image.encoding} with '
            f'step {step} take {needed}: the image was cut short, or its header is wrong'
        )
    if not buffer.c_contiguous:
        buffer = memoryview(buffer.tobytes())
    shape: tuple[int, ...] = (height, width)
    strides: tuple[int, ...] = (step, encoding.bytes_per_pixel)
    if encoding.channels > 1:
        shape += (encoding.channels,)
        strides += (encoding.bits // 8,)
    order = '>' if image.is_bigendian else '<'
    dtype = np.dtype(f'{order}u{encoding.bits // 8}')
    return np.ndarray(shape, dtype, buffer=buffer, strides=strides)


def check_that_data_is_used(image: RawImage) -> None:
    """Check that there is not twice the data that the header describes, or more.

    Raises
    ------
    DataLengthError
        If there is: it is of another encoding, and what was decoded is no image.
    """
    encoding = ENCODINGS.get(image.encoding)
    size, described = _buffer(image).nbytes, image.height * image.step
    if size >= 2 * described and encoding is not None and not encoding.is_first_plane:
        raise DataLengthError(
            f'data holds {size} bytes, but {image.height} rows of {image.encoding} with step '
            f'{image.step} take {described}: encoding, height or step is wrong, check the driver'
        )


def _fits(out: AnyGrey, shape: tuple[int, int], dtype: np.dtype[Any]) -> bool:
    return (
        out.shape == shape
        and out.dtype == dtype
        and out.flags.c_contiguous
        and out.flags.writeable
    )


def _common_scale(left: AnyGrey, right: AnyGrey) -> tuple[int, float]:
    """Return the value that becomes 0 and the grey levels per value."""
    stride = max(1, isqrt(left.size // _RANGE_SAMPLES))
    samples = np.concatenate([image[::stride, ::stride].ravel() for image in (left, right)])
    outliers = int(samples.size * _OUTLIERS)
    samples.partition((outliers, samples.size - 1 - outliers))
    low, high = int(samples[outliers]), int(samples[samples.size - 1 - outliers])
    margin = (high - low) // 64
    low, high = max(low - margin, 0), min(high + margin, 65535)
    return low, 255 / max(high - low, 255)


def _scaled(image: AnyGrey, low: int, scale: float, out: AnyGrey | None) -> AnyGrey:
    height, width = image.shape
    if out is None or not _fits(out, (height, width), np.dtype(np.uint8)):
        out = np.empty((height, width), np.uint8)
    rows = min(height, max(1, _STRIP_BYTES // (2 * width)))
    strip = np.empty((rows, width), np.uint16)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        # convertScaleAbs mirrors at zero where it should saturate: raise to `low` beforehand.
        raised = np.maximum(image[top:bottom], low, out=strip[: bottom - top])
        cv2.convertScaleAbs(raised, dst=out[top:bottom], alpha=scale, beta=-low * scale)
    return out
