# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A stereo camera and a listener, as other programs, and the messages that they exchange."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
import dataclasses
import itertools
import sys
from typing import Any

from builtin_interfaces.msg import Time
import cv2
from harness import ASK_AGAIN_S, BEST_EFFORT, Graph, Peer
import numpy as np
from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.srv import DescribeParameters, SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from scenes import camera, StereoScene
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.ros.messages import message_class

FRAME = 'left_optical'
PLANAR = ('nv12', 'nv21', 'nv16', 'nv61', 'nv24', 'nv42', 'i420')

_FRAME_PERIOD_NS = 100_000_000


def stamps_ns() -> Iterator[int]:
    """Return stamps of a camera, 100 ms apart."""
    return itertools.count(1_000_000_000_000, _FRAME_PERIOD_NS)


# They grow over all tests: one node may serve many.
_stamps_ns = stamps_ns()


def next_stamp_ns() -> int:
    """Return a stamp 100 ms after the last one."""
    return next(_stamps_ns)


def stamp_of(stamp_ns: int) -> Time:
    """Return a stamp in ns as a message."""
    return Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)


def stamp_ns_of(message: Any) -> int:
    """Return the stamp of a message in ns."""
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def image_message(
    grey: np.ndarray, encoding: str = 'mono8', *, padding: int = 0, big_endian: bool = False
) -> Image:
    """Return a grey image in an encoding of `ENCODINGS`; the padding of the rows is noise."""
    pixels = _pixels(grey, encoding)
    height, width = grey.shape
    order = pixels.astype(pixels.dtype.newbyteorder('>' if big_endian else '<'))
    rows = np.frombuffer(order.tobytes(), np.uint8).reshape(height, -1)
    noise = np.random.default_rng(0).integers(0, 256, (height, padding), np.uint8)
    rows = np.hstack([rows, noise])
    colour = rows[::-1].tobytes() * 2 if encoding in PLANAR else b''  # says nothing
    return Image(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(big_endian),
        step=rows.shape[1],
        data=array('B', rows.tobytes() + colour),
    )


def compressed_message(grey: np.ndarray, form: str = 'png') -> CompressedImage:
    """Return a grey image as compressed_image_transport sends it."""
    encoded, data = cv2.imencode(f'.{form}', grey)
    assert encoded
    return CompressedImage(
        format=f'mono8; {form} compressed mono8', data=array('B', data.tobytes())
    )


def camera_info(calibration: CameraCalibration) -> CameraInfo:
    """Return a calibration as a message."""
    content = dataclasses.asdict(calibration)
    x, y, width, height = content.pop('roi')
    return CameraInfo(
        header=Header(frame_id=content.pop('frame_id')),
        roi=RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height),
        **content,
    )


def camera_infos(
    width: int, height: int, *, f: float = 500.0, baseline: float = 0.1, offset: float = 0.0
) -> tuple[CameraInfo, CameraInfo]:
    """Return the messages of a stereo camera whose principal points differ by `offset`."""
    cx = (width - 1) / 2
    left = camera(width, height, f=f, cx=cx, frame_id=FRAME)
    right = camera(width, height, f=f, cx=cx - offset, tx=-f * baseline, frame_id=FRAME)
    return camera_info(left), camera_info(right)


def pixels_of(image: Image) -> np.ndarray:
    """Return the pixels of a depth or disparity image: (H, W) float32 or uint16."""
    assert image.is_bigendian == (sys.byteorder == 'big')
    dtype = np.dtype({'32FC1': np.float32, '16UC1': np.uint16}[image.encoding])
    assert image.step == image.width * dtype.itemsize
    return np.frombuffer(bytes(image.data), dtype).reshape(image.height, image.width)


class Rig(Peer):
    """A stereo camera with its driver, and a program that listens to the node.

    Parameters
    ----------
    graph : Graph
        Where the node runs.
    listen : iterable of str
        Outputs of the node to subscribe to.
    infos : tuple of two CameraInfo or None
        What the driver says of the cameras with every pair; may be changed at any time.
    node_name : str
        The node's, for its services.
    topics : dict
        Other topics for ``left/image_rect`` and so on.
    qos : QoSProfile
        Of the images.
    image_type : type
        Image or CompressedImage.

    Attributes
    ----------
    stamps_ns : iterator of int
        The stamps of its images, ns; those of `next_stamp_ns` unless it is given its own.
    """

    def __init__(
        self,
        graph: Graph,
        listen: Iterable[str] = tuple(OUTPUTS),
        *,
        infos: tuple[CameraInfo, CameraInfo] | None = None,
        node_name: str = 'stereo_depth_node',
        topics: dict[str, str] | None = None,
        qos: QoSProfile = BEST_EFFORT,
        image_type: Any = Image,
    ) -> None:
        super().__init__(graph, 'rig')
        graph.add(self)
        self.infos = infos
        self.stamps_ns = _stamps_ns
        self._service = f'/{node_name}/{{}}'.format
        self.images = [
            self.publisher((topics or {}).get(topic, topic), image_type, qos)
            for topic in ('left/image_rect', 'right/image_rect')
        ]
        self._infos = [
            self.publisher((topics or {}).get(topic, topic), CameraInfo)
            for topic in ('left/camera_info', 'right/camera_info')
        ]
        for topic in listen:
            self.listen(topic, message_class(OUTPUTS[topic].type))

    @property
    def is_wanted(self) -> bool:
        """Whether the node subscribes to the images of both cameras."""
        return self._are_heard(self.images)

    @property
    def is_calibration_wanted(self) -> bool:
        """Whether the node subscribes to the calibration of both cameras."""
        return self._are_heard(self._infos)

    @property
    def is_ignored(self) -> bool:
        """Whether the node subscribes to none of the images."""
        return all(each.get_subscription_count() == 0 for each in self.images)

    def _are_heard(self, publishers: list[Any]) -> bool:
        """Return whether publishers know of the node, and a node of this process of them.

        What is sent by best effort before the second is lost.
        """
        topics = {each.topic_name for each in publishers}
        known = [
            each.get_publisher_count() > 0
            for node in self.graph.nodes_here()
            for each in node.node.inputs.subscriptions().values()
            if each.topic_name in topics and hasattr(each, 'get_publisher_count')
        ]
        return all(known) and all(each.get_subscription_count() > 0 for each in publishers)

    def next_stamp_ns(self) -> int:
        """Return a stamp 100 ms after the last one."""
        return next(self.stamps_ns)

    def send(
        self, left: Any, right: Any, *, stamp_ns: int | None = None, right_later_ns: int = 0
    ) -> int:
        """Publish calibration and a pair with new stamps; return the left one in ns."""
        stamp_ns = self.next_stamp_ns() if stamp_ns is None else stamp_ns
        self.publish_infos(stamp_ns)
        self.send_image(0, left, stamp_ns)
        self.send_image(1, right, stamp_ns + right_later_ns)
        return stamp_ns

    def send_image(self, side: int, image: Any, stamp_ns: int, frame_id: str = FRAME) -> None:
        """Publish the image of one camera, 0 for the left."""
        image.header = Header(stamp=stamp_of(stamp_ns), frame_id=frame_id)
        self.images[side].publish(image)

    def publish_infos(self, stamp_ns: int = 0) -> None:
        """Publish the calibration."""
        for info, publisher in zip(self.infos or (), self._infos, strict=False):
            info.header.stamp = stamp_of(stamp_ns)
            publisher.publish(info)

    def outputs(self, stamp_ns: int) -> dict[str, Any]:
        """Return what came for a stamp, by topic."""
        return {
            topic: message
            for topic in self._ears
            for message in self.heard[topic]
            if stamp_ns_of(message) == stamp_ns
        }

    def connect(self, left: Any, right: Any) -> None:
        """Send a pair again and again until every output has been heard; none is under way then.

        What was sent before the last one has been received, too, or never will be.
        """
        self.graph.wait_until(lambda: self.is_wanted, 'the node to subscribe to the images')
        self.send_until(lambda: all(self.heard.values()), left, right, 'every output')
        self.exchange(left, right)
        for messages in self.heard.values():
            messages.clear()

    def send_until(self, condition: Any, left: Any, right: Any, what: str) -> Any:
        """Send a pair again and again until a condition holds."""
        return self.graph.wait_until(condition, what, repeat=lambda: self.send(left, right))

    def exchange(self, left: Any, right: Any, **send_options: Any) -> dict[str, Any]:
        """Send one pair and return the outputs that it gave, by topic; one more if it is lost."""
        stamps: list[int] = []

        def whole() -> dict[str, Any] | None:
            outputs = map(self.outputs, stamps)
            return next((each for each in outputs if len(each) == len(self._ears)), None)

        return self.graph.wait_until(
            whole,
            'all outputs of a pair',
            repeat=lambda: stamps.append(self.send(left, right, **send_options)),
            period_s=ASK_AGAIN_S,
        )

    def set_parameter(self, name: str, value: Any) -> Any:
        """Set one parameter; return the SetParametersResult."""
        return self.set_parameters(**{name: value})[0]

    def set_parameters(self, **values: Any) -> Any:
        """Set parameters one by one; return their SetParametersResults."""
        request = SetParameters.Request(parameters=_parameters(values))
        return self.call(SetParameters, self._service('set_parameters'), request).results

    def set_parameters_soon(self, **values: Any) -> Any:
        """Ask for a change; return the future of the answer."""
        client = self.node.create_client(SetParameters, self._service('set_parameters'))
        self.graph.wait_until(client.service_is_ready, 'the service set_parameters')
        return client.call_async(SetParameters.Request(parameters=_parameters(values)))

    def set_atomically(self, **values: Any) -> Any:
        """Set parameters all or none; return the SetParametersResult."""
        request = SetParametersAtomically.Request(parameters=_parameters(values))
        name = self._service('set_parameters_atomically')
        return self.call(SetParametersAtomically, name, request).result

    def describe(self, *names: str) -> list[ParameterDescriptor]:
        """Return the descriptors of parameters."""
        request = DescribeParameters.Request(names=names)
        name = self._service('describe_parameters')
        return self.call(DescribeParameters, name, request).descriptors


def messages_of(
    scene: StereoScene, encoding: str = 'mono8', **options: Any
) -> tuple[Image, Image]:
    """Return both images of a scene."""
    left, right = (
        image_message(image, encoding, **options) for image in (scene.left, scene.right)
    )
    return left, right


def run_once(
    graph: Graph, scene: StereoScene, infos: tuple[CameraInfo, CameraInfo], **parameters: Any
) -> dict[str, Any]:
    """Start the node in this process, send it one pair and return its outputs by topic."""
    graph.node(**parameters)
    rig = Rig(graph, infos=infos)
    pair = messages_of(scene)
    rig.connect(*pair)
    return rig.exchange(*pair)


def _parameters(values: dict[str, Any]) -> list[Any]:
    return [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]


def _pixels(grey: np.ndarray, encoding: str) -> np.ndarray:
    """Return (H, W) or (H, W, channels) values that mean this grey image.

    A mosaic of grey light is the grey image itself. 16-bit values read in the wrong byte order
    are another image.
    """
    known = ENCODINGS[encoding]
    values = grey.astype(np.uint16) * 128 + 129 if known.bits == 16 else grey
    if known.grey_channel is not None:  # the other channel is colour, which says nothing
        pixels = np.full((*grey.shape, 2), 99, np.uint8)
        pixels[..., known.grey_channel] = grey
        return pixels
    return values if known.channels == 1 else np.dstack([values] * known.channels)
