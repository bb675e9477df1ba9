# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A running node in the studio: its results, its parameters, and what it says of itself."""

from __future__ import annotations

import os

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
pytest.importorskip('rosbags')
pytest.importorskip('matplotlib')

from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterEvent, ParameterValue
from rclpy.task import Future
from rig import camera_infos, messages_of, Rig
from scenes import plane, scene_of
from studio_pages import served, shown

from stereo_depth_node.core import Settings
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.environment import graph_environment
from stereo_depth_node.studio.result import Result

WIDTH, HEIGHT, DISPARITY = 300, 160, 20
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, DISPARITY)))


@pytest.fixture
def rig(graph, monkeypatch):
    """Give a camera whose node is a process of its own, and that nobody listens to yet."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(graph.domain_id))
    graph.node_process(uniqueness_ratio=0)
    return Rig(graph, (), infos=camera_infos(WIDTH, HEIGHT, offset=3.0))


def test_a_node_is_changed_in_the_browser_and_its_page_follows(graph, rig, browser):
    pytest.importorskip('nicegui', reason='the studio needs NiceGUI')
    environment = graph_environment(os.environ, graph.domain_id)
    graph.wait_until(lambda: rig.is_calibration_wanted, 'the node')
    with served('--node', '/stereo_depth_node', environment=environment) as url:

        def until(condition, what):
            """Look at the page after each pair, not between them: that takes a processor."""
            seen = []

            def send_and_look():
                rig.send(*PAIR)
                seen[:] = [condition()]

            graph.wait_until(
                lambda: seen and seen[0], what, deadline_s=120.0, repeat=send_and_look
            )
            return seen[0]

        graph.wait_until(lambda: rig.is_wanted, 'somebody to listen to the node')
        page = shown(browser, url, until)
        assert page.value('uniqueness_ratio') == '0'

        def pixel():
            page.pick(200, 80)
            found = page.pixel()
            return found if {'Disparity', 'Depth'} <= found.keys() else None

        # The first results may come before the calibration does.
        found = until(pixel, 'disparity and depth')
        disparity, depth = (float(found[name].split()[0]) for name in ('Disparity', 'Depth'))
        assert disparity == pytest.approx(DISPARITY, abs=0.1)
        assert depth == pytest.approx(500 * 0.1 / (DISPARITY - 3), rel=0.01)
        until(lambda: 'depth flows' in page.text('[data-panel=node]'), 'what the node says')

        page.type('block_size', '9')
        until(lambda: page.value('block_size') == '9', 'the new block size')
        page.type('num_disparities', '1024')
        reason = until(
            lambda: page.text('[data-setting=num_disparities] .studio-reason'), 'a reason'
        )
        assert 'num_disparities' in reason
        assert rig.set_parameter('block_size', 11).successful
        until(lambda: page.value('block_size') == '11', 'the page to follow')
        assert rig.set_parameter('num_disparities', 16).successful
        until(lambda: page.settled()[1]['range'].startswith('0 to 15'), 'figures of the change')
        page.press('z')
        until(lambda: page.value('num_disparities') == '64', 'the settings before')


def test_settings_that_were_found_on_a_scene_are_given_to_a_node(graph, rig, browser):
    pytest.importorskip('nicegui', reason='the studio needs NiceGUI')
    from stereo_depth_node.studio.node_source import connected_node

    graph.wait_until(lambda: rig.is_calibration_wanted, 'the node')
    environment = graph_environment(os.environ, graph.domain_id)
    with served(environment=environment) as url:
        page = shown(browser, url)
        page.type('block_size', '13')
        page.until(lambda: page.value('block_size') == '13')
        page.settled()
        # What is looked at counts: A, frozen, and not what was changed since.
        page.press('f')
        number = page.number()
        page.type('block_size', '17')
        page.until(lambda: page.number() > number)
        page.press('b')
        page.until(lambda: page.one('.studio-badge').is_displayed())
        page.click('Export')
        page.click('apply to a running node …')
        page.until(lambda: not page.all('.q-menu'), 'the end of the menu')
        page.click('Apply')
        text = '/stereo_depth_node has these settings now.'
        page.until(lambda: page.text('.q-dialog .studio-tune-text') == text, text)
        page.one('.q-dialog input').send_keys(' or another')
        page.click('Apply')
        page.until(lambda: 'is no name of a node' in page.text('.q-dialog .studio-tune-text'))
    node = connected_node('stereo_depth_node')
    try:
        assert node.settings == Settings(block_size=13)
    finally:
        node.close()


def test_the_results_of_a_node_are_what_is_computed_here(graph, rig):
    from stereo_depth_node.studio.node_source import apply_to_node, connected_node

    graph.wait_until(lambda: rig.is_calibration_wanted, 'the node')
    source = connected_node('stereo_depth_node')
    try:
        assert source.settings == Settings(uniqueness_ratio=0)

        def newest():
            return source.newest(source.settings)

        graph.wait_until(lambda: rig.is_wanted, 'somebody to listen to the node')
        frame = rig.send_until(
            lambda: (found := newest()) and found.published is not None and found,
            *PAIR,
            'a frame with its result',
        )
        computed = frame.pipeline(source.settings)
        computed.match(frame.scene.left, frame.scene.right)
        assert np.array_equal(frame.published, computed.fixed)
        result = Result(frame, source.settings)
        assert result.depth[80, 200] == pytest.approx(500 * 0.1 / (DISPARITY - 3), rel=0.01)
        assert apply_to_node('stereo_depth_node', Settings(block_size=13)) == ''
        wanted = Settings(block_size=13)
        graph.wait_until(lambda: source.settings == wanted, 'the news of it')
        assert source.apply({'block_size': 4}).startswith('block_size is 4')
        assert source.apply({'block_size': 9, 'median_size': 3}) == ''
        assert source.settings == Settings(block_size=9, median_size=3)
    finally:
        source.close()


def test_an_event_that_cannot_be_read_ends_nothing(graph, rig):
    from stereo_depth_node.studio.node_source import connected_node

    graph.wait_until(lambda: rig.is_calibration_wanted, 'the node')
    events = rig.node.create_publisher(ParameterEvent, '/parameter_events', 10)
    unreadable = ParameterMessage(name='block_size', value=ParameterValue(type=99))
    event = ParameterEvent(node='/stereo_depth_node', changed_parameters=[unreadable])
    source = connected_node('stereo_depth_node')
    try:
        wanted = [Settings(uniqueness_ratio=0, block_size=size) for size in (9, 11)]
        for settings in wanted:
            events.publish(event)
            assert rig.set_parameter('block_size', settings.block_size).successful
            graph.wait_until(
                lambda settings=settings: source.settings == settings,
                'the news of a parameter',
                repeat=lambda: events.publish(event),
            )
    finally:
        source.close()


@pytest.mark.parametrize('name', ['', 'no node', '/a//b', '/1st', 'x\x1b[2J', 'n' * 300])
def test_what_is_no_name_of_a_node_is_refused_in_a_line(name):
    from stereo_depth_node.studio.node_source import connected_node

    with pytest.raises(InputError, match='is no name of a node') as caught:
        connected_node(name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_node_that_is_not_there_is_named_with_those_that_are(graph, rig, monkeypatch):
    from stereo_depth_node.ros import running_node
    from stereo_depth_node.studio.node_source import connected_node

    graph.wait_until(lambda: rig.is_calibration_wanted, 'the node')
    for patience_s in (2.0, 10.0, 40.0):  # until then those that are there have to be discovered
        monkeypatch.setattr(running_node, '_FIND_S', patience_s)
        with pytest.raises(InputError, match='no node /depth ') as caught:
            connected_node('depth')
        if 'found: /stereo_depth_node. ' in str(caught.value):
            break
    assert 'found: /stereo_depth_node. ' in str(caught.value)


def test_a_question_whose_answer_is_lost_is_asked_again(graph, rig, monkeypatch):
    """As where the node has not discovered yet who asks."""
    from stereo_depth_node.ros import running_node
    from stereo_depth_node.studio.node_source import connected_node

    graph.wait_until(lambda: rig.is_calibration_wanted, 'the node')
    source = connected_node('stereo_depth_node')
    try:
        monkeypatch.setattr(running_node, '_ASK_AGAIN_S', 0.1)
        monkeypatch.setattr(running_node, '_ANSWER_S', 60.0)
        client, asked = source._node._explain, []

        def ask(request):
            asked.append(request)
            return Future() if len(asked) < 3 else real(request)

        real = client.call_async
        monkeypatch.setattr(client, 'call_async', ask)
        assert 'images received' in source.explain()
        assert len(asked) >= 3
    finally:
        source.close()
