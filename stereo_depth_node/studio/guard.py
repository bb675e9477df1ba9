# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Who may talk to the studio: the pages that it served itself, and nobody else.

Any page that is open in the same browser can send requests to 127.0.0.1, and can have its own name
resolve to it. So a request is refused that names another host, that comes from the page of
another origin, or that lacks the token where other machines may connect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ['Guard']

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_COOKIE = 'stereo_depth_studio'
_POLICY_VIOLATION = 1008
# A page of another origin may lead here, but not load parts of this one.
_SAME = ('same-origin', 'none')


class Guard:
    """An ASGI application that passes permitted requests on to another one.

    Parameters
    ----------
    app : callable
        The application behind it.
    hosts : set of str
        Names by which the server may be called, without the port; empty for any.
    token : str
        To be in the address of the page; empty where none is needed. The browser then keeps it
        as a cookie.
    """

    def __init__(self, app: App, hosts: set[str], token: str) -> None:
        self._app, self._hosts, self._token = app, hosts, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse a request."""
        if scope['type'] not in ('http', 'websocket'):
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode('latin-1').lower(): value.decode('latin-1')
            for name, value in scope['headers']
        }
        reason = self._why_not(scope, headers)
        if reason:
            await _refuse(scope, send, reason)
        elif self._token and scope['type'] == 'http':
            await self._app(scope, receive, _with_cookie(send, self._token))
        else:
            await self._app(scope, receive, send)

    def _why_not(self, scope: Scope, headers: dict[str, str]) -> str:
        host = headers.get('host', '')
        if self._hosts and _name_of(host) not in self._hosts:
            return 'this host name is not one of the studio'
        origin = headers.get('origin')
        if origin is not None and urlsplit(origin).netloc != host:
            return 'requests of other pages are refused'
        if headers.get('sec-fetch-mode', 'navigate') != 'navigate' and (
            headers.get('sec-fetch-site', 'none') not in _SAME
        ):
            return 'requests of other pages are refused'
        if self._token and not self._has_token(scope, headers):
            return 'the address needs the token that the studio has printed'
        return ''

    def _has_token(self, scope: Scope, headers: dict[str, str]) -> bool:
        query = parse_qs(scope.get('query_string', b'').decode('latin-1'))
        given = query.get('token', [])
        try:
            cookie = SimpleCookie(headers.get('cookie', '')).get(_COOKIE)
        except CookieError:
            cookie = None
        if cookie is not None:
            given.append(cookie.value)
        return any(secrets.compare_digest(each.encode(), self._token.encode()) for each in given)


def _name_of(host: str) -> str:
    """Return a host without its port: 127.0.0.1:8080, or [::1]:8080."""
    try:
        return urlsplit(f'//{host}').hostname or ''
    except ValueError:
        return ''


def _with_cookie(send: Send, token: str) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message['type'] == 'http.response.start':
            cookie = f'{_COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/'
            message['headers'] = [*message.get('headers', ()), (b'set-cookie', cookie.encode())]
        await send(message)

    return sending


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope['type'] == 'websocket':
        await send({'type': 'websocket.close', 'code': _POLICY_VIOLATION, 'reason': reason})
        return
    await send(
        {
            'type': 'http.response.start',
            'status': 403,
            'headers': [(b'content-type', b'text/plain; charset=utf-8')],
        }
    )
    await send({'type': 'http.response.body', 'body': f'{reason}\n'.encode()})
