# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth demo``: a real stereo pair with ground truth through the real node.

The one tool that needs ROS 2: it starts the node.
"""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ['add_parser', 'run']


def add_parser(subparsers: Any) -> None:
    """Pass all options on to the demo, which has its own help."""
    # No character begins an option here: --help and all others are for the demo.
    parser = subparsers.add_parser('demo', add_help=False, prefix_chars='\0')
    parser.add_argument('arguments', nargs='*')


def run(arguments: argparse.Namespace) -> int:
    """Run the demo."""
    from stereo_depth_node.demo.__main__ import main

    return main(arguments.arguments, prog='stereo_depth demo')
