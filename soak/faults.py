# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The faults of a soak: what the node has to stand."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
import random
import signal
import sys
import time
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from benchmarks.worker import Worker, Workers
from stereo_depth_node.processes import Process

__all__ = ['CAMERAS', 'FAULTS', 'Bystander', 'Camera', 'node_hangs', 'parameters_storm']

_NODE = 'stereo_depth_node'
_HOUR_S = 3600
_TOPICS = ('left/image_rect', 'right/image_rect')
CAMERAS = tuple(
    (*size, encoding)
    for size in ((320, 240), (752, 480), (848, 480))
    for encoding in ('mono8', 'bgr8')
)
"""Width, height and encoding of the drivers that may replace the usual one."""
# Possible and impossible values.
_PARAMETERS: dict[str, tuple[Any, ...]] = {
    'num_disparities': (16, 64, 128, 17, 100000),
    'block_size': (5, 15, 21, 4, 255),
    'min_disparity': (0, -16, 16, 99999),
    'uniqueness_ratio': (0, 15, 101),
    'speckle_window_size': (0, 100, -1),
    'frame_policy': ('latest', 'every', 'none'),
    'sync_tolerance': (0.0, 0.01, -1.0),
    'queue_size': (1, 10, 0),
    'downscale': (1, 2, 3),
    'depth_encoding': ('32FC1', '16UC1', '8UC1'),
}
_USUAL = {name: values[0] for name, values in _PARAMETERS.items()} | {
    'num_disparities': 64,
    'block_size': 15,
    'uniqueness_ratio': 15,
    'sync_tolerance': 0.01,
    'queue_size': 10,
}
_LISTENER = """
import rclpy
from rclpy.node import Node
from stereo_msgs.msg import DisparityImage
rclpy.init()
node = Node('stalled')
node.create_subscription(DisparityImage, 'disparity', lambda message: None, 5)
rclpy.spin(node)
"""


class Camera:
    """The driver of a stereo camera, which can be killed and replaced.

    Parameters
    ----------
    processes : Workers
        Run the driver.
    environment : mapping
        Variables of the driver.
    rate : float
        Pairs per second.

    Attributes
    ----------
    process : Worker
        The driver that was started last.
    starts : int
        How often a driver was started.
    """

    process: Worker

    def __init__(self, processes: Workers, environment: Mapping[str, str], rate: float) -> None:
        self._processes = processes
        self._environment = environment
        self._rate = rate
        self.starts = 0

    def start(self, width: int = 640, height: int = 480, encoding: str = 'mono8') -> None:
        """Kill the driver, as a crash does, and start another."""
        self.kill()
        self.process = self._processes.start_worker(
            'camera',
            (sys.executable, '-m', 'benchmarks.feeder', str(width), str(height), encoding),
            self._environment,
        )
        self.process.tell(f'start {self._rate}')
        self.starts += 1

    def kill(self) -> None:
        """Kill the driver, if one was started."""
        if self.starts:
            self.process.kill()


class Bystander:
    """A program on the graph that listens, disturbs and sets parameters.

    Parameters
    ----------
    watch : callable
        Is given the diagnostics of the node.
    seed : int
        Of the faults.
    processes : Workers
        Run further programs.
    environment : mapping
        Their variables.
    camera : Camera
        Its driver is restarted and paused.
    under_test : Process
        The node.

    Attributes
    ----------
    outputs : int
        Disparity images received.
    """

    def __init__(
        self,
        watch: Callable[[Any], None],
        seed: int,
        processes: Workers,
        environment: Mapping[str, str],
        camera: Camera,
        under_test: Process,
    ) -> None:
        self.random, self.camera, self.under_test = random.Random(seed), camera, under_test
        self.outputs = 0
        self._processes, self._environment = processes, environment
        self.node = rclpy.create_node('soak')
        self.node.create_subscription(DiagnosticArray, '/diagnostics', watch, 10)
        self._parameters = self.node.create_client(SetParameters, f'/{_NODE}/set_parameters')
        self._subscription: Any = None
        self.listen()

    def listen(self) -> None:
        """Subscribe to the disparity."""
        self._subscription = self.node.create_subscription(
            DisparityImage, 'disparity', self._count, 5
        )

    def leave(self) -> None:
        """Take the subscription back."""
        self.node.destroy_subscription(self._subscription)

    def pass_time(self, seconds: float, rate: float = 0.0, act: Any = None) -> None:
        """Spin for some time, and act at a rate meanwhile."""
        due = now = time.monotonic()
        end = now + seconds
        while now < end:
            if act is not None and now >= due:
                act()
                due += 1.0 / rate
            rclpy.spin_once(self.node, timeout_sec=0.01)
            now = time.monotonic()

    def hang(self, process: Process, seconds: float) -> None:
        """Stop a process for some time, as a computer does that swaps or sleeps."""
        process.send_signal(signal.SIGSTOP)
        self.pass_time(seconds)
        process.send_signal(signal.SIGCONT)

    def start_listener(self) -> Process:
        """Start another program that subscribes to the disparity, reliably."""
        return self._processes.start(
            'listener', (sys.executable, '-c', _LISTENER), self._environment
        )

    def set_parameters(self, names: Iterable[str] = ()) -> None:
        """Set parameters to the usual values, or those named to any of theirs."""
        values = {name: self.random.choice(_PARAMETERS[name]) for name in names} or _USUAL
        request = SetParameters.Request(
            parameters=[
                Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
            ]
        )
        future = self._parameters.call_async(request)
        future.add_done_callback(lambda answered: answered.result())

    def _count(self, _message: DisparityImage) -> None:
        self.outputs += 1


def camera_is_killed(soak: Bystander) -> None:
    """Kill the driver and start it again."""
    soak.camera.kill()
    soak.pass_time(2.0)
    soak.camera.start()


def camera_changes_size(soak: Bystander) -> None:
    """Restart the driver with images of another size, encoding and calibration."""
    soak.camera.start(*soak.random.choice(CAMERAS))


def camera_hangs(soak: Bystander) -> None:
    """Stop the driver for a while; then it goes on."""
    soak.hang(soak.camera.process, 2.0)


def node_hangs(soak: Bystander) -> None:
    """Stop the node for a while; then it has more images than its queues can hold."""
    soak.hang(soak.under_test, 1.0)


def parameters_storm(soak: Bystander) -> None:
    """Set parameters 50 times a second, possible and impossible ones."""
    names = list(_PARAMETERS)
    soak.pass_time(2.0, 50.0, lambda: soak.set_parameters(soak.random.sample(names, 2)))
    soak.set_parameters()


def listeners_come_and_go(soak: Bystander) -> None:
    """Take the subscription back and subscribe anew, several times."""
    for _ in range(5):
        soak.leave()
        soak.pass_time(soak.random.uniform(0.0, 0.4))
        soak.listen()
        soak.pass_time(soak.random.uniform(0.0, 0.4))


def listener_stalls(soak: Bystander) -> None:
    """Let another listener hang, then kill it."""
    listener = soak.start_listener()
    soak.pass_time(2.0)
    listener.send_signal(signal.SIGSTOP)
    soak.pass_time(3.0)
    listener.kill()


def strangers_publish(soak: Bystander) -> None:
    """Publish nonsense on the topics of the cameras, with any stamps."""
    images = [soak.node.create_publisher(Image, topic, QoSProfile(depth=5)) for topic in _TOPICS]
    infos = [
        soak.node.create_publisher(CameraInfo, f'{side}/camera_info', QoSProfile(depth=5))
        for side in ('left', 'right')
    ]
    now = int(time.time())

    def publish() -> None:
        second = soak.random.choice([0, now - _HOUR_S, now, now + _HOUR_S, 2**31 - 1])
        header = Header(stamp=Time(sec=second), frame_id='stranger')
        for publisher in images:
            publisher.publish(_nonsense(soak.random, header))
            publisher.publish(soak.random.randbytes(soak.random.randrange(4, 200)))
        soak.random.choice(infos).publish(CameraInfo(header=header))

    soak.pass_time(2.0, 20.0, publish)
    for publisher in (*images, *infos):
        soak.node.destroy_publisher(publisher)


def _nonsense(dice: random.Random, header: Header) -> Image:
    size = dice.choice([0, 1, 64, 640, 2**32 - 1])
    return Image(
        header=header,
        width=size,
        height=dice.choice([0, 1, 480, 2**32 - 1]),
        encoding=dice.choice(['mono8', 'bgr8', 'mono16', '', 'none']),
        step=dice.choice([0, size, 2**32 - 1]),
        data=array('B', dice.randbytes(dice.randrange(0, 5000))),
    )


FAULTS: tuple[Callable[[Bystander], None], ...] = (
    camera_is_killed,
    camera_changes_size,
    camera_hangs,
    node_hangs,
    parameters_storm,
    listeners_come_and_go,
    listener_stalls,
    strangers_publish,
)
"""All faults; each leaves a camera running, if not the usual one."""
