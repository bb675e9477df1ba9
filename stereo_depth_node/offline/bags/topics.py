# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are left and right of a stereo camera."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.messages.library import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE

__all__ = [
    'StereoTopics',
    'Topic',
    'find_stereo_topics',
    'stereo_candidates',
]

# How drivers name left and right camera.
_SIDES = (
    ('left', 'right'),
    ('Left', 'Right'),
    ('cam0', 'cam1'),
    ('cam_0', 'cam_1'),
    ('camera0', 'camera1'),
    ('camera_0', 'camera_1'),
    ('infra1', 'infra2'),
    ('infrared_1', 'infrared_2'),
)
_COMPRESSED_SUFFIX = '/compressed'


@dataclass(frozen=True)
class Topic:
    """A topic of a recording.

    Attributes
    ----------
    name, type : str
        As recorded.
    count : int
        Messages in the recording.
    """

    name: str
    type: str
    count: int


@dataclass(frozen=True)
class StereoTopics:
    """The topics of one stereo camera; a camera_info is None where the recording has none."""

    left: str
    right: str
    left_info: str | None
    right_info: str | None
    type: str


def stereo_candidates(topics: Iterable[Topic]) -> list[tuple[Topic, Topic]]:
    """Return the pairs of image topics of one type whose names differ in the side alone."""
    images = {topic.name: topic for topic in topics if topic.type in (IMAGE, COMPRESSED_IMAGE)}
    pairs = {}
    for name, topic in images.items():
        for left, right in _SIDES:
            other = images.get(name.replace(left, right)) if left in name else None
            if other is not None and other.type == topic.type:
                pairs[name] = (topic, other)
    return list(pairs.values())


def find_stereo_topics(
    topics: Sequence[Topic],
    *,
    left: str = '',
    right: str = '',
    left_info: str = '',
    right_info: str = '',
    compressed: bool = False,
    rectify: bool = False,
) -> StereoTopics:
    """Find the topics of the stereo camera.

    Parameters
    ----------
    topics : sequence of Topic
        All of the recording.
    left, right : str
        Names of the image topics, both or none of them.
    left_info, right_info : str
        Names of the camera_info topics, where they are not beside the images.
    compressed : bool
        Take compressed images though there are raw ones too.
    rectify : bool
        Where there are raw and rectified images, take the raw ones.

    Raises
    ------
    InputError
        If there is no such camera or more than one, or a name is not in the recording. The text
        lists the candidates.
    """
    if bool(left) != bool(right):
        raise InputError('only one of --left and --right is given: name both image topics')
    if left:
        pair = (_named(topics, left), _named(topics, right))
    else:
        pair = _only_pair(topics, compressed=compressed, rectify=rectify)
    if pair[0].type != pair[1].type:
        raise InputError(
            f'{pair[0].name} is {pair[0].type}, {pair[1].name} is {pair[1].type}: name two topics '
            'of one type'
        )
    for topic in pair:
        if topic.type not in (IMAGE, COMPRESSED_IMAGE):
            raise InputError(
                f'{topic.name} is {topic.type}, expected {IMAGE} or {COMPRESSED_IMAGE}: '
                + _image_topics(topics)
            )
    infos = [
        _named(topics, given).name if given else _info_beside(topics, topic.name)
        for given, topic in zip((left_info, right_info), pair, strict=True)
    ]
    return StereoTopics(pair[0].name, pair[1].name, infos[0], infos[1], pair[0].type)


def _named(topics: Sequence[Topic], name: str) -> Topic:
    for topic in topics:
        if name.strip('/') == topic.name.strip('/'):
            return topic
    raise InputError(
        f'the recording has no topic {name}, it has '
        f'{", ".join(sorted(topic.name for topic in topics)) or "none"}'
    )


def _only_pair(topics: Sequence[Topic], *, compressed: bool, rectify: bool) -> tuple[Topic, Topic]:
    pairs = stereo_candidates(topics)
    wanted = COMPRESSED_IMAGE if compressed else IMAGE
    pairs = [pair for pair in pairs if pair[0].type == wanted] or pairs
    basis = 'image_raw' if rectify else 'image_rect'
    pairs = [pair for pair in pairs if f'/{basis}' in pair[0].name] or pairs
    if len(pairs) == 1:
        return pairs[0]
    if not pairs:
        raise InputError(
            'the recording has no pair of left and right image topics: name them with --left and '
            f'--right. {_image_topics(topics)}'
        )
    listed = '; '.join(f'--left {left.name} --right {right.name}' for left, right in pairs)
    raise InputError(f'the recording has {len(pairs)} stereo cameras, choose one: {listed}')


def _image_topics(topics: Sequence[Topic]) -> str:
    images = [f'{t.name} ({t.type})' for t in topics if t.type in (IMAGE, COMPRESSED_IMAGE)]
    if images:
        return f'its image topics are {", ".join(images)}'
    others = sorted(topic.name for topic in topics)
    return f'it has no image topic at all, only {", ".join(others) or "nothing"}'


def _info_beside(topics: Sequence[Topic], image: str) -> str | None:
    """Return the camera_info topic in the namespace of an image, where image_transport has it."""
    base = image.removesuffix(_COMPRESSED_SUFFIX)
    wanted = base.rpartition('/')[0] + '/camera_info'
    infos = {topic.name for topic in topics if topic.type == CAMERA_INFO}
    return wanted if wanted in infos else None
