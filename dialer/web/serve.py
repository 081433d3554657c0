"""`dialer web`: the application on uvicorn."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import ExitStack, suppress

import uvicorn

from dialer.bootstrap import Application
from dialer.runtime.heap import settle
from dialer.usecases.beat import beating
from dialer.usecases.engine import Engine
from dialer.usecases.watch_web import WEB
from dialer.web.app import create_app
from dialer.web.closing import Closing

_NOT_STARTED = 3
_SWITCH_SECONDS = 0.0005
"""A batch of webhooks comes back from the database a dozen times, and would wait each time until the loop's thread has
had its whole turn of 5 ms.
"""


class _Server(uvicorn.Server):
    """Beats for as long as it listens. Before it waits for answers under way it tells those that would never end."""

    def __init__(self, config: uvicorn.Config, closing: Closing, alive: ExitStack, engine: Engine) -> None:
        super().__init__(config)
        self._closing = closing
        self._alive = alive
        self._engine = engine

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # Not before: for whoever rings, a beat means that somebody answers.
            self._alive.enter_context(beating(self._engine, kind=WEB))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before it stops to listen, for whoever would ring meanwhile.
        await asyncio.to_thread(self._alive.close)
        self._closing.begin()
        await super().shutdown(sockets)


def run_web(app: Application) -> None:
    """Serves until SIGTERM or SIGINT; requests under way are finished first."""
    web = app.settings.web
    sys.setswitchinterval(_SWITCH_SECONDS)
    # uvicorn sends itself the signal that ended it once more; the default would end us before our row is gone.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    closing = Closing()
    config = uvicorn.Config(
        create_app(app, closing),
        host=web.host,
        port=web.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=75,
    )
    with ExitStack() as alive:
        server = _Server(config, closing, alive, app.engine)
        settle()
        with suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            sys.exit(_NOT_STARTED)
