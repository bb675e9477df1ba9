# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The way of one pair: serialized images and a calibration in, messages or a reason out.

The node and the bag tool drive the same :class:`PairProcessor`, so that a bag holds what the node
would have published, and both count the same failure under the same reason.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
import time
from typing import Any

from stereo_depth_node.core.arrays import AnyGrey, Grey
from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.health.failures import drop_reason_of
from stereo_depth_node.core.images.colour import decode_colour, has_colour
from stereo_depth_node.core.images.pair_decoder import CompressedImage, PairDecoder
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.messages.calibration_cache import CalibrationCache, StereoCalibration
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.messages.library import MessageLibrary
from stereo_depth_node.core.messages.output_messages import OutputMessage
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.pairer import StereoPair
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['PairFailure', 'PairProcessor', 'PairResult', 'Stage']

_SAMPLES = 200


class Stage:
    """A stage of the work, as a context that measures its time unless it fails.

    Attributes
    ----------
    times : deque of float
        Seconds that it took for the last pairs.
    """

    def __init__(self) -> None:
        self.times: deque[float] = deque(maxlen=_SAMPLES)
        self._start = 0.0

    def __enter__(self) -> None:
        """Begin."""
        self._start = time.perf_counter()

    def __exit__(self, error_type: object, *_: object) -> None:
        """Note how long it took."""
        if error_type is None:
            self.times.append(time.perf_counter() - self._start)


@dataclass(frozen=True, slots=True)
class PairFailure:
    """A pair that could not be computed.

    Attributes
    ----------
    reason : DropReason
        Under which its two images are counted.
    error : Exception
        Why it could not.
    """

    reason: DropReason
    error: Exception

    @classmethod
    def of(cls, error: Exception) -> PairFailure:
        """Return the failure that an error stands for."""
        return cls(drop_reason_of(error), error)


@dataclass(frozen=True, slots=True)
class PairResult:
    """A pair that has been matched, good until the next one is processed.

    Attributes
    ----------
    pipeline : StereoPipeline
        Has just matched the pair.
    stamp : tuple of 2 int
        Of the left image: seconds and nanoseconds.
    """

    pipeline: StereoPipeline
    stamp: tuple[int, int]
    _messages: Callable[[str], OutputMessage]

    def message(self, topic: str) -> OutputMessage:
        """Convert the pair into the message of an output, a key of `OUTPUTS`."""
        message = self._messages(topic)
        message.update(self.pipeline, self.stamp)
        return message


class PairProcessor:
    """Computes pairs one after the other.

    Parameters
    ----------
    library : MessageLibrary
        Makes the messages.
    fallback : callable, optional
        Decodes the raw images whose encoding the core does not know.

    Attributes
    ----------
    pipeline : StereoPipeline or None
        What matched the last pair.
    image_size : tuple of 2 int or None
        Width and height of the images of the last pair that could be decoded, pixels.
    images : tuple of two (H, W) uint8 ndarray or None
        The images of the last pair that could be decoded, good until the next pair.
    frame_ids : tuple of 2 str
        Of the left and the right image of the last pair.
    stages : dict of str to Stage
        Time of decoding and matching, and of what the caller does with the results:
        ``decode``, ``match``, ``publish``.
    """

    def __init__(
        self,
        library: MessageLibrary,
        fallback: Callable[[RawImage], AnyGrey] | None = None,
    ) -> None:
        self.pipeline: StereoPipeline | None = None
        self.image_size: tuple[int, int] | None = None
        self.images: tuple[Grey, Grey] | None = None
        self.frame_ids = ('', '')
        self.stages = {name: Stage() for name in ('decode', 'match', 'publish')}
        self._library = library
        self._fallback = fallback
        self._decoder = PairDecoder(fallback)
        self._made_for: tuple[Settings, StereoCalibration, tuple[int, int]] | None = None
        self._epoch = 0
        self._left_info: Any = None
        self._messages: dict[str, OutputMessage] = {}
        self._messages_made_for: tuple[StereoPipeline | None, str, bool] = (None, '', False)

    def process(
        self, pair: StereoPair[SerializedImage], settings: Settings, calibrations: CalibrationCache
    ) -> PairResult | PairFailure:
        """Decode and match a pair. Nothing is raised.

        Parameters
        ----------
        pair : StereoPair of SerializedImage
            The images.
        settings : Settings
            To compute with.
        calibrations : CalibrationCache
            Has the calibration of the cameras.
        """
        try:
            self.frame_ids = (pair.left.frame_id, pair.right.frame_id)
            with self.stages['decode']:
                contents = pair.left.content(), pair.right.content()
                is_compressed = isinstance(contents[0], CompressedImage)
                largest = _size_of(calibrations, settings) if is_compressed else None
                left, right = self._decoder.decode(*contents, largest)
            self.images = (left, right)
            height, width = left.shape
            self.image_size = (width, height)
            pipeline = self._pipeline_for(
                settings, calibrations.current(settings), (width, height)
            )
            if pair.epoch != self._epoch:
                self._epoch = pair.epoch
                pipeline.reset()
            with self.stages['match']:
                colour = partial(decode_colour, contents[0]) if has_colour(contents[0]) else None
                pipeline.match(left, right, colour=colour)
        except Exception as error:  # noqa: BLE001 (whatever it is, the next pair is computed)
            return PairFailure.of(error)
        return PairResult(pipeline, pair.left.stamp, self._message)

    def release(self) -> None:
        """Give back the memory that the images of one size take."""
        self.pipeline = self.images = self._made_for = None
        self._decoder = PairDecoder(self._fallback)
        self._messages.clear()
        self._messages_made_for = (None, '', False)

    def another(self) -> PairProcessor:
        """Return a processor that computes alike and has seen nothing yet."""
        return PairProcessor(self._library, self._fallback)

    @property
    def output_frame(self) -> str:
        """The frame of the outputs of the last pair; empty before the first, or without any.

        The parameter's, else the left image's, else the left camera_info's. tf2 takes no frame
        that begins with a slash, as those of ROS 1 may.
        """
        settings = self._made_for[0] if self._made_for is not None else None
        frame = (settings.frame_id if settings is not None else '') or self.frame_ids[0]
        if not frame and self._left_info is not None:
            frame = self._left_info.header.frame_id
        return frame.lstrip('/')

    def stage_medians(self) -> dict[str, float]:
        """Return the median time of each stage, seconds."""
        return {name: median(stage.times) for name, stage in self.stages.items() if stage.times}

    def _pipeline_for(
        self, settings: Settings, calibration: StereoCalibration, size: tuple[int, int]
    ) -> StereoPipeline:
        """Return the pipeline for what comes in now, made anew only when something changed."""
        made_for = (settings, calibration, size)
        if self.pipeline is None or self._made_for != made_for:
            self.pipeline = StereoPipeline.from_calibrations(
                settings, *size, calibration.left, calibration.right
            )
            self._made_for = made_for
            self._left_info = calibration.left_info
        return self.pipeline

    def _message(self, topic: str) -> OutputMessage:
        """Return the message of an output, made anew for another pipeline or frame."""
        frame_id, pipeline = self.output_frame, self.pipeline
        assert pipeline is not None
        made_for = (pipeline, frame_id, pipeline.is_colour)
        if made_for != self._messages_made_for:
            self._messages_made_for = made_for
            self._messages.clear()
        if topic not in self._messages:
            make = OUTPUTS[topic].make
            self._messages[topic] = make(self._library, pipeline, frame_id, self._left_info)
        return self._messages[topic]


def _size_of(calibrations: CalibrationCache, settings: Settings) -> tuple[int, int] | None:
    """Return the size that is calibrated, None while that is not known."""
    try:
        size = calibrations.current(settings).left.image_size
    except StereoDepthError:  # said when the pair has been decoded
        return None
    return size if all(size) else None
