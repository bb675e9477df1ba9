# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Topics, publishers and frames that stand in the way of each other."""

from __future__ import annotations

import math

from snapshots import (
    changed,
    HEALTHY,
    IMAGE,
    names,
    PROFILE,
    side,
    text_of,
)

from stereo_depth_node.core.errors import BaselineError
from stereo_depth_node.core.health.snapshot import TopicSnapshot
from stereo_depth_node.core.settings.settings import Settings


def test_one_topic_for_both_sides():
    snapshot = changed(HEALTHY, right=side('right', image=side('left').image))
    assert names(snapshot) == ['flowing', 'same_topic']
    assert text_of(snapshot, 'same_topic').startswith(
        'the left and the right image both come from /left/image_rect: remap'
    )


def test_one_calibration_for_both_cameras_is_named_before_what_comes_of_it():
    snapshot = changed(
        HEALTHY,
        right=side('right', camera_info=side('left').camera_info),
        output_silence=math.inf,
        failure=BaselineError('the baseline is 0 m'),
    )
    assert names(snapshot) == ['same_topic', 'no_baseline']


def test_two_publishers_are_named_and_the_transport_is_not_blamed():
    image = TopicSnapshot('/left/image_rect', IMAGE, publishers=('/cam_a', '/cam_b'))
    snapshot = changed(HEALTHY, left=side('left', image=image, missing=10, lost=10))
    assert names(snapshot) == ['flowing', 'several_publishers']
    assert 'several publishers of /left/image_rect (/cam_a and /cam_b)' in text_of(
        snapshot, 'several_publishers'
    )
    large = changed(snapshot, image_bytes=921_600, profile_to_set=PROFILE)
    assert f'so export {PROFILE}' in text_of(large, 'shared_memory')


def test_another_node_on_an_output():
    snapshot = changed(HEALTHY, rivals={'/disparity': ('/depth_b',)})
    assert names(snapshot) == ['flowing', 'shared_output']
    assert 'also published by /depth_b (/disparity' in text_of(snapshot, 'shared_output')


def test_frames_that_tf2_cannot_use():
    slash = changed(HEALTHY, frame_ids=('/left', 'left'), output_frame='left')
    assert names(slash) == ['flowing', 'frame_id_slash']
    assert "'/left'" in text_of(slash, 'frame_id_slash')
    assert "the outputs have 'left'" in text_of(slash, 'frame_id_slash')
    assert names(changed(HEALTHY, output_frame='')) == ['flowing', 'frame_id_empty']
    chosen = Settings().replace(frame_id='mine')
    differ = changed(HEALTHY, frame_ids=('/a', 'b'), output_frame='mine')
    assert names(differ) == ['flowing', 'frame_id_slash', 'frame_ids_differ']
    assert names(changed(differ, settings=chosen)) == ['flowing']
