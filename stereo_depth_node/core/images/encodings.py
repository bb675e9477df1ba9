# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixel encodings of raw images, by their ROS names, and the way each becomes grey."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

__all__ = ['ENCODINGS', 'SUPPORTED_ENCODINGS', 'Encoding']


@dataclass(frozen=True, slots=True)
class Encoding:
    """Layout of a pixel and its way to grey.

    Attributes
    ----------
    channels, bits
        Values per pixel and bits per value.
    grey_code
        The ``cv2.cvtColor`` code that gives grey, None where none is needed.
    grey_channel
        The channel that is grey already, None where there is none.
    """

    channels: int
    bits: int
    grey_code: int | None = None
    grey_channel: int | None = None

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes from one pixel to the next in a row."""
        return self.channels * self.bits // 8


def _encodings() -> dict[str, Encoding]:
    table = {
        'yuv422': Encoding(2, 8, grey_channel=1),
        'yuv422_uyvy': Encoding(2, 8, grey_channel=1),
        'uyvy': Encoding(2, 8, grey_channel=1),
        'yuv422_yuy2': Encoding(2, 8, grey_channel=0),
        'yuyv': Encoding(2, 8, grey_channel=0),
    }
    # Of planar YUV the plane of Y comes first, in rows of `step` bytes; colour follows behind it.
    table |= dict.fromkeys(
        ('nv12', 'nv21', 'nv16', 'nv61', 'nv24', 'nv42', 'i420'), Encoding(1, 8)
    )
    # ROS names a mosaic by its upper left 2 x 2 pixels, row by row. OpenCV's older names, the
    # only ones that 4.5 has, start one row and one column further in: RGGB is 'BayerBG' there.
    mosaics = {
        'bayer_rggb': cv2.COLOR_BayerBG2GRAY,
        'bayer_bggr': cv2.COLOR_BayerRG2GRAY,
        'bayer_gbrg': cv2.COLOR_BayerGR2GRAY,
        'bayer_grbg': cv2.COLOR_BayerGB2GRAY,
    }
    colours = {
        'rgb': (3, cv2.COLOR_RGB2GRAY),
        'bgr': (3, cv2.COLOR_BGR2GRAY),
        'rgba': (4, cv2.COLOR_RGBA2GRAY),
        'bgra': (4, cv2.COLOR_BGRA2GRAY),
    }
    for bits in (8, 16):
        table[f'mono{bits}'] = table[f'{bits}UC1'] = Encoding(1, bits)
        for name, (channels, code) in colours.items():
            table[f'{name}{bits}'] = Encoding(channels, bits, code)
        table[f'{bits}UC3'] = table[f'bgr{bits}']
        table[f'{bits}UC4'] = table[f'bgra{bits}']
        for name, code in mosaics.items():
            table[f'{name}{bits}'] = Encoding(1, bits, code)
    return table


#: Every supported encoding by its ROS name.
ENCODINGS = _encodings()

#: The names in `ENCODINGS`, shortened for people.
SUPPORTED_ENCODINGS = (
    'mono, rgb, bgr, rgba, bgra and bayer_{rggb,bggr,gbrg,grbg} with 8 or 16 bits, '
    '8UC1, 8UC3, 8UC4, 16UC1, 16UC3, 16UC4, yuv422 (uyvy), yuv422_yuy2 (yuyv), nv12, nv21, nv24 '
    'and their like'
)
