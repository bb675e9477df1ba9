# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth images``: disparity, depth, pictures and point clouds of image files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from glob import has_magic
import math
from pathlib import Path
from statistics import median
import sys
import tempfile
import time
from typing import Any

from matplotlib import colormaps

from stereo_depth_node.core.errors import SettingsError, StereoDepthError
from stereo_depth_node.core.images.layouts import SEPARATE
from stereo_depth_node.core.matching.selection import compile_kernel_ahead
from stereo_depth_node.core.settings.text_files import printable, visible
from stereo_depth_node.offline.calibration_options import (
    add_calibration_options,
    calibration_from,
    GivenCalibration,
)
from stereo_depth_node.offline.display import can_show_pictures, show_picture
from stereo_depth_node.offline.files.outputs import (
    compute_pairs,
    ImageTask,
    KINDS,
    METRIC_KINDS,
    PairOutcome,
)
from stereo_depth_node.offline.files.pairs import (
    is_video,
    missing_partner,
    PairSource,
    read_video,
)
from stereo_depth_node.offline.files.sequences import (
    find_files,
    find_pairs,
    output_names,
    split_names,
)
from stereo_depth_node.offline.findings import lines_of_findings, PairFindings
from stereo_depth_node.offline.options import (
    add_layout_option,
    add_settings_options,
    settings_from,
)
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.offline.terminal import print_problem, progress_bar
from stereo_depth_node.offline.workers import available_processors

__all__ = ['add_parser', 'run']

_EXAMPLES = """\
examples:
  stereo_depth images left.png right.png --show
  stereo_depth images left.png right.png --num-disparities 16 --block-size 15
  stereo_depth images im0.png im1.png --calib calib.txt --write depth.png
  stereo_depth images left/*.png right/*.png --output results
  stereo_depth images both.mp4 --layout side-by-side --output frames
"""
_PICTURE = 'picture.png'
# Pairs of a sequence in which faults are looked for.
_SAMPLES = 8
# Files without a partner, and errors, that are named.
_MOST_NAMED = 10
# Black to most viewers.
_OF_16_BITS = ('disparity.png', 'depth.png')
# Settings that are in the short help.
_COMMON = (
    'algorithm', 'min_disparity', 'num_disparities', 'block_size', 'uniqueness_ratio',
    'disp12_max_diff', 'speckle_window_size', 'speckle_range', 'fill_left_band', 'median_size',
    'min_depth', 'max_depth', 'rectify', 'downscale',
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the options of this tool."""
    parser: ToolParser = subparsers.add_parser(
        'images',
        synopsis='LEFT RIGHT [options]',
        description='Computes disparity and depth of pairs of images, with the core of the node.',
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        'images',
        nargs='+',
        metavar='LEFT RIGHT',
        help='two images, videos or patterns; or files that hold both, with --layout',
    )
    add_layout_option(parser, 'each file holds both images, the left one on the left or on top')
    result = parser.add_argument_group('result')
    result.add_argument(
        '--write',
        nargs='+',
        choices=tuple(KINDS),
        metavar='KIND',
        help=f'of {", ".join(KINDS)} (default {_PICTURE}); depth.png has 16 bits, '
        'mm; disparity.png 16 bits, px times 256 (KITTI); both come with a '
        'coloured picture',
    )
    result.add_argument(
        '--output',
        type=Path,
        default=Path(),
        metavar='FOLDER',
        help='where files named after the left image go (default: the working directory)',
    )
    result.add_argument(
        '--no-picture', action='store_true', help='no coloured picture beside 16-bit results'
    )
    result.add_argument(
        '--colours',
        default='turbo',
        metavar='MAP',
        help="matplotlib's name (default %(default)s); from the 2nd to the 98th percentile",
    )
    result.add_argument('--show', action='store_true', help='show the picture in a window')
    result.add_argument('--overwrite', action='store_true', help='replace what is there')
    add_calibration_options(parser)
    work = parser.add_argument_group('work')
    work.add_argument(
        '--processes', type=int, default=available_processors(), help='default: %(default)s'
    )
    work.add_argument('--quiet', action='store_true', help='no progress bar')
    add_settings_options(parser, *_COMMON)


def run(arguments: argparse.Namespace) -> int:
    """Compute the pairs; 2 if one of them could not be."""
    if arguments.processes < 1:
        raise SettingsError(f'--processes is {arguments.processes}: set 1 or more')
    settings = settings_from(arguments).replace(depth_encoding='32FC1')
    if arguments.layout is not None:
        settings = settings.replace(stereo_layout=arguments.layout)
    calibration = calibration_from(arguments, settings, arguments.images[0])
    is_shown = arguments.show and can_show_pictures()
    if arguments.show and not is_shown:
        print('there is no display to show the picture on: it is written')
    kinds = _kinds(arguments, is_shown=is_shown)
    _check(kinds, calibration, arguments.colours, arguments.output)
    sources, count = _sources(arguments.images, settings.stereo_layout)
    if count == 1:  # over before there is a kernel, which gives the same
        settings = settings.replace(matcher_backend='opencv')
    compile_kernel_ahead(settings)
    if not calibration.is_given:
        print('no calibration is given: there is disparity, but no metric depth')
    for line in calibration.notes(settings):
        print(line)
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / _PICTURE if is_shown and count == 1 else None
        tasks = (
            ImageTask(
                source,
                settings,
                calibration,
                outputs=(
                    *((kind, arguments.output / f'{source.name}_{kind}') for kind in kinds),
                    *([(_PICTURE, shown)] if shown is not None else []),
                ),
                colours=arguments.colours,
                overwrite=arguments.overwrite,
                is_looked_at=_is_sample(index, count),
            )
            for index, source in enumerate(sources)
        )
        start = time.monotonic()
        computed, failed, errors = _compute(
            tasks, count, arguments.processes, quiet=arguments.quiet
        )
        if is_shown and shown is None:
            print('--show shows one pair at a time, these are several')
        elif shown is not None and not errors:
            show_picture(shown)
    for error in errors[:_MOST_NAMED]:
        print_problem(f'stereo_depth images: {error}')
    if len(errors) > _MOST_NAMED:
        print_problem(f'stereo_depth images: {len(errors) - _MOST_NAMED} more failed')
    if count != 1:
        seconds = time.monotonic() - start
        print(
            f'{computed} of {computed + failed} pairs computed in {seconds:.1f} s, '
            f'{", ".join(kinds)} of each in {arguments.output.resolve()}'
        )
    return 2 if errors else 0


def _sources(names: Sequence[str], layout: str) -> tuple[Iterable[PairSource], int | None]:
    """Return the pairs that the command line names, and how many, None for those of a video."""
    if layout != SEPARATE:
        files = find_files(names)
        if len(files) == 1 and is_video(files[0]):
            return read_video(files[0], None, layout), None
        if len(files) > 1 and any(map(is_video, files)):
            raise SettingsError(f'{len(files)} files are given, and videos: give one at a time')
        if len(files) == 2 and len(names) == 2:
            raise SettingsError(
                f'the layout is {layout}, and two files are given: give one that holds both '
                'images, or no --layout (stereo_layout: separate)'
            )
        found = zip(output_names([(file, file) for file in files]), files, strict=True)
        return [PairSource(name, file, None, layout) for name, file in found], len(files)
    if len(names) == 1 and not has_magic(names[0]):
        raise missing_partner(Path(names[0]))
    pairs, alone = find_pairs(*split_names(names))
    if alone:
        names_alone = ', '.join(printable(path) for path in alone[:_MOST_NAMED])
        more = f' and {len(alone) - _MOST_NAMED} more' if len(alone) > _MOST_NAMED else ''
        print(f'without a partner of its number: {names_alone}{more}', file=sys.stderr)
    if len(pairs) == 1 and (pairs[0][0] == pairs[0][1] or pairs[0][0].is_dir()):
        raise missing_partner(pairs[0][0])
    if len(pairs) == 1 and is_video(pairs[0][0]):
        return read_video(*pairs[0], ''), None
    return [
        PairSource(name, *pair) for name, pair in zip(output_names(pairs), pairs, strict=True)
    ], len(pairs)


def _compute(
    tasks: Iterable[ImageTask], count: int | None, processes: int, *, quiet: bool
) -> tuple[int, int, list[StereoDepthError]]:
    """Compute all pairs, whatever becomes of some of them.

    Returns
    -------
    computed, failed : int
        Pairs.
    errors : list of StereoDepthError
        Of the pairs that failed, and of a video that ended before the other one.
    """
    errors: list[StereoDepthError] = []
    failed = 0
    densities: list[float] = []
    seen: list[PairFindings] = []
    workers = processes if count is None else min(processes, count)
    with progress_bar(count, 'pairs', is_quiet=quiet or count == 1) as bar:
        try:
            for task, result in compute_pairs(tasks, workers):
                bar.update(1)
                if isinstance(result, StereoDepthError):
                    errors.append(result)
                    failed += 1
                    continue
                densities.append(100.0 * result.density)
                seen += [result.seen] if result.seen is not None else []
                _print_outcome(task, result, is_only=count == 1)
        except StereoDepthError as error:
            errors.append(error)
    if densities:
        spread = f' (median; {min(densities):.1f} to {max(densities):.1f} %)'
        print(
            f'disparity for {median(densities):.1f} % of the pixels'
            + (spread if len(densities) > 1 else '')
        )
    for line in lines_of_findings(seen):
        print(line)
    return len(densities), failed, errors


def _print_outcome(task: ImageTask, outcome: PairOutcome, *, is_only: bool) -> None:
    for note in outcome.notes:
        print(visible(f'{task.source.name}: {note}'))
    if is_only:
        for _, path in task.outputs:
            print(visible(path))


def _is_sample(index: int, count: int | None) -> bool:
    """Tell whether faults are looked for in a pair: in eight at most, of a video in fewer."""
    if count is None:
        return index & (index - 1) == 0
    return index % math.ceil(count / _SAMPLES) == 0


def _check(
    kinds: Sequence[str], calibration: GivenCalibration, colours: str, output: Path
) -> None:
    if output.suffix in {Path(kind).suffix for kind in KINDS} and not output.is_dir():
        raise SettingsError(
            f'--output is {printable(output)}: name a folder, results are named after the left '
            'image; --write says which there are'
        )
    metric = [kind for kind in kinds if kind in METRIC_KINDS]
    if metric and not calibration.is_given:
        raise SettingsError(
            f'{", ".join(metric)} needs a calibration: give --calib, or --focal and --baseline'
        )
    if colours not in colormaps:
        raise SettingsError(
            f'--colours is {colours!r}: matplotlib has viridis, turbo, gray and others'
        )


def _kinds(arguments: argparse.Namespace, *, is_shown: bool) -> tuple[str, ...]:
    """Return what is to be written."""
    kinds = list(arguments.write or ())
    wants_picture = not kinds and not is_shown
    wants_picture |= arguments.show and not is_shown
    wants_picture |= not arguments.no_picture and any(kind in _OF_16_BITS for kind in kinds)
    return tuple(dict.fromkeys([*kinds, *([_PICTURE] if wants_picture else [])]))
