# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Options that several tools have: settings, and sizes of images."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.parameter import Parameter, Value
from stereo_depth_node.core.settings.params_file import constraint_of, load_settings
from stereo_depth_node.core.settings.settings import known_parameters, Settings

__all__ = ['add_settings_options', 'parse_size', 'parsed_setting', 'settings_from']

_PREFIX = 'setting_'
_TRUTHS = {'true': True, 'false': False}


def add_settings_options(parser: argparse.ArgumentParser, *shorthands: str) -> None:
    """Add ``--params FILE``, ``--set NAME=VALUE`` and an option for each of `shorthands`.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of one of the tools.
    *shorthands : str
        Settings that can also be set by an option of their own name, such as
        ``--num-disparities 128``.
    """
    group = parser.add_argument_group('settings, those of the node')
    group.add_argument('--params', metavar='FILE', help='parameter file of the node (YAML)')
    group.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='one setting, after those of the file; see docs/parameters.md for all',
    )
    for name in shorthands:
        known = known_parameters()[name]
        # argparse fills in what follows a percent sign.
        values = constraint_of(known).replace('%', '%%')
        group.add_argument(
            f'--{name.replace("_", "-")}',
            dest=f'{_PREFIX}{name}',
            metavar='VALUE',
            help=f'same as --set {name}=... ({values}, default {known.default})',
        )


def settings_from(arguments: argparse.Namespace, **defaults: Value) -> Settings:
    """Return the settings of a command line.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of a parser that went through :func:`add_settings_options`.
    **defaults : bool, int, float or str
        What holds, other than in the node, where neither file nor option says something.

    Raises
    ------
    SettingsError
        If a setting is unknown or impossible.
    InputError
        If the parameter file cannot be used.
    """
    base = load_settings(arguments.params) if arguments.params else Settings().merged(defaults)
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
