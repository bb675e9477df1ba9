# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Options that several tools have: settings, sizes of images, numbers above 0."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import textwrap

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.images.layouts import LAYOUTS
from stereo_depth_node.core.settings.parameter import Parameter, Value
from stereo_depth_node.core.settings.params_file import constraint_of, load_settings
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.offline.parser import ToolParser

__all__ = [
    'add_layout_option',
    'add_settings_options',
    'parse_size',
    'parsed_setting',
    'positive',
    'settings_from',
]

_PREFIX = 'setting_'
# Of 80 columns, behind the names of the options.
_SUMMARY_WIDTH = 51
_SUMMARIES = {
    'algorithm': 'bm is fast, sgbm finds more',
    'min_disparity': 'smallest disparity searched, px',
    'num_disparities': 'disparities searched, px, a multiple of 16',
    'block_size': 'side of the block compared, px, odd',
    'uniqueness_ratio': 'margin of the best match over others, %',
    'disp12_max_diff': 'left-right check: largest difference, px',
    'speckle_window_size': 'remove islands of up to so many pixels',
    'speckle_range': 'largest step inside of an island, px',
    'fill_left_band': 'match the left border, too',
    'median_size': 'median of 3 or 5 px; 0 is off',
    'min_depth': 'nearer is unknown, m',
    'max_depth': 'farther is unknown, m; 0 is no limit',
    'rectify': 'the images are raw, rectify them',
    'downscale': 'reduce the images by 1, 2 or 4 first',
    'sync_tolerance': 'largest difference of the stamps, s',
}
_METAVARS: dict[type, str] = {bool: 'BOOL', int: 'N', float: 'X', str: 'NAME'}
_TRUTHS = {'true': True, 'false': False}


def add_settings_options(parser: ToolParser, *common: str, several: bool = False) -> None:
    """Add ``--params FILE``, ``--set NAME=VALUE`` and an option for each setting.

    Parameters
    ----------
    parser : ToolParser
        Of one of the tools. Settings whose names it has already keep to ``--set``.
    *common : str
        Settings that are in the short help.
    several : bool
        Whether ``--params`` can be given more than once.
    """
    group = parser.add_argument_group('settings, those of the node')
    group.add_argument(
        '--params',
        action='append' if several else 'store',
        default=[] if several else None,
        metavar='FILE',
        help='parameter file of the node (YAML)' + ('; several are compared' if several else ''),
    )
    group.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='one setting; each has its option, too (--help-all)',
    )
    for known in known_parameters().values():
        option = f'--{known.name.replace("_", "-")}'
        if option in parser._option_string_actions:
            continue
        constraint = f'({constraint_of(known)}; default {_default(known)})'
        action = group.add_argument(
            option,
            dest=f'{_PREFIX}{known.name}',
            metavar=_METAVARS.get(known.type, 'X'),
            help=_escaped(f'{_summary(known)} [{_default(known)}]'),
        )
        parser.describe(
            action,
            _escaped(f'{known.description} {constraint}'),
            is_rare=known.name not in common,
        )


def add_layout_option(parser: argparse._ActionsContainer, text: str) -> None:
    """Add ``--layout side-by-side`` or ``top-bottom``, whose value is one of `LAYOUTS`.

    Parameters
    ----------
    parser : argparse.ArgumentParser or group
        Of one of the tools.
    text : str
        Its help.
    """
    parser.add_argument(
        '--layout',
        type=lambda name: name.replace('-', '_'),
        choices=tuple(LAYOUTS),
        metavar='{side-by-side,top-bottom}',
        help=text,
    )


def _summary(known: Parameter) -> str:
    """Return what a setting does in a few words, so that the help takes a line for it."""
    text = _SUMMARIES.get(known.name, known.description)
    room = _SUMMARY_WIDTH - len(f' [{_default(known)}]')
    return textwrap.shorten(text, room, placeholder='...')


def _default(known: Parameter) -> str:
    if isinstance(known.default, bool):
        return str(known.default).lower()
    return str(known.default) if known.default != '' else 'none'


def _escaped(text: str) -> str:
    """Return a text for argparse, which fills in what follows a percent sign."""
    return text.replace('%', '%%')


def settings_from(arguments: argparse.Namespace) -> Settings:
    """Return the settings of a command line.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of a parser that went through :func:`add_settings_options`.

    Raises
    ------
    SettingsError
        If a setting is unknown or impossible.
    InputError
        If the parameter file cannot be used.
    """
    base = load_settings(arguments.params) if arguments.params else Settings()
    shorthands = [
        f'{name.removeprefix(_PREFIX)}={value}'
        for name, value in vars(arguments).items()
        if name.startswith(_PREFIX) and value is not None
    ]
    return base.merged(_parsed([*arguments.set, *shorthands]))


def parsed_setting(known: Parameter, text: str) -> Value:
    """Return the value that a text stands for.

    Raises
    ------
    SettingsError
        If it is none for this setting.
    """
    value: object = text
    if known.type is bool:
        value = _TRUTHS.get(text.lower(), text)
    elif known.type is not str:
        for number in (int, float):
            try:
                value = number(text)
                break
            except ValueError:
                continue
    return known.parse(value)


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``, in pixels; a ``type`` of argparse."""
    width, separator, height = text.partition('x')
    if not separator or not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f'{text!r} is not WIDTHxHEIGHT, such as 640x480')
    return int(width), int(height)


def positive(kind: type[int | float]) -> Callable[[str], float]:
    """Return what reads a number above 0; a ``type`` of argparse."""

    def number(text: str) -> float:
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f'{text} is not above 0')
        return value

    number.__name__ = kind.__name__  # argparse names it where a text is no number
    return number


def _parsed(assignments: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for assignment in assignments:
        name, separator, text = assignment.partition('=')
        name = name.strip().replace('-', '_')
        if not separator:
            raise SettingsError(f'--set {assignment}: write NAME=VALUE, as in num_disparities=128')
        known = known_parameters().get(name)
        # Unknown names are refused by Settings, which lists the known ones.
        values[name] = text if known is None else parsed_setting(known, text.strip())
    return values
