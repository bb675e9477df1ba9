# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every source file says whose it is and under which license."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = [
    '# Copyright 2026 The stereo_depth_node authors',
    '# SPDX-License-Identifier: Apache-2.0',
]
SOURCES = sorted(
    path
    for folder in ('stereo_depth_node', 'launch', 'test', 'benchmarks', 'soak', 'scripts')
    for path in (ROOT / folder).rglob('*')
    if path.is_file() and (path.suffix == '.py' or path.parent.name == 'scripts')
)


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_header_is_there(path):
    lines = path.read_text(encoding='utf-8').splitlines()
    if lines and lines[0].startswith('#!'):
        del lines[0]
    assert lines[:2] == HEADER


def test_no_docstring_is_excused_by_a_comment():
    """Beside a body on the same line pydocstyle, which ament_pep257 runs, does not see it."""
    excused = [path for path in SOURCES if 'noqa: ' + 'D1' in path.read_text(encoding='utf-8')]
    assert not excused


def test_sources_are_found():
    assert ROOT / 'stereo_depth_node/__init__.py' in SOURCES
    assert ROOT / 'scripts/demo' in SOURCES
