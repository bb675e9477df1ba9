# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The texts of causes hold what was seen: topics, types, senders and frames."""

from __future__ import annotations

from collections import Counter
import math
from typing import Any

import pytest
from snapshots import changed, HEALTHY, IMAGE, names, side, SILENT, text_of

from stereo_depth_node.core.health.snapshot import Snapshot, TopicSnapshot
from stereo_depth_node.core.pairing.reasons import DropReason

COMPRESSED = 'sensor_msgs/msg/CompressedImage'


def silent(*sides: str, **topic: Any) -> Snapshot:
    """Return a node that no image reaches from some sides, whose topics are as given."""
    return changed(
        SILENT,
        pairs=0,
        **{
            name: side(
                name,
                silence=math.inf,
                received=0,
                image=TopicSnapshot(f'/{name}/image_rect', IMAGE, **topic),
            )
            for name in sides
        },
    )


def sides(**changes: Any) -> dict[str, Any]:
    """Return both sides with the same changes."""
    return {name: side(name, **changes) for name in ('left', 'right')}


@pytest.mark.parametrize(
    ('cause', 'snapshot', 'words'),
    [
        (
            'no_publisher',
            silent('left', 'right', similar=('/cam0/image', '/cam1/image')),
            (
                'nobody publishes /left/image_rect and /right/image_rect (sensor_msgs/msg/Image): '
                'start the camera or the playback, or remap the topics; of that type there are '
                '/cam0/image and /cam1/image'
            ),
        ),
        (
            'wrong_type',
            silent('left', other_types=(COMPRESSED,)),
            f'/left/image_rect carries {COMPRESSED}, not {IMAGE}: ',
        ),
        (
            'incompatible_qos',
            silent('left', incompatible='/rig: best effort'),
            '/left/image_rect is published with a QoS that does not reach this node (/rig: best',
        ),
        (
            'no_messages',
            silent('left', 'right', publishers=('/rig',)),
            (
                'no image came on /left/image_rect and /right/image_rect for 60.0 s although '
                'there are publishers (/rig): resume'
            ),
        ),
        (
            'one_side_only',
            silent('right', publishers=('/rig',)),
            (
                'left images come at 30.0 Hz, but there was none on /right/image_rect for 60.0 s '
                'although it has a publisher (/rig)'
            ),
        ),
        (
            'stamps_zero',
            changed(SILENT, pairs=0, **sides(zero=30)),
            'all left and right images are stamped 0',
        ),
        (
            'stamps_repeat',
            changed(SILENT, pairs=0, dropped=Counter({DropReason.DUPLICATE: 58})),
            '58 of the last 60 images repeat a stamp of their camera',
        ),
        (
            'stamps_backward',
            changed(SILENT, pairs=0, **sides(backward=29)),
            (
                '58 of the last 60 images are stamped earlier than the image before '
                '(/left/image_rect is published by /left_driver and /right/image_rect is '
                'published by /right_driver)'
            ),
        ),
        (
            'images_unpaired',
            changed(HEALTHY, dropped={DropReason.UNPAIRED: 20}),
            'found no partner',
        ),
        (
            'frame_ids_differ',
            changed(HEALTHY, frame_ids=('a', 'b'), output_frame='a'),
            "frame_id is 'a' (left) and 'b' (right)",
        ),
        (
            'no_clock',
            changed(HEALTHY, waits_for_clock=True),
            'use_sim_time is true, but /clock has said nothing',
        ),
    ],
)
def test_a_cause_is_told_with_what_was_seen(cause: str, snapshot: Snapshot, words: str) -> None:
    assert cause in names(snapshot)
    assert words in text_of(snapshot, cause)
