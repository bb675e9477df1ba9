# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are left and right of a stereo camera."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
import re
from typing import NamedTuple

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.images.layouts import SEPARATE
from stereo_depth_node.core.messages.library import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.halves import half_names, split_name
from stereo_depth_node.offline.bags.side_names import partners, patterns_of_sides, SIDES

__all__ = [
    'NO_NAMES',
    'StereoTopics',
    'Topic',
    'TopicNames',
    'conversions',
    'find_stereo_topics',
    'full_type',
    'stereo_candidates',
]

_COMPRESSED_SUFFIX = '/compressed'
# Compressed as images are, but they hold depth.
_DEPTH_SUFFIX = '/compressedDepth'
_RECTIFIED = re.compile('(?<![a-z])rect|Rect')
_GREY, _COLOUR = re.compile('gr[ae]y|mono'), re.compile('colou?r|rgb')
# Messages that hold images in another way, by the end of their type, and what makes images of it.
_CONVERTERS = {
    '/FFMPEGPacket': 'ros2 run image_transport republish ffmpeg raw, recorded again',
    '/CompressedVideo': 'ffmpeg or foxglove_compressed_video_transport, recorded again',
    'theora_image_transport/msg/Packet': 'ros2 run image_transport republish theora raw, '
    'recorded again',
    'foxglove.CompressedImage': 'the Python package mcap-protobuf-support, written with rosbags',
    'foxglove.RawImage': 'the Python package mcap-protobuf-support, written with rosbags',
    'foxglove.CompressedVideo': 'the Python package mcap-protobuf-support and ffmpeg',
}


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

    @property
    def is_image(self) -> bool:
        """Whether its messages are images, raw or compressed, and not depth."""
        return self.type in (IMAGE, COMPRESSED_IMAGE) and not self.name.endswith(_DEPTH_SUFFIX)


class TopicNames(NamedTuple):
    """The topics of a stereo camera that somebody has named; empty ones are to be found."""

    left: str = ''
    right: str = ''
    left_info: str = ''
    right_info: str = ''


NO_NAMES = TopicNames()
"""All topics are to be found."""


@dataclass(frozen=True)
class StereoTopics:
    """The topics of one stereo camera; a camera_info is None where the recording has none."""

    left: str
    right: str
    left_info: str | None
    right_info: str | None
    type: str

    @property
    def seem_raw(self) -> bool:
        """Whether the images are called as those that are not rectified usually are."""
        return '/image_raw' in f'/{self.left}'

    def image(self, side: Side, data: bytes) -> SerializedImage:
        """Return the image of a camera in a message of its topic.

        Raises
        ------
        ImageError
            If the message is too short to have a stamp.
        """
        _, half = split_name(self.left if side is Side.LEFT else self.right)
        return SerializedImage(data, is_compressed=self.type == COMPRESSED_IMAGE, half=half)


def full_type(name: str) -> str:
    """Return a message type with its ``/msg/``, which some recorders leave out."""
    package, separator, rest = name.partition('/')
    return f'{package}/msg/{rest}' if separator and '/' not in rest else name


def stereo_candidates(topics: Iterable[Topic]) -> list[tuple[Topic, Topic]]:
    """Return the pairs of image topics of one type whose names differ in the side alone.

    Topics without a message are left out where others have some.
    """
    topics = list(topics)
    has_counts = any(topic.count for topic in topics)
    images = {
        topic.name: topic for topic in topics if topic.is_image and (topic.count or not has_counts)
    }
    pairs: dict[str, tuple[Topic, Topic]] = {}
    used: set[str] = set()
    for sides in SIDES:
        for name, topic in images.items():
            if name in used:
                continue
            for partner in partners(name, *sides):
                other = images.get(partner)
                if other is not None and other.type == topic.type and partner not in used:
                    pairs[name] = (topic, other)
                    used |= {name, partner}
                    break
    return [pairs[name] for name in images if name in pairs]


def conversions(topics: Iterable[Topic]) -> str:
    """Return what makes images of topics that hold them in another way; empty without any."""
    return '; '.join(
        f'{topic.name} is {topic.type}: make images of it with {tool}'
        for topic in topics
        for end, tool in _CONVERTERS.items()
        if topic.type.endswith(end)
    )


def find_stereo_topics(
    topics: Sequence[Topic], settings: Settings, names: TopicNames = NO_NAMES
) -> StereoTopics:
    """Find the topics of the stereo camera.

    Parameters
    ----------
    topics : sequence of Topic
        All of the recording.
    settings : Settings
        Of raw and compressed images, and of raw and rectified ones, those are taken that the
        settings ask for. With a `stereo_layout` one topic may have both images: it is found where
        only one has images, or named as the left or as both.
    names : TopicNames
        Both image topics or none of them, and camera_info topics that are not beside the images.

    Raises
    ------
    InputError
        If there is no such camera or more than one, or a name is not in the recording. The text
        lists the candidates.
    """
    left, right, *infos_named = names
    wanted = COMPRESSED_IMAGE if settings.image_transport == 'compressed' else IMAGE
    if settings.stereo_layout != SEPARATE and not split_name(left)[1]:
        left, right = half_names(_only_image(topics, left, right, wanted), settings.stereo_layout)
    if bool(left) != bool(right):
        raise InputError('only one of --left and --right is given: name both image topics')
    if left:
        pair = (_named(topics, left), _named(topics, right))
    else:
        pair = _only_pair(topics, wanted, rectify=settings.rectify)
    if pair[0].type != pair[1].type:
        raise InputError(
            f'{pair[0].name} is {pair[0].type}, {pair[1].name} is {pair[1].type}: name two topics '
            'of one type'
        )
    for topic in pair:
        if topic.name.endswith(_DEPTH_SUFFIX):
            raise InputError(f'{topic.name} holds depth: name the topics of the images')
        if not topic.count and any(each.count for each in topics):
            raise InputError(f'{topic.name} has no message: {_image_topics(topics)}')
        if not topic.is_image:
            raise InputError(
                f'{topic.name} is {topic.type}, expected {IMAGE} or {COMPRESSED_IMAGE}: '
                + _image_topics(topics)
            )
    infos = [
        _named(topics, given).name if given else _info_beside(topics, _with_side(topic.name, side))
        for given, topic, side in zip(infos_named, pair, Side, strict=True)
    ]
    if infos[0] == infos[1] and not any(infos_named):
        infos = [None, None]
    return StereoTopics(pair[0].name, pair[1].name, infos[0], infos[1], pair[0].type)


def _named(topics: Sequence[Topic], name: str) -> Topic:
    base, _ = split_name(name)
    for topic in topics:
        if base.strip('/') == topic.name.strip('/'):
            suffix = name.removeprefix(base)
            return Topic(f'{topic.name}{suffix}', topic.type, topic.count)
    raise InputError(
        f'the recording has no topic {name}, it has '
        f'{", ".join(sorted(topic.name for topic in topics)) or "none"}'
    )


def _only_image(topics: Sequence[Topic], left: str, right: str, wanted: str) -> str:
    """Return the name of the one topic whose images hold both."""
    if left and right not in ('', left):
        raise InputError(
            f'--left {left} and --right {right} are given with one topic for both images: name '
            'one, or set stereo_layout to separate'
        )
    if left or right:
        return _named(topics, left or right).name
    images = [each for each in topics if each.is_image and each.count]
    images = [each for each in images if each.type == wanted] or images
    if len(images) != 1:
        raise InputError(
            f'stereo_layout asks for one topic with both images: name it with --left. '
            f'{_image_topics(topics)}'
        )
    return images[0].name


def _only_pair(topics: Sequence[Topic], wanted: str, *, rectify: bool) -> tuple[Topic, Topic]:
    pairs = stereo_candidates(topics)
    pairs = [pair for pair in pairs if pair[0].type == wanted] or pairs
    pairs = [pair for pair in pairs if bool(_RECTIFIED.search(pair[0].name)) != rectify] or pairs
    if len({tuple(_common(left.name, right.name)) for left, right in pairs}) == 1:
        # One camera in several ways: grey is what is matched.
        pairs = [pair for pair in pairs if _GREY.search(pair[0].name)] or pairs
        pairs = [pair for pair in pairs if not _COLOUR.search(pair[0].name)] or pairs
    if len(pairs) == 1:
        return pairs[0]
    if not pairs:
        images = [topic.name for topic in topics if topic.is_image]
        hint = (
            '. If its images hold both, give --set stereo_layout=side_by_side (or top_bottom), '
            f'which is --left {images[0]}:left --right {images[0]}:right (or :top and :bottom)'
            if len(images) == 1
            else ''
        )
        raise InputError(
            'the recording has no pair of left and right image topics: name them with --left and '
            f'--right; {_image_topics(topics)}{hint}'
        )
    listed = '; '.join(f'--left {left.name} --right {right.name}' for left, right in pairs)
    raise InputError(f'the recording has {len(pairs)} stereo cameras, choose one: {listed}')


def _image_topics(topics: Sequence[Topic]) -> str:
    images = [f'{topic.name} ({topic.type})' for topic in topics if topic.is_image]
    others = conversions(topics)
    if images:
        return '; '.join([f'its image topics are {", ".join(images)}', *filter(None, [others])])
    if others:
        return others
    names = sorted(topic.name for topic in topics)
    return f'it has no image topic, {"only " + ", ".join(names) if names else "nor any other"}'


def _with_side(name: str, side: Side) -> str:
    """Return a name that says its side, if it is that of half of an image."""
    topic, half = split_name(name)
    return f'{topic.removesuffix(_COMPRESSED_SUFFIX)}:{side.value}' if half is not None else name


def _info_beside(topics: Sequence[Topic], image: str) -> str | None:
    """Return the camera_info topic of an image.

    That is the one in its namespace, where image_transport has it, or below it, or else the only
    one whose name has the same side and the longest beginning in common.
    """
    base = image.removesuffix(_COMPRESSED_SUFFIX)
    infos = [topic.name for topic in topics if topic.type == CAMERA_INFO]
    beside = base.rpartition('/')[0] + '/camera_info'
    patterns = patterns_of_sides(image)
    with_side = [name for name in infos if any(each.search(name) for each in patterns)]
    for wanted in (beside, f'{base}/camera_info'):
        if wanted in infos and (wanted in with_side or not with_side):
            return wanted
    lengths = [len(_common(image, name)) for name in with_side]
    best = [
        name for name, n in zip(with_side, lengths, strict=True) if n == max(lengths, default=0)
    ]
    if len(best) == 1:
        return best[0]
    return beside if beside in infos else None


def _common(first: str, second: str) -> list[str]:
    """Return the namespaces that two names have in common."""
    parts = zip(first.split('/'), second.split('/'), strict=False)
    return [one for one, other in takewhile(lambda pair: pair[0] == pair[1], parts)]
