# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Blocks of code in the README and in the pages of docs, and how each kind of them is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import doctest
from importlib import metadata
from importlib.util import find_spec
from itertools import pairwise
import os
from pathlib import Path
import re
import shlex
import textwrap
from typing import Any

import yaml

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.options import parsed_setting

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = 'stereo_depth_node'
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
TRIED = ('bash', 'console', 'python', 'yaml')

_FENCE = re.compile(r'^( *)```(\w*)')
_NOT_RUN = re.compile(r'<!-- not run: (.+) -->$')


@dataclass(frozen=True)
class Block:
    """A block of code, the line that its fence is in, and why it is not tried, if it is not."""

    page: Path
    line: int
    language: str
    text: str
    reason: str = ''

    @property
    def place(self) -> str:
        """Where it is, as an editor takes it."""
        return f'{self.page.relative_to(ROOT)}:{self.line}'


def blocks_of(page: Path) -> Iterator[Block]:
    """Find the blocks of a page.

    ``<!-- not run: REASON -->`` in the line before the fence says why a block is not tried.
    """
    lines = page.read_text(encoding='utf-8').splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence:
            end = at + 1
            while lines[end].strip() != '```':
                end += 1
            reason = _NOT_RUN.search(lines[at - 1].strip()) if at else None
            text = textwrap.dedent('\n'.join(lines[at + 1 : end])) + '\n'
            yield Block(page, at + 1, fence[2], text, reason[1] if reason else '')
            at = end
        at += 1


class Reader:
    """Does in the current folder what a reader of a page would do there, block after block.

    Parameters
    ----------
    printed : callable
        Returns what was printed since it was called last.
    """

    def __init__(self, printed: Callable[[], str]) -> None:
        self._printed = printed
        self._names: dict[str, Any] = {}

    def follow(self, block: Block) -> None:
        """Do what a block says.

        Raises
        ------
        AssertionError, or whatever the code raises
        """
        if block.language == 'python':
            exec(compile(block.text, block.place, 'exec'), self._names)
        elif block.language == 'yaml':
            check_yaml(block.text)
        else:
            for command, expected in commands_of(block):
                self._run(command, expected)

    def _run(self, command: str, expected: str) -> None:
        words = words_of(command)
        if words[:4] == ['ros2', 'run', PACKAGE, 'stereo_depth']:
            words = words[3:]
        if words[:1] != ['stereo_depth']:
            check = CHECKS.get(' '.join(words[:2]), CHECKS.get(words[0]))
            assert check, f'nothing tries {words[0]!r}: say "not run", or add it to CHECKS'
            check(words, expected)
            return
        self._printed()
        status = main(words[1:])
        output = self._printed()
        assert expected or status == 0, f'{command}\n{output}'
        if expected:
            check_output(command, expected, output)


def commands_of(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a block, and what a console block shows as its output."""
    text = block.text.replace('\\\n', ' ')
    if block.language == 'bash':
        yield from ((line, '') for line in text.splitlines() if not _is_comment(line))
        return
    for part in re.split(r'^\$ ', text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition('\n')
        yield command, output


def words_of(command: str) -> list[str]:
    """Split a command; what follows a "|" shapes its output for people, and is left out."""
    lexer = shlex.shlex(command.split(' | ', maxsplit=1)[0], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    of_a_shell = [word for word in words if re.search(r'[$`;&<>]', word)]
    assert not of_a_shell, f'only a shell can run {command!r}: say "not run"'
    return words


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith('#')


def check_output(command: str, expected: str, got: str) -> None:
    """Compare an output as doctest does: "..." is anything, blanks are alike."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    # Around the expected lines others may be left out, too.
    shown = f'...{expected.strip()}...'
    assert doctest.OutputChecker().check_output(shown, f'{got}\n', flags), (
        f'$ {command}\n{got}\nis not what the page shows:\n{expected}'
    )


def check_yaml(text: str) -> None:
    """Read YAML, and take parameters of the node as the node does."""
    for document in yaml.safe_load_all(text):
        for name, section in (document or {}).items():
            if PACKAGE in name and 'ros__parameters' in section:
                Settings().replace(**section['ros__parameters'])


def check_parameter(words: list[str], expected: str) -> None:
    """``ros2 param set NODE NAME VALUE``: the value is one that the node takes, or refuses."""
    name, value = words[4:6]
    if 'Setting parameter failed' not in expected:
        Settings().replace(**{name: parsed_setting(known_parameters()[name], value)})
        return
    try:
        Settings().replace(**{name: parsed_setting(known_parameters()[name], value)})
    except SettingsError as error:
        check_output(' '.join(words), expected, f'Setting parameter failed: {error}')
    else:
        raise AssertionError(f'{name} {value} is not refused')


def check_launch(words: list[str], _expected: str) -> None:
    """``ros2 launch``: the file is there and has the arguments."""
    assert words[2] == PACKAGE, f'{words[2]} cannot be launched here: say "not run"'
    source = (ROOT / 'launch' / words[3]).read_text(encoding='utf-8')
    for argument in words[4:]:
        name = argument.partition(':=')[0]
        assert f"'{name}'" in source or argument == '--show-args', f'{words[3]} has no {name}'


def check_node(words: list[str], _expected: str) -> None:
    """``ros2 run``: the parameters are those of the node."""
    assert words[2:4] == [PACKAGE, PACKAGE], f'{words[2]} cannot be run here: say "not run"'
    for option, value in pairwise(words):
        if option == '-p':
            name, _, text = value.partition(':=')
            Settings().replace(**{name: parsed_setting(known_parameters()[name], text)})
        elif option == '--params-file':
            load_settings(Path(value))


def check_topic(words: list[str], _expected: str) -> None:
    """``ros2 topic hz TOPIC``: the node publishes it."""
    assert words[3].lstrip('/') in OUTPUTS, f'no topic {words[3]}'


def check_service(words: list[str], _expected: str) -> None:
    """``ros2 service call``: the node has that service, of that type."""
    assert words[3].endswith('/explain')
    assert words[4] == 'std_srvs/srv/Trigger'


def check_install(words: list[str], _expected: str) -> None:
    """``pip install``: of this package, with extras that it has."""
    (what,) = (word for word in words if word.startswith('.'))
    extras = re.findall(r'[\w-]+', what[1:])
    assert set(extras) <= set(metadata.metadata(PACKAGE).get_all('Provides-Extra')), what


def check_export(words: list[str], _expected: str) -> None:
    """``export``: of variables with values."""
    assert all(re.fullmatch(r'[A-Z_]+=\S+', word) for word in words[1:]), words


def check_script(words: list[str], _expected: str) -> None:
    """One of the scripts: it can be run."""
    assert os.access(ROOT / words[0], os.X_OK), f'there is no {words[0]}'


def check_module(words: list[str], _expected: str) -> None:
    """``python -m MODULE``: it is there."""
    assert find_spec(words[2]), f'there is no {words[2]}'


# First words of a command -> what holds of it without being run: what it needs is not here, or
# a test of its own runs it.
CHECKS: dict[str, Callable[[list[str], str], None]] = {
    'ros2 param': check_parameter,
    'ros2 launch': check_launch,
    'ros2 run': check_node,
    'ros2 service': check_service,
    'ros2 topic': check_topic,
    'pip install': check_install,
    'python -m': check_module,
    'export': check_export,
    **{f'scripts/{path.name}': check_script for path in (ROOT / 'scripts').iterdir()},
}
