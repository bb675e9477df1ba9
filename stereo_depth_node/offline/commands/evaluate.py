# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth evaluate``: settings measured on scenes with ground truth."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
import json
import math
from pathlib import Path
from typing import Any, TypeVar

from tabulate import tabulate

from stereo_depth_node.core.errors import SettingsError, StereoDepthError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.calibration_options import add_calibration_options, calibration_from
from stereo_depth_node.offline.datasets.evaluation import evaluate_scene, Evaluation
from stereo_depth_node.offline.datasets.loading import KITTI_PAIRS, load_scene
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.offline.datasets.truth import add_truth_options, load_given_pair
from stereo_depth_node.offline.files.writing import check_is_no_input, check_output, write_file
from stereo_depth_node.offline.findings import findings_of_rectified_pair, lines_of_findings
from stereo_depth_node.offline.options import (
    add_layout_option,
    add_settings_options,
    settings_from,
)
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.offline.terminal import print_problem

__all__ = ['add_parser', 'run']

Result = TypeVar('Result')

_PURPOSE = """\
Measures disparities and depths against ground truth. "bad2" is the percentage of pixels whose
disparity is wrong by more than 2 px: of all with a ground truth (pixels without a disparity count
as bad), of those with a disparity (est2), of those that both cameras see (noc2, where the data set
has them). near is the percentage of all pixels that seem nearer than they are by more than 2 px
and 20 %: ghosts for which a robot brakes. avg and rms are errors of pixels with a disparity; 90 %
of these have one below A90. dens is the share of pixels with a disparity, depth the median error
of the depth. in2s is the share of depths within two of their standard deviations, of those right
to within 2 px (1s and 2s: within one and two, of all). rows is how far the rows are apart as
measured (1 sigma), and row2s what in2s is with rectification_sigma set to that. What no scene has
is left out."""


@dataclass(frozen=True)
class _Column:
    """A figure in the table: heading, unit, decimals, and where it comes from; None if unknown."""

    name: str
    unit: str
    decimals: int
    value: Callable[[Evaluation], float | None]
    is_wide: bool = False


def _of(part: str, figure: str) -> Callable[[Evaluation], float | None]:
    def value(found: Evaluation) -> float | None:
        of = getattr(found, part)
        return None if of is None else getattr(of, figure)

    return value


_COLUMNS = (
    _Column('bad0.5', '%', 1, lambda found: found.all.bad_all[0.5], is_wide=True),
    _Column('bad1', '%', 1, lambda found: found.all.bad_all[1.0], is_wide=True),
    _Column('bad2', '%', 1, lambda found: found.all.bad_all[2.0]),
    _Column('bad4', '%', 1, lambda found: found.all.bad_all[4.0], is_wide=True),
    _Column('est2', '%', 1, lambda found: found.all.bad_estimated[2.0]),
    _Column('noc2', '%', 1, lambda found: found.visible.bad_all[2.0] if found.visible else None),
    _Column('near', '%', 2, _of('all', 'near_ghosts')),
    _Column('avg', 'px', 2, _of('all', 'end_point_error')),
    _Column('rms', 'px', 2, _of('all', 'root_mean_square'), is_wide=True),
    _Column('A50', 'px', 2, _of('all', 'a50'), is_wide=True),
    _Column('A90', 'px', 2, _of('all', 'a90'), is_wide=True),
    _Column('A95', 'px', 2, _of('all', 'a95'), is_wide=True),
    _Column('dens', '%', 1, _of('all', 'density')),
    _Column('depth', '%', 2, _of('depth', 'median_relative_error')),
    _Column('1s', '%', 1, _of('uncertainty', 'within_1'), is_wide=True),
    _Column('2s', '%', 1, _of('uncertainty', 'within_2'), is_wide=True),
    _Column('in2s', '%', 1, _of('uncertainty', 'inliers_within_2')),
    _Column('rows', 'px', 2, _of('uncertainty', 'row_sigma'), is_wide=True),
    _Column('row2s', '%', 1, _of('uncertainty', 'inliers_within_2_with_rows'), is_wide=True),
    _Column('time', 'ms', 1, lambda found: found.milliseconds),
)


def add_parser(subparsers: Any) -> None:
    """Add the tool's options."""
    parser: ToolParser = subparsers.add_parser(
        'evaluate',
        synopsis='SCENES | LEFT RIGHT --truth FILE [options]',
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
    add_truth_options(truth)
    add_layout_option(
        truth, 'with --truth: one image holds both, the left one on the left or on top'
    )
    add_calibration_options(parser)
    result = parser.add_argument_group('result')
    result.add_argument(
        '--wide', action='store_true', help='print all figures, in more than 100 columns'
    )
    result.add_argument('--json', type=Path, metavar='FILE', help='also write all figures there')
    result.add_argument(
        '--picture', type=Path, metavar='FOLDER', help='draw a picture of each scene there'
    )
    result.add_argument(
        '--report', type=Path, metavar='FILE.html', help='write a page with figures and pictures'
    )
    result.add_argument('--overwrite', action='store_true', help='replace what is there')
    add_settings_options(parser, 'algorithm', 'num_disparities', 'block_size', several=True)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate what the command line asks for and print the table."""
    candidates = _candidates(arguments)
    loaded, errors = _load_scenes(arguments)
    _check_outputs(arguments, loaded)
    scenes: list[Scene] = []
    evaluations: list[Evaluation] = []
    for scene in loaded:
        found = _tried(partial(_evaluated, scene, candidates), errors)
        if found is not None:
            scenes.append(scene)
            evaluations += found
    if evaluations:
        print(_table(evaluations, is_wide=arguments.wide))
        _report_findings(scenes, candidates[0][1])
    for error in errors:
        print_problem(f'stereo_depth evaluate: {error}')
    if not evaluations:
        return 2
    if arguments.json is not None:
        content = json.dumps([found.as_dictionary() for found in evaluations], indent=2)
        write_file(arguments.json, f'{content}\n'.encode(), overwrite=arguments.overwrite)
    if arguments.picture is not None:
        from stereo_depth_node.offline.reports.evaluation import picture_of_scene

        for scene in scenes:
            picture = picture_of_scene(scene, evaluations)
            write_file(_picture(arguments, scene), picture, overwrite=arguments.overwrite)
    if arguments.report is not None:
        from stereo_depth_node.offline.reports.evaluation import evaluations_report

        report = evaluations_report(scenes, evaluations)
        report.write(arguments.report, overwrite=arguments.overwrite)
    return 2 if errors else 0


def _check_outputs(arguments: argparse.Namespace, scenes: Sequence[Scene]) -> None:
    """Refuse what cannot be written, or is read, before the work."""
    outputs = [path for path in (arguments.json, arguments.report) if path is not None]
    if arguments.picture is not None:
        outputs += [_picture(arguments, scene) for scene in scenes]
    others = [arguments.truth, arguments.mask, *(arguments.calib or ()), *arguments.params]
    check_is_no_input(outputs, map(Path, [*arguments.scenes, *filter(None, others)]))
    for path in outputs:
        check_output(path, overwrite=arguments.overwrite)


def _picture(arguments: argparse.Namespace, scene: Scene) -> Path:
    return Path(arguments.picture) / f'{scene.name.replace("/", "_")}.png'


def _load_scenes(arguments: argparse.Namespace) -> tuple[list[Scene], list[StereoDepthError]]:
    """Load the scenes of the command line, and return why others cannot be loaded.

    Scenes that have the same name are called as on the command line.
    """
    errors: list[StereoDepthError] = []
    loaded = [
        (text, scene)
        for text, load in _loaders(arguments).items()
        if (scene := _tried(load, errors)) is not None
    ]
    counts = Counter(scene.name for _, scene in loaded)
    scenes = [
        replace(scene, name=text) if counts[scene.name] > 1 else scene for text, scene in loaded
    ]
    return scenes, errors


def _evaluated(scene: Scene, candidates: Sequence[tuple[str, Settings]]) -> list[Evaluation]:
    return [evaluate_scene(scene, settings, label) for label, settings in candidates]


def _tried(work: Callable[[], Result], errors: list[StereoDepthError]) -> Result | None:
    """Return what some work gives, None where it fails, whose error joins the others."""
    try:
        return work()
    except StereoDepthError as error:
        errors.append(error)
        return None


def _report_findings(scenes: Sequence[Scene], settings: Settings) -> None:
    """Print what is wrong with the pairs, apart from the table, which others may read."""
    for scene in scenes:
        seen = findings_of_rectified_pair(scene.left, scene.right, settings, scene.geometry)
        for line in lines_of_findings([seen]):
            print_problem(f'{printable(scene.name)}: {line}', is_error=False)


def _loaders(arguments: argparse.Namespace) -> dict[str, Callable[[], Scene]]:
    """Return what loads each scene of the command line, by what stands there."""
    if arguments.truth is None:
        for name in ('mask', 'truth_scale', 'layout', 'calib', 'focal'):
            if getattr(arguments, name) is not None:
                option = name.replace('_', '-')
                raise SettingsError(f'--{option} goes with --truth, which is missing')
        paths = [Path(text) for text in arguments.scenes]
        if len(paths) == 2 and all(
            path.is_file() and path.parent.name not in KITTI_PAIRS for path in paths
        ):
            left, right = map(printable, paths)
            raise SettingsError(
                f'{left} and {right} are two images without a ground truth: name it, too, with '
                '--truth FILE'
            )
        return {text: partial(load_scene, text) for text in arguments.scenes}
    return {arguments.scenes[0]: partial(_pair_with_truth, arguments)}


def _pair_with_truth(arguments: argparse.Namespace) -> Scene:
    scene = load_given_pair(arguments, arguments.scenes, arguments.layout or '')
    left = Path(arguments.scenes[0])
    calibration = calibration_from(arguments, Settings(), images=left)
    height, width = scene.left.shape
    geometry = calibration.geometry_for(width, height, Settings())
    return replace(scene, name=left.stem, geometry=geometry)


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


def _table(evaluations: Sequence[Evaluation], *, is_wide: bool) -> str:
    """Return the figures as text; without the wide ones it fits a terminal of 100 columns."""
    shown, cells = [], []
    for column in _COLUMNS:
        values = [column.value(found) for found in evaluations]
        known = [None if value is None or math.isnan(value) else value for value in values]
        if (is_wide or not column.is_wide) and any(value is not None for value in known):
            shown.append(column)
            cells.append(known)
    names = [(found.scene, found.label) for found in evaluations]
    table: str = tabulate(
        [[*name, *figures] for name, figures in zip(names, zip(*cells, strict=True), strict=True)],
        ('scene', 'settings', *(f'{column.name}\n{column.unit}' for column in shown)),
        floatfmt=('', '', *(f'.{column.decimals}f' for column in shown)),
        colalign=('left', 'left', *['right'] * len(shown)),
        missingval='-',
        disable_numparse=[0, 1],
    )
    return table
