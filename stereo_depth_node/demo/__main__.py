# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Starts publisher, node and receiver as three processes, and reports the results."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
import contextlib
import errno
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.demo.report import draw_result, read_result
from stereo_depth_node.environment import graph_environment, reserved_domain
from stereo_depth_node.offline.datasets.loading import load_motorcycle
from stereo_depth_node.offline.datasets.scenes import ENCODINGS, Scene
from stereo_depth_node.offline.options import parse_size, positive
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.processes import Process, Processes
from stereo_depth_node.signals import interrupt_on_termination

__all__ = ['add_parser', 'main', 'run']

_BLOCK_SIZE = 15
# Far above what a busy machine needs for the start of three programs and the discovery.
_START_S = 90.0
_PATIENCE_S = 10.0


class DemoError(StereoDepthError):
    """The results are missing or wrong."""


_PURPOSE = 'Streams a real stereo pair through the real node over ROS 2.'


def add_parser(subparsers: Any) -> None:
    """Add the demo to the tools of ``stereo_depth``; the one of them that needs ROS 2."""
    _add_options(subparsers.add_parser('demo', description=_PURPOSE))


def _add_options(parser: ToolParser) -> None:
    parser.add_argument(
        '--pairs', type=positive(int), default=40, help='pairs to send (default 40)'
    )
    parser.add_argument(
        '--rate', type=positive(float), default=10.0, help='pairs per second (default 10)'
    )
    parser.add_argument(
        '--size',
        type=parse_size,
        metavar='WIDTHxHEIGHT',
        help='resize the images (default: their own size, 741x500)',
    )
    parser.add_argument(
        '--encoding',
        choices=ENCODINGS,
        default='bgr8',
        help='of the images (default bgr8)',
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('demo_output'),
        help='folder for the picture and the logs (default demo_output)',
    )
    parser.add_argument('--show', action='store_true', help='open the picture')
    parser.add_argument(
        '--keep-running',
        action='store_true',
        help='go on streaming after the report, for rviz2 and ros2 topic, until Ctrl-C',
    )


def _node_command(scene: Scene) -> list[str]:
    return [
        *_program('ros.main'),
        '--ros-args',
        *('-p', f'num_disparities:={scene.num_disparities}'),
        *('-p', f'block_size:={_BLOCK_SIZE}'),
        # So that a busy computer shows every pair too, if later.
        *('-p', 'frame_policy:=every'),
    ]


def _publisher_command(options: argparse.Namespace, *more: str) -> list[str]:
    return [
        *_program('demo.publisher'),
        f'--rate={options.rate}',
        f'--encoding={options.encoding}',
        *(['--size={}x{}'.format(*options.size)] if options.size else []),
        *more,
    ]


def _receiver_command(options: argparse.Namespace, folder: Path) -> list[str]:
    # At a slow rate the results are farther apart than that.
    patience = max(_PATIENCE_S, 3 / options.rate)
    return [
        *_program('demo.receiver'),
        f'--pairs={options.pairs}',
        f'--wait={_START_S}',
        f'--patience={patience}',
        f'--output={folder}',
    ]


def _program(module: str) -> list[str]:
    return [sys.executable, '-m', f'stereo_depth_node.{module}']


def _run(
    options: argparse.Namespace, scene: Scene, environment: Mapping[str, str], folder: Path
) -> None:
    """Stream all pairs, until publisher and receiver have ended."""
    with Processes(options.output) as processes:
        node = processes.start('node', _node_command(scene), environment)
        receiver = processes.start('receiver', _receiver_command(options, folder), environment)
        publisher = processes.start(
            'publisher',
            _publisher_command(
                options,
                f'--pairs={options.pairs}',
                f'--wait={_START_S}',
                f'--report={folder / "sent.json"}',
            ),
            environment,
        )
        deadline = time.monotonic() + 3 * _START_S + options.pairs / options.rate
        remaining = [receiver, publisher]
        while remaining:
            ended = processes.wait_for_any(max(0.0, deadline - time.monotonic()))
            if ended is None:
                names = ' and '.join(process.name for process in remaining)
                raise DemoError(f'{names} did not end')
            if ended is node or ended.status != 0:
                # The reason is in the log of the node, whoever noticed first.
                raise _ended_early(ended, node)
            remaining.remove(ended)


def _ended_early(ended: Process, *others: Process) -> DemoError:
    """Return the error for a process that has ended, with the last lines of the logs."""
    logs = ''.join(
        f'\n--- {each.name}:\n{each.last_words()}' for each in dict.fromkeys((ended, *others))
    )
    return DemoError(f'the {ended.name} ended with status {ended.status}{logs}')


def _keep_running(
    options: argparse.Namespace, scene: Scene, environment: Mapping[str, str]
) -> None:
    """Stream until this program is interrupted."""
    print(_what_to_type(environment), flush=True)
    endless = _publisher_command(options, '--pairs=0', '--wait=1000000000')
    with Processes(options.output) as processes:
        processes.start('node', _node_command(scene), environment)
        processes.start('publisher', endless, environment)
        ended = processes.wait_for_any()
        if ended is not None:
            raise _ended_early(ended)


def _what_to_type(environment: Mapping[str, str]) -> str:
    """Return what to do in another terminal with a demo that goes on."""
    names = ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE')
    lines = [
        'Streaming until Ctrl-C. In another terminal:',
        f'  export {" ".join(f"{name}={environment[name]}" for name in names)}',
        '  ros2 topic hz /depth/image_rect',
        '  ros2 param set /stereo_depth_node num_disparities 128',
        r"  ros2 service call /stereo_depth_node/explain std_srvs/srv/Trigger | sed 's/\\n/\n/g'",
        '  rviz2    # Fixed Frame left_camera_optical_frame; add topics as Image, PointCloud2',
    ]
    if shutil.which('ros2') is None:
        lines.append('ros2 and rviz2 come with an installed ROS 2: source its setup file there.')
    return '\n'.join(lines)


def _demonstrate(options: argparse.Namespace) -> None:
    scene = load_motorcycle()
    if options.size:
        scene = scene.resized(*options.size)
    _make_folder(options.output)
    with reserved_domain(os.environ.get('ROS_DOMAIN_ID') or None) as domain_id:
        _stream_and_report(options, scene, graph_environment(os.environ, domain_id))


def _stream_and_report(
    options: argparse.Namespace, scene: Scene, environment: Mapping[str, str]
) -> None:
    print(
        f'Sending {options.pairs} pairs at {options.rate:g} per second to the node, '
        f'ROS_DOMAIN_ID {environment["ROS_DOMAIN_ID"]}.',
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix='stereo_depth_demo_') as folder:
        _run(options, scene, environment, Path(folder))
        result = read_result(Path(folder), scene)
    if isinstance(result, str):
        raise DemoError(f'{result}; see {options.output / "node.log"}')
    picture = options.output / 'demo.png'
    draw_result(result, picture)
    print(result.table())
    problems = result.problems(has_reference=options.size is None)
    if problems:
        raise DemoError('\n'.join(problems))
    if options.show:
        _show(picture)
    if options.keep_running:
        with contextlib.suppress(KeyboardInterrupt):
            _keep_running(options, scene, environment)
    print(result.last_line(picture))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        problem = '' if os.access(folder, os.W_OK) else os.strerror(errno.EACCES)
    except OSError as error:
        problem = str(error.strerror)
    if problem:
        raise DemoError(f'cannot write to {folder} ({problem}): name a folder with --output')


def _show(picture: Path) -> None:
    viewer = shutil.which('xdg-open')
    if viewer is None:
        print(f'No xdg-open here to show the picture with: open {picture} yourself.')
        return
    subprocess.Popen([viewer, str(picture)], stderr=subprocess.DEVNULL, start_new_session=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo as ``scripts/demo``; return 0 when all results have come and are right."""
    parser = ToolParser(prog='scripts/demo', description=_PURPOSE)
    _add_options(parser)
    return run(parser.parse_whole(arguments))


def run(options: argparse.Namespace) -> int:
    """Run the demo; return 0 when all results have come and are right."""
    interrupt_on_termination()
    try:
        _demonstrate(options)
    except StereoDepthError as error:
        print(f'demo failed: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
