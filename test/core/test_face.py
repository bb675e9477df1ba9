# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a program imports from the core, and the lines of docs that do."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
from scenes import plane, scene_of

from stereo_depth_node import core
from stereo_depth_node.core import errors

INTERFACES = Path(__file__).resolve().parents[2] / 'docs/interfaces.md'


def test_the_face_is_sorted_and_every_name_is_there():
    assert core.__all__ == sorted(core.__all__)
    assert set(errors.__all__) < set(core.__all__)
    for name in core.__all__:
        assert getattr(core, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'StereoPipelines'"):
        _ = core.StereoPipelines


def test_importing_an_error_imports_neither_opencv_nor_numpy():
    code = (
        'import sys; from stereo_depth_node.core import errors, SettingsError; '
        "sys.exit(bool({'cv2', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


def test_the_lines_of_the_docs_give_disparity_and_depth(tmp_path, monkeypatch):
    blocks = re.findall(r'```python\n(.*?)```', INTERFACES.read_text(encoding='utf-8'), re.DOTALL)
    (lines,) = [block for block in blocks if 'StereoPipeline(' in block]
    scene = scene_of(plane(320, 160, 20.0))
    cv2.imwrite(str(tmp_path / 'left.png'), scene.left)
    cv2.imwrite(str(tmp_path / 'right.png'), scene.right)
    monkeypatch.chdir(tmp_path)
    names: dict[str, np.ndarray] = {}
    exec(lines, names)
    known = np.isfinite(names['depth'])
    assert known.mean() > 0.6  # 70 of 320 columns, and 14 of 160 rows, have no full block
    np.testing.assert_array_equal(known, names['disparity'] >= 0.0)
    np.testing.assert_allclose(names['disparity'][known], 20.0, atol=0.5)
    # Z = f * B / d = 700 px * 0.12 m / 20 px = 4.2 m
    np.testing.assert_allclose(np.median(names['depth'][known]), 4.2, rtol=0.01)
    np.testing.assert_allclose(
        names['depth'][known], 700.0 * 0.12 / names['disparity'][known], rtol=1e-5
    )
