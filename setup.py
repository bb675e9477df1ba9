# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Name, version, entry points and installed files, for colcon and for pip.

They stand here and not in a ``[project]`` table because colcon's symlink install links
this file and setup.cfg into its build space, but not pyproject.toml.
"""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'stereo_depth_node'
HERE = Path(__file__).parent


def shared(folder):
    """Pair each folder below ``folder`` with its files, for ``data_files``."""
    folders = sorted({path.parent for path in (HERE / folder).rglob('*') if path.is_file()})
    return [
        (
            f'share/{PACKAGE}/{parent.relative_to(HERE).as_posix()}',
            sorted(
                path.relative_to(HERE).as_posix()
                for path in parent.iterdir()
                if path.is_file() and path.suffix != '.pyc'
            ),
        )
        for parent in folders
        if parent.name != '__pycache__'
    ]


# No wheel of OpenCV in install_requires: a ROS 2 machine has OpenCV from its distribution,
# which pip does not see and would shadow.
OFFLINE = [
    'backports.zstd>=1; python_version < "3.14"',
    'jinja2>=3.0',
    'lz4>=4',
    'matplotlib>=3.5',
    'mcap>=1.1',
    'opencv-python-headless>=4.5.4.60',
    'PyYAML>=5.4',
    'rich>=11.2',
    'rosbags>=0.11',
    'tabulate>=0.8.9',
]
CLUSTER = ['distributed>=2023.1']
# scikit-image has had the stereo pair of the demo inside its wheels since 0.25.
DEMO = [*OFFLINE, 'scikit-image>=0.25']
# NiceGUI is web server, controls and view of points; Pillow writes PNGs with a table of colours.
STUDIO = [*DEMO, 'nicegui>=3.18', 'fastapi', 'pillow', 'uvicorn']
FAST = ['numba>=0.60']

setup(
    name=PACKAGE,
    version='0.1.0',
    description='Disparity and metric depth from stereo cameras: a ROS 2 node in Python',
    long_description='Disparity and metric depth from a pair of stereo cameras: a ROS 2 node '
    'in Python, and the same computation for files and recordings.',
    author='The stereo_depth_node authors',
    maintainer='The stereo_depth_node maintainers',
    maintainer_email='maintainers@stereo-depth-node.example.org',
    license='Apache-2.0',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['py.typed', 'offline/reports/*.jinja', 'studio/*.css', 'studio/*.js']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml', 'LICENSE']),
        *shared('launch'),
        *shared('config'),
        *shared('foxglove'),
    ],
    python_requires='>=3.10',
    install_requires=['setuptools', 'numpy>=1.21'],
    extras_require={
        'offline': OFFLINE,
        'demo': DEMO,
        'fast': FAST,
        'cluster': CLUSTER,
        'studio': STUDIO,
        'all': [*STUDIO, *FAST, *CLUSTER],
        # MkDocs 2 is another program, with other themes and without plugins.
        'docs': ['mkdocs>=1.6,<2', 'mkdocs-material>=9.5,<10'],
        'test': [
            *DEMO,
            *CLUSTER,
            *STUDIO,
            'catkin_pkg>=1.0',
            'hypothesis>=6',
            'pytest>=6.2',
            'selenium>=4.10',
        ],
        'lint': ['codespell>=2.4', 'mypy>=1.8', 'ruff>=0.9'],
    },
    zip_safe=False,
    entry_points={
        'console_scripts': [
            f'stereo_depth_node = {PACKAGE}.ros.main:main',
            f'stereo_depth = {PACKAGE}.offline.__main__:main',
        ],
    },
)
