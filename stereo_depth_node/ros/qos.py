# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What users change of the quality of service of topics, with the parameters qos_overrides.

rclpy gives these parameters the profile of the first publisher of, or subscription to, a topic,
writes their values into the profile it is handed, and reads them back for every later one. So a
profile that changes with the settings would be overridden by its own past: only what a user has
changed of the first one is kept here for the later ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions

from stereo_depth_node.core.settings.names import QOS_POLICIES
from stereo_depth_node.core.settings.text_files import printable

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
    )

__all__ = ['PublisherEventCallbacks', 'QosOverrides', 'SubscriptionEventCallbacks']

_POSSIBLE = (
    f'possible are history keep_last and keep_all, depth up to {2**31 - 1}, reliability '
    'best_effort and reliable, durability volatile and transient_local'
)
_KINDS = tuple(QoSPolicyKind[policy.upper()] for policy in QOS_POLICIES)


class QosOverrides:
    """Makes the publishers, or the subscriptions, of a node with what users override of them.

    Parameters
    ----------
    node : Node
        Declares the parameters. An override that cannot be used is refused: an error is logged
        and the profile stays as it was.

    Attributes
    ----------
    refusals : list of str
        Which overrides were refused, why, and what is possible.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.refusals: list[str] = []
        self._changes: dict[str, dict[str, Any]] = {}

    def create(self, factory: Callable[..., Any], topic: str, profile: QoSProfile) -> Any:
        """Make a publisher or a subscription.

        Parameters
        ----------
        factory : callable
            ``node.create_publisher`` or ``node.create_subscription`` with all arguments but
            qos_profile and qos_overriding_options.
        topic : str
            The topic, always by the same name.
        profile : QoSProfile
            A profile of this topic's own: it is written to.
        """
        if topic in self._changes:
            return factory(qos_profile=_changed(profile, self._changes[topic]))
        asked = _policies_of(profile)
        options = QoSOverridingOptions(_KINDS)
        try:
            made = factory(qos_profile=profile, qos_overriding_options=options)
        except Exception as error:  # noqa: BLE001 (rclpy raises many kinds for a wrong value)
            made = factory(qos_profile=_changed(profile, asked))
            self._changes[topic] = {}
            reason = _reason_of(error)
            self.refusals.append(f'qos_overrides of {topic}: {reason}; {_POSSIBLE}')
            self._node.get_logger().error(
                f'qos_overrides of {topic} refused: {reason}. The profile of the node stays in '
                f'force; {_POSSIBLE}.'
            )
            return made
        self._changes[topic] = {
            policy: value
            for policy, value in _policies_of(profile).items()
            if value != asked[policy]
        }
        return made


def _reason_of(error: Exception) -> str:
    """Return what rclpy says, without the places in its source and its compiled signatures."""
    reason = str(error).partition(', at /')[0].partition('The following argument types')[0]
    return printable(reason).rstrip('. ')


def _policies_of(profile: QoSProfile) -> dict[str, Any]:
    return {policy: getattr(profile, policy) for policy in QOS_POLICIES}


def _changed(profile: QoSProfile, changes: dict[str, Any]) -> QoSProfile:
    for policy, value in changes.items():
        setattr(profile, policy, value)
    return profile
