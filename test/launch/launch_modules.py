# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Launch files as modules."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def module_of(file: Path) -> ModuleType:
    """Return a launch file as a module: its name is none that could be imported."""
    spec = importlib.util.spec_from_file_location(file.stem.replace('.', '_'), file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
