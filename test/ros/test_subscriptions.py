# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Who is connected to whom, when, and with which quality of service."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import BEST_EFFORT, Graph, NodeHere, Peer, RELIABLE
from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from rig import camera_infos, messages_of, next_stamp_ns, Rig
from scenes import plane, scene_of
from sensor_msgs.msg import Image
from stereo_msgs.msg import DisparityImage

from stereo_depth_node.core.health.diagnosis import diagnose
from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.ros.messages import message_class

PAIR = messages_of(scene_of(plane(200, 120, 10)))
INFOS = camera_infos(200, 120)
LEFT = '/left/image_rect'


def image_profile(node: NodeHere, name: str = 'left image') -> QoSProfile:
    """Return the profile of a subscription as the middleware has it."""
    (endpoint,) = node.node.get_subscriptions_info_by_topic(
        node.node.inputs.subscriptions()[name].topic_name
    )
    return endpoint.qos_profile


def output_reliability(node: NodeHere, topic: str) -> QoSReliabilityPolicy:
    (endpoint,) = node.node.get_publishers_info_by_topic(topic)
    return endpoint.qos_profile.reliability


@pytest.mark.parametrize('topic', OUTPUTS)
def test_images_are_subscribed_to_exactly_while_somebody_listens(graph: Graph, topic: str) -> None:
    graph.node()
    rig = Rig(graph, [], infos=INFOS)
    graph.wait_until(lambda: rig.is_calibration_wanted, 'the node to subscribe to calibration')
    assert rig.is_ignored

    for _ in range(2):
        rig.listen(topic, message_class(OUTPUTS[topic].type))
        rig.connect(*PAIR)
        assert list(rig.exchange(*PAIR)) == [topic]

        rig.stop_listening(topic)
        graph.wait_until(lambda: rig.is_ignored, 'the node to end its subscriptions')


def test_images_that_wait_when_the_last_listener_leaves_are_counted(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)
    received = node.received
    for _ in range(3):
        rig.send_image(0, PAIR[0], next_stamp_ns())
    graph.wait_until(lambda: node.received == received + 3, 'three left images')

    rig.stop_listening('disparity')
    graph.wait_until(lambda: rig.is_ignored, 'the node to end its subscriptions')

    assert node.dropped['UNWANTED'] == 3
    assert node.node.state.pairer.waiting == 0
    node.assert_adds_up()


def test_topics_lie_in_the_namespace_of_the_node(graph: Graph) -> None:
    node = graph.node('-r', '__ns:=/robot')

    names = {name for name, _ in node.node.get_topic_names_and_types()}

    assert {f'/robot/{topic}' for topic in OUTPUTS} <= names
    assert '/robot/left/camera_info' in names


def test_all_outputs_are_offered_reliably(graph: Graph) -> None:
    node = graph.node()

    for topic in OUTPUTS:
        assert output_reliability(node, topic) == QoSReliabilityPolicy.RELIABLE


@pytest.mark.parametrize('policy', ['latest', 'every'])
@pytest.mark.parametrize('qos', [BEST_EFFORT, RELIABLE], ids=['best_effort', 'reliable'])
def test_cameras_may_publish_best_effort_or_reliably(
    graph: Graph, qos: QoSProfile, policy: str
) -> None:
    """They may come after the node has subscribed, too."""
    node = graph.node(frame_policy=policy)
    listener = graph.add(Peer(graph, 'listener'))
    heard = listener.listen('disparity', DisparityImage)
    graph.wait_until(lambda: node.node.inputs.are_open, 'the node to subscribe to the images')

    rig = Rig(graph, [], infos=INFOS, qos=qos)

    rig.send_until(lambda: heard, *PAIR, 'a disparity')


def test_every_frame_is_asked_for_reliably_where_the_camera_can(graph: Graph) -> None:
    """The change while the node runs counts, too."""
    node = graph.node()
    rig = Rig(graph, ['disparity'], infos=INFOS, qos=RELIABLE)
    rig.connect(*PAIR)
    assert image_profile(node).reliability == QoSReliabilityPolicy.BEST_EFFORT

    assert rig.set_parameter('frame_policy', 'every').successful

    graph.wait_until(
        lambda: image_profile(node).reliability == QoSReliabilityPolicy.RELIABLE,
        'a reliable subscription',
    )
    rig.connect(*PAIR)


def test_each_camera_is_asked_for_what_it_offers_now(graph: Graph) -> None:
    node = graph.node(frame_policy='every')
    graph.add(Peer(graph, 'listener')).listen('disparity', DisparityImage)
    left, first, second = (graph.add(Peer(graph, name)) for name in ('left', 'first', 'second'))
    left.publisher('left/image_rect', Image, RELIABLE)
    first.publisher('right/image_rect', Image, BEST_EFFORT)

    def asked() -> list[str]:
        subscriptions = node.node.inputs.subscriptions()
        return [
            subscriptions[f'{side} image'].qos_profile.reliability.name
            for side in ('left', 'right')
            if f'{side} image' in subscriptions
        ]

    graph.wait_until(lambda: asked() == ['RELIABLE', 'BEST_EFFORT'], 'what is offered')
    second.publisher('right/image_rect', Image, RELIABLE)
    graph.remove(first)
    graph.wait_until(lambda: asked() == ['RELIABLE', 'RELIABLE'], 'what is offered then')


def test_a_new_queue_size_holds_in_the_middleware_as_well(graph: Graph) -> None:
    node = graph.node()
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)
    subscriptions = node.node.inputs.subscriptions
    before = subscriptions()['left image'].qos_profile.depth

    assert rig.set_parameter('queue_size', 30).successful

    graph.wait_until(
        lambda: subscriptions()['left image'].qos_profile.depth == 3 * before,
        'a subscription three times as deep',
    )
    rig.connect(*PAIR)


def test_images_of_another_size_are_subscribed_to_anew(graph: Graph) -> None:
    """Once they have settled: the middleware lets go of the room for the old ones only then."""
    node = graph.node()
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)
    before = node.node.inputs.subscriptions()['left image']
    rig.infos = camera_infos(400, 240)
    larger = messages_of(scene_of(plane(400, 240, 10)))

    rig.send_until(
        lambda: node.node.inputs.subscriptions()['left image'] is not before,
        *larger,
        'other subscriptions',
    )

    rig.connect(*larger)
    assert rig.exchange(*larger)['disparity'].image.width == 400
    node.assert_adds_up()


def overridden(topic: str, kind: str, **policies: Any) -> list[str]:
    """Return the arguments that override the quality of service of a topic."""
    return [
        part
        for policy, value in policies.items()
        for part in ('-p', f'qos_overrides.{topic}.{kind}.{policy}:={value}')
    ]


def test_overrides_of_an_input_hold_whenever_it_is_subscribed_to(graph: Graph) -> None:
    """After a time when nobody listened, and after other settings changed the profile."""
    node = graph.node(
        *overridden(LEFT, 'subscription', reliability='reliable', depth=7, history='keep_last')
    )
    rig = Rig(graph, ['disparity'], infos=INFOS, qos=RELIABLE)
    subscriptions = node.node.inputs.subscriptions

    def assert_overridden() -> None:
        rig.connect(*PAIR)
        left, right = (subscriptions()[f'{side} image'] for side in ('left', 'right'))
        assert left.qos_profile.depth == 7
        assert image_profile(node).reliability == QoSReliabilityPolicy.RELIABLE
        assert right.qos_profile.depth == 20
        assert image_profile(node, 'right image').reliability == QoSReliabilityPolicy.BEST_EFFORT

    assert_overridden()
    rig.stop_listening('disparity')
    graph.wait_until(lambda: rig.is_ignored, 'the node to end its subscriptions')
    rig.listen('disparity', DisparityImage)
    assert_overridden()
    assert rig.set_parameter('queue_size', 30).successful
    graph.wait_until(
        lambda: subscriptions()['right image'].qos_profile.depth == 60, 'a deeper subscription'
    )
    assert subscriptions()['left image'].qos_profile.depth == 7


def test_images_kept_without_a_limit_are_paired_like_any_others(graph: Graph) -> None:
    node = graph.node(*overridden(LEFT, 'subscription', history='keep_all'))
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)

    rig.exchange(*PAIR)

    history = node.node.inputs.subscriptions()['left image'].qos_profile.history
    assert history == QoSHistoryPolicy.KEEP_ALL


def test_overrides_hold_for_their_own_topic_alone(graph: Graph) -> None:
    node = graph.node(
        *overridden('/disparity', 'publisher', reliability='best_effort'),
        *overridden('/left/camera_info', 'subscription', depth=3),
    )

    assert output_reliability(node, 'disparity') == QoSReliabilityPolicy.BEST_EFFORT
    for topic in set(OUTPUTS) - {'disparity'}:
        assert output_reliability(node, topic) == QoSReliabilityPolicy.RELIABLE
    subscriptions = node.node.inputs.subscriptions()
    assert subscriptions['left camera_info'].qos_profile.depth == 3
    assert subscriptions['right camera_info'].qos_profile.depth == 1


@pytest.mark.parametrize(
    ('topic', 'kind', 'policies'),
    [
        ('/disparity', 'publisher', {'reliability': 'perhaps'}),
        ('/disparity', 'publisher', {'history': 'unknown'}),
        ('/left/camera_info', 'subscription', {'depth': 'deep'}),
        ('/left/camera_info', 'subscription', {'depth': -4}),
        (LEFT, 'subscription', {'reliability': 7}),
    ],
)
def test_impossible_overrides_are_refused_by_name_and_the_node_runs(
    graph: Graph, capfd: Any, topic: str, kind: str, policies: dict[str, Any]
) -> None:
    node = graph.node(*overridden(topic, kind, **policies))
    rig = Rig(graph, infos=INFOS)
    rig.connect(*PAIR)

    assert len(rig.exchange(*PAIR)) == len(OUTPUTS)
    snapshot = node.node.diagnostics._observer.observe()
    (standing,) = (each for each in diagnose(snapshot) if each.cause.name == 'parameter_ignored')
    assert f'not used: qos_overrides of {topic[1:]}: ' in standing.text
    refused = [line for line in capfd.readouterr().err.splitlines() if 'refused' in line]
    assert len(refused) == 1
    assert f'qos_overrides of {topic[1:]}' in refused[0]


@pytest.mark.parametrize('history', ['keep_last', 'keep_all'])
@pytest.mark.parametrize('depth', [0, 1, 2**31 - 1, 2**31, -1])
def test_whatever_depth_is_asked_for_pairs_are_computed(
    graph: Graph, history: str, depth: int
) -> None:
    """Or it is refused, in one short line; nothing counts up to a depth."""
    topics = {'left/image_rect': 'subscription', 'left/camera_info': 'subscription'}
    topics |= {'right/image_rect': 'subscription', 'disparity': 'publisher'}
    arguments = []
    for topic, kind in topics.items():
        prefix = f'qos_overrides./{topic}.{kind}'
        arguments += ['-p', f'{prefix}.history:={history}', '-p', f'{prefix}.depth:={depth}']
    process = graph.node_process(*arguments)
    rig = Rig(graph, ['disparity'], infos=INFOS)
    rig.connect(*PAIR)

    assert all(rig.exchange(*PAIR) for _ in range(3))
    assert process.stop() == 0
    refusals = [line for line in process.output.splitlines() if 'refused' in line]
    assert bool(refusals) == (depth not in range(2**31))
    assert all(len(line) < 500 and 'depth up to 2147483647' in line for line in refusals)
