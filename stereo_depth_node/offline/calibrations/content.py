# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The content of a calibration file: its text, what YAML makes of it, numbers by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import parse_yaml, printable

__all__ = ['CalibrationFile', 'numbers_in']

_NUMBER = re.compile(r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?')
_MOST_NUMBERS = 1000
# No number of a camera has so many digits, in whatever unit.
_LARGEST = 1e12
_DOCUMENT_ENDS = re.compile(r'^(?:\s*total count: \d+)?---[ \t]*$', re.MULTILINE)
# PyYAML reads this much in less than a second.
_MOST_YAML = 1 << 16


def numbers_in(text: str) -> list[float]:
    """Return the numbers in a text, however they are separated: ``.5``, ``1.``, ``-2e3``."""
    return [float(number) for number in _NUMBER.findall(text[:100_000])[:_MOST_NUMBERS]]


@dataclass(frozen=True)
class CalibrationFile:
    """A file that may be a calibration.

    Attributes
    ----------
    path : Path
        Its name.
    text : str
        Its content.
    """

    path: Path
    text: str

    @cached_property
    def _parsed(self) -> tuple[Mapping[str, Any], str]:
        # Of a record of messages the first whole one is enough: the last one may be cut, and
        # `ros2 topic echo` prints there, too, that messages were lost. As JSON, each has a line.
        texts = [self.text.partition('\n')[0]] if self.text.startswith('{') else []
        problem = ''
        for text in [*texts, *_DOCUMENT_ENDS.split(self.text)]:
            try:
                documents = parse_yaml(text[:_MOST_YAML], self.path)
            except InputError as error:
                problem = str(error)
                continue
            found = next((each for each in documents if isinstance(each, dict)), None)
            if found is not None:
                return {str(key): value for key, value in found.items()}, ''
        return {}, problem

    @property
    def entries(self) -> Mapping[str, Any]:
        """The first dictionary of it as YAML or JSON; empty where there is none."""
        return self._parsed[0]

    @property
    def problem(self) -> str:
        """Why it is no YAML; empty where it is."""
        return self._parsed[1]

    def assignments(self, separator: str) -> dict[str, str]:
        """Return the lines ``name<separator>value``, with spaces around them or not."""
        lines = (line.partition(separator) for line in self.text.splitlines())
        return {name.strip(): value for name, found, value in lines if found}

    def numbers(
        self, value: Any, name: str, count: int | tuple[int, ...]
    ) -> npt.NDArray[np.float64]:
        """Return numbers in a list, a list of lists, or OpenCV's ``{rows, cols, data}``.

        Parameters
        ----------
        value : Any
            Where they are.
        name : str
            Theirs in the file.
        count : int or tuple of int
            How many there must be, or may be.

        Raises
        ------
        InputError
            If these are none, or not so many.
        """
        if isinstance(value, dict):
            value = value.get('data')
        try:
            found = np.array(_flat(value), np.float64)
        except (TypeError, ValueError, OverflowError):
            found = np.array([np.nan])
        # Neither is one that is not finite.
        if not (np.isfinite(found).all() and np.abs(found).max(initial=0.0) < _LARGEST):
            raise InputError(
                f'{printable(self.path)}: {name} is {printable(value, 40)!r}, expected numbers'
            )
        counts = count if isinstance(count, tuple) else (count,)
        if found.size not in counts:
            expected = ' or '.join(map(str, counts))
            raise InputError(
                f'{printable(self.path)}: {name} has {found.size} numbers, expected {expected}'
            )
        return found

    def missing(self, what: str) -> InputError:
        """Return the error for something that the file would have to have."""
        return InputError(f'{printable(self.path)}: {what} missing')


def _flat(value: Any) -> list[float]:
    if isinstance(value, list):
        return [number for each in value for number in _flat(each)]
    return [float(value)]
