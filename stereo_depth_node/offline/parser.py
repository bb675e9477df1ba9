# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The parser of a command line: short help, all of it on request, and the nearest name."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
import difflib
import re
import sys
import textwrap
from typing import Any, NoReturn

from stereo_depth_node.core.settings.text_files import printable

__all__ = ['ToolParser', 'nearest']

_SIMILAR = 0.6
# What argparse says of a value, in words for people.
_NUMBER = re.compile(r'invalid (int|float) value: (.+)', re.DOTALL)
_NO_VALUE = re.compile(r'argument (?:\S+/)?(\S+): expected one argument')
_CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.+)\)", re.DOTALL)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``: did you mean ...?`` with the most similar of the known names, or nothing."""
    # Dashes that all options have make none of them more similar.
    names = {each.lstrip('-'): each for each in known}
    found = difflib.get_close_matches(name.lstrip('-'), names, 1, _SIMILAR)
    return f': did you mean {names[found[0]]}?' if found else ''


class ToolParser(argparse.ArgumentParser):
    """A parser whose ``--help`` fits two screens, and whose ``--help-all`` has everything.

    Parameters
    ----------
    synopsis : str
        What follows the name of the program in the first line of the help.
    **options : Any
        Those of argparse.
    """

    def __init__(self, *, synopsis: str = '[options]', **options: Any) -> None:
        options.setdefault('formatter_class', _ToolHelp)
        options.setdefault('usage', f'%(prog)s {synopsis}')
        super().__init__(**options)
        self._long_helps: dict[argparse.Action, str] = {}
        self._rare: set[argparse.Action] = set()
        self._given: Sequence[str] = ()
        if self.add_help:
            self._help_all = self.add_argument(
                '--help-all', action=_HelpAll, help='show every option and exit'
            )

    def describe(self, action: argparse.Action, long_help: str, *, is_rare: bool) -> None:
        """Say of an option what ``--help-all`` tells, and whether ``--help`` leaves it out."""
        self._long_helps[action] = long_help
        if is_rare:
            self._rare.add(action)

    def format_help(self) -> str:
        """Return the help without what is rare."""
        hidden = set(self._rare)
        if self.add_help and not (hidden or self._long_helps):
            # All there is stands here.
            hidden.add(self._help_all)
        return self._formatted(dict.fromkeys(hidden, argparse.SUPPRESS))

    def format_full_help(self) -> str:
        """Return the help with everything, at length."""
        return self._formatted(self._long_helps)

    def _formatted(self, helps: dict[argparse.Action, str]) -> str:
        kept = {action: action.help for action in helps}
        try:
            for action, text in helps.items():
                action.help = text
            return super().format_help()
        finally:
            for action, before in kept.items():
                action.help = before

    def parse_whole(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        """Parse a command line, by default that of the program.

        What is no option of this command is refused with the nearest.
        """
        self._given = sys.argv[1:] if arguments is None else arguments
        parsed, unknown = self.parse_known_args(self._given)
        if unknown:
            option = next((each for each in unknown if each.startswith('-')), None)
            if option is None:
                self.error(f'{printable(unknown[0], 60)} is one name too many')
            name = option.partition('=')[0].replace('_', '-')
            known = [name for name in self._option_string_actions if name.startswith('--')]
            self.error(f'there is no option {printable(option, 60)}{nearest(name, known)}')
        return parsed

    def error(self, message: str) -> NoReturn:
        """End with a line that says what is wrong, and one that says where the options are."""
        if message.startswith('the following arguments are required'):
            # Such an option takes all names that follow it.
            greedy = [action for action in self._actions if action.nargs == '+']
            names = [name for action in greedy for name in action.option_strings]
            for name in sorted(set(self._given) & set(names)):
                message += f': write them before {name}, which takes all names that follow it'
        if empty := _NO_VALUE.fullmatch(message):
            action = self._option_string_actions[empty[1]]
            value = str(action.metavar or ' or '.join(action.choices or (action.dest,)))
            message += f': {empty[1]} {value.replace("BOOL", "true or false")}'
        message = _NUMBER.sub(_as_number, message)
        if choice := _CHOICE.search(message):
            message += nearest(choice[1], re.findall(r"[^\s',]+", choice[2]))
        self.exit(2, f'{self.prog}: {message}\nTry: {self.prog} --help\n')


def _as_number(found: re.Match[str]) -> str:
    kind = 'a whole number, such as 4' if found[1] == 'int' else 'a number, such as 0.5'
    return f'{found[2]} is not {kind}'


class _HelpAll(argparse.Action):
    """Print the whole help."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **options)

    def __call__(self, parser: Any, *_: Any) -> NoReturn:
        sys.stdout.write(parser.format_full_help())
        raise SystemExit(0)


class _ToolHelp(argparse.RawDescriptionHelpFormatter):
    """Options with one name and a narrow column, so that most of them take one line."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, max_help_position=27, **options)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Wrap paragraphs, but not examples, which are indented."""
        return '\n\n'.join(
            paragraph if '\n  ' in paragraph else textwrap.fill(paragraph, width)
            for paragraph in text.strip('\n').split('\n\n')
        )
