# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What was meant by a name that nothing has: misspelt, of another stereo node, or out of place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
import difflib
from itertools import pairwise
from pathlib import Path
import re

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.text_files import printable

__all__ = [
    'QOS_POLICIES',
    'STEREO_IMAGE_PROC_NAMES',
    'advice_on_name',
    'advice_on_qos_override',
    'check_launch_arguments',
]

#: What qos_overrides can change of a publisher or a subscription.
QOS_POLICIES = ('history', 'depth', 'reliability', 'durability')

#: What is set here in place of parameters of stereo_image_proc.
STEREO_IMAGE_PROC_NAMES = {
    'stereo_algorithm': 'algorithm (0 is bm, 1 is sgbm)',
    'full_dp': 'algorithm (sgbm_hh in place of sgbm)',
    'sgbm_mode': 'algorithm (0 is sgbm, 1 sgbm_hh, 2 sgbm_3way, 3 sgbm_hh4)',
    'prefilter_size': 'pre_filter_size',
    'prefilter_cap': 'pre_filter_cap',
    'correlation_window_size': 'block_size',
    'disparity_range': 'num_disparities',
    'speckle_size': 'speckle_window_size',
    'P1': 'p1',
    'P2': 'p2',
    'approximate_sync': 'sync_tolerance (0 is exact)',
    'approximate_sync_tolerance_seconds': 'sync_tolerance',
    'use_system_default_qos': 'qos_overrides',
    'use_image_transport_camera_info': 'nothing (remap left/camera_info and right/camera_info)',
    'use_color': 'points_color',
    'avoid_point_cloud_padding': 'nothing',
}
# Nearer than this by difflib's measure is a misspelling; below, names have just letters in common.
_SIMILAR = 0.7


def advice_on_name(name: str, known: Collection[str]) -> str:
    """Say what to set in place of a parameter that does not exist.

    Parameters
    ----------
    name : str
        What came. Keys of nested maps are joined by points, as ROS does it.
    known : collection of str
        The names of the parameters that there are.
    """
    parent, is_nested, _ = name.partition('.')
    if is_nested and parent in known:
        return f'{name}: {parent} takes a value, not a map; write {parent} with its value'
    if name in STEREO_IMAGE_PROC_NAMES:
        ours = STEREO_IMAGE_PROC_NAMES[name]
        return (
            f'{name} is a parameter of stereo_image_proc: set {ours} instead '
            '(stereo_depth migrate converts its files)'
        )
    snake_case = re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', parent).lower()
    near = difflib.get_close_matches(snake_case, known, 1, _SIMILAR)
    if near:
        return f'there is no setting {name}: did you mean {near[0]}?'
    return f'there is no setting {name}: docs/parameters.md lists those that there are'


def check_launch_arguments(
    command: Sequence[str],
    file: str | Path,
    arguments: Collection[str],
    parameters: Collection[str],
) -> None:
    """Refuse an argument that ``ros2 launch`` would pass over in silence.

    Parameters
    ----------
    command : sequence of str
        The command line of this program.
    file : str or Path
        The launch file. Where the command names another one, which includes this one, its
        arguments may be for that one.
    arguments, parameters : collection of str
        The names of those that the launch file and the node have.

    Raises
    ------
    SettingsError
        There is no such argument. The text says what to give instead.
    """
    file = Path(file)
    paths = [Path(word).resolve() for word in command if Path(word).name == file.name]
    if ('stereo_depth_node', file.name) not in pairwise(command) and file.resolve() not in paths:
        return
    for name, is_argument, _ in (word.partition(':=') for word in command):
        if not is_argument or name in arguments:
            continue
        if name in parameters:
            raise SettingsError(
                f'{name} is a parameter of the node, not an argument: put it into the file that '
                'params_file:= names, or set it with ros2 param set while the node runs'
            )
        near = difflib.get_close_matches(name, arguments, 1, _SIMILAR)
        meant = f'did you mean {near[0]}:=?' if near else f'it has {", ".join(sorted(arguments))}'
        raise SettingsError(f'{file.name} has no argument {printable(name)}; {meant}')


def advice_on_qos_override(name: str, topics: Mapping[str, str]) -> str:
    """Say why a parameter qos_overrides changes nothing; empty when it is one that does.

    Parameters
    ----------
    name : str
        What came, such as ``qos_overrides./disparity.publisher.depth``.
    topics : mapping of str to str
        The topics of the node by their full names: 'publisher' or 'subscription'.
    """
    parts = name.partition('.')[2].rsplit('.', 2)
    if len(parts) != 3:
        return f'{name}: write qos_overrides.TOPIC.publisher.POLICY, or subscription'
    topic, kind, policy = parts
    if topic not in topics:
        near = difflib.get_close_matches(f'/{topic.lstrip("/")}', topics, 1, _SIMILAR)
        meant = f'did you mean {near[0]}?' if near else f'it has {", ".join(topics)}'
        return f'{name}: this node takes no overrides of a topic {topic}; {meant}'
    if kind != topics[topic]:
        ours = topics[topic]
        return f'{name}: of this topic the node has a {ours}, write qos_overrides.{topic}.{ours}'
    if policy not in QOS_POLICIES:
        near = difflib.get_close_matches(policy, QOS_POLICIES, 1, _SIMILAR)
        meant = f'did you mean {near[0]}?' if near else f'possible are {", ".join(QOS_POLICIES)}'
        return f'{name}: there is no policy {policy} to override; {meant}'
    return ''
