# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth evaluate``: settings measured on scenes with ground truth."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
import json
import math
from pathlib import Path
from typing import Any

from tabulate import tabulate

from stereo_depth_node.core.errors import SettingsError, StereoDepthError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.calibration_options import (
    add_calibration_options,
    calibration_from,
)
from stereo_depth_node.offline.datasets.evaluation import evaluate_scenes, Evaluation
from stereo_depth_node.offline.datasets.scenes import load_scene, Scene
from stereo_depth_node.offline.datasets.truth import load_scene_with_truth
from stereo_depth_node.offline.files.formats import write_file
from stereo_depth_node.offline.findings import findings_of_rectified_pair, lines_of_findings
from stereo_depth_node.offline.options import add_settings_options, settings_from
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.offline.terminal import print_problem

__all__ = ['add_parser', 'run']

_PURPOSE = """\
Measures disparities and depths against ground truth. "bad" is the percentage of pixels whose
disparity is wrong by more than so many pixels: of all with a ground truth (pixels without a
disparity count as bad), of those with a disparity (est), of those that both cameras see (noc,
where the data set has them). near is the
percentage of all pixels that seem nearer than they are by more than 2 px and 20 %: ghosts for
which a robot brakes. avg and rms are over pixels with a disparity; 90 percent of these
have an error below A90. depth is the median error of the depth. 1s and 2s is the share of
depths within one and two of their standard deviations, in2s that of two among those right to
within 2 px. rows is how far the rows are apart as measured (1 sigma), and row2s what in2s is
with rectification_sigma set to that."""

_HEAD = (
    'scene', 'settings', 'bad0.5\n%', 'bad1\n%', 'bad2\n%', 'bad4\n%', 'est2\n%', 'noc2\n%',
    'near\n%', 'avg\npx', 'rms\npx', 'A50\npx', 'A90\npx', 'A95\npx', 'density\n%', 'depth\n%',
    '1s\n%', '2s\n%', 'in2s\n%', 'rows\npx', 'row2s\n%', 'time\nms',
)  # fmt: skip
_FORMATS = (
    '', '', '.1f', '.1f', '.1f', '.1f', '.1f', '.1f',
    '.2f', '.2f', '.2f', '.2f', '.2f', '.2f', '.1f', '.2f', '.1f', '.1f', '.1f',
    '.2f', '.1f', '.1f',
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the tool's options."""
    parser: ToolParser = subparsers.add_parser(
        'evaluate',
        synopsis='SCENES | LEFT RIGHT --truth FILE [options]',
        help='accuracy of settings on scenes with ground truth',
        description=_PURPOSE,
    )
    parser.add_argument(
        'scenes',
        nargs='+',
        metavar='SCENE',
        help='folder of a scene (Middlebury, MiddEval3), left image of one (KITTI), or motorcycle;'
        ' with --truth: LEFT RIGHT, two rectified images',
    )
    truth = parser.add_argument_group('ground truth of two images')
    truth.add_argument(
        '--truth',
        type=Path,
        metavar='FILE',
        help='disparities of the left image: PFM, 16-bit PNG of KITTI, TIFF, NPY, NPZ, or 8-bit '
        'PNG with --truth-scale',
    )
    truth.add_argument(
        '--truth-scale',
        type=float,
        metavar='S',
        help='the numbers in the file are S times the pixels (default: as the format has it)',
    )
    truth.add_argument(
        '--mask', type=Path, metavar='FILE', help='image that is 0 where no pixel counts'
    )
    add_calibration_options(parser)
    result = parser.add_argument_group('result')
    result.add_argument('--json', type=Path, metavar='FILE', help='also write all figures there')
    result.add_argument(
        '--picture', type=Path, metavar='FOLDER', help='draw a picture of each scene there'
    )
    result.add_argument(
        '--report', type=Path, metavar='FILE.html', help='write a page with figures and pictures'
    )
    add_settings_options(parser, 'algorithm', 'num_disparities', 'block_size', several=True)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate what the command line asks for and print the table."""
    candidates = _candidates(arguments)
    scenes: list[Scene] = []
    evaluations: list[Evaluation] = []
    errors = []
    for load in _loaders(arguments):
        error = _evaluate(load, candidates, scenes, evaluations)
        if error is not None:
            errors.append(error)
    if evaluations:
        print(_table(evaluations))
        _report_findings(scenes, candidates[0][1])
    for error in errors:
        print_problem(f'stereo_depth evaluate: {error}')
    if not evaluations:
        return 2
    if arguments.json is not None:
        content = json.dumps([found.as_dictionary() for found in evaluations], indent=2)
        write_file(arguments.json, f'{content}\n'.encode(), overwrite=True)
    if arguments.picture is not None:
        from stereo_depth_node.offline.reports.evaluation import draw_evaluations

        draw_evaluations(arguments.picture, scenes, evaluations)
    if arguments.report is not None:
        from stereo_depth_node.offline.reports.evaluation import evaluations_report

        evaluations_report(scenes, evaluations).write(arguments.report, overwrite=True)
    return 2 if errors else 0


def _evaluate(
    load: Callable[[], Scene],
    candidates: Sequence[tuple[str, Settings]],
    scenes: list[Scene],
    evaluations: list[Evaluation],
) -> StereoDepthError | None:
    """Add a scene and its figures; return why there are none."""
    try:
        scene = load()
        evaluations += evaluate_scenes([scene], candidates)
    except StereoDepthError as error:
        return error
    scenes.append(scene)
    return None


def _report_findings(scenes: Sequence[Scene], settings: Settings) -> None:
    """Print what is wrong with the pairs, apart from the table, which others may read."""
    for scene in scenes:
        seen = findings_of_rectified_pair(scene.left, scene.right, settings, scene.geometry)
        for line in lines_of_findings([seen]):
            print_problem(f'{printable(scene.name)}: {line}', is_error=False)


def _loaders(arguments: argparse.Namespace) -> list[Callable[[], Scene]]:
    """Return what loads each scene of the command line."""
    if arguments.truth is None:
        for name in ('mask', 'truth_scale', 'calib', 'focal'):
            if getattr(arguments, name) is not None:
                option = name.replace('_', '-')
                raise SettingsError(f'--{option} goes with --truth, which is missing')
        return [partial(load_scene, text) for text in arguments.scenes]
    if len(arguments.scenes) != 2:
        raise SettingsError(
            f'--truth is given with {len(arguments.scenes)} names: give two images, LEFT RIGHT'
        )
    if arguments.truth_scale is not None and not arguments.truth_scale > 0:
        raise SettingsError(f'--truth-scale is {arguments.truth_scale:g}: it must be above 0')
    return [partial(_pair_with_truth, arguments)]


def _pair_with_truth(arguments: argparse.Namespace) -> Scene:
    left, right = map(Path, arguments.scenes)
    scene = load_scene_with_truth(
        left, right, arguments.truth, scale=arguments.truth_scale, mask=arguments.mask
    )
    calibration = calibration_from(arguments, Settings(), images=left)
    height, width = scene.left.shape
    return replace(scene, geometry=calibration.geometry_for(width, height, Settings()))


def _candidates(arguments: argparse.Namespace) -> list[tuple[str, Settings]]:
    """Return the settings that are asked for, each with a name of its own."""

    def settings_of(file: str | None) -> Settings:
        return settings_from(argparse.Namespace(**{**vars(arguments), 'params': file}))

    if not arguments.params:
        settings = settings_of(None)
        return [('default' if settings == Settings() else 'set', settings)]
    found = [(Path(file).stem, settings_of(file)) for file in arguments.params]
    names = [name for name, _ in found]
    return [
        (name if names.count(name) == 1 else str(file), settings)
        for (name, settings), file in zip(found, arguments.params, strict=True)
    ]


def _table(evaluations: Sequence[Evaluation]) -> str:
    rows = []
    for found in evaluations:
        every, seen, depth, sigma = found.all, found.visible, found.depth, found.uncertainty
        figures = [
            *(every.bad_all[limit] for limit in (0.5, 1.0, 2.0, 4.0)),
            every.bad_estimated[2.0],
            seen.bad_all[2.0] if seen else None,
            every.near_ghosts,
            every.end_point_error,
            every.root_mean_square,
            every.a50,
            every.a90,
            every.a95,
            every.density,
            depth.median_relative_error if depth else None,
            sigma.within_1 if sigma else None,
            sigma.within_2 if sigma else None,
            sigma.inliers_within_2 if sigma else None,
            sigma.row_sigma if sigma else None,
            sigma.inliers_within_2_with_rows if sigma else None,
            found.milliseconds,
        ]
        known = [None if value is None or math.isnan(value) else value for value in figures]
        rows.append([found.scene, found.label, *known])
    table: str = tabulate(
        rows,
        _HEAD,
        floatfmt=_FORMATS,
        colalign=('left', 'left', *['right'] * (len(_HEAD) - 2)),
        missingval='-',
        disable_numparse=[0, 1],
    )
    return table
