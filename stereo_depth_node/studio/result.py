# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A matched pair, and everything that is shown of it, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
import threading
import time

import numpy as np

from stereo_depth_node.core.arrays import Float, Grey
from stereo_depth_node.core.disparity.depth import known_disparity
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.matching import at_full_size, matched_disparity, pipeline_for
from stereo_depth_node.studio.frames import Frame
from stereo_depth_node.studio.unknown import Reasons, reasons_of

__all__ = ['LEFT_KEY', 'Result']

LEFT_KEY = 'left'
"""Under which the picture of the left image is kept."""

# Pairs timed.
_TIMED = 2
# Settings that the left image depends on.
_OF_LEFT = ('rectify', 'downscale')


class Result:
    """A frame matched with settings.

    It has a pipeline of its own, so that it stays as it is when others are computed. Whoever makes
    something of it later holds its lock: a pipeline is for one thread at a time.

    Parameters
    ----------
    frame : Frame
        The pair.
    settings : Settings
        To compute with.

    Attributes
    ----------
    lock : threading.RLock
        To be held while something is made of it.
    pipeline : StereoPipeline
        Has matched it.

    Raises
    ------
    StereoDepthError
        If the pair cannot be matched with these settings.
    """

    def __init__(self, frame: Frame, settings: Settings) -> None:
        self.frame, self.settings = frame, settings
        self.pipeline = frame.matched(settings)
        published = frame.published
        if published is not None and published.shape == self.pipeline.fixed.shape:
            self.pipeline.fixed[...] = published
        self.lock = threading.RLock()
        self._images: dict[Hashable, bytes] = {}

    @cached_property
    def milliseconds(self) -> float:
        """Time for a pair, its buffers allocated and the caches warm; the least of a few."""
        scene, seconds = self.frame.scene, []
        pipeline = self.frame.matched(self.settings)
        for _ in range(_TIMED):
            began = time.perf_counter()
            pipeline.match(scene.left, scene.right)
            seconds.append(time.perf_counter() - began)
        return 1000.0 * min(seconds)

    @property
    def left(self) -> Grey:
        """The left image as it was matched, (h, w) uint8."""
        return self.pipeline.left

    @property
    def right(self) -> Grey:
        """The right image as it was matched, (h, w) uint8."""
        return self.pipeline.right

    @cached_property
    def disparity(self) -> Float:
        """x_l - x_r, (h, w), pixels of the result, NaN where unknown."""
        return known_disparity(self.pipeline.fixed, self.pipeline.settings.min_disparity)

    @cached_property
    def depth(self) -> Float | None:
        """(h, w), metres, NaN where unknown; None without a calibration."""
        if self.pipeline.geometry is None:
            return None
        depth = np.empty(self.pipeline.fixed.shape, np.float32)
        self.pipeline.depth(depth)
        return depth

    @cached_property
    def sigma(self) -> Float | None:
        """Standard deviation of the depth, (h, w), metres; None without a calibration."""
        if self.pipeline.geometry is None:
            return None
        sigma = np.empty(self.pipeline.fixed.shape, np.float32)
        self.pipeline.uncertainty(sigma)
        return sigma

    @cached_property
    def left_right_error(self) -> Float:
        """What the disparity of the right image differs by, matched by itself, (h, w), pixels.

        NaN where one of the two is not known.
        """
        left, right = self.left, self.right
        pipeline = pipeline_for(_single(self.pipeline.settings), left)
        mirrored = (np.ascontiguousarray(image[:, ::-1]) for image in (right, left))
        try:
            from_right = matched_disparity(pipeline, *mirrored)[:, ::-1]
        except SettingsError:
            return np.full(left.shape, np.nan, np.float32)
        width = left.shape[1]
        columns = np.arange(width, dtype=np.int32)[np.newaxis, :]
        known = np.isfinite(self.disparity)
        matched = columns - np.rint(np.where(known, self.disparity, 0)).astype(np.int32)
        seen = np.take_along_axis(from_right, np.clip(matched, 0, width - 1), axis=1)
        error: Float = np.abs(seen - self.disparity)
        error[(matched < 0) | (matched >= width)] = np.nan
        return error

    @cached_property
    def truth(self) -> Float | None:
        """The true disparity of each pixel of the result, (h, w), pixels of it; or None."""
        truth, factor = self.frame.scene.truth, self.pipeline.downscale
        if truth is None or self.settings.rectify:
            return None
        height, width = self.pipeline.fixed.shape
        reduced = truth[factor // 2 :: factor, factor // 2 :: factor][:height, :width]
        return reduced / np.float32(factor)

    @cached_property
    def truth_error(self) -> Float | None:
        """|d - d_true|, (h, w), pixels of the result; NaN where either is unknown."""
        return None if self.truth is None else np.abs(self.disparity - self.truth)

    @cached_property
    def reasons(self) -> Reasons:
        """Why pixels are unknown.

        It takes the time of several pairs: whoever asks first does not hold the lock.
        """
        with self.lock:
            depth = self.depth
        return reasons_of(self.frame, self.settings, self.pipeline, depth)

    @cached_property
    def disparity_at_full_size(self) -> Float:
        """The disparity in the size and the pixels of the images that came."""
        width, height = self.frame.size
        return at_full_size(self.disparity, self.pipeline.downscale, height, width)

    def has_left_of(self, other: Result) -> bool:
        """Say whether another result has the same left image, as it was matched."""
        return self.frame is other.frame and all(
            getattr(self.settings, name) == getattr(other.settings, name) for name in _OF_LEFT
        )

    def take_left_of(self, other: Result) -> None:
        """Take over the picture of the left image, where it is the same."""
        key = LEFT_KEY
        if self.has_left_of(other) and key in other._images:
            self._images[key] = other._images[key]

    def image(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return an encoded picture of the result, made once.

        Parameters
        ----------
        key : hashable
            What it shows, and how.
        make : callable
            Returns it, encoded.
        """
        with self.lock:
            if key not in self._images:
                self._images[key] = make()
            return self._images[key]


def _single(settings: Settings) -> Settings:
    """Return settings without what only applies to the pair as it came."""
    return settings.for_rectified_pair().replace(roi_x=0, roi_y=0, roi_width=0, roi_height=0)
