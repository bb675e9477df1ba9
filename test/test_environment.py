# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Installed files are found wherever the package is, and the Fast DDS profile is right."""

from __future__ import annotations

from pathlib import Path
import socket
import xml.etree.ElementTree as ET

import pytest

from stereo_depth_node import environment
from stereo_depth_node.core.errors import InputError, StereoDepthError
from stereo_depth_node.environment import (
    fast_dds_environment,
    graph_environment,
    PROFILE_VARIABLES,
    reserved_domain,
    shared_file,
)

ROOT = Path(__file__).resolve().parent.parent
NEWER, OLDER = PROFILE_VARIABLES


def test_in_a_checkout_it_is_the_file_of_the_checkout(monkeypatch, tmp_path):
    other = tmp_path / 'share/stereo_depth_node/config/fastdds_shm.xml'
    other.parent.mkdir(parents=True)
    other.touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    assert shared_file('config/fastdds_shm.xml') == ROOT / 'config/fastdds_shm.xml'


@pytest.fixture
def installed_elsewhere(monkeypatch, tmp_path):
    """Have the code run from a folder without a package.xml above it."""
    monkeypatch.setattr(
        environment, '__file__', str(tmp_path / 'lib/stereo_depth_node/environment.py')
    )
    monkeypatch.setattr(environment.sys, 'prefix', str(tmp_path / 'venv'))
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    return tmp_path


@pytest.mark.parametrize('prefix', ['workspace', 'venv'])
def test_an_installed_file_is_found_by_ament_prefix_or_environment(
    installed_elsewhere, monkeypatch, prefix
):
    file = installed_elsewhere / prefix / 'share/stereo_depth_node/config/depth.yaml'
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/no/such::{installed_elsewhere / "workspace"}')
    assert shared_file('config/depth.yaml') == file


def test_a_file_that_is_nowhere_is_named_with_where_it_was_looked_for(
    installed_elsewhere, monkeypatch
):
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/opt/ros/none')
    with pytest.raises(InputError, match=r'config/depth\.yaml.*/opt/ros/none'):
        shared_file('config/depth.yaml')


def test_the_profile_has_a_segment_that_large_images_fit_into():
    """Several images of 1920x1080 in colour, 6 MiB each, must fit at once."""
    root = ET.parse(ROOT / 'config/fastdds_shm.xml').getroot()
    space = {'dds': root.tag.partition('}')[0].strip('{')}
    transports = {
        transport.findtext('dds:transport_id', None, space): transport
        for transport in root.iterfind('.//dds:transport_descriptor', space)
    }
    used = [
        transports[element.text]
        for element in root.iterfind('.//dds:userTransports/dds:transport_id', space)
    ]
    by_type = {transport.findtext('dds:type', None, space): transport for transport in used}
    # UDP is for discovery and for other machines.
    assert set(by_type) == {'SHM', 'UDPv4'}
    segment = int(by_type['SHM'].findtext('dds:segment_size', '0', space))
    assert segment >= 4 * 1920 * 1080 * 3
    assert root.find('.//dds:participant', space).get('is_default_profile') == 'true'


@pytest.mark.parametrize(
    ('distribution', 'variable'),
    [('humble', OLDER), ('jazzy', OLDER), ('kilted', NEWER), ('rolling', NEWER), (None, NEWER)],
)
def test_each_fast_dds_gets_the_variable_it_reads(distribution, variable):
    environment = {'ROS_DISTRO': distribution} if distribution else {}
    assert fast_dds_environment(environment) == {variable: str(ROOT / 'config/fastdds_shm.xml')}


@pytest.mark.parametrize('variable', PROFILE_VARIABLES)
def test_a_profile_that_is_set_stays(variable):
    assert fast_dds_environment({variable: '/mine.xml'}) == {}


def test_another_profile_can_be_asked_for():
    assert fast_dds_environment({}, '/mine.xml') == {NEWER: '/mine.xml'}


def test_a_reserved_domain_is_given_to_nobody_else(monkeypatch):
    monkeypatch.setattr(environment.random, 'sample', lambda population, count: list(population))
    with reserved_domain() as first, reserved_domain() as second, reserved_domain() as third:
        assert len({first, second, third}) == 3


def test_without_a_free_domain_the_error_says_what_to_do(monkeypatch):
    """The port of the first participant of a domain is 7410 + 250 * domain."""
    with reserved_domain() as taken, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        with pytest.raises(OSError, match='in use'):
            port.bind(('', 7410 + 250 * taken))
        monkeypatch.setattr(environment, '_DOMAIN_IDS', range(taken, taken + 1))
        with pytest.raises(StereoDepthError, match='set ROS_DOMAIN_ID'), reserved_domain():
            pass
        with reserved_domain('0') as given:
            assert given == '0'


def test_a_graph_keeps_what_is_set_except_for_its_domain():
    given = {
        'PATH': '/bin',
        'ROS_DOMAIN_ID': '7',
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
        NEWER: '/mine.xml',
    }
    assert graph_environment(given, 5) == {**given, 'ROS_DOMAIN_ID': '5'}
    alone = graph_environment({}, 5)
    assert alone['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert alone[NEWER] == str(ROOT / 'config/fastdds_shm.xml')
