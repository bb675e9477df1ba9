# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth``: stereo depth from files and recordings, without a ROS graph."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
import sys
from typing import Any

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.offline.interruption import INTERRUPTED, run_interruptible

__all__ = ['main']

_PACKAGE = 'stereo_depth_node.offline.commands'

# Name of a tool -> its module, imported only when it is used, and what it is for. A module has
# add_parser(subparsers), which adds its options, and run(arguments), which returns the status.
_TOOLS: dict[str, tuple[str, str]] = {
    'bag': (f'{_PACKAGE}.bag', 'depth of every frame of ROS 2 bags'),
    'demo': (f'{_PACKAGE}.demo', 'a real stereo pair through the real node (needs ROS 2)'),
    'evaluate': (f'{_PACKAGE}.evaluate', 'accuracy of settings on scenes with ground truth'),
    'images': (f'{_PACKAGE}.images', 'disparity, depth, pictures, point clouds of image files'),
    'inspect': (f'{_PACKAGE}.inspect', 'what is in a ROS 2 bag, and what is wrong with it'),
    'tune': (f'{_PACKAGE}.tune', 'settings that suit a scene'),
}
# Library -> the extra of this package that has it. setup.py says which versions.
_EXTRAS = {
    'distributed': 'cluster',
    'jinja2': 'offline',
    'matplotlib': 'offline',
    'mcap': 'offline',
    'rosbags': 'offline',
    'tabulate': 'offline',
    'tqdm': 'offline',
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the tools.

    Returns
    -------
    int
        0 when all went well, 2 when the input, the output or the options cannot be used, or a
        library is missing (one line on stderr says why), 130 when it was interrupted.
    """
    if arguments is None:
        return run_interruptible(lambda: main(sys.argv[1:]))
    given = list(arguments)
    tool = next(iter(given), '')
    try:
        return _run(given)
    except StereoDepthError as error:
        problem = str(error)
    except ImportError as error:
        library = (error.name or '').partition('.')[0]
        if library not in _EXTRAS:
            raise
        problem = (
            f'needs the library {library} ({error}): install it, or the extra '
            f'"{_EXTRAS[library]}" of this package with pip'
        )
    except KeyboardInterrupt:
        print(f'stereo_depth {tool}: interrupted', file=sys.stderr)
        return INTERRUPTED
    print(f'stereo_depth {tool}: {problem}', file=sys.stderr)
    return 2


def _run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog='stereo_depth', description=__doc__.splitlines()[0])
    subparsers = parser.add_subparsers(dest='tool', metavar='TOOL', required=True)
    tool: Any = None
    for name, (module, purpose) in _TOOLS.items():
        if arguments[:1] == [name]:
            tool = import_module(module)
            tool.add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=purpose)
    options = parser.parse_args(arguments)
    return int(tool.run(options))


if __name__ == '__main__':
    sys.exit(main())
