# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Takes snapshots of the running node, for :mod:`.diagnosis`.

The hot path only counts. Rates and shares come from the difference of the counts now and about a
second ago (:class:`.CountWindow`).
"""

from __future__ import annotations

import dataclasses
import math
import os
import time

from rclpy.node import Node
from rclpy.utilities import get_rmw_implementation_identifier

from stereo_depth_node.core.camera.plausibility import implausibilities
from stereo_depth_node.core.errors import CalibrationError
from stereo_depth_node.core.health.result import FrozenImage, report_of_result, ResultReport
from stereo_depth_node.core.health.snapshot import SideSnapshot, Snapshot, TopicSnapshot
from stereo_depth_node.core.messages.library import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.environment import fast_dds_environment
from stereo_depth_node.ros.camera_infos import camera_info_topic
from stereo_depth_node.ros.graph import (
    incompatible_subscriber,
    publisher_names,
    rivals,
    topic_snapshot,
    unpublished,
)
from stereo_depth_node.ros.parameters import SettingsParameters
from stereo_depth_node.ros.publishers import StereoOutputs
from stereo_depth_node.ros.rectification_monitor import RectificationMonitor
from stereo_depth_node.ros.state import NodeState
from stereo_depth_node.ros.statistics import Counts, CountWindow, ENOUGH_IMAGES, Rate
from stereo_depth_node.ros.subscriptions import image_topic, StereoInputs
from stereo_depth_node.shared_memory import foreign_participant

__all__ = ['NodeObserver']

# A camera is silent once none of its images came for this long, or for so many frames.
_PATIENCE_S, _LONGEST_PATIENCE_S, _PATIENCE_FRAMES = 1.0, 10.0, 3.0
# Images come for so long before simulated time is missed.
_CLOCK_S = 2.0
# Depth that is empty for so long and so many pairs is reported: a hand before the lens is not.
_EMPTY_S, _EMPTY_PAIRS = 1.5, 3


class NodeObserver:
    """Watches a node; nothing is changed by it.

    Parameters
    ----------
    node : Node
        Knows the graph and the clock.
    state : NodeState
        What the node counts.
    parameters : SettingsParameters
        Has the settings in force.
    inputs : StereoInputs
        The subscriptions of the node.
    outputs : StereoOutputs
        Its publishers.
    monitor : RectificationMonitor
        Measures the rectification.
    """

    def __init__(
        self,
        node: Node,
        state: NodeState,
        parameters: SettingsParameters,
        inputs: StereoInputs,
        outputs: StereoOutputs,
        monitor: RectificationMonitor,
    ) -> None:
        self._node = node
        self._state = state
        self._parameters = parameters
        self._inputs = inputs
        self._outputs = outputs
        self._monitor = monitor
        self._window = CountWindow()
        self._wanted_at: float | None = None
        self._empty_since: tuple[float, int] | None = None
        self._frozen, self._frozen_side, self._looked_at = FrozenImage(), '', 0
        self._notes_of: tuple[object, ...] = ()
        self._notes: tuple[str, ...] = ()
        self._clock_due = math.inf
        is_fast_dds = 'fastrtps' in get_rmw_implementation_identifier()
        # The middleware read its variables before the node was made.
        self._profile_to_set = _profile_to_set() if is_fast_dds else ''
        self._domain_id = node.context.get_domain_id() if is_fast_dds else None

    def note_demand(self) -> None:
        """Note since when the outputs are asked for; to be called often."""
        if not self._inputs.are_open:
            self._wanted_at = None
        elif self._wanted_at is None:
            self._wanted_at = time.monotonic()

    def observe(self) -> Snapshot:
        """Take a snapshot."""
        state = self._state
        self.note_demand()
        settings = self._parameters.current
        now = self._counts()
        then = self._window.begin(now)
        window = max(now.at - then.at, 1e-3)
        missing = tuple(side.value for side in state.calibrations.missing(settings))
        subscribers = self._outputs.subscribers()
        is_wanted = any(subscribers.values())
        left, right = (
            self._side(side, settings, now, then, window, is_uncalibrated=side.value in missing)
            for side in Side
        )
        recent = max(min(left.received, right.received), ENOUGH_IMAGES)
        output = state.statistics.output
        return Snapshot(
            left=left,
            right=right,
            settings=settings,
            window=window,
            subscribers=subscribers,
            outputs=tuple(each.topic_name for each in self._outputs.publishers.values()),
            incompatible_subscriber=incompatible_subscriber(self._node, self._outputs.publishers),
            unpublished=() if is_wanted else unpublished(self._node),
            age=0.0 if self._wanted_at is None else now.at - self._wanted_at,
            pairs=now.pairs - then.pairs,
            computed=now.computed - then.computed,
            restarts=now.resets - then.resets,
            resets=now.resets - self._window.oldest.resets,
            looped=state.pairer.looped,
            undecided=state.pairer.undecided,
            dropped=now.dropped - then.dropped,
            # While the node computes, pairs wait in the middleware.
            pair_silence=min(
                state.statistics.pairs.seconds_since(), state.statistics.work.seconds_since()
            ),
            output_silence=output.seconds_since(),
            output_patience=(
                _patience(output) if output.interval else min(left.patience, right.patience)
            ),
            failure=state.failure,
            is_unreadable=state.failure is not None and state.failure is state.unreadable,
            last_failure=state.last_failure,
            offset=state.pairer.offset(recent),
            arrivals=state.arrivals.estimate(),
            latency=state.statistics.latency_s[-1] if state.statistics.latency_s else 0.0,
            uses_sim_time=self._uses_sim_time(),
            stages=state.processor.stage_medians(),
            missing_calibration=missing,
            notes=self._calibration_notes(settings),
            frame_ids=state.processor.frame_ids,
            output_frame=state.processor.output_frame if state.computed else None,
            refusals=tuple(self._parameters.refusals.values()),
            ignored=(
                *self._parameters.ignored,
                *self._outputs.overrides.refusals,
                *self._inputs.overrides.refusals,
            ),
            image_bytes=state.image_bytes,
            profile_to_set=self._profile_to_set,
            waits_for_clock=self._waits_for_clock(),
            shared_memory=state.shared_memory or self._foreign_participant(),
            rectification=self._monitor.report,
            frozen_side=self._side_that_is_frozen(),
            sees_no_common_scene=self._monitor.sees_no_common_scene,
            result=self._empty_result(),
            rivals=rivals(self._node, self._outputs.publishers),
            lifecycle=state.lifecycle,
            node_name=self._node.get_fully_qualified_name(),
        )

    def _counts(self) -> Counts:
        state = self._state
        streams = {Side.LEFT: state.pairer.left, Side.RIGHT: state.pairer.right}
        return Counts(
            at=time.monotonic(),
            images={
                side: (stream.count, stream.zero, stream.backward, self._inputs.lost[side])
                for side, stream in streams.items()
            },
            pairs=state.pairer.pairs,
            computed=state.computed,
            resets=state.pairer.resets,
            dropped=state.dropped,
        )

    def _side(
        self,
        side: Side,
        settings: Settings,
        now: Counts,
        then: Counts,
        window: float,
        *,
        is_uncalibrated: bool,
    ) -> SideSnapshot:
        state = self._state
        received, zero, backward, lost = (
            new - old for new, old in zip(now.images[side], then.images[side], strict=True)
        )
        stream = state.pairer.left if side is Side.LEFT else state.pairer.right
        rate = state.statistics.input[side.value]
        missing, expected = stream.missing_frames(received)
        return SideSnapshot(
            image=self._topic(
                image_topic(self._node, side, settings),
                f'{side.value} image',
                COMPRESSED_IMAGE if settings.image_transport == 'compressed' else IMAGE,
            ),
            camera_info=self._topic(
                camera_info_topic(side), f'{side.value} camera_info', CAMERA_INFO
            )
            if is_uncalibrated
            else self._camera_info_topic(side),
            received=received,
            zero=zero,
            backward=backward,
            rate=received / window,
            # While the node computes, images wait in the middleware.
            silence=min(rate.seconds_since(), state.statistics.work.seconds_since()),
            patience=_patience(rate),
            period_ns=stream.period_ns,
            smallest_interval_ns=stream.smallest_interval_ns,
            missing=missing,
            expected=expected,
            lost=lost,
        )

    def _topic(self, topic: str, purpose: str, type_name: str) -> TopicSnapshot:
        subscription = self._inputs.subscriptions().get(purpose)
        return topic_snapshot(
            self._node,
            topic,
            type_name,
            None if subscription is None else subscription.qos_profile,
            own=[publisher.topic_name for publisher in self._outputs.publishers.values()],
        )

    def _camera_info_topic(self, side: Side) -> TopicSnapshot:
        """Describe the topic of a calibration that is known: only several publishers matter."""
        topic = camera_info_topic(side)
        return TopicSnapshot(
            self._node.resolve_topic_name(topic),
            CAMERA_INFO,
            publishers=publisher_names(self._node, topic, CAMERA_INFO),
        )

    def _side_that_is_frozen(self) -> str:
        """Return whose image stands still; each pair is looked at once."""
        images, computed = self._state.processor.images, self._state.computed
        if images is not None and computed != self._looked_at:
            self._looked_at = computed
            self._frozen_side = self._frozen.look(*images)
        return self._frozen_side

    def _empty_result(self) -> ResultReport | None:
        """Return what the last pair gave when that has been nothing for some time."""
        processor, now = self._state.processor, time.monotonic()
        if processor.pipeline is None or processor.images is None:
            return None
        report = report_of_result(processor.pipeline, *processor.images)
        if not report.is_empty:
            self._empty_since = None
            return None
        if self._empty_since is None:
            self._empty_since = now, self._state.computed
        since, computed = self._empty_since
        is_lasting = now - since >= _EMPTY_S and self._state.computed - computed >= _EMPTY_PAIRS
        return report if is_lasting else None

    def _calibration_notes(self, settings: Settings) -> tuple[str, ...]:
        """Return what is implausible, looked for only when the calibration has changed."""
        calibration = self._state.calibrations.in_force
        if calibration is None:
            return ()
        size = self._state.processor.image_size or (0, 0)
        notes_of = (calibration, settings.baseline, settings.rectify, size)
        if self._notes_of != notes_of:
            self._notes_of = notes_of
            # The frames of the images are compared, not those of the calibrations.
            left, right = (
                dataclasses.replace(camera.sized(*size), frame_id='')
                for camera in (calibration.left, calibration.right)
            )
            try:
                self._notes = implausibilities(
                    left, right, settings.baseline, rectify=settings.rectify
                )
            except CalibrationError:  # a pair that comes now says so
                self._notes = ()
        return self._notes

    def _foreign_participant(self) -> str:
        return '' if self._domain_id is None else foreign_participant(self._domain_id)

    def _uses_sim_time(self) -> bool:
        return self._node.get_parameter_or('use_sim_time').value is True

    def _waits_for_clock(self) -> bool:
        """Tell whether simulated time does not begin, though it should have by now.

        A player or a simulator that starts together with the node gets time for it.
        """
        if not self._uses_sim_time() or self._node.get_clock().now().nanoseconds:
            self._clock_due = math.inf
            return False
        now = time.monotonic()
        patience = _CLOCK_S if self._state.pairer.received else _LONGEST_PATIENCE_S
        self._clock_due = min(self._clock_due, now + patience)
        return now > self._clock_due


def _patience(rate: Rate) -> float:
    """Return the silence that is nothing unusual; after one event, of any camera."""
    usual = _PATIENCE_FRAMES * rate.interval if rate.interval else _LONGEST_PATIENCE_S
    return max(_PATIENCE_S, min(usual, _LONGEST_PATIENCE_S))


def _profile_to_set() -> str:
    """Return what to export so that large images arrive; empty where that would not help."""
    variables = fast_dds_environment(os.environ)
    return ' '.join(f'{name}={path}' for name, path in variables.items())
