# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Small files from outside, read within limits: parameters, calibrations and their like.

Whoever names a file may name a pipe, a device, or YAML that grows to gigabytes. All of that is
refused with one sentence.
"""

from __future__ import annotations

import codecs
from functools import lru_cache
import os
from pathlib import Path
import stat
from typing import Any

from stereo_depth_node.core.errors import InputError

__all__ = ['parse_yaml', 'printable', 'read_bytes', 'read_text', 'visible']

MOST_BYTES = 1 << 20
"""Of a text file: a calibration has some kB."""

_MOST_DEPTH = 20
_MOST_PRINTED = 200


def printable(text: object, most: int = _MOST_PRINTED) -> str:
    """Return a text from outside as one line, shortened, without control characters."""
    # Cut before and after: a text of a megabyte takes no time, and spaces are joined.
    line = ' '.join(str(text)[: 4 * most].split())
    line = ''.join(letter if letter.isprintable() else '?' for letter in line)
    return line if len(line) <= most else line[: most - 3] + '...'


def visible(text: object) -> str:
    """Return a text of any number of lines without other control characters.

    Names in a recording could otherwise steer the terminal on which they are printed.
    """
    return ''.join(each if each.isprintable() or each == '\n' else '?' for each in str(text))


def read_bytes(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """Read a regular file.

    Parameters
    ----------
    path : str or Path
        The file.
    most : int
        Largest size, bytes.

    Raises
    ------
    InputError
        If there is none, it cannot be read, is a pipe, a device or a folder, or is larger.
    """
    name = printable(path)
    try:
        # To open a device can do something; a pipe would wait for whoever writes into it.
        is_regular = stat.S_ISREG(os.stat(path).st_mode)
        content = b''
        if is_regular:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0))
            with open(descriptor, 'rb') as file:
                # Memory for as much as is asked for is taken before it is read.
                expected = max(os.fstat(descriptor).st_size, MOST_BYTES)
                content = file.read(min(expected, most) + 1)
    except FileNotFoundError as error:
        raise InputError(f'{name}: cannot be read (there is no such file)') from error
    except OSError as error:
        raise InputError(f'{name}: cannot be read ({error.strerror})') from error
    except ValueError as error:  # a null character in the name
        raise InputError(f'{name}: cannot be read ({error})') from error
    if not is_regular:
        kind = 'a folder' if os.path.isdir(path) else 'not a regular file'
        raise InputError(f'{name} is {kind}: name a file')
    if len(content) > most:
        raise InputError(f'{name} is larger than {most} bytes: files of its kind are smaller')
    return content


def read_text(path: str | Path, most: int = MOST_BYTES) -> str:
    """Read a regular file of text: UTF-8, or what else its byte order mark says.

    Lines may end as on Windows or on old Macs.

    Raises
    ------
    InputError
        As :func:`read_bytes`, or if it is no such text.
    """
    content = read_bytes(path, most)
    # As Windows PowerShell writes what is sent to a file.
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode('utf-16' if is_utf_16 else 'utf-8-sig')
    except UnicodeDecodeError as error:
        raise InputError(
            f'{printable(path)} is not a text file (UTF-8): name another, or save it as UTF-8'
        ) from error
    return text.replace('\r\n', '\n').replace('\r', '\n')


def parse_yaml(text: str, name: str | Path) -> list[Any]:
    """Return the documents of a YAML text: plain values, lists and dictionaries.

    Aliases, which make a small text large, and nesting beyond 20 levels are refused. A date stays
    a text. OpenCV's first line ``%YAML:1.0`` and its tag ``!!opencv-matrix`` are accepted.

    Parameters
    ----------
    text : str
        The content of a file.
    name : str or Path
        Its name, for the error.

    Raises
    ------
    InputError
        If it is no such text.
    """
    import yaml

    if text.startswith('%YAML:'):
        text = text.partition('\n')[2]
    try:
        return list(yaml.load_all(text, Loader=_loader()))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        cure = ': indent with spaces, not with tabs' if r"'\t'" in str(error) else ''
        raise InputError(
            f'{printable(name)}: not a YAML file ({printable(error)}){cure}'
        ) from error


@lru_cache
def _loader() -> Any:
    """Return PyYAML's safe loader with limits; made when needed, as PyYAML is optional."""
    import yaml

    class LimitedLoader(yaml.SafeLoader):  # type: ignore[misc]
        """Plain values only, no aliases, no deep nesting."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()
                raise yaml.constructor.ConstructorError(
                    None, None, f'alias *{event.anchor}: write it out', event.start_mark
                )
            self.depth += 1
            if self.depth > _MOST_DEPTH:
                raise yaml.constructor.ConstructorError(
                    None, None, f'more than {_MOST_DEPTH} levels', self.peek_event().start_mark
                )
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    LimitedLoader.yaml_implicit_resolvers = {
        first: [each for each in resolvers if not each[0].endswith(':timestamp')]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    LimitedLoader.add_constructor(
        'tag:yaml.org,2002:opencv-matrix', yaml.SafeLoader.construct_yaml_map
    )
    return LimitedLoader
