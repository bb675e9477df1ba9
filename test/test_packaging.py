# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What pip and colcon install: a wheel is built and looked into."""

from __future__ import annotations

import ast
from configparser import ConfigParser
from importlib.util import find_spec
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import pytest

PACKAGE = 'stereo_depth_node'
ROOT = Path(__file__).resolve().parent.parent
# Where wheels keep the files that go beside the code.
DATA = f'{PACKAGE}-0.1.0.data/data'
INFO = f'{PACKAGE}-0.1.0.dist-info'


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that no build folder is left in the checkout."""
    pytest.importorskip('wheel', reason='the wheel package is not installed')
    source = tmp_path_factory.mktemp('source') / PACKAGE
    shutil.copytree(
        ROOT,
        source,
        # Other tests compile what they import meanwhile: files of a moment.
        ignore=shutil.ignore_patterns(
            '.*', '__pycache__', 'build', 'install', 'log', '*.egg-info', 'demo_output'
        ),
    )
    target = tmp_path_factory.mktemp('wheel')
    # The set-up script itself, as colcon calls it: pip would look for an index.
    done = subprocess.run(
        [sys.executable, 'setup.py', '-q', 'bdist_wheel', '--dist-dir', target],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = target.glob('*.whl')
    with zipfile.ZipFile(file) as archive:
        yield archive


@pytest.mark.parametrize(
    'file',
    [
        f'share/ament_index/resource_index/packages/{PACKAGE}',
        f'share/{PACKAGE}/package.xml',
        f'share/{PACKAGE}/LICENSE',
        f'share/{PACKAGE}/launch/depth.launch.py',
        f'share/{PACKAGE}/config/depth.yaml',
        f'share/{PACKAGE}/config/fastdds_shm.xml',
    ],
)
def test_a_wheel_holds_what_ros_tools_look_for(wheel, file):
    assert f'{DATA}/{file}' in wheel.namelist()


@pytest.mark.parametrize('folder', ['launch', 'config', 'foxglove'])
def test_every_file_for_ros_is_installed_where_it_stands(wheel, folder):
    expected = {
        f'{DATA}/share/{PACKAGE}/{path.relative_to(ROOT).as_posix()}'
        for path in (ROOT / folder).rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }
    prefix = f'{DATA}/share/{PACKAGE}/{folder}/'
    assert {name for name in wheel.namelist() if name.startswith(prefix)} == expected


def test_every_module_is_in_the_wheel_and_nothing_else_of_python(wheel):
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / PACKAGE).rglob('*.py')}
    code = {name for name in wheel.namelist() if name.endswith('.py') and DATA not in name}
    assert code == expected


def test_templates_are_in_the_wheel_beside_the_code_that_takes_them(wheel):
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / PACKAGE).rglob('*.jinja')}
    assert expected
    assert {name for name in wheel.namelist() if name.endswith('.jinja')} == expected


def test_an_installed_package_makes_a_report(wheel, tmp_path):
    pytest.importorskip('jinja2', reason='Jinja2 is not installed')
    pytest.importorskip('matplotlib', reason='matplotlib is not installed')
    wheel.extractall(tmp_path)
    program = (
        'from stereo_depth_node.offline.reports import html\n'
        'print(html.__file__)\n'
        'print(html.Report("A title").render())\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert '<h1>A title</h1>' in done.stdout


def test_the_package_says_that_it_is_typed(wheel):
    assert f'{PACKAGE}/py.typed' in wheel.namelist()


def console_scripts(wheel) -> dict[str, str]:
    entries = ConfigParser()
    entries.optionxform = str
    entries.read_string(wheel.read(f'{INFO}/entry_points.txt').decode())
    return dict(entries['console_scripts'])


def test_the_executables_are_the_node_and_the_offline_tool(wheel):
    assert set(console_scripts(wheel)) == {'stereo_depth_node', 'stereo_depth'}


def test_every_executable_leads_to_a_function_that_exists(wheel):
    for target in console_scripts(wheel).values():
        module, _, function = target.partition(':')
        spec = find_spec(module.strip())
        assert spec is not None, module
        source = Path(spec.origin).read_text(encoding='utf-8')
        functions = {node.name for node in ast.parse(source).body if hasattr(node, 'name')}
        assert function.strip() in functions


def test_the_executables_of_colcon_go_where_ros2_run_looks():
    config = ConfigParser()
    config.read(ROOT / 'setup.cfg')
    assert config['develop']['script_dir'] == f'$base/lib/{PACKAGE}'
    assert config['install']['install_scripts'] == f'$base/lib/{PACKAGE}'


def metadata(wheel) -> dict[str, str]:
    lines = wheel.read(f'{INFO}/METADATA').decode().split('\n\n')[0].splitlines()
    return dict(line.split(': ', 1) for line in lines if ': ' in line)


def test_name_version_license_and_maintainer_agree_everywhere(wheel):
    manifest = ET.parse(ROOT / 'package.xml').getroot()
    built = metadata(wheel)
    # Older setuptools write the name with hyphens, which is the same name (PEP 503).
    assert built['Name'].replace('-', '_') == manifest.findtext('name') == PACKAGE
    assert built['Version'] == manifest.findtext('version')
    citation = (ROOT / 'CITATION.cff').read_text(encoding='utf-8')
    assert f'\nversion: {built["Version"]}\n' in citation
    assert manifest.findtext('license') == 'Apache-2.0'
    assert manifest.find('maintainer').get('email') == built['Maintainer-email']
    assert manifest.findtext('maintainer') == built['Maintainer']


def test_catkin_pkg_takes_the_manifest_as_that_of_an_ament_python_package():
    """A manifest that it refuses makes colcon build plain Python, which ros2 never finds."""
    package_parser = pytest.importorskip(
        'catkin_pkg.package', reason='catkin_pkg is not installed'
    )
    warnings: list[str] = []
    package = package_parser.parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    package.validate()
    assert not warnings
    assert package.package_format == 3
    assert package.get_build_type() == 'ament_python'


def imported_libraries() -> set[str]:
    """Return what the package and its launch file import, whether or not it is always there."""
    found = set()
    for path in [*(ROOT / PACKAGE).rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    # Python 3.14 has a module compression.
    known = {*sys.stdlib_module_names, 'compression', PACKAGE}
    return {name.partition('.')[0] for name in found} - known


def test_every_import_is_a_dependency_of_the_package_or_of_one_of_its_extras(wheel):
    declared = {
        element.text
        for element in ET.parse(ROOT / 'package.xml').getroot()
        if element.tag in ('depend', 'exec_depend')
    }
    # The names that rosdep and PyPI have for what has another one in Python.
    names = {
        'PIL': 'pillow',
        'cv2': 'python3-opencv',
        'numpy': 'python3-numpy',
        'yaml': 'python3-yaml',
    }
    extras = {
        re.split(r'[^\w-]', line.partition(': ')[2])[0]
        for line in wheel.read(f'{INFO}/METADATA').decode().splitlines()
        if line.startswith('Requires-Dist: ') and 'extra ==' in line
    }
    imported = imported_libraries()
    assert {'rclpy', 'sensor_msgs', 'launch_ros', 'cv2', 'rosbags'} <= imported
    assert {names.get(name, name) for name in imported} <= declared | extras


def test_the_newest_release_of_the_changelog_is_the_version_of_the_package_with_its_date():
    changelog = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    headings = re.findall(r'^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$', changelog, re.MULTILINE)
    assert headings[0] == ('Unreleased', '')
    version = ET.parse(ROOT / 'package.xml').getroot().findtext('version')
    number, date = headings[1]
    assert number == version
    citation = (ROOT / 'CITATION.cff').read_text(encoding='utf-8')
    assert f'\ndate-released: {date}\n' in citation


def test_pyproject_has_no_project_table():
    """The symlink install of colcon does not see pyproject.toml: a name there would be lost."""
    lines = (ROOT / 'pyproject.toml').read_text(encoding='utf-8').splitlines()
    assert '[build-system]' in lines
    assert not [line for line in lines if line.startswith('[project')]


# What extras bring and no package of a ROS 2 distribution does: colcon test runs without these.
OF_EXTRAS = (
    *('backports', 'coverage', 'distributed', 'fastapi', 'lz4', 'mcap', 'nicegui', 'numba'),
    *('pytest_timeout', 'rosbags', 'selenium', 'skimage', 'uvicorn', 'xdist'),
)


def test_the_tests_are_found_where_only_the_packages_of_a_distribution_are():
    program = (
        f'import pytest, sys; sys.modules.update(dict.fromkeys({OF_EXTRAS})); '
        "sys.exit(pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider']))"
    )
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=ROOT,
        env={**os.environ, 'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1', 'PYTEST_ADDOPTS': ''},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def pins(name: str) -> dict[str, tuple[str, int]]:
    """Return each package and marker of a pinned file with its version and count of hashes."""
    found = {}
    text = (ROOT / 'requirements' / name).read_text(encoding='utf-8').replace('\\\n', ' ')
    for line in text.splitlines():
        package, equals, rest = line.partition('==')
        if equals and not line.startswith('#'):
            version, _, marker = rest.partition(' --hash=')[0].partition(';')
            found[f'{package} {marker.strip()}'.strip()] = version.strip(), rest.count('--hash=')
    return found


def test_one_distribution_of_the_ros_wheels_is_pinned_whole():
    pinned = {name: version for name, (version, _) in pins('test.txt').items()}
    asked = [
        line.strip().replace('[fastrtps]', '').split('==')
        for line in (ROOT / 'requirements/wheels.in').read_text().splitlines()
        if line.startswith('ros-')
    ]
    assert asked
    for name, version in asked:
        assert pinned[name] == version
    # Messages come in one version per distribution.
    assert {pinned[f'ros-{name}-msgs'] for name in ('sensor', 'std', 'stereo', 'geometry')} == {
        pinned['ros-std-srvs']
    }


def test_every_pinned_package_has_hashes_and_the_demo_has_those_of_the_tests():
    test, demo = pins('test.txt'), pins('demo.txt')
    assert len(test) > len(demo) > 50
    assert min(count for _, count in test.values()) >= 1
    versions = {(name.partition(' ')[0], version) for name, (version, _) in test.items()}
    assert {(name.partition(' ')[0], version) for name, (version, _) in demo.items()} <= versions
    assert min(count for _, count in demo.values()) >= 1
