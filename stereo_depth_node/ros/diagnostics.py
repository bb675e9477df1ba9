# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of the node on itself: on /diagnostics, in the log, and in answer to ``~/explain``."""

from __future__ import annotations

import dataclasses
from statistics import median
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_srvs.srv import Trigger

from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.errors import SwappedError
from stereo_depth_node.core.health.causes import CAUSES, Finding
from stereo_depth_node.core.health.clocks import LARGEST_LATENCY_S
from stereo_depth_node.core.health.diagnosis import diagnose
from stereo_depth_node.core.health.snapshot import Snapshot
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.memory import FreedMemory
from stereo_depth_node.ros.cause_log import CauseLog
from stereo_depth_node.ros.observer import NodeObserver
from stereo_depth_node.ros.qos import PublisherEventCallbacks
from stereo_depth_node.ros.rectification_monitor import RectificationMonitor
from stereo_depth_node.ros.state import NodeState

__all__ = ['NodeDiagnostics']

# Causes are looked for more often than they are published, so that a new one is reported at once.
_LOOK_S = 0.5
_PUBLISH_S = 1.0
# Letters of the settings on one line.
_MOST_PRINTED = 3000
# Questions that wait for an answer, as many as may be asked for parameters at once. ROS's own
# limit for services is 10: whoever asks beyond gets none.
_MOST_ASKERS = 1000
# Every so many rows and columns of the result are looked at.
_STRIDE = 8
_PERCENTILES = (5, 50, 95)


class NodeDiagnostics:
    """Reports what the node does, and what keeps it from doing so.

    Parameters
    ----------
    node : Node
        Publishes, logs and answers.
    state : NodeState
        What the node counts.
    observer : NodeObserver
        Takes the snapshots.
    monitor : RectificationMonitor
        Measures how far the rows of both images are apart; is closed at the end.

    Attributes
    ----------
    findings : list of Finding
        Those of the last look, the state of the output first.
    """

    def __init__(
        self,
        node: Node,
        state: NodeState,
        observer: NodeObserver,
        monitor: RectificationMonitor,
    ) -> None:
        self._node = node
        self._state = state
        self._observer = observer
        self._monitor = monitor
        self._trial = state.processor.another()
        self._freed_memory = FreedMemory()
        self.findings: list[Finding] = []
        self._next_look = 0.0
        self._next_publication = 0.0
        self._log = CauseLog(node.get_logger())
        self._publisher = node.create_publisher(
            DiagnosticArray,
            '/diagnostics',
            QoSProfile(depth=10),
            event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
        )
        node.create_service(
            Trigger, '~/explain', self._explain, qos_profile=QoSProfile(depth=_MOST_ASKERS)
        )

    def update(self) -> None:
        """Look at the node if it is time to; to be called often."""
        self._observer.note_demand()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_S
        snapshot, before = self._observer.observe(), self.findings
        self._watch_rectification(snapshot)
        # What was measured of other images, or with another calibration, is gone now.
        snapshot = dataclasses.replace(
            snapshot,
            rectification=self._monitor.report,
            sees_no_common_scene=self._monitor.sees_no_common_scene,
        )
        self.findings = diagnose(snapshot)
        self._log.update(self.findings, now)
        causes = [each.cause for each in self.findings]
        self._freed_memory.update((causes, snapshot.subscribers, self._state.processor.pipeline))
        is_news = [each.cause for each in before] != causes
        if is_news or now >= self._next_publication:
            self._next_publication = now + _PUBLISH_S - _LOOK_S / 2
            self._publish(snapshot)

    def close(self) -> None:
        """End what runs beside the executor."""
        self._monitor.close()

    def _watch_rectification(self, snapshot: Snapshot) -> None:
        pipeline = self._state.processor.pipeline
        if pipeline is not None and snapshot.flows:
            self._monitor.update(pipeline)
        elif not snapshot.is_wanted:
            self._monitor.forget()
        elif isinstance(snapshot.failure, SwappedError):
            self._measure_swapped_cameras(snapshot.settings)

    def _measure_swapped_cameras(self, settings: Settings) -> None:
        """Measure the disparities of images that no depth can be computed for.

        With a baseline in place of that of the calibrations they can be matched. None of this is
        published.
        """
        pair = self._state.failed_pair
        if pair is None or not self._monitor.is_due:
            return
        self._trial.process(pair, settings.replace(baseline=1.0), self._state.calibrations)
        if self._trial.pipeline is not None:
            self._monitor.update(self._trial.pipeline)

    def _publish(self, snapshot: Snapshot) -> None:
        node, state = self._node, self.findings[0]
        worst = max(self.findings, key=lambda finding: finding.level)
        values = {
            'cause': state.cause.name,
            'also': ', '.join(finding.cause.name for finding in self.findings[1:]),
            **self._statistics(snapshot),
            'settings': _settings_text(snapshot.settings),
        }
        status = DiagnosticStatus(
            level=bytes([worst.level]),
            name=f'{node.get_fully_qualified_name()}: depth'.lstrip('/'),
            # While depth flows, what makes it worse is the message.
            message=(state if state.level == worst.level else worst).text,
            hardware_id=printable(self._state.processor.output_frame),
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def _statistics(self, snapshot: Snapshot) -> dict[str, str]:
        statistics = _node_statistics(self._state, snapshot)
        if self._state.processor.pipeline is not None and snapshot.flows:
            statistics.update(_depth_statistics(self._state.processor.pipeline))
        report = snapshot.rectification
        if report is not None:
            largest = report.row_offset.largest * report.scale
            statistics['rows apart'] = (
                f'{report.rows_apart:.2f} px, at most {largest:.2f} px ({report.points} points)'
            )
            statistics['disparities of the scene'] = f'{report.low:.1f} to {report.high:.1f} px'
        return {name: printable(value) for name, value in statistics.items()}

    def _explain(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Answer with all that is known; success says that depth flows."""
        try:
            snapshot = self._observer.observe()
            statistics = self._statistics(snapshot)
            findings = diagnose(snapshot)
            changed = _changed_settings(snapshot.settings) or {'none': 'all are defaults'}
            response.success = findings[0].cause is CAUSES['flowing']
            response.message = '\n'.join(
                [
                    *(f'{finding.cause.name}: {finding.text}' for finding in findings),
                    *(f'  {name}: {value}' for name, value in statistics.items()),
                    '  settings other than the defaults:',
                    *(f'    {name}: {printable(value)}' for name, value in changed.items()),
                ]
            )
        except Exception as error:  # noqa: BLE001 (whoever asks shall get an answer)
            response.success = False
            response.message = CAUSES['internal_error'].found(error=error).text
        return response


def _node_statistics(state: NodeState, snapshot: Snapshot) -> dict[str, str]:
    """Return what the node counts and measures. Counts of images and pairs are since the start.

    Images received are twice the pairs computed plus the images dropped plus those waiting.
    """
    pairer = state.pairer
    statistics = {
        'left rate': f'{snapshot.left.rate:.1f} Hz',
        'right rate': f'{snapshot.right.rate:.1f} Hz',
        'output rate': f'{snapshot.computed / snapshot.window:.1f} Hz',
        'images received': str(pairer.received),
        'pairs found': str(pairer.pairs),
        'pairs computed': str(state.computed),
        'images waiting': str(state.waiting),
    }
    for reason, count in sorted(state.dropped.items(), key=lambda item: item[0].name):
        statistics[f'images dropped, {reason.name.lower()}'] = str(count)
    statistics['stamp restarts'] = str(pairer.resets)
    if snapshot.offset is not None:
        statistics['left-right offset'] = f'{snapshot.offset.nearest_ns / 1e6:.3f} ms'
    if snapshot.arrivals is not None:
        statistics['right arrives after left'] = f'{snapshot.arrivals.lag_ns / 1e6:.1f} ms'
    if snapshot.flows and state.statistics.latency_s:
        latency = median(state.statistics.latency_s)
        if 0.0 <= latency <= LARGEST_LATENCY_S:  # otherwise stamps and clock do not compare
            statistics['latency'] = f'{1e3 * latency:.1f} ms'
    for stage, seconds in snapshot.stages.items():
        statistics[f'time, {stage}'] = f'{1e3 * seconds:.2f} ms'
    for output, count in snapshot.subscribers.items():
        statistics[f'subscribers, {output}'] = str(count)
    return statistics


def _depth_statistics(pipeline: StereoPipeline) -> dict[str, str]:
    """Return size, density and depths of the last pair, from one pixel in 64."""
    geometry = pipeline.geometry
    fixed = pipeline.fixed[::_STRIDE, ::_STRIDE]
    limits = pipeline.depth_limits
    known = fixed[(fixed >= limits.low) & (fixed <= limits.high)]
    statistics = {
        'size': f'{pipeline.width}x{pipeline.height}',
        'backend': pipeline.backend,
        'density': f'{100.0 * known.size / fixed.size:.1f} %',
    }
    if geometry is None:
        return statistics
    statistics['focal length'] = f'{geometry.f:.2f} px'
    statistics['baseline'] = f'{geometry.baseline:.4f} m'
    disparity = known / DISPARITY_SCALE - geometry.offset
    disparity = disparity[disparity > 0.0]
    if disparity.size:
        depths = np.percentile(geometry.f * geometry.baseline / disparity, _PERCENTILES)
        for percent, depth in zip(_PERCENTILES, depths, strict=True):
            statistics[f'depth, {percent} %'] = f'{depth:.3f} m'
    return statistics


def _changed_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that differ from the defaults."""
    defaults = dataclasses.asdict(Settings())
    values = dataclasses.asdict(settings).items()
    return {name: value for name, value in values if value != defaults[name]}


def _settings_text(settings: Settings) -> str:
    """Return the settings that differ from the defaults on one line."""
    changed = _changed_settings(settings).items()
    return printable(' '.join(f'{name}={value!r}' for name, value in changed), _MOST_PRINTED)
