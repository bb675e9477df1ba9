# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One topic with both images gives what two topics give, and is counted as they are."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from builtin_interfaces.msg import Time
import cv2
from harness import Graph
import numpy as np
from rig import camera_infos, FRAME, next_stamp_ns, Rig, stamp_ns_of, stamp_of
from scenes import plane, scene_of
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from stereo_depth_node.core.images.layouts import LAYOUTS

WIDTH, HEIGHT = 96, 64
SETTINGS = {'num_disparities': 16, 'block_size': 5, 'points_color': 'rgb'}
SCENE = scene_of(plane(WIDTH, HEIGHT, 6.0))


def tinted(grey: np.ndarray) -> np.ndarray:
    """Return an image in colour, BGR."""
    return np.dstack([grey, grey // 2, 255 - grey])


PIXELS = [tinted(each) for each in (SCENE.left, SCENE.right)]


def message(pixels: np.ndarray, transport: str) -> Any:
    height, width, _ = pixels.shape
    if transport == 'compressed':
        data = array('B', cv2.imencode('.png', pixels)[1].tobytes())
        return CompressedImage(format='bgr8; png compressed bgr8', data=data)
    data = array('B', pixels.tobytes())
    return Image(height=height, width=width, encoding='bgr8', step=3 * width, data=data)


def without_stamps(outputs: dict[str, Any]) -> dict[str, Any]:
    """Return the messages, stamped with 0."""
    for output in outputs.values():
        output.header.stamp = Time()
    outputs['disparity'].image.header.stamp = Time()
    return outputs


class BothImages:
    """Sends both images on one topic."""

    def __init__(self, rig: Rig, layout: str, transport: str) -> None:
        self.rig = rig
        topic = 'stereo/image_raw' + ('/compressed' if transport == 'compressed' else '')
        whole = np.concatenate(PIXELS, axis=LAYOUTS[layout])
        self.message = message(whole, transport)
        self.publisher = rig.publisher(topic, type(self.message))

    @property
    def is_wanted(self) -> bool:
        """Whether the node subscribes to it, and to no other."""
        return self.publisher.get_subscription_count() > 0 and self.rig.is_ignored

    def send(self, stamp_ns: int | None = None) -> int:
        """Publish calibration and images; return their stamp."""
        stamp_ns = next_stamp_ns() if stamp_ns is None else stamp_ns
        self.rig.publish_infos()
        self.message.header = Header(stamp=stamp_of(stamp_ns), frame_id=FRAME)
        self.publisher.publish(self.message)
        return stamp_ns


@pytest.mark.parametrize(
    ('layout', 'transport'), [('side_by_side', 'raw'), ('top_bottom', 'compressed')]
)
def test_one_topic_gives_the_same_bits_as_two(graph: Graph, layout: str, transport: str) -> None:
    """All outputs, while the layout is changed on the running node, and every image counted."""
    node = graph.node(**SETTINGS, image_transport=transport)
    pair = [message(each, transport) for each in PIXELS]
    suffix = '/compressed' if transport == 'compressed' else ''
    topics = {name: name + suffix for name in ('left/image_rect', 'right/image_rect')}
    rig = Rig(graph, infos=camera_infos(WIDTH, HEIGHT), topics=topics, image_type=type(pair[0]))
    rig.connect(*pair)
    expected = without_stamps(rig.exchange(*pair))
    rig.heard['disparity'].clear()
    both = BothImages(rig, layout, transport)
    assert rig.set_parameter('stereo_layout', layout).successful
    graph.wait_until(lambda: both.is_wanted, 'the subscription to both images')

    def outputs() -> dict[str, Any] | None:
        """Return those of a pair, once all have come."""
        found = (rig.outputs(stamp_ns_of(each)) for each in rig.heard['disparity'])
        return next((each for each in found if len(each) == len(expected)), None)

    found = graph.wait_until(outputs, 'all outputs of one pair', repeat=both.send)
    assert found['image_rect'].encoding == 'rgb8'
    assert without_stamps(found) == expected
    node.assert_adds_up()


def test_a_message_counts_as_two_images_whatever_becomes_of_it(graph: Graph) -> None:
    node = graph.node(**SETTINGS, stereo_layout='side_by_side', frame_policy='every')
    rig = Rig(graph, ('disparity',), infos=camera_infos(WIDTH, HEIGHT))
    both = BothImages(rig, 'side_by_side', 'raw')
    heard = rig.heard['disparity']
    graph.wait_until(lambda: both.is_wanted, 'the subscription to both images')
    graph.wait_until(lambda: heard, 'disparity', repeat=both.send)
    state = node.node.state
    graph.wait_until(lambda: not state.waiting, 'nothing to wait')
    before, computed = node.received, state.computed
    stamp_ns = both.send()
    graph.wait_until(lambda: state.computed == computed + 1, 'one more pair')
    both.send(stamp_ns)
    graph.wait_until(lambda: node.received == before + 4, 'the same message again')
    assert node.dropped['DUPLICATE'] == 2
    both.message.data = both.message.data[:-1]
    both.send()
    graph.wait_until(lambda: node.received == before + 6, 'a message that is cut')
    graph.wait_until(lambda: node.dropped.get('INVALID') == 2, 'both images to be dropped')
    assert state.computed == computed + 1
    node.assert_adds_up()


def test_silence_names_the_topic_once(graph: Graph) -> None:
    node = graph.node(**SETTINGS, stereo_layout='top_bottom')
    Rig(graph, ('disparity',))
    diagnostics = node.node.diagnostics
    graph.wait_until(
        lambda: any(each.cause.name == 'no_publisher' for each in diagnostics.findings),
        'the cause no_publisher',
    )
    (said,) = (each.text for each in diagnostics.findings if each.cause.name == 'no_publisher')
    assert said.startswith('nobody publishes /stereo/image_raw (sensor_msgs/msg/Image): ')
    assert 'same_topic' not in {each.cause.name for each in diagnostics.findings}
