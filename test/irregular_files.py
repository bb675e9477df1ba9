# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What can stand in the place of a file, and must not be read to its end."""

from __future__ import annotations

import os
from pathlib import Path

#: What :func:`irregular` makes.
KINDS = ('pipe', 'device', 'folder')


def irregular(kind: str, path: Path) -> Path:
    """Make what is no regular file at `path`, and return where it is."""
    if kind == 'device':
        return Path('/dev/zero')
    if kind == 'pipe':
        os.mkfifo(path)
    else:
        path.mkdir()
    return path
