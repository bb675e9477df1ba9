# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The linter of ament that judges what it finds here as it is meant, where it is installed.

The others do not run: ament_copyright does not know SPDX headers (test_headers.py stands in for
it), ament_flake8 repeats what ruff judges, and ament_xmllint fetches a schema from the network
(test_packaging.py has catkin_pkg parse the manifest instead).
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.linter
def test_docstrings_follow_numpydoc():
    pep257 = pytest.importorskip('ament_pep257.main', reason='ament_pep257 is not installed')
    # D105 as in pyproject.toml: a magic method does what its name says. D401 takes a property,
    # whose docstring names a thing, for a function; ruff does not.
    options = ['--convention', 'numpy', '--add-ignore', 'D105', 'D401', '--']
    assert pep257.main(argv=[*options, str(ROOT / 'stereo_depth_node'), str(ROOT / 'launch')]) == 0
