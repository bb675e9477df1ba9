# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Snapshots of a node in health and in silence, for the tests to change."""

from __future__ import annotations

import dataclasses
from typing import Any

from stereo_depth_node.core.health.diagnosis import diagnose
from stereo_depth_node.core.health.snapshot import SideSnapshot, Snapshot, TopicSnapshot
from stereo_depth_node.core.pairing.offset import OffsetEstimate

IMAGE, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
PERIOD_NS = 33_333_333


def side(name: str, **changes: Any) -> SideSnapshot:
    """Return a camera that sends 30 images per second."""
    image = TopicSnapshot(f'/{name}/image_rect', IMAGE, publishers=(f'/{name}_driver',))
    info = TopicSnapshot(f'/{name}/camera_info', INFO, publishers=(f'/{name}_driver',))
    usual: dict[str, Any] = {
        'image': image,
        'camera_info': info,
        'received': 30,
        'rate': 30.0,
        'silence': 0.02,
        'period_ns': PERIOD_NS,
        'expected': 30,
    }
    return SideSnapshot(**{**usual, **changes})


HEALTHY = Snapshot(
    left=side('left'),
    right=side('right'),
    subscribers={'disparity': 1, 'depth/image_rect': 0},
    age=60.0,
    pairs=30,
    computed=30,
    output_silence=0.02,
    offset=OffsetEstimate(0, 0, 30),
    stages={'decode': 0.001, 'match': 0.008},
)
SILENT = dataclasses.replace(HEALTHY, computed=0, output_silence=5.0)

PROFILE = 'FASTDDS_DEFAULT_PROFILES_FILE=/share/fastdds_shm.xml'


def names(snapshot: Snapshot) -> list[str]:
    return [finding.cause.name for finding in diagnose(snapshot)]


def first(snapshot: Snapshot) -> str:
    return diagnose(snapshot)[0].text


def changed(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return dataclasses.replace(snapshot, **changes)


def unpaired(**changes: Any) -> Snapshot:
    return changed(SILENT, pairs=0, **changes)


def text_of(snapshot: Snapshot, cause: str) -> str:
    return next(each.text for each in diagnose(snapshot) if each.cause.name == cause)
