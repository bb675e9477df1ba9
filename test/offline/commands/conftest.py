# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the subcommands."""

from __future__ import annotations

from pathlib import Path

from image_pairs import write_pair
import pytest
from scenes import plane, scene_of


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Write a plane at 12 px."""
    return write_pair(tmp_path, scene_of(plane(160, 120, 12.0)))
