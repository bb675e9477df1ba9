# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth images``: disparity, depth, pictures and point clouds of image files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import sys
import tempfile
from typing import Any

from matplotlib import colormaps
from tqdm import tqdm

from stereo_depth_node.core.errors import SettingsError, StereoDepthError
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.offline.calibration_options import (
    add_calibration_options,
    calibration_from,
    GivenCalibration,
)
from stereo_depth_node.offline.files.outputs import (
    compute_pairs,
    find_pairs,
    ImageTask,
    KINDS,
    METRIC_KINDS,
    output_names,
)
from stereo_depth_node.offline.options import add_settings_options, settings_from
from stereo_depth_node.offline.workers import available_processors

__all__ = ['add_parser', 'run']

_EXAMPLES = """\
examples:
  stereo_depth images left.png right.png --show
  stereo_depth images left.png right.png --num-disparities 16 --block-size 15 --colours gray
  stereo_depth images im0.png im1.png --calib calib.txt --write depth.png cloud.ply
  stereo_depth images 'left/*.png' 'right/*.png' --output results --write disparity.pfm
"""
_PICTURE = 'picture.png'
# Settings that mean something for images that are there already, each with an option.
_GROUPS = ('Matching', 'Filters', 'Depth')


def add_parser(subparsers: Any) -> None:
    """Add the options of this tool."""
    parser = subparsers.add_parser(
        'images',
        help='disparity, depth, pictures, point clouds of image files',
        description='Computes disparity and depth of pairs of rectified images, with the core '
        'of the node.',
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('left', metavar='LEFT', help='an image, or a pattern in quotes')
    parser.add_argument('right', metavar='RIGHT', help='an image, or a pattern in quotes')
    result = parser.add_argument_group('result')
    result.add_argument(
        '--write',
        nargs='+',
        choices=tuple(KINDS),
        metavar='KIND',
        help=f'of {", ".join(KINDS)} (default {_PICTURE})',
    )
    result.add_argument(
        '--output',
        type=Path,
        default=Path(),
        metavar='FOLDER',
        help='where files named after the left image go (default: the working directory)',
    )
    result.add_argument('--colours', default='turbo', metavar='MAP', help="matplotlib's name")
    result.add_argument('--show', action='store_true', help='show the picture in a window')
    result.add_argument('--overwrite', action='store_true', help='replace what is there')
    add_calibration_options(parser)
    work = parser.add_argument_group('work')
    work.add_argument(
        '--processes', type=int, default=available_processors(), help='default: %(default)s'
    )
    work.add_argument('--quiet', action='store_true', help='no progress bar')
    # baseline is an option of the calibration already.
    shorthands = [
        known.name
        for known in known_parameters().values()
        if known.group in _GROUPS and known.name != 'depth_encoding'
    ]
    add_settings_options(parser, *shorthands)


def run(arguments: argparse.Namespace) -> int:
    """Compute the pairs; 2 if one of them could not be."""
    if arguments.processes < 1:
        raise SettingsError(f'--processes is {arguments.processes}: set 1 or more')
    settings = settings_from(arguments).replace(depth_encoding='32FC1')
    calibration = calibration_from(arguments, settings, arguments.left)
    kinds = tuple(dict.fromkeys(arguments.write or ((_PICTURE,) if not arguments.show else ())))
    _check_possible(kinds, calibration)
    _check_colours(arguments.colours)
    pairs = find_pairs(arguments.left, arguments.right)
    names = output_names(pairs)
    if not calibration.is_given:
        print('no calibration is given: there is disparity, but no metric depth')
    for line in calibration.notes(settings):
        print(line)
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / _PICTURE if arguments.show and len(pairs) == 1 else None
        tasks = [
            ImageTask(
                left=left,
                right=right,
                settings=settings,
                calibration=calibration,
                outputs=(
                    *((kind, arguments.output / f'{name}_{kind}') for kind in kinds),
                    *([(_PICTURE, shown)] if shown is not None else []),
                ),
                colours=arguments.colours,
                overwrite=arguments.overwrite,
            )
            for (left, right), name in zip(pairs, names, strict=True)
        ]
        errors = _compute(tasks, arguments.processes, quiet=arguments.quiet)
        if arguments.show and shown is None:
            print('--show shows one pair at a time, these are several')
        elif shown is not None and not errors:
            _show(shown)
    for error in errors:
        print(f'stereo_depth images: {error}', file=sys.stderr)
    return 2 if errors else 0


def _compute(tasks: Sequence[ImageTask], processes: int, *, quiet: bool) -> list[Exception]:
    """Compute all pairs, whatever becomes of some of them; return the errors."""
    errors: list[Exception] = []
    ended = tqdm(
        compute_pairs(tasks, processes),
        total=len(tasks),
        unit=' pairs',
        disable=quiet or len(tasks) == 1 or None,  # None: only where stderr is no terminal
        dynamic_ncols=True,
    )
    for task, result in ended:
        if isinstance(result, StereoDepthError):
            errors.append(result)
            continue
        for note in result:
            print(f'{task.left}: {note}')
        if len(tasks) == 1:
            for _, path in task.outputs:
                print(path)
    return errors


def _check_possible(kinds: Sequence[str], calibration: GivenCalibration) -> None:
    impossible = [kind for kind in kinds if kind in METRIC_KINDS]
    if impossible and not calibration.is_given:
        raise SettingsError(
            f'{", ".join(impossible)} needs a calibration: give --calib, or --focal and --baseline'
        )


def _check_colours(colours: str) -> None:
    if colours not in colormaps:
        raise SettingsError(
            f'--colours is {colours!r}: matplotlib has viridis, turbo, gray and others'
        )


def _show(picture: Path) -> None:
    """Show a picture in a window, where there is a display."""
    import matplotlib.pyplot as plt  # slow, and looks for a display

    has_display = os.name == 'nt' or sys.platform == 'darwin'
    has_display |= bool(os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY'))
    if not has_display or plt.get_backend().lower() == 'agg':
        print('there is no display to show the picture on: write it with --write picture.png')
        return
    pixels = plt.imread(picture)
    figure = plt.figure(figsize=(pixels.shape[1] / 100, pixels.shape[0] / 100))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.imshow(pixels)
    plt.show()
