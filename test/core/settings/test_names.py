# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What was meant by a name that no parameter has."""

from __future__ import annotations

from pathlib import Path

import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.names import (
    advice_on_name,
    advice_on_qos_override,
    check_launch_arguments,
    STEREO_IMAGE_PROC_NAMES,
)
from stereo_depth_node.core.settings.params_file import NOT_SETTINGS
from stereo_depth_node.core.settings.settings import known_parameters

MIGRATION = Path(__file__).resolve().parents[3] / 'docs' / 'migration.md'


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('num_disparity', 'did you mean num_disparities?'),
        ('blocksize', 'did you mean block_size?'),
        ('numDisparities', 'did you mean num_disparities?'),
        ('preFilterCap', 'did you mean pre_filter_cap?'),
        ('UniquenessRatio', 'did you mean uniqueness_ratio?'),
        ('use_simtime', 'docs/parameters.md'),
        ('frobnicate', 'docs/parameters.md'),
        ('num_disparities.value', 'num_disparities takes a value, not a map'),
        ('correlation_window_size', 'set block_size instead'),
        ('sgbm_mode', '3 sgbm_hh4'),
        ('use_color', 'stereo_depth migrate'),
    ],
)
def test_an_unknown_name_comes_with_what_was_meant(name, words):
    text = advice_on_name(name, known_parameters())
    assert name in text
    assert words in text


def test_names_that_all_nodes_have_are_meant_as_well():
    known = (*known_parameters(), *NOT_SETTINGS)
    assert advice_on_name('use_simtime', known).endswith('did you mean use_sim_time?')
    name = 'qos_override./disparity.publisher.depth'
    assert advice_on_name(name, known).endswith('did you mean qos_overrides?')


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('/disparity.publisher.depth', ''),
        ('/left/image_rect.subscription.reliability', ''),
        ('/disparty.publisher.depth', 'did you mean /disparity?'),
        ('disparity.publisher.depth', 'did you mean /disparity?'),
        ('/scan.publisher.depth', 'it has /disparity, /left/image_rect'),
        ('/disparity.subscription.depth', 'write qos_overrides./disparity.publisher'),
        ('/left/image_rect.publisher.depth', 'of this topic the node has a subscription'),
        ('/disparity.publisher.durabilty', 'did you mean durability?'),
        ('/disparity.publisher.deadline', 'possible are history, depth, reliability, durability'),
        ('reliability', 'write qos_overrides.TOPIC.publisher.POLICY'),
    ],
)
def test_an_override_that_changes_nothing_comes_with_what_was_meant(name, words):
    topics = {'/disparity': 'publisher', '/left/image_rect': 'subscription'}
    text = advice_on_qos_override(f'qos_overrides.{name}', topics)
    assert words in text
    assert bool(text) == bool(words)


def test_the_names_of_stereo_image_proc_stand_on_the_page_and_lead_to_ours():
    page = MIGRATION.read_text(encoding='utf-8')
    for name, ours in STEREO_IMAGE_PROC_NAMES.items():
        assert f'`{name}`' in page
        assert ours.split()[0] in (*known_parameters(), 'qos_overrides', 'nothing')
        assert name not in known_parameters()


LAUNCH_FILE = MIGRATION.parents[1] / 'launch' / 'depth.launch.py'
LAUNCH_ARGUMENTS = ('bag', 'left_image')
LAUNCH_COMMAND = ('/opt/ros/jazzy/bin/ros2', 'launch', 'stereo_depth_node', 'depth.launch.py')


def check_launch(*command: str) -> None:
    check_launch_arguments(command, LAUNCH_FILE, LAUNCH_ARGUMENTS, ('block_size',))


@pytest.mark.parametrize(
    ('argument', 'words'),
    [
        ('block_size:=9', 'block_size is a parameter of the node, not an argument: put it into'),
        ('left_imge:=/a', 'depth.launch.py has no argument left_imge; did you mean left_image:=?'),
        ('q\x1b[2Jx:=1', 'no argument q?[2Jx; it has bag, left_image'),
    ],
)
def test_what_is_no_argument_of_a_launch_file_is_refused(argument, words):
    with pytest.raises(SettingsError) as caught:
        check_launch(*LAUNCH_COMMAND, 'bag:=a', argument)
    assert words in str(caught.value)


def test_it_is_refused_also_where_the_launch_file_is_named_by_its_path(monkeypatch):
    monkeypatch.chdir(LAUNCH_FILE.parents[1])
    with pytest.raises(SettingsError, match='no argument left_imge'):
        check_launch('ros2', 'launch', './launch/depth.launch.py', 'left_imge:=/a')


def test_arguments_that_are_there_and_those_of_another_launch_file_are_taken():
    check_launch(*LAUNCH_COMMAND, '--debug', 'left_image:=/a:=b', 'bag:=')
    check_launch('ros2', 'launch', 'my_robot', 'robot.launch.py', 'left_imge:=/a')
    check_launch('ros2', 'launch', 'my_robot', 'depth.launch.py', 'left_imge:=/a')
    check_launch('ros2', 'launch', '/my_robot/depth.launch.py', 'left_imge:=/a')
