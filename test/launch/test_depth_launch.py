# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file: its arguments, and the programs it runs for their values.

It is launched for real. In place of the node and of ``ros2`` stand programs that note how they
were called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
import json
import logging
import os
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

import pytest
import yaml

# Not "launch" itself: beside the folder of launch files that import always succeeds.
pytest.importorskip('launch.actions', reason='launch is not installed')
pytest.importorskip('launch_ros.actions', reason='launch_ros is not installed')

from launch import LaunchDescription, LaunchService
from launch.actions import SetLaunchConfiguration
from launch_modules import module_of

from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.environment import PROFILE_VARIABLES

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILE = ROOT / 'launch' / 'depth.launch.py'
PRESETS = ROOT / 'config' / 'presets'
PROFILE = ROOT / 'config' / 'fastdds_shm.xml'

# What it may start besides, or needs for it.
OTHER_PACKAGES = ('ros2bag', 'rosbag2_storage_default_plugins', 'rosbag2_storage_mcap', 'rviz2')

# Notes its arguments, the profile variables it sees, and the parameter files, which do not
# outlive it.
NOTER = f"""#!{sys.executable}
import json, os, sys
files = [sys.argv[at + 1] for at, word in enumerate(sys.argv) if word == '--params-file']
note = {{
    'arguments': sys.argv[1:],
    'environment': {{name: os.environ.get(name, '') for name in {PROFILE_VARIABLES!r}}},
    'parameter_files': [open(file).read() for file in files],
}}
with open(os.path.join({{folder!r}}, os.path.basename(sys.argv[0]) + '.json'), 'w') as file:
    json.dump(note, file)
"""


@dataclass(frozen=True)
class Call:
    """How one program was called."""

    arguments: list[str]
    environment: dict[str, str]
    parameter_files: list[str] = field(default_factory=list)

    @property
    def remappings(self) -> dict[str, str]:
        """What follows each ``-r``, by its left side."""
        return dict(
            self.arguments[at + 1].split(':=')
            for at, word in enumerate(self.arguments)
            if word == '-r'
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters of the files, as ROS takes them.

        A later file wins over the same section. Sections count in the order in which they came.
        """
        sections: dict[str, dict[str, Any]] = {}
        for text in self.parameter_files:
            for name, section in yaml.safe_load(text).items():
                sections.setdefault(name, {}).update(section['ros__parameters'])
        return {name: value for each in sections.values() for name, value in each.items()}


@dataclass(frozen=True)
class Launched:
    """What one launch ran."""

    status: int
    node: Call | None
    ros2: Call | None
    rviz: Call | None


@pytest.fixture(scope='module')
def launch_file() -> ModuleType:
    return module_of(LAUNCH_FILE)


@pytest.fixture
def start(launch_file, tmp_path, monkeypatch) -> Callable[..., Launched]:
    """Give a function that launches with argument values, until all programs have ended."""
    prefix, programs, notes = (tmp_path / name for name in ('prefix', 'programs', 'notes'))
    markers = prefix / 'share/ament_index/resource_index/packages'
    node = prefix / 'lib/stereo_depth_node/stereo_depth_node'
    rviz = prefix / 'lib/rviz2/rviz2'
    share = prefix / 'share/stereo_depth_node'
    for folder in (markers, node.parent, rviz.parent, share, programs, notes):
        folder.mkdir(parents=True)
    for package in ('stereo_depth_node', *OTHER_PACKAGES):
        (markers / package).touch()
    (share / 'config').symlink_to(ROOT / 'config')
    for program in (node, rviz, programs / 'ros2'):
        program.write_text(NOTER.replace('{folder!r}', repr(str(notes))))
        program.chmod(0o755)
    # Nothing else, so that packages can be missing.
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(prefix))
    monkeypatch.setenv('PATH', f'{programs}{os.pathsep}{os.environ.get("PATH", "")}')
    for variable in (*PROFILE_VARIABLES, 'ROS_DISTRO'):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))

    def noted(program: str) -> Call | None:
        file = notes / f'{program}.json'
        return Call(**json.loads(file.read_text())) if file.exists() else None

    def launch(**values: str) -> Launched:
        service = LaunchService()
        service.include_launch_description(
            LaunchDescription(
                [
                    *(SetLaunchConfiguration(name, value) for name, value in values.items()),
                    *launch_file.generate_launch_description().entities,
                ]
            )
        )
        return Launched(service.run(), *map(noted, ('stereo_depth_node', 'ros2', 'rviz2')))

    # launch changes this process; monkeypatch puts it back.
    for variable in PROFILE_VARIABLES:
        monkeypatch.setenv(variable, '')
    return launch


@pytest.fixture
def bag(tmp_path) -> str:
    (tmp_path / 'recording').mkdir()
    return str(tmp_path / 'recording')


@pytest.fixture
def launch_log(caplog) -> Iterator[pytest.LogCaptureFixture]:
    """Capture what launch logs. Its logger does not propagate: before 9, pytest misses it."""
    logger = logging.getLogger('launch')
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_every_argument_is_there_and_says_what_it_is(launch_file):
    arguments = launch_file.generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in arguments} == {
        'namespace',
        'name',
        'left_image',
        'right_image',
        'left_camera_info',
        'right_camera_info',
        'stereo_image',
        'params_file',
        'preset',
        'rectify',
        'image_transport',
        'stereo_layout',
        'points',
        'managed',
        'rviz',
        'rviz_frame',
        'use_sim_time',
        'log_level',
        'respawn',
        'fastdds_profile',
        'bag',
        'bag_rate',
        'bag_loop',
    }
    for argument in arguments:
        assert argument.default_value is not None, argument.name
        assert len(argument.description) > 15, argument.name


def test_a_parameter_that_is_an_argument_says_the_same_in_both_places(launch_file):
    arguments = {
        each.name: each
        for each in launch_file.generate_launch_description().get_launch_arguments()
    }
    both = set(arguments) & set(known_parameters())
    assert both == {'rectify', 'image_transport', 'stereo_layout'}
    for name in both:
        known = known_parameters()[name]
        assert arguments[name].description.startswith(known.description)
        assert set(arguments[name].choices) == {
            '',
            *(known.choices or launch_file.BOOLEAN),
        }


@pytest.mark.parametrize(
    ('argument', 'value', 'parameter', 'expected'),
    [
        ('rectify', 'true', 'rectify', True),
        ('rectify', 'false', 'rectify', False),
        ('rectify', 'True', 'rectify', True),
        ('rectify', '0', 'rectify', False),
        ('image_transport', 'compressed', 'image_transport', 'compressed'),
        ('stereo_layout', 'top_bottom', 'stereo_layout', 'top_bottom'),
        ('points', 'xyz', 'points_color', 'none'),
        ('points', 'rgb', 'points_color', 'rgb'),
    ],
)
def test_what_a_camera_decides_wins_over_the_parameter_file(
    start, tmp_path, argument, value, parameter, expected
):
    file = tmp_path / 'mine.yaml'
    mine = {'rectify': not expected, 'stereo_layout': 'side_by_side', 'points_color': 'intensity'}
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': mine}}))
    parameters = start(**{argument: value}, params_file=str(file)).node.parameters
    assert parameters[parameter] == expected
    others = mine.keys() - {parameter}
    assert {name: parameters[name] for name in others} == {name: mine[name] for name in others}


def test_rviz_shows_what_the_node_gives_in_its_namespace(start, bag):
    launched = start(rviz='true', namespace='front', rviz_frame='left', bag=bag)
    config = Path(launched.rviz.arguments[1])
    assert launched.rviz.arguments[:4] == ['-d', str(config), '-f', 'left']
    assert config.is_file()
    assert launched.rviz.remappings['__ns'] == '/front'
    assert launched.rviz.parameters['use_sim_time'] is True
    assert start().node is not None


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('num_disparities', 'num_disparities is a parameter of the node, not an argument: put it'),
        ('left_imge', 'depth.launch.py has no argument left_imge; did you mean left_image:=?'),
        ('qwertz', 'depth.launch.py has no argument qwertz; it has bag, bag_loop'),
    ],
)
def test_an_argument_that_is_not_is_refused_with_what_was_meant(
    start, launch_log, monkeypatch, name, words
):
    """The command ``ros2 launch`` takes it without a word."""
    command = ['ros2', 'launch', 'stereo_depth_node', 'depth.launch.py', f'{name}:=1']
    monkeypatch.setattr(sys, 'argv', command)
    launched = start(**{name: '1'})
    assert launched.status == 1
    assert launched.node is None
    assert words in launch_log.text


def test_an_argument_of_a_launch_file_that_includes_this_one_is_left_alone(start, monkeypatch):
    command = ['ros2', 'launch', 'my_robot', 'robot.launch.py', 'left_imge:=1']
    monkeypatch.setattr(sys, 'argv', command)
    assert start(left_imge='1').node is not None


def test_the_node_is_managed_on_request_alone(start):
    arguments = start(managed='True').node.arguments
    assert arguments.index('--managed') < arguments.index('--ros-args')
    assert '--managed' not in start(managed='False').node.arguments


def test_rviz_does_not_start_by_itself(start):
    assert start().rviz is None


def test_without_arguments_it_starts_the_node_and_nothing_else(start):
    launched = start()
    assert launched.status == 0
    assert launched.node is not None
    assert launched.node.remappings['__node'] == 'stereo_depth_node'
    assert launched.ros2 is None


def test_name_and_namespace_are_those_of_the_node(start):
    remappings = start(namespace='front', name='depth').node.remappings
    assert remappings['__node'] == 'depth'
    assert remappings['__ns'] == '/front'


def test_a_namespace_pushed_around_it_counts_for_its_logger_too(start):
    """What PushRosNamespace does is to set ros_namespace."""
    node = start(ros_namespace='/robot', namespace='cam', log_level='debug').node
    assert node.remappings['__ns'] == '/robot/cam'
    assert 'robot.cam.stereo_depth_node:=debug' in node.arguments


@pytest.mark.parametrize(
    ('argument', 'topic'),
    [
        ('left_image', 'left/image_rect'),
        ('right_image', 'right/image_rect'),
        ('left_camera_info', 'left/camera_info'),
        ('right_camera_info', 'right/camera_info'),
        ('stereo_image', 'stereo/image_raw'),
    ],
)
def test_every_input_can_be_remapped_by_itself(start, argument, topic):
    remappings = start(**{argument: '/camera/a/b'}).node.remappings
    changed = {old: new for old, new in remappings.items() if old[0] != '_' and old != new}
    assert changed == {topic: '/camera/a/b'}
    # As a launch file around this one may have it by default.
    assert start(**{argument: ''}).node.remappings[topic] == topic


def test_the_parameter_file_reaches_the_node(start, tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**: {ros__parameters: {num_disparities: 96, block_size: 9}}')
    parameters = start(params_file=str(file)).node.parameters
    assert (parameters['num_disparities'], parameters['block_size']) == (96, 9)


@pytest.mark.parametrize(
    'text',
    [
        '/**: {ros__parameters: {num_disparities: 96, block_size: 33}}',
        (
            '/**: {ros__parameters: {num_disparities: 96}}\n'
            '/stereo_depth_node: {ros__parameters: {block_size: 33}}'
        ),
        (
            '/stereo_depth_node: {ros__parameters: {num_disparities: 96}}\n'
            '/**: {ros__parameters: {block_size: 33}}'
        ),
    ],
)
def test_a_preset_reaches_the_node_and_wins_over_the_parameter_file(start, tmp_path, text):
    file = tmp_path / 'mine.yaml'
    file.write_text(text)
    parameters = start(preset='navigation', params_file=str(file)).node.parameters
    preset = yaml.safe_load((PRESETS / 'navigation.yaml').read_text())['/**']['ros__parameters']
    assert preset.items() <= parameters.items()
    assert parameters['num_disparities'] == 96


def test_every_preset_can_be_asked_for_and_no_other(start, launch_file, launch_log):
    assert set(launch_file.PRESETS) == {path.stem for path in PRESETS.glob('*.yaml')}
    launched = start(preset='nonsense')
    assert launched.status != 0
    assert launched.node is None
    assert 'nonsense' in launch_log.text


def test_every_parameter_it_passes_is_one_that_the_node_has(start):
    parameters = start().node.parameters
    assert parameters
    assert set(parameters) <= set(known_parameters())


@pytest.mark.parametrize(
    ('argument', 'expected'), [('params_file', 'parameter file'), ('bag', 'recording')]
)
def test_a_file_that_is_not_there_is_named_and_nothing_starts(
    start, launch_log, argument, expected
):
    launched = start(**{argument: '/no/such'})
    assert launched.status != 0
    assert launched.node is None
    assert f'{argument}:=/no/such does not exist' in launch_log.text
    assert expected in launch_log.text


@pytest.mark.parametrize('argument', ['params_file', 'fastdds_profile'])
def test_a_folder_is_not_taken_for_a_file(start, launch_log, tmp_path, argument):
    """launch_ros warns of one, and starts the node without parameters."""
    assert start(**{argument: str(tmp_path)}).node is None
    assert f'{argument}:={tmp_path} is a folder: give ' in launch_log.text


@pytest.mark.parametrize(
    ('package', 'file'),
    [
        ('ros2bag', 'recording_0.mcap'),
        ('rosbag2_storage_mcap', 'recording_0.mcap'),
        ('rosbag2_storage_default_plugins', 'recording_0.db3'),
        ('rviz2', ''),
    ],
)
def test_a_package_that_is_missing_is_named_and_nothing_starts(
    start, launch_log, monkeypatch, tmp_path, bag, package, file
):
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    (tmp_path / 'prefix/share/ament_index/resource_index/packages' / package).unlink()
    values = {'rviz': 'true'} if package == 'rviz2' else {'bag': bag}
    Path(bag, file or 'none').touch()
    launched = start(**values)
    assert launched.status != 0
    assert (launched.node, launched.ros2, launched.rviz) == (None, None, None)
    assert f'needs the package {package}, which is not installed' in launch_log.text
    assert f'sudo apt install ros-jazzy-{package.replace("_", "-")}' in launch_log.text


@pytest.mark.parametrize(
    ('value', 'expected'), [('true', True), ('True', True), ('false', False), ('False', False)]
)
def test_use_sim_time_is_passed_as_a_boolean(start, value, expected):
    assert start(use_sim_time=value).node.parameters['use_sim_time'] is expected


def test_use_sim_time_is_left_to_launch_and_parameter_files_around(start, tmp_path):
    """Parameters of the node itself would win over SetParameter."""
    assert 'use_sim_time' not in start().node.parameters
    file = tmp_path / 'mine.yaml'
    file.write_text('/**: {ros__parameters: {use_sim_time: true}}')
    assert start(params_file=str(file)).node.parameters['use_sim_time'] is True


def test_a_bag_is_played_with_its_clock_and_the_node_takes_it(start, bag):
    launched = start(bag=bag)
    assert launched.ros2.arguments == ['bag', 'play', bag, '--clock', '--rate', '1.0']
    assert launched.node.parameters['use_sim_time'] is True


def test_speed_and_repetition_reach_the_playback(start, bag):
    arguments = start(bag=bag, bag_rate='0.5', bag_loop='true').ros2.arguments
    assert arguments[-3:] == ['--rate', '0.5', '--loop']


def test_real_time_can_be_kept_beside_a_bag(start, bag):
    assert start(bag=bag, use_sim_time='false').node.parameters['use_sim_time'] is False


@pytest.mark.parametrize(
    ('distribution', 'variable'),
    [
        ('humble', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
        ('jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
        ('kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'),
        ('rolling', 'FASTDDS_DEFAULT_PROFILES_FILE'),
    ],
)
def test_node_and_playback_get_room_for_images(start, monkeypatch, bag, distribution, variable):
    monkeypatch.setenv('ROS_DISTRO', distribution)
    launched = start(bag=bag)
    for call in (launched.node, launched.ros2):
        set_here = {name: value for name, value in call.environment.items() if value}
        assert set_here == {variable: str(PROFILE)}


def test_the_profile_can_be_turned_off(start):
    assert not any(start(fastdds_profile='False').node.environment.values())


def test_another_profile_can_be_given(start, tmp_path):
    file = tmp_path / 'profile.xml'
    file.touch()
    assert str(file) in start(fastdds_profile=str(file)).node.environment.values()


@pytest.mark.parametrize('variable', PROFILE_VARIABLES)
def test_a_profile_of_the_user_stays(start, monkeypatch, variable):
    monkeypatch.setenv(variable, '/home/me/profile.xml')
    environment = start().node.environment
    assert {name: value for name, value in environment.items() if value} == {
        variable: '/home/me/profile.xml'
    }


def test_the_log_level_is_that_of_the_node_alone(start):
    assert (
        'front.depth:=debug'
        in start(namespace='/front', name='depth', log_level='debug').node.arguments
    )
    assert 'depth:=warn' in start(name='depth', log_level='warn').node.arguments
