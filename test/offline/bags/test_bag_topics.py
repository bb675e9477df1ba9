# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are a stereo camera."""

from __future__ import annotations

from typing import Any

import pytest

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.topics import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    find_stereo_topics,
    IMAGE,
    stereo_candidates,
    Topic,
    TopicNames,
)


def topics(*names: str) -> list[Topic]:
    """Return topics whose types follow from their names."""
    kinds = {'camera_info': CAMERA_INFO, 'compressed': COMPRESSED_IMAGE, 'tf': 'tf2_msgs/msg/TF'}
    return [Topic(name, kinds.get(name.rpartition('/')[2], IMAGE), 10) for name in names]


def both(*names: str) -> list[Topic]:
    """Return the topics of both sides; L and R stand for them."""
    return topics(*(name.replace('SIDE', side) for name in names for side in ('left', 'right')))


def test_the_only_camera_is_found_with_its_calibration() -> None:
    found = find_stereo_topics(
        both('/SIDE/image_rect', '/SIDE/camera_info') + topics('/tf'), Settings()
    )
    assert (found.left, found.right) == ('/left/image_rect', '/right/image_rect')
    assert (found.left_info, found.right_info) == ('/left/camera_info', '/right/camera_info')


@pytest.mark.parametrize(
    ('left', 'right'),
    [
        ('/cam0/image_raw', '/cam1/image_raw'),
        ('/camera/infra1/image_rect_raw', '/camera/infra2/image_rect_raw'),
        ('/stereo/left_image', '/stereo/right_image'),
        ('/zed/leftRaw', '/zed/rightRaw'),
        ('/zed/zed_node/left/color/rect/image', '/zed/zed_node/right/color/rect/image'),
        ('/camera/fisheye1/image_raw', '/camera/fisheye2/image_raw'),
        ('/rig/l/image', '/rig/r/image'),
        ('/l', '/r'),
        ('/image_l', '/image_r'),
        ('/cam1/image_raw', '/cam2/image_raw'),
        ('/stereo/left/left_image', '/stereo/right/right_image'),
    ],
)
def test_the_names_of_common_drivers_are_known(left: str, right: str) -> None:
    found = find_stereo_topics(topics(left, right), Settings())
    assert (found.left, found.right) == (left, right)
    assert found.left_info is None


@pytest.mark.parametrize(
    ('options', 'left'),
    [
        ({}, '/left/image_rect'),
        ({'rectify': True}, '/left/image_raw'),
        ({'image_transport': 'compressed'}, '/left/image_raw/compressed'),
    ],
)
def test_of_raw_rectified_and_compressed_images_the_settings_choose(
    options: dict[str, Any], left: str
) -> None:
    recorded = both('/SIDE/image_raw', '/SIDE/image_rect', '/SIDE/image_raw/compressed')
    assert find_stereo_topics(recorded, Settings(**options)).left == left


def test_compressed_images_are_taken_where_there_are_no_others() -> None:
    found = find_stereo_topics(
        both('/SIDE/image_rect/compressed', '/SIDE/camera_info'), Settings()
    )
    assert found.type == COMPRESSED_IMAGE
    assert found.left_info == '/left/camera_info'


def test_of_two_cameras_none_is_guessed() -> None:
    recorded = both('/front/SIDE/image_rect', '/rear/SIDE/image_rect')
    with pytest.raises(InputError) as caught:
        find_stereo_topics(recorded, Settings())
    assert '--left /front/left/image_rect --right /front/right/image_rect' in str(caught.value)
    assert '--left /rear/left/image_rect' in str(caught.value)
    assert (
        find_stereo_topics(
            recorded, Settings(), TopicNames('rear/left/image_rect', '/rear/right/image_rect')
        ).left
        == '/rear/left/image_rect'
    )


def test_each_pair_stays_within_its_rig() -> None:
    recorded = topics(
        *(f'/{arm}_arm/camera/{side}' for arm in ('left', 'right') for side in ('left', 'right'))
    )
    found = [(left.name, right.name) for left, right in stereo_candidates(recorded)]
    assert found == [
        ('/left_arm/camera/left', '/left_arm/camera/right'),
        ('/right_arm/camera/left', '/right_arm/camera/right'),
    ]
    # A camera on each arm is no stereo camera.
    assert not stereo_candidates(topics('/left_arm/camera/image', '/right_arm/camera/image'))


def test_three_cameras_in_a_row_give_one_pair() -> None:
    found = stereo_candidates(topics('/cam0/image', '/cam1/image', '/cam2/image'))
    assert [(left.name, right.name) for left, right in found] == [('/cam0/image', '/cam1/image')]


def test_of_one_camera_in_colour_and_grey_the_grey_images_are_taken() -> None:
    recorded = both(
        '/zed/SIDE/color/rect/image',
        '/zed/SIDE/gray/rect/image',
        '/zed/SIDE/color/raw/image',
        '/zed/SIDE/gray/raw/image',
    )
    assert find_stereo_topics(recorded, Settings()).left == '/zed/left/gray/rect/image'
    assert find_stereo_topics(recorded, Settings(rectify=True)).left == '/zed/left/gray/raw/image'


def test_topics_without_messages_and_depth_are_no_candidates() -> None:
    empty = [Topic(f'/empty/{side}/image_rect', IMAGE, 0) for side in ('left', 'right')]
    depth = [
        Topic(f'/d/{side}/image_rect/compressedDepth', COMPRESSED_IMAGE, 9)
        for side in ('left', 'right')
    ]
    recorded = [*empty, *depth, *both('/SIDE/image_rect')]
    assert find_stereo_topics(recorded, Settings()).left == '/left/image_rect'
    for pair, said in ((empty, 'has no message'), (depth, 'holds depth')):
        with pytest.raises(InputError, match=said):
            find_stereo_topics(recorded, Settings(), TopicNames(pair[0].name, pair[1].name))
    # Without an index nothing is known of the counts.
    assert find_stereo_topics(empty, Settings()).left == '/empty/left/image_rect'


@pytest.mark.parametrize(
    ('images', 'infos'),
    [
        (('/rig/l', '/rig/r'), ('/rig/l/camera_info', '/rig/r/camera_info')),
        (('/s/left_image', '/s/right_image'), ('/s/left_camera_info', '/s/right_camera_info')),
        (('/s/left_image', '/s/right_image'), ('/left/camera_info', '/right/camera_info')),
    ],
)
def test_the_calibration_is_found_by_the_side_in_its_name(
    images: tuple[str, str], infos: tuple[str, str]
) -> None:
    recorded = topics(*images) + [Topic(name, CAMERA_INFO, 10) for name in infos]
    found = find_stereo_topics(recorded, Settings())
    assert (found.left_info, found.right_info) == infos


def test_one_calibration_for_both_cameras_is_none() -> None:
    recorded = [
        *topics('/s/left_image', '/s/right_image'),
        Topic('/s/camera_info', CAMERA_INFO, 9),
    ]
    found = find_stereo_topics(recorded, Settings())
    assert (found.left_info, found.right_info) == (None, None)


@pytest.mark.parametrize(
    ('kind', 'said'),
    [
        ('ffmpeg_image_transport_msgs/msg/FFMPEGPacket', 'image_transport republish ffmpeg raw'),
        ('foxglove_msgs/msg/CompressedVideo', 'ffmpeg'),
        ('foxglove.CompressedImage', 'mcap-protobuf-support'),
    ],
)
def test_images_of_another_kind_are_named_with_what_converts_them(kind: str, said: str) -> None:
    recorded = [Topic(f'/{side}/video', kind, 10) for side in ('left', 'right')]
    with pytest.raises(InputError, match=f'/left/video is {kind}: make images of it.*{said}'):
        find_stereo_topics(recorded, Settings())


@pytest.mark.parametrize(
    ('recorded', 'options', 'said'),
    [
        (topics('/a/image', '/b/image'), {}, 'image topics are /a/image .*, /b/image'),
        (topics('/tf'), {}, 'no image topic, only /tf'),
        ([], {}, 'no image topic, nor any other'),
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
        find_stereo_topics(recorded, Settings(), TopicNames(**options))
