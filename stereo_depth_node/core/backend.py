# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which implementation computes the matching."""

from __future__ import annotations

from .matching import Matcher, OpenCVMatcher
from .settings import Settings

__all__ = ['create_matcher']


def create_matcher(settings: Settings) -> Matcher:
    """Return a matcher for `settings`."""
    return OpenCVMatcher(settings)
