"""Real PostgreSQL and Valkey beside the program, for as long as it runs.

The process that starts the servers ends them: by `stop()`, by leaving the context, or by dying in any way.
A process that finds them running joins and leaves them as they are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from dialer.errors import Unavailable
from dialer.language import Text
from dialer.runtime import postgres as pg
from dialer.runtime import valkey as vk
from dialer.runtime.binaries import server_binaries
from dialer.runtime.guarded import Guarded
from dialer.runtime.place import Place, erase_place, place_for
from dialer.runtime.postgres import Postgres
from dialer.runtime.running import Server, end_running, find_running, wait_until
from dialer.runtime.valkey import Valkey

_START_TRIES = 4
_START_SECONDS = 120.0
_JOIN_SECONDS = 30.0
_LEAVE_SECONDS = 5.0


class EmbeddedServers:
    """Running servers. Whoever holds this keeps them running; a joiner only asks not to lose them."""

    def __init__(
        self,
        *,
        place: Place,
        urls: dict[str, str],
        guards: Sequence[Guarded],
        joined: IO[bytes] | None,
        ephemeral: bool,
    ) -> None:
        self._place = place
        self._urls = urls
        self._guards = list(guards)
        self._joined = joined
        self._ephemeral = ephemeral
        self._owner = os.getpid()

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the database `dialer`, password included: never to be logged."""
        return self._url(pg.NAME, pg.PART)

    @property
    def broker_url(self) -> str:
        """The broker's address, password included: never to be logged."""
        return self._url(vk.NAME, vk.PART)

    @property
    def started(self) -> bool:
        """True when this process started at least one of them and has not stopped it yet."""
        return bool(self._guards)

    def stop(self, *, joiners_seconds: float = 3.0) -> None:
        """What this process started is gone; others that use it get up to `joiners_seconds` to finish first.

        Does nothing when called again, and nothing at all in a forked copy of the process.
        """
        if os.getpid() != self._owner:
            return
        if self._joined is not None:
            self._joined.close()
            self._joined = None
        deadline = time.monotonic() + joiners_seconds
        while self._guards:
            with self._place.starting():
                if time.monotonic() >= deadline or not self._place.anyone_joined():
                    _stop_all(self._guards)
                    self._guards = []
                    if self._ephemeral:
                        erase_place(self._place)
                    return
            time.sleep(0.02)

    def _url(self, name: str, part: str) -> str:
        if name not in self._urls:
            raise Unavailable(part=part, problem="was not asked for")
        return self._urls[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def ensure(
    data_dir: Path,
    *,
    postgres: bool = True,
    valkey: bool = True,
    ephemeral: bool = False,
    shared_buffers_mb: int = 128,
    home: Path | None = None,
) -> EmbeddedServers:
    """The servers of `data_dir` run and answer: joined when they did already, else started by this process.

    `ephemeral`: with their end, even after a kill of this process, their files go too. `home`: where the servers' files
    lie, for one that is not in the data folder or under /var/lib; the same for all who join.
    Raises Unavailable, one clear line, when they cannot run.
    """
    place = place_for(data_dir, home=home)
    urls: dict[str, str] = {}
    guards: list[Guarded] = []
    with place.starting():
        binaries = server_binaries(place.account)
        wanted: list[Server] = []
        if postgres:
            wanted.append(Postgres(place=place, binaries=binaries, shared_buffers_mb=shared_buffers_mb))
        if valkey:
            wanted.append(Valkey(place=place, binaries=binaries))
        try:
            for server in wanted:
                port, guard = _bring_up(place, server, ephemeral=ephemeral)
                urls[server.name] = server.url(port)
                if guard is not None:
                    guards.append(guard)
        except BaseException:
            _stop_all(guards)
            raise
        joined = place.mark_joined() if len(guards) < len(wanted) else None
    return EmbeddedServers(place=place, urls=urls, guards=guards, joined=joined, ephemeral=ephemeral)


def erase(data_dir: Path) -> None:
    """Nothing is left of the embedded servers of `data_dir`: no process, no file. Whatever they held is gone.

    Raises Unavailable while another process keeps them running.
    """
    if not (data_dir / "embedded").is_dir():
        return
    place = place_for(data_dir)
    with place.starting():
        binaries = server_binaries(place.account)
        for server in (Postgres(place=place, binaries=binaries), Valkey(place=place, binaries=binaries)):
            running = find_running(server)
            if running is not None and running.kept:
                raise Unavailable(part=server.part, problem="is in use by another process")
            if running is not None:
                end_running(running, seconds=_LEAVE_SECONDS)
        erase_place(place)


def _bring_up(place: Place, server: Server, *, ephemeral: bool) -> tuple[int, Guarded | None]:
    """The server answers on the returned port; the guard is there when we started it."""
    for attempt in range(_START_TRIES):
        port = _join(place, server)
        if port is not None:
            return port, None
        server.forget_dead_server()
        port = place.choose_port(server.name, fresh=attempt > 0)
        server.prepare(port)
        with place.open_log(server.name) as log:
            guard = Guarded.start(server.program(port, ephemeral=ephemeral), output=log)
        try:
            if _comes_up(server, guard, port):
                server.finish(port)
                place.record_port(server.name, port)
                return port, guard
        except BaseException:
            guard.stop()
            raise
        guard.stop()
    raise Unavailable(
        part=server.part,
        problem=Text("did not start: %(line)s", line=place.last_log_line(server.name)),
    )


def _join(place: Place, server: Server) -> int | None:
    """The port of a server that a living process keeps; None when there is none, strays having been ended."""
    running = find_running(server)
    if running is None:
        return None
    port = place.port(server.name)
    if running.kept and port is not None:
        if wait_until(lambda: server.answers(port) or not _is_kept(server), seconds=_JOIN_SECONDS):
            if server.answers(port):
                return port
        else:
            raise Unavailable(
                part=server.part,
                problem=Text("runs, but did not answer for %(seconds)s s", seconds=f"{_JOIN_SECONDS:.0f}"),
            )
    running = find_running(server)
    if running is not None:
        end_running(running, seconds=_LEAVE_SECONDS)
    return None


def _is_kept(server: Server) -> bool:
    running = find_running(server)
    return running is not None and running.kept


def _comes_up(server: Server, guard: Guarded, port: int) -> bool:
    """True once it is ready; False when it ended instead (its port may have been taken meanwhile)."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if any(event.kind == "exit" for event in guard.events(wait_seconds=0.01)) or not guard.alive:
            return False
        if server.ready(port):
            return True
    raise Unavailable(
        part=server.part,
        problem=Text("was not ready after %(seconds)s s", seconds=f"{_START_SECONDS:.0f}"),
    )


def _stop_all(guards: Sequence[Guarded]) -> None:
    """Asked all at once, so that the slowest alone sets the time."""
    for guard in guards:
        guard.ask_to_stop()
    for guard in guards:
        guard.stop()
