# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Takes snapshots of the running node, for :mod:`.diagnosis`.

The hot path only counts. Rates and shares come from the difference of the counts now and about a
second ago.
"""

from __future__ import annotations

from collections import Counter, deque
import dataclasses
import itertools
import math
import time
from typing import Any, TYPE_CHECKING

from stereo_depth_node.core.camera.geometry import implausibilities
from stereo_depth_node.core.errors import CalibrationError
from stereo_depth_node.core.health.snapshot import SideSnapshot, Snapshot, TopicSnapshot
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.ros.graph import incompatible_subscriber, topic_snapshot
from stereo_depth_node.ros.subscriptions import camera_info_topic, image_topic

if TYPE_CHECKING:
    from rclpy.publisher import Publisher

    from stereo_depth_node.core.pairing.stream import StampStream
    from stereo_depth_node.core.settings.settings import Settings
    from stereo_depth_node.ros.node import StereoDepthNode
    from stereo_depth_node.ros.statistics import Rate

__all__ = ['NodeObserver', 'total_dropped']

_CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
# The window of the counts: this long, or longer until so many images of each side came.
_WINDOW_S, _LONGEST_WINDOW_S, _ENOUGH_IMAGES = 1.0, 10.0, 3
_SAMPLE_S = 0.4
# Nobody worries about a camera before it has been silent for this long, or for so many frames.
_PATIENCE_S, _LONGEST_PATIENCE_S, _PATIENCE_FRAMES = 1.0, 10.0, 3.0
# A longer gap in the stamps is a jump, such as in a recording that was cut, and no loss.
_LONGEST_GAP_FRAMES = 20


@dataclasses.dataclass(frozen=True)
class _Counts:
    """The node's counters at one moment."""

    at: float
    images: dict[Side, tuple[int, int, int, int]]  # received, zero, backward, lost
    pairs: int
    computed: int
    resets: int
    dropped: Counter[DropReason]


class NodeObserver:
    """Watches a node.

    Parameters
    ----------
    node : StereoDepthNode
        Is only looked at.
    """

    def __init__(self, node: StereoDepthNode) -> None:
        self._node = node
        self._samples: deque[_Counts] = deque(maxlen=math.ceil(_LONGEST_WINDOW_S / _SAMPLE_S) + 1)
        self._wanted_at: float | None = None
        self._notes_of: tuple[object, float] = (None, 0.0)
        self._notes: tuple[str, ...] = ()

    def note_demand(self) -> None:
        """Note since when the outputs are asked for; to be called often."""
        if not self._node.inputs.are_open:
            self._wanted_at = None
        elif self._wanted_at is None:
            self._wanted_at = time.monotonic()

    def observe(self) -> Snapshot:
        """Take a snapshot."""
        node = self._node
        self.note_demand()
        settings = node.parameters.current
        now, then = self._window()
        window = max(now.at - then.at, 1e-3)
        missing = tuple(side.value for side in node.calibrations.missing(settings))
        subscribers = node.outputs.subscribers()
        is_wanted = any(subscribers.values())
        left, right = (
            self._side(side, settings, now, then, window, is_uncalibrated=side.value in missing)
            for side in Side
        )
        recent = max(min(left.received, right.received), _ENOUGH_IMAGES)
        output = node.statistics.output
        return Snapshot(
            left=left,
            right=right,
            settings=settings,
            window=window,
            subscribers=subscribers,
            incompatible_subscriber=(
                None if is_wanted else incompatible_subscriber(node, self._outputs())
            ),
            age=0.0 if self._wanted_at is None else now.at - self._wanted_at,
            pairs=now.pairs - then.pairs,
            computed=now.computed - then.computed,
            resets=now.resets - then.resets,
            dropped=now.dropped - then.dropped,
            pair_silence=node.statistics.work.seconds_since(),
            output_silence=output.seconds_since(),
            output_patience=_patience(output),
            failure=node.failure,
            last_failure=node.last_failure,
            offset=node.pairer.offset(recent),
            stages=node.statistics.stage_medians(),
            missing_calibration=missing,
            notes=self._calibration_notes(settings),
            frame_ids=node.frame_ids,
            refusals=tuple(node.parameters.refusals.values()),
            waits_for_clock=self._waits_for_clock(),
            rectification=node.diagnostics.monitor.report,
        )

    def _window(self) -> tuple[_Counts, _Counts]:
        """Return the counts now and at the beginning of the window."""
        now = self._counts()
        then = self._samples[-1] if self._samples else now
        for then in reversed(self._samples):
            came = min(now.images[side][0] - then.images[side][0] for side in Side)
            if now.at - then.at >= _WINDOW_S and came >= _ENOUGH_IMAGES:
                break
            if now.at - then.at >= _LONGEST_WINDOW_S:
                break
        if not self._samples or now.at - self._samples[-1].at >= _SAMPLE_S:
            self._samples.append(now)
        return now, then

    def _counts(self) -> _Counts:
        node = self._node
        streams = {Side.LEFT: node.pairer.left, Side.RIGHT: node.pairer.right}
        return _Counts(
            at=time.monotonic(),
            images={
                side: (stream.count, stream.zero, stream.backward, node.inputs.lost[side])
                for side, stream in streams.items()
            },
            pairs=node.pairer.pairs,
            computed=node.computed,
            resets=node.pairer.resets,
            dropped=total_dropped(node),
        )

    def _side(
        self,
        side: Side,
        settings: Settings,
        now: _Counts,
        then: _Counts,
        window: float,
        *,
        is_uncalibrated: bool,
    ) -> SideSnapshot:
        node = self._node
        received, zero, backward, lost = (
            new - old for new, old in zip(now.images[side], then.images[side], strict=True)
        )
        stream = node.pairer.left if side is Side.LEFT else node.pairer.right
        rate = node.statistics.input[side.value]
        missing = _missing_frames(stream, received)
        return SideSnapshot(
            image=self._topic(
                image_topic(node, side, settings),
                f'{side.value} image',
                'sensor_msgs/msg/CompressedImage'
                if settings.image_transport == 'compressed'
                else 'sensor_msgs/msg/Image',
            ),
            camera_info=self._topic(
                camera_info_topic(side), f'{side.value} camera_info', _CAMERA_INFO
            )
            if is_uncalibrated
            else TopicSnapshot(camera_info_topic(side), _CAMERA_INFO),
            received=received,
            zero=zero,
            backward=backward,
            rate=received / window,
            # While the node computes, images wait in the middleware.
            silence=min(rate.seconds_since(), node.statistics.work.seconds_since()),
            patience=_patience(rate),
            period_ns=stream.period_ns,
            missing=missing,
            expected=min(received, len(stream.recent)) + missing,
            lost=lost,
        )

    def _topic(self, topic: str, purpose: str, type_name: str) -> TopicSnapshot:
        node = self._node
        subscription = node.inputs.subscriptions().get(purpose)
        return topic_snapshot(
            node,
            topic,
            type_name,
            None if subscription is None else subscription.qos_profile,
            own=[publisher.topic_name for publisher in self._outputs()],
        )

    def _outputs(self) -> list[Publisher[Any]]:
        names = [self._node.resolve_topic_name(name) for name in self._node.outputs.published]
        return [each for each in self._node.publishers if each.topic_name in names]

    def _calibration_notes(self, settings: Settings) -> tuple[str, ...]:
        """Return what is implausible, looked for only when the calibration has changed."""
        calibration = self._node.calibrations.in_force
        if calibration is None:
            return ()
        if self._notes_of != (calibration, settings.baseline):
            self._notes_of = calibration, settings.baseline
            # The frames of the images are compared, not those of the calibrations.
            left = dataclasses.replace(calibration.left, frame_id='')
            right = dataclasses.replace(calibration.right, frame_id='')
            try:
                self._notes = implausibilities(left, right, settings.baseline)
            except CalibrationError:  # a pair that comes now says so
                self._notes = ()
        return self._notes

    def _waits_for_clock(self) -> bool:
        node = self._node
        uses = node.get_parameter_or('use_sim_time').value is True
        return uses and node.get_clock().now().nanoseconds == 0


def total_dropped(node: StereoDepthNode) -> Counter[DropReason]:
    """Return the images dropped since the start, by reason."""
    return node.pairer.dropped + node.frames.dropped + node.failed


def _patience(rate: Rate) -> float:
    return max(_PATIENCE_S, min(_PATIENCE_FRAMES * rate.interval, _LONGEST_PATIENCE_S))


def _missing_frames(stream: StampStream[Any], received: int) -> int:
    """Return how many frames the gaps between the last stamps stand for."""
    last = sorted(list(stream.recent)[-received:]) if received else []
    period = stream.period_ns
    if not period or len(last) < 2:
        return 0
    gaps = (round((b - a) / period) for a, b in itertools.pairwise(last))
    return sum(gap - 1 for gap in gaps if 1 < gap <= _LONGEST_GAP_FRAMES)
