# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scripts and modules say what they are for, from any folder and without an environment."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = [path for path in sorted((ROOT / 'scripts').iterdir()) if os.access(path, os.X_OK)]

# Their help is their comment.
STAND_ALONE = {'check', 'coverage', 'pin', 'test'}


def run(*command: str | Path, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300, **options
    )


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.name)
def test_a_script_prints_its_help(script, tmp_path):
    if script.name not in STAND_ALONE and Path(sys.prefix) != ROOT / '.venv':
        pytest.skip('it would make an environment first')
    done = run(script, '--help', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 2


def test_an_environment_that_is_not_is_refused_with_those_that_are(tmp_path):
    done = run(ROOT / 'scripts/test', '--in', 'humble', cwd=tmp_path)
    assert done.returncode == 2
    assert 'jazzy or opencv46, not by "humble"' in done.stderr


@pytest.mark.parametrize('module', ['benchmarks', 'benchmarks.kernel', 'soak'])
def test_a_module_without_its_libraries_names_the_script_that_has_them(module):
    done = run(sys.executable, '-S', '-E', '-m', module, '--help', cwd=ROOT)
    assert done.returncode == 1
    assert f'scripts/{"soak" if module == "soak" else "bench"}' in done.stderr
    assert 'Traceback' not in done.stderr
