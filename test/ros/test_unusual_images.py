# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node takes: every encoding, and images that are no images without harm."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
import struct
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph, NodeHere
from rig import (
    camera_infos,
    compressed_message,
    image_message,
    messages_of,
    next_stamp_ns,
    pixels_of,
    Rig,
)
from scenes import plane, scene_of
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger

from stereo_depth_node.core.images.encodings import ENCODINGS

WIDTH, HEIGHT, TRUE_PX = 202, 121, 12
SCENE = scene_of(plane(WIDTH, HEIGHT, TRUE_PX), finest_px=5)
MONO = messages_of(SCENE)
COMPRESSED = {'image_transport': 'compressed'}


@pytest.fixture(scope='module')
def node(shared_graph: Graph) -> NodeHere:
    """Give a node that serves all tests of this module."""
    return shared_graph.node()


@pytest.fixture(scope='module')
def rig(shared_graph: Graph, node: NodeHere) -> Iterator[Rig]:
    """Give a camera and a listener that are connected to it."""
    rig = Rig(shared_graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*MONO)
    return rig


def disparity_of(rig: Rig, left: Any, right: Any) -> np.ndarray:
    return pixels_of(rig.exchange(left, right)['disparity'].image)


def assert_is_the_scene(disparity: np.ndarray) -> None:
    """Check density and value: block matching is good to 1/8 px on this texture."""
    found = disparity[disparity >= 0]
    inside = (WIDTH - 63 - 14) * (HEIGHT - 14)  # the valid window
    assert found.size > 0.9 * inside
    assert np.median(found) == pytest.approx(TRUE_PX, abs=0.125)


@pytest.mark.parametrize('encoding', [name for name, kind in ENCODINGS.items() if kind.bits == 8])
def test_eight_bit_images_give_the_disparity_of_their_grey_values(rig: Rig, encoding: str) -> None:
    disparity = disparity_of(rig, *messages_of(SCENE, encoding))

    assert_is_the_scene(disparity)
    if not encoding.startswith('bayer'):  # these are interpolated
        np.testing.assert_array_equal(disparity, disparity_of(rig, *MONO))


@pytest.mark.parametrize('encoding', [name for name, kind in ENCODINGS.items() if kind.bits == 16])
def test_sixteen_bit_images_give_the_same_disparity_in_both_byte_orders(
    rig: Rig, encoding: str
) -> None:
    little = disparity_of(rig, *messages_of(SCENE, encoding))
    big = disparity_of(rig, *messages_of(SCENE, encoding, big_endian=True))

    assert_is_the_scene(little)
    np.testing.assert_array_equal(big, little)


@pytest.mark.parametrize('encoding', ['mono8', 'bgr8', 'mono16', 'yuv422_yuy2'])
@pytest.mark.parametrize('padding', [6, 7])
def test_padding_of_the_rows_is_not_looked_at(rig: Rig, encoding: str, padding: int) -> None:
    plain = disparity_of(rig, *messages_of(SCENE, encoding))

    padded = disparity_of(rig, *messages_of(SCENE, encoding, padding=padding))

    np.testing.assert_array_equal(padded, plain)


def of_other_size() -> Image:
    return image_message(SCENE.right[:, :-10])


def changed(**fields: Any) -> Image:
    image = image_message(SCENE.right)
    for name, value in fields.items():
        setattr(image, name, value)
    return image


@pytest.mark.parametrize(
    ('broken', 'told'),
    [
        (lambda: changed(data=image_message(SCENE.right).data[:-1]), 'cut short'),
        (lambda: changed(data=array('B')), 'cut short'),
        (lambda: changed(step=WIDTH - 1), 'step'),
        (lambda: changed(encoding='bgr8'), 'step'),
        (lambda: changed(encoding='jpeg2000'), 'jpeg2000'),
        (lambda: changed(encoding=''), "''"),
        (lambda: changed(width=0), '0 x'),
        (lambda: changed(height=0), 'x 0'),
        (lambda: changed(height=2**32 - 1, width=2**32 - 1, step=2**32 - 1), 'cut short'),
        (lambda: image_message(SCENE.right, 'mono16'), '16'),
        (of_other_size, f'{WIDTH - 10}x{HEIGHT}'),
    ],
)
def test_a_broken_image_is_counted_and_named_and_the_next_good_one_is_computed(
    rig: Rig, node: NodeHere, broken: Callable[[], Image], told: str
) -> None:
    before = node.dropped.get('INVALID', 0)

    rig.send(MONO[0], broken())
    rig.graph.wait_until(
        lambda: node.dropped.get('INVALID', 0) == before + 2, 'both images to be dropped'
    )
    assert told in str(node.node.state.failure)
    assert_is_the_scene(disparity_of(rig, *MONO))
    assert node.node.state.failure is None
    node.assert_adds_up()


def big_endian(image: Image, stamp_ns: int) -> bytes:
    """Return an image as a machine of the other byte order serializes it."""
    message = bytearray(struct.pack('>4xiI', *divmod(stamp_ns, 10**9)))

    def add(kind: str, *values: int) -> None:
        message.extend(bytes(-len(message) % struct.calcsize(f'={kind[-1]}')))
        message.extend(struct.pack(f'>{kind}', *values))

    def add_text(text: str) -> None:
        add('I', len(text) + 1)
        message.extend(text.encode() + bytes(1))

    add_text('left_optical')
    add('2I', image.height, image.width)
    add_text(image.encoding)
    add('B', image.is_bigendian)
    add('2I', image.step, len(image.data))
    return bytes(message) + bytes(image.data)


def test_messages_of_machines_with_the_other_byte_order_are_read(rig: Rig) -> None:
    expected = disparity_of(rig, *MONO)
    stamp_ns = next_stamp_ns()

    rig.publish_infos()
    for publisher, image in zip(rig.images, MONO, strict=True):
        publisher.publish(big_endian(image, stamp_ns))
    rig.graph.wait_until(lambda: rig.outputs(stamp_ns), 'the disparity')

    np.testing.assert_array_equal(pixels_of(rig.outputs(stamp_ns)['disparity'].image), expected)


@pytest.mark.parametrize('length', [4, 8, 20])
def test_a_message_that_ends_in_its_header_harms_nothing(
    rig: Rig, node: NodeHere, length: int
) -> None:
    for _ in range(3):
        for publisher in rig.images:
            publisher.publish(big_endian(MONO[0], next_stamp_ns())[:length])

        assert_is_the_scene(disparity_of(rig, *MONO))
    node.assert_adds_up()


def test_images_of_another_size_than_the_calibration_are_refused_by_name(
    rig: Rig, node: NodeHere
) -> None:
    small = [image_message(image[:100, :180].copy()) for image in (SCENE.left, SCENE.right)]
    computed = node.node.state.computed

    rig.send(*small)
    rig.graph.wait_until(lambda: node.node.state.failure is not None, 'the pair to be refused')

    assert '180x100' in str(node.node.state.failure)
    assert f'{WIDTH}x{HEIGHT}' in str(node.node.state.failure)
    assert node.node.state.computed == computed


def compressed_driver(
    graph: Graph, topic: str = '{side}/image_rect/compressed', form: str = 'png'
) -> tuple[Rig, list[CompressedImage]]:
    """Return a connected driver of compressed images, and the scene as its pair."""
    driver = Rig(
        graph,
        ['disparity'],
        infos=camera_infos(WIDTH, HEIGHT),
        topics={f'{side}/image_rect': topic.format(side=side) for side in ('left', 'right')},
        image_type=CompressedImage,
    )
    pair = [compressed_message(image, form) for image in (SCENE.left, SCENE.right)]
    driver.connect(*pair)
    return driver, pair


def test_lossless_compressed_images_give_the_disparity_of_raw_ones(graph: Graph, rig: Rig) -> None:
    graph.node(**COMPRESSED)
    driver, pair = compressed_driver(graph)

    np.testing.assert_array_equal(disparity_of(driver, *pair), disparity_of(rig, *MONO))


def test_compressed_images_come_on_the_topic_below_the_remapped_one(graph: Graph) -> None:
    graph.node(
        *('-r', 'left/image_rect:=/front/left/image'),
        *('-r', 'right/image_rect:=/front/right/image'),
        **COMPRESSED,
    )
    driver, pair = compressed_driver(graph, '/front/{side}/image/compressed', 'jpg')

    assert_is_the_scene(disparity_of(driver, *pair))


def test_damaged_compressed_images_are_counted_and_the_next_good_one_is_computed(
    graph: Graph,
) -> None:
    node = graph.node(**COMPRESSED)
    driver, pair = compressed_driver(graph)

    for damaged in (pair[1].data[:20], array('B'), array('B', b'no image at all')):
        before = node.dropped.get('INVALID', 0)
        driver.send(pair[0], CompressedImage(format='png', data=damaged))
        graph.wait_until(
            lambda before=before: node.dropped.get('INVALID', 0) == before + 2,
            'both images to be dropped',
        )
        assert_is_the_scene(disparity_of(driver, *pair))
    node.assert_adds_up()


def test_a_compressed_image_beyond_the_calibration_takes_no_memory(graph: Graph) -> None:
    """64 MB of black in 62 kB of PNG."""
    process = graph.node_process(**COMPRESSED, matcher_backend='opencv')
    driver, pair = compressed_driver(graph)
    before = _peak_mib(process.pid)
    bomb = compressed_message(np.zeros((8000, 8000), np.uint8))

    driver.send_until(
        lambda: (
            'the images are 8000x8000, the calibration is for 202x121'
            in driver.call(Trigger, '/stereo_depth_node/explain', Trigger.Request()).message
        ),
        *(bomb, bomb),
        'the cause',
    )

    assert _peak_mib(process.pid) - before < 30
    assert_is_the_scene(disparity_of(driver, *pair))
    assert process.stop() == 0


def _peak_mib(pid: int) -> float:
    status = Path(f'/proc/{pid}/status').read_text()
    return int(status.partition('VmHWM:')[2].split()[0]) / 1024
