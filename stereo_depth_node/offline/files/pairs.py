# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of images from files: two images, one that holds both, or videos frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.images.files import (
    image_pair,
    ImagePair,
    read_image,
    read_image_pair,
    split_image,
)
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.terminal import print_problem

__all__ = ['PairSource', 'is_video', 'missing_partner', 'read_video']

_VIDEO_SUFFIXES = frozenset(
    ('.avi', '.h264', '.h265', '.m4v', '.mjpeg', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.ts')
)
# Where such files have which bytes: AVI, MP4 and its kin, Matroska and WebM, MPEG, WMV, FLV, Ogg.
_VIDEO_MARKS = (
    (8, b'AVI '), (4, b'ftyp'), (4, b'moov'), (0, b'\x1aE\xdf\xa3'), (0, b'\0\0\1\xba'),
    (0, b'\0\0\1\xb3'), (0, b'0&\xb2u'), (0, b'FLV'), (0, b'OggS'),
)  # fmt: skip
# Behind "ftyp" in images of the kin of MP4.
_STILL = (b'avif', b'avis', b'heic', b'heix', b'mif1')
# Beyond this, width to height, an image is wider than cameras make them: two of 4:3 have 2.67.
_WIDE, _TALL = 2.2, 1.0


@dataclass(frozen=True)
class PairSource:
    """Where a pair of images comes from.

    Attributes
    ----------
    name : str
        Results are named after it.
    left : Path
        The left image, or the file that holds both.
    right : Path or None
        The right image; None where one file holds both.
    layout : str
        Of a file that holds both.
    images : ImagePair or None
        What was read already, of a video.
    """

    name: str
    left: Path
    right: Path | None
    layout: str = ''
    images: ImagePair | None = None

    def read(self) -> ImagePair:
        """Return the images.

        Raises
        ------
        InputError, ImageError
            If they cannot be read, or do not make a pair.
        """
        if self.images is not None:
            return self.images
        if self.right is not None:
            return read_image_pair(self.left, self.right)
        return _halves(read_image(self.left), self.layout, self.left.name)


def is_video(path: Path) -> bool:
    """Whether a file is a video, by its ending or, whatever it is called, by its first bytes."""
    if path.suffix.lower() in _VIDEO_SUFFIXES:
        return True
    if not path.is_file():
        return False
    try:
        with path.open('rb') as file:
            head = file.read(12)
    except OSError:  # what is wrong is said where it is read
        return False
    return head[8:] not in _STILL and any(
        head.startswith(mark, place) for place, mark in _VIDEO_MARKS
    )


def read_video(left: Path, right: Path | None, layout: str) -> Iterator[PairSource]:
    """Yield the pairs of a video that holds both images, or of two videos.

    Raises
    ------
    InputError
        If a file is missing or cannot be read.
    """
    paths = (left,) if right is None else (left, right)
    with _opened(paths) as videos:
        for number in _counted(videos, paths):
            frames = [video.retrieve()[1] for video in videos]
            images = (
                _halves(frames[0], layout, left.name)
                if len(frames) == 1
                else image_pair(frames[0], frames[1], (str(left), str(right)))
            )
            yield PairSource(f'{left.stem}_{number:06d}', left, right, layout, images)


def missing_partner(left: Path) -> SettingsError:
    """Return the error for one file that is not said to hold both images, with what it may be."""
    name = printable(left)
    if left.is_dir():
        raise InputError(
            f'{name} is a folder: name its images, as in {name}/*.png, and a recording to the '
            'command bag'
        )
    if not left.is_file():
        raise InputError(f'{name} is missing')
    if is_video(left):
        with _opened((left,)) as (video,):
            size = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
            width, height = (int(video.get(each)) for each in size)
    else:
        height, width = read_image(left).shape[:2]
    both, ratio = f'{name} is {width}x{height}', width / max(height, 1)
    if ratio >= _WIDE:
        return SettingsError(
            f'{both}, as wide as two images: if it holds both, add --layout side-by-side, else '
            'name the right image, too'
        )
    if ratio <= _TALL:
        return SettingsError(
            f'{both}, as high as two images: if it holds both, add --layout top-bottom, else '
            'name the right image, too'
        )
    return SettingsError(
        f'only one image is given, {name}: name the right one, too, or add --layout '
        'side-by-side or top-bottom if it holds both'
    )


def _halves(image: npt.NDArray[Any], layout: str, name: str) -> ImagePair:
    left, right = split_image(image, layout, printable(name))
    return image_pair(left, right, (f'{name} (left)', f'{name} (right)'))


@contextmanager
def _opened(paths: Sequence[Path]) -> Iterator[list[cv2.VideoCapture]]:
    videos = []
    try:
        for path in paths:
            # OpenCV would take a name that is none of a file for an address or a pattern.
            if not path.is_file():
                raise InputError(f'{printable(path)} is missing, or no regular file')
            videos.append(cv2.VideoCapture(str(path.resolve())))
            if not videos[-1].isOpened():
                raise InputError(
                    f'{printable(path)} is no video that this OpenCV can read: convert it, for '
                    'instance with ffmpeg, or give its frames as images'
                )
        yield videos
    finally:
        for video in videos:
            video.release()


def _counted(videos: Sequence[cv2.VideoCapture], paths: Sequence[Path]) -> Iterator[int]:
    """Go to the next frame of all videos, and yield its number, until one has ended."""
    number = 0
    while True:
        grabbed = [video.grab() for video in videos]
        if not all(grabbed):
            break
        yield number
        number += 1
    if not number:
        raise InputError(f'{printable(paths[0])} has no frame that this OpenCV can read')
    for video, path, has_more in zip(videos, paths, grabbed, strict=True):
        announced = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        # Of other kinds than AVI it is from the duration.
        tolerated = 0 if path.suffix.lower() == '.avi' else announced // 50 + 1
        if not has_more and announced - number > tolerated:
            print_problem(
                f'{printable(path)} says that it has {announced} frames, {number} could be read: '
                'it is cut short or damaged, or what it says is wrong',
                is_error=False,
            )
    if any(grabbed):
        longer = paths[int(np.argmax(grabbed))]
        raise InputError(
            f'{printable(longer)} has more than the {number} frames of the other video: the rest '
            'has no partner'
        )
