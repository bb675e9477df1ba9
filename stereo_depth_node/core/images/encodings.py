# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixel encodings of raw images, by their ROS names, and the way each becomes grey and RGB."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

__all__ = ['ENCODINGS', 'SUPPORTED_ENCODINGS', 'Encoding']


@dataclass(frozen=True, slots=True)
class Encoding:
    """Layout of a pixel and its way to grey and to RGB.

    Attributes
    ----------
    channels, bits
        Values per pixel and bits per value.
    grey_code
        The ``cv2.cvtColor`` code that gives grey, None where none is needed.
    grey_channel
        The channel that is grey already, None where there is none.
    rgb_code
        The ``cv2.cvtColor`` code that gives RGB, None where there is none: for RGB itself, and
        where the colours are not known.
    is_planar
        Planes of colour, half as many rows, follow behind that of Y, and `rgb_code` takes all.
    is_first_plane
        What is described is the plane of Y, and planes of colour follow behind it.
    """

    channels: int
    bits: int
    grey_code: int | None = None
    grey_channel: int | None = None
    rgb_code: int | None = None
    is_planar: bool = False
    is_first_plane: bool = False

    @property
    def has_colour(self) -> bool:
        """Whether there are colours that can be had."""
        return self.rgb_code is not None or self.channels > 2

    @property
    def is_mosaic(self) -> bool:
        """Whether neighbouring pixels have different colours (Bayer)."""
        return self.channels == 1 and self.grey_code is not None

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes from one pixel to the next in a row."""
        return self.channels * self.bits // 8


def _encodings() -> dict[str, Encoding]:
    uyvy = Encoding(2, 8, grey_channel=1, rgb_code=cv2.COLOR_YUV2RGB_UYVY)
    yuyv = Encoding(2, 8, grey_channel=0, rgb_code=cv2.COLOR_YUV2RGB_YUY2)
    table = {
        'yuv422': uyvy,
        'yuv422_uyvy': uyvy,
        'uyvy': uyvy,
        'yuv422_yuy2': yuyv,
        'yuyv': yuyv,
    }
    # Of planar YUV the plane of Y comes first, in rows of `step` bytes; colour follows behind it.
    table |= dict.fromkeys(
        ('nv16', 'nv61', 'nv24', 'nv42', 'i420'), Encoding(1, 8, is_first_plane=True)
    )
    for name, code in (('nv12', cv2.COLOR_YUV2RGB_NV12), ('nv21', cv2.COLOR_YUV2RGB_NV21)):
        table[name] = Encoding(1, 8, rgb_code=code, is_planar=True, is_first_plane=True)
    # ROS names a mosaic by its upper left 2 x 2 pixels, row by row. OpenCV's older names, the
    # only ones that 4.5 has, start one row and one column further in: RGGB is 'BayerBG' there.
    mosaics = {
        'bayer_rggb': (cv2.COLOR_BayerBG2GRAY, cv2.COLOR_BayerBG2RGB),
        'bayer_bggr': (cv2.COLOR_BayerRG2GRAY, cv2.COLOR_BayerRG2RGB),
        'bayer_gbrg': (cv2.COLOR_BayerGR2GRAY, cv2.COLOR_BayerGR2RGB),
        'bayer_grbg': (cv2.COLOR_BayerGB2GRAY, cv2.COLOR_BayerGB2RGB),
    }
    colours = {
        'rgb': (3, cv2.COLOR_RGB2GRAY, None),
        'bgr': (3, cv2.COLOR_BGR2GRAY, cv2.COLOR_BGR2RGB),
        'rgba': (4, cv2.COLOR_RGBA2GRAY, cv2.COLOR_RGBA2RGB),
        'bgra': (4, cv2.COLOR_BGRA2GRAY, cv2.COLOR_BGRA2RGB),
    }
    for bits in (8, 16):
        table[f'mono{bits}'] = table[f'{bits}UC1'] = Encoding(1, bits)
        for name, (channels, grey, rgb) in colours.items():
            table[f'{name}{bits}'] = Encoding(channels, bits, grey, rgb_code=rgb)
        table[f'{bits}UC3'] = table[f'bgr{bits}']
        table[f'{bits}UC4'] = table[f'bgra{bits}']
        for name, (grey, rgb) in mosaics.items():
            table[f'{name}{bits}'] = Encoding(1, bits, grey, rgb_code=rgb)
    return table


#: Every supported encoding by its ROS name.
ENCODINGS = _encodings()

#: The names in `ENCODINGS`, shortened for people.
SUPPORTED_ENCODINGS = (
    'mono, rgb, bgr, rgba, bgra and bayer_{rggb,bggr,gbrg,grbg} with 8 or 16 bits, '
    '8UC1, 8UC3, 8UC4, 16UC1, 16UC3, 16UC4, yuv422 (uyvy), yuv422_yuy2 (yuyv), nv12, nv21, nv24 '
    'and their like'
)
