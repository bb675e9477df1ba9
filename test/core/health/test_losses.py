# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images that do not arrive: what is said of the transport, and when it is not blamed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from snapshots import (
    changed,
    first,
    HEALTHY,
    IMAGE,
    names,
    PERIOD_NS,
    PROFILE,
    side,
    SILENT,
    text_of,
    unpaired,
)

from stereo_depth_node.core.errors import MissingCalibrationError
from stereo_depth_node.core.health.causes import Level
from stereo_depth_node.core.health.diagnosis import diagnose
from stereo_depth_node.core.health.snapshot import Snapshot, TopicSnapshot
from stereo_depth_node.core.pairing.offset import OffsetEstimate
from stereo_depth_node.core.pairing.reasons import DropReason


def one_side(**changes: Any) -> Snapshot:
    topic = TopicSnapshot('/left/image_rect', IMAGE, publishers=('/rig',))
    return changed(SILENT, left=side('left', silence=math.inf, image=topic), **changes)


BETWEEN_STAMPS = OffsetEstimate(610_000_000, 610_000_000, 4)


def test_cameras_whose_images_get_lost_are_not_told_to_tolerate_it():
    """Complete streams of 30 Hz are never 610 ms apart: what lies between did not arrive."""
    lossy = {'missing': 20, 'expected': 30, 'smallest_interval_ns': PERIOD_NS}
    snapshot = unpaired(
        left=side('left', **lossy),
        right=side('right', **lossy),
        offset=BETWEEN_STAMPS,
        image_bytes=921_600,
        profile_to_set='FASTDDS_DEFAULT_PROFILES_FILE=/share/fastdds_shm.xml',
    )
    assert names(snapshot) == ['images_lost']
    assert diagnose(snapshot)[0].level is Level.ERROR
    assert '40 of 60 images are missing' in first(snapshot)
    assert 'export FASTDDS_DEFAULT_PROFILES_FILE=/share/fastdds_shm.xml and' in first(snapshot)
    assert names(unpaired(offset=BETWEEN_STAMPS)) == ['stamps_apart']


@pytest.mark.parametrize(
    ('snapshot', 'cure'),
    [
        (one_side(image_bytes=307_199, profile_to_set=PROFILE), ': check the left camera'),
        (
            one_side(image_bytes=307_200, profile_to_set=PROFILE),
            f'shared memory that Fast DDS takes by itself, so export {PROFILE} and start',
        ),
        (
            one_side(image_bytes=921_600, profile_to_set=''),
            ': check the left camera; if it works, start the cameras with the environment',
        ),
    ],
    ids=['small', 'large', 'large with the profile'],
)
def test_one_camera_alone_is_blamed_on_it_or_on_the_transport_by_the_size(snapshot, cure):
    assert names(snapshot) == ['one_side_only']
    assert cure in first(snapshot)


@pytest.mark.parametrize(
    ('image_bytes', 'profile', 'cure'),
    [
        (300_000, PROFILE, 'run both cameras at one rate, from one trigger'),
        (307_200, PROFILE, f'so export {PROFILE} and start camera and node anew; else run both'),
        (307_200, '', 'from one trigger; if they do, start the cameras with the environment'),
    ],
)
def test_large_images_of_seemingly_two_rates_may_be_lost_on_their_way(image_bytes, profile, cure):
    """Of a camera whose images are lost again and again, those that come seem to be its rate."""
    snapshot = changed(
        HEALTHY,
        dropped={DropReason.UNPAIRED: 20},
        image_bytes=image_bytes,
        profile_to_set=profile,
    )
    assert cure in text_of(snapshot, 'images_unpaired')


def test_the_profile_is_not_recommended_to_a_node_that_has_it():
    lossy = side('left', missing=10, expected=40)
    for profile, words in ((PROFILE, f'export {PROFILE}'), ('', 'environment of this node')):
        text = text_of(changed(HEALTHY, left=lossy, profile_to_set=profile), 'images_lost')
        assert words in text


@pytest.mark.parametrize(('image_bytes', 'profile'), [(307_199, PROFILE), (921_600, '')])
def test_large_images_keep_a_camera_info_away_where_no_profile_is_set(image_bytes, profile):
    missing = {'failure': MissingCalibrationError(''), 'missing_calibration': ('left', 'right')}
    large = changed(SILENT, image_bytes=921_600, profile_to_set=PROFILE, **missing)
    assert f'so export {PROFILE} and start' in diagnose(large)[0].text
    small = changed(SILENT, image_bytes=image_bytes, profile_to_set=profile, **missing)
    assert 'shared memory' not in diagnose(small)[0].text


def test_frames_that_are_lost_because_of_an_overload_are_not_blamed_on_the_transport():
    lossy = side('left', missing=10, lost=10)
    assert 'images_lost' in names(changed(HEALTHY, left=lossy))
    overloaded = changed(HEALTHY, left=lossy, dropped={DropReason.SUPERSEDED: 36})
    assert 'images_lost' not in names(overloaded)


@pytest.mark.parametrize('profile', ['', PROFILE])
def test_what_is_wrong_with_the_shared_memory_keeps_images_of_any_size_away(profile):
    """Images of another user do not come, whatever their size and the profile."""
    problem = 'a program of another user is in this ROS domain'
    wrong = {'shared_memory': problem, 'profile_to_set': profile, 'image_bytes': 1000}
    silent = side('left', silence=math.inf)
    nothing = changed(SILENT, left=silent, right=side('right', silence=math.inf), **wrong)
    assert names(nothing) == ['no_messages', 'shared_memory']
    assert f'if they send, {problem}' in first(nothing)
    assert f'check the left camera; if it works, {problem}' in first(one_side(**wrong))
