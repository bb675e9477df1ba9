# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth inspect``: what is in a ROS 2 bag for stereo, and what is wrong with it."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
import tempfile
from typing import Any

import numpy as np

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import visible
from stereo_depth_node.offline.bags.files import storage_files
from stereo_depth_node.offline.bags.inspection import inspect_cameras, Inspection
from stereo_depth_node.offline.bags.reader import Bag, DamagedBagError
from stereo_depth_node.offline.bags.salvage import salvage
from stereo_depth_node.offline.bags.stamps import SideStamps
from stereo_depth_node.offline.bags.topics import TopicNames
from stereo_depth_node.offline.options import add_settings_options, settings_from
from stereo_depth_node.offline.parser import ToolParser

__all__ = ['add_parser', 'run']

_LARGEST_GAPS = 3


def add_parser(subparsers: Any) -> None:
    """Add the options of this tool."""
    parser: ToolParser = subparsers.add_parser(
        'inspect',
        synopsis='BAG [options]',
        description='Says what is in a ROS 2 bag for stereo: topics, rates, sizes, stamps, '
        'calibration, rectification, and what the diagnostics of the node would report.',
    )
    parser.add_argument('recording', metavar='BAG', type=Path)
    for option in ('--left', '--right', '--left-info', '--right-info'):
        parser.add_argument(option, default='', metavar='TOPIC', help='of one stereo camera')
    add_settings_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what is in a recording, or in what can be read of it."""
    settings = settings_from(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            _inspect(arguments.recording, arguments, settings)
        except DamagedBagError as error:
            print(visible(error))
            copy = Path(folder) / 'recording'
            for line in salvage(arguments.recording, copy):
                print(visible(f'  {line}'))
            print('What could be read of it:')
            _inspect(copy, arguments, settings)
    return 0


def _inspect(path: Path, arguments: argparse.Namespace, settings: Settings) -> None:
    with closing(Bag(path)) as recording:
        _print_recording(recording)
        names = TopicNames(
            arguments.left, arguments.right, arguments.left_info, arguments.right_info
        )
        for seen in inspect_cameras(recording, settings, names):
            _print_camera(seen)
            _print_advice(seen)


def _print_recording(recording: Bag) -> None:
    size = sum(file.stat().st_size for file in storage_files(recording.path))
    seconds = recording.duration_ns / NS_PER_S
    print(f'{visible(recording.path)}: {seconds:.1f} s, {size / 1e6:.1f} MB')
    width = max((len(topic.name) for topic in recording.topics), default=0)
    for topic in sorted(recording.topics, key=lambda topic: topic.name):
        rate = f'{(topic.count - 1) / seconds:7.1f} Hz' if topic.count > 1 and seconds else ''
        line = f'  {topic.name:<{width}}  {topic.count:7d}  {rate:>10}  {topic.type}'
        print(visible(line))


def _print_camera(seen: Inspection) -> None:
    topics = seen.topics
    print(visible(f'\nStereo camera {topics.left}, {topics.right}'))
    for name, side, image in (
        ('left', seen.left, seen.images[0]),
        ('right', seen.right, seen.images[1]),
    ):
        print(visible(f'  {name:<13} {_side_text(side, image)}'))
    print(f'  pairs         {seen.pairs}{_offsets_text(seen)}')
    if seen.geometry is not None:
        geometry = seen.geometry
        print(
            f'  calibration   f {geometry.f:.2f} px, baseline {geometry.baseline:.5f} m, '
            f'cx_left - cx_right {geometry.offset:.2f} px'
        )
    report = seen.rectification
    basis = 'rectified here, ' if seen.settings.rectify else ''
    if report is not None:
        print(
            f'  rows          {basis}{report.rows_apart:+.2f} px apart (at most '
            f'{report.row_offset.largest * report.scale:.2f} px, sigma '
            f'{report.rows_sigma * report.scale:.2f} px, {report.points} points)'
        )
        print(f'  disparities   {report.low:.1f} to {report.high:.1f} px')
    elif seen.pairs:
        print(f'  rows          {basis}too few points that agree were found in both images')
    if not np.isnan(seen.density):
        print(f'  depth         {100 * seen.density:.1f} % of the pixels')


def _side_text(side: SideStamps, image: str) -> str:
    if not side.stamps.size:
        return f'{image}: no images'
    text = f'{image}, {side.stamps.size} images, {side.rate:.2f} Hz'
    text += f', recorded {1e3 * side.delay_s:+.1f} ms after their stamps'
    gaps = side.gaps()
    if gaps:
        missing = sum(count for _, count in gaps)
        largest = sorted(gaps, key=lambda gap: -gap[1])[:_LARGEST_GAPS]
        where = ', '.join(f'{count} at {start:.2f} s' for start, count in largest)
        text += f'; {missing} missing in {len(gaps)} gaps ({where})'
    return text


def _offsets_text(seen: Inspection) -> str:
    offsets = seen.offsets_ms
    if not offsets.size:
        return ''
    return (
        f', right stamps {np.median(offsets):+.3f} ms from left ones '
        f'({offsets.min():+.3f} to {offsets.max():+.3f})'
    )


def _print_advice(seen: Inspection) -> None:
    for finding in seen.findings:
        print(visible(f'  {finding.level.name:<5} {finding.text}'))
    suggested = seen.suggested
    if suggested is None:
        return
    names, defaults = ('rectify', 'min_disparity', 'num_disparities'), Settings()
    changes = [
        f'--set {name}={str(value).lower()}'
        for name in names
        if (value := getattr(suggested, name)) != getattr(defaults, name)
    ]
    print(f'  suggested: {" ".join(changes) or "the defaults"}')
