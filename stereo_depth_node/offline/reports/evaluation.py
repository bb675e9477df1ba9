# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Report and pictures of settings measured on scenes with ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from stereo_depth_node.offline.datasets.evaluation import Evaluation
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.offline.reports.html import COLOURS, new_figure, Report
from stereo_depth_node.offline.reports.picture import (
    Panel,
    png_of_panel,
    png_of_panels,
    shown_range,
)

__all__ = ['evaluations_report', 'picture_of_scene']

_BAD_PX = 2.0
_HEAD = (
    'scene', 'settings', 'bad-2.0, %', 'of estimated, %', 'near ghosts, %', 'mean error, px',
    'density, %', 'depth error, %', 'time, ms',
)  # fmt: skip
_ERROR_LIMITS = (-4.0, 4.0)
_CURVE_PX = np.linspace(0.0, 8.0, 161)


def evaluations_report(scenes: Sequence[Scene], evaluations: Sequence[Evaluation]) -> Report:
    """Return the report of an evaluation.

    Parameters
    ----------
    scenes : sequence of Scene
        With ground truth.
    evaluations : sequence of Evaluation
        Of these scenes, each with one or more sets of settings.
    """
    labels = list(dict.fromkeys(found.label for found in evaluations))
    names = ', '.join(scene.name for scene in scenes)
    report = Report(
        f'Accuracy on {names}',
        f'Settings {", ".join(labels)} against ground truth. Pixels without a disparity count as '
        'wrong, unless said otherwise.',
    )
    if len(labels) == 1:
        report.add_tiles(_tiles(evaluations))
    report.add_heading('Figures')
    report.add_table(
        _HEAD,
        [
            (
                found.scene,
                found.label,
                found.all.bad_all[_BAD_PX],
                found.all.bad_estimated[_BAD_PX],
                found.all.near_ghosts,
                found.all.end_point_error,
                found.all.density,
                found.depth.median_relative_error if found.depth is not None else '',
                found.milliseconds,
            )
            for found in evaluations
        ],
    )
    for scene in scenes:
        of_scene = [found for found in evaluations if found.scene == scene.name]
        if scene.truth is not None and of_scene:
            _add_scene(report, scene, scene.truth, of_scene)
    report.add_heading('Settings')
    for label in labels:
        settings = next(found.settings for found in evaluations if found.label == label)
        report.add_settings(settings, label)
    report.add_versions()
    return report


def picture_of_scene(scene: Scene, evaluations: Sequence[Evaluation]) -> bytes:
    """Return a PNG file: the pair, the truth, and disparity and error by settings.

    Parameters
    ----------
    scene : Scene
        With ground truth.
    evaluations : sequence of Evaluation
        Of this scene and others.
    """
    found = [each for each in evaluations if each.scene == scene.name]
    titles = [
        f'{each.label}: bad-{_BAD_PX} {each.all.bad_all[_BAD_PX]:.1f} % of all pixels'
        for each in found
    ]
    panels = _panels(scene, scene.known_truth(), found, titles)
    return png_of_panels(panels, caption=scene.name)


def _panels(
    scene: Scene,
    truth: npt.NDArray[np.float32],
    found: Sequence[Evaluation],
    error_titles: Sequence[str],
) -> list[Panel]:
    limits = shown_range(truth)
    panels = [
        Panel('Left image', scene.left),
        Panel('Ground truth', truth, 'disparity, px', limits),
    ]
    for each, title in zip(found, error_titles, strict=True):
        error = np.asarray(each.disparity - truth, np.float32)
        panels.append(Panel(f'{each.label}: disparity', each.disparity, 'disparity, px', limits))
        panels.append(Panel(title, error, 'error, px', _ERROR_LIMITS, 'RdBu'))
    return panels


def _tiles(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """Return the means over the scenes."""
    return {
        'wrong by more than 2 px': f'{_mean(each.all.bad_all[_BAD_PX] for each in evaluations)} %',
        'of those estimated': (
            f'{_mean(each.all.bad_estimated[_BAD_PX] for each in evaluations)} %'
        ),
        'near ghosts': f'{_mean(found.all.near_ghosts for found in evaluations)} %',
        'density': f'{_mean(found.all.density for found in evaluations)} %',
        'time for a pair': f'{_mean(found.milliseconds for found in evaluations)} ms',
    }


def _mean(values: Iterable[float]) -> str:
    return f'{np.nanmean(list(values)):.1f}'


def _add_scene(
    report: Report, scene: Scene, truth: npt.NDArray[np.float32], found: Sequence[Evaluation]
) -> None:
    report.add_heading(scene.name)
    panels = _panels(scene, truth, found, [f'{each.label}: error' for each in found])
    report.add_gallery(
        [(png_of_panel(panel), panel.title) for panel in panels],
        'Disparities, and their errors against ground truth.',
    )
    figure, (place,) = new_figure(height=3.2)
    for index, each in enumerate(found):
        error = np.abs(each.disparity - truth)[np.isfinite(truth)]
        # NaN, where there is no disparity, is within no error.
        shares = [100.0 * np.count_nonzero(error <= limit) / error.size for limit in _CURVE_PX]
        colour = COLOURS[index % len(COLOURS)]
        place.plot(_CURVE_PX, shares, color=colour, linewidth=1.8, label=each.label)
    place.set_xlabel('error of the disparity, px')
    place.set_ylabel('pixels within it, %')
    place.set_ylim(0, 100)
    place.margins(x=0)
    if len(found) > 1:
        place.legend(frameon=False)
    report.add_plot(
        figure, 'Share of all pixels with ground truth whose error is at most so much.'
    )
