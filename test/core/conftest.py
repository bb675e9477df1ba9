# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How examples are generated: the same in each run, and however long each takes."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile('reproducible', deadline=None, derandomize=True)
settings.load_profile('reproducible')
