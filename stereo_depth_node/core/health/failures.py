# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What it means that a pair could not be computed: one table from errors to causes and reasons."""

from __future__ import annotations

from typing import NamedTuple

from stereo_depth_node.core.errors import (
    BaselineError,
    CalibrationError,
    CalibrationSizeError,
    DataLengthError,
    EncodingError,
    ImageError,
    InputError,
    LayoutError,
    MissingCalibrationError,
    PairSizeError,
    SettingsError,
    SwappedError,
    UncalibratedError,
    VerticalCamerasError,
)
from stereo_depth_node.core.health.causes import Cause, CAUSES, Finding, Level, listed
from stereo_depth_node.core.health.losses import why_much_is_lost
from stereo_depth_node.core.health.rectification_report import RectificationReport
from stereo_depth_node.core.health.snapshot import SideSnapshot, Snapshot
from stereo_depth_node.core.pairing.reasons import DropReason

__all__ = [
    'FAILURES',
    'Failure',
    'cause_of_error',
    'drop_reason_of',
    'is_out_of_memory',
    'missing_calibration',
    'why_pairs_fail',
    'why_some_pairs_fail',
]


class Failure(NamedTuple):
    """What an error means: the name of its cause, and the reason its images are counted under."""

    error: type[Exception]
    cause: str
    reason: DropReason


#: Every error that can end a pair, subclasses before their bases.
FAILURES = (
    Failure(MissingCalibrationError, 'no_camera_info', DropReason.NO_CALIBRATION),
    Failure(UncalibratedError, 'uncalibrated', DropReason.NO_CALIBRATION),
    Failure(VerticalCamerasError, 'cameras_vertical', DropReason.NO_CALIBRATION),
    Failure(BaselineError, 'no_baseline', DropReason.NO_CALIBRATION),
    Failure(CalibrationError, 'calibrations_differ', DropReason.NO_CALIBRATION),
    Failure(InputError, 'calibration_file', DropReason.NO_CALIBRATION),
    Failure(LayoutError, 'wrong_layout', DropReason.INVALID),
    Failure(CalibrationSizeError, 'calibration_size', DropReason.INVALID),
    Failure(PairSizeError, 'sizes_differ', DropReason.INVALID),
    Failure(EncodingError, 'unsupported_encoding', DropReason.INVALID),
    Failure(DataLengthError, 'data_length', DropReason.INVALID),
    Failure(ImageError, 'unusable_image', DropReason.INVALID),
    Failure(SettingsError, 'impossible_settings', DropReason.IMPOSSIBLE_SETTINGS),
    Failure(MemoryError, 'out_of_memory', DropReason.NO_MEMORY),
    Failure(Exception, 'internal_error', DropReason.INTERNAL_ERROR),
)

# OpenCV's Error::StsNoMem.
_NO_MEMORY = -4


def cause_of_error(error: Exception) -> Cause:
    """Return what it means that a pair could not be computed for this error."""
    return CAUSES[_failure(error).cause]


def drop_reason_of(error: Exception) -> DropReason:
    """Return the reason under which the images of a pair are counted that this error ended."""
    return _failure(error).reason


def _failure(error: Exception) -> Failure:
    if is_out_of_memory(error):
        return next(each for each in FAILURES if each.error is MemoryError)
    return next(each for each in FAILURES if isinstance(error, each.error))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory that was not to be had is at the bottom of an error.

    What compiled code raises then has no type of its own.
    """
    cause: BaseException | None = error
    while cause is not None:
        is_opencv = type(cause).__name__ == 'error' and getattr(cause, 'code', 0) == _NO_MEMORY
        if isinstance(cause, MemoryError) or is_opencv or 'bad_alloc' in str(cause):
            return True
        cause = cause.__cause__
    return False


def why_pairs_fail(snapshot: Snapshot, error: Exception) -> Finding:
    """Return why pairs come and none is computed."""
    if isinstance(error, MissingCalibrationError):
        if snapshot.missing_calibration:
            return missing_calibration(snapshot)
        # It has come since, and no pair yet.
        return CAUSES['starting'].found(age=snapshot.age)
    if isinstance(error, SwappedError) and snapshot.rectification is not None:
        return _swapped(error, snapshot.rectification)
    return cause_of_error(error).found(error=error)


def _swapped(error: SwappedError, report: RectificationReport) -> Finding:
    """Return what to exchange, from the points that were found in both images."""
    fact = str(error).partition(':')[0]
    share = 100.0 * report.beyond_infinity
    if share > 50.0:
        advice = (
            f'the cameras are swapped, images and calibrations ({share:.0f} % of {report.points} '
            'points have a negative disparity): exchange the left and right topics of both, image '
            'and camera_info'
        )
    else:
        advice = (
            f'the calibrations are swapped and the images are not ({100.0 - share:.0f} % of '
            f'{report.points} points have a positive disparity): exchange the left and right '
            'camera_info topics, or calibration files, and leave the images as they are'
        )
    return cause_of_error(error).found(error=f'{fact}: {advice}')


def why_some_pairs_fail(snapshot: Snapshot, error: Exception, failed: int) -> Finding | None:
    """Return why some of the pairs are not computed.

    None for a missing calibration: it has come meanwhile.
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
    details = ', '.join(map(_why_none_comes, missing))
    why = why_much_is_lost(snapshot)
    if why and any(side.camera_info.publishers for side in missing):
        details += f' ({why})'
    return CAUSES['no_camera_info'].found(details=details)


def _why_none_comes(side: SideSnapshot) -> str:
    topic = side.camera_info
    if topic.publishers:
        return f'{topic.name} has a publisher, but nothing came'
    if topic.incompatible:
        return (
            f'{topic.name} has a QoS that does not reach this node ({topic.incompatible}; '
            f'{topic.qos_cure})'
        )
    if topic.other_types:
        return f'{topic.name} carries {listed(topic.other_types)}, not {topic.type}'
    similar = f' (of its type there are {listed(topic.similar)})' if topic.similar else ''
    return f'nobody publishes {topic.name}{similar}'
