# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is taken away: the settings as a parameter file, and results as the tool writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.parameter import Changes, Parameter, Value
from stereo_depth_node.core.settings.params_file import load_settings, render_params_file
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.environment import shared_file
from stereo_depth_node.offline.files.outputs import ComputedPair, KINDS, METRIC_KINDS
from stereo_depth_node.offline.files.writing import write_file
from stereo_depth_node.studio.result import Result

__all__ = [
    'EXPORTS',
    'LAUNCH_LINE',
    'OutputFolder',
    'changes_for_node',
    'exported',
    'kinds_of',
    'preset',
    'presets',
]

_PARAMS, _LAUNCH = 'params.yaml', 'launch.sh'
EXPORTS = (_PARAMS, _LAUNCH, *KINDS)
"""Names of the files that there are."""

LAUNCH_LINE = f'ros2 launch stereo_depth_node depth.launch.py params_file:={_PARAMS}'
"""Starts the node with the file."""

_COMMENT = f"""\
Found with stereo_depth studio: {{name}}. Only what differs from the defaults.
{LAUNCH_LINE}"""
# What a preset leaves as it is: what the camera decides.
_OF_THE_CAMERA = ('min_disparity', 'num_disparities', 'matcher_backend')
_GROUPS_OF_PRESETS = ('Matching', 'Filters')


def kinds_of(result: Result) -> list[str]:
    """Return the files that can be made of a result: without calibration there is no depth."""
    has_depth = result.pipeline.geometry is not None
    return [name for name in EXPORTS if has_depth or name not in METRIC_KINDS]


def exported(result: Result, name: str) -> bytes:
    """Return the content of one of the files of :func:`kinds_of`."""
    if name == _PARAMS:
        comment = _COMMENT.format(name=result.frame.scene.name)
        return render_params_file(result.settings, comment=comment, changed=True).encode()
    if name == _LAUNCH:
        return f'#!/bin/sh\ncd "$(dirname "$0")" && exec {LAUNCH_LINE}\n'.encode()
    with result.lock:
        return KINDS[name](ComputedPair(result.frame.title, result.settings, result.pipeline))


@dataclass(frozen=True)
class OutputFolder:
    """Where files can be saved on the machine of the studio.

    Attributes
    ----------
    path : Path
        The folder; it is made when the first file is.
    overwrite : bool
        Replace what is there.
    """

    path: Path
    overwrite: bool = False

    def save(self, result: Result, name: str) -> Path:
        """Write a file of `EXPORTS`, and return where it is.

        Raises
        ------
        InputError
            If it exists and may not be overwritten, or cannot be written.
        """
        path = self.path / name
        write_file(path, exported(result, name), overwrite=self.overwrite)
        return path


def presets() -> dict[str, Path]:
    """Return the presets that are installed, by name."""
    try:
        folder = shared_file('config/depth.yaml').parent / 'presets'
    except InputError:
        return {}
    return {path.stem: path for path in sorted(folder.glob('*.yaml'))}


def preset(path: Path, now: Settings) -> Settings:
    """Return the settings of a preset, with those of `now` that depend on camera and robot.

    Raises
    ------
    InputError, SettingsError
        If it cannot be used.
    """
    kept = {
        known.name: getattr(now, known.name)
        for known in known_parameters().values()
        if known.name in _OF_THE_CAMERA or not _says_how_to_match(known)
    }
    return load_settings(path).merged(kept)


def changes_for_node(settings: Settings, values: Mapping[str, Value]) -> Changes:
    """Return what is to be changed for a node to match as with some settings.

    What depends on camera and robot, such as `rectify` or the limits of depth, is left as it is
    there unless it was set here: it is not as by default.

    Parameters
    ----------
    settings : Settings
        Those wanted.
    values : mapping of str to value
        The parameters that the node has now.
    """
    return {
        known.name: value
        for known in known_parameters().values()
        if (value := getattr(settings, known.name)) != values.get(known.name)
        and (_says_how_to_match(known) or value != known.default)
    }


def _says_how_to_match(known: Parameter) -> bool:
    is_region = known.name.startswith('roi_')
    return (known.group in _GROUPS_OF_PRESETS and not is_region) or known.name == 'downscale'
