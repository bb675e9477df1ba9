# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter in config for navigation is one that the package declares that it is for.

The lists hold what the sources declare: ROS ignores any other name without a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import Settings

CONFIG = Path(__file__).resolve().parents[2] / 'config'
COSTMAP_FILES = ('nav2_voxel_layer', 'nav2_obstacle_layer', 'nav2_stvl')

# ros-navigation/navigation2: those in Humble (1.1.20, 3c3db59d) as in main (1.5.0, a3a97043).
COSTMAP = {
    *('always_send_full_costmap', 'filters', 'footprint', 'footprint_padding', 'global_frame'),
    *('height', 'lethal_cost_threshold', 'origin_x', 'origin_y', 'plugins', 'publish_frequency'),
    *('resolution', 'robot_base_frame', 'robot_radius', 'rolling_window', 'track_unknown_space'),
    *('transform_tolerance', 'trinary_costmap', 'unknown_cost_value', 'update_frequency'),
    *('use_maximum', 'width'),
}
OBSTACLE = {
    *('plugin', 'enabled', 'footprint_clearing_enabled', 'min_obstacle_height'),
    *('max_obstacle_height', 'combination_method', 'observation_sources'),
}
OBSTACLE_SOURCE = {
    *('topic', 'sensor_frame', 'observation_persistence', 'expected_update_rate', 'data_type'),
    *('min_obstacle_height', 'max_obstacle_height', 'inf_is_valid', 'marking', 'clearing'),
    *('obstacle_max_range', 'obstacle_min_range', 'raytrace_max_range', 'raytrace_min_range'),
}
# Humble's has no min_obstacle_height.
VOXEL = (OBSTACLE - {'min_obstacle_height'}) | {
    *('z_voxels', 'origin_z', 'z_resolution', 'unknown_threshold', 'mark_threshold'),
    'publish_voxel_map',
}
INFLATION = {
    *('plugin', 'enabled', 'inflation_radius', 'cost_scaling_factor', 'inflate_unknown'),
    'inflate_around_unknown',
}
# Those in Jazzy (1.3.13, f4108e5b) as in main. Humble has max_points in place of min_points.
COLLISION_MONITOR = {
    *('base_frame_id', 'odom_frame_id', 'cmd_vel_in_topic', 'cmd_vel_out_topic', 'state_topic'),
    *('transform_tolerance', 'source_timeout', 'base_shift_correction', 'stop_pub_timeout'),
    *('polygons', 'observation_sources', 'use_realtime_priority'),
}
POLYGON = {
    *('type', 'action_type', 'enabled', 'min_points', 'max_points', 'slowdown_ratio'),
    *('linear_limit', 'angular_limit', 'time_before_collision', 'simulation_time_step'),
    *('visualize', 'polygon_pub_topic', 'polygon_subscribe_transient_local'),
    *('polygon_sub_topic', 'footprint_topic', 'sources_names', 'points'),
}
CLOUD_SOURCE = {
    *('type', 'topic', 'enabled', 'source_timeout', 'min_height', 'max_height', 'min_range'),
    'use_global_height',
}
# SteveMacenski/spatio_temporal_voxel_layer, ros2 (2.2.0, 403d9ed7).
STVL = {
    *('plugin', 'observation_sources', 'transform_tolerance', 'enabled', 'publish_voxel_map'),
    *('voxel_size', 'combination_method', 'mark_threshold', 'update_footprint_enabled'),
    *('track_unknown_space', 'decay_model', 'voxel_decay', 'mapping_mode', 'map_save_duration'),
}
STVL_SOURCE = {
    *('topic', 'sensor_frame', 'observation_persistence', 'expected_update_rate', 'data_type'),
    *('min_obstacle_height', 'max_obstacle_height', 'inf_is_valid', 'marking', 'clearing'),
    *('obstacle_range', 'min_z', 'max_z', 'vertical_fov_angle', 'vertical_fov_padding'),
    *('horizontal_fov_angle', 'decay_acceleration', 'filter', 'voxel_min_points'),
    *('clear_after_reading', 'enabled', 'model_type'),
}
# ros-perception/depthimage_to_laserscan, ros2 (2.5.1, 79b60bf1).
LASERSCAN = {'scan_time', 'range_min', 'range_max', 'scan_height', 'output_frame'}

PLUGINS = {
    'nav2_costmap_2d::InflationLayer': (INFLATION, set()),
    'nav2_costmap_2d::ObstacleLayer': (OBSTACLE, OBSTACLE_SOURCE),
    'nav2_costmap_2d::VoxelLayer': (VOXEL, OBSTACLE_SOURCE),
    'spatio_temporal_voxel_layer/SpatioTemporalVoxelLayer': (STVL, STVL_SOURCE),
}


def parameters_in(name: str, *nodes: str) -> dict[str, Any]:
    content = yaml.safe_load((CONFIG / f'{name}.yaml').read_text(encoding='utf-8'))
    for node in nodes:
        assert list(content) == [node]
        content = content[node]
    parameters: dict[str, Any] = content['ros__parameters']
    return parameters


def unknown(parameters: dict[str, Any], known: set[str], blocks: list[str]) -> set[str]:
    """Return the names that are neither known parameters nor named blocks of them."""
    return parameters.keys() - known - set(blocks)


def costmap_parameters(name: str) -> dict[str, Any]:
    return parameters_in(name, 'local_costmap', 'local_costmap')


def test_costmap_layers_and_their_sources_take_every_parameter() -> None:
    for name in COSTMAP_FILES:
        costmap = costmap_parameters(name)
        assert unknown(costmap, COSTMAP, costmap['plugins']) == set(), name
        for layer in costmap['plugins']:
            known, of_sources = PLUGINS[costmap[layer]['plugin']]
            sources = costmap[layer].get('observation_sources', '').split()
            assert unknown(costmap[layer], known, sources) == set(), (name, layer)
            for source in sources:
                assert unknown(costmap[layer][source], of_sources, []) == set(), (name, source)


def test_the_collision_monitor_takes_every_parameter() -> None:
    monitor = parameters_in('nav2_collision_monitor', 'collision_monitor')
    blocks = [*monitor['polygons'], *monitor['observation_sources']]
    assert unknown(monitor, COLLISION_MONITOR, blocks) == set()
    for polygon in monitor['polygons']:
        assert unknown(monitor[polygon], POLYGON, []) == set()
    for source in monitor['observation_sources']:
        assert unknown(monitor[source], CLOUD_SOURCE, []) == set()


def test_the_scan_takes_every_parameter() -> None:
    parameters = parameters_in('depthimage_to_laserscan', '/**')
    assert unknown(parameters, LASERSCAN, []) == set()


def test_the_node_takes_every_parameter() -> None:
    settings = load_settings(CONFIG / 'navigation.yaml')
    assert settings != Settings()


def test_the_files_agree_on_topic_range_and_height() -> None:
    """One obstacle is one in all of them, and everything that is marked can be cleared."""
    node = load_settings(CONFIG / 'navigation.yaml')
    scan = parameters_in('depthimage_to_laserscan', '/**')
    assert (scan['range_min'], scan['range_max']) == (node.min_depth, node.max_depth)
    monitor = parameters_in('nav2_collision_monitor', 'collision_monitor')['stereo']
    for name in COSTMAP_FILES:
        layer = costmap_parameters(name)['stereo_layer']
        mark, clear = layer['stereo_mark'], layer['stereo_clear']
        assert mark['marking'] is True
        assert mark['clearing'] is False
        assert clear['clearing'] is True
        assert clear['marking'] is False
        assert mark['topic'] == clear['topic'] == monitor['topic'] == '/points2'
        for source in (mark, monitor):
            low = source.get('min_obstacle_height', source.get('min_height'))
            high = source.get('max_obstacle_height', source.get('max_height'))
            assert (low, high) == (0.1, 1.6)
        farthest = mark.get('obstacle_max_range', mark.get('obstacle_range'))
        cleared = clear.get('raytrace_max_range', clear.get('max_z'))
        assert farthest < cleared <= node.max_depth
        if 'min_obstacle_height' in clear:
            assert clear['min_obstacle_height'] < 0.0 < mark['min_obstacle_height']


def test_the_voxel_layer_holds_the_heights_that_it_marks() -> None:
    """Its columns have 16 bits; a camera above the top would clear nothing."""
    layer = costmap_parameters('nav2_voxel_layer')['stereo_layer']
    assert layer['z_voxels'] <= 16
    top = layer['origin_z'] + layer['z_voxels'] * layer['z_resolution']
    assert top >= layer['max_obstacle_height'] == layer['stereo_mark']['max_obstacle_height']
