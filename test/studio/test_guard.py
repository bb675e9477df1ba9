# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Who may talk to the studio."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stereo_depth_node.studio.guard import Guard

LOCAL = {'127.0.0.1', 'localhost', '::1'}
PAGE = {'host': '127.0.0.1:8080'}


def answer(
    headers: dict[str, str],
    *,
    kind: str = 'http',
    query: str = '',
    hosts: set[str] = LOCAL,
    token: str = '',
) -> dict[str, Any]:
    """Return the first message that is sent back to a request."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({'type': f'{kind}.response.start', 'status': 200, 'headers': []})

    scope = {
        'type': kind,
        'query_string': query.encode(),
        'headers': [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Guard(application, hosts, token)(scope, receive, send))
    return sent[0]


def is_passed(*arguments: Any, **options: Any) -> bool:
    return answer(*arguments, **options).get('status') == 200


@pytest.mark.parametrize('host', ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080', 'LOCALHOST'])
@pytest.mark.parametrize('kind', ['http', 'websocket'])
def test_the_page_of_this_machine_is_passed_on(host, kind):
    assert is_passed({'host': host}, kind=kind)
    assert is_passed({'host': host, 'origin': f'http://{host}'}, kind=kind)


@pytest.mark.parametrize('kind', ['http', 'websocket'])
@pytest.mark.parametrize(
    'headers',
    [
        {'host': 'evil.example:8080'},
        {'host': '127.0.0.1.evil.example'},
        {'host': ''},
        {'host': '[::1'},
        {},
        {**PAGE, 'origin': 'http://evil.example'},
        {**PAGE, 'origin': 'http://127.0.0.1:9090'},
        {**PAGE, 'origin': 'null'},
        {**PAGE, 'origin': ''},
        {**PAGE, 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site'},
        {**PAGE, 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-site'},
    ],
    ids=str,
)
def test_other_names_and_other_pages_are_refused(headers, kind):
    """A name that resolves to this machine, and pages of other origins, ports included."""
    message = answer(headers, kind=kind)
    assert (message['type'], message.get('status', message.get('code'))) in (
        ('http.response.start', 403),
        ('websocket.close', 1008),
    )


def test_a_link_on_another_page_leads_to_the_studio():
    assert is_passed({**PAGE, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site'})


@pytest.mark.parametrize('kind', ['http', 'websocket'])
def test_other_machines_need_the_token(kind):
    headers = {'host': 'robot.local:8080'}
    options: dict[str, Any] = {'kind': kind, 'hosts': set(), 'token': 'secret'}
    assert is_passed(headers, query='token=secret', **options)
    assert is_passed({**headers, 'cookie': 'a=b; stereo_depth_studio=secret'}, **options)
    for query in ('', 'token=', 'token=secre', 'token=secret2', 'token=%ff', 'tokens=secret'):
        assert not is_passed(headers, query=query, **options)
    for cookie in ('', 'stereo_depth_studio=', 'stereo_depth_studio=no', '\x00', 'a=secret'):
        assert not is_passed({**headers, 'cookie': cookie}, **options)
    assert not is_passed(
        {**headers, 'origin': 'http://evil.example'}, query='token=secret', **options
    )


def test_the_browser_keeps_the_token_where_pages_cannot_read_it():
    message = answer({'host': 'robot:1'}, query='token=secret', hosts=set(), token='secret')
    assert dict(message['headers'])[b'set-cookie'] == (
        b'stereo_depth_studio=secret; HttpOnly; SameSite=Strict; Path=/'
    )
    assert answer(PAGE)['headers'] == []
