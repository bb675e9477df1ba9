# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the parameters of stereo_image_proc are here.

Facts are those of its versions 3.0.4 (Humble), 4.0.1 (Iron) and 5.0.1 (Jazzy), what its changelog
says up to 7.1.3 (Rolling), and those of the OpenCV matchers that it hands them to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import dataclasses
import math
from typing import Any

from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.parameter import Value
from stereo_depth_node.core.settings.params_file import NOT_SETTINGS
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['NODES', 'Conversion', 'OldParameters', 'nodes_that_have']

_BOTH_NODES: dict[str, Value] = {
    'approximate_sync': False,
    'approximate_sync_tolerance_seconds': 0.0,
    'image_transport': 'raw',
    'queue_size': 5,
    'use_system_default_qos': False,
}
_DISPARITY_NODE: dict[str, Value] = {
    'stereo_algorithm': 0,
    'sgbm_mode': 0,
    'full_dp': False,
    'prefilter_size': 9,
    'prefilter_cap': 31,
    'correlation_window_size': 15,
    'min_disparity': 0,
    'disparity_range': 64,
    'texture_threshold': 10,
    'uniqueness_ratio': 15.0,
    'disp12_max_diff': 0,
    'P1': 200.0,
    'P2': 400.0,
    'speckle_size': 100,
    'speckle_range': 4,
    'use_image_transport_camera_info': True,
    **_BOTH_NODES,
}
_POINT_CLOUD_NODE: dict[str, Value] = {
    'use_color': True,
    'avoid_point_cloud_padding': False,
    **_BOTH_NODES,
}

NODES: Mapping[str, Mapping[str, Value]] = {
    'disparity_node': _DISPARITY_NODE,
    'point_cloud_node': _POINT_CLOUD_NODE,
}
"""The nodes, and their parameters in all versions, with their defaults."""
_ALL_NAMES = {*_DISPARITY_NODE, *_POINT_CLOUD_NODE}
# By these a section is recognised whatever the node is called.
_DISTINCT = {
    'disparity_node': _DISPARITY_NODE.keys()
    - _POINT_CLOUD_NODE.keys()
    - known_parameters().keys(),
    'point_cloud_node': _POINT_CLOUD_NODE.keys() - _DISPARITY_NODE.keys(),
}
_LARGEST = {'stereo_algorithm': 1, 'sgbm_mode': 3}
# What sgbm_mode 0 to 3 is here.
_SGBM_MODES = ('sgbm', 'sgbm_hh', 'sgbm_3way', 'sgbm_hh4')
_LARGEST_SGBM_BLOCK = 21


@dataclasses.dataclass
class OldParameters:
    """What a file has for one stereo camera.

    Attributes
    ----------
    given : dict
        Parameters by node, of the types that they have there.
    kept : dict
        What is a node's own business, and the same here.
    notes : list of str
        What could not be taken, and why.
    """

    given: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    kept: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    def add(self, node: str, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a node."""
        values = self.given.setdefault(node, {})
        for name, value in parameters.items():
            if name in NOT_SETTINGS:
                self.kept[name] = value
            elif name not in _ALL_NAMES:
                self.notes.append(f'{printable(name, 60)}: not a parameter of stereo_image_proc')
            elif name in NODES[node]:
                default = NODES[node][name]
                if _is_possible(name, value, default):
                    values[name] = value
                else:
                    self.notes.append(
                        f'{name}: {printable(value, 60)}: impossible there too; taken is its '
                        f'default {default!r}'
                    )


class Conversion:
    """Settings with which our node computes what stereo_image_proc computed.

    Parameters
    ----------
    old : OldParameters
        Of one stereo camera. Where one is not given and the defaults differ, that of
        stereo_image_proc counts.

    Attributes
    ----------
    settings : dict
        Value, and what it comes from, by the name of the setting.
    kept, notes :
        Those of `old`, and what has no counterpart and why.
    """

    def __init__(self, old: OldParameters) -> None:
        self.notes = old.notes
        self.kept = old.kept
        self.settings: dict[str, tuple[Value, str]] = {}
        self._given: Mapping[str, Any] = {}
        self._defaults: Mapping[str, Value] = {}
        for node, convert in (
            ('disparity_node', self._convert_disparity_node),
            ('point_cloud_node', self._convert_point_cloud_node),
        ):
            if node in old.given:
                self._given, self._defaults = old.given[node], NODES[node]
                convert()

    def _convert_disparity_node(self) -> None:
        is_sgbm = self._old('stereo_algorithm') == 1
        self._algorithm(is_sgbm=is_sgbm)
        self._set('pre_filter_cap', 'prefilter_cap')
        self._set(
            'pre_filter_size',
            'prefilter_size',
            note='without effect, there and here, as the pre-filter is xsobel',
        )
        self._block_size(is_sgbm=is_sgbm)
        self._set('min_disparity', 'min_disparity')
        self._set('num_disparities', 'disparity_range')
        self._set('texture_threshold', 'texture_threshold')
        self._set('uniqueness_ratio', 'uniqueness_ratio', int)
        if is_sgbm:
            self._set('disp12_max_diff', 'disp12_max_diff')
            self._penalties()
        else:
            self._leave_out(
                'disp12_max_diff', 'block matching is not checked there; here -1, the default'
            )
            for name in ('P1', 'P2'):
                self._leave_out(name, 'for semi-global matching alone')
        self._speckles(is_sgbm=is_sgbm)
        self._input()

    def _algorithm(self, *, is_sgbm: bool) -> None:
        source = 'full_dp' if 'full_dp' in self._given else 'sgbm_mode'
        if not is_sgbm:
            self._set('algorithm', 'stereo_algorithm', ('bm', 'sgbm').__getitem__)
            self._leave_out(source, 'for stereo_algorithm 1 alone')
        else:
            self._set('algorithm', source, _SGBM_MODES.__getitem__)

    def _block_size(self, *, is_sgbm: bool) -> None:
        size = self._old('correlation_window_size')
        if is_sgbm and size > _LARGEST_SGBM_BLOCK:
            self._set(
                'block_size',
                'correlation_window_size',
                lambda _: _LARGEST_SGBM_BLOCK,
                note=f'semi-global matching takes {_LARGEST_SGBM_BLOCK} at most: larger blocks '
                'overflow its sums; 3 to 11 suit it best',
            )
        else:
            self._set('block_size', 'correlation_window_size')

    def _penalties(self) -> None:
        """Take P1 and P2 as OpenCV does: less than 1 is 2 and 5, and P2 is above P1."""
        p1, p2 = int(self._old('P1')), int(self._old('P2'))
        small = p1 if p1 > 0 else 2
        large = max(p2 if p2 > 0 else 5, small + 1)
        note = 'what OpenCV makes of it'
        self._set('p1', 'P1', lambda _: small, note='' if small == p1 else note)
        self._set('p2', 'P2', lambda _: large, note='' if large == p2 else note)

    def _speckles(self, *, is_sgbm: bool) -> None:
        self._set('speckle_window_size', 'speckle_size')
        if is_sgbm:
            self._set('speckle_range', 'speckle_range')
        else:
            self._set(
                'speckle_range',
                'speckle_range',
                lambda value: math.ceil(value / DISPARITY_SCALE),
                note=f'1/{DISPARITY_SCALE} px there with block matching, px here: rounded up',
            )

    def _input(self) -> None:
        tolerance = self._old('approximate_sync_tolerance_seconds')
        if not self._old('approximate_sync'):
            self._set('sync_tolerance', 'approximate_sync', lambda _: 0.0, note='equal stamps')
            self._leave_out('approximate_sync_tolerance_seconds', 'for approximate_sync alone')
        elif tolerance > 0.0:
            self._set('sync_tolerance', 'approximate_sync_tolerance_seconds')
        else:
            self._set(
                'sync_tolerance',
                'approximate_sync',
                lambda _: known_parameters()['sync_tolerance'].default,
                note='no limit there; here a pair is never farther apart than this',
            )
        self._set('queue_size', 'queue_size')
        transport = self._old('image_transport')
        if transport in known_parameters()['image_transport'].choices:
            self._set('image_transport', 'image_transport')
        else:
            self._leave_out(
                'image_transport', 'here raw or compressed: put "image_transport republish" before'
            )
        self._leave_out('use_system_default_qos', 'set the profile of a topic by qos_overrides')
        self._leave_out(
            'use_image_transport_camera_info', 'here camera_info is remapped by itself, always'
        )

    def _convert_point_cloud_node(self) -> None:
        self._set('points_color', 'use_color', lambda value: 'rgb' if value else 'none')
        reason = 'as point_cloud_node has it; costmaps need no more than false, which has no NaN'
        self.settings['points_organized'] = (True, reason)
        self._leave_out('avoid_point_cloud_padding', 'there is no padding here')
        for name in _BOTH_NODES:
            self._leave_out(name, 'of point_cloud_node: here one node matches and gives the cloud')

    def _old(self, name: str) -> Any:
        return self._given.get(name, self._defaults[name])

    def _shown(self, name: str) -> str:
        value = self._old(name)
        shown = str(value).lower() if isinstance(value, bool) else printable(value, 60)
        return shown if name in self._given else f'{shown}, its default'

    def _set(
        self,
        name: str,
        source: str,
        change: Callable[[Any], Value] = lambda value: value,
        *,
        note: str = '',
    ) -> None:
        """Take a parameter over, if it was given or its default is not ours."""
        known = known_parameters()[name]
        reason = f'{source}: {self._shown(source)}' + (f' ({note})' if note else '')
        try:
            value = known.parse(change(self._old(source)))
        except SettingsError as error:
            self.notes.append(f'{reason}: {error}')
            return
        if source in self._given or value != known.default:
            self.settings[name] = (value, reason)

    def _leave_out(self, name: str, reason: str) -> None:
        """Say why a parameter that was given has no counterpart."""
        if name in self._given:
            self.notes.append(f'{name}: {self._shown(name)}: {reason}')


def nodes_that_have(parameters: Mapping[str, Any]) -> list[str]:
    """Return the nodes that alone have one of these parameters."""
    return [node for node, names in _DISTINCT.items() if names & parameters.keys()]


def _is_possible(name: str, value: Any, default: Value) -> bool:
    """Say whether the type of a value fits, and whether a number stands for something."""
    if isinstance(default, float):
        # rclcpp takes no 200 for a 200.0, but what is meant is clear.
        return type(value) is int or (isinstance(value, float) and math.isfinite(value))
    if type(value) is not type(default):
        return False
    return name not in _LARGEST or value in range(_LARGEST[name] + 1)
