# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Libraries that only some of the tools need, imported when they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from stereo_depth_node.core.errors import InputError

__all__ = ['optional_library']


def optional_library(module: str, purpose: str, *, extra: str = 'offline') -> Any:
    """Import a library of one of the package's extras.

    Parameters
    ----------
    module : str
        What to import, such as ``'rosbags.rosbag2'``.
    purpose : str
        What needs it, the subject of the error's sentence: "recordings".
    extra : str
        The extra of this package that installs it.

    Raises
    ------
    InputError
        If it is not installed, or cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition('.')[0]
        raise InputError(
            f'{purpose} need the library {library} ({error}): install it, or the extra '
            f'"{extra}" of this package with pip'
        ) from error
