# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the running node: described, set, in effect, refused with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph, NodeHere
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.parameter import parameter_value_to_python
from rig import camera_infos, compressed_message, messages_of, pixels_of, Rig
from scenes import plane, scene_of, StereoScene
from sensor_msgs.msg import CompressedImage
import yaml

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.constraints import check_image_size
from stereo_depth_node.core.settings.parameter import Parameter
from stereo_depth_node.core.settings.settings import known_parameters, Settings

WIDTH, HEIGHT = 300, 160
KNOWN = known_parameters()
# The node subscribes anew for these and loses images meanwhile: they have their own tests.
SUBSCRIBING = ('frame_policy', 'image_transport', 'queue_size')
PRESETS = {
    path.stem: yaml.safe_load(path.read_text())['/**']['ros__parameters']
    for path in (Path(__file__).resolve().parents[2] / 'config' / 'presets').glob('*.yaml')
}
DEFAULTS = {name: known.default for name, known in KNOWN.items()}


def noisy_scene() -> StereoScene:
    """Return a pair on which every filter of the matcher finds something to remove."""
    rng = np.random.default_rng(1)
    scene = scene_of(plane(WIDTH, HEIGHT, 20))
    left, right = (
        np.clip(image + rng.normal(0, 25, image.shape), 0, 255).astype(np.uint8)
        for image in (scene.left, scene.right)
    )
    left[60:100, 120:200] = right[60:100, 120:200] = 77  # nothing to match
    return StereoScene(left, right, scene.disparity)


SCENE = noisy_scene()
PAIR = messages_of(SCENE)


@pytest.fixture(scope='module')
def shared_node(shared_graph: Graph) -> NodeHere:
    return shared_graph.node()


@pytest.fixture(scope='module')
def shared_rig(shared_graph: Graph, shared_node: NodeHere) -> Rig:
    rig = Rig(shared_graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*PAIR)
    return rig


@pytest.fixture
def node(shared_node: NodeHere) -> NodeHere:
    """Give a node at its defaults; it serves all tests of this module."""
    return shared_node


@pytest.fixture
def rig(shared_rig: Rig) -> Iterator[Rig]:
    """Give a camera and a listener that are connected to it; put the defaults back after."""
    yield shared_rig
    assert shared_rig.set_atomically(**DEFAULTS).successful
    shared_rig.connect(*PAIR)


def disparity_of(rig: Rig) -> np.ndarray:
    return pixels_of(rig.exchange(*PAIR)['disparity'].image)


def values_of(rig: Rig, *names: str) -> dict[str, Any]:
    """Return what the node says that the parameters are."""
    request = GetParameters.Request(names=names)
    response = rig.call(GetParameters, '/stereo_depth_node/get_parameters', request)
    return {
        name: parameter_value_to_python(value)
        for name, value in zip(names, response.values, strict=True)
    }


def another_value(known: Parameter) -> Any:
    """Return a value that is possible with all others at their defaults."""
    candidates: list[Any] = [True, *known.choices]
    if known.minimum is not None and known.maximum is not None:
        step = known.step or 1
        candidates += [
            known.type(value)
            for value in (known.default + step, known.minimum + 4 * step, 100, known.maximum)
        ]
    for value in candidates:
        try:
            settings = Settings().replace(**{known.name: value})
            check_image_size(settings, WIDTH, HEIGHT)
        except SettingsError:
            continue
        if getattr(settings, known.name) != known.default:
            return value
    pytest.skip(f'{known.name} has no other value that is possible everywhere')


@pytest.mark.parametrize('name', KNOWN)
def test_every_setting_is_declared_with_description_range_and_step(rig: Rig, name: str) -> None:
    known = KNOWN[name]

    (descriptor,) = rig.describe(name)

    assert descriptor.name == name
    assert known.description in descriptor.description
    assert known.unit in descriptor.description
    assert not descriptor.read_only
    ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
    if known.minimum is None:
        assert not ranges
    else:
        (interval,) = ranges
        assert (interval.from_value, interval.to_value) == (known.minimum, known.maximum)
        assert interval.step == (known.step or (known.type is int))
    assert all(choice in descriptor.additional_constraints for choice in known.choices)
    assert values_of(rig, name)[name] == known.default


@pytest.mark.parametrize(
    'name', [name for name in KNOWN if name not in SUBSCRIBING and not name.endswith('_url')]
)
def test_every_setting_can_be_set_while_frames_flow(node: NodeHere, rig: Rig, name: str) -> None:
    value = another_value(KNOWN[name])

    result = rig.set_parameter(name, value)

    assert result.successful, result.reason
    assert getattr(node.node.parameters.current, name) == value
    assert values_of(rig, name)[name] == value
    rig.exchange(*PAIR)


@pytest.mark.parametrize(
    ('changes', 'setters'),
    [
        ({'min_disparity': -16}, {'MinDisparity': -16}),
        ({'num_disparities': 96}, {'NumDisparities': 96}),
        ({'block_size': 9}, {'BlockSize': 9}),
        ({'pre_filter_cap': 10}, {'PreFilterCap': 10}),
        ({'pre_filter_type': 'normalized_response'}, {'PreFilterType': 0}),
        (
            {'pre_filter_type': 'normalized_response', 'pre_filter_size': 21},
            {'PreFilterType': 0, 'PreFilterSize': 21},
        ),
        ({'texture_threshold': 2000}, {'TextureThreshold': 2000}),
        ({'uniqueness_ratio': 40}, {'UniquenessRatio': 40}),
        ({'disp12_max_diff': 1}, {'Disp12MaxDiff': 1}),
        # OpenCV's range is in 1/16 px for this matcher.
        (
            {'speckle_window_size': 300, 'speckle_range': 3},
            {'SpeckleWindowSize': 300, 'SpeckleRange': 48},
        ),
    ],
    ids=' '.join,
)
def test_settings_of_the_block_matcher_have_the_effect_that_opencv_gives_them(
    rig: Rig, changes: dict[str, Any], setters: dict[str, int]
) -> None:
    matcher = cv2.StereoBM.create(64, 15)
    matcher.setUniquenessRatio(15)
    at_defaults = matcher.compute(SCENE.left, SCENE.right)
    for setter, value in setters.items():
        getattr(matcher, f'set{setter}')(value)
    expected = matcher.compute(SCENE.left, SCENE.right)
    assert (expected != at_defaults).any()

    assert rig.set_atomically(**changes).successful
    disparity = rig.exchange(*PAIR)['disparity']

    window = disparity.valid_window
    inside = np.s_[
        window.y_offset : window.y_offset + window.height,
        window.x_offset : window.x_offset + window.width,
    ]
    np.testing.assert_array_equal(
        pixels_of(disparity.image)[inside], expected.astype(np.float32)[inside] / 16
    )


def test_the_semi_global_matchers_find_more_than_block_matching(rig: Rig) -> None:
    by_blocks = (disparity_of(rig) >= 0).mean()

    for algorithm in ('sgbm', 'sgbm_3way', 'sgbm_hh', 'sgbm_hh4'):
        assert rig.set_parameter('algorithm', algorithm).successful
        assert (disparity_of(rig) >= 0).mean() > by_blocks


def test_the_left_band_is_filled_on_request_and_nothing_else_changes(rig: Rig) -> None:
    plain = disparity_of(rig)
    assert (plain[:, :70] < 0).all()

    assert rig.set_parameter('fill_left_band', True).successful
    filled = disparity_of(rig)

    assert (filled[:, 27:70] >= 0).mean() > 0.5
    np.testing.assert_array_equal(filled[:, 70:], plain[:, 70:])


def test_a_wider_tolerance_pairs_images_further_apart(node: NodeHere, rig: Rig) -> None:
    computed = node.node.state.computed
    rig.send(*PAIR, right_later_ns=30_000_000)
    rig.exchange(*PAIR)
    assert node.node.state.computed == computed + 1

    assert rig.set_parameter('sync_tolerance', 0.04).successful

    rig.exchange(*PAIR, right_later_ns=30_000_000)


def test_the_transport_can_be_changed_to_compressed_images(graph: Graph) -> None:
    graph.node()
    infos = camera_infos(WIDTH, HEIGHT)
    raw = Rig(graph, ['disparity'], infos=infos)
    raw.connect(*PAIR)
    before = disparity_of(raw)

    assert raw.set_parameter('image_transport', 'compressed').successful

    topics = {f'{side}/image_rect': f'{side}/image_rect/compressed' for side in ('left', 'right')}
    driver = Rig(graph, ['disparity'], infos=infos, topics=topics, image_type=CompressedImage)
    compressed = [compressed_message(image) for image in (SCENE.left, SCENE.right)]
    driver.connect(*compressed)
    after = pixels_of(driver.exchange(*compressed)['disparity'].image)
    np.testing.assert_array_equal(after, before)
    assert raw.is_ignored


REFUSED = [
    ({'num_disparities': 0}, ['num_disparities', '16']),
    ({'num_disparities': 17}, ['num_disparities is 17 px', 'set it to 16 or 32']),
    ({'num_disparities': -16}, ['num_disparities', '-16']),
    ({'num_disparities': 320}, ['320', f'{WIDTH}x{HEIGHT}', 'reduce num_disparities']),
    ({'num_disparities': 4096}, ['4096', 'reduce num_disparities']),
    ({'min_disparity': 250}, ['250', f'{WIDTH}x{HEIGHT}']),
    ({'block_size': 14}, ['block_size is 14 px', 'set it to 13 or 15']),
    ({'block_size': 3}, ['block_size', '5']),
    ({'block_size': 161}, ['161', f'{WIDTH}x{HEIGHT}', 'block_size below 160']),
    ({'block_size': 15.0}, ['block_size is 15.0', 'a whole number']),
    ({'block_size': '15'}, ["block_size is '15'", 'a whole number']),
    ({'pre_filter_cap': 0}, ['pre_filter_cap is 0', 'set it to 1 or more']),
    ({'pre_filter_cap': 64}, ['pre_filter_cap', '63']),
    ({'pre_filter_size': 10}, ['pre_filter_size is 10 px', 'set it to 9 or 11']),
    ({'pre_filter_type': 'sobel'}, ["'sobel'", 'xsobel, normalized_response']),
    ({'uniqueness_ratio': 101}, ['uniqueness_ratio', '100']),
    ({'algorithm': 'BM'}, ["'BM'", 'bm, sgbm']),
    ({'depth_encoding': 'mono16'}, ["'mono16'", '32FC1, 16UC1']),
    ({'downscale': 3}, ['downscale', '1, 2 or 4']),
    ({'sync_tolerance': -0.1}, ['sync_tolerance is -0.1 s', 'set it to 0.0 s or more']),
    ({'max_depth': float('nan')}, ['max_depth']),
    ({'max_depth': float('inf')}, ['max_depth']),
    ({'max_depth': 'far'}, ['max_depth', "'far'", 'a number']),
    ({'fill_left_band': 1}, ['fill_left_band is 1', 'true or false']),
    ({'queue_size': 0}, ['queue_size', '1']),
    ({'algorithm': 'sgbm', 'p1': 600, 'p2': 600}, ['p1 is 600', 'p2 is 600', 'p2 above p1']),
    ({'min_depth': 5.0, 'max_depth': 4.0}, ['min_depth is 5.0', 'max_depth is 4.0']),
    ({'uniqueness_ratio': 5, 'num_disparities': 80, 'block_size': 8}, ['block_size', '8']),
    ({'num_disparities': 256, 'min_disparity': 48}, ['48', '256', 'num_disparities']),
]


@pytest.mark.parametrize(('changes', 'told'), REFUSED, ids=lambda item: str(item)[:50])
def test_an_impossible_change_is_refused_with_a_reason_and_changes_nothing(
    node: NodeHere, rig: Rig, changes: dict[str, Any], told: list[str]
) -> None:
    settings, before = node.node.parameters.current, disparity_of(rig)

    result = rig.set_atomically(**changes)

    assert not result.successful
    for part in told:
        assert part in result.reason
    assert values_of(rig, *DEFAULTS) == DEFAULTS
    assert node.node.parameters.current == settings
    np.testing.assert_array_equal(disparity_of(rig), before)


@pytest.mark.parametrize(
    ('changes', 'told'),
    [case for case in REFUSED if len(case[0]) == 1],
    ids=lambda it: str(it)[:50],
)
def test_set_one_by_one_it_is_refused_as_well_and_the_others_count(
    node: NodeHere, rig: Rig, changes: dict[str, Any], told: list[str]
) -> None:
    changes = {'texture_threshold': 20, **changes, 'speckle_window_size': 30}

    first, refused, last = rig.set_parameters(**changes)

    assert first.successful
    assert last.successful
    assert not refused.successful
    for part in told:
        assert part in refused.reason
    expected = Settings(texture_threshold=20, speckle_window_size=30)
    assert node.node.parameters.current == expected


# What somebody may have tuned: neither order of p1 and p2, nor that of block_size and algorithm,
# leads from each of them to each preset.
TUNED = {
    'large blocks': {'algorithm': 'bm', 'block_size': 41, 'disp12_max_diff': -1},
    'low penalties': {'algorithm': 'sgbm', 'block_size': 5, 'p1': 2, 'p2': 6},
    'high penalties': {'algorithm': 'sgbm', 'block_size': 5, 'p1': 300, 'p2': 2400},
}


@pytest.mark.parametrize('after', PRESETS)
@pytest.mark.parametrize('before', [*PRESETS, *TUNED])
def test_a_preset_is_loaded_over_anything_as_ros2_param_load_does_it(
    rig: Rig, before: str, after: str
) -> None:
    """All parameters are in one request; those of the file, backwards as well."""
    for settings in ((PRESETS | TUNED)[before], PRESETS[after]):
        results = rig.set_parameters(**settings)
        assert [result.reason for result in results if not result.successful] == []
    assert values_of(rig, *PRESETS[after]) == PRESETS[after]

    assert all(each.successful for each in rig.set_parameters(**(PRESETS | TUNED)[before]))
    backwards = dict(reversed(PRESETS[after].items()))
    assert all(each.successful for each in rig.set_parameters(**backwards))
    assert values_of(rig, *PRESETS[after]) == PRESETS[after]


def test_whole_numbers_are_taken_for_parameters_with_a_fraction(node: NodeHere, rig: Rig) -> None:
    assert rig.set_parameter('max_depth', 5).successful
    assert node.node.parameters.current.max_depth == 5.0
    assert rig.set_parameter('max_depth', 5.5).successful
    assert node.node.parameters.current.max_depth == 5.5


def test_a_parameter_cannot_be_taken_away(node: NodeHere, rig: Rig) -> None:
    for name in ('max_depth', 'block_size'):
        assert not rig.set_parameter(name, None).successful
    assert values_of(rig, *DEFAULTS) == DEFAULTS


def test_parameters_of_others_are_not_refused(rig: Rig) -> None:
    assert rig.set_parameter('use_sim_time', True).successful
    assert rig.set_parameter('use_sim_time', False).successful
    assert rig.set_atomically(use_sim_time=False, block_size=21).successful


def test_the_node_starts_with_the_parameters_that_another_one_had(
    graph: Graph, tmp_path: Path
) -> None:
    """As ``ros2 param dump`` writes them, those of the topics' quality of service too."""
    first = graph.node(block_size=9, max_depth=7.5, algorithm='sgbm', frame_policy='every')
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*PAIR)
    listed = rig.call(
        ListParameters, '/stereo_depth_node/list_parameters', ListParameters.Request()
    )
    values = values_of(rig, *listed.result.names)
    assert 'qos_overrides./disparity.publisher.depth' in values
    dump = tmp_path / 'dump.yaml'
    dump.write_text(yaml.safe_dump({'/**': {'ros__parameters': values}}))
    graph.remove(first)

    second = graph.node('--params-file', str(dump))

    rig.connect(*PAIR)
    assert not second.node.parameters.refusals
    assert second.node.parameters.current == first.node.parameters.current
    assert values_of(rig, *listed.result.names) == values


def test_settings_that_have_become_impossible_for_the_images_are_cured_one_by_one(
    graph: Graph,
) -> None:
    """Parameters that have nothing to do with it can be set meanwhile."""
    small = messages_of(scene_of(plane(70, 20, 4)))
    node = graph.node(block_size=21, num_disparities=96)
    rig = Rig(graph, ['disparity'], infos=camera_infos(70, 20))
    graph.wait_until(lambda: rig.is_wanted, 'the node to subscribe')
    rig.send_until(
        lambda: 'set block_size below 20' in str(node.node.state.failure), *small, 'the cause'
    )
    assert node.dropped['IMPOSSIBLE_SETTINGS'] > 0

    for name, value in (('max_depth', 9.0), ('block_size', 9), ('num_disparities', 16)):
        result = rig.set_parameter(name, value)
        assert result.successful, result.reason

    rig.connect(*small)
    result = rig.set_parameter('num_disparities', 96)
    assert not result.successful
    assert '70x20' in result.reason
    node.assert_adds_up()


def test_parameters_are_answered_between_two_frames_under_full_load(graph: Graph) -> None:
    """The node has 60 pairs to compute when the question comes."""
    node = graph.node(frame_policy='every', queue_size=100, algorithm='sgbm')
    rig = Rig(graph, ['disparity'], infos=camera_infos(WIDTH, HEIGHT))
    rig.connect(*PAIR)
    before = node.node.state.computed
    for _ in range(60):
        rig.send(*PAIR)
    graph.wait_until(lambda: node.node.state.computed > before, 'the first of the pairs')

    answer = rig.set_parameters_soon(num_disparities=96)
    asked_at = node.node.state.computed
    graph.wait_until(answer.done, 'the answer')

    assert answer.result().results[0].successful
    # One pair in work, one in turn before the request is taken, and as much for its way back.
    assert node.node.state.computed - asked_at <= 10
    assert len(node.node.state.frames) > 0
    graph.wait_until(lambda: node.node.state.computed == before + 60, 'all pairs')
    assert rig.heard['disparity'][-1].max_disparity == 95.0
