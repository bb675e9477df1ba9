# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a snapshot of the node to the cause: pure logic, no ROS."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
import pytest
from snapshots import (
    changed,
    first,
    HEALTHY,
    IMAGE,
    names,
    PERIOD_NS,
    side,
    SILENT,
    text_of,
)

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
