# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with topics and frames, whatever the images show: nothing comes, or too much."""

from __future__ import annotations

from collections.abc import Iterator

from stereo_depth_node.core.health.causes import CAUSES, Finding, listed
from stereo_depth_node.core.health.losses import or_transport_cure, transport_cure
from stereo_depth_node.core.health.snapshot import Snapshot, TopicSnapshot
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['has_mixed_images', 'shared_topics', 'unusable_frames', 'why_images_do_not_come']


def has_mixed_images(snapshot: Snapshot) -> bool:
    """Tell whether the images of a side come from several publishers, so stamps say nothing."""
    return any(len(side.image.publishers) > 1 for _, side in snapshot.sides())


def why_images_do_not_come(snapshot: Snapshot, silent: list[str]) -> Iterator[Finding]:
    """Yield why no images come from the sides that are silent."""
    sides = {name: side for name, side in snapshot.sides() if name in silent}
    if snapshot.has_one_stream:
        del sides['right']  # whose topic is that of the left
    topics = [side.image for side in sides.values()]
    unknown = [each for each in topics if not _is_published(each)]
    if unknown:
        similar = dict.fromkeys(topic for each in unknown for topic in each.similar)
        hint = f'; of that type there are {listed(similar)}' if similar else ''
        if len(unknown) == len(Side) and len(similar) == 1:
            hint += (
                ', and if it holds both images: set stereo_layout to side_by_side or top_bottom '
                'and remap stereo/image_raw to it'
            )
        yield CAUSES['no_publisher'].found(
            topics=listed(topic.name for topic in unknown),
            type=unknown[0].type,
            hint=hint,
        )
    for name, side in sides.items():
        topic = side.image
        if topic.publishers:
            continue
        if topic.incompatible:
            yield CAUSES['incompatible_qos'].found(
                topic=topic.name, reason=topic.incompatible, cure=topic.qos_cure
            )
        elif topic.other_types:
            came = listed(topic.other_types)
            yield CAUSES['wrong_type'].found(
                topic=topic.name,
                came=came,
                type=topic.type,
                cure=_cure_of_type(snapshot, name, topic),
            )
    mute = {name: side for name, side in sides.items() if side.image.publishers}
    if len(mute) == 1 and len(silent) == 1:
        yield _one_side_only(snapshot, silent[0])
    elif mute:
        yield CAUSES['no_messages'].found(
            topics=listed(side.image.name for side in mute.values()),
            silence=min(snapshot.age, *(side.silence for side in mute.values())),
            publishers=listed(
                dict.fromkeys(name for side in mute.values() for name in side.image.publishers)
            ),
            transport=transport_cure(snapshot),
        )


def _is_published(topic: TopicSnapshot) -> bool:
    """Tell whether anybody publishes a topic, even if it does not reach this node."""
    return bool(topic.publishers or topic.incompatible or topic.other_types)


def _cure_of_type(snapshot: Snapshot, side: str, topic: TopicSnapshot) -> str:
    other = '' if snapshot.has_one_stream else ', and so for the other camera'
    raw = topic.name.removesuffix('/compressed')
    if any(came.endswith('/CompressedImage') for came in topic.other_types):
        remap = f'{raw}/compressed:={topic.name}'
        if raw != topic.name:  # image_transport adds the end
            whole = 'stereo/image_raw' if snapshot.has_one_stream else f'{side}/image_rect'
            remap = f'{whole}:={raw}'
        return f'start this node with --ros-args -p image_transport:=compressed -r {remap}{other}'
    if any(came.endswith('/Image') for came in topic.other_types):
        return (
            f'start this node with --ros-args -p image_transport:=raw -r {raw}:={topic.name}'
            f'{other}'
        )
    return 'remap it'


def _one_side_only(snapshot: Snapshot, name: str) -> Finding:
    sides = dict(snapshot.sides())
    silent = sides.pop(name)
    ((other_name, other),) = sides.items()
    return CAUSES['one_side_only'].found(
        other=other_name,
        rate=other.rate,
        side=name,
        topic=silent.image.name,
        silence=min(silent.silence, snapshot.age),
        publishers=listed(silent.image.publishers),
        cure=or_transport_cure(snapshot, f'check the {name} camera', 'if it works'),
    )


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
