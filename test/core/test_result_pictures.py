# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a pair as they are published: the left image, disparities in colours."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='messages are made with rosbags, the extra "offline"')

from scenes import plane, scene_of, StereoScene
from stereo_camera import Camera, cameras, DISPARITY_PX, F_PX, HEIGHT, pixels_of, SETTINGS, WIDTH


@pytest.fixture(scope='module')
def scene() -> StereoScene:
    return scene_of(plane(WIDTH, HEIGHT, DISPARITY_PX))


def test_the_left_image_is_in_colour_where_it_comes_in_colour(scene: StereoScene) -> None:
    """Also when the camera changes its encoding from one pair to the next."""
    stereo_camera = Camera(SETTINGS, cameras())
    grey = stereo_camera.see(scene.left, scene.right)['image_rect']
    np.testing.assert_array_equal(pixels_of(grey), scene.left)
    colours = np.dstack([scene.left, scene.left // 2, scene.left // 3])
    colour = stereo_camera.see(colours, np.dstack([scene.right] * 3))['image_rect']
    assert (grey.encoding, colour.encoding) == ('mono8', 'rgb8')
    np.testing.assert_array_equal(pixels_of(colour), colours)
    again = stereo_camera.see(scene.left, scene.right)['image_rect']
    np.testing.assert_array_equal(pixels_of(again), scene.left)


def test_the_left_image_is_rectified(scene: StereoScene) -> None:
    calibrations = tuple(
        dataclasses.replace(each, k=(F_PX, 0.0, each.p[2] + 7, *each.k[3:])) for each in cameras()
    )
    settings = SETTINGS.replace(rectify=True)
    picture = Camera(settings, calibrations).see(scene.left, scene.right)['image_rect']
    # K lies 7 px to the right of P: what was at x + 7 comes to x, and black from beyond the image.
    shown = pixels_of(picture)
    np.testing.assert_array_equal(shown[60:140, :-7], scene.left[60:140, 7:])
    assert not shown[:, -7:].any()


@pytest.mark.parametrize('colour_range', ['searched', 'automatic'])
def test_the_colours_of_disparities_are_those_of_the_pictures(
    scene: StereoScene, colour_range: str
) -> None:
    matplotlib = pytest.importorskip('matplotlib')
    settings = SETTINGS.replace(disparity_color_range=colour_range)
    outputs = Camera(settings, cameras()).see(scene.left, scene.right)
    message = outputs['disparity']
    disparity = message.image.data.view(np.float32).reshape(HEIGHT, WIDTH)
    known = disparity >= message.min_disparity
    low, high = message.min_disparity, message.max_disparity
    if colour_range == 'automatic':
        # Disparities that differ by less than a pixel get a range of one.
        middle = np.mean(np.percentile(disparity[::4, ::4][known[::4, ::4]], (1, 99)))
        low, high = middle - 0.5, middle + 0.5
    share = np.clip((disparity - low) / (high - low), 0, 1)
    turbo = np.asarray(matplotlib.colormaps['turbo'](share.astype(float))[:, :, :3]) * 255
    shown = pixels_of(outputs['disparity/image_color'])
    # There are 255 steps here and 256 there, a step changes a value by 5 at most.
    assert np.abs(shown[known] - turbo[known]).max() < 9
    assert not shown[~known].any()
    assert known.any()
    assert not known.all()


def test_near_is_red_and_far_is_blue_and_a_pair_without_disparities_is_black(
    scene: StereoScene,
) -> None:
    stereo_camera = Camera(SETTINGS.replace(disparity_color_range='automatic'), cameras())
    truth = plane(WIDTH, HEIGHT, 10.0)
    truth[:, WIDTH // 2 :] = 30.0
    two = scene_of(truth)
    shown = pixels_of(stereo_camera.see(two.left, two.right)['disparity/image_color']).astype(int)
    red, _, blue = np.median(shown[60:140, 260:300], axis=(0, 1))
    assert red > blue + 50
    red, _, blue = np.median(shown[60:140, 80:130], axis=(0, 1))
    assert blue > red
    black = np.zeros_like(scene.left)
    assert not pixels_of(stereo_camera.see(black, black)['disparity/image_color']).any()
