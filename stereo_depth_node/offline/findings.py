# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a pair of images, found alike by every command and printed with its cure.

The causes and their texts are those of the node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stereo_depth_node.core.arrays import Grey
from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.plausibility import implausibilities, implausible_numbers
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.health.causes import CAUSES, Finding, Level
from stereo_depth_node.core.health.rectification import rectification_findings
from stereo_depth_node.core.health.rectification_report import (
    MatchedImages,
    measure_rectification,
    RectificationReport,
)
from stereo_depth_node.core.health.result import report_of_result, why_depth_is_empty
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.disparity_range import find_disparity_range

__all__ = [
    'PairFindings',
    'findings_of_pair',
    'findings_of_rectified_pair',
    'lines_of_findings',
    'shows_its_range',
]

# Rows that are so far apart cost more than half of the matches (`MATCHES_LOST`): what is left
# does not show which disparities the scene has.
_BROKEN_ROWS_PX = 2.0
# Of a pair without single points in common, dense matches below this share are chance.
_CHANCE = 0.2
# Of the pixels that can have a disparity: where fewer have one and no reason is known, the causes
# that there may be are said.
_FEW = 0.05
_BREAKING = {'cameras_swapped', 'identical_images', 'uniform_image'}


@dataclass(frozen=True)
class PairFindings:
    """What a pair shows.

    Attributes
    ----------
    density : float
        Share of all pixels that have a disparity, 0 to 1.
    findings : tuple of Finding
        Causes that are present, the worst first; none below a warning.
    is_broken : bool
        Nothing that is found on this pair holds for its scene.
    rectification : RectificationReport or None
        What its points show of the cameras; None where there are too few. JSON leaves it out.
    """

    density: float
    findings: tuple[Finding, ...]
    is_broken: bool
    rectification: RectificationReport | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        texts = [[each.cause.name, int(each.level), each.text] for each in self.findings]
        return {'density': self.density, 'findings': texts, 'is_broken': self.is_broken}

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> PairFindings:
        """Return what :meth:`as_json` gave."""
        findings = tuple(
            Finding(CAUSES[name], Level(level), text) for name, level, text in content['findings']
        )
        return cls(content['density'], findings, content['is_broken'])


def findings_of_pair(
    pipeline: StereoPipeline,
    left: Grey,
    right: Grey,
    cameras: tuple[CameraCalibration, CameraCalibration] | None = None,
) -> PairFindings:
    """Look at the pair that a pipeline has just matched.

    Parameters
    ----------
    pipeline : StereoPipeline
        Has matched it.
    left, right : (H, W) uint8 ndarray
        The images as they came.
    cameras : tuple of 2 CameraCalibration, optional
        Their calibration, where it is more than a focal length and a baseline.
    """
    settings = pipeline.settings
    result = report_of_result(pipeline, left, right)
    found: list[Finding] = []
    images = MatchedImages.of(pipeline)
    report = measured = measure_rectification(pipeline.left, pipeline.right, images)
    if result.are_identical or (result.uniform_sides and (result.is_empty or report is None)):
        found.append(why_depth_is_empty(result, settings))
        report = None
    elif report is None:
        found.append(CAUSES['few_points'].found())
    else:
        found += rectification_findings(report)
        if result.is_empty and not any(each.level >= Level.WARN for each in found):
            found.append(why_depth_is_empty(result, settings))
    found += _findings_of_calibration(pipeline, cameras)
    # None lies outside of the window.
    known = float(np.count_nonzero(pipeline.fixed >= pipeline.smallest_fixed))
    share = known / pipeline.valid_window.size
    if share < _FEW and not any(each.level >= Level.WARN for each in found):
        found.append(CAUSES['empty_depth'].found(share=100.0 * share))
    is_broken = any(each.cause.name in _BREAKING for each in found) or _has_rows_apart(report)
    return PairFindings(
        density=known / pipeline.fixed.size,
        findings=tuple(
            sorted((each for each in found if each.level >= Level.WARN), key=lambda it: -it.level)
        ),
        is_broken=is_broken,
        rectification=measured,
    )


def findings_of_rectified_pair(
    left: Grey, right: Grey, settings: Settings, geometry: StereoGeometry | None = None
) -> PairFindings:
    """Match a rectified pair, (H, W) uint8, and look at it.

    Parameters
    ----------
    left, right : (H, W) uint8 ndarray
        The images.
    settings : Settings
        To match with.
    geometry : StereoGeometry, optional
        Of the cameras.

    Raises
    ------
    SettingsError
        If the settings are impossible for the images.
    """
    height, width = left.shape
    # A single pair: OpenCV needs no compilation, and gives the same.
    settings = settings.for_rectified_pair().replace(matcher_backend='opencv')
    pipeline = StereoPipeline(settings, width, height, geometry)
    pipeline.match(left, right)
    return findings_of_pair(pipeline, left, right)


def shows_its_range(left: Grey, right: Grey, seen: PairFindings) -> bool:
    """Tell whether the disparities of a scene can be learnt from a rectified pair.

    Parameters
    ----------
    left, right : (H, W) uint8 ndarray
        The images.
    seen : PairFindings
        What is wrong with them.
    """
    if seen.is_broken or not any(each.cause.name == 'few_points' for each in seen.findings):
        return not seen.is_broken
    # Some textures have no corners that can be tracked: then dense matches decide.
    try:
        settings = find_disparity_range([(left, right)]).applied_to(Settings())
        return findings_of_rectified_pair(left, right, settings).density > _CHANCE
    except SettingsError:
        return False


def lines_of_findings(pairs: Sequence[PairFindings]) -> list[str]:
    """Return what is to be printed of some pairs: each cause once, with its cure."""
    # A pair may have a cause several times, as a calibration may be implausible in several ways.
    first: dict[tuple[str, int], Finding] = {}
    counts: Counter[tuple[str, int]] = Counter()
    for pair in pairs:
        seen: Counter[str] = Counter()
        for finding in pair.findings:
            name = finding.cause.name
            first.setdefault((name, seen[name]), finding)
            counts[name, seen[name]] += 1
            seen[name] += 1
    ordered = sorted(first.items(), key=lambda item: -item[1].level)
    return [
        f'{finding.level.name:<5} {finding.text}'
        + (f' ({counts[key]} of {len(pairs)} pairs)' if len(pairs) > 1 else '')
        for key, finding in ordered
    ]


def _findings_of_calibration(
    pipeline: StereoPipeline, cameras: tuple[CameraCalibration, CameraCalibration] | None
) -> Iterator[Finding]:
    notes: Sequence[str] = ()
    if cameras is not None:
        settings = pipeline.settings
        # Two frames are no fault of the images.
        left, right = (replace(camera, frame_id='') for camera in cameras)
        notes = implausibilities(left, right, settings.baseline, rectify=settings.rectify)
    elif pipeline.geometry is not None:
        notes = implausible_numbers(pipeline.geometry)
    for note in notes:
        yield CAUSES['implausible_calibration'].found(note=note)


def _has_rows_apart(report: RectificationReport | None) -> bool:
    return report is not None and any(
        abs(part.pixels) >= _BROKEN_ROWS_PX for part in report.misalignment
    )
