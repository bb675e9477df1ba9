# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scripts and modules say what they are for, from any folder and without an environment."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = [
    path
    for path in sorted((ROOT / 'scripts').iterdir())
    if path.is_file() and os.access(path, os.X_OK)
]

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
    assert 'jazzy, opencv46 or ubuntu2204, not by "humble"' in done.stderr


def test_an_environment_behind_other_arguments_is_refused_before_anything_runs(tmp_path):
    done = run(ROOT / 'scripts/test', '-k', 'pairing', '--in', 'jazzy', cwd=tmp_path)
    assert done.returncode == 2
    assert 'come before all other arguments' in done.stderr


@pytest.mark.parametrize('module', ['benchmarks', 'benchmarks.kernel', 'soak'])
def test_a_module_without_its_libraries_names_the_script_that_has_them(module):
    done = run(sys.executable, '-S', '-E', '-m', module, '--help', cwd=ROOT)
    assert done.returncode == 1
    assert f'scripts/{"soak" if module == "soak" else "bench"}' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.fixture
def copy(tmp_path):
    """Return a checkout without an environment."""
    root = tmp_path / 'check out'
    for name in ('scripts', 'requirements'):
        shutil.copytree(ROOT / name, root / name)
    for name in ('setup.py', 'setup.cfg'):
        shutil.copy(ROOT / name, root)
    return root


# Makes environments of itself, and installs nothing into them.
INTERPRETER = """#!/bin/sh
case "$1 $2" in
    '-m venv') mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    '-m pip') echo 'ERROR: no matching distribution' >&2; exit 1 ;;
esac
"""


def test_a_set_up_that_installs_nothing_says_what_to_do(copy, tmp_path):
    interpreter = tmp_path / 'python'
    interpreter.write_text(INTERPRETER)
    interpreter.chmod(0o755)
    environment = {'PATH': '/usr/bin:/bin', 'HOME': str(tmp_path), 'PYTHON': str(interpreter)}
    done = run(copy / 'scripts/demo', cwd=tmp_path, env=environment)
    assert done.returncode == 1
    assert 'ERROR: no matching distribution\ndemo: could not install the packages' in done.stderr
    assert 'HTTPS_PROXY' in done.stderr
    assert not list(copy.glob('.venv/.ready-*'))


def test_a_machine_without_python_is_told_what_to_install(copy, tmp_path):
    programs = tmp_path / 'programs'
    programs.mkdir()
    for name in ['bash', 'cat', 'cut', 'dirname', 'flock', 'getconf', 'sha256sum', 'uname']:
        (programs / name).symlink_to(shutil.which(name))
    done = run(copy / 'scripts/demo', cwd=tmp_path, env={'PATH': str(programs)})
    assert done.returncode == 1
    assert done.stderr.startswith('demo: no Python 3.10 to 3.14 found (python3 is missing)\n')
    assert 'PYTHON=/path/to/python3.12' in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_checkout_that_cannot_be_written_to_is_named(copy, tmp_path):
    copy.chmod(0o555)
    done = run(copy / 'scripts/demo', cwd=tmp_path, env={'PATH': os.environ['PATH']})
    copy.chmod(0o755)
    assert done.returncode == 1
    assert f'{copy}, and that cannot be written to' in done.stderr
