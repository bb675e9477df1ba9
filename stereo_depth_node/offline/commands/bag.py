# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth bag``: the depth of every frame of ROS 2 bags, as bags.

The pairs and their bytes are those of the node. The time of a result in the bag is that of the
later of its two images.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing, ExitStack
from pathlib import Path
import re
from statistics import median
import time
from typing import Any

from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.matching.selection import compile_kernel_ahead
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.settings.text_files import printable, visible
from stereo_depth_node.offline.bags.files import METADATA, recording_files
from stereo_depth_node.offline.bags.job import BagJob
from stereo_depth_node.offline.bags.options import JobOptions
from stereo_depth_node.offline.bags.schedule import run_jobs
from stereo_depth_node.offline.bags.summary import JobSummary
from stereo_depth_node.offline.bags.topics import TopicNames
from stereo_depth_node.offline.bags.writer import BagFormat
from stereo_depth_node.offline.files.writing import check_is_no_input, check_output
from stereo_depth_node.offline.options import add_settings_options, settings_from
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.offline.terminal import print_problem, progress_bar
from stereo_depth_node.offline.workers import available_processors

__all__ = ['add_parser', 'run']

_EXAMPLES = """\
examples:
  stereo_depth bag drive_7 drive_7_depth --set num_disparities=128
  stereo_depth bag raw.mcap depth --set rectify=true --report depth.html
  stereo_depth bag shelf/* results/ --params outdoor.yaml
"""


_NAMESPACE = re.compile(r'(/[A-Za-z_][A-Za-z0-9_]*)*')


def add_parser(subparsers: Any) -> None:
    """Add the options of this tool."""
    parser: ToolParser = subparsers.add_parser(
        'bag',
        synopsis='IN [IN ...] OUT [options]',
        description='Computes disparity and depth of every pair of images in ROS 2 bags (sqlite3 '
        'or mcap, compressed or not), with the pairing and the bytes of the node.',
        epilog=_EXAMPLES,
    )
    parser.add_argument('inputs', nargs='+', metavar='IN', type=Path, help='bags to read')
    parser.add_argument(
        'output',
        metavar='OUT',
        type=Path,
        help='the bag to write; with several inputs a folder, in which each keeps its name',
    )
    topics = parser.add_argument_group('topics, found by their types and names where not given')
    for option, what in (
        ('--left', 'images of the left camera'),
        ('--right', 'images of the right camera'),
        ('--left-info', 'camera_info of the left camera'),
        ('--right-info', 'camera_info of the right camera'),
    ):
        topics.add_argument(option, default='', metavar='TOPIC', help=what)
    result = parser.add_argument_group('result')
    result.add_argument('--namespace', default='', help='of the topics written, such as /stereo')
    result.add_argument(
        '--also',
        action='append',
        default=[],
        choices=[topic for topic, output in OUTPUTS.items() if not output.is_recorded],
        help='write this output, too',
    )
    result.add_argument(
        '--copy', action='append', default=[], metavar='TOPIC', help='copy a topic, too'
    )
    result.add_argument(
        '--copy-all', action='store_true', help='copy all topics but the images that are used'
    )
    result.add_argument('--storage', choices=('mcap', 'sqlite3'), default='mcap')
    result.add_argument('--compress', action='store_true', help='with zstd; mcap only')
    result.add_argument('--report', type=Path, metavar='FILE.html', help='write a report')
    result.add_argument('--overwrite', action='store_true', help='replace what is there')
    result.add_argument('--resume', action='store_true', help='go on where a run was stopped')
    work = parser.add_argument_group('work')
    work.add_argument(
        '--processes', type=int, default=available_processors(), help='default: %(default)s'
    )
    work.add_argument(
        '--dask',
        default='',
        metavar='ADDRESS',
        help='work on a Dask cluster; who controls it runs code here',
    )
    work.add_argument('--quiet', action='store_true', help='no progress bar')
    add_settings_options(
        parser,
        'algorithm',
        'num_disparities',
        'block_size',
        'sync_tolerance',
        'rectify',
        'downscale',
    )


def run(arguments: argparse.Namespace) -> int:
    """Compute the bags; 2 if one of them could not be."""
    if arguments.processes < 1:
        raise SettingsError(f'--processes is {arguments.processes}: set 1 or more')
    if arguments.storage == 'sqlite3' and arguments.compress:
        raise SettingsError('--compress works with --storage mcap only')
    options = JobOptions(
        settings=settings_from(arguments),
        topics=TopicNames(
            arguments.left, arguments.right, arguments.left_info, arguments.right_info
        ),
        namespace=_checked_namespace(arguments.namespace),
        also=tuple(arguments.also),
        recording_format=BagFormat(arguments.storage, arguments.compress),
        copy_all=arguments.copy_all,
        copy=tuple(arguments.copy),
        overwrite=arguments.overwrite,
        resume=arguments.resume,
    )
    with ExitStack() as open_jobs:
        jobs = [
            open_jobs.enter_context(closing(BagJob(source, target, options)))
            for source, target in _targets(arguments.inputs, arguments.output)
        ]
        return _compute(jobs, arguments, options)


def _compute(jobs: Sequence[BagJob], arguments: argparse.Namespace, options: JobOptions) -> int:
    """Compute the bags and say what came of them."""
    if arguments.report is not None:
        check_output(arguments.report, overwrite=arguments.overwrite)
        read = [file for path in arguments.inputs for file in recording_files(path)]
        check_is_no_input([arguments.report], [*read, *(file.parent / METADATA for file in read)])
        # Before the work, so that a missing library does not show after hours.
        from stereo_depth_node.offline.bags.report import bags_report

    if not arguments.dask:
        compile_kernel_ahead(options.settings)
    start = time.monotonic()
    with progress_bar(0, 'pairs', is_quiet=arguments.quiet) as progress:
        errors = run_jobs(
            jobs, processes=arguments.processes, dask=arguments.dask, progress=progress
        )
    seconds = time.monotonic() - start
    for job in jobs:
        if job.is_complete:
            _print_summary(job.summary, seconds if len(jobs) == 1 else None)
    for error in errors:
        print_problem(f'stereo_depth bag: {error}')
    complete = [job.summary for job in jobs if job.is_complete and job.summary.pairs]
    if arguments.report is not None and complete:
        report = bags_report(
            complete, options.settings, namespace=options.namespace, seconds=seconds
        )
        report.write(arguments.report, overwrite=arguments.overwrite)
        print(f'report: {arguments.report}')
    return 2 if errors else 0


def _targets(inputs: Sequence[Path], output: Path) -> list[tuple[Path, Path]]:
    """Return each input with its output."""
    if len(inputs) == 1:
        return [(inputs[0], output)]
    names = [path.resolve().stem if path.is_file() else path.resolve().name for path in inputs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f'several inputs are called {", ".join(twice)}: run them separately')
    return [(path, output / name) for path, name in zip(inputs, names, strict=True)]


def _checked_namespace(namespace: str) -> str:
    name = f'/{namespace.strip("/")}'.rstrip('/')
    if _NAMESPACE.fullmatch(name) is None:
        raise SettingsError(
            f'--namespace is {printable(namespace)}: a topic has letters, digits and "_", as in '
            '/stereo'
        )
    return name


def _print_summary(summary: JobSummary, seconds: float | None) -> None:
    """Print what came of a bag."""
    rate = ''
    new = summary.computed - summary.resumed
    if seconds and new > 0:
        rate = f' in {seconds:.1f} s, {new / seconds:.1f} pairs per second'
    if summary.pairs:
        print(
            f'{visible(summary.source)}: {summary.computed} of {summary.pairs} pairs computed'
            f'{rate}, {summary.size / 1e6:.0f} MB in {visible(summary.target)}'
        )
    else:
        print(f'{visible(summary.source)}: nothing was left to do')
    if summary.densities:
        print(f'  depth for {100 * median(summary.densities):.1f} % of the pixels (median)')
    for line in summary.finding_lines:
        print(visible(f'  {line}'))
    for reason, count in summary.dropped.items():
        if count:
            print(f'  {count} images not used: {reason.value}')
    if summary.first_error:
        print(visible(f'  first pair that could not be computed: {summary.first_error}'))
    if summary.resets:
        print(f'  the stamps began again {summary.resets} times')
    for note in summary.notes:
        print(visible(f'  {note}'))
