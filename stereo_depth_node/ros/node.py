# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 node: left and right images in, disparity and depth out.

Everything runs in the callbacks of one single-threaded executor: on small computers a worker
thread costs more in switches than it gives. Parameters and services are answered between two
pairs, or after a few of them when images come faster than they can be computed.

The node drives: it takes what its subscriptions have received, hands it from part to part, and
publishes the results. No part calls back into it.
"""

from __future__ import annotations

from collections.abc import Iterable
import time
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.executors import Executor
from rclpy.node import Node

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.errors import ImageError, SettingsError
from stereo_depth_node.core.messages.calibration_cache import CalibrationCache
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.frame_queue import FrameQueue
from stereo_depth_node.core.pairing.pairer import StereoPair, StereoPairer
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.core.processing import PairFailure, PairProcessor, PairResult
from stereo_depth_node.core.settings.constraints import check_image_size
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.ros.decoding import decode_with_cv_bridge
from stereo_depth_node.ros.diagnostics import NodeDiagnostics
from stereo_depth_node.ros.exceptions import log_exceptions
from stereo_depth_node.ros.messages import RclpyMessages
from stereo_depth_node.ros.observer import NodeObserver
from stereo_depth_node.ros.parameter_services import serve_parameters
from stereo_depth_node.ros.parameters import check_topics, SettingsParameters, with_range
from stereo_depth_node.ros.publishers import StereoOutputs
from stereo_depth_node.ros.rectification_monitor import RectificationMonitor
from stereo_depth_node.ros.state import NodeState
from stereo_depth_node.ros.subscriptions import ImageArrival, StereoInputs
from stereo_depth_node.ros.wakeup import WakeUpExecutor

__all__ = ['StereoDepthNode', 'spin']

_HOUSEKEEPING_S = 0.1
# Images that have paused for this long complete no better pair: what waits is taken as it is.
_SETTLE_S = 0.2
# Timers and services wait no longer than this, and one pair, when images come too fast.
_TURN_S = 0.04
_CALIBRATION_ADVICE = (
    'no camera_info has come. Start its driver with a calibration, remap {side}/camera_info, or '
    'set left_camera_info_url and right_camera_info_url'
)


class StereoDepthNode(Node):
    """Computes disparity and depth of the stereo camera it is connected to.

    Parameters
    ----------
    shared_memory : str
        What is wrong with the shared memory of this machine; empty when nothing is.
    params_files : iterable of str
        The parameter files of the command line, to tell which of them had no effect.
    is_managed : bool
        It does nothing until it is opened and activated, as :class:`.ManagedStereoDepthNode` is.
    node_arguments
        As of :class:`rclpy.node.Node`.

    Raises
    ------
    StereoDepthError
        If topics of two types are remapped to one.

    Attributes
    ----------
    parameters : SettingsParameters
        The settings in force.
    state : NodeState
        The parts that images pass through, and what the node counts.
    inputs : StereoInputs
        The subscriptions.
    outputs : StereoOutputs
        The publishers.
    diagnostics : NodeDiagnostics
        Reports on the state.
    images_come : bool
        An image has come since the last housekeeping: services and QoS events can wait for the
        next one.
    """

    def __init__(
        self,
        params_files: Iterable[str] = (),
        shared_memory: str = '',
        *,
        is_managed: bool = False,
        **node_arguments: Any,
    ) -> None:
        super().__init__(
            'stereo_depth_node',
            automatically_declare_parameters_from_overrides=True,  # to learn their names
            **node_arguments,
        )
        serve_parameters(self)
        messages = RclpyMessages()
        processor = PairProcessor(messages, fallback=decode_with_cv_bridge)
        self.parameters = SettingsParameters(self, self._check_against_images, params_files)
        settings = self.parameters.current
        check_topics(self, settings)
        self._applied = settings
        self.state = NodeState(
            StereoPairer(_nanoseconds(settings.sync_tolerance), settings.queue_size),
            FrameQueue(settings.frame_policy, settings.queue_size),
            processor,
            CalibrationCache(messages, _CALIBRATION_ADVICE),
        )
        self.state.shared_memory = shared_memory
        self.images_come = False
        self._goes_on = False
        self.outputs = StereoOutputs(self)
        self.inputs = StereoInputs(self, self._on_image, self._take_camera_info)
        monitor = RectificationMonitor()
        observer = NodeObserver(
            self, self.state, self.parameters, self.inputs, self.outputs, monitor
        )
        self.diagnostics = NodeDiagnostics(self, self.state, observer, monitor)
        self._housekeeping_due = time.monotonic() + _HOUSEKEEPING_S
        # On the steady clock: it must go on when simulated time stands still.
        self._timer = self.create_timer(
            _HOUSEKEEPING_S, self._keep_house, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

        if not is_managed:
            self.outputs.open()
            self.activate()

    def activate(self) -> None:
        """Subscribe to the calibration from now on, and to the images while they are wanted."""
        self.inputs.camera_infos.open()
        self.state.lifecycle = 'active'

    def deactivate(self) -> None:
        """Subscribe to nothing from now on. What waits is dropped; the calibration stays."""
        self._take_arrived()
        self._take_arrived_camera_infos()
        self.state.lifecycle = 'inactive'
        self._close_images(DropReason.INACTIVE)
        self.inputs.camera_infos.close()

    def _on_image(self, side: Side, serialized: bytes, arrival_ns: int = 0) -> None:
        """Take the image that woke the executor with all others, and compute."""
        self._take_images(ImageArrival(side, serialized, arrival_ns))

    @log_exceptions
    def _take_camera_info(self, side: Side, serialized: bytes) -> None:
        self.state.calibrations.take(side, serialized)

    @log_exceptions
    def _take_image(self, arrival: ImageArrival) -> None:
        self.images_come = True
        self.inputs.wake_by(*Side)
        # A message is one image, or both in one.
        for side, half in self.inputs.images_of(arrival):
            self.state.statistics.input[side.value].tick()
            try:
                image = SerializedImage(
                    arrival.serialized,
                    is_compressed=self.inputs.are_compressed,
                    arrival_ns=arrival.arrival_ns,
                    half=half,
                )
            except ImageError as error:
                self.state.note_unreadable(side, error)
                continue
            self.state.image_bytes = image.nbytes
            for pair in self.state.pairer.add(side, image.stamp_ns, image):
                self.state.note_pair(pair)
                self.inputs.wake_by(arrival.side)

    def _take_arrived(self, first: ImageArrival | None = None) -> int:
        """Take every image that has arrived, and return how many there were."""
        count = 0
        for arrival in self.inputs.arrived_images(first):
            self._take_image(arrival)
            count += 1
        return count

    def _take_arrived_camera_infos(self) -> None:
        for side, serialized in self.inputs.camera_infos.arrived():
            self._take_camera_info(side, serialized)

    @log_exceptions
    def _keep_house(self) -> None:
        """Subscribe to the images while somebody subscribes to the outputs, and only then."""
        self._housekeeping_due = time.monotonic() + _HOUSEKEEPING_S
        settings, state = self._apply_settings(), self.state
        self._take_arrived()
        self.images_come = False
        if state.lifecycle == 'active' and any(self.outputs.wanted()):
            if self.inputs.open(settings):
                state.pairer.clear(DropReason.UNPAIRED)
        elif self.inputs.are_open:
            self._close_images(DropReason.UNWANTED)
        self.inputs.camera_infos.follow_offers()
        self._take_arrived_camera_infos()
        self.inputs.wake_by(*Side)
        if state.pairer.waiting and state.statistics.seconds_since_input() > _SETTLE_S:
            for pair in state.pairer.settle():
                state.note_pair(pair)
        self._work()
        self.diagnostics.update()

    def _close_images(self, reason: DropReason) -> None:
        """End the subscriptions to the images, and drop what waits."""
        state = self.state
        self.inputs.close()
        self.images_come = False
        state.pairer.clear(reason)
        state.arrivals.clear()
        state.frames.clear(reason)
        state.drop_held(reason)

    @log_exceptions
    def _take_images(self, first: ImageArrival | None = None) -> None:
        """Take all images that have arrived, then compute one pair.

        While images come faster than that, waiting for them would be in vain: it is done again
        until the timers and services must have their turn.
        """
        turn_ends = time.monotonic() + _TURN_S
        is_behind = True
        while is_behind:
            is_behind = self._take_arrived(first) > self.inputs.messages_of_a_pair
            first = None
            self._work()
            is_behind = is_behind and time.monotonic() < turn_ends
        # While images come, the timer need not wake the executor as well.
        if time.monotonic() >= self._housekeeping_due:
            self._keep_house()
        self._timer.reset()

    def _work(self) -> None:
        """Compute one pair of those that wait; the next one when others had their turn."""
        frames = self.state.frames
        pair = self._held_pair() or frames.take()
        if pair is not None:
            self._process(pair)
        if len(frames) and not self._goes_on and self.executor is not None:
            self._goes_on = True
            self.executor.create_task(self._go_on)

    def _held_pair(self) -> StereoPair[SerializedImage] | None:
        """Return the pair that waited for its calibration, once that has come."""
        if not self.state.holds_pair:
            return None
        self._take_arrived_camera_infos()
        return self.state.take_held(self._apply_settings())

    def _go_on(self) -> None:
        self._goes_on = False
        self._take_images()

    @log_exceptions  # of this pair alone: what else there is to do goes on
    def _process(self, pair: StereoPair[SerializedImage]) -> None:
        """Compute and publish one pair, or count it under the reason why not."""
        settings, state = self._apply_settings(), self.state
        self.inputs.note_size(pair.left.nbytes)
        self._take_arrived_camera_infos()
        outcome = state.processor.process(pair, settings, state.calibrations)
        failure = self._publish(outcome) if isinstance(outcome, PairResult) else outcome
        state.statistics.work.tick()
        if failure is None:
            state.note_success()
            age_ns = self.get_clock().now().nanoseconds - pair.left_ns
            state.statistics.latency_s.append(age_ns / NS_PER_S)
            return
        state.note_failure(failure, pair)
        if failure.reason is DropReason.INTERNAL_ERROR:
            raise failure.error

    def _publish(self, result: PairResult) -> PairFailure | None:
        """Publish a pair to those who subscribe; return why it could not be, None if it was."""
        try:
            with self.state.processor.stages['publish']:
                for topic in self.outputs.wanted():
                    self.outputs.publish(topic, result.message(topic).serialized)
        except Exception as error:  # noqa: BLE001 (counted, then raised to be logged)
            return PairFailure.of(error)
        return None

    def _apply_settings(self) -> Settings:
        """Return the settings in force, with the pairing set to them."""
        settings = self.parameters.current
        if settings is not self._applied:
            self._applied = settings
            self.state.pairer.tolerance_ns = _nanoseconds(settings.sync_tolerance)
            self.state.pairer.queue_size = settings.queue_size
            self.state.frames.configure(settings.frame_policy, settings.queue_size)
        return settings

    def _check_against_images(self, settings: Settings) -> None:
        """Refuse settings that are impossible for the images that come in now.

        Not when those in force are impossible too: a way out may take several changes.
        """
        image_size = self.state.processor.image_size
        if image_size is not None and not isinstance(self.state.failure, SettingsError):
            width, height = (size // settings.downscale for size in image_size)
            check_image_size(settings.for_downscaled_images(), width, height)

    def describe_parameter(self, name: str) -> ParameterDescriptor:
        """Describe a parameter, the settings with the ranges that they are checked against."""
        return with_range(super().describe_parameter(name))

    def destroy_node(self) -> None:
        """End the node and what runs beside it, however far it came."""
        if hasattr(self, 'diagnostics'):
            self.diagnostics.close()
        super().destroy_node()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * NS_PER_S)


def spin(node: StereoDepthNode) -> None:
    """Call the callbacks of a node until ROS shuts down.

    What ROS itself raises, such as for a message that it cannot read, does not end the node.
    """
    executor = WakeUpExecutor(node, lambda: node.images_come)
    try:
        while node.context.ok():
            _spin_once(node, executor)
    finally:
        executor.remove_node(node)
        executor.shutdown()


@log_exceptions
def _spin_once(_node: Node, executor: Executor) -> None:
    executor.spin_once()
