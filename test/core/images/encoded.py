# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A scene of colours, and what a camera with each encoding sends of it."""

from __future__ import annotations

import sys

import numpy as np

from stereo_depth_node.core.images.raw import RawImage

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
