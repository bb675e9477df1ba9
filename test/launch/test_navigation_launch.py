# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""navigation.launch.py, launched for real with programs that note how they were called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import json
import logging
import os
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip('launch.actions', reason='launch is not installed')
pytest.importorskip('launch_ros.actions', reason='launch_ros is not installed')

from launch import LaunchDescription, LaunchService
from launch.actions import SetLaunchConfiguration
from launch_modules import module_of

from stereo_depth_node.environment import PROFILE_VARIABLES

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILE = ROOT / 'launch' / 'navigation.launch.py'

NOTER = """#!{python}
import json, os, sys
files = [sys.argv[at + 1] for at, word in enumerate(sys.argv) if word == '--params-file']
note = {{'program': os.path.basename(sys.argv[0]), 'arguments': sys.argv[1:],
        'profiles': [os.environ.get(name) for name in {variables!r}],
        'parameter_files': [open(file).read() for file in files]}}
with open(os.path.join({folder!r}, str(os.getpid()) + '.json'), 'w') as file:
    json.dump(note, file)
"""
# Stands for nav2_bringup's.
NAV2_LAUNCH = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def generate_launch_description():
    values = {name: LaunchConfiguration(name) for name in ('namespace', 'use_sim_time')}
    return LaunchDescription([
        DeclareLaunchArgument('namespace', default_value='nothing'),
        DeclareLaunchArgument('use_sim_time', default_value='nothing'),
        DeclareLaunchArgument('params_file', default_value='nothing'),
        Node(package='nav2_bringup', executable='nav2',
             arguments=[['namespace:', values['namespace']],
                        ['use_sim_time:', values['use_sim_time']]],
             parameters=[LaunchConfiguration('params_file')]),
    ])
"""
NAV2_PARAMS = """
local_costmap:
  local_costmap:
    ros__parameters:
      width: 3
      plugins: [voxel_layer, inflation_layer]
      inflation_layer: {plugin: "nav2_costmap_2d::InflationLayer", inflation_radius: 0.7}
collision_monitor:
  ros__parameters:
    observation_sources: [scan]
    scan: {type: scan, topic: scan}
    polygons: [FootprintApproach]
    FootprintApproach: {type: polygon, action_type: approach, min_points: 9}
controller_server: {ros__parameters: {controller_frequency: 20.0}}
"""
PROGRAMS = {
    'stereo_depth_node': 'stereo_depth_node',
    'tf2_ros': 'static_transform_publisher',
    'depthimage_to_laserscan': 'depthimage_to_laserscan_node',
    'nav2_bringup': 'nav2',
}


class Calls:
    """How the programs were called."""

    def __init__(self, status: int, folder: Path) -> None:
        self.status = status
        self._notes = [json.loads(path.read_text()) for path in folder.iterdir()]

    def arguments(self, program: str) -> list[list[str]]:
        """Return the arguments of each call of a program."""
        return [note['arguments'] for note in self._notes if note['program'] == program]

    def parameters(self, program: str) -> dict[str, Any]:
        """Return what the parameter files of the only call of a program have, a later one wins."""
        (note,) = (note for note in self._notes if note['program'] == program)
        found: dict[str, Any] = {}
        for text in note['parameter_files']:
            for section in yaml.safe_load(text).values():
                found.update(section['ros__parameters'])
        return found

    def profiles(self, program: str) -> list[str]:
        """Return the Fast DDS profiles that the only call of a program was given."""
        (note,) = (note for note in self._notes if note['program'] == program)
        return [path for path in note['profiles'] if path]

    def nav2_file(self) -> Any:
        """Return the content of the parameter file of Nav2."""
        (note,) = (note for note in self._notes if note['program'] == 'nav2')
        return yaml.safe_load(note['parameter_files'][-1])


@pytest.fixture(scope='module')
def launch_file() -> ModuleType:
    return module_of(LAUNCH_FILE)


@pytest.fixture
def start(launch_file: ModuleType, tmp_path: Path, monkeypatch: Any) -> Callable[..., Calls]:
    """Give a function that launches with arguments, with all packages but those named missing."""
    notes = tmp_path / 'notes'
    notes.mkdir()
    for variable in PROFILE_VARIABLES:
        monkeypatch.setenv(variable, '')
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))

    def launch(missing: str = '', **values: str) -> Calls:
        prefix = tmp_path / 'prefix'
        for package, program in PROGRAMS.items():
            if package != missing:
                marker = prefix / 'share/ament_index/resource_index/packages' / package
                path = prefix / 'lib' / package / program
                for file in (marker, path):
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.touch()
                path.write_text(
                    NOTER.format(
                        python=sys.executable, folder=str(notes), variables=PROFILE_VARIABLES
                    )
                )
                path.chmod(0o755)
                (prefix / 'share' / package).mkdir(exist_ok=True)
        (prefix / 'share/stereo_depth_node/config').symlink_to(ROOT / 'config')
        for name, text in (
            ('launch/navigation_launch.py', NAV2_LAUNCH),
            ('params/nav2_params.yaml', NAV2_PARAMS),
        ):
            path = prefix / 'share/nav2_bringup' / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
        monkeypatch.setenv(
            'AMENT_PREFIX_PATH', f'{prefix}{os.pathsep}{os.environ.get("AMENT_PREFIX_PATH", "")}'
        )
        service = LaunchService()
        service.include_launch_description(
            LaunchDescription(
                [
                    *(SetLaunchConfiguration(name, value) for name, value in values.items()),
                    *launch_file.generate_launch_description().entities,
                ]
            )
        )
        return Calls(service.run(), notes)

    return launch


@pytest.fixture
def launch_log(caplog: Any) -> Iterator[Any]:
    """Capture what launch logs."""
    logger = logging.getLogger('launch')
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_every_argument_says_what_it_is(launch_file: ModuleType) -> None:
    arguments = launch_file.generate_launch_description().get_launch_arguments()
    names = [argument.name for argument in arguments]
    # Those of depth.launch.py are seen, too, as "ros2 launch --show-args" shows them.
    assert {'optical_frame', 'scan', 'nav2', 'layer', 'left_image', 'bag'} <= set(names)
    for argument in arguments:
        assert argument.default_value is not None, argument.name
        assert len(argument.description) > 15, argument.name


def test_alone_it_starts_the_node_with_preset_and_settings_for_navigation(start: Any) -> None:
    calls = start()
    assert calls.status == 0
    parameters = calls.parameters('stereo_depth_node')
    for name in ('navigation.yaml', 'presets/navigation.yaml'):
        content = yaml.safe_load((ROOT / 'config' / name).read_text())
        assert content['/**']['ros__parameters'].items() <= parameters.items()
    assert not any('frame_id' in word for word in calls.arguments('stereo_depth_node')[0])
    assert calls.profiles('stereo_depth_node') == [str(ROOT / 'config' / 'fastdds_shm.xml')]
    for program in ('static_transform_publisher', 'depthimage_to_laserscan_node', 'nav2'):
        assert calls.arguments(program) == []


def test_the_arguments_of_depth_launch_are_taken(start: Any) -> None:
    (arguments,) = start(left_image='/cam/left', preset='fast').arguments('stereo_depth_node')
    assert 'left/image_rect:=/cam/left' in arguments
    assert any(word.endswith('presets/fast.yaml') for word in arguments)


def test_the_optical_frame_is_placed_as_rep_103_has_it(start: Any) -> None:
    """A point 2 m before, 0.5 m to the right of and 0.25 m below the camera, in base_link."""
    calls = start(optical_frame='left_optical', camera_xyz='0.2 0.06 0.4', camera_rpy='0 0 1.5708')
    placed = {}
    for arguments in calls.arguments('static_transform_publisher'):
        value = dict(zip(arguments[::2], arguments[1::2], strict=False))
        rpy = [float(value[f'--{name}']) for name in ('roll', 'pitch', 'yaw')]
        xyz = [float(value[f'--{name}']) for name in 'xyz']
        placed[value['--frame-id'], value['--child-frame-id']] = (rotation(*rpy), np.array(xyz))
    assert set(placed) == {('base_link', 'stereo_camera'), ('stereo_camera', 'left_optical')}
    point = np.array([0.5, 0.25, 2.0])
    for edge in (('stereo_camera', 'left_optical'), ('base_link', 'stereo_camera')):
        turn, shift = placed[edge]
        point = turn @ point + shift
    # The camera looks to the left: forward is +y, its right is +x.
    np.testing.assert_allclose(point, [0.2 + 0.5, 0.06 + 2.0, 0.4 - 0.25], atol=1e-4)
    assert 'frame_id:=left_optical' in calls.arguments('stereo_depth_node')[0]


def rotation(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """Return Rz(yaw) Ry(pitch) Rx(roll), which tf2's setRPY makes."""
    (cr, cp, cy), (sr, sp, sy) = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def test_a_scan_comes_from_depth_with_the_frame_that_has_x_forward(start: Any) -> None:
    calls = start(scan='True', namespace='front', camera_frame='front_camera')
    (arguments,) = calls.arguments('depthimage_to_laserscan_node')
    assert '__ns:=/front' in arguments
    assert 'depth:=depth/image_rect' in arguments
    assert 'depth_camera_info:=depth/camera_info' in arguments
    assert calls.parameters('depthimage_to_laserscan_node')['output_frame'] == 'front_camera'


@pytest.mark.parametrize('layer', ['voxel', 'obstacle'])
def test_nav2_gets_its_own_parameters_with_ours_added(start: Any, layer: str) -> None:
    calls = start(nav2='true', layer=layer, use_sim_time='true', namespace='/front')
    assert calls.arguments('nav2')[0][:2] == ['namespace:', 'use_sim_time:true']
    merged = calls.nav2_file()
    costmap = merged['local_costmap']['local_costmap']['ros__parameters']
    assert costmap['plugins'] == ['voxel_layer', 'stereo_layer', 'inflation_layer']
    assert costmap['width'] == 3
    assert costmap['inflation_layer']['inflation_radius'] == 0.7
    added = yaml.safe_load((ROOT / 'config' / f'nav2_{layer}_layer.yaml').read_text())
    ours = added['local_costmap']['local_costmap']['ros__parameters']['stereo_layer']
    assert costmap['stereo_layer'].keys() == ours.keys()
    assert costmap['stereo_layer']['stereo_mark']['topic'] == '/front/points2'
    monitor = merged['collision_monitor']['ros__parameters']
    assert monitor['observation_sources'] == ['scan', 'stereo']
    assert monitor['stereo']['topic'] == '/front/points2'
    assert monitor['polygons'] == ['FootprintApproach']
    assert monitor['FootprintApproach']['min_points'] == 9
    assert merged['controller_server'] == {'ros__parameters': {'controller_frequency': 20.0}}


def test_nav2_inflates_by_its_own_layer_alone(start: Any, tmp_path: Path) -> None:
    path = tmp_path / 'nav2.yaml'
    path.write_text(NAV2_PARAMS.replace('inflation_layer', 'inflation'))
    merged = start(nav2='true', nav2_params=str(path)).nav2_file()
    costmap = merged['local_costmap']['local_costmap']['ros__parameters']
    assert costmap['plugins'] == ['voxel_layer', 'stereo_layer', 'inflation']
    assert 'inflation_layer' not in costmap


def test_nav2_is_in_a_namespace_pushed_around_and_finds_the_cloud(start: Any) -> None:
    """What PushRosNamespace does is to set ros_namespace."""
    calls = start(nav2='True', ros_namespace='/robot', namespace='front/')
    assert 'namespace:/robot' in calls.arguments('nav2')[0]
    merged = calls.nav2_file()
    costmap = merged['local_costmap']['local_costmap']['ros__parameters']
    assert costmap['stereo_layer']['stereo_mark']['topic'] == '/robot/front/points2'


@pytest.mark.parametrize(
    ('given', 'expected'), [({}, False), ({'use_keepout_zones': 'True'}, True)]
)
def test_zones_of_nav2_are_off_unless_asked_for(
    start: Any, tmp_path: Path, given: dict[str, str], expected: bool
) -> None:
    """The file of Kilted has a placeholder, which a node would refuse as no boolean."""
    path = tmp_path / 'nav2.yaml'
    filters = 'keepout_filter: {enabled: KEEPOUT_ZONE_ENABLED}'
    path.write_text(NAV2_PARAMS.replace('width: 3', f'width: 3\n      {filters}'))
    merged = start(nav2='true', nav2_params=str(path), **given).nav2_file()
    costmap = merged['local_costmap']['local_costmap']['ros__parameters']
    assert costmap['keepout_filter'] == {'enabled': expected}


def test_nav2_stops_where_its_own_polygons_say(start: Any, tmp_path: Path) -> None:
    path = tmp_path / 'nav2.yaml'
    path.write_text(NAV2_PARAMS.replace('FootprintApproach', 'PolygonStop'))
    calls = start(nav2='true', nav2_params=str(path))
    monitor = calls.nav2_file()['collision_monitor']['ros__parameters']
    assert monitor['observation_sources'] == ['scan', 'stereo']
    assert monitor['polygons'] == ['PolygonStop']
    assert 'FootprintApproach' not in monitor


@pytest.mark.parametrize(
    ('missing', 'values', 'said'),
    [
        ('depthimage_to_laserscan', {'scan': 'true'}, 'scan:=true needs the package depthimage'),
        ('nav2_bringup', {'nav2': 'true'}, 'nav2:=true needs the package nav2_bringup'),
        ('', {'nav2': 'true', 'layer': 'stvl'}, 'ros-jazzy-spatio-temporal-voxel-layer'),
        ('', {'nav2': 'true', 'nav2_params': '/no/such'}, 'nav2_params:=/no/such does not exist'),
        ('', {'optical_frame': 'a', 'camera_xyz': '0 1'}, 'camera_xyz:="0 1": give 3 numbers'),
        ('', {'layer': 'voxels'}, 'voxels'),
        (
            '',
            {'optical_frame': 'a', 'params_file': str(ROOT / 'config' / 'depth.yaml')},
            "depth.yaml sets frame_id to '': take that line out",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_remedy(
    start: Any, launch_log: Any, monkeypatch: Any, missing: str, values: Any, said: str
) -> None:
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    assert start(missing, **values).status != 0
    assert said in launch_log.text


@pytest.fixture
def misspelt(monkeypatch: Any) -> None:
    """Launch by a command with a misspelt argument."""
    command = ['ros2', 'launch', 'stereo_depth_node', 'navigation.launch.py', 'camera_xzy:=0 0 1']
    monkeypatch.setattr(sys, 'argv', command)


@pytest.mark.usefixtures('misspelt')
def test_an_argument_that_is_not_is_refused_with_what_was_meant(
    start: Any, launch_log: Any
) -> None:
    assert start().status != 0
    assert 'no argument camera_xzy; did you mean camera_xyz:=?' in launch_log.text


@pytest.mark.usefixtures('misspelt')
def test_an_argument_that_nav2_may_have_is_left_to_it(start: Any) -> None:
    assert start(nav2='true').arguments('nav2')


def test_arguments_of_depth_launch_are_not_refused(start: Any, monkeypatch: Any) -> None:
    command = ['ros2', 'launch', 'stereo_depth_node', 'navigation.launch.py', 'left_image:=/left']
    monkeypatch.setattr(sys, 'argv', command)
    assert start(left_image='/left').arguments('stereo_depth_node')
