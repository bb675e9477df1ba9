# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Inspects the stereo cameras in a recording as the node would if it were played to it."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
from dataclasses import dataclass, field
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.plausibility import implausibilities
from stereo_depth_node.core.errors import ImageError, StereoDepthError
from stereo_depth_node.core.health.causes import Finding
from stereo_depth_node.core.health.diagnosis import diagnose
from stereo_depth_node.core.health.rectification_report import RectificationReport
from stereo_depth_node.core.health.snapshot import SideSnapshot, Snapshot, TopicSnapshot
from stereo_depth_node.core.images.layouts import SEPARATE
from stereo_depth_node.core.messages.library import CAMERA_INFO
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.measurements import describe, Measurements
from stereo_depth_node.offline.bags.messages import calibration_from
from stereo_depth_node.offline.bags.plan import BagPlan, evenly_spaced
from stereo_depth_node.offline.bags.reader import Bag
from stereo_depth_node.offline.bags.samples import pair_messages, PAIRS_OF_RANGE
from stereo_depth_node.offline.bags.stamps import SideStamps
from stereo_depth_node.offline.bags.topics import (
    find_stereo_topics,
    stereo_candidates,
    StereoTopics,
    TopicNames,
)

__all__ = ['Inspection', 'inspect_cameras']

# Pairs that are decoded and measured, evenly spaced over the recording.
_SAMPLES = 8
# Longer than any recording: as if the node had been running long before it.
_LONG_S = 1e9


@dataclass
class Inspection:
    """What is known of a stereo camera in a recording.

    Attributes
    ----------
    topics : StereoTopics
        Its topics.
    settings : Settings
        With which it was inspected.
    left, right : SideStamps
        Its images.
    images : tuple of str
        Size and encoding of the first image of each side.
    pairs : int
        Pairs by the settings.
    offsets_ms : (N,) float64 ndarray
        Right stamp less left stamp of the pairs.
    geometry : StereoGeometry or None
        Of its calibration, where it is usable.
    cameras : tuple of 2 CameraCalibration or None
        Its calibration.
    density : float
        Median share of the pixels that have a depth with the settings, 0 to 1; NaN if none.
    rectification : RectificationReport or None
        Median over the pairs looked at.
    findings : list of Finding
        The causes that the node would report.
    suggested : Settings or None
        Settings for what was seen; None where nothing can be said.
    """

    topics: StereoTopics
    settings: Settings
    left: SideStamps
    right: SideStamps
    images: tuple[str, str] = ('', '')
    pairs: int = 0
    offsets_ms: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    geometry: StereoGeometry | None = None
    cameras: tuple[CameraCalibration, CameraCalibration] | None = None
    density: float = math.nan
    rectification: RectificationReport | None = None
    findings: list[Finding] = field(default_factory=list)
    suggested: Settings | None = None


def inspect_cameras(
    recording: Bag,
    settings: Settings,
    names: TopicNames,
) -> Iterator[Inspection]:
    """Inspect the stereo camera that is named, or every one that is found.

    Raw images are rectified where both cameras have a calibration, whatever the settings say.

    Parameters
    ----------
    recording : Bag
        Is read from end to end for each camera.
    settings : Settings
        Those of the node.
    names : TopicNames
        Topics of one camera, as far as they are named.

    Raises
    ------
    InputError
        If the recording cannot be read, or a topic is not in it.
    """
    candidates = [(one.name, other.name) for one, other in stereo_candidates(recording.topics)]
    if settings.stereo_layout != SEPARATE:
        candidates = []
    if names.left or names.right:
        candidates = [names[:2]]
    for left, right in candidates or [('', '')]:
        camera = names._replace(left=left, right=right)
        topics = find_stereo_topics(recording.topics, settings, camera)
        has_calibration = topics.left_info is not None and topics.right_info is not None
        rectify = settings.rectify or (topics.seem_raw and has_calibration)
        yield _inspect_camera(recording, topics, settings.replace(rectify=rectify))


def _inspect_camera(recording: Bag, topics: StereoTopics, settings: Settings) -> Inspection:
    sides = {name: SideStamps.read(recording, name) for name in (topics.left, topics.right)}
    seen = Inspection(topics, settings, sides[topics.left], sides[topics.right])
    plan = BagPlan(recording, topics, settings)
    pairs = [pair for part in plan.parts() for pair in part.pairs]
    seen.pairs = len(pairs)
    seen.offsets_ms = np.array(
        [(pair.right.stamp_ns - pair.left.stamp_ns) / 1e6 for pair in pairs], np.float64
    )
    notes, failure = _look_at_calibration(seen, plan, settings)
    samples = Measurements(topics, settings, seen.cameras, seen.geometry)
    of_range = evenly_spaced(PAIRS_OF_RANGE, len(pairs))
    for place in sorted({*evenly_spaced(_SAMPLES, len(pairs)), *of_range}):
        pair = pairs[place]
        samples.add(pair_messages(recording, topics, pair), is_of_range=place in of_range)
    seen.images = samples.described or _first_images(recording, topics)
    seen.density, seen.rectification = samples.density, samples.rectification
    failure = failure or samples.failure
    seen.findings = diagnose(_snapshot(recording, seen, plan, settings, notes, samples, failure))
    seen.suggested = samples.suggested
    return seen


def _look_at_calibration(
    seen: Inspection, plan: BagPlan, settings: Settings
) -> tuple[tuple[str, ...], StereoDepthError | None]:
    """Return what is implausible in the calibration, and why it cannot be used."""
    try:
        recorded = calibration_from(plan.first_calibration, settings)
        seen.cameras = (recorded.left, recorded.right)
        seen.geometry = StereoGeometry.from_calibrations(*seen.cameras, settings.baseline)
        # The frames of the images are compared, not those of the calibrations.
        cameras = [dataclasses.replace(camera, frame_id='') for camera in seen.cameras]
        return implausibilities(
            cameras[0], cameras[1], settings.baseline, rectify=settings.rectify
        ), None
    except StereoDepthError as error:
        return (), error


def _snapshot(
    recording: Bag,
    seen: Inspection,
    plan: BagPlan,
    settings: Settings,
    notes: tuple[str, ...],
    samples: Measurements,
    failure: StereoDepthError | None,
) -> Snapshot:
    """Return the recording as the node's diagnostics would see it while it is played."""
    stamps = np.concatenate([seen.left.recorded, seen.right.recorded])
    window = max(float(np.ptp(stamps)) / NS_PER_S, 1e-3) if stamps.size else 1e-3
    computes = failure is None and samples.computed > 0
    left, right = (
        _side(recording, side, stream, topic, info, seen.topics.type)
        for side, stream, topic, info in (
            (seen.left, plan.pairer.left, seen.topics.left, seen.topics.left_info),
            (seen.right, plan.pairer.right, seen.topics.right, seen.topics.right_info),
        )
    )
    return Snapshot(
        left=left,
        right=right,
        settings=settings,
        window=window,
        subscribers={'depth': 1},
        age=_LONG_S,
        pairs=seen.pairs,
        computed=seen.pairs if computes else 0,
        resets=plan.pairer.resets,
        dropped=plan.dropped,
        output_silence=0.0 if computes else math.inf,
        failure=None if computes else failure,
        offset=plan.last_offset,
        missing_calibration=tuple(
            name
            for name, info in zip(('left', 'right'), plan.first_calibration, strict=True)
            if info is None and not settings.left_camera_info_url
        ),
        notes=notes,
        frame_ids=samples.frame_ids,
        rectification=samples.rectification,
    )


def _side(
    recording: Bag,
    side: SideStamps,
    stream: Any,
    topic: str,
    info: str | None,
    kind: str,
) -> SideSnapshot:
    missing = sum(count for _, count in side.gaps())
    published = (recording.path.name,)
    info_name = info or f'{topic.rpartition("/")[0]}/camera_info'
    return SideSnapshot(
        image=TopicSnapshot(topic, kind, publishers=published),
        camera_info=TopicSnapshot(
            info_name, CAMERA_INFO, publishers=published if info is not None else ()
        ),
        received=stream.count,
        zero=stream.zero,
        backward=stream.backward,
        rate=side.rate,
        silence=0.0 if stream.count else math.inf,
        period_ns=stream.period_ns,
        missing=missing,
        expected=stream.count + missing,
    )


def _first_images(recording: Bag, topics: StereoTopics) -> tuple[str, str]:
    """Describe the first image of each side, where there are no pairs."""
    texts = []
    for side, topic in zip(Side, (topics.left, topics.right), strict=True):
        data = next((data for _, _, data in recording.messages([topic])), None)
        try:
            texts.append(describe(topics.image(side, data)) if data else 'no image')
        except ImageError as error:
            texts.append(str(error))
    return texts[0], texts[1]
