# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The versions of this package and of libraries."""

from __future__ import annotations

from importlib import metadata

__all__ = ['version_of']


def version_of(package: str) -> str:
    """Return the version of a package; empty where it is not installed, but only in the path."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ''
