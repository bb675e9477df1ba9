# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The help of the program, and what it says to a command line that it does not understand."""

from __future__ import annotations

from importlib import import_module
import os
from pathlib import Path
import re
import shlex
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('matplotlib')
pytest.importorskip('rosbags')

from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.offline.cli import _TOOLS, main
from stereo_depth_node.offline.parser import ToolParser

TOOLS = ('bag', 'evaluate', 'images', 'inspect', 'studio', 'tune')
SCREEN = 48
ROOT = Path(__file__).resolve().parents[2]


def printed(capsys: Any, *arguments: str) -> str:
    """Return what a help prints."""
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    assert status == 0
    return str(capsys.readouterr().out)


def refused(capsys: Any, *arguments: str) -> str:
    """Return what is said to a command line that cannot be parsed."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    return str(capsys.readouterr().err)


@pytest.mark.parametrize('tool', [*TOOLS, 'demo', 'migrate'])
def test_the_help_of_a_tool_fits_two_screens(tool: str, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv('COLUMNS', '80')
    lines = printed(capsys, tool, '--help').splitlines()
    assert len(lines) <= 2 * SCREEN
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f'usage: stereo_depth {tool} ')
    # A setting takes a line: its option, what it does, its default.
    settings = [line for line in lines if line.strip().startswith('--num-disparities')]
    assert len(settings) == (tool not in ('inspect', 'demo', 'migrate'))
    assert all(line.endswith('a multiple of 16 [64]') for line in settings)


def test_names_that_an_option_has_taken_are_to_be_written_before_it(capsys: Any) -> None:
    said = refused(capsys, 'images', '--calib', 'calib.txt', 'left.png', 'right.png')
    assert 'required: LEFT RIGHT: write them before --calib, which takes all names' in said
    assert 'before' not in refused(capsys, 'images')


@pytest.mark.parametrize('tool', TOOLS)
def test_the_whole_help_has_every_setting(tool: str, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv('COLUMNS', '100')
    short, whole = printed(capsys, tool, '--help'), printed(capsys, tool, '--help-all')
    assert '--wls-lambda' not in short
    for name in known_parameters():
        assert f'--{name.replace("_", "-")} ' in whole
    assert 'instance 8000; 0 is off.' in ' '.join(whole.split())


def test_a_choice_that_there_is_not_proposes_the_nearest(capsys: Any) -> None:
    said = refused(capsys, 'images', 'a', 'b', '--write', 'picture')
    assert said.splitlines()[0].endswith(': did you mean picture.png?')
    assert 'mean' not in refused(capsys, 'images', 'a', 'b', '--write', 'qwertyuiop')


def test_without_a_tool_there_is_a_short_help(capsys: Any) -> None:
    text = printed(capsys)
    assert len(text.splitlines()) < SCREEN / 2
    assert 'stereo_depth TOOL --help has the options of a tool' in text


def test_the_version_is_that_of_the_package(capsys: Any) -> None:
    assert re.fullmatch(r'stereo_depth \d+\.\d+\.\d+\n', printed(capsys, '--version'))


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('imgaes', 'a', 'b'), 'stereo_depth: there is no tool imgaes: did you mean images?'),
        (
            ('images', 'a', 'b', '--blocksize', '9'),
            'stereo_depth images: there is no option --blocksize: did you mean --block-size?',
        ),
        (
            ('bag', 'a', 'b', '--wls_lamda=8000'),
            'stereo_depth bag: there is no option --wls_lamda=8000: did you mean --wls-lambda?',
        ),
        (('tune', 'a', '--qwertyuiop'), 'stereo_depth tune: there is no option --qwertyuiop'),
        (('bag', 'a', 'b', '--calib', 'c'), 'stereo_depth bag: there is no option --calib'),
        (('inspect', 'a', 'b'), 'stereo_depth inspect: b is one name too many'),
        (('--qwertyuiop',), 'stereo_depth: there is no option --qwertyuiop'),
        (
            ('images', 'a', 'b', '--focal', '700px'),
            "stereo_depth images: argument --focal: '700px' is not a number, such as 0.5",
        ),
        (
            ('demo', '--pairs', 'ten'),
            "stereo_depth demo: argument --pairs: 'ten' is not a whole number, such as 4",
        ),
        (
            ('bag', 'a', 'b', '--rectify'),
            'stereo_depth bag: argument --rectify: expected one argument: --rectify true or false',
        ),
        (
            ('bag', 'a', 'b', '--dask'),
            'stereo_depth bag: argument --dask: expected one argument: --dask ADDRESS',
        ),
        (('inspect',), 'stereo_depth inspect: the following arguments are required: BAG'),
    ],
)
def test_a_typo_proposes_the_nearest_name_and_keeps_the_tool(
    capsys: Any, arguments: tuple[str, ...], said: str
) -> None:
    lines = refused(capsys, *arguments).splitlines()
    assert lines[0] == said
    assert lines[1:] == [f'Try: {said.partition(":")[0]} --help']


def commands_of_pages() -> list[str]:
    """Return the commands of the tool in README and docs, in blocks of code and in tables."""
    pages = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
    text = '\n'.join(page.read_text(encoding='utf-8') for page in pages).replace('\\\n', ' ')
    found = re.findall(r'^(?:\$ )?(stereo_depth [a-z].*?)(?:  +#.*)?$', text, re.MULTILINE)
    found += re.findall(r'`(stereo_depth [a-z][^`]*)`', text)
    return sorted(set(found))


@pytest.mark.parametrize('command', commands_of_pages())
def test_every_command_in_the_pages_is_understood(command: str) -> None:
    words = shlex.split(command)[1:]
    if words[0] == 'demo' or len(words) == 1:
        assert words[0] in (*TOOLS, 'demo', 'migrate')
        return
    parser = ToolParser(prog='stereo_depth')
    tools = parser.add_subparsers()
    import_module(f'stereo_depth_node.{_TOOLS[words[0]][0]}').add_parser(tools)
    # KIND ... stands for one of them.
    words = [word.replace('KIND', 'picture.png') for word in words if word != '...']
    tools.choices[words[0]].parse_whole(words[1:])


def test_every_setting_is_an_option_of_its_own(tmp_path: Path, capsys: Any) -> None:
    assert main(['images', 'a', 'b', '--texture-threshold', '-5']) == 2
    assert 'texture_threshold' in capsys.readouterr().err


def test_no_traceback_when_the_reader_of_a_pipe_ends() -> None:
    program = (
        'import sys\n'
        'from stereo_depth_node.offline.cli import main\n'
        'sys.exit(main(["tune", "--help-all"]) if len(sys.argv) < 2 else main(sys.argv[1:]))\n'
    )
    for arguments in (['--help'], ['tune', '--help-all'], ['inspect', 'nothing']):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, '-c', program, *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
            check=False,
            cwd=ROOT,
        )
        os.close(writing)
        assert 'Traceback' not in done.stderr
        assert 'Exception' not in done.stderr
        # 0 where the output is not buffered: argparse then passes over it.
        assert done.returncode in ((2,) if 'nothing' in arguments else (0, 141))
