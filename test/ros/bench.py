# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A node that works, cameras that can be made to misbehave, and an eye on what the node says."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from harness import Graph, NodeHere
from node_process import NodeProcess
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of
from std_srvs.srv import Trigger

WIDTH, HEIGHT, DISPARITY = 96, 64, 6.0
# Light work: 16 disparities on small images.
SETTINGS = {'num_disparities': 16, 'block_size': 5}


def causes_of(report: DiagnosticArray) -> list[str]:
    """Return the causes that a report names, the state of the output first."""
    values = {each.key: each.value for each in report.status[0].values}
    return [values['cause'], *filter(None, values['also'].split(', '))]


class Bench:
    """A node between cameras and a listener.

    Attributes
    ----------
    node : NodeHere or NodeProcess
        The node under test.
    rig : Rig
        Cameras and listener.
    left, right : Image
        What the cameras send; may be changed at any time, as `rig.infos`.
    sends : callable
        Sends one pair; replaced to misbehave.
    right_later_ns : int
        How much later than the left images the right ones are stamped.
    is_healthy : bool
        Whether health was the last that was waited for.
    level : bytes
        That of the report in which the last cause that was waited for was found.
    """

    def __init__(
        self,
        graph: Graph,
        *ros_arguments: str,
        listen: tuple[str, ...] = ('disparity',),
        process: bool = False,
        **parameters: Any,
    ) -> None:
        self.graph = graph
        self._start = graph.node_process if process else graph.node
        self.node: NodeHere | NodeProcess = self._start(
            *ros_arguments, **{**SETTINGS, **parameters}
        )
        self.rig = Rig(graph, listen)
        self.reports: list[DiagnosticArray] = self.rig.listen('/diagnostics', DiagnosticArray)
        self._explain = self.rig.node.create_client(Trigger, '/stereo_depth_node/explain')
        self.is_healthy = False
        self.level = b''
        self._noise = 0
        self.restore()

    def restart(self, *ros_arguments: str, **parameters: Any) -> None:
        """End the node, let another one start, and wait until they have found each other."""
        if isinstance(self.node, NodeProcess):
            assert self.node.stop() == 0
        self.graph.remove(self.node)
        self.graph.wait_until(lambda: not self._explain.service_is_ready(), 'the end of the node')
        self.node = self._start(*ros_arguments, **{**SETTINGS, **parameters})
        self.graph.wait_until(self._explain.service_is_ready, 'the new node')

    def restore(self) -> None:
        """Let the cameras do what they should."""
        self.left, self.right = messages_of(scene_of(plane(WIDTH, HEIGHT, DISPARITY)))
        self.rig.infos = camera_infos(WIDTH, HEIGHT)
        self.right_later_ns = 0
        self.sends: Callable[[], Any] = self.send

    def send(self) -> int:
        """Send one pair; return its left stamp."""
        return self.rig.send(self.left, self.right, right_later_ns=self.right_later_ns)

    def send_stuck(self, stamp_ns: int) -> None:
        """Send a pair under a stamp that does not move: each pair shows another noise."""
        self._noise = (self._noise + 1) % 256
        for image in (self.left, self.right):
            image.data[0] = self._noise
        self.rig.send(self.left, self.right, stamp_ns=stamp_ns)

    def _send(self) -> None:
        self.sends()

    @property
    def status(self) -> Any:
        """The latest report of the node."""
        return self.reports[-1].status[0]

    @property
    def values(self) -> dict[str, str]:
        """Key and values of the latest report."""
        return {each.key: each.value for each in self.status.values}

    @property
    def causes(self) -> list[str]:
        """All causes of the latest report, the state of the output first."""
        return causes_of(self.reports[-1])

    def wait_for(self, cause: str, words: str = '') -> tuple[str, float]:
        """Let the cameras run until the node names a cause, with these words in its text.

        Returns
        -------
        text : str
            All that the node says then.
        seconds : float
            How long it took.
        """
        start = time.monotonic()
        self.reports.clear()
        self.is_healthy = False
        read = 0

        def text() -> str:
            """Return what the node says with its latest report, nothing if it is not that."""
            nonlocal read
            if len(self.reports) == read or cause not in self.causes:
                return ''
            read = len(self.reports)
            self.level = self.status.level
            all_said = self.explain()[1]
            lines = (line for line in all_said.splitlines() if line.startswith(f'{cause}: '))
            return all_said if words in next(lines, '') and f'{cause}: ' in all_said else ''

        said = self.graph.wait_until(
            text, f'the cause {cause} in /diagnostics: {words}', repeat=self._send
        )
        return said, time.monotonic() - start

    def wait_for_the_end_of(self, cause: str) -> float:
        """Let the cameras run until depth flows without a cause; return the seconds."""
        start = time.monotonic()
        self.reports.clear()
        self.graph.wait_until(
            lambda: self.reports and 'flowing' in self.causes and cause not in self.causes,
            f'the end of the cause {cause} in /diagnostics',
            repeat=self._send,
        )
        self.is_healthy = True
        return time.monotonic() - start

    def wait_for_health(self) -> float:
        """Let the cameras run until the node has nothing to complain of; return the seconds."""
        start = time.monotonic()
        self.reports.clear()
        self.graph.wait_until(
            lambda: self.reports and self.causes == ['flowing'],
            'health in /diagnostics',
            repeat=self._send,
        )
        self.is_healthy = True
        return time.monotonic() - start

    def explain(self) -> tuple[bool, str]:
        """Ask the node how it is: whether depth flows, and all it has to say."""
        answer = self.rig.ask(self._explain, Trigger.Request())
        return answer.success, answer.message

    def explanation_of_health(self) -> str:
        """Let the cameras run until the node says that depth flows; return all it says."""
        text: str = self.graph.wait_until(
            lambda: (said := self.explain())[0] and said[1], 'depth to flow', repeat=self._send
        )
        return text

    def assert_adds_up(self) -> None:
        """Check that the images received are those of pairs computed, dropped and waiting."""
        _, text = self.explain()
        values = dict(line.strip().rsplit(': ', 1) for line in text.splitlines() if ': ' in line)
        dropped = sum(int(count) for key, count in values.items() if 'images dropped' in key)
        accounted = 2 * int(values['pairs computed']) + dropped + int(values['images waiting'])
        assert accounted == int(values['images received']), text
