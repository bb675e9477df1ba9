# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth migrate``: a parameter file of stereo_image_proc becomes one of ours."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stereo_depth_node.offline.files.writing import write_file
from stereo_depth_node.offline.migration import migrated
from stereo_depth_node.offline.parser import ToolParser

__all__ = ['add_parser', 'run']


def add_parser(subparsers: Any) -> None:
    """Add the options of this tool."""
    parser: ToolParser = subparsers.add_parser(
        'migrate',
        synopsis='OLD.yaml [options]',
        description='Converts a parameter file of stereo_image_proc (disparity_node and '
        'point_cloud_node, Humble to Rolling) to one with which this node gives the same. '
        'Comments say what each setting comes from, and what has no counterpart and why.',
    )
    parser.add_argument('old', metavar='OLD.yaml', type=Path)
    parser.add_argument(
        '--output', type=Path, metavar='FILE', help='write there (default: print it)'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace the file if it exists')


def run(arguments: argparse.Namespace) -> int:
    """Print the converted file, or write it."""
    text = migrated(arguments.old)
    if arguments.output is None:
        print(text, end='')
    else:
        write_file(arguments.output, text.encode(), overwrite=arguments.overwrite)
    return 0
