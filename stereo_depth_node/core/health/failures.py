# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Under which reason the images of a pair are counted that could not be computed."""

from __future__ import annotations

from stereo_depth_node.core.errors import (
    CalibrationError,
    ImageError,
    InputError,
    SettingsError,
    StereoDepthError,
)
from stereo_depth_node.core.pairing.pairer import DropReason

__all__ = ['drop_reason_of']

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
