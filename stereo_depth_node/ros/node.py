# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 node: left and right images in, disparity and depth out.

Everything runs in the callbacks of one single-threaded executor: on small computers a worker
thread costs more in switches than it gives. Parameters and services are answered between two
pairs, or after a few of them when images come faster than they can be computed.
"""

from __future__ import annotations

from collections import Counter
import sys
import time
from typing import Any, TYPE_CHECKING

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node

from stereo_depth_node.core.errors import SettingsError, StereoDepthError
from stereo_depth_node.core.health.failures import drop_reason_of
from stereo_depth_node.core.matching.opencv import check_image_size
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.frame_queue import FrameQueue
from stereo_depth_node.core.pairing.pairer import StereoPair, StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.ros.calibration import CalibrationCache, StereoCalibration
from stereo_depth_node.ros.decoding import StereoDecoder
from stereo_depth_node.ros.diagnostics import NodeDiagnostics
from stereo_depth_node.ros.exceptions import log_exceptions
from stereo_depth_node.ros.parameters import SettingsParameters
from stereo_depth_node.ros.publishers import StereoOutputs
from stereo_depth_node.ros.statistics import Statistics
from stereo_depth_node.ros.subscriptions import StereoInputs

if TYPE_CHECKING:
    from stereo_depth_node.core.settings.settings import Settings

__all__ = ['StereoDepthNode']

_NS_PER_S = 1_000_000_000
_HOUSEKEEPING_S = 0.1
# Images that have paused for this long complete no better pair: what waits is taken as it is.
_SETTLE_S = 0.2
# Timers and services wait no longer than this, and one pair, when images come too fast.
_TURN_S = 0.04
_IMAGES_OF_A_PAIR = 2


class StereoDepthNode(Node):
    """Computes disparity and depth of the stereo camera it is connected to.

    Images received are twice the pairs computed plus the images dropped, counted by reason, plus
    the images waiting.

    Attributes
    ----------
    parameters : SettingsParameters
        The settings in force.
    calibrations : CalibrationCache
        What the cameras say of themselves.
    inputs : StereoInputs
        The subscriptions.
    outputs : StereoOutputs
        The publishers.
    pairer : StereoPairer
        Images that wait for their partner.
    frames : FrameQueue
        Pairs that wait to be computed.
    statistics : Statistics
        Rates, latency and time per stage.
    computed : int
        Pairs computed.
    failed : Counter of DropReason
        Images of pairs that could not be computed.
    failure : Exception or None
        Why the last pair could not be computed; None when it could.
    last_failure : Exception or None
        Why the last pair that could not be computed could not.
    frame_ids : tuple of 2 str
        Of the left and the right image of the last pair.
    pipeline : StereoPipeline or None
        What computed the last pair.
    diagnostics : NodeDiagnostics
        Says how the node is.
    """

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__('stereo_depth_node', **node_arguments)
        self.computed = 0
        self.failed: Counter[DropReason] = Counter()
        self.failure: Exception | None = None
        self.last_failure: Exception | None = None
        self.frame_ids = ('', '')
        self.pipeline: StereoPipeline | None = None
        self._image_size: tuple[int, int] | None = None
        self.parameters = SettingsParameters(self, self._check_against_images)
        settings = self.parameters.current
        self._applied = settings
        self.statistics = Statistics()
        self.calibrations = CalibrationCache()
        self.pairer: StereoPairer[SerializedImage] = StereoPairer(
            _nanoseconds(settings.sync_tolerance), settings.queue_size
        )
        self.frames: FrameQueue[SerializedImage] = FrameQueue(
            settings.frame_policy, settings.queue_size
        )
        self._decoder = StereoDecoder()
        self._pipeline_made_for: tuple[Settings, StereoCalibration, tuple[int, int]] | None = None
        self._epoch = 0
        self._goes_on = False
        self.outputs = StereoOutputs(self)
        self.inputs = StereoInputs(self, self._on_image, self.take_images, self._on_camera_info)
        self.diagnostics = NodeDiagnostics(self)
        # On the steady clock: it must go on when simulated time stands still.
        self.create_timer(
            _HOUSEKEEPING_S, self._keep_house, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    @log_exceptions
    def _on_camera_info(self, side: Side, serialized: bytes) -> None:
        self.calibrations.take(side, serialized)

    @log_exceptions
    def _on_image(self, side: Side, serialized: bytes) -> None:
        image = SerializedImage(serialized, is_compressed=self.inputs.are_compressed)
        self.statistics.input[side.value].tick()
        for pair in self.pairer.add(side, image.stamp_ns, image):
            self.frames.put(pair)
            self.inputs.wake_by(side)

    @log_exceptions
    def _keep_house(self) -> None:
        """Subscribe to the images while somebody listens, and only then."""
        settings = self._apply_settings()
        if self.outputs.are_wanted():
            self.inputs.open(settings)
        elif self.inputs.are_open:
            self.inputs.close()
            self.pairer.clear(DropReason.UNWANTED)
            self.frames.clear(DropReason.UNWANTED)
        self.inputs.take_camera_infos()
        self.inputs.drain()
        self.inputs.wake_by(*Side)
        if self.pairer.waiting and self.statistics.seconds_since_input() > _SETTLE_S:
            for pair in self.pairer.settle():
                self.frames.put(pair)
        self._work()
        self.diagnostics.update()

    @log_exceptions
    def take_images(self) -> None:
        """Take all images that have arrived, then compute one pair.

        While images come faster than that, waiting for them would be in vain: it is done again
        until the others must have their turn.
        """
        turn_ends = time.monotonic() + _TURN_S
        is_behind = True
        while is_behind:
            is_behind = self.inputs.drain() > _IMAGES_OF_A_PAIR
            self._work()
            is_behind = is_behind and time.monotonic() < turn_ends

    def _work(self) -> None:
        """Compute one pair of those that wait; the next one when others had their turn."""
        pair = self.frames.take()
        if pair is not None:
            self._process(pair)
        if len(self.frames) and not self._goes_on and self.executor is not None:
            self._goes_on = True
            self.executor.create_task(self._go_on)

    def _go_on(self) -> None:
        self._goes_on = False
        self.take_images()

    def _process(self, pair: StereoPair[SerializedImage]) -> None:
        """Compute and publish one pair, or count it under the reason why not."""
        settings, stages = self._apply_settings(), self.statistics.stages
        try:
            self.frame_ids = (pair.left.frame_id, pair.right.frame_id)
            with stages['decode']:
                left, right = self._decoder.decode(pair.left, pair.right)
            self._image_size = (left.shape[1], left.shape[0])
            self.inputs.note_size(pair.left.nbytes)
            self.inputs.take_camera_infos()
            calibration = self.calibrations.current(settings)
            pipeline = self._pipeline_for(settings, calibration, self._image_size)
            if pair.epoch != self._epoch:
                self._epoch = pair.epoch
                pipeline.reset()
            with stages['match']:
                pipeline.match(left, right)
            with stages['publish']:
                self.outputs.publish(pipeline, pair.left, calibration.left_info)
        except StereoDepthError as error:
            self._fail(error, drop_reason_of(error))
        except Exception as error:
            self._fail(error, DropReason.INTERNAL_ERROR)
            raise
        else:
            self.failure = None
            self.computed += 1
            self.statistics.output.tick()
            age_ns = self.get_clock().now().nanoseconds - pair.left_ns
            self.statistics.latency_s.append(age_ns / _NS_PER_S)
        finally:
            self.statistics.work.tick()

    def _fail(self, error: Exception, reason: DropReason) -> None:
        self.failure = self.last_failure = error
        self.failed[reason] += 2

    def _pipeline_for(
        self, settings: Settings, calibration: StereoCalibration, size: tuple[int, int]
    ) -> StereoPipeline:
        """Return the pipeline for what comes in now, made anew only when something changed."""
        made_for = (settings, calibration, size)
        if self.pipeline is None or self._pipeline_made_for != made_for:
            self.pipeline = StereoPipeline.from_calibrations(
                settings, *size, calibration.left, calibration.right
            )
            self._pipeline_made_for = made_for
        return self.pipeline

    def _apply_settings(self) -> Settings:
        """Return the settings in force, with the pairing set to them."""
        settings = self.parameters.current
        if settings is not self._applied:
            self._applied = settings
            self.pairer.tolerance_ns = _nanoseconds(settings.sync_tolerance)
            self.pairer.queue_size = settings.queue_size
            self.frames.configure(settings.frame_policy, settings.queue_size)
        return settings

    def _check_against_images(self, settings: Settings) -> None:
        """Refuse settings that are impossible for the images that come in now.

        Not when those in force are impossible too: a way out may take several changes.
        """
        if self._image_size is not None and not isinstance(self.failure, SettingsError):
            width, height = (size // settings.downscale for size in self._image_size)
            check_image_size(settings.for_downscaled_images(), width, height)

    def destroy_node(self) -> None:
        """End the node and what runs beside it."""
        self.diagnostics.close()
        super().destroy_node()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _NS_PER_S)


if __name__ == '__main__':
    from stereo_depth_node.ros.main import main

    sys.exit(main())
