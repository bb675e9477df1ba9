# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured on some pairs of a recording, to inspect its cameras."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import SettingsError, StereoDepthError
from stereo_depth_node.core.health.rectification_report import (
    MatchedImages,
    measure_rectification,
    RectificationReport,
)
from stereo_depth_node.core.images.pair_decoder import CompressedImage, PairDecoder
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.disparity_range import find_disparity_range
from stereo_depth_node.offline.bags.topics import StereoTopics
from stereo_depth_node.offline.findings import findings_of_pair, shows_its_range

__all__ = ['Measurements', 'describe']


class Measurements:
    """What is measured on pairs of a recording that are decoded and matched.

    Parameters
    ----------
    topics : StereoTopics
        Of the stereo camera.
    settings : Settings
        To match with.
    cameras : tuple of 2 CameraCalibration or None
        Its calibration, where it is known.
    geometry : StereoGeometry or None
        Of its calibration, where it is usable.

    Attributes
    ----------
    computed : int
        Pairs that could be matched.
    failure : StereoDepthError or None
        Why the last of the others could not.
    described : tuple of str or None
        Size and encoding of the images of the first pair.
    frame_ids : tuple of str
        Of the first pair.
    """

    def __init__(
        self,
        topics: StereoTopics,
        settings: Settings,
        cameras: tuple[CameraCalibration, CameraCalibration] | None,
        geometry: StereoGeometry | None,
    ) -> None:
        self._topics, self._settings = topics, settings
        self._cameras, self._geometry = cameras, geometry
        self._decoder = PairDecoder()
        self._pipeline: StereoPipeline | None = None
        self._reports: list[RectificationReport] = []
        self._densities: list[float] = []
        self._images: list[tuple[Any, Any]] = []
        self.computed = 0
        self.failure: StereoDepthError | None = None
        self.described: tuple[str, str] | None = None
        self.frame_ids = ('', '')

    @property
    def density(self) -> float:
        """Median share of pixels with a depth."""
        return float(np.median(self._densities)) if self._densities else math.nan

    @property
    def rectification(self) -> RectificationReport | None:
        """The pair in the middle by the distance of its rows."""
        ordered = sorted(self._reports, key=lambda report: report.row_offset.largest)
        return ordered[len(ordered) // 2] if ordered else None

    @property
    def suggested(self) -> Settings | None:
        """The range of disparities that the pairs have, as ``stereo_depth tune`` finds it."""
        if not self._images:
            return None
        offset = self._geometry.offset if self._geometry is not None else 0.0
        try:
            found = find_disparity_range(self._images)
            return found.reaching(offset).applied_to(self._settings)
        except SettingsError:
            return None

    def add(self, images: tuple[bytes, bytes], *, is_of_range: bool) -> None:
        """Look at a pair; a range is proposed from some, if they are not broken."""
        try:
            left, right = map(self._topics.image, Side, images)
            if self.described is None:
                self.described = describe(left), describe(right)
                self.frame_ids = (left.frame_id, right.frame_id)
            grey = self._decoder.decode(left.content(), right.content())
            pipeline = self._pipeline_for(grey[0].shape)
            pipeline.match(*grey)
        except StereoDepthError as error:
            self.failure = error
            return
        self.computed += 1
        if pipeline.geometry is not None:
            unknown = pipeline.unknown_depth()
            self._densities.append(1.0 - np.count_nonzero(unknown) / unknown.size)
        rectified = pipeline.left, pipeline.right
        if is_of_range:
            seen = findings_of_pair(pipeline, *grey)
            report = seen.rectification
            if shows_its_range(*rectified, seen):
                self._images.append((rectified[0].copy(), rectified[1].copy()))
        else:
            report = measure_rectification(*rectified, MatchedImages.of(pipeline))
        if report is not None:
            self._reports.append(report)

    def _pipeline_for(self, shape: tuple[int, ...]) -> StereoPipeline:
        height, width = shape
        if self._pipeline is None:
            if self._cameras is None:
                self._pipeline = StereoPipeline(self._settings, width, height)
            else:
                self._pipeline = StereoPipeline.from_calibrations(
                    self._settings, width, height, *self._cameras
                )
        return self._pipeline


def describe(image: SerializedImage) -> str:
    """Return size and encoding of an image."""
    content = image.content()
    if isinstance(content, CompressedImage):
        return f'compressed, {content.format.strip()}'
    return f'{content.width}x{content.height} {content.encoding}'
