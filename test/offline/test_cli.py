# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth`` and what its tools share."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.options import parsed_setting

TOOLS = ('bag', 'demo', 'evaluate', 'images', 'inspect', 'migrate', 'studio', 'tune')
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('error', [MemoryError(), cv2.error('Failed to\nallocate\n')])
def test_memory_that_is_not_to_be_had_gives_one_line(
    error: Exception, monkeypatch: Any, capsys: Any
) -> None:
    from stereo_depth_node.offline.commands import migrate

    if isinstance(error, cv2.error):
        error.code = -4  # cv2.Error.StsNoMem

    def failing(arguments: Any) -> int:
        raise error

    monkeypatch.setattr(migrate, 'run', failing)
    assert main(['migrate', 'old.yaml']) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('stereo_depth migrate: there is not enough memory')


def test_the_tools_are_listed(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(['--help'])
    listed = capsys.readouterr().out
    assert all(f'    {tool} ' in listed for tool in TOOLS)


def test_images_need_neither_rosbags_nor_ros(tmp_path: Path) -> None:
    """Both, and what else the tool does not need, fail to be imported."""
    program = (
        'import sys\n'
        'for name in ("rosbags", "rclpy", "mcap", "distributed", "yaml", "numba"):\n'
        '    sys.modules[name] = None\n'
        'from stereo_depth_node.offline.cli import main\n'
        'sys.exit(main(["images", "nothing.png", "nothing.png"]))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == 'stereo_depth images: nothing.png is missing\n'


@pytest.mark.parametrize(
    ('arguments', 'library', 'extra'),
    [
        (['bag', 'in', 'out'], 'rosbags', 'offline'),
        (['bag', '{bag}', '{out}', '--dask', 'tcp://127.0.0.1:1'], 'distributed', 'cluster'),
        (['bag', '{bag}', '{out}', '--report', '{out}.html'], 'jinja2', 'offline'),
        (['inspect', 'in'], 'mcap', 'offline'),
        (['inspect', 'in'], 'lz4', 'offline'),
        (['images', 'left.png', 'right.png'], 'matplotlib', 'offline'),
        (['evaluate', 'motorcycle'], 'tabulate', 'offline'),
        (['tune', 'motorcycle'], 'rich', 'offline'),
        (['inspect', 'in'], 'cv2', 'offline'),
        (['studio', 'left.png', 'right.png'], 'fastapi', 'studio'),
        (['studio', 'left.png', 'right.png'], 'cv2', 'studio'),
        (['demo'], 'cv2', 'demo'),
    ],
)
def test_a_missing_library_is_named_in_one_line_with_the_extra_that_has_it(
    arguments: list[str], library: str, extra: str, tmp_path: Path
) -> None:
    pytest.importorskip('rosbags')
    places = {'bag': tmp_path / 'bag', 'out': tmp_path / 'out'}
    if '{bag}' in arguments:
        from bags import write_bag

        write_bag(places['bag'], 2)
    program = (
        'import sys\n'
        f'sys.modules[{library!r}] = None\n'
        'from stereo_depth_node.offline.cli import main\n'
        'sys.exit(main(sys.argv[1:]))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program, *(text.format(**places) for text in arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f'stereo_depth {arguments[0]}: needs the library {library} (')
    assert done.stderr.endswith(f"of this repository: pip install '.[{extra}]'\n")
    assert done.stderr.count('\n') == 1
    assert not places['out'].exists()


@pytest.mark.parametrize('closed', ['>&-', '2>&-', '>&- 2>&-'])
def test_it_works_without_a_place_to_print_to(tmp_path: Path, closed: str) -> None:
    image = np.zeros((120, 160), np.uint8)
    for name in ('l.png', 'r.png'):
        cv2.imwrite(str(tmp_path / name), image)
    done = subprocess.run(
        [
            'sh',
            '-c',
            f'"$0" -m stereo_depth_node.offline images l.png r.png --write disparity.npy {closed}',
            sys.executable,
        ],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b'')
    assert (tmp_path / 'l_disparity.npy').exists()


def test_ctrl_c_before_it_has_begun_gives_no_traceback() -> None:
    """It comes while the first module of the program is imported."""
    program = (
        'import os, signal, sys\n'
        'class Interrupt:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        '        if name == "stereo_depth_node.offline.cli":\n'
        '            os.kill(os.getpid(), signal.SIGINT)\n'
        'sys.meta_path.insert(0, Interrupt())\n'
        'from stereo_depth_node.offline.__main__ import main\n'
        'main()\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=ROOT, capture_output=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b'', b'')


def test_names_that_the_locale_has_not_are_printed_all_the_same(tmp_path: Path) -> None:
    program = 'import sys; from stereo_depth_node.offline.cli import main; sys.exit(main())'
    write = ('--write', 'disparity.npy')
    image = np.zeros((120, 160), np.uint8)
    image[::9, ::7] = 255
    for name in ('左.png', 'r.png'):
        (tmp_path / name).write_bytes(cv2.imencode('.png', image)[1].tobytes())
    done = subprocess.run(
        [sys.executable, '-c', program, 'images', '左.png', 'r.png', '--quiet', *write],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONIOENCODING': 'ascii:strict'},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert '\\u5de6_disparity.npy' in done.stdout


@pytest.mark.parametrize(
    ('name', 'text', 'value'),
    [
        ('num_disparities', '128', 128),
        ('max_depth', '5', 5.0),
        ('max_depth', '2.5', 2.5),
        ('rectify', 'True', True),
        ('rectify', 'false', False),
        ('algorithm', 'sgbm', 'sgbm'),
        ('left_camera_info_url', '12', '12'),
    ],
)
def test_texts_become_values_of_the_type_of_the_setting(
    name: str, text: str, value: object
) -> None:
    parsed = parsed_setting(known_parameters()[name], text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ('name', 'text'),
    [('num_disparities', '64.5'), ('rectify', '1'), ('max_depth', 'far'), ('max_depth', 'nan')],
)
def test_texts_that_are_no_value_of_a_setting_are_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        parsed_setting(known_parameters()[name], text)
