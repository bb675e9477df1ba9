# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A running node: its images and its disparities, its parameters, and what it says of itself.

The node has to know of nothing: the studio listens to what it listens to, and to its disparities.
A frame is what both have of one stamp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
import time
from typing import TYPE_CHECKING

import numpy as np

from stereo_depth_node.core.arrays import DISPARITY_SCALE, Fixed, NS_PER_S
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages.library import CAMERA_INFO
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.halves import split_name
from stereo_depth_node.offline.bags.samples import decoded_pair
from stereo_depth_node.offline.bags.topics import find_stereo_topics, StereoTopics, Topic
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.studio.exports import changes_for_node
from stereo_depth_node.studio.frames import Frame, recorded_cameras

if TYPE_CHECKING:
    from stereo_depth_node.ros.running_node import RunningNode

__all__ = ['NodeSource', 'apply_to_node', 'connected_node']

# Images kept until the disparities of their stamp come.
_KEPT = 30
# The first pair has to come within this time, and topics have to be found, seconds.
_PATIENCE_S = 15.0
_LOOK_S = 0.05


class NodeSource:
    """What a running node sees and makes of it.

    Parameters
    ----------
    node : RunningNode
        The node.

    Attributes
    ----------
    count : int
        1: the newest pair.
    name : str
        Of the node.
    """

    count = 1

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self.name = node.name
        self._topics: StereoTopics | None = None
        self._last: Frame | None = None
        node.watch_disparity()

    @property
    def apply(self) -> Callable[[Changes], str]:
        """Has changes taken by the node."""
        return self._node.set

    @property
    def settings(self) -> Settings:
        """Those of the node."""
        return Settings().merged(self._node.values())

    def on_change(self, call: Callable[[], None]) -> None:
        """Call a function, in a thread of the node's, at each new result or change."""
        self._node.on_change = call

    def close(self) -> None:
        """Leave the graph."""
        self._node.close()

    def explain(self) -> str:
        """Return what the node says of itself."""
        return self._node.explain()

    def reading(self, settings: Settings) -> tuple[object, ...]:
        """Return the stamp of the newest result: there is a new frame whenever it changes."""
        return (self._stamp_ns(), self._node.is_current)

    def frame(self, index: int, settings: Settings) -> Frame:
        """Return the newest pair that the node has a result of.

        Raises
        ------
        InputError
            If none comes. The text is what the node says.
        """
        end = time.monotonic() + _PATIENCE_S
        while True:
            # While an image is missing, the last pair that was complete.
            found = self.newest(settings) or self._last
            if found is not None and not self._node.is_current:
                found = replace(found, published=None)  # it is of other settings
            if found is not None:
                self._last = found
                return found
            if time.monotonic() > end:
                raise InputError(f'{self.name} gives no result. It says: {self.explain()}')
            time.sleep(_LOOK_S)

    def pairs(self, index: int, settings: Settings) -> Sequence[Scene]:
        """Return the newest pair, rectified."""
        return [self.frame(index, settings).rectified(settings)]

    def _stamp_ns(self) -> int:
        message = self._node.disparity()
        if message is None:
            return 0
        return int(message.header.stamp.sec) * NS_PER_S + int(message.header.stamp.nanosec)

    def newest(self, settings: Settings) -> Frame | None:
        """Return the newest pair that there is a result of, None while there is none."""
        topics = self._watched(settings)
        if topics is None:
            return None
        message, stamp_ns = self._node.disparity(), self._stamp_ns()
        left = self._image(topics, Side.LEFT, stamp_ns, 0.0)
        right = self._image(topics, Side.RIGHT, stamp_ns, settings.sync_tolerance)
        if message is None or left is None or right is None:
            return None
        scene = decoded_pair(f'{self.name}, {stamp_ns / NS_PER_S:.3f} s', left, right)
        infos = self._newest_info(topics.left_info), self._newest_info(topics.right_info)
        frame = Frame(scene, self.name, recorded_cameras(infos, scene, settings))
        return replace(frame, published=_fixed(message, frame, settings))

    def _watched(self, settings: Settings) -> StereoTopics | None:
        """Return the topics of the node's inputs, once it has subscribed to them."""
        if self._topics is None:
            try:
                inputs = [Topic(name, kind, 1) for name, kind in self._node.inputs()]
                topics = find_stereo_topics(inputs, settings)
            except InputError:
                return None
            images = {split_name(name)[0] for name in (topics.left, topics.right)}
            infos = {name for name in (topics.left_info, topics.right_info) if name is not None}
            kinds = dict.fromkeys(images, topics.type) | dict.fromkeys(infos, CAMERA_INFO)
            self._node.watch(kinds, {name: _KEPT if name in images else 1 for name in kinds})
            self._topics = topics
        return self._topics

    def _image(
        self, topics: StereoTopics, side: Side, stamp_ns: int, tolerance_s: float
    ) -> SerializedImage | None:
        """Return the image that is nearest to a stamp, None where none is near enough."""
        topic = split_name(topics.left if side is Side.LEFT else topics.right)[0]
        images = [topics.image(side, data) for data in self._node.messages(topic)]
        near = [
            image
            for image in images
            if abs(image.stamp_ns - stamp_ns) <= round(tolerance_s * NS_PER_S)
        ]
        return min(near, key=lambda image: abs(image.stamp_ns - stamp_ns), default=None)

    def _newest_info(self, name: str | None) -> bytes | None:
        kept = self._node.messages(name) if name is not None else []
        return kept[-1] if kept else None


def connected_node(name: str) -> NodeSource:
    """Return the source of a running node.

    Raises
    ------
    InputError
        If ROS 2 is not there, or no such node.
    """
    return NodeSource(_running_node(name))


def apply_to_node(name: str, settings: Settings) -> str:
    """Give settings to a running node; return why it refuses them, an empty text if not.

    Raises
    ------
    InputError
        If ROS 2 is not there, or no such node.
    """
    with closing(_running_node(name)) as node:
        changes = changes_for_node(settings, node.values())
        return node.set(changes) if changes else ''


def _running_node(name: str) -> RunningNode:
    try:
        from stereo_depth_node.ros.running_node import RunningNode
    except ImportError as error:
        raise InputError(
            f'a running node needs ROS 2, which is not there ({error}): source its setup file'
        ) from error
    return RunningNode(name)


def _fixed(message: object, frame: Frame, settings: Settings) -> Fixed:
    """Return the disparities of a message as they were matched, x_l - x_r in 1/16 px."""
    image = message.image  # type: ignore[attr-defined]
    pixels = np.frombuffer(image.data, '<f4').reshape(image.height, image.width)
    geometry = frame.geometry(settings)
    offset = 0.0 if geometry is None else geometry.downscaled(settings.downscale).offset
    return np.rint((pixels + offset) * DISPARITY_SCALE).astype(np.int16)
