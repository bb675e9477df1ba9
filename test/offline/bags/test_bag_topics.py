# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are a stereo camera."""

from __future__ import annotations

from typing import Any

import pytest

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.bags.topics import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    find_stereo_topics,
    IMAGE,
    Topic,
)


def topics(*names: str) -> list[Topic]:
    """Return topics whose types follow from their names."""
    kinds = {'camera_info': CAMERA_INFO, 'compressed': COMPRESSED_IMAGE, 'tf': 'tf2_msgs/msg/TF'}
    return [Topic(name, kinds.get(name.rpartition('/')[2], IMAGE), 10) for name in names]


def both(*names: str) -> list[Topic]:
    """Return the topics of both sides; L and R stand for them."""
    return topics(*(name.replace('SIDE', side) for name in names for side in ('left', 'right')))


def test_the_only_camera_is_found_with_its_calibration() -> None:
    found = find_stereo_topics(both('/SIDE/image_rect', '/SIDE/camera_info') + topics('/tf'))
    assert (found.left, found.right) == ('/left/image_rect', '/right/image_rect')
    assert (found.left_info, found.right_info) == ('/left/camera_info', '/right/camera_info')


@pytest.mark.parametrize(
    ('left', 'right'),
    [
        ('/cam0/image_raw', '/cam1/image_raw'),
        ('/camera/infra1/image_rect_raw', '/camera/infra2/image_rect_raw'),
        ('/stereo/left_image', '/stereo/right_image'),
        ('/zed/leftRaw', '/zed/rightRaw'),
    ],
)
def test_the_names_of_common_drivers_are_known(left: str, right: str) -> None:
    found = find_stereo_topics(topics(left, right))
    assert (found.left, found.right) == (left, right)
    assert found.left_info is None


@pytest.mark.parametrize(
    ('options', 'left'),
    [
        ({}, '/left/image_rect'),
        ({'rectify': True}, '/left/image_raw'),
        ({'compressed': True}, '/left/image_raw/compressed'),
    ],
)
def test_of_raw_rectified_and_compressed_images_the_settings_choose(
    options: dict[str, Any], left: str
) -> None:
    recorded = both('/SIDE/image_raw', '/SIDE/image_rect', '/SIDE/image_raw/compressed')
    assert find_stereo_topics(recorded, **options).left == left


def test_compressed_images_are_taken_where_there_are_no_others() -> None:
    found = find_stereo_topics(both('/SIDE/image_rect/compressed', '/SIDE/camera_info'))
    assert found.type == COMPRESSED_IMAGE
    assert found.left_info == '/left/camera_info'


def test_of_two_cameras_none_is_guessed() -> None:
    recorded = both('/front/SIDE/image_rect', '/rear/SIDE/image_rect')
    with pytest.raises(InputError) as caught:
        find_stereo_topics(recorded)
    assert '--left /front/left/image_rect --right /front/right/image_rect' in str(caught.value)
    assert '--left /rear/left/image_rect' in str(caught.value)
    assert (
        find_stereo_topics(
            recorded, left='rear/left/image_rect', right='/rear/right/image_rect'
        ).left
        == '/rear/left/image_rect'
    )


@pytest.mark.parametrize(
    ('recorded', 'options', 'said'),
    [
        (topics('/a/image', '/b/image'), {}, 'image topics are /a/image .*, /b/image'),
        (topics('/tf'), {}, 'no image topic at all, only /tf'),
        ([], {}, 'no image topic at all, only nothing'),
        (topics('/a/image'), {'left': '/a/image'}, 'name both'),
        (topics('/a/image'), {'left': '/a/image', 'right': '/c'}, 'no topic /c, it has /a/image'),
        (topics('/a', '/tf'), {'left': '/a', 'right': '/tf'}, 'two topics of one type'),
        (topics('/x/tf', '/y/tf'), {'left': '/x/tf', 'right': '/y/tf'}, 'expected sensor_msgs'),
    ],
)
def test_what_cannot_be_found_is_said_with_what_there_is(
    recorded: list[Topic], options: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        find_stereo_topics(recorded, **options)
