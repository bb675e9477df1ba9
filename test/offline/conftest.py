# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the offline tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def small_parts(monkeypatch: Any) -> None:
    """Divide recordings into parts of 32 pairs."""
    # Not above: it needs mcap, which tests of other things do without.
    from stereo_depth_node.offline.bags import plan

    monkeypatch.setattr(plan, 'part_size', lambda expected_pairs: 32)


@pytest.fixture(scope='module')
def without_findings() -> Iterator[None]:
    """Look at no pair of a recording for what is wrong with it, which takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('stereo_depth_node.offline.bags.job._samples', lambda pairs: [])
        yield


@pytest.fixture
def listed_formats() -> Callable[[str], list[str]]:
    """Return what docs/files.md lists in the first column of the table of a section."""
    page = (Path(__file__).parents[2] / 'docs' / 'files.md').read_text(encoding='utf-8')

    def first_column(section: str) -> list[str]:
        text = page.partition(f'## {section}\n')[2].partition('\n## ')[0]
        rows = [line.split('|')[1].strip() for line in text.splitlines() if line.startswith('|')]
        return rows[2:]

    return first_column
