# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings made for the tests, and what is in those that come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import lru_cache
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
from scenes import camera, plane, scene_of, StereoScene

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.offline.bags.reader import Bag
from stereo_depth_node.offline.cli import main

IMAGE = 'sensor_msgs/msg/Image'
INFO = 'sensor_msgs/msg/CameraInfo'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'

FRAME_NS = 50_000_000
START_NS = 1_700_000_000_000_000_000
FOCAL, BASELINE = 200.0, 0.1

# A process that computes little: to load the compiled kernel would take longer.
OPENCV = ('--set', 'matcher_backend=opencv')

store = get_typestore(Stores.ROS2_HUMBLE)


@lru_cache(maxsize=8)
def moving_scenes(count: int = 4, width: int = 160, height: int = 120) -> tuple[StereoScene, ...]:
    """Return scenes of planes that come nearer, with another texture each."""
    return tuple(
        scene_of(plane(width, height, 8.0 + 2 * index), seed=index) for index in range(count)
    )


def header(stamp_ns: int, frame_id: str = 'left_optical') -> Any:
    """Return a Header."""
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stamp = store.types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
    return store.types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)


def image(pixels: NDArray[Any], stamp_ns: int, encoding: str = 'mono8') -> Any:
    """Return an Image of (H, W) or (H, W, channels) pixels."""
    height, width = pixels.shape[:2]
    return store.types[IMAGE](
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=pixels.nbytes // height,
        data=np.ascontiguousarray(pixels).view(np.uint8).reshape(-1),
    )


def compressed(data: bytes, stamp_ns: int) -> Any:
    """Return a CompressedImage."""
    return store.types[COMPRESSED](
        header=header(stamp_ns),
        format='mono8; png compressed ',
        data=np.frombuffer(data, np.uint8),
    )


def info(calibration: CameraCalibration, stamp_ns: int) -> Any:
    """Return a CameraInfo."""
    roi = store.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    return store.types[INFO](
        header=header(stamp_ns),
        height=calibration.height,
        width=calibration.width,
        distortion_model=calibration.distortion_model,
        d=np.array(calibration.d),
        k=np.array(calibration.k),
        r=np.array(calibration.r),
        p=np.array(calibration.p),
        binning_x=0,
        binning_y=0,
        roi=roi,
    )


class Tape:
    """Messages in the order in which they are recorded, and the writing of them."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, int, bytes]] = []

    def add(self, topic: str, message: Any, bag_ns: int) -> None:
        """Record a message."""
        data = bytes(store.serialize_cdr(message, message.__msgtype__))
        self.messages.append((topic, message.__msgtype__, bag_ns, data))

    def write(
        self,
        path: Path,
        *,
        storage: StoragePlugin = StoragePlugin.MCAP,
        compression: CompressionMode = CompressionMode.NONE,
        version: int = 8,
    ) -> Path:
        """Write them as a bag."""
        writer = Writer(path, version=version, storage_plugin=storage)
        writer.set_compression(compression, CompressionFormat.ZSTD)
        with writer:
            connections: dict[str, Any] = {}
            for topic, kind, bag_ns, data in self.messages:
                if topic not in connections:
                    connections[topic] = writer.add_connection(topic, kind, typestore=store)
                writer.write(connections[topic], bag_ns, data)
        return path


def stereo_tape(
    pairs: int,
    *,
    scenes: Sequence[StereoScene] | None = None,
    lag_ns: int = 1_000_000,
    skew_ns: int = 0,
    with_info: bool = True,
    right_size: tuple[int, int] | None = None,
    suffix: str = 'image_rect',
    extra: Callable[[Tape, int], None] | None = None,
) -> Tape:
    """Record a stereo camera.

    Parameters
    ----------
    pairs : int
        How many.
    scenes : sequence of StereoScene, optional
        Seen in turn.
    lag_ns : int
        How much later than stamped an image is recorded; the right one twice that.
    skew_ns : int
        Stamp of the right image less that of the left.
    with_info : bool
        Record the calibration, too.
    right_size : tuple of int, optional
        Cut the right images to this width and height.
    suffix : str
        Of the image topics.
    extra : callable, optional
        Adds to the tape at the time of each pair.
    """
    scenes = scenes or moving_scenes()
    width, height = scenes[0].size
    left = camera(width, height, f=FOCAL)
    right = camera(width, height, f=FOCAL, tx=-FOCAL * BASELINE)
    tape = Tape()
    for index in range(pairs):
        stamp = START_NS + index * FRAME_NS
        scene = scenes[index % len(scenes)]
        if with_info:
            tape.add('/left/camera_info', info(left, stamp), stamp + lag_ns)
            tape.add('/right/camera_info', info(right, stamp), stamp + lag_ns)
        pixels = scene.right
        if right_size is not None:
            pixels = pixels[: right_size[1], : right_size[0]]
        tape.add(f'/left/{suffix}', image(scene.left, stamp), stamp + lag_ns)
        tape.add(f'/right/{suffix}', image(pixels, stamp + skew_ns), stamp + 2 * lag_ns)
        if extra is not None:
            extra(tape, stamp)
    return tape


def write_bag(path: Path, pairs: int, **options: Any) -> Path:
    """Write a recording of `pairs` pairs; see :func:`stereo_tape`."""
    return stereo_tape(pairs, **options).write(path)


def messages_of(path: Path, topic: str | None = None) -> list[tuple[str, int, Any]]:
    """Return topic, time and message of what is in a recording."""
    with closing(Bag(path)) as recording:
        kinds = {each.name: each.type for each in recording.topics}
        names: Iterable[str] = kinds if topic is None else [topic]
        return [
            (name, bag_ns, store.deserialize_cdr(data, kinds[name]))
            for name, bag_ns, data in recording.messages(names)
        ]


def content_hash(path: Path) -> dict[str, str]:
    """Return a hash of every file of a folder."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(path.iterdir())
    }


def pixels_of(message: Any) -> NDArray[Any]:
    """Return the pixels of a 32FC1 image."""
    return message.data.view(np.float32).reshape(message.height, message.width)


def depths_of(path: Path) -> dict[int, NDArray[Any]]:
    """Return the depth images of a recording by their stamps in ns."""
    return {
        message.header.stamp.sec * 10**9 + message.header.stamp.nanosec: pixels_of(message)
        for _, _, message in messages_of(path, '/depth/image_rect')
    }


def run_bag(*arguments: object, quiet: bool = True) -> int:
    """Run ``stereo_depth bag`` in this process."""
    more = ['--quiet', '--processes', '1'] if quiet else []
    return main(['bag', *map(str, arguments), *more])
