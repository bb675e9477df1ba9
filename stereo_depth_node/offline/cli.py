# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth``: stereo depth from files and recordings, without a ROS graph."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
import io
import os
import sys
from typing import Any

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.settings.text_files import printable, visible
from stereo_depth_node.offline.interruption import INTERRUPTED, run_interruptible
from stereo_depth_node.offline.parser import nearest, ToolParser
from stereo_depth_node.offline.versions import version_of

__all__ = ['main']

# Name of a tool -> its module in the package, and what it is for. The module is imported only when
# it is used. It has add_parser(subparsers), which adds its options, and run(arguments), which
# returns the status. Those of other folders import this one, so they are only named here.
_TOOLS = {
    'bag': ('offline.commands.bag', 'depth of every frame of ROS 2 bags'),
    'demo': ('demo.__main__', 'a real stereo pair through the real node (needs ROS 2)'),
    'evaluate': ('offline.commands.evaluate', 'accuracy of settings on scenes with ground truth'),
    'images': (
        'offline.commands.images',
        'disparity, depth, pictures, point clouds of image files',
    ),
    'inspect': ('offline.commands.inspect', 'what is in a ROS 2 bag, and what is wrong with it'),
    'migrate': ('offline.commands.migrate', 'parameter files of stereo_image_proc become ours'),
    'studio': ('studio.command', 'see what each setting does, in the browser'),
    'tune': ('offline.commands.tune', 'settings that suit a scene'),
}
# Library -> the extra of this package that has it. setup.py says which versions.
_EXTRAS = {
    'backports': 'offline',
    'cv2': 'offline',
    'distributed': 'cluster',
    'fastapi': 'studio',
    'jinja2': 'offline',
    'lz4': 'offline',
    'matplotlib': 'offline',
    'mcap': 'offline',
    'nicegui': 'studio',
    'rich': 'offline',
    'rosbags': 'offline',
    'tabulate': 'offline',
    'uvicorn': 'studio',
    'yaml': 'offline',
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the tools.

    Returns
    -------
    int
        0 when all went well, 2 when the input, the output or the options cannot be used, or a
        library is missing (one line on stderr says why), 130 when it was interrupted, 141 when
        nobody read what it printed any more.
    """
    if arguments is None:
        for name in ('stdout', 'stderr'):
            # A shell can start a program without them; a file of results must not get their place.
            if getattr(sys, name) is None:
                setattr(sys, name, open(os.devnull, 'w', encoding='utf-8'))  # noqa: SIM115
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Names of files and topics may have letters that the locale has not.
            sys.stdout.reconfigure(errors='backslashreplace')
        return run_interruptible(lambda: main(sys.argv[1:]))
    given = list(arguments)
    try:
        try:
            return _status(given)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # What is still to be printed at the end of the program goes nowhere.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 141


def _status(given: Sequence[str]) -> int:
    tool = next(iter(given), '')
    try:
        return _run(given)
    except StereoDepthError as error:
        problem = visible(error)
    except ImportError as error:
        library = (error.name or '').partition('.')[0]
        if library not in _EXTRAS:
            raise
        # These two tools have an extra of their own, with all that they need.
        extra = tool if tool in ('demo', 'studio') else _EXTRAS[library]
        problem = (
            f'needs the library {library} ({error}): install the extra that has it, in the folder '
            f"of this repository: pip install '.[{extra}]'"
        )
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f'{printable(error.filename)}: ' if error.filename is not None else ''
        problem = f'{place}{error.strerror or printable(error)}'
    except KeyboardInterrupt:
        print(f'stereo_depth {tool}: interrupted', file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        # Late: it needs libraries, any of which may be missing.
        from stereo_depth_node.core.health.failures import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        reason = f' ({printable(error)})' if str(error) else ''
        problem = (
            f'there is not enough memory{reason}: set downscale to 2 or algorithm to '
            'bm, end other programs, or allow it more (docker run --memory, ulimit -v)'
        )
    line = f'stereo_depth {tool}: {problem}'
    try:
        from stereo_depth_node.offline.terminal import print_problem
    except ImportError:
        print(line, file=sys.stderr)
    else:
        print_problem(line)
    return 2


def _run(arguments: Sequence[str]) -> int:
    name = next(iter(arguments), '')
    parser = ToolParser(
        prog='stereo_depth',
        synopsis='TOOL ...',
        description='Stereo depth from files and recordings, without a ROS graph.',
        epilog='stereo_depth TOOL --help has the options of a tool.',
        add_help=False,
    )
    parser.add_argument('-h', '--help', action='help', help='show this and exit')
    parser.add_argument('--version', action='store_true', help='show the version and exit')
    subparsers = parser.add_subparsers(
        dest='tool', metavar='TOOL', title='tools', prog='stereo_depth'
    )
    module: Any = None
    for known, (place, purpose) in _TOOLS.items():
        if known == name:
            module = import_module(f'stereo_depth_node.{place}')
            module.add_parser(subparsers)
        else:
            subparsers.add_parser(known, help=purpose)
    if module is not None:
        chosen: ToolParser = subparsers.choices[name]
        return int(module.run(chosen.parse_whole(arguments[1:])))
    if name and not name.startswith('-'):
        parser.error(f'there is no tool {printable(name, 60)}{nearest(name, _TOOLS)}')
    if parser.parse_whole(arguments).version:
        print(f'stereo_depth {version_of("stereo_depth_node") or "unknown (not installed)"}')
    else:
        parser.print_help()
    return 0


if __name__ == '__main__':
    sys.exit(main())
