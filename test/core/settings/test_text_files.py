# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Small files from outside are read within limits."""

from __future__ import annotations

from pathlib import Path

from irregular_files import irregular, KINDS
import pytest

pytest.importorskip('yaml')

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import parse_yaml, printable, read_text


def test_a_text_file_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / 'text'
    file.write_bytes(b'\xef\xbb\xbff: 1\n')
    assert read_text(file) == 'f: 1\n'


@pytest.mark.parametrize('kind', [*KINDS, 'missing', 'large', 'binary'])
def test_what_is_no_small_text_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    file = tmp_path / 'it'
    if kind in KINDS:
        file = irregular(kind, file)
    elif kind == 'large':
        file.write_bytes(b' ' * 2_000_000)
    elif kind == 'binary':
        file.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(InputError, match=file.name):
        read_text(file)


@pytest.mark.parametrize(
    'text',
    [
        'a: &a [1, 2]\nb: *a\n',
        'a: ' + '[' * 100_000,
        'a: ' + '[' * 21 + ']' * 21,
        'a: ' + '9' * 10_000,
        'a: !!python/object/apply:os.system ["true"]',
        'a: !!binary "x"',
        'a: [',
        '\x1b[2J: 1',
    ],
)
def test_yaml_that_could_do_harm_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        print(parse_yaml(text, 'x.yaml'))
    assert str(caught.value).startswith('x.yaml: not a YAML file')
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_the_yaml_of_opencv_is_read_and_a_date_stays_a_text() -> None:
    text = '%YAML:1.0\n---\nm: !!opencv-matrix\n   rows: 1\n   data: [ 1., 2. ]\nd: 2020-99-99\n'
    assert parse_yaml(text, 'x') == [{'m': {'rows': 1, 'data': [1.0, 2.0]}, 'd': '2020-99-99'}]


def test_a_text_from_outside_is_printed_as_one_short_line() -> None:
    assert printable('a\x1b[2J\nb') == 'a?[2J b'
    assert printable('x' * 1000) == 'x' * 197 + '...'


def test_tabs_in_yaml_are_named_with_their_cure() -> None:
    with pytest.raises(InputError, match=r'YAML file .*: indent with spaces, not with tabs$'):
        parse_yaml('a:\n\tb: 1\n', 'a.yaml')
    with pytest.raises(InputError, match=r'not a YAML file .*\)$'):
        parse_yaml('a: [', 'a.yaml')
