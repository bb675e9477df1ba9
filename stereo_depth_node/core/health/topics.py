# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with topics and frames, whatever the images show."""

from __future__ import annotations

from collections.abc import Iterator

from stereo_depth_node.core.health.causes import CAUSES, Finding, listed
from stereo_depth_node.core.health.snapshot import Snapshot
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['has_mixed_images', 'shared_topics', 'unusable_frames']


def has_mixed_images(snapshot: Snapshot) -> bool:
    """Tell whether the images of a side come from several publishers, so stamps say nothing."""
    return any(len(side.image.publishers) > 1 for _, side in snapshot.sides())


def shared_topics(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield where one topic carries what should come on two, or two senders send on one."""
    (_, left), (_, right) = snapshot.sides()
    for kind, topic, other in (
        ('image', left.image, right.image),
        ('camera_info', left.camera_info, right.camera_info),
    ):
        is_one = kind == 'image' and snapshot.has_one_stream
        if topic.name == other.name and not is_one:
            yield CAUSES['same_topic'].found(kind=kind, topic=topic.name)
    shared: dict[tuple[str, ...], dict[str, None]] = {}
    for topic in (left.image, right.image, left.camera_info, right.camera_info):
        # What has no full name yet is being discovered.
        known = tuple(name for name in topic.publishers if name.startswith('/'))
        if len(known) > 1:
            shared.setdefault(known, {})[topic.name] = None
    for publishers, topics in shared.items():
        yield CAUSES['several_publishers'].found(
            topics=listed(topics), publishers=listed(publishers)
        )
    outputs: dict[tuple[str, ...], list[str]] = {}
    for name, nodes in snapshot.rivals.items():
        outputs.setdefault(nodes, []).append(name)
    for nodes, names in outputs.items():
        yield CAUSES['shared_output'].found(topics=listed(names), publishers=listed(nodes))


def unusable_frames(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what is to be said of the frames of images and outputs."""
    if snapshot.output_frame == '':
        yield CAUSES['frame_id_empty'].found()
    if snapshot.settings.frame_id:
        return
    left, right = snapshot.frame_ids
    if left.startswith('/'):
        yield CAUSES['frame_id_slash'].found(
            frame_id=printable(left), output=printable(left.lstrip('/'))
        )
    if left and right and left.lstrip('/') != right.lstrip('/'):
        yield CAUSES['frame_ids_differ'].found(left=printable(left), right=printable(right))
