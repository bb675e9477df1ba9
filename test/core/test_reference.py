# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped parameter file and the reference page are what the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from stereo_depth_node.core.reference import main, render_reference
from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import known_parameters, Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize('path', sorted(render_reference()))
def test_a_derived_file_is_up_to_date(path):
    remedy = f'{path} is out of date: python -m stereo_depth_node.core.reference'
    assert (ROOT / path).read_text(encoding='utf-8') == render_reference()[path], remedy


def test_the_shipped_parameter_file_holds_the_defaults():
    assert load_settings(ROOT / 'config' / 'depth.yaml') == Settings()


def test_the_reference_page_has_a_row_of_four_cells_for_each_parameter():
    page = render_reference()['docs/parameters.md'].replace('\\|', ' or ')
    rows = [line for line in page.splitlines() if line.startswith('| `')]
    names = [row.split('`')[1] for row in rows]
    assert names == list(known_parameters())
    assert {row.count('|') for row in rows} == {5}


def test_the_derived_files_are_written_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main()
    written = {
        path.relative_to(tmp_path).as_posix(): path.read_text(encoding='utf-8')
        for path in tmp_path.rglob('*')
        if path.is_file()
    }
    assert written == render_reference()
