# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped parameter file and the pages made from the code are what the code says."""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess
import sys

import pytest

from stereo_depth_node.core.messages.content import OUTPUTS
from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import known_parameters, Settings

ROOT = Path(__file__).resolve().parent.parent
DERIVED = (
    'config/sros2_policy.xml',
    'config/depth.yaml',
    'docs/parameters.md',
    'docs/troubleshooting.md',
)


def make_docs(script: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *options]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT
    )


def test_the_files_made_from_the_code_are_up_to_date():
    done = make_docs(ROOT / 'scripts/make_docs.py', '--check')
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_out_of_date_is_named_and_then_written_anew(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    for name in (*DERIVED, 'scripts/make_docs.py'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    script = tmp_path / 'scripts/make_docs.py'
    (tmp_path / 'docs/troubleshooting.md').write_text('old', encoding='utf-8')
    checked = make_docs(script, '--check')
    assert checked.returncode == 1
    assert 'docs/troubleshooting.md: out of date' in checked.stdout
    assert 'depth.yaml' not in checked.stdout
    assert make_docs(script).returncode == 0
    for name in DERIVED:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_shipped_parameter_file_holds_the_defaults():
    assert load_settings(ROOT / 'config' / 'depth.yaml') == Settings()


def test_the_reference_page_has_a_row_of_four_cells_for_each_parameter():
    page = (ROOT / 'docs/parameters.md').read_text(encoding='utf-8').replace('\\|', ' or ')
    rows = [line for line in page.splitlines() if line.startswith('| `')]
    names = [row.split('`')[1] for row in rows]
    assert names == list(known_parameters())
    assert {row.count('|') for row in rows} == {5}


@pytest.mark.parametrize('topic', OUTPUTS)
def test_every_output_has_its_section_with_its_type(topic):
    page = (ROOT / 'docs/interfaces.md').read_text(encoding='utf-8')
    assert f'\n### `{topic}` ({OUTPUTS[topic].type.replace("/msg/", "/")}' in page
