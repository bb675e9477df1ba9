# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The web server of the studio: one page, its pictures, and nothing that is not needed for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
import math
import secrets
import socket
import webbrowser

from fastapi import FastAPI, Request, Response
from nicegui import app, background_tasks, ui
import uvicorn

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.display import has_display
from stereo_depth_node.studio.exports import exported, kinds_of, OutputFolder
from stereo_depth_node.studio.figures import References
from stereo_depth_node.studio.frames import Source
from stereo_depth_node.studio.guard import Guard
from stereo_depth_node.studio.layers import LAYERS, png_of_layer
from stereo_depth_node.studio.node_source import NodeSource
from stereo_depth_node.studio.page import build_page
from stereo_depth_node.studio.session import Session

__all__ = ['Studio', 'serve']

_LOCAL = '127.0.0.1'
_LOCAL_NAMES = {'127.0.0.1', 'localhost', '::1'}
# For two pairs at once, and for what is asked of their results meanwhile.
_THREADS = 4
_CACHED = {'cache-control': 'private, max-age=3600', 'x-content-type-options': 'nosniff'}
# Time for open connections to end when the server is stopped, seconds.
_GRACE_S = 1
# Between two updates from a running node, seconds.
_UPDATE_S = 0.3
# For so long a tab is kept whose connection is lost, as on a robot that drives: it has settings.
# Those of a running node are in the node, which a tab that is gone shall not keep busy.
_LOST_S, _LOST_OF_NODE_S = 600.0, 3.0


class Studio:
    """What all tabs share.

    Parameters
    ----------
    source : Source
        What they look at.
    start : Settings
        The settings that each begins with.
    output : OutputFolder, optional
        Where files can be saved beside the browser's downloads.
    """

    def __init__(
        self, source: Source, start: Settings, output: OutputFolder | None = None
    ) -> None:
        self.source, self.start, self.output = source, start, output
        self.sessions: dict[str, Session] = {}
        self._is_update_due = False
        self._references = References()
        self.workers = ThreadPoolExecutor(_THREADS, thread_name_prefix='studio')

    def open_session(self) -> Session:
        """Begin a tab."""
        if isinstance(self.source, NodeSource):
            self.start = self.source.settings
            loop = asyncio.get_running_loop()

            def wake() -> None:
                with suppress(RuntimeError):  # the server has ended
                    loop.call_soon_threadsafe(self._changed)

            self.source.on_change(wake)
        session = Session(self.source, self.start, self.workers, self._references)
        self.sessions[session.key] = session
        return session

    @property
    def lost_s(self) -> float:
        """Seconds for which a tab is kept whose connection is lost."""
        return _LOST_OF_NODE_S if isinstance(self.source, NodeSource) else _LOST_S

    def _changed(self) -> None:
        """Update all tabs when the node has something new, but not more often than is seen."""
        if not self._is_update_due:
            self._is_update_due = True
            asyncio.get_running_loop().call_later(_UPDATE_S, self._update)

    def _update(self) -> None:
        self._is_update_due = False
        if isinstance(self.source, NodeSource):
            settings = self.source.settings
            for session in self.sessions.values():
                session.on_settings(settings)
                session.request()

    def close_session(self, session: Session) -> None:
        """End a tab."""
        session.is_closed = True
        self.sessions.pop(session.key, None)

    def close(self) -> None:
        """End what works for all tabs."""
        self.workers.shutdown(wait=False, cancel_futures=True)
        if isinstance(self.source, NodeSource):
            self.source.close()


def serve(
    studio: Studio,
    *,
    host: str = '',
    port: int = 0,
    on_ready: Callable[[str], None] = lambda url: None,
    opens_browser: bool = False,
) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    studio : Studio
        What is shown.
    host : str
        Address to listen at; by default only this machine can connect. With another one, the
        address of the page holds a token.
    port : int
        Port to listen at; 0 for any that is free.
    on_ready : callable
        Called with the address of the page.
    opens_browser : bool
        Open it in a browser, where there is one.

    Raises
    ------
    InputError
        If it cannot listen there.
    """
    token = secrets.token_urlsafe(16) if host else ''
    listener = _listener(host or _LOCAL, port)
    bound = listener.getsockname()[1]
    name = _LOCAL if host in ('', '0.0.0.0', '::') else host
    shown = f'[{name}]' if ':' in name else name
    url = f'http://{shown}:{bound}/' + (f'?token={token}' if token else '')
    guard = Guard(_application(studio), set() if host else _LOCAL_NAMES, token)
    config = uvicorn.Config(
        guard, log_level='error', access_log=False, timeout_graceful_shutdown=_GRACE_S
    )
    on_ready(url)
    if opens_browser:
        _open(url)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _application(studio: Studio) -> FastAPI:
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @web.get('/picture/{key}/{number}/{name}')
    async def picture(request: Request, key: str, number: int, name: str) -> Response:
        session = studio.sessions.get(key)
        result = session.result_of(number) if session is not None else None
        if session is None or result is None or name not in LAYERS:
            return Response(status_code=404)
        limits = _limits_in(request)
        content = await session.in_thread(lambda: png_of_layer(result, name, limits))
        return Response(content, media_type='image/png', headers=_CACHED)

    @web.get('/export/{key}/{number}/{name}')
    async def export(key: str, number: int, name: str) -> Response:
        session = studio.sessions.get(key)
        result = session.result_of(number) if session is not None else None
        if session is None or result is None or name not in kinds_of(result):
            return Response(status_code=404)
        content = await session.in_thread(lambda: exported(result, name))
        headers = {'content-disposition': f'attachment; filename="{name}"'}
        return Response(content, media_type='application/octet-stream', headers=headers)

    @ui.page('/', reconnect_timeout=studio.lost_s)
    async def page() -> None:
        session = studio.open_session()
        resume = build_page(session, studio.output)
        task = background_tasks.create(session.run(), name=f'session {session.key}')
        client = ui.context.client

        def close() -> None:
            task.cancel()
            studio.close_session(session)

        def connected() -> None:
            """Go on with the settings that the tab had before it was loaded anew."""
            before = app.storage.tab.get('history')
            if before is not None and before is not session.history:
                resume(deepcopy(before))  # a duplicated tab begins with the same
            app.storage.tab['history'] = session.history

        if not isinstance(studio.source, NodeSource):  # whose settings are in the node
            client.on_connect(connected)
        client.on_disconnect(session.keep_newest)
        client.on_delete(close)

    ui.run_with(
        web,
        title='stereo_depth studio',
        favicon='🔎',
        dark=None,
        show_welcome_message=False,
    )
    return web


def _limits_in(request: Request) -> tuple[float, float] | None:
    """Return the ends of the colours that an address names, None where it names none."""
    try:
        low, high = (float(request.query_params[name]) for name in ('low', 'high'))
    except (KeyError, ValueError):
        return None
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _listener(host: str, port: int) -> socket.socket:
    listener = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        raise InputError(
            f'cannot listen at {host}, port {port}: {error}; give another --port, or none for one '
            'that is free'
        ) from error
    return listener


def _open(url: str) -> None:
    """Open the page in a browser, where one can be seen."""
    if has_display():
        with suppress(webbrowser.Error):
            webbrowser.open(url)
