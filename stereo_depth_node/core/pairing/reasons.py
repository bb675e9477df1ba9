# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From which camera an image comes, and why it made no output."""

from __future__ import annotations

import enum

__all__ = ['DropReason', 'Side']


class Side(enum.Enum):
    """The camera an image comes from."""

    LEFT = 'left'
    RIGHT = 'right'


class DropReason(enum.Enum):
    """Why an image made no output; each dropped image has exactly one reason.

    The reasons up to `RESET` are counted by `StereoPairer`, as `INVALID` for messages without a
    stamp, `SUPERSEDED` and `BACKLOG_FULL` by `FrameQueue` for both images of a pair, the others by
    the node.
    """

    UNPAIRED = 'the other camera sent no image within the tolerance'
    QUEUE_FULL = 'the other camera lags by more than the queue holds'
    DUPLICATE = 'an image with this stamp had come before'
    LATE = 'it came after newer images of its camera and found no partner'
    RESET = 'it waited when the stamps jumped back'
    SUPERSEDED = 'a newer pair came before it was computed'
    BACKLOG_FULL = 'more pairs waited for the computation than may wait'
    INVALID = 'it, or its partner, could not be decoded or did not fit'
    NO_CALIBRATION = 'there was no calibration to compute with'
    IMPOSSIBLE_SETTINGS = 'the settings were impossible for it'
    UNWANTED = 'nobody listened any more'
    INACTIVE = 'the node was deactivated'
    NO_MEMORY = 'there was no memory to compute it with'
    INTERNAL_ERROR = 'an internal error, logged with its traceback'
