# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a stereo camera to Nav2: depth and cloud, the camera's frames, a scan, costmap layers.

All arguments of depth.launch.py are arguments here. What each part needs and why its parameters
are what they are: docs/navigation.md.
"""

from collections.abc import Mapping
import math
import os
from pathlib import Path
import re
import sys
import tempfile
from typing import Any

from ament_index_python.packages import get_package_share_directory, PackageNotFoundError
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnShutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node, SetParameter
from launch_ros.substitutions import FindPackageShare
from launch_ros.utilities import prefix_namespace
import yaml

from stereo_depth_node.core.settings import known_parameters
from stereo_depth_node.core.settings.names import check_launch_arguments

PACKAGE = 'stereo_depth_node'
TRUE = ['true', 'True', '1']
BOOLEAN = [*TRUE, 'false', 'False', '0']
# Costmap layer -> parameters, and the package that has it besides Nav2.
LAYERS = {
    'voxel': ('nav2_voxel_layer.yaml', ''),
    'obstacle': ('nav2_obstacle_layer.yaml', ''),
    'stvl': ('nav2_stvl.yaml', 'spatio_temporal_voxel_layer'),
}
COSTMAP = ('local_costmap', 'local_costmap')
# What stands in Nav2's own parameters for its zones, off unless asked for -> argument of Nav2.
ZONES = {'KEEPOUT_ZONE_ENABLED': 'use_keepout_zones', 'SPEED_ZONE_ENABLED': 'use_speed_zones'}
# From a frame with x forward to the optical one, z forward (REP 103).
OPTICAL_RPY = '-1.570796327 0 -1.570796327'


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions follow from their values."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'optical_frame',
                default_value='',
                description='Frame of the outputs, to be placed by a static transform at '
                'camera_xyz and camera_rpy; empty where the camera driver or the URDF places '
                'the frame of the left images',
            ),
            DeclareLaunchArgument(
                'camera_frame',
                default_value='stereo_camera',
                description='Frame at the left camera with x forward, z up: parent of '
                'optical_frame, and frame of the scan',
            ),
            DeclareLaunchArgument(
                'base_frame', default_value='base_link', description='Frame of the robot'
            ),
            DeclareLaunchArgument(
                'camera_xyz',
                default_value='0 0 0',
                description='Position of the left camera in base_frame, metres, in quotes',
            ),
            DeclareLaunchArgument(
                'camera_rpy',
                default_value='0 0 0',
                description='Roll, pitch and yaw of camera_frame in base_frame, radians, in '
                'quotes; a pitch above 0 looks down',
            ),
            DeclareLaunchArgument(
                'scan',
                default_value='false',
                choices=BOOLEAN,
                description='Also a LaserScan, by depthimage_to_laserscan',
            ),
            DeclareLaunchArgument(
                'scan_params',
                default_value=_in_package('config', 'depthimage_to_laserscan.yaml'),
                description='Parameters of depthimage_to_laserscan',
            ),
            DeclareLaunchArgument(
                'nav2',
                default_value='false',
                choices=BOOLEAN,
                description='Also start Nav2, with the cloud as obstacles in its local costmap '
                'and in its collision monitor',
            ),
            DeclareLaunchArgument(
                'nav2_params',
                default_value='',
                description='Parameter file of your Nav2, to which costmap layer and collision '
                'monitor are added; empty takes that of nav2_bringup',
            ),
            DeclareLaunchArgument(
                'layer',
                default_value='voxel',
                choices=list(LAYERS),
                description='Costmap layer that takes the cloud',
            ),
            # These two have another default here than in depth.launch.py.
            DeclareLaunchArgument(
                'preset', default_value='navigation', description='Settings for a purpose'
            ),
            DeclareLaunchArgument(
                'params_file',
                default_value=_in_package('config', 'navigation.yaml'),
                description='Parameters of the node, as a ROS parameter file',
            ),
            _depth(),
            OpaqueFunction(function=_actions),
        ]
    )


def _in_package(*parts: str) -> PathJoinSubstitution:
    return PathJoinSubstitution([FindPackageShare(PACKAGE), *parts])


def _depth() -> GroupAction:
    """Start the node, with the frame that is placed here as the frame of its outputs."""
    frame = LaunchConfiguration('optical_frame')
    is_placed = IfCondition(PythonExpression(["'", frame, "' != ''"]))
    # By its path, so that "ros2 launch --show-args" lists its arguments.
    depth = PythonLaunchDescriptionSource(str(Path(__file__).with_name('depth.launch.py')))
    return GroupAction(
        [SetParameter('frame_id', frame, condition=is_placed), IncludeLaunchDescription(depth)]
    )


def _actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    value = context.launch_configurations
    # Nav2 has more arguments, which may be given here.
    if value['nav2'] not in TRUE:
        check_launch_arguments(
            sys.argv,
            __file__,
            [each.name for each in generate_launch_description().get_launch_arguments()],
            known_parameters(),
        )
    actions: list[LaunchDescriptionEntity] = []
    if value['optical_frame']:
        _check_frame(value['optical_frame'], Path(value['params_file']).expanduser())
        actions += _frames(value)
    if value['scan'] in TRUE:
        actions.append(_scan(value))
    if value['nav2'] in TRUE:
        actions += _nav2(context)
    return actions


def _check_frame(frame: str, path: Path) -> None:
    """Refuse a parameter file with another frame, which would win: TF would place an empty one."""
    text = path.read_text(encoding='utf-8') if path.exists() else ''
    given = re.search(r'^\s*frame_id: *(.*)$', text, re.MULTILINE)
    if given and given[1].strip().strip('"\'') != frame:
        raise ValueError(
            f'optical_frame:={frame}, but {path} sets frame_id to {given[1]}: take that line out'
        )


def _frames(value: Mapping[str, str]) -> list[LaunchDescriptionEntity]:
    placed = [
        (value['base_frame'], value['camera_frame'], value['camera_xyz'], value['camera_rpy']),
        (value['camera_frame'], value['optical_frame'], '0 0 0', OPTICAL_RPY),
    ]
    return [
        Node(
            package='tf2_ros',
            executable='static_transform_publisher',
            name=f'place_{child.strip("/").replace("/", "_")}',
            arguments=[
                *_named(('x', 'y', 'z'), xyz, 'camera_xyz'),
                *_named(('roll', 'pitch', 'yaw'), rpy, 'camera_rpy'),
                *('--frame-id', parent, '--child-frame-id', child),
            ],
        )
        for parent, child, xyz, rpy in placed
    ]


def _named(names: tuple[str, ...], numbers: str, argument: str) -> list[str]:
    """Return the options of three numbers, checked here: the publisher says less."""
    given = numbers.replace(',', ' ').split()
    if len(given) != len(names) or not all(map(_is_number, given)):
        raise ValueError(f'{argument}:="{numbers}": give {len(names)} numbers, {", ".join(names)}')
    return [
        word for name, number in zip(names, given, strict=True) for word in (f'--{name}', number)
    ]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _scan(value: Mapping[str, str]) -> Node:
    _share('depthimage_to_laserscan', 'scan:=true')
    return Node(
        package='depthimage_to_laserscan',
        executable='depthimage_to_laserscan_node',
        namespace=value.get('namespace', ''),
        parameters=[value['scan_params'], {'output_frame': value['camera_frame']}],
        remappings=[
            ('depth', 'depth/image_rect'),
            ('depth_camera_info', 'depth/camera_info'),
        ],
    )


def _nav2(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Start Nav2 with its own parameters and ours in one file, as it takes only one."""
    value = context.launch_configurations
    bringup = _share('nav2_bringup', 'nav2:=true')
    overlay, package = LAYERS[value['layer']]
    if package:
        _share(package, f'layer:={value["layer"]}')
    path = Path(value['nav2_params'] or Path(bringup, 'params', 'nav2_params.yaml')).expanduser()
    if not path.exists():
        raise FileNotFoundError(
            f'nav2_params:={path} does not exist: give a parameter file of Nav2'
        )
    text = path.read_text(encoding='utf-8')
    # In the file of Kilted and later; its navigation_launch.py does not fill them in.
    for placeholder, argument in ZONES.items():
        text = text.replace(placeholder, value.get(argument, 'false').lower())
    merged = yaml.safe_load(text)
    namespace = prefix_namespace(value.get('ros_namespace'), value.get('namespace', '')) or ''
    points = '/'.join(['', *filter(None, namespace.split('/')), 'points2'])
    config = Path(FindPackageShare(PACKAGE).perform(context), 'config')
    for name in (overlay, 'nav2_collision_monitor.yaml'):
        text = (config / name).read_text(encoding='utf-8')
        ours = yaml.safe_load(text.replace('/points2', points))
        _leave_out(ours, merged)
        merged = with_added(merged, ours)
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(merged, file)
    nav2 = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(bringup, 'launch', 'navigation_launch.py'))),
        launch_arguments={
            'params_file': file.name,
            'use_sim_time': 'true' if _is_simulated(value) else 'false',
            # That given here is of the camera; one pushed around this file is of the robot.
            'namespace': value.get('ros_namespace', ''),
        }.items(),
    )
    return [
        GroupAction([nav2]),
        RegisterEventHandler(OnShutdown(on_shutdown=lambda *_: os.unlink(file.name))),
    ]


def _leave_out(ours: Any, theirs: Any) -> None:
    """Leave out of ours where the robot stops and what inflates, if theirs have their own."""
    monitor = _parameters(ours, 'collision_monitor')
    if _parameters(theirs, 'collision_monitor').get('polygons'):
        for polygon in monitor.pop('polygons', []):
            del monitor[polygon]
    costmap = _parameters(theirs, *COSTMAP)
    inflating = [
        name
        for name in costmap.get('plugins') or []
        if 'InflationLayer' in str((costmap.get(name) or {}).get('plugin'))
    ]
    added = _parameters(ours, *COSTMAP)
    if added and inflating:
        added['plugins'] = ['stereo_layer', *inflating]
        del added['inflation_layer']


def _parameters(file: Any, *node: str) -> dict[str, Any]:
    """Return the parameters of a node in a parameter file; empty where there are none."""
    for name in (*node, 'ros__parameters'):
        file = (file or {}).get(name)
    return file or {}


def with_added(theirs: Any, ours: Any) -> Any:
    """Return parameters with ours added: what they have stays, lists of names get longer."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return {**theirs, **{key: with_added(theirs.get(key), ours[key]) for key in ours}}
    if isinstance(theirs, list) and isinstance(ours, list):
        return [name for name in theirs if name not in ours] + ours
    return ours if theirs is None else theirs


def _is_simulated(value: Mapping[str, str]) -> bool:
    given = value.get('use_sim_time', 'auto')
    return bool(value.get('bag')) if given == 'auto' else given in TRUE


def _share(package: str, argument: str) -> str:
    """Return the folder of a package, or say what has to be installed for an argument."""
    try:
        return str(get_package_share_directory(package))
    except PackageNotFoundError:
        distribution = os.environ.get('ROS_DISTRO', '$ROS_DISTRO')
        raise RuntimeError(
            f'{argument} needs the package {package}, which is not installed: '
            f'sudo apt install ros-{distribution}-{package.replace("_", "-")}'
        ) from None
