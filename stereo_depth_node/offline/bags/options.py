# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How recordings are to be computed: the topics, the outputs, and the form of the result."""

from __future__ import annotations

from dataclasses import dataclass, field

from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.topics import TopicNames
from stereo_depth_node.offline.bags.writer import BagFormat

__all__ = ['JobOptions']


@dataclass(frozen=True)
class JobOptions:
    """How recordings are to be computed.

    Attributes
    ----------
    settings : Settings
        Those of the node.
    topics : TopicNames
        Of the stereo camera, as far as they are named.
    namespace : str
        Of the results' topics.
    also : tuple of str
        Outputs to write that are not written by default, keys of `OUTPUTS`.
    recording_format : BagFormat
        Of the result.
    copy_all : bool
        Copy all topics but the images.
    copy : tuple of str
        Topics to copy.
    overwrite, resume : bool
        What to do with what is there already.
    """

    settings: Settings
    topics: TopicNames
    namespace: str = ''
    also: tuple[str, ...] = ()
    recording_format: BagFormat = field(default_factory=BagFormat)
    copy_all: bool = False
    copy: tuple[str, ...] = ()
    overwrite: bool = False
    resume: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that are written, in the order in which each pair has them."""
        return tuple(
            topic for topic, output in OUTPUTS.items() if output.is_recorded or topic in self.also
        )
