# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured: cases (images, settings, outputs) and contestants (the nodes)."""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
from itertools import product
import shlex
import sys
from typing import Any

__all__ = ['BLOCK_SIZE', 'DEFAULT_SIZES', 'Case', 'Contestant', 'make_cases', 'own', 'peer']

BLOCK_SIZE = 15

DEFAULT_SIZES = {(640, 480): 64, (1280, 720): 128, (1920, 1080): 256}
"""Image size -> number of disparities that is sensible for it, pixels."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A task for a node: images, settings and outputs.

    Attributes
    ----------
    width, height, num_disparities, block_size : int
        Pixels.
    algorithm, encoding : str
        As the settings and sensor_msgs name them.
    outputs : tuple of str
        'disparity', 'depth', 'points'; frames are counted by the first.
    downscale : int
        Factor by which images are reduced first.
    is_raw : bool
        The images are those of cameras with distortion, to be rectified first.
    """

    width: int
    height: int
    num_disparities: int
    block_size: int = BLOCK_SIZE
    algorithm: str = 'bm'
    encoding: str = 'mono8'
    outputs: tuple[str, ...] = ('disparity',)
    downscale: int = 1
    is_raw: bool = False

    def __str__(self) -> str:
        """Describe the case for a reader."""
        reduced = f' /{self.downscale}' if self.downscale > 1 else ''
        return (
            f'{self.width}x{self.height}{reduced}, {self.num_disparities} disparities, '
            f'block {self.block_size}, {self.algorithm}, {self.encoding}'
            f'{", raw" if self.is_raw else ""}, '
            f'{" + ".join(self.outputs)}'
        )

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the node for this case."""
        return {
            'algorithm': self.algorithm,
            'num_disparities': self.num_disparities,
            'block_size': self.block_size,
            'downscale': self.downscale,
            'rectify': self.is_raw,
        }


@dataclasses.dataclass(frozen=True)
class Contestant:
    """A node that can be measured.

    Attributes
    ----------
    name : str
        For the tables.
    commands : tuple of tuple of str
        Program and arguments of each process; {disparities} and {block_size} stand for those of
        the case.
    settings : tuple of (str, str)
        Parameters of the node besides those of the case.
    backend : str or None
        Matcher backend of this node; None for a peer.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    settings: tuple[tuple[str, str], ...] = ()
    backend: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is the node of this package, which can be asked for its counters."""
        return self.backend is not None

    def commands_for(self, case: Case) -> list[list[str]]:
        """Return programs and arguments for a case."""
        if not self.is_own:
            values = {'{disparities}': case.num_disparities, '{block_size}': case.block_size}
            return [[_filled(word, values) for word in command] for command in self.commands]
        settings = {**case.settings, 'matcher_backend': self.backend, **dict(self.settings)}
        arguments = [('-p', f'{name}:={value}') for name, value in settings.items()]
        if case.is_raw:
            sides = ('left', 'right')
            arguments += [('-r', f'{side}/image_rect:={side}/image_raw') for side in sides]
        command = [*self.commands[0], '--ros-args']
        return [[*command, *(word for pair in arguments for word in pair)]]


def own(backend: str, settings: Sequence[tuple[str, str]] = ()) -> Contestant:
    """Return the node of this package with a matcher backend."""
    command = (sys.executable, '-m', 'benchmarks.node')
    return Contestant(f'node, {backend}', (command,), tuple(settings), backend)


def peer(command: str) -> Contestant:
    """Return any other node, given by its shell command, or by several with ; between them."""
    words = shlex.shlex(command, posix=True, punctuation_chars=';')
    words.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in words:
        if word == ';':
            commands.append([])
        else:
            commands[-1].append(word)
    return Contestant(f'peer: {command}', tuple(map(tuple, filter(None, commands))))


def make_cases(
    sizes: Sequence[tuple[int, int]],
    disparities: Sequence[int],
    *,
    block_size: int = BLOCK_SIZE,
    algorithms: Sequence[str] = ('bm',),
    encodings: Sequence[str] = ('mono8',),
    outputs: Sequence[tuple[str, ...]] = (('disparity',),),
    downscales: Sequence[int] = (1,),
    is_raw: bool = False,
) -> list[Case]:
    """Combine what is given.

    Parameters
    ----------
    sizes : sequence of (int, int)
        Width and height, pixels.
    disparities : sequence of int
        One for each size, one for all, or none for what is usual at each size.
    block_size, algorithms, encodings, outputs, downscales, is_raw
        As in `Case`.
    """
    if len(disparities) not in (0, 1, len(sizes)):
        raise ValueError(
            f'{len(disparities)} numbers of disparities for {len(sizes)} sizes: give one for '
            'each size, or one for all'
        )
    counts = [
        disparities[index % len(disparities)] if disparities else _usual_disparities(size)
        for index, size in enumerate(sizes)
    ]
    return [
        Case(*size, count, block_size, algorithm, encoding, wanted, downscale, is_raw)
        for (size, count), algorithm, encoding, wanted, downscale in product(
            zip(sizes, counts, strict=True), algorithms, encodings, outputs, downscales
        )
    ]


def _usual_disparities(size: tuple[int, int]) -> int:
    """Return a tenth of the width, as a multiple of 16, where nothing else is usual."""
    return DEFAULT_SIZES.get(size) or max(16, round(size[0] / 160) * 16)


def _filled(word: str, values: dict[str, int]) -> str:
    for place, value in values.items():
        word = word.replace(place, str(value))
    return word
