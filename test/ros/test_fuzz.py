# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever messages and parameters come, the node answers with output or with a named cause.

Messages go through the node's own callbacks, as the executor calls them. The number of examples
is small here; ``STEREO_DEPTH_FUZZ=10000 pytest test/ros/test_fuzz.py`` makes it larger.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
import math
import os
import traceback
from types import SimpleNamespace
from typing import Any

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from allocations import peak_of
from harness import Graph, NodeHere
from rclpy.parameter import Parameter
from rclpy.serialization import serialize_message
from rig import camera_infos, compressed_message, image_message, messages_of, stamp_of
from scenes import plane, scene_of
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.core.health.causes import CAUSES
from stereo_depth_node.core.health.diagnosis import diagnose
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.ros import exceptions

EXAMPLES = int(os.environ.get('STEREO_DEPTH_FUZZ', '400'))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize='STEREO_DEPTH_FUZZ' not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
WIDTH, HEIGHT = 48, 32
SCENE = scene_of(plane(WIDTH, HEIGHT, 4.0))
GOOD_PAIR = messages_of(SCENE)

uint32 = st.one_of(st.integers(0, 70), st.sampled_from([WIDTH, HEIGHT, 2**31, 2**32 - 1]))
numbers = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 500.0, math.nan, math.inf, -math.inf, 1e300, 5e-324]),
    st.floats(),
    st.floats(-1000.0, 1000.0),
)
seconds = st.one_of(
    st.integers(0, 3), st.integers(-(2**31), 2**31 - 1), st.sampled_from([2**31 - 1, -(2**31)])
)
stamps = st.builds(
    lambda sec, nanosec: (sec, nanosec),
    seconds,
    st.one_of(st.sampled_from([0, 33_000_000, 10**9 - 1, 2**32 - 1]), st.integers(0, 2**32 - 1)),
)
texts = st.one_of(st.sampled_from(['', 'left', 'right', 'ä\u2028']), st.text(max_size=20))
encodings = st.one_of(st.sampled_from([*sorted(ENCODINGS), '', '32FC1', 'yuv444']), texts)


def mostly(usual: Any, unusual: Any) -> st.SearchStrategy[Any]:
    """Draw the usual nine times of ten."""
    return st.integers(0, 9).flatmap(lambda number: usual if number else unusual)


@st.composite
def images(draw: Any) -> Image:
    """Draw images that are right, or wrong in some of their fields."""
    side = draw(st.sampled_from([SCENE.left, SCENE.right]))
    encoding = draw(st.sampled_from(['mono8', 'mono8', 'mono16', *sorted(ENCODINGS)]))
    message = image_message(side, encoding, padding=draw(st.sampled_from([0, 0, 3])))
    for name, values in (
        ('height', uint32),
        ('width', uint32),
        ('step', uint32),
        ('encoding', encodings),
        ('is_bigendian', st.integers(0, 255)),
        ('data', st.binary(max_size=200).map(lambda data: array('B', data))),
    ):
        if draw(st.integers(0, 9)) == 0:
            setattr(message, name, draw(values))
    return message


@st.composite
def serialized_bytes(draw: Any) -> bytes:
    """Draw serialized images whose header is damaged and whose end is missing."""
    message = bytearray(serialize_message(draw(images())))
    for _ in range(draw(st.integers(0, 4))):
        message[draw(st.integers(0, min(79, len(message) - 1)))] = draw(st.integers(0, 255))
    return bytes(message[: draw(st.one_of(st.integers(0, 99), st.integers(0, len(message))))])


@st.composite
def compressed_images(draw: Any) -> CompressedImage:
    """Draw compressed images that are right, or damaged."""
    message = compressed_message(SCENE.left, draw(st.sampled_from(['png', 'jpg', 'tiff'])))
    if draw(st.booleans()):
        data = bytearray(message.data)
        for _ in range(draw(st.integers(0, 4))):
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
        message.data = array('B', data[: draw(st.integers(0, len(data)))])
        message.format = draw(texts)
    return message


@st.composite
def calibrations(draw: Any) -> CameraInfo:
    """Draw calibrations that are right, or wrong in some of their fields."""
    message = camera_infos(WIDTH, HEIGHT)[draw(st.integers(0, 1))]
    for name, values in (
        ('height', uint32),
        ('width', uint32),
        ('binning_x', uint32),
        ('binning_y', uint32),
        ('distortion_model', st.sampled_from(['', 'plumb_bob', 'equidistant', 'x'])),
        ('d', st.lists(numbers, max_size=15)),
        ('roi', st.builds(_roi, uint32, uint32, uint32, uint32)),
    ):
        if draw(st.integers(0, 9)) == 0:
            setattr(message, name, draw(values))
    for name, length in (('k', 9), ('r', 9), ('p', 12)):
        matrix = getattr(message, name)
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
            matrix[draw(st.integers(0, length - 1))] = draw(numbers)
    return message


def _roi(x_offset: int, y_offset: int, width: int, height: int) -> RegionOfInterest:
    return RegionOfInterest(x_offset=x_offset, y_offset=y_offset, width=width, height=height)


@st.composite
def parameter_batches(draw: Any) -> dict[str, Any]:
    """Draw some parameters with values that are possible, or of any type and size."""
    names = draw(st.lists(st.sampled_from(sorted(known_parameters())), max_size=3, unique=True))
    return {name: draw(_values_of(name)) for name in names}


def _values_of(name: str) -> st.SearchStrategy[Any]:
    known = known_parameters()[name]
    wild = st.one_of(st.integers(-(2**63), 2**63 - 1), numbers, texts, st.booleans())
    if known.choices:
        return mostly(st.sampled_from(known.choices), wild)
    if known.type is bool:
        return mostly(st.booleans(), wild)
    low, high = known.minimum or 0, min(known.maximum or 0, 80)
    if known.type is int:
        steps = st.integers(0, int(high - low) // max(known.step, 1))
        return mostly(steps.map(lambda step: int(low) + step * max(known.step, 1)), wild)
    if known.type is float:
        return mostly(st.floats(low, high), wild)
    return wild


events = st.one_of(
    st.tuples(st.just('pair'), st.tuples(images(), images(), stamps)),
    st.tuples(st.just('good pair'), stamps),
    st.tuples(st.just('image'), st.tuples(st.sampled_from(list(Side)), images(), stamps)),
    st.tuples(st.just('bytes'), st.tuples(st.sampled_from(list(Side)), serialized_bytes())),
    st.tuples(st.just('compressed'), st.tuples(compressed_images(), stamps)),
    st.tuples(st.just('calibration'), st.tuples(st.sampled_from(list(Side)), calibrations())),
    st.tuples(st.just('parameters'), parameter_batches()),
)


class FuzzedNode:
    """A node on which every event must leave the counts right and a cause named."""

    def __init__(self, here: NodeHere, caught: list[str]) -> None:
        self.here, self.node, self.caught = here, here.node, caught
        self.events = 0
        self.node.diagnostics._next_look = math.inf  # the test looks for itself
        self.reset()

    def reset(self) -> None:
        """Make calibration and parameters right, so that events are not all refused alike."""
        defaults = {name: known.default for name, known in known_parameters().items()}
        small = {'num_disparities': 16, 'block_size': 5, 'matcher_backend': 'opencv'}
        self.set({**defaults, **small})
        for side, info in zip(Side, camera_infos(WIDTH, HEIGHT), strict=True):
            self.node._take_camera_info(side, serialize_message(info))

    def set(self, values: dict[str, Any]) -> None:
        """Set parameters as the service does."""
        batch = [Parameter(name, value=value) for name, value in values.items()]
        self.node.set_parameters_atomically(batch)

    def happen(self, kind: str, content: Any) -> None:
        """Let an event happen, then check the node."""
        self.events += 1
        if kind == 'parameters':
            self.set(content)
        elif kind == 'calibration':
            side, info = content
            self.node._take_camera_info(side, serialize_message(info))
        elif kind == 'image':
            side, image, stamp = content
            self.send(side, image, stamp)
        elif kind == 'bytes':
            self.node._on_image(*content)

        elif kind == 'compressed':
            image, stamp = content
            for side in Side:
                self.send(side, image, stamp)
        else:
            *pair, stamp = content if kind == 'pair' else (*GOOD_PAIR, content)
            for side, image in zip(Side, pair, strict=True):
                self.send(side, image, stamp)
        self.node._keep_house()
        assert not self.caught, self.caught[0]
        self.here.assert_adds_up()
        findings = diagnose(self.node.diagnostics._observer.observe())
        assert findings[0].cause is not CAUSES['unexplained'], self.here.seen()
        assert all(finding.text for finding in findings)

    def send(self, side: Side, image: Any, stamp: tuple[int, int]) -> None:
        """Give the node an image as the executor would."""
        seconds, nanoseconds = stamp
        image.header = Header(frame_id='f')
        image.header.stamp = stamp_of(0)
        image.header.stamp.sec, image.header.stamp.nanosec = seconds, nanoseconds
        self.node.inputs.are_compressed = isinstance(image, CompressedImage)
        self.node._on_image(side, serialize_message(image))


@pytest.fixture(scope='module')
def fuzzed(shared_graph: Graph) -> Iterator[FuzzedNode]:
    from harness import Peer

    here = shared_graph.node(matcher_backend='opencv')
    peer = shared_graph.add(Peer(shared_graph))
    for topic, kind in (('disparity', DisparityImage), ('depth/image_rect', Image)):
        peer.listen(topic, kind)
    caught: list[str] = []

    def note() -> str:
        caught.append(traceback.format_exc())
        return caught[-1]

    # What the guard of the callbacks catches is the node's own fault.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(exceptions, 'traceback', SimpleNamespace(format_exc=note))
    node = FuzzedNode(here, caught)
    shared_graph.wait_until(lambda: any(node.node.outputs.wanted()), 'the subscriptions')
    yield node
    monkeypatch.undo()


@FUZZ
@given(st.lists(events, min_size=1, max_size=4))
def test_any_events_in_any_order(fuzzed, sequence):
    fuzzed.reset()
    for kind, content in sequence:
        fuzzed.happen(kind, content)


@settings(FUZZ, max_examples=max(EXAMPLES // 4, 10))
@given(st.lists(st.tuples(st.sampled_from(list(Side)), stamps), min_size=1, max_size=30))
def test_any_stamps(fuzzed, arrivals):
    fuzzed.reset()
    images = dict(zip(Side, (SCENE.left, SCENE.right), strict=True))
    for side, stamp in arrivals:
        fuzzed.send(side, image_message(images[side]), stamp)
    fuzzed.here.assert_adds_up()


def test_no_memory_is_allocated_for_a_size_that_a_header_claims(fuzzed):
    fuzzed.reset()
    huge = image_message(SCENE.left)
    huge.height = huge.width = huge.step = 2**32 - 1
    info = camera_infos(2**31, 2**31)[0]

    def claim() -> None:
        for encoding in [*sorted(ENCODINGS), 'unknown']:
            huge.encoding = encoding
            fuzzed.happen('pair', (huge, huge, (1, 0)))
        fuzzed.happen('calibration', (Side.LEFT, info))
        fuzzed.happen('calibration', (Side.RIGHT, info))
        for rectify in (False, True):
            fuzzed.set({'rectify': rectify})
            fuzzed.happen(
                'pair', (image_message(SCENE.left), image_message(SCENE.right), (2 + rectify, 0))
            )

    assert peak_of(claim) < 20e6, 'what the sizes claimed would be 10^19 bytes'
