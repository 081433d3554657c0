"""The web process: the application served by uvicorn, its heartbeat, its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from functools import partial

import uvicorn

from dialer.calls.reconcile import WEB
from dialer.control.alarms import raise_stuck_commits
from dialer.control.health import beating
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.db.hosts import raise_alarm_with_cause
from dialer.runtime.processes import freeze_startup_objects
from dialer.runtime.sections import WebSettings
from dialer.runtime.services import Application, Services
from dialer.server.application import create_app
from dialer.telephony.public_address import PublicAddressBlocked, watch_public_address
from dialer.web.connections import ConnectionLimits, Connections, room_for
from dialer.web.console import (
    ShutdownHooks,
)

_NOT_STARTED = 3
_COMMITS_SECONDS = 5.0
_log = logging.getLogger(__name__)
_SWITCH_SECONDS = 0.0005
"""A batch of webhooks returns from the database a dozen times, and each time would wait for the event loop's thread to
use up its default turn of 5 ms.
"""


class _Server(uvicorn.Server):
    """A server whose heartbeat lasts as long as it listens. On shutdown endless answers end before it waits for the
    others.
    """

    def __init__(
        self, config: uvicorn.Config, closing: ShutdownHooks, alive: ExitStack, app: Application
    ) -> None:
        super().__init__(config)
        self._closing = closing
        self._alive = alive
        self._app = app
        self._watches: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # Not earlier: dialling takes the heartbeat as a sign that webhooks are answered.
            self._alive.enter_context(beating(self._app.services, kind=WEB))
            if self._app.settings.web.check_public_url:
                raise_alarm = partial(raise_public_address_alarm, self._app.services)
                address = watch_public_address(self._app.telephony, blocked=raise_alarm)
                self._watches.append(asyncio.create_task(address))
            self._watches.append(asyncio.create_task(_watch_commits(self._app.services)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for watch in self._watches:
            watch.cancel()
        # Before it stops listening, so that no call is placed meanwhile.
        await asyncio.to_thread(self._alive.close)
        self._closing.begin()
        await super().shutdown(sockets)


async def _watch_commits(services: Services) -> None:
    """Looks every few seconds whether commits end, until it is cancelled. Here, since a web process looks without
    writing: while no commit ends, no scheduler leads.
    """
    while True:
        await asyncio.sleep(_COMMITS_SECONDS)
        try:
            await asyncio.to_thread(raise_stuck_commits, services)
        except Unavailable as fault:
            _log.warning("%s", fault)
        except Exception:  # noqa: BLE001  # a look that fails must not end the watch
            _log.exception("commits cannot be watched")


def raise_public_address_alarm(services: Services, fault: PublicAddressBlocked) -> None:
    """Raises the alarm, with cause and fix as sentences for either language, unless it is open already."""
    facts = {"problem": fault.text.plain(), "fix": Text.of(fault.fix).plain()}
    with services.store.begin() as tx:
        raise_alarm_with_cause(
            tx,
            AlarmCode.PUBLIC_URL_BLOCKED,
            now=services.clock.now(),
            real_now=services.real.now(),
            facts=facts,
        )


def _limits(web: WebSettings) -> ConnectionLimits:
    return ConnectionLimits(
        connections=room_for(web.connections),
        per_address=web.connections_per_address,
        shared=web.proxies,
        head_seconds=web.head_seconds,
        body_seconds=web.body_seconds,
    )


def server_of(app: Application, alive: ExitStack) -> uvicorn.Server:
    """The server of this application, not yet started. `alive`: holds its heartbeat from the start to the shutdown."""
    web, closing = app.settings.web, ShutdownHooks()
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
        http=Connections(_limits(web)).protocol,  # type: ignore[arg-type]
        ws="none",
    )
    return _Server(config, closing, alive, app)


def run_web(app: Application) -> None:
    """Serves until SIGTERM or SIGINT; requests under way are finished first."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    # uvicorn raises the signal that ended it once more; the default handler would end us before the heartbeat's row is
    # removed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with ExitStack() as alive:
        server = server_of(app, alive)
        freeze_startup_objects()
        with suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            sys.exit(_NOT_STARTED)
