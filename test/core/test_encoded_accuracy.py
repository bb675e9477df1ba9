# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What 16-bit, colour, Bayer and YUV images of one scene cost in accuracy, against mono8."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.images.raw import decode_grey, RawImage, reduce_to_8bit
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.accuracy import disparity_accuracy

WIDTH, HEIGHT = 740, 500  # even, as Bayer and YUV have it


@pytest.fixture(scope='module')
def colours() -> list[np.ndarray]:
    data = pytest.importorskip('skimage.data')
    return [np.ascontiguousarray(image[:, :WIDTH]) for image in data.stereo_motorcycle()[:2]]


def grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def bayer(image: np.ndarray) -> np.ndarray:
    """Return what a sensor with the pattern RGGB sees of it."""
    red, green, blue = (image[..., channel] for channel in range(3))
    mosaic = green.copy()
    mosaic[0::2, 0::2] = red[0::2, 0::2]
    mosaic[1::2, 1::2] = blue[1::2, 1::2]
    return mosaic


def uyvy(image: np.ndarray) -> np.ndarray:
    y, u, v = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YUV))
    packed = np.empty((HEIGHT, WIDTH, 2), np.uint8)
    packed[..., 1] = y
    packed[:, 0::2, 0], packed[:, 1::2, 0] = u[:, 0::2], v[:, 0::2]
    return packed


# Encoding -> how an image of it is made, whether big-endian, and how far bad-2.0 of all pixels
# may move, percent: 16 bit and YUV are rounded anew, half of a Bayer pattern is interpolated.
ENCODED = {
    'rgb8': (lambda image: image, False, 0.0),
    'mono16': (lambda image: grey(image).astype('<u2') * 257, False, 0.2),
    'mono16 big-endian': (lambda image: grey(image).astype('>u2') * 257, True, 0.2),
    'mono16 of 12 bit': (lambda image: grey(image).astype('<u2') * 16, False, 0.2),
    'bayer_rggb8': (bayer, False, 2.0),
    'yuv422': (uyvy, False, 0.1),
}


def bad(images: list[np.ndarray], truth: np.ndarray) -> float:
    pipeline = StereoPipeline(Settings(matcher_backend='opencv'), WIDTH, HEIGHT)
    pipeline.match(*images)
    found = np.where(pipeline.fixed >= 0, pipeline.fixed / np.float32(16), np.float32(np.nan))
    return disparity_accuracy(found, truth).bad_all[2.0]


@pytest.mark.parametrize('name', ENCODED)
def test_other_encodings_are_matched_as_well_as_mono8(name, colours, motorcycle):
    encode, is_bigendian, allowed = ENCODED[name]
    truth = motorcycle.disparity[:, :WIDTH]
    images = []
    for image in colours:
        pixels = np.ascontiguousarray(encode(image))
        dtype = '>u2' if is_bigendian else pixels.dtype
        pixels = pixels.astype(dtype)
        step = pixels.strides[0]
        images.append(
            decode_grey(
                RawImage(HEIGHT, WIDTH, name.split()[0], is_bigendian, step, pixels.tobytes())
            )
        )
    found = bad(list(reduce_to_8bit(*images)), truth)
    assert found == pytest.approx(bad([grey(image) for image in colours], truth), abs=allowed)
