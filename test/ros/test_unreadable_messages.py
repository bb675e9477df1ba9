# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that are none are counted and named; what they say is shortened."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from diagnostic_msgs.msg import DiagnosticArray
from harness import Graph, RELIABLE
from rig import camera_infos, messages_of, next_stamp_ns, Rig
from scenes import plane, scene_of
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

WIDTH, HEIGHT = 200, 120
PAIR = messages_of(scene_of(plane(WIDTH, HEIGHT, 10)))
# Of an unknown encapsulation; cut before the end of the stamp; cut at once.
CDR = b'\x00\x01\x00\x00'
UNREADABLE = (b'\x00\x10\x00\x00' + bytes(300), CDR + bytes(7), CDR)


def figures_of(rig: Rig) -> tuple[str, dict[str, str]]:
    """Return the first line of the explanation, and its figures."""
    message = rig.call(Trigger, '/stereo_depth_node/explain', Trigger.Request()).message
    figures = [line.strip().split(': ', 1) for line in message.splitlines() if ': ' in line]
    return message.splitlines()[0], {each[0]: each[1] for each in figures if len(each) == 2}


def test_images_without_a_stamp_are_counted_and_named(graph: Graph) -> None:
    process = graph.node_process()
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*PAIR)
    reliably = [rig.publisher(f'{side}/image_rect', Image, RELIABLE) for side in ('left', 'right')]
    graph.wait_until(lambda: all(each.get_subscription_count() for each in reliably), 'the node')
    sent = 0

    def send() -> None:
        nonlocal sent
        for publisher in reliably:
            publisher.publish(UNREADABLE[sent // 2 % len(UNREADABLE)])
            sent += 1

    def dropped(figures: dict[str, str]) -> int:
        return sum(
            int(value) for key, value in figures.items() if key.startswith('images dropped')
        )

    def is_told() -> bool:
        first, figures = figures_of(rig)
        told = first.startswith(('unusable_image: ', 'data_length: '))
        return told and dropped(figures) - before > 20

    before = dropped(figures_of(rig)[1])
    graph.wait_until(is_told, 'the cause and the count', repeat=send)
    first, figures = figures_of(rig)
    assert 'the left image: ' in first or 'the right image: ' in first
    assert int(figures['images received']) == (
        2 * int(figures['pairs computed']) + dropped(figures) + int(figures['images waiting'])
    )
    rig.connect(*PAIR)
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def test_a_camera_info_that_cannot_be_read_is_named_as_such(graph: Graph) -> None:
    graph.node_process()
    rig = Rig(graph, ['disparity'])
    graph.wait_until(lambda: rig.is_wanted and rig.is_calibration_wanted, 'the node to subscribe')
    publishers = [rig.publisher(f'{side}/camera_info', CameraInfo) for side in ('left', 'right')]

    def send() -> None:
        for publisher in publishers:
            publisher.publish(b'\x00\x01\x00\x00' + b'\xff' * 40)
        rig.send(*PAIR)

    def is_told() -> bool:
        first = figures_of(rig)[0]
        return 'left/camera_info cannot be read' in first and first.startswith('uncalibrated')

    graph.wait_until(is_told, 'the cause', repeat=send)
    rig.infos = camera_infos(WIDTH, HEIGHT)
    rig.connect(*PAIR)


def test_what_comes_from_outside_is_shortened_wherever_it_is_said(graph: Graph) -> None:
    """Frames of a megabyte with codes of terminals, an encoding and a setting like them."""
    process = graph.node_process()
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    heard = rig.listen('/diagnostics', DiagnosticArray)
    long = '\x1b[2J' + 'F' * 1_000_000
    rig.set_parameters(left_camera_info_url=long)

    def send(encoding: str) -> None:
        stamp_ns = next_stamp_ns()
        rig.publish_infos()
        for number, image in enumerate(PAIR):
            image.encoding = encoding
            rig.send_image(number, image, stamp_ns, frame_id=long + str(number))

    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')
    graph.wait_until(lambda: rig.heard['disparity'], 'depth', repeat=lambda: send('mono8'))
    assert rig.heard['disparity'][0].header.frame_id == long + '0'  # as it came
    graph.wait_until(
        lambda: any(len(array.status[0].values) > 10 for array in heard),
        'the diagnostics',
        repeat=lambda: send('mono8'),
    )
    graph.wait_until(
        lambda: figures_of(rig)[0].startswith('unsupported_encoding'),
        'the encoding to be refused',
        repeat=lambda: send(long),
    )

    answer = rig.call(Trigger, '/stereo_depth_node/explain', Trigger.Request()).message
    assert len(answer) < 8000
    assert '\x1b' not in answer
    for array in heard:
        status = array.status[0]
        texts = [status.message, status.hardware_id, *(each.value for each in status.values)]
        assert sum(map(len, texts)) < 8000
        assert all(text.isprintable() for text in texts)
    assert process.stop() == 0
    assert len(process.output) < 8000
    assert '\x1b[2J' not in process.output
