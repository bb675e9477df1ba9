# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Under which reason the images of a pair are counted that could not be computed."""

from __future__ import annotations

from stereo_depth_node.core.errors import (
    BaselineError,
    CalibrationError,
    CalibrationSizeError,
    DataLengthError,
    EncodingError,
    ImageError,
    InputError,
    MissingCalibrationError,
    PairSizeError,
    SettingsError,
    StereoDepthError,
    UncalibratedError,
)
from stereo_depth_node.core.health.causes import Cause, CAUSES, Finding, Level, listed
from stereo_depth_node.core.health.snapshot import SideSnapshot, Snapshot
from stereo_depth_node.core.pairing.reasons import DropReason

__all__ = [
    'cause_of_error',
    'drop_reason_of',
    'missing_calibration',
    'why_pairs_fail',
    'why_some_pairs_fail',
]

_REASONS: dict[type[Exception], DropReason] = {
    SettingsError: DropReason.IMPOSSIBLE_SETTINGS,
    CalibrationError: DropReason.NO_CALIBRATION,
    InputError: DropReason.NO_CALIBRATION,
    ImageError: DropReason.INVALID,
}


def drop_reason_of(error: StereoDepthError) -> DropReason:
    """Return the reason that belongs to an error."""
    return next(
        (reason for kind, reason in _REASONS.items() if isinstance(error, kind)),
        DropReason.INTERNAL_ERROR,
    )


# Subclasses before their bases.
_OF_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (MissingCalibrationError, 'no_camera_info'),
    (UncalibratedError, 'uncalibrated'),
    (BaselineError, 'no_baseline'),
    (CalibrationError, 'calibrations_differ'),
    (InputError, 'calibration_file'),
    (CalibrationSizeError, 'calibration_size'),
    (PairSizeError, 'sizes_differ'),
    (EncodingError, 'unsupported_encoding'),
    (DataLengthError, 'data_length'),
    (ImageError, 'unusable_image'),
    (SettingsError, 'impossible_settings'),
    (Exception, 'internal_error'),
)


def cause_of_error(error: Exception) -> Cause:
    """Return what it means that a pair could not be computed for this error."""
    return next(CAUSES[name] for kind, name in _OF_ERRORS if isinstance(error, kind))


def why_pairs_fail(snapshot: Snapshot, error: Exception) -> Finding:
    """Return why pairs come and none is computed."""
    if isinstance(error, MissingCalibrationError):
        if snapshot.missing_calibration:
            return missing_calibration(snapshot)
        # It has come since, and no pair yet.
        return CAUSES['starting'].found(age=snapshot.age)
    return cause_of_error(error).found(error=error)


def why_some_pairs_fail(snapshot: Snapshot, error: Exception, failed: int) -> Finding | None:
    """Return why some of the pairs are not computed, None when that is over.

    It is for a calibration that has come meanwhile.
    """
    if isinstance(error, MissingCalibrationError):
        return None
    cause = cause_of_error(error)
    text = cause.found(error=error).text
    lately = f'{text} ({failed} pairs in the last {snapshot.window:.1f} s)'
    return Finding(cause, Level.WARN, lately)


def missing_calibration(snapshot: Snapshot) -> Finding:
    """Return the finding that cameras have no calibration, and why none comes."""
    missing = [side for name, side in snapshot.sides() if name in snapshot.missing_calibration]
    return CAUSES['no_camera_info'].found(details=', '.join(map(_why_none_comes, missing)))


def _why_none_comes(side: SideSnapshot) -> str:
    topic = side.camera_info
    if topic.publishers:
        return f'{topic.name} has a publisher, but nothing came'
    if topic.incompatible:
        return f'{topic.name} has a QoS that does not reach this node ({topic.incompatible})'
    if topic.other_types:
        return f'{topic.name} carries {listed(topic.other_types)}, not {topic.type}'
    similar = f' (of its type there are {listed(topic.similar)})' if topic.similar else ''
    return f'nobody publishes {topic.name}{similar}'
