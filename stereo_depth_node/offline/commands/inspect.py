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
from stereo_depth_node.offline.bags.inspection import (
    inspect_camera,
    Inspection,
    largest_gaps,
    SideStamps,
)
from stereo_depth_node.offline.bags.reader import Bag, DamagedBagError, storage_files
from stereo_depth_node.offline.bags.salvage import salvage
from stereo_depth_node.offline.bags.topics import (
    find_stereo_topics,
    stereo_candidates,
    StereoTopics,
)
from stereo_depth_node.offline.options import add_settings_options, settings_from

__all__ = ['add_parser', 'run']

_RAW = 'image_raw'


def add_parser(subparsers: Any) -> None:
    """Add the options of this tool."""
    parser = subparsers.add_parser(
        'inspect',
        help='what is in a ROS 2 bag, and what is wrong with it',
        description='Says what is in a ROS 2 bag for stereo: topics, rates, sizes, stamps, '
        'calibration, rectification, in the words of the diagnostics of the node.',
    )
    parser.add_argument('recording', metavar='BAG', type=Path)
    for option in ('--left', '--right', '--left-info', '--right-info'):
        parser.add_argument(option, default='', metavar='TOPIC', help='of one stereo camera')
    add_settings_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what is to be said of a recording."""
    settings = settings_from(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            _inspect(arguments.recording, arguments, settings)
        except DamagedBagError as error:
            print(error)
            copy = Path(folder) / 'recording'
            for line in salvage(arguments.recording, copy):
                print(f'  {line}')
            print('What could be read of it:')
            _inspect(copy, arguments, settings)
    return 0


def _inspect(path: Path, arguments: argparse.Namespace, settings: Settings) -> None:
    with closing(Bag(path)) as recording:
        _print_recording(recording)
        for topics in _cameras(recording, arguments, settings):
            chosen = settings
            is_raw = topics.left.rpartition('/')[2].startswith(_RAW) or f'/{_RAW}/' in topics.left
            if is_raw and not settings.rectify and topics.left_info and topics.right_info:
                chosen = settings.replace(rectify=True)
            seen = inspect_camera(recording, topics, chosen)
            _print_camera(seen, is_rectified_here=chosen.rectify)
            _print_advice(seen, chosen, Settings())


def _cameras(
    recording: Bag, arguments: argparse.Namespace, settings: Settings
) -> list[StereoTopics]:
    """Return the stereo cameras to look at: the one named, or all."""
    candidates = stereo_candidates(recording.topics)
    named = [(arguments.left, arguments.right)] if arguments.left or arguments.right else []
    found = named or [(left.name, right.name) for left, right in candidates] or [('', '')]
    return [
        find_stereo_topics(
            recording.topics,
            left=left,
            right=right,
            left_info=arguments.left_info,
            right_info=arguments.right_info,
            compressed=settings.image_transport == 'compressed',
            rectify=settings.rectify,
        )
        for left, right in found
    ]


def _print_recording(recording: Bag) -> None:
    size = sum(file.stat().st_size for file in storage_files(recording.path))
    seconds = recording.duration_ns / NS_PER_S
    print(f'{recording.path}: {seconds:.1f} s, {size / 1e6:.1f} MB')
    width = max((len(topic.name) for topic in recording.topics), default=0)
    for topic in sorted(recording.topics, key=lambda topic: topic.name):
        rate = f'{(topic.count - 1) / seconds:7.1f} Hz' if topic.count > 1 and seconds else ''
        print(f'  {topic.name:<{width}}  {topic.count:7d}  {rate:>10}  {topic.type}')


def _print_camera(seen: Inspection, *, is_rectified_here: bool) -> None:
    topics = seen.topics
    print(f'\nStereo camera {topics.left}, {topics.right}')
    for name, side, image in (
        ('left', seen.left, seen.images[0]),
        ('right', seen.right, seen.images[1]),
    ):
        print(f'  {name:<13} {_told_side(side, image)}')
    print(f'  pairs         {seen.pairs}{_told_offsets(seen)}')
    if seen.geometry is not None:
        geometry = seen.geometry
        print(
            f'  calibration   f {geometry.f:.2f} px, baseline {geometry.baseline:.5f} m, '
            f'cx_left - cx_right {geometry.offset:.2f} px'
        )
    report = seen.rectification
    basis = 'rectified here, ' if is_rectified_here else ''
    if report is not None:
        print(
            f'  rows          {basis}{report.rows_apart:+.2f} px apart (spread '
            f'{report.rows_spread:.2f} px, {report.points} points)'
        )
        print(f'  disparities   {report.low:.1f} to {report.high:.1f} px')
    elif seen.pairs:
        print(f'  rows          {basis}too few points were found in both eyes')
    if not np.isnan(seen.density):
        print(f'  depth         {100 * seen.density:.1f} % of the pixels')


def _told_side(side: SideStamps, image: str) -> str:
    if not side.stamps.size:
        return f'{image}: no images'
    text = f'{image}, {side.stamps.size} images, {side.rate:.2f} Hz'
    text += f', recorded {1e3 * side.delay_s:+.1f} ms after their stamps'
    gaps = side.gaps()
    if gaps:
        missing = sum(count for _, count in gaps)
        where = ', '.join(f'{count} at {start:.2f} s' for start, count in largest_gaps(side))
        text += f'; {missing} missing in {len(gaps)} gaps ({where})'
    return text


def _told_offsets(seen: Inspection) -> str:
    offsets = seen.offsets_ms
    if not offsets.size:
        return ''
    return (
        f', right stamps {np.median(offsets):+.3f} ms from left ones '
        f'({offsets.min():+.3f} to {offsets.max():+.3f})'
    )


def _print_advice(seen: Inspection, chosen: Settings, defaults: Settings) -> None:
    for finding in seen.findings:
        print(f'  {finding.level.name:<5} {finding.text}')
    suggested = seen.suggested
    if suggested is None:
        return
    names = ('rectify', 'min_disparity', 'num_disparities')
    changes = [
        f'--set {name}={str(value).lower()}'
        for name in names
        if (value := getattr(suggested, name)) != getattr(defaults, name)
    ]
    print(f'  suggested: {" ".join(changes) or "the defaults"}')
