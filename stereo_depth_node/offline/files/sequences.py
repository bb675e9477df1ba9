# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences of image files: what patterns stand for, and which left image goes with which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
import glob
from pathlib import Path
import re

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['find_files', 'find_pairs', 'output_names', 'split_names']

_NUMBERS = re.compile(r'\d+')

_Numbers = tuple[int, ...]


def find_pairs(
    left: Sequence[str], right: Sequence[str]
) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Return the pairs of files that paths or patterns stand for, by the numbers in their names.

    Numbers that are the same in all names of a side, such as that of the camera, do not count.
    Names without numbers are paired in their order.

    Returns
    -------
    pairs : list of 2 Path
        In the order of their numbers.
    alone : list of Path
        What has no partner.

    Raises
    ------
    InputError
        If there is no pair.
    """
    sides = [find_files(names) for names in (left, right)]
    if all(len(side) == 1 for side in sides):
        return [(sides[0][0], sides[1][0])], []
    numbered = [_by_number(side, keys) for side, keys in zip(sides, _numbers(sides), strict=True)]
    if any(each is None for each in numbered):
        if len(sides[0]) == len(sides[1]):
            return list(zip(*sides, strict=True)), []
        raise InputError(
            f'{printable(left[0])} are {len(sides[0])} files, {printable(right[0])} are '
            f'{len(sides[1])}, and their names have no numbers to pair them by: give as many left '
            'as right images'
        )
    lefts, rights = (each or {} for each in numbered)
    common = lefts.keys() & rights.keys()
    pairs = [(lefts[key], rights[key]) for key in sorted(common)]
    alone = [found[key] for found in (lefts, rights) for key in sorted(found.keys() - common)]
    if not pairs:
        raise InputError(
            f'no left image has the number of a right one: {printable(sides[0][0])} and '
            f'{printable(sides[1][0])} are the first ones; give pairs the same number'
        )
    return pairs, alone


def find_files(names: Sequence[str]) -> list[Path]:
    """Return the files that paths or patterns stand for, in order of the numbers in their names.

    Raises
    ------
    InputError
        If a pattern fits none.
    """
    return sorted((path for name in names for path in _found(name)), key=_natural)


def split_names(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Divide names into left and right ones, where the shell has filled in two patterns.

    Raises
    ------
    InputError
        If they do not fall into two halves, each of names that differ in numbers alone.
    """
    half = len(names) // 2
    left, right = names[:half], names[half:]
    if len(names) > 2:
        kinds = [{_NUMBERS.sub('#', name) for name in side} for side in (left, right)]
        folders = [{str(Path(name).parent) for name in side} for side in (left, right)]
        is_by_name = len(kinds[0]) == len(kinds[1]) == 1 and kinds[0] != kinds[1]
        is_by_folder = len(folders[0]) == len(folders[1]) == 1 and folders[0] != folders[1]
        if len(names) % 2 or not (is_by_name or is_by_folder):
            raise InputError(
                f'{len(names)} names are given, which are not as many left as right ones: put '
                "patterns in quotes, as in 'left/*.png' 'right/*.png'"
            )
    return left, right


def output_names(pairs: Sequence[tuple[Path, Path]]) -> list[str]:
    """Return a name for the results of each pair, after its left image.

    Raises
    ------
    InputError
        If two would have the same.
    """
    names = [left.stem for left, _ in pairs]
    if len(set(names)) < len(names):
        names = [f'{left.resolve().parent.name}_{left.stem}' for left, _ in pairs]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InputError(f'several left images are called {", ".join(twice)}: run them separately')
    return names


def _by_number(files: Sequence[Path], keys: Sequence[_Numbers]) -> dict[_Numbers, Path] | None:
    """Return the files by their numbers, None if these do not tell them apart."""
    found = dict(zip(keys, files, strict=True))
    return found if len(found) == len(files) else None


def _numbers(sides: Sequence[Sequence[Path]]) -> list[list[_Numbers]]:
    """Return the numbers in the names of both sides, without those that all of a side have."""
    numbers = [[tuple(map(int, _NUMBERS.findall(str(path)))) for path in side] for side in sides]
    lengths = {len(each) for side in numbers for each in side}
    if len(lengths) != 1:
        # Other numbers come first, as of a folder: the last one is that of the image.
        return [[each[-1:] for each in side] for side in numbers]
    counting = [
        place
        for place in range(lengths.pop())
        if any(len({each[place] for each in side}) > 1 for side in numbers)
    ]
    return [[tuple(each[place] for place in counting) for each in side] for side in numbers]


def _found(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.exists() or not glob.has_magic(pattern):
        return [path]
    files = [Path(name) for name in glob.glob(pattern, recursive=True)]
    if not files:
        raise InputError(f'no file is called {pattern}')
    return files


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key by which the numbers in names are sorted as numbers: 9 before 10."""
    return [
        (int(part), '') if part.isdigit() else (0, part) for part in re.split(r'(\d+)', str(path))
    ]
