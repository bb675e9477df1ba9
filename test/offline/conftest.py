# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the offline tools."""

from __future__ import annotations

from typing import Any

import pytest

from stereo_depth_node.offline.bags import plan


@pytest.fixture
def small_parts(monkeypatch: Any) -> None:
    """Divide recordings into parts of 32 pairs."""
    monkeypatch.setattr(plan, 'part_size', lambda expected_pairs: 32)
