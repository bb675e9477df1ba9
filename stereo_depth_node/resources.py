# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are installed beside the code: launch files, configuration, profiles."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import sys

from stereo_depth_node.core.errors import InputError

__all__ = ['shared_file']

_PACKAGE = 'stereo_depth_node'


def shared_file(name: str) -> Path:
    """Find a file of the package's share folder.

    Looked for in the checkout that the code runs from, then in the prefixes of
    ``AMENT_PREFIX_PATH``, then in the environment of the interpreter (pip).

    Parameters
    ----------
    name : str
        Path within the share folder, such as ``'config/depth.yaml'``.

    Raises
    ------
    InputError
        No installation of the package has this file.
    """
    folders = list(_share_folders())
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        f'{name} is in none of {", ".join(map(str, folders))}: '
        'install the package again, or source the setup file of its workspace'
    )


def _share_folders() -> Iterator[Path]:
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / 'package.xml').is_file():
        yield checkout
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        if prefix:
            yield Path(prefix, 'share', _PACKAGE)
    yield Path(sys.prefix, 'share', _PACKAGE)
