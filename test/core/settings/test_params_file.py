# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files: what is written is read back, and what is wrong is named with the file."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
import string
import textwrap

from hypothesis import given, HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import pytest
import yaml

from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.settings.parameter import Parameter
from stereo_depth_node.core.settings.params_file import (
    constraint_of,
    load_settings,
    render_params_file,
    why_nothing_is_for,
    why_ros_refuses,
)
from stereo_depth_node.core.settings.settings import known_parameters, Settings

TEXT = string.ascii_letters + string.digits + ' \'"\\/:#{}[]%~é'


def any_value_of(known: Parameter) -> st.SearchStrategy[object]:
    """Return a strategy of all values that a parameter takes by itself."""
    if known.choices:
        return st.sampled_from(known.choices)
    if known.type is bool:
        return st.booleans()
    if known.type is str:
        return st.just('')
    if known.type is float:
        return st.floats(known.minimum, known.maximum)
    step = known.step or 1
    steps = int((known.maximum - known.minimum) // step)
    return st.integers(0, steps).map(lambda count: int(known.minimum) + count * step)


@st.composite
def possible_settings(draw: st.DrawFn) -> Settings:
    changes: dict[str, object] = {}
    for name in draw(st.sets(st.sampled_from(sorted(known_parameters())))):
        value = draw(any_value_of(known_parameters()[name]))
        try:
            Settings().merged({**changes, name: value})
        except SettingsError:
            continue
        changes[name] = value
    if draw(st.booleans()):
        for side in ('left', 'right'):
            changes[f'{side}_camera_info_url'] = draw(st.text(TEXT, min_size=1))
    return Settings().merged(changes)


@given(settings=possible_settings(), describe=st.booleans())
@hypothesis_settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_settings_are_read_back_as_they_were_written(tmp_path, settings, describe):
    path = tmp_path / 'params.yaml'
    path.write_text(render_params_file(settings, describe=describe), encoding='utf-8')
    assert load_settings(path) == settings


def test_a_small_number_is_written_as_a_number():
    """PyYAML takes 1e-05 for a text: YAML 1.1 wants a point."""
    content = yaml.safe_load(render_params_file(Settings(sync_tolerance=1e-5)))
    assert content['/**']['ros__parameters']['sync_tolerance'] == 1e-5


def test_a_file_holds_every_setting_under_any_node_name():
    content = yaml.safe_load(render_params_file(Settings(), describe=True))
    assert content == {'/**': {'ros__parameters': dataclasses.asdict(Settings())}}


def test_the_comment_stands_at_the_head():
    text = render_params_file(Settings(), comment='Made for a test.\n\nSecond.')
    assert text.startswith('# Made for a test.\n#\n# Second.\n/**:\n  ros__parameters:\n')


def test_no_line_is_longer_than_99_characters():
    text = render_params_file(Settings(), describe=True)
    assert max(len(line) for line in text.splitlines()) <= 99


@pytest.fixture
def written(tmp_path):
    def write(content: str):
        path = tmp_path / 'params.yaml'
        path.write_text(textwrap.dedent(content), encoding='utf-8')
        return path

    return write


def test_what_a_file_leaves_out_stays_at_its_default(written):
    path = written("""
        stereo_depth_node:
          ros__parameters:
            num_disparities: 128
            max_depth: 8
    """)
    assert load_settings(path) == Settings(num_disparities=128, max_depth=8.0)


def test_a_file_dumped_from_a_running_node_is_read(written):
    """`ros2 param dump` writes what rclpy declares by itself, too."""
    path = written("""
        /stereo_depth_node:
          ros__parameters:
            block_size: 9
            qos_overrides:
              /parameter_events:
                publisher:
                  depth: 1000
            start_type_description_service: true
            use_sim_time: false
    """)
    assert load_settings(path) == Settings(block_size=9)


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('num_disparities: 17', ['num_disparities is 17 px', '16 or 32']),
        ('block_size: 15.0', ['block_size is 15.0 (float)', 'a whole number']),
        ('block_size:', ['block_size is None', 'a whole number']),
        ('min_depth: .nan', ['min_depth is nan', 'finite']),
        ('numDisparities: 64', ['no setting numDisparities', 'mean num_disparities?']),
        ('P1: 64', ['P1 is a parameter of stereo_image_proc', 'set p1 instead']),
        ('rectify: 1', ['rectify is 1 (int)', 'true or false']),
        ('p1: [1, 2]', ['p1 is [1, 2] (list)']),
        ('max_depth: 1.0\n    min_depth: 2.0', ['min_depth is 2.0 m and max_depth is 1.0 m']),
    ],
)
def test_an_impossible_setting_is_refused_with_the_file_and_the_reason(written, line, words):
    path = written(f'/**:\n  ros__parameters:\n    {line}\n')
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    for word in (f'{path}: ', *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('', 'has 0 nodes with ros__parameters, expected one'),
        ('num_disparities: 64', 'has 0 nodes'),
        ('- 1', 'has 0 nodes'),
        ('/**:\n  ros__parameters: 3', 'has 0 nodes'),
        ('a:\n  ros__parameters: {}\nb:\n  ros__parameters: {}', 'has 2 nodes'),
        ('a: [', 'not a YAML file'),
    ],
)
def test_a_file_of_another_form_is_refused_with_what_it_has(written, content, words):
    path = written(content)
    with pytest.raises(InputError) as caught:
        load_settings(path)
    assert str(caught.value).startswith(f'{path}: ')
    assert words in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path):
    with pytest.raises(InputError, match=r'none\.yaml: cannot be read'):
        load_settings(tmp_path / 'none.yaml')
    with pytest.raises(InputError, match='is a folder'):
        load_settings(tmp_path)
    binary = tmp_path / 'binary.yaml'
    binary.write_bytes(b'\xff\xff\x00\x01')
    with pytest.raises(InputError, match=r'binary\.yaml is not a text file'):
        load_settings(binary)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('num_disparities', '16 to 4096 px, step 16'),
        ('image_transport', 'raw | compressed'),
        ('sync_tolerance', '0.0 to 10.0 s'),
        ('rectify', 'bool'),
        ('left_camera_info_url', 'str'),
    ],
)
def test_a_constraint_is_said_in_a_few_words(name, expected):
    assert constraint_of(known_parameters()[name]) == expected


NODE = '/ns/stereo_depth_node'


@pytest.mark.parametrize(
    'head',
    [
        '/**:',
        '/ns/**:',
        '/*/stereo_depth_node:',
        '/**/stereo_depth_node:',
        '/ns/stereo_depth_node:',
        'ns/stereo_depth_node:',
        'ns:\n  stereo_depth_node:',
        '/other:\n  ros__parameters:\n    a: 1\n/**:',
    ],
)
def test_a_file_with_a_section_for_the_node_is_taken(written, head):
    """As rcl matches them: each of these sets the parameter of a real node."""
    indent = ' ' * (4 if '\n  ' in head and 'other' not in head else 2)
    path = written(f'{head}\n{indent}ros__parameters:\n{indent}  block_size: 9\n')
    assert why_nothing_is_for(NODE, path) == ''


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('', 'it has none at all'),
        ('# nothing\n', 'it has none at all'),
        ('/**:\n  ros__parameters:\n', 'it has none at all'),
        ('disparity_node:\n  ros__parameters:\n    a: 1\n', 'they are for /disparity_node'),
        ('stereo_depth_node:\n  ros__parameters:\n    a: 1\n', 'they are for /stereo_depth_node'),
        ('/ns/*/stereo_depth_node:\n  ros__parameters:\n    a: 1\n', '/ns/*/stereo_depth_node'),
        ('/a:\n  ros__parameters: {a: 1}\n/b:\n  ros__parameters: {a: 1}\n', '/a, /b'),
    ],
)
def test_a_file_without_a_section_for_the_node_is_named_with_what_it_has(written, content, words):
    path = written(content)
    reason = why_nothing_is_for(NODE, path)
    for word in (str(path), f'"{NODE}:"', words):
        assert word in reason


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('a: &a [1]\n/**:\n  ros__parameters:\n    p1: *a\n', 'alias'),
        ('a: ' + '[' * 100_000, 'not a YAML file'),
        ('/**:\n  ros__parameters:\n    num_disparities: ' + '9' * 10_000, 'not a YAML file'),
        ('/**:\n  ros__parameters:\n    block_size: 2020-99-99\n', "block_size is '2020-99-99'"),
        ('/**:\n  ros__parameters:\n    algorithm: ' + 'x' * 500_000, "algorithm is 'xxx"),
        ('/**:\n  ros__parameters:\n    ' + 'x' * 1000 + ': 1', 'no setting xxx'),
        (
            '/**:\n  ros__parameters:\n' + ''.join(f'    x{i}: 1\n' for i in range(5000)),
            '4990 more names are unknown',
        ),
        ('/**:\n  ros__parameters:\n    algorithm: "\\e[2J"\n', 'algorithm is'),
        ('--- 1\n--- 2\n', 'has 2 YAML documents'),
    ],
    ids=['alias', 'deep', 'digits', 'date', 'value', 'name', 'names', 'escape', 'documents'],
)
def test_a_hostile_file_is_refused_in_one_short_line(written, content, words):
    with pytest.raises((InputError, SettingsError)) as caught:
        load_settings(written(content))
    text = str(caught.value)
    assert words in text
    assert len(text) < 1200
    assert text.isprintable()


def test_a_parameter_file_that_is_a_pipe_does_not_wait_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(InputError, match='regular file'):
        load_settings(tmp_path / 'pipe')


@pytest.mark.parametrize('settings', [Settings(), Settings(num_disparities=32, p1=5, p2=9)])
def test_a_file_of_what_is_changed_holds_no_more_and_is_enough(
    tmp_path: Path, settings: Settings
) -> None:
    text = render_params_file(settings, changed=True)
    (tmp_path / 'changed.yaml').write_text(text)
    assert load_settings(tmp_path / 'changed.yaml') == settings
    values = yaml.safe_load(text)['/**']['ros__parameters']
    assert set(values) == ({'num_disparities', 'p1', 'p2'} if settings.p1 else set())


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'/**:\n  ros__parameters:\n\tblock_size: 9\n', 'line 3 is indented by a tab'),
        (b'/**:\n  ros_parameters:\n    block_size: 9\n', 'with two underscores'),
        (b'block_size: 9\n', 'begin the file with "/**:"'),
        (b'- block_size\n', 'begin the file with "/**:"'),
        (b'/**:\n  ros__parameters:\n    rectify:\n    block_size: 9\n', 'rectify has no value'),
        (b'x: &a\n  b: 1\n/**: *a\n', 'alias *a: write it out'),
        (b'/**:\n  ros__parameters: {frame_id: "k\xfchl"}\n', 'not a text file (UTF-8)'),
        (b'/**:\n  ros__parameters:\n    block_size: 9\n', ''),
    ],
)
def test_what_ros_refuses_is_named_with_its_cure(tmp_path, content, words):
    path = tmp_path / 'depth.yaml'
    path.write_bytes(content)
    said = why_ros_refuses(path)
    assert words in said
    assert bool(said) == bool(words)


def test_the_sections_of_all_documents_count(tmp_path):
    path = tmp_path / 'two.yaml'
    path.write_text('a:\n  ros__parameters: {x: 1}\n---\nb:\n  ros__parameters: {x: 1}\n')
    assert why_nothing_is_for('/b', path) == why_nothing_is_for('/a', path) == ''
    assert 'they are for /a, /b' in why_nothing_is_for('/c', path)
