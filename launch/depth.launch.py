# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Start the stereo depth node, and on request the recording it is to work on.

What the node can be told is in its parameter file. Here stands only what concerns the graph:
names, topics, time, middleware, playback.
"""

import os

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

from stereo_depth_node.environment import fast_dds_environment

PACKAGE = 'stereo_depth_node'
BOOLEAN = ['true', 'false']
PRESETS = ['navigation', 'fast', 'balanced', 'accurate']

# Launch argument -> topic of the node.
INPUT_TOPICS = {
    'left_image': 'left/image_rect',
    'right_image': 'right/image_rect',
    'left_camera_info': 'left/camera_info',
    'right_camera_info': 'right/camera_info',
}


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
            DeclareLaunchArgument(
                'use_sim_time',
                default_value='auto',
                choices=['auto', *BOOLEAN],
                description='Take the time from /clock; auto: when a recording is played',
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
    return [*_middleware(context), _node(value, _preset(context)), *_playback(value)]


def _middleware(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    profile = context.launch_configurations['fastdds_profile']
    if profile.lower() == 'false':
        return []
    if profile.lower() == 'true':
        variables = fast_dds_environment(context.environment)
    else:
        variables = fast_dds_environment(
            context.environment, _existing('fastdds_profile', profile, 'true, false, or a file')
        )
    return [SetEnvironmentVariable(name, path) for name, path in variables.items()]


def _preset(context: LaunchContext) -> list[str]:
    preset = context.launch_configurations['preset']
    if not preset:
        return []
    folder = os.path.join(FindPackageShare(PACKAGE).perform(context), 'config', 'presets')
    return [_existing('preset', os.path.join(folder, f'{preset}.yaml'), ', '.join(PRESETS))]


def _node(value: dict[str, str], preset: list[str]) -> Node:
    sim_time = value['use_sim_time']
    # The level is for this node's logger alone: at "debug" the middleware drowns it otherwise.
    logger = '.'.join([*value['namespace'].strip('/').split('/'), value['name']]).lstrip('.')
    return Node(
        package=PACKAGE,
        executable=PACKAGE,
        namespace=value['namespace'],
        name=value['name'],
        parameters=[
            _existing('params_file', value['params_file'], 'a ROS parameter file'),
            *preset,
            {'use_sim_time': bool(value['bag']) if sim_time == 'auto' else sim_time == 'true'},
        ],
        remappings=[(topic, value[argument]) for argument, topic in INPUT_TOPICS.items()],
        arguments=['--ros-args', '--log-level', f'{logger}:={value["log_level"]}'],
        respawn=value['respawn'] == 'true',
        respawn_delay=2.0,
        output='screen',
        emulate_tty=True,
    )


def _playback(value: dict[str, str]) -> list[LaunchDescriptionEntity]:
    if not value['bag']:
        return []
    bag = _existing('bag', value['bag'], 'a recording of ros2 bag')
    loop = ['--loop'] if value['bag_loop'] == 'true' else []
    return [
        ExecuteProcess(
            cmd=['ros2', 'bag', 'play', bag, '--clock', '--rate', value['bag_rate'], *loop],
            output='screen',
        )
    ]


def _existing(argument: str, path: str, expected: str) -> str:
    path = os.path.expanduser(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f'{argument}:={path} does not exist: give {expected}')
    return path
