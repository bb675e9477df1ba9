# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images that were sent and did not arrive, and how to make them arrive."""

from __future__ import annotations

from stereo_depth_node.core.health.causes import CAUSES, Finding, Level
from stereo_depth_node.core.health.snapshot import Snapshot

__all__ = [
    'is_notable',
    'lost_images',
    'or_transport_cure',
    'transport_cure',
    'why_much_is_lost',
]

# Fast DDS loses best-effort messages from this size on unless it is given a profile: two images
# at once do not fit into its 512 KiB of shared memory.
_TRANSPORT_BYTES = 300 * 1024
# Share of the images, and number of them, from which on a loss is reported.
_NOTABLE_SHARE, _NOTABLE_COUNT = 0.1, 3


def is_notable(count: int, of: int) -> bool:
    """Tell whether so many images of a number are reported."""
    return count >= _NOTABLE_COUNT and count > _NOTABLE_SHARE * of


def lost_images(snapshot: Snapshot, level: Level) -> Finding | None:
    """Return the finding that images are missing, by their stamps or as the middleware says."""
    missing = sum(side.missing for _, side in snapshot.sides())
    lost = sum(side.lost for _, side in snapshot.sides())
    expected = sum(side.expected for _, side in snapshot.sides())
    if not (lost or is_notable(missing, expected)):
        return None
    details = [
        f'{name} {side.missing}' + (f', by the middleware {side.lost}' if side.lost else '')
        for name, side in snapshot.sides()
    ]
    return CAUSES['images_lost'].found(
        level=level,
        missing=max(missing, lost),
        expected=max(expected, snapshot.received + lost),
        details='; '.join(details),
        cure=transport_cure(snapshot),
    )


def transport_cure(snapshot: Snapshot) -> str:
    """Say how images get through the middleware."""
    if snapshot.shared_memory:
        return snapshot.shared_memory
    if snapshot.profile_to_set:
        return f'export {snapshot.profile_to_set} and start camera and node anew'
    return (
        'start the cameras with the environment of this node, whose middleware has room for '
        'images; over a network use compressed images (image_transport) or raise '
        'net.core.rmem_max'
    )


def or_transport_cure(snapshot: Snapshot, check: str, if_fine: str) -> str:
    """Say what to check, and how images get through where they may be lost on their way.

    Parameters
    ----------
    snapshot : Snapshot
        Knows how large the images are, and whether the middleware is set up for them.
    check : str
        What to do at the cameras.
    if_fine : str
        When there is nothing to do there, such as ``if it works``.
    """
    if snapshot.image_bytes < _TRANSPORT_BYTES and not snapshot.shared_memory:
        return check
    if why := why_much_is_lost(snapshot):
        return f'{why}; else {check}'
    return f'{check}; {if_fine}, {transport_cure(snapshot)}'


def why_much_is_lost(snapshot: Snapshot) -> str:
    """Say that images are too large for a middleware without profile, and the cure; or ''."""
    is_large = snapshot.image_bytes >= _TRANSPORT_BYTES
    if not is_large or not snapshot.profile_to_set or snapshot.shared_memory:
        return ''
    return (
        f'images of {snapshot.image_bytes // 1024} KiB are too large for the shared memory that '
        f'Fast DDS takes by itself, so {transport_cure(snapshot)}'
    )
