# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of the node at a moment: plain values, from which :mod:`.diagnosis` finds causes.

Counts are those of the snapshot's window, about the last second, unless they are totals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
from typing import NamedTuple

from stereo_depth_node.core.health.rectification_report import RectificationReport
from stereo_depth_node.core.health.result import ResultReport
from stereo_depth_node.core.images.layouts import SEPARATE
from stereo_depth_node.core.pairing.arrival import ArrivalEstimate
from stereo_depth_node.core.pairing.offset import OffsetEstimate
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.settings.settings import Settings

__all__ = ['IncompatibleSubscriber', 'SideSnapshot', 'Snapshot', 'TopicSnapshot']


@dataclass(frozen=True, slots=True)
class TopicSnapshot:
    """A topic that the node subscribes to, as the ROS graph knows it.

    Attributes
    ----------
    name : str
        After remapping.
    type : str
        What the node expects, such as ``sensor_msgs/msg/Image``.
    publishers : tuple of str
        Nodes that publish it with this type and a QoS that reaches this node.
    incompatible : str
        Why the QoS of the others does not; empty when one fits.
    qos_cure : str
        What to do about it.
    other_types : tuple of str
        Types that are published under this name instead.
    similar : tuple of str
        Other topics of this type.
    """

    name: str
    type: str
    publishers: tuple[str, ...] = ()
    incompatible: str = ''
    qos_cure: str = ''
    other_types: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()


class IncompatibleSubscriber(NamedTuple):
    """A subscriber that an output does not reach.

    Attributes
    ----------
    node, topic : str
        Who subscribes to what.
    reason, cure : str
        What does not fit, and what to do.
    """

    node: str
    topic: str
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class SideSnapshot:
    """One camera.

    Attributes
    ----------
    image, camera_info : TopicSnapshot
        Its topics.
    received, zero, backward : int
        Images that came; of these stamped 0; stamped earlier than the one before.
    rate : float
        Images per second.
    silence : float
        Seconds without an image, infinite before the first.
    patience : float
        Silence that is nothing unusual for this camera, seconds.
    period_ns : int or None
        Frame period by the stamps.
    smallest_interval_ns : int
        Smallest interval of the last stamps; that of a fast camera while there is none.
    missing, expected : int
        Gaps in the stamps of the last images, in frames, and the frames they should be.
    lost : int
        Images that the middleware says it lost.
    """

    image: TopicSnapshot
    camera_info: TopicSnapshot
    received: int = 0
    zero: int = 0
    backward: int = 0
    rate: float = 0.0
    silence: float = math.inf
    patience: float = 1.0
    period_ns: int | None = None
    smallest_interval_ns: int = 0
    missing: int = 0
    expected: int = 0
    lost: int = 0

    @property
    def is_silent(self) -> bool:
        """Whether no image came for longer than usual."""
        return self.silence > self.patience


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The node at one moment.

    Attributes
    ----------
    left, right : SideSnapshot
        The cameras.
    settings : Settings
        In force.
    window : float
        Seconds that the counts are of.
    subscribers : mapping of str to int
        Subscribers of each output.
    outputs : tuple of str
        Topics of the outputs after remapping.
    incompatible_subscriber : IncompatibleSubscriber or None
        A subscriber that gets nothing because of its type or QoS.
    unpublished : tuple of str
        While nobody subscribes to the outputs: clouds and disparities that others subscribe to
        and that nobody publishes.
    age : float
        Seconds since the outputs were asked for; 0 when they are not.
    pairs, computed, restarts : int
        Pairs found; pairs computed; restarts of the stamps.
    resets : int
        Restarts of the stamps in the last ten seconds.
    looped : int
        Pairs of a recording of one or two that is played in a loop, 0 when it is none.
    undecided : int
        Duplicates of which the next images tell whether they are of such a recording.
    dropped : mapping of DropReason to int
        Images dropped.
    pair_silence : float
        Seconds since a pair was found, or computed.
    output_silence, output_patience : float
        Seconds since the last output, and what is nothing unusual.
    failure : Exception or None
        Why the pair computed last failed; None when it did not.
    is_unreadable : bool
        That was not a pair, but a message that cannot be read: it has no stamp, and cannot pair.
    last_failure : Exception or None
        Why the last pair that failed did so.
    offset : OffsetEstimate or None
        Of the stamps of both cameras.
    arrivals : ArrivalEstimate or None
        Of the images that pair.
    latency : float
        Seconds from the left stamp to the publication of the last pair, by the clock of the node;
        0 before the first.
    uses_sim_time : bool
        The clock is a simulator's or a recording's.
    stages : mapping of str to float
        Median seconds that a pair spends in each stage.
    missing_calibration : tuple of str
        Sides without any.
    notes : tuple of str
        What is implausible in the calibration.
    frame_ids : tuple of 2 str
        Of the last pair.
    output_frame : str or None
        Of the outputs; None before the first.
    refusals : tuple of str
        Start values of parameters that were refused and not set since.
    image_bytes : int
        Size of the image that came last, 0 before the first.
    profile_to_set : str
        Environment variable with which Fast DDS has room for images; empty when it has it, or
        when the middleware is another.
    ignored : tuple of str
        What the node was started with and nobody took.
    shared_memory : str
        What is wrong with the shared memory of this machine; empty when nothing is.
    waits_for_clock : bool
        Simulated time is asked for and has not begun.
    rectification : RectificationReport or None
        What the monitor measured last.
    frozen_side : str
        Whose image stands still while that of the other camera does not; empty when none does.
    sees_no_common_scene : bool
        The images have texture, but not the same.
    result : ResultReport or None
        Of the last pair, when the depth has been empty for some time.
    rivals : mapping of str to tuple of str
        Other nodes that publish an output of this one, by topic.
    lifecycle : str
        State of a managed node, such as ``inactive``; a plain one is always ``active``.
    node_name : str
        Of the node, with its namespace.
    """

    left: SideSnapshot
    right: SideSnapshot
    settings: Settings = field(default_factory=Settings)
    window: float = 1.0
    subscribers: Mapping[str, int] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    incompatible_subscriber: IncompatibleSubscriber | None = None
    unpublished: tuple[str, ...] = ()
    age: float = 0.0
    pairs: int = 0
    computed: int = 0
    restarts: int = 0
    resets: int = 0
    looped: int = 0
    undecided: int = 0
    dropped: Mapping[DropReason, int] = field(default_factory=dict)
    pair_silence: float = 0.0
    output_silence: float = math.inf
    output_patience: float = 1.0
    failure: Exception | None = None
    is_unreadable: bool = False
    last_failure: Exception | None = None
    offset: OffsetEstimate | None = None
    arrivals: ArrivalEstimate | None = None
    latency: float = 0.0
    uses_sim_time: bool = False
    stages: Mapping[str, float] = field(default_factory=dict)
    missing_calibration: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    frame_ids: tuple[str, str] = ('', '')
    output_frame: str | None = None
    refusals: tuple[str, ...] = ()
    image_bytes: int = 0
    profile_to_set: str = ''
    ignored: tuple[str, ...] = ()
    waits_for_clock: bool = False
    shared_memory: str = ''
    rectification: RectificationReport | None = None
    frozen_side: str = ''
    sees_no_common_scene: bool = False
    result: ResultReport | None = None
    rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lifecycle: str = 'active'
    node_name: str = ''

    @property
    def is_wanted(self) -> bool:
        """Whether anybody subscribes to an output."""
        return any(self.subscribers.values())

    @property
    def flows(self) -> bool:
        """Whether output goes out."""
        return self.is_wanted and self.output_silence <= self.output_patience

    @property
    def received(self) -> int:
        """Images of both cameras."""
        return self.left.received + self.right.received

    @property
    def has_one_stream(self) -> bool:
        """Whether both images come in one message, on one topic."""
        return self.settings.stereo_layout != SEPARATE

    def sides(self) -> tuple[tuple[str, SideSnapshot], tuple[str, SideSnapshot]]:
        """Return both cameras with their names."""
        return ('left', self.left), ('right', self.right)
