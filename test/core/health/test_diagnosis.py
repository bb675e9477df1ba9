# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a snapshot of the node to the cause: pure logic, no ROS."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest
from snapshots import changed, first, HEALTHY, IMAGE, names, PERIOD_NS, side, SILENT, text_of

from stereo_depth_node.core import errors
from stereo_depth_node.core.errors import (
    BaselineError,
    DataLengthError,
    MissingCalibrationError,
    SettingsError,
    StereoDepthError,
)
from stereo_depth_node.core.health.causes import Level, listed
from stereo_depth_node.core.health.diagnosis import diagnose
from stereo_depth_node.core.health.failures import cause_of_error
from stereo_depth_node.core.health.snapshot import Snapshot, TopicSnapshot
from stereo_depth_node.core.pairing.offset import OffsetEstimate
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.settings.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


def unpaired(**changes: Any) -> Snapshot:
    return changed(SILENT, pairs=0, **changes)


def test_health():
    assert names(HEALTHY) == ['flowing']
    assert first(HEALTHY) == 'depth flows at 30.0 pairs per second'
    assert diagnose(HEALTHY)[0].level is Level.OK


def test_a_camera_that_sends_nothing_hides_what_comes_after():
    gone = side('left', silence=math.inf, image=TopicSnapshot('/left/image_rect', IMAGE))
    broken = changed(SILENT, left=gone, failure=BaselineError('x'), pairs=0)
    assert names(broken) == ['no_publisher']
    assert '/left/image_rect (sensor_msgs/msg/Image)' in first(broken)


@pytest.mark.parametrize('silence', [0.0, math.inf])
def test_messages_that_cannot_be_read_are_named_before_what_follows_from_them(silence):
    left = side('left', silence=silence)
    broken = changed(
        SILENT, left=left, failure=DataLengthError('cut'), is_unreadable=True, pairs=0
    )
    assert names(broken)[0] == 'data_length'
    gone = side('left', silence=math.inf, image=TopicSnapshot('/left/image_rect', IMAGE))
    assert names(changed(broken, left=gone))[0] == 'no_publisher'


def test_a_missing_calibration_is_told_with_the_silence():
    gone = side('left', silence=math.inf, image=TopicSnapshot('/left/image_rect', IMAGE))
    assert names(changed(SILENT, left=gone, missing_calibration=('left',))) == [
        'no_publisher',
        'no_camera_info',
    ]


def test_nothing_is_said_of_the_first_moment():
    """Publishers are still being discovered."""
    gone = side('left', silence=math.inf, image=TopicSnapshot('/left/image_rect', IMAGE))
    assert names(changed(SILENT, left=gone, age=0.4)) == ['starting']


def test_a_slow_camera_is_not_silent_between_two_frames():
    slow = {'silence': 2.5, 'patience': 3.0}
    snapshot = changed(
        HEALTHY,
        left=side('left', **slow),
        right=side('right', **slow),
        output_silence=2.5,
        output_patience=3.0,
    )
    assert names(snapshot) == ['flowing']


def test_stamps_apart_are_told_in_the_words_of_the_issue():
    snapshot = unpaired(offset=OffsetEstimate(33_100_000, 33_100_000, 40))
    assert first(snapshot) == (
        'left and right stamps are 33.1 ms apart (median of 40), sync_tolerance is 10.0 ms: '
        'set sync_tolerance to 0.04 or synchronise the cameras'
    )


@given(st.integers(10_000_001, 900_000_000))
def test_the_tolerance_proposed_holds_the_offset(offset_ns):
    text = first(unpaired(offset=OffsetEstimate(offset_ns, offset_ns, 40)))
    proposal = float(text.split('set sync_tolerance to ')[1].split()[0])
    assert offset_ns / 1e9 < proposal < 1.5 * offset_ns / 1e9
    Settings().replace(sync_tolerance=proposal)


def test_clocks_that_differ_are_not_told_to_be_tolerated():
    text = first(unpaired(offset=OffsetEstimate(-7_000_000_000, -7_000_000_000, 40)))
    assert 'right images are 7.000 s before those of the left ones' in text
    assert 'set sync_tolerance' not in text


def test_a_queue_that_is_too_short_for_a_lag():
    text = first(unpaired(offset=OffsetEstimate(0, -800_000_000, 30)))
    assert 'the right images come 0.80 s after' in text
    # 0.8 s are 24 frames; a fifth to spare, and one.
    assert 'queue_size 10 holds 0.33 s: set queue_size to 30' in text


def test_a_pause_of_the_stamps_is_no_offset():
    """Until images of both sides have come in the window, nothing is said of their stamps."""
    snapshot = unpaired(left=side('left', received=1), age=1.5)
    assert names(snapshot) == ['starting']


def test_pairs_of_the_time_before_do_not_hide_that_nothing_pairs_now():
    """The output counts as stopped a moment before the window is free of its pairs."""
    just_now = changed(SILENT, output_silence=1.1, pair_silence=1.1, pairs=4)
    assert names(changed(just_now, offset=OffsetEstimate(33_000_000, 33_000_000, 9))) == [
        'stamps_apart'
    ]


def test_few_images_that_do_not_pair():
    assert names(unpaired(left=side('left', received=1))) == ['no_pairs']


def test_what_nobody_knows_is_told_as_such():
    assert names(SILENT) == ['unexplained']
    assert diagnose(SILENT)[0].level is Level.ERROR


def test_an_overload_names_rates_stages_and_what_to_change():
    snapshot = changed(
        HEALTHY,
        computed=12,
        dropped={DropReason.SUPERSEDED: 36},
        stages={'decode': 0.001, 'match': 0.080},
        settings=Settings().replace(algorithm='sgbm'),
    )
    (_, overload) = diagnose(snapshot)
    assert overload.text == (
        'images come at 30.0 Hz, pairs are computed at 12.0 Hz, 18 pairs were skipped in 1.0 s; '
        'one takes 81.0 ms (decode 1.0 ms and match 80.0 ms): set algorithm to bm, set downscale '
        'to 2 or reduce num_disparities (64)'
    )


def test_pairs_that_are_skipped_while_the_first_one_is_computed_are_no_overload():
    skipped = changed(HEALTHY, computed=12, dropped={DropReason.SUPERSEDED: 36})
    assert names(changed(skipped, age=1.5)) == ['flowing']
    assert names(changed(skipped, age=2.5)) == ['flowing', 'overloaded']


def test_a_processor_that_is_busy_elsewhere_is_not_blamed_on_the_settings():
    snapshot = changed(
        HEALTHY, computed=12, dropped={DropReason.SUPERSEDED: 36}, stages={'match': 0.02}
    )
    assert diagnose(snapshot)[1].text.endswith(
        'this node computes for 26 % of the time only: end other programs that keep the '
        'processor busy, or set frame_policy to every to compute pairs that come in bursts, too'
    )
    takes_all = changed(snapshot, settings=Settings().replace(frame_policy='every'))
    assert diagnose(takes_all)[1].text.endswith('end other programs that keep the processor busy')


def test_frames_that_are_lost_because_of_an_overload_are_not_blamed_on_the_transport():
    lossy = side('left', missing=10, lost=10)
    assert 'images_lost' in names(changed(HEALTHY, left=lossy))
    overloaded = changed(HEALTHY, left=lossy, dropped={DropReason.SUPERSEDED: 36})
    assert 'images_lost' not in names(overloaded)


def test_a_recording_that_begins_again_is_no_fault():
    looping = {'left': side('left', backward=3), 'right': side('right', backward=3)}
    assert names(changed(HEALTHY, **looping, restarts=3)) == ['flowing']
    assert 'stamps_backward' in names(changed(HEALTHY, **looping, restarts=0))


def test_stamps_that_run_backwards_are_named_although_they_go_back_far_enough_to_restart():
    backwards = {'left': side('left', backward=29), 'right': side('right', backward=29)}
    found = names(changed(HEALTHY, **backwards, restarts=3, resets=30))
    assert found == ['flowing', 'stamps_backward']


def test_a_short_recording_that_begins_again_repeats_no_stamps():
    """Four images show that it has begun again; restarts are of the window."""
    repeats = {DropReason.DUPLICATE: 24}
    assert names(changed(HEALTHY, dropped=repeats, restarts=4)) == ['flowing']
    assert 'stamps_repeat' in names(changed(HEALTHY, dropped=repeats, restarts=0))
    # The first time, before it is known.
    first = changed(
        HEALTHY, dropped={DropReason.DUPLICATE: 8}, undecided=8, left=side('left', backward=6)
    )
    assert names(first) == ['flowing']
    assert names(changed(first, undecided=0)) == ['flowing', 'stamps_repeat', 'stamps_backward']


def test_one_pair_again_and_again_may_be_a_camera_that_hangs():
    assert names(changed(HEALTHY, looped=1, resets=30)) == ['flowing', 'pair_repeats']
    assert names(changed(HEALTHY, looped=2, resets=30)) == ['flowing']


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


def one_side(**changes: Any) -> Snapshot:
    topic = TopicSnapshot('/left/image_rect', IMAGE, publishers=('/rig',))
    return changed(SILENT, left=side('left', silence=math.inf, image=topic), **changes)


PROFILE = 'FASTDDS_DEFAULT_PROFILES_FILE=/share/fastdds_shm.xml'


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


def test_a_calibration_that_has_just_come_is_not_told_to_be_missing():
    assert names(changed(SILENT, failure=MissingCalibrationError('x'))) == ['starting']


def test_some_pairs_that_fail_are_a_warning_while_others_are_computed():
    snapshot = changed(
        HEALTHY, dropped={DropReason.INVALID: 8}, last_failure=DataLengthError('cut short')
    )
    (_, finding) = diagnose(snapshot)
    assert finding.level is Level.WARN
    assert finding.text.endswith('cut short (4 pairs in the last 1.0 s)')


def test_nobody_subscribes_is_health_whatever_else_is_wrong():
    snapshot = changed(SILENT, subscribers={'disparity': 0}, failure=SettingsError('x'), pairs=0)
    (finding,) = diagnose(snapshot)
    assert (finding.cause.name, finding.level) == ('nobody_subscribes', Level.OK)


def test_standing_warnings_are_told_in_every_state():
    standing = {'refusals': ('block_size is 4',), 'waits_for_clock': True, 'notes': ('60 m',)}
    for state in (HEALTHY, SILENT, changed(HEALTHY, subscribers={})):
        told = names(changed(state, **standing))
        assert told[1:] == ['parameter_refused', 'no_clock', 'implausible_calibration']


@pytest.mark.parametrize(
    ('downscale', 'subscribers', 'words'),
    [
        (2, {'disparity': 1}, '1 node subscribes to disparity while downscale is 2'),
        (4, {'disparity': 2, 'points2': 1}, '2 nodes subscribe to disparity while downscale is 4'),
    ],
)
def test_reduced_disparities_are_a_trap_for_those_who_take_f_elsewhere(
    downscale, subscribers, words
):
    settings = Settings(downscale=downscale)
    text = text_of(
        changed(HEALTHY, settings=settings, subscribers=subscribers), 'disparity_reduced'
    )
    assert text.startswith(words)
    assert f'{downscale} times too large; use points2' in text


@pytest.mark.parametrize(
    ('downscale', 'subscribers'), [(1, {'disparity': 1}), (2, {'disparity': 0, 'points2': 1})]
)
def test_disparities_that_nobody_takes_or_that_are_not_reduced_are_no_trap(downscale, subscribers):
    settings = Settings(downscale=downscale)
    assert names(changed(HEALTHY, settings=settings, subscribers=subscribers)) == ['flowing']


@pytest.mark.parametrize(
    'kind', [getattr(errors, name) for name in errors.__all__], ids=lambda kind: kind.__name__
)
def test_every_error_has_a_cause_and_its_text_is_told(kind):
    error = kind('the text of the error')
    snapshot = changed(SILENT, failure=error, missing_calibration=('left', 'right'))
    finding = diagnose(snapshot)[0]
    assert finding.level is Level.ERROR
    assert finding.cause is cause_of_error(error)
    if kind is MissingCalibrationError:
        assert '/left/camera_info has a publisher, but nothing came' in finding.text
    else:
        assert 'the text of the error' in finding.text
    assert (finding.cause.name == 'internal_error') == (kind is StereoDepthError)


@pytest.mark.parametrize(('image_bytes', 'profile'), [(307_199, PROFILE), (921_600, '')])
def test_large_images_keep_a_camera_info_away_where_no_profile_is_set(image_bytes, profile):
    missing = {'failure': MissingCalibrationError(''), 'missing_calibration': ('left', 'right')}
    large = changed(SILENT, image_bytes=921_600, profile_to_set=PROFILE, **missing)
    assert f'so export {PROFILE} and start' in diagnose(large)[0].text
    small = changed(SILENT, image_bytes=image_bytes, profile_to_set=profile, **missing)
    assert 'shared memory' not in diagnose(small)[0].text


counts = st.integers(0, 100)
silences = st.sampled_from([0.0, 0.5, 1.5, math.inf])


@given(
    received=st.tuples(counts, counts),
    silence=st.tuples(silences, silences),
    pairs=counts,
    age=st.floats(0.0, 10.0),
    output_silence=silences,
    dropped=st.dictionaries(st.sampled_from(DropReason), counts),
    offset=st.none()
    | st.builds(OffsetEstimate, *2 * [st.integers(-(10**12), 10**12)], st.integers(1, 40)),
    period=st.sampled_from([None, 0, 1, PERIOD_NS]),
    subscribers=st.integers(0, 1),
    tolerance=st.floats(0.0, 10.0),
)
def test_any_state_has_an_answer(received, silence, pairs, age, period, tolerance, **others):
    """The output flows or a cause that blocks it is named, with all its numbers."""
    others['subscribers'] = {'disparity': others['subscribers']}
    left, right = (
        side(name, received=count, silence=silent, period_ns=period)
        for name, count, silent in zip(('left', 'right'), received, silence, strict=True)
    )
    settings = Settings().replace(sync_tolerance=tolerance)
    snapshot = Snapshot(left, right, settings=settings, pairs=pairs, age=age, **others)
    state, *_ = diagnose(snapshot)
    calm = state.cause.name in ('flowing', 'nobody_subscribes', 'starting')
    assert calm == (state.level is Level.OK)
    assert snapshot.flows == (state.cause.name == 'flowing')
    assert 'inf' not in state.text.split()


@pytest.mark.parametrize(
    ('words', 'expected'), [((), ''), (('a',), 'a'), (('a', 'b', 'c'), 'a, b and c')]
)
def test_lists_are_read_as_sentences(words, expected):
    assert listed(words) == expected


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
