# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A user who brings a cause about, reads what the node says, and does just that.

Numbers, names and arguments are those of the text; nothing is repaired that it does not mention.
The scenarios are in advice_on_topics, _stamps, _calibration and _images.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import re
from typing import Any

from bench import Bench, SETTINGS
from harness import Peer
from rig import camera_infos, messages_of
from scenes import StereoScene

from stereo_depth_node.core.settings.settings import known_parameters

TOPICS = ('/left/image_rect', '/right/image_rect')
USUAL = {name: known.default for name, known in known_parameters().items()} | SETTINGS
SCENARIOS: list[tuple[str, type[Scenario]]] = []


class Scenario:
    """A node, cameras, a listener, and a user.

    Parameters
    ----------
    bench : Bench
        In health, as it is left.
    folder : Path
        For files.

    Attributes
    ----------
    words : str
        What the text has when the node has measured enough to advise.
    """

    words = ''

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench, self.rig, self.folder = bench, bench.rig, folder
        self.restarts = False
        self._changed: set[str] = set()
        self._others: list[Peer] = []

    def play(self, cause: str) -> None:
        """Break, read what the node says, do it, and see the cause gone and depth flow."""
        try:
            self.breaks()
            text, _ = self.bench.wait_for(cause, self.words)
            (said, *_) = (line for line in text.splitlines() if line.startswith(f'{cause}: '))
            self.obeys(said)
            if cause != 'flowing':
                self.bench.wait_for_the_end_of(cause)
            self.bench.assert_adds_up()
        finally:
            self.ends()

    def breaks(self) -> None:
        """Bring the cause about."""

    def obeys(self, said: str) -> None:
        """Do what the text says; by default what a user does at the cameras."""
        self.bench.restore()

    def ends(self) -> None:
        """Leave everything as it was."""
        for other in self._others:
            self.bench.graph.remove(other)
        self.bench.restore()
        if self.restarts:
            self.bench.restart()
        elif self._changed:
            usual = {name: USUAL[name] for name in self._changed}
            assert self.rig.set_atomically(**usual).successful

    def starts(self, *arguments: str, **parameters: Any) -> None:
        """Start the node anew."""
        self.restarts = True
        self.bench.restart(*arguments, **parameters)

    def starts_as_told(self, said: str) -> None:
        """Start the node with the arguments that the text has."""
        (arguments,) = re.findall(r'--ros-args (.*?)(?:, (?:or|and) |$)', said)
        self.starts(*arguments.split())

    def sets(self, said: str, *names: str) -> None:
        """Set parameters to the values of the text: ``set NAME to VALUE``."""
        for name in names:
            found = re.search(rf'{name} (?:to (-?[\d.]*\d)|(-?[\d.]*\d) would do)', said)
            assert found, said
            value = found[1] or found[2]
            number = float(value) if '.' in value else int(value)
            self.set(**{name: number})

    def set(self, **values: Any) -> None:
        """Set parameters until the end."""
        self._changed.update(values)
        for result in self.rig.set_parameters(**values):
            assert result.successful, result.reason

    def sends(self, send: Callable[[], Any]) -> None:
        """Have the cameras do something else."""
        self.bench.sends = send

    def other(self, name: str) -> Peer:
        """Return another program on the graph, until the end."""
        other: Peer = self.bench.graph.add(Peer(self.bench.graph, name))
        self._others.append(other)
        return other

    def stops(self, other: Peer) -> None:
        """End another program."""
        self._others.remove(other)
        self.bench.graph.remove(other)

    def replaces_cameras(self, topics: tuple[str, ...], image_type: Any, qos: Any) -> None:
        """Publish the images elsewhere or otherwise."""
        for publisher in self.rig.images:
            self.rig.stop_publishing(publisher)
        self.rig.images[:] = [self.rig.publisher(topic, image_type, qos) for topic in topics]

    def shows(self, scene: StereoScene) -> None:
        """Put a scene before the cameras."""
        self.bench.left, self.bench.right = messages_of(scene)
        self.rig.infos = camera_infos(*scene.size)

    def send_one(self, side: int, stamp_ns: int | None = None) -> None:
        """Send the image of one camera."""
        image = (self.bench.left, self.bench.right)[side]
        self.rig.send_image(
            side, image, self.rig.next_stamp_ns() if stamp_ns is None else stamp_ns
        )


def of(cause: str) -> Callable[[type[Scenario]], type[Scenario]]:
    """Enter a scenario into the table."""

    def enter(scenario: type[Scenario]) -> type[Scenario]:
        SCENARIOS.append((cause, scenario))
        return scenario

    return enter
