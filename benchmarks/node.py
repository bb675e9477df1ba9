# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node as it is, in a process that also answers with its counters.

Takes the arguments of the node. Answers each line on standard input with its counters, and ends
with its input. ``settle`` first waits for the kernel if the settings use it; ``trace`` starts to
record allocations.
"""

from __future__ import annotations

import sys
import threading
import time
import tracemalloc
from typing import Any, cast

import rclpy

from benchmarks.worker import answer
from stereo_depth_node.core.matching.kernel.provider import wait_for_kernel
from stereo_depth_node.core.processing import Stage
from stereo_depth_node.ros import main as program
from stereo_depth_node.ros import node as node_module

__all__ = ['CountedNode']

# Far above what a busy machine needs to compile the kernel.
_COMPILE_S = 600.0


class CountedStage(Stage):
    """A stage that also sums up its time, and on request records allocations.

    Attributes
    ----------
    wall_s, cpu_s : float
        Seconds in it; cpu_s of the whole process.
    peak_bytes : list of int
        While tracing: the most memory that it had allocated beyond what there was before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wall_s = self.cpu_s = 0.0
        self.peak_bytes: list[int] = []
        self._cpu = 0.0
        self._level: int | None = None

    def __enter__(self) -> None:
        """Begin."""
        super().__enter__()
        self._cpu = time.process_time()
        if tracemalloc.is_tracing():
            tracemalloc.reset_peak()
            self._level = tracemalloc.get_traced_memory()[0]

    def __exit__(self, error_type: object, *error: object) -> None:
        """Add the time and the memory that it took."""
        if self._level is not None:
            self.peak_bytes.append(tracemalloc.get_traced_memory()[1] - self._level)
        self.cpu_s += time.process_time() - self._cpu
        super().__exit__(error_type, *error)
        if error_type is None:
            self.wall_s += self.times[-1]


class CountedNode(node_module.StereoDepthNode):
    """The node, answering what is asked on standard input."""

    def __init__(self, *arguments: Any, **node_arguments: Any) -> None:
        super().__init__(*arguments, **node_arguments)
        processor = self.state.processor
        processor.stages = {name: CountedStage() for name in processor.stages}
        threading.Thread(target=self._answer_all, daemon=True).start()

    def _answer_all(self) -> None:
        try:
            for line in sys.stdin:
                self._prepare(line.strip())
                answer(self.counters())
        finally:  # after an error too: the benchmark must not wait for an answer
            rclpy.try_shutdown()

    def _prepare(self, command: str) -> None:
        if command == 'settle' and self.parameters.current.matcher_backend != 'opencv':
            wait_for_kernel(_COMPILE_S)
        if command == 'trace':
            tracemalloc.start()

    def counters(self) -> dict[str, Any]:
        """Return the counters since the start of the node: images, unless the name says pairs."""
        state, pipeline = self.state, self.state.processor.pipeline
        stages = cast('dict[str, CountedStage]', state.processor.stages)
        return {
            'backend': '' if pipeline is None else pipeline.backend,
            'received': state.pairer.received,
            'computed_pairs': state.computed,
            'dropped': {reason.value: count for reason, count in state.dropped.items()},
            'waiting': state.waiting,
            'published': dict(self.outputs.published),
            'lost_by_middleware': sum(self.inputs.lost.values()),
            'stage_cpu_s': {name: stage.cpu_s for name, stage in stages.items()},
            'stage_wall_s': {name: stage.wall_s for name, stage in stages.items()},
            'peak_bytes': [peak for stage in stages.values() for peak in stage.peak_bytes[-100:]],
        }


def main() -> int:
    """Run the node's own program with the node that counts."""
    node_module.StereoDepthNode = CountedNode  # type: ignore[misc]
    return program.main()


if __name__ == '__main__':
    sys.exit(main())
