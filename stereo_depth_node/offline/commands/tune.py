# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth tune``: the settings that suit a scene, a pair of images or a recording."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import math
from pathlib import Path
from typing import Any

from tabulate import tabulate

from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.settings.params_file import render_params_file
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.core.tuning.assessment import assess, PairTimer
from stereo_depth_node.core.tuning.disparity_range import DisparityRange, find_disparity_range
from stereo_depth_node.core.tuning.objectives import (
    COMPLETE,
    NAVIGATION,
    Objective,
    ReferenceObjective,
    TruthObjective,
)
from stereo_depth_node.core.tuning.result import TuningResult, TuningStep
from stereo_depth_node.core.tuning.tuner import ANY_ALGORITHM, Tuner
from stereo_depth_node.offline.bags.topics import TopicNames
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.offline.files.writing import check_output, write_file
from stereo_depth_node.offline.findings import lines_of_findings
from stereo_depth_node.offline.options import (
    add_layout_option,
    add_settings_options,
    settings_from,
)
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.offline.terminal import progress_bar
from stereo_depth_node.offline.tuning_pairs import findings_of_pairs, load_pairs, usable_pairs

__all__ = ['add_parser', 'run']

_DESCRIPTION = """\
Searches the settings that suit a scene: the range of disparities first, from what three methods
agree on, then the matcher and the filters. It serves navigation: a pixel without a disparity
costs 1, a wrong one 1.5, and 3 one that seems much nearer than it is (a near ghost, for which a
robot brakes). What is wrong is found without ground truth, by comparison with careful
matching; with --ground-truth by that of the scene.

With --complete as many pixels as possible get a disparity: a wrong one costs 1, too, near or not
(by ground truth that is bad-2.0 of all pixels), and the range begins at the farthest thing in
these images unless --infinity says where.

The settings of --params and --set are the start. The result depends on the images, the start, the
algorithm and the seed; on the machine only with --rate, and when the budget is used up, which the
summary says."""

_HEAD = ('step', 'changes', 'cost', 'wrong, %', 'near, %', 'density, %', 'tried', 's')
_DEFAULT_OUTPUT = Path('params.yaml')
# Percent of the disparities found: beyond, settings are not worth a file.
_MOST = 50.0


def add_parser(subparsers: Any) -> None:
    """Add the tool's options."""
    parser: ToolParser = subparsers.add_parser(
        'tune',
        synopsis='SCENE | LEFT RIGHT | BAG [options]',
        description=_DESCRIPTION,
    )
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='SCENE | LEFT RIGHT | BAG',
        help='a scene as for evaluate, two rectified images, or a ROS 2 bag',
    )
    add_layout_option(
        parser, 'the input is an image that holds both, the left one on the left or on top'
    )
    parser.add_argument(
        '--calib',
        nargs='+',
        type=Path,
        metavar='FILE',
        help='calibration of two images, one file or LEFT and RIGHT (docs/files.md): it says '
        'where infinity is; with --rectify true they are raw',
    )
    parser.add_argument(
        '--algorithm',
        default='bm',
        choices=(*known_parameters()['algorithm'].choices, ANY_ALGORITHM),
        help='what to tune; any tries all and takes the best, a slower one only where it gains '
        'half a point (default: %(default)s)',
    )
    parser.add_argument(
        '--budget', type=float, default=60.0, metavar='S', help='seconds (default: %(default)g)'
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='chooses the rows of large images that are scored (default: %(default)s)',
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=_DEFAULT_OUTPUT,
        metavar='FILE',
        help='parameter file for the node (default: %(default)s)',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace the file if it exists')
    parser.add_argument(
        '--force',
        action='store_true',
        help='tune with pairs that are broken, and write settings with which most is wrong',
    )
    parser.add_argument(
        '--ground-truth', action='store_true', help='score by the ground truth of the scene'
    )
    parser.add_argument(
        '--complete',
        action='store_true',
        help='for the most complete disparities of these images, not for the fewest near ghosts',
    )
    parser.add_argument(
        '--rate',
        type=float,
        metavar='HZ',
        help='take only settings with which this machine can match so many pairs a second; the '
        'images are reduced where they have to be',
    )
    parser.add_argument(
        '--clean',
        type=float,
        default=0.0,
        metavar='PERCENT',
        help='let the cost rise by up to this for filters that take wrong disparities away, and '
        'some right ones with them (default: %(default)g)',
    )
    farthest = parser.add_mutually_exclusive_group()
    farthest.add_argument(
        '--infinity',
        type=float,
        metavar='PX',
        help='disparity at which the range begins, that of things infinitely far away: '
        'cx_left - cx_right (default: what the calibration says, 0 without one)',
    )
    farthest.add_argument(
        '--narrow',
        action='store_true',
        help='begin the range at the farthest thing in these images: for a camera that will see '
        'nothing farther',
    )
    parser.add_argument(
        '--pairs', type=int, default=3, metavar='N', help='of a bag (default: %(default)s)'
    )
    for side in ('left', 'right'):
        parser.add_argument(
            f'--{side}',
            default='',
            metavar='TOPIC',
            help=f'images of the {side} camera in a bag, where it has several stereo cameras',
        )
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    add_settings_options(parser, 'num_disparities', 'block_size')


def run(arguments: argparse.Namespace) -> int:
    """Tune, print what each step gained, write the parameter file."""
    _check(arguments)
    start = settings_from(arguments)
    name, pairs = load_pairs(
        arguments.inputs,
        arguments.layout,
        start,
        count=arguments.pairs,
        names=TopicNames(arguments.left, arguments.right),
        calib=arguments.calib or (),
    )
    if arguments.ground_truth and any(pair.truth is None for pair in pairs):
        raise InputError(f'{name} has no ground truth: tune without --ground-truth')
    seen = findings_of_pairs(pairs, start)
    for line in lines_of_findings(seen):
        print(line)
    if not arguments.force:
        pairs = usable_pairs(pairs, seen)
    found = find_disparity_range((pair.left, pair.right) for pair in pairs)
    for text in found.unused:
        print(f'disparity range: {text}')
    objective = _objective(arguments, pairs, found)
    timer, rate = PairTimer(pairs[0]), arguments.rate
    geometry = pairs[0].geometry
    with progress_bar(100, '% of the budget', is_quiet=arguments.quiet) as bar:
        tuner = Tuner(
            pairs,
            objective,
            budget_s=arguments.budget,
            filter_allowance=arguments.clean / 100.0,
            infinity_px=_infinity(arguments, geometry),
            found=found,
            is_fast_enough=lambda settings: rate is None or timer.holds(settings, rate),
            on_progress=lambda _, share: bar.update(min(int(100 * share), 100) - bar.done),
        )
        result = tuner.tune(start, arguments.algorithm)
    print(_table(result.steps))
    first, last = result.steps[0].score, objective.score(result.settings)
    assessment = assess(result.settings, pairs, objective, timer)
    summary = [
        f'{objective.criterion}: cost {first.cost:.2f} at the start, {last.cost:.2f} at the end',
        *assessment.lines(geometry, is_estimate=not arguments.ground_truth),
        *_reservations(arguments, result, found, timer),
    ]
    print('\n'.join(summary))
    _check_worth(assessment.score.wrong, arguments)
    comment = '\n'.join([f'Found by stereo_depth tune for {name}.', *summary])
    content = render_params_file(result.settings, comment=comment, changed=True)
    write_file(arguments.output, content.encode(), overwrite=arguments.overwrite)
    print(f'written: {arguments.output}')
    return 0


def _objective(
    arguments: argparse.Namespace, pairs: Sequence[Scene], found: DisparityRange
) -> Objective:
    weights = COMPLETE if arguments.complete else NAVIGATION
    if arguments.ground_truth:
        return TruthObjective(pairs, weights)
    return ReferenceObjective(pairs, found, weights, arguments.seed)


def _check_worth(wrong: float, arguments: argparse.Namespace) -> None:
    if wrong > _MOST and not arguments.force:
        raise InputError(
            f'{wrong:.0f} % of what these settings find is wrong, so they are not written: '
            'look at the images and at what is said of them above; --force writes the file'
        )


def _infinity(arguments: argparse.Namespace, geometry: StereoGeometry | None) -> float | None:
    """Return the disparity at which the range is to begin; None for what the images have."""
    if arguments.infinity is not None:
        return float(arguments.infinity)
    if arguments.narrow or arguments.complete:
        return None
    return geometry.offset if geometry is not None else 0.0


def _reservations(
    arguments: argparse.Namespace, result: TuningResult, found: DisparityRange, timer: PairTimer
) -> list[str]:
    """Return what keeps the result from being what was asked for."""
    texts = []
    settings = result.settings
    largest = settings.min_disparity + settings.num_disparities
    if largest < found.high:
        texts.append(
            f'The images have disparities up to {found.high:.0f} px, the settings search up to '
            f'{largest - 1} px: the images are too small for the rest, or the budget was.'
        )
    if arguments.rate is not None and not timer.holds(settings, arguments.rate):
        texts.append(
            f'No settings were found that hold {arguments.rate:g} Hz here: reduce the images, '
            'or see docs/performance.md.'
        )
    if not result.is_complete:
        texts.append(
            f'The budget of {arguments.budget:g} s was used up before the end: another '
            'machine may come to another result. Give more with --budget.'
        )
    return texts


def _check(arguments: argparse.Namespace) -> None:
    """Refuse before the search what would be refused after it."""
    for name in ('budget', 'pairs', 'rate'):
        value = getattr(arguments, name)
        if value is not None and not value > 0:
            raise SettingsError(f'--{name} is {value:g}: give a number above 0')
    for name in ('clean', 'seed'):
        value = getattr(arguments, name)
        if not value >= 0:
            raise SettingsError(f'--{name} is {value:g}: give 0 or more')
    if arguments.infinity is not None and not math.isfinite(arguments.infinity):
        raise SettingsError(f'--infinity is {arguments.infinity:g}: give a number of pixels')
    check_output(arguments.output, overwrite=arguments.overwrite)


def _table(steps: Sequence[TuningStep]) -> str:
    rows = [
        [
            step.name,
            ' '.join(f'{name}={value}' for name, value in step.changes.items()) or '-',
            step.score.cost,
            step.score.wrong,
            step.score.near,
            step.score.density,
            step.tried,
            step.seconds,
        ]
        for step in steps
    ]
    formats = ('', '', '.2f', '.2f', '.2f', '.1f', '', '.1f')
    table: str = tabulate(rows, _HEAD, floatfmt=formats, disable_numparse=[0, 1], missingval='-')
    return table
