# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files of stereo_image_proc become ours, and give what stereo_image_proc gave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import pytest
from scenes import StereoScene
import yaml

from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.names import STEREO_IMAGE_PROC_NAMES
from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import known_parameters, Settings
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.stereo_image_proc import NODES

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'migration.md'
BY_CAMERA = ('num_disparities', 'block_size', 'speckle_window_size', 'points_organized')


@pytest.fixture
def migrate(tmp_path: Path, capsys: Any) -> Callable[[str], str]:
    """Give a function that converts the text of a parameter file."""

    def converted(text: str) -> str:
        (tmp_path / 'old.yaml').write_text(text, encoding='utf-8')
        assert main(['migrate', str(tmp_path / 'old.yaml')]) == 0
        return str(capsys.readouterr().out)

    return converted


def settings_in(text: str, tmp_path: Path) -> Settings:
    (tmp_path / 'new.yaml').write_text(text, encoding='utf-8')
    return load_settings(tmp_path / 'new.yaml')


def for_disparity_node(**values: Any) -> str:
    return str(yaml.safe_dump({'disparity_node': {'ros__parameters': values}}))


def as_stereo_image_proc_matches(pair: StereoScene, **given: Any) -> np.ndarray:
    """Disparities in 1/16 px by OpenCV, set up as stereo_image_proc 5.0.1 sets it up."""
    value = {**NODES['disparity_node'], **given}
    matcher: Any = cv2.StereoBM.create()
    if value['stereo_algorithm'] == 1:
        matcher = cv2.StereoSGBM.create(1, 1, 10)
        matcher.setMode(value['sgbm_mode'])
        matcher.setP1(int(value['P1']))
        matcher.setP2(int(value['P2']))
        matcher.setDisp12MaxDiff(value['disp12_max_diff'])
    else:
        matcher.setPreFilterSize(value['prefilter_size'])
        matcher.setTextureThreshold(value['texture_threshold'])
    matcher.setPreFilterCap(value['prefilter_cap'])
    matcher.setBlockSize(value['correlation_window_size'])
    matcher.setMinDisparity(value['min_disparity'])
    matcher.setNumDisparities(value['disparity_range'])
    matcher.setUniquenessRatio(int(value['uniqueness_ratio']))
    matcher.setSpeckleWindowSize(value['speckle_size'])
    matcher.setSpeckleRange(value['speckle_range'])
    return np.asarray(matcher.compute(pair.left, pair.right))


@pytest.mark.parametrize(
    'given',
    [
        {'speckle_range': 16},
        {
            'prefilter_cap': 20,
            'correlation_window_size': 9,
            'min_disparity': 4,
            'disparity_range': 80,
            'texture_threshold': 300,
            'uniqueness_ratio': 7.9,
            'speckle_size': 250,
            'speckle_range': 31,
            'disp12_max_diff': 1,
        },
        {'stereo_algorithm': 1, 'correlation_window_size': 5},
        {
            'stereo_algorithm': 1,
            'sgbm_mode': 2,
            'correlation_window_size': 3,
            'P1': 0.0,
            'P2': 0.0,
            'uniqueness_ratio': 5.0,
            'speckle_size': 60,
            'speckle_range': 2,
            'disp12_max_diff': 2,
        },
        {'stereo_algorithm': 1, 'sgbm_mode': 1, 'P1': 90.5, 'P2': 20.0, 'prefilter_cap': 63},
    ],
    ids=['bm', 'bm, all set', 'sgbm', 'sgbm_3way, no penalties', 'sgbm_hh'],
)
def test_it_matches_as_stereo_image_proc_does(
    migrate: Any, tmp_path: Path, motorcycle: StereoScene, given: dict[str, Any]
) -> None:
    """On the Motorcycle pair, every pixel; speckles as far as 1/16 px are whole pixels."""
    text = migrate(for_disparity_node(**given))
    if given.get('speckle_range') == 31:
        assert 'speckle_range: 2' in text
        given = {**given, 'speckle_range': 32}
    pipeline = StereoPipeline(settings_in(text, tmp_path), *motorcycle.size)
    pipeline.match(motorcycle.left, motorcycle.right)
    expected = as_stereo_image_proc_matches(motorcycle, **given)
    assert np.mean(expected > 0) > 0.3
    np.testing.assert_array_equal(pipeline.fixed, expected)


def test_defaults_that_differ_are_written_and_others_are_not(migrate: Any) -> None:
    text = migrate(for_disparity_node(disparity_range=96))
    assert yaml.safe_load(text)['/**']['ros__parameters'] == {
        'num_disparities': 96,
        'speckle_window_size': 100,
        'speckle_range': 1,
        'sync_tolerance': 0.0,
        'queue_size': 5,
    }
    assert '# speckle_size: 100, its default' in text


@pytest.mark.parametrize(
    ('given', 'tolerance'),
    [
        ({}, 0.0),
        ({'approximate_sync': True, 'approximate_sync_tolerance_seconds': 0.02}, 0.02),
        ({'approximate_sync_tolerance_seconds': 0.02}, 0.0),
        ({'approximate_sync': True}, 0.01),
    ],
)
def test_its_synchronisation_becomes_a_tolerance(
    migrate: Any, tmp_path: Path, given: dict[str, Any], tolerance: float
) -> None:
    settings = settings_in(migrate(for_disparity_node(min_disparity=0, **given)), tmp_path)
    assert settings.sync_tolerance == tolerance


def test_its_cloud_becomes_an_image_of_coloured_points(migrate: Any, tmp_path: Path) -> None:
    given = {'avoid_point_cloud_padding': True, 'queue_size': 30}
    text = migrate(yaml.safe_dump({'point_cloud_node': {'ros__parameters': given}}))
    assert settings_in(text, tmp_path) == Settings(points_color='rgb', points_organized=True)
    assert '# queue_size: 30: of point_cloud_node' in text


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ({'use_system_default_qos': True}, 'use_system_default_qos: true: .* qos_overrides'),
        (
            {'use_image_transport_camera_info': True},
            'use_image_transport_camera_info: true: here camera_info is remapped by itself',
        ),
        ({'image_transport': 'theora'}, 'image_transport: theora: .* republish'),
        ({'P1': 100.0}, 'P1: 100.0: for semi-global matching alone'),
        ({'disp12_max_diff': 1}, 'disp12_max_diff: 1: block matching is not checked there'),
        ({'full_dp': True}, 'full_dp: true: for stereo_algorithm 1 alone'),
        ({'blocksize': 5}, 'blocksize: not a parameter of stereo_image_proc'),
        ({'prefilter_cap': 31.0}, r'prefilter_cap: 31\.0: impossible there too; .* 31'),
        ({'stereo_algorithm': 2}, 'stereo_algorithm: 2: impossible there too'),
        ({'uniqueness_ratio': float('nan')}, 'uniqueness_ratio: nan: impossible there too'),
        ({'disparity_range': 40}, 'disparity_range: 40: num_disparities is 40 px: .* 32 or 48'),
        ({'blue\x1b[31m' + 'x' * 300: 1}, r'blue\?\[31mx+\.\.\.: not a parameter'),
    ],
)
def test_what_has_no_counterpart_is_named_with_the_reason(
    migrate: Any, tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    text = migrate(
        for_disparity_node(speckle_size=0, approximate_sync=True, queue_size=10, **given)
    )
    comments = text[text.index('# Left out:') :]
    assert re.search(said, ' '.join(comments.replace('#', '').split()))
    assert all(letter.isprintable() or letter == '\n' for letter in text)
    # What is left out changes nothing: all that was given besides is our default.
    assert settings_in(text, tmp_path).replace(speckle_range=2) == Settings()


def test_what_concerns_any_node_is_kept(migrate: Any, tmp_path: Path) -> None:
    override = {'/left/image_rect': {'subscription': {'reliability': 'reliable', 'depth': 3}}}
    text = migrate(for_disparity_node(speckle_size=0, use_sim_time=True, qos_overrides=override))
    parameters = yaml.safe_load(text)['/**']['ros__parameters']
    assert parameters['use_sim_time'] is True
    assert parameters['qos_overrides'] == override
    settings_in(text, tmp_path)


def test_each_of_several_cameras_keeps_its_namespace(migrate: Any) -> None:
    text = migrate("""
/**: {ros__parameters: {speckle_size: 7, disparity_range: 32}}
/front: {disparity_node: {ros__parameters: {disparity_range: 80}}}
/rear/my_matcher: {ros__parameters: {correlation_window_size: 9}}
/rear/point_cloud_node: {ros__parameters: {use_color: false}}
/rear/rectify_mono_node: {ros__parameters: {interpolation: 1}}
/arm/driver: {ros__parameters: {speed: 3}}
"/a:\\n  b/disparity_node": {ros__parameters: {disparity_range: 48}}
""")
    nodes = {
        name: {key: values['ros__parameters'].get(key) for key in BY_CAMERA}
        for name, values in yaml.safe_load(text).items()
    }
    assert nodes == {
        '/front/stereo_depth_node': dict(zip(BY_CAMERA, (80, None, 7, None), strict=True)),
        '/rear/stereo_depth_node': dict(zip(BY_CAMERA, (32, 9, 7, True), strict=True)),
    }
    assert '# /rear/rectify_mono_node: set rectify to true' in text
    assert '# /arm/driver: not a node of stereo_image_proc' in text
    assert '# /a: b/disparity_node: not a name of a node' in text


def test_a_file_for_other_nodes_is_refused(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / 'other.yaml'
    path.write_text('/driver: {ros__parameters: {queue_size: 3}}', encoding='utf-8')
    assert main(['migrate', str(path)]) == 2
    assert 'disparity_node or point_cloud_node' in capsys.readouterr().err


def test_a_file_is_replaced_only_on_request(tmp_path: Path, capsys: Any) -> None:
    old, new = tmp_path / 'old.yaml', tmp_path / 'new.yaml'
    old.write_text(for_disparity_node(disparity_range=96), encoding='utf-8')
    new.write_text('mine', encoding='utf-8')
    command = ['migrate', str(old), '--output', str(new)]
    assert main(command) == 2
    assert new.read_text(encoding='utf-8') == 'mine'
    assert main([*command, '--overwrite']) == 0
    assert load_settings(new).num_disparities == 96


def test_the_page_has_a_row_for_each_parameter_with_its_default() -> None:
    page = PAGE.read_text(encoding='utf-8')
    for node, parameters in NODES.items():
        section = page.partition(f'## Parameters of {node}')[2].partition('\n## ')[0]
        rows = [line for line in section.splitlines() if line.startswith('| `')]
        for name, default in parameters.items():
            if node == 'point_cloud_node' and name in NODES['disparity_node']:
                continue  # one sentence for all of them
            (row,) = (row for row in rows if f'`{name}`' in row.split('|')[1])
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert shown in row.split('|')[2], name


def test_the_node_names_ours_for_each_parameter_that_it_does_not_have() -> None:
    theirs = {name for parameters in NODES.values() for name in parameters}
    assert theirs - known_parameters().keys() == STEREO_IMAGE_PROC_NAMES.keys()
