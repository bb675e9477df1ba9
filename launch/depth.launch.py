# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Start the stereo depth node, and on request rviz and the recording it is to work on.

Parameters of the node are in its parameter file. The arguments here concern the graph: names,
topics, time, middleware, playback; and the few parameters that depend on the camera.
"""

from collections.abc import Mapping
import os
from pathlib import Path
import sys
from typing import Any

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare
from launch_ros.utilities import prefix_namespace
import yaml

from stereo_depth_node.core.settings import known_parameters
from stereo_depth_node.core.settings.names import check_launch_arguments
from stereo_depth_node.environment import fast_dds_environment

PACKAGE = 'stereo_depth_node'
TRUE = ['true', 'True', '1']
BOOLEAN = [*TRUE, 'false', 'False', '0']
PRESETS = ['navigation', 'fast', 'balanced', 'accurate']

# Launch argument -> topic of the node.
INPUT_TOPICS = {
    'left_image': 'left/image_rect',
    'right_image': 'right/image_rect',
    'left_camera_info': 'left/camera_info',
    'right_camera_info': 'right/camera_info',
    'stereo_image': 'stereo/image_raw',
}
# Parameters of the node that are arguments, too: what depends on the camera.
PARAMETERS = ('rectify', 'image_transport', 'stereo_layout')
# Value of points -> points_color.
POINTS = {'xyz': 'none', 'intensity': 'intensity', 'rgb': 'rgb'}
# End of a recording's files -> the package that reads them.
STORAGES = {'.mcap': 'rosbag2_storage_mcap', '.db3': 'rosbag2_storage_default_plugins'}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions follow from their values."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'namespace', default_value='', description='Namespace of the node and its topics'
            ),
            DeclareLaunchArgument('name', default_value=PACKAGE, description='Name of the node'),
            *(
                DeclareLaunchArgument(
                    argument,
                    default_value=topic,
                    description=f'Topic to take for {topic}; relative to the namespace unless '
                    'it begins with "/"',
                )
                for argument, topic in INPUT_TOPICS.items()
            ),
            DeclareLaunchArgument(
                'params_file',
                default_value=PathJoinSubstitution(
                    [FindPackageShare(PACKAGE), 'config', 'depth.yaml']
                ),
                description='Parameters of the node, as a ROS parameter file',
            ),
            DeclareLaunchArgument(
                'preset',
                default_value='',
                choices=['', *PRESETS],
                description='Settings for a purpose, from config/presets; they win over those of '
                'params_file. None by default',
            ),
            *(
                DeclareLaunchArgument(
                    name,
                    default_value='',
                    choices=['', *(known_parameters()[name].choices or BOOLEAN)],
                    description=f'{known_parameters()[name].description} It wins over '
                    'params_file, which holds by default',
                )
                for name in PARAMETERS
            ),
            DeclareLaunchArgument(
                'points',
                default_value='',
                choices=['', *POINTS],
                description='What the points of points2 carry (points_color): only x, y and z, '
                'or the grey value or colour, too. It wins over params_file',
            ),
            DeclareLaunchArgument(
                'managed',
                default_value='false',
                choices=BOOLEAN,
                description='Start it as a lifecycle node, to be configured and activated, as '
                'the lifecycle manager of Nav2 does',
            ),
            DeclareLaunchArgument(
                'rviz',
                default_value='false',
                choices=BOOLEAN,
                description='Also start rviz with image, disparity, depth and cloud',
            ),
            DeclareLaunchArgument(
                'rviz_frame',
                default_value='left_camera_optical_frame',
                description='Fixed frame of rviz: frame_id of the left images, or any that tf '
                'connects with it',
            ),
            DeclareLaunchArgument(
                'use_sim_time',
                default_value='auto',
                choices=['auto', *BOOLEAN],
                description='Take the time from /clock; auto: when a recording is played, else as '
                'params_file or a launch file around this one have it',
            ),
            DeclareLaunchArgument(
                'log_level',
                default_value='info',
                choices=['debug', 'info', 'warn', 'error', 'fatal'],
                description='Least severity of what the node logs',
            ),
            DeclareLaunchArgument(
                'respawn',
                default_value='false',
                choices=BOOLEAN,
                description='Start the node again when its process ends',
            ),
            DeclareLaunchArgument(
                'fastdds_profile',
                default_value='true',
                description='Fast DDS profile of the processes started here: true for the one of '
                'this package, which lets large images through shared memory; false for none; '
                'or the path of another. A profile set in the environment wins',
            ),
            DeclareLaunchArgument(
                'bag', default_value='', description='Path of a recording to play to the node'
            ),
            DeclareLaunchArgument(
                'bag_rate',
                default_value='1.0',
                description='Speed of playback; 2 is twice as fast',
            ),
            DeclareLaunchArgument(
                'bag_loop',
                default_value='false',
                choices=BOOLEAN,
                description='Play the recording again and again',
            ),
            OpaqueFunction(function=_actions),
        ]
    )


def _actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    value = context.launch_configurations
    check_launch_arguments(
        sys.argv,
        __file__,
        [each.name for each in generate_launch_description().get_launch_arguments()],
        known_parameters(),
    )
    return [
        *_middleware(context),
        *_playback(value),
        _node(context, _preset(context)),
        *_rviz(context),
    ]


def _middleware(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    profile = context.launch_configurations['fastdds_profile']
    if profile.lower() in TRUE:
        variables = fast_dds_environment(context.environment)
    elif profile.lower() in BOOLEAN:
        variables = {}
    else:
        variables = fast_dds_environment(
            context.environment,
            _existing('fastdds_profile', profile, 'true, false, or a file'),
        )
    return [SetEnvironmentVariable(name, path) for name, path in variables.items()]


def _preset(context: LaunchContext) -> list[Any]:
    preset = context.launch_configurations['preset']
    if not preset:
        return []
    folder = os.path.join(FindPackageShare(PACKAGE).perform(context), 'config', 'presets')
    path = _existing('preset', os.path.join(folder, f'{preset}.yaml'), ', '.join(PRESETS))
    # As those of the node, too: a section of params_file for it would win over one for all nodes.
    content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    return [path, content['/**']['ros__parameters']]


def _node(context: LaunchContext, preset: list[Any]) -> Node:
    value = context.launch_configurations
    given = {name: value[name] for name in PARAMETERS if value[name]}
    if value['points']:
        given['points_color'] = POINTS[value['points']]
    # The level is for this node's logger alone: at "debug" the middleware drowns it otherwise.
    namespace = prefix_namespace(value.get('ros_namespace'), value['namespace']) or ''
    logger = '.'.join([*namespace.strip('/').split('/'), value['name']]).lstrip('.')
    return Node(
        package=PACKAGE,
        executable=PACKAGE,
        namespace=value['namespace'],
        name=value['name'],
        parameters=[
            _existing('params_file', value['params_file'], 'a ROS parameter file'),
            *preset,
            *([{name: _parsed(text) for name, text in given.items()}] if given else []),
            *_clock(value),
        ],
        remappings=[(topic, value[argument] or topic) for argument, topic in INPUT_TOPICS.items()],
        arguments=[
            *(['--managed'] if value['managed'] in TRUE else []),
            *('--ros-args', '--log-level', f'{logger}:={value["log_level"]}'),
        ],
        respawn=value['respawn'] in TRUE,
        respawn_delay=2.0,
        output='screen',
        emulate_tty=True,
    )


def _playback(value: dict[str, str]) -> list[LaunchDescriptionEntity]:
    if not value['bag']:
        return []
    bag = _existing('bag', value['bag'], 'a recording of ros2 bag', may_be_folder=True)
    _require('ros2bag', 'bag')
    for storage in _storages(Path(bag)):
        _require(storage, 'bag')
    loop = ['--loop'] if value['bag_loop'] in TRUE else []
    return [
        ExecuteProcess(
            cmd=['ros2', 'bag', 'play', bag, '--clock', '--rate', value['bag_rate'], *loop],
            output='screen',
        )
    ]


def _storages(bag: Path) -> set[str]:
    """Return the packages that read the files of a recording."""
    files = bag.iterdir() if bag.is_dir() else [bag]
    return {STORAGES[file.suffix] for file in files if file.suffix in STORAGES}


def _rviz(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    value = context.launch_configurations
    if value['rviz'] not in TRUE:
        return []
    _require('rviz2', 'rviz')
    config = os.path.join(FindPackageShare(PACKAGE).perform(context), 'config', 'depth.rviz')
    return [
        Node(
            package='rviz2',
            executable='rviz2',
            name=f'{value["name"]}_rviz',
            namespace=value['namespace'],
            arguments=['-d', config, '-f', value['rviz_frame']],
            parameters=_clock(value),
            output='log',
        )
    ]


def _clock(value: Mapping[str, str]) -> list[dict[str, bool]]:
    """Return use_sim_time where it is decided here: a launch file around this one may set it."""
    given = value['use_sim_time']
    if given == 'auto' and not value['bag']:
        return []
    return [{'use_sim_time': given == 'auto' or given in TRUE}]


def _parsed(text: str) -> bool | str:
    return text in TRUE if text in BOOLEAN else text


def _require(package: str, argument: str) -> None:
    """Say what has to be installed for an argument."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        distribution = os.environ.get('ROS_DISTRO', '$ROS_DISTRO')
        raise RuntimeError(
            f'{argument}:= needs the package {package}, which is not installed: '
            f'sudo apt install ros-{distribution}-{package.replace("_", "-")}'
        ) from None


def _existing(argument: str, path: str, expected: str, *, may_be_folder: bool = False) -> str:
    path = os.path.expanduser(path)
    is_folder = os.path.isdir(path)
    if not os.path.exists(path) or (is_folder and not may_be_folder):
        reason = 'is a folder' if is_folder else 'does not exist'
        raise FileNotFoundError(f'{argument}:={path} {reason}: give {expected}')
    return path
