"""The embedded PostgreSQL and Valkey: creates, starts, identifies, joins and stops them.

The process that starts the servers ends them: by `stop()`, by leaving the context, or by its own end of any kind. A
process that finds them running joins them and leaves them running. Servers whose owner is gone are ended first.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import psutil

from dialer.core.errors import Unavailable
from dialer.core.text import Text
from dialer.runtime.guarded import GUARD_SCRIPT, Guarded
from dialer.runtime.location import (
    ServerFolders,
    delete_server_files,
    installed_binaries,
    place_for,
    server_binaries,
)
from dialer.runtime.servers import Postgres, Server, Valkey

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The processes of a server and its guard. `guarded`: a guard runs; `kept`: the process that started that guard
    runs too.
    """

    processes: tuple[psutil.Process, ...]
    guarded: bool
    kept: bool


def find_running(server: Server) -> Running | None:
    """The running server; None without processes. Marks in the command line identify them: a process number on disk
    may be recycled.
    """
    processes: list[psutil.Process] = []
    guarded = kept = False
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            name = process.name()
            if name == server.program_name:
                line = " ".join(process.cmdline()) + " "
                if any(mark in line for mark in server.marks) and process.status() != psutil.STATUS_ZOMBIE:
                    processes.append(process)
            elif name.startswith("python"):
                match process.cmdline():
                    case [*_, script, parent, folder] if (
                        folder == str(server.folder) and Path(script).name == GUARD_SCRIPT.name
                    ):
                        guarded = True
                        kept = kept or process.ppid() == int(parent)
                        processes.append(process)
    return Running(processes=tuple(processes), guarded=guarded, kept=kept) if processes else None


def end_running(running: Running) -> None:
    """Ends the processes. A guard gets time to end them; then they get signals, at last SIGKILL."""
    _, alive = psutil.wait_procs(running.processes, timeout=_LEAVE_SECONDS if running.guarded else 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if not alive:
            return
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        _, alive = psutil.wait_procs(alive, timeout=_LEAVE_SECONDS)


def wait_until(condition: Callable[[], bool], *, seconds: float, step_seconds: float = 0.02) -> bool:
    """True as soon as the condition is true; False when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_seconds)
    return True


_START_TRIES = 4
_START_SECONDS = 120.0
_JOIN_SECONDS = 30.0
_LEAVE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0


@dataclass(slots=True, kw_only=True)
class _StartedServer:
    server: Server
    port: int
    guard: Guarded
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    due_at: float = 0.0
    """On the monotonic clock: when the next start is tried."""


class EmbeddedServers:
    """Running servers, kept running by the process that started them; a process that joined only delays their end."""

    def __init__(
        self,
        *,
        place: ServerFolders,
        urls: dict[str, str],
        owner_url: str | None,
        started: Sequence[_StartedServer],
        joined: IO[bytes] | None,
        ephemeral: bool,
    ) -> None:
        self._place = place
        self._urls = urls
        self._owner_url = owner_url
        self._started = list(started)
        self._joined = joined
        self._ephemeral = ephemeral
        self._owner = os.getpid()

    @property
    def database_url(self) -> str:
        """The SQLAlchemy address of the database `dialer` for the service, password included: never to be logged."""
        return self._url(Postgres)

    @property
    def owner_url(self) -> str:
        """As `database_url`, for the owner of the tables, which migrations need."""
        if self._owner_url is None:
            raise Unavailable(part=Postgres.part, problem="was not asked for")
        return self._owner_url

    @property
    def broker_url(self) -> str:
        """The address of the broker, password included: never to be logged."""
        return self._url(Valkey)

    @property
    def started(self) -> bool:
        """True when this process started at least one of them and has not stopped it yet."""
        return bool(self._started)

    def restart_failed(self) -> None:
        """Starts a server again, at the same port, when its guard has died; when only the server dies, its guard
        restarts it. The process that started the servers calls this again and again. A start that fails is tried later,
        with growing pauses.
        """
        for server in self._started:
            if server.guard.alive or time.monotonic() < server.due_at or os.getpid() != self._owner:
                continue
            _log.error("the guard of the %s has died: the server is started again", server.server.part)
            try:
                self._start_again(server)
                server.pause_seconds = _FIRST_PAUSE_SECONDS
            except (OSError, Unavailable) as fault:
                _log.exception("the %s could not be started: %s", server.server.part, type(fault).__name__)
                server.due_at = time.monotonic() + server.pause_seconds
                server.pause_seconds = min(server.pause_seconds * 2, _LONGEST_PAUSE_SECONDS)

    def _start_again(self, server: _StartedServer) -> None:
        with self._place.starting():
            server.guard.stop()
            running = find_running(server.server)
            if running is not None:
                end_running(running)
            server.server.prepare(server.port)
            server.guard = _guarded(self._place, server.server, server.port, ephemeral=self._ephemeral)
            if not _comes_up(server.server, server.guard, server.port):
                server.guard.stop()
                raise Unavailable(part=server.server.part, problem="ended at its start")

    def stop(self, *, batch_wait_seconds: float = 3.0) -> None:
        """Stops the servers that this process started; processes that joined get up to `batch_wait_seconds` to finish.

        No effect when called again, or in a forked copy of the process.
        """
        if os.getpid() != self._owner:
            return
        if self._joined is not None:
            self._joined.close()
            self._joined = None
        deadline = time.monotonic() + batch_wait_seconds
        while self._started:
            with self._place.starting():
                if time.monotonic() >= deadline or not self._place.anyone_joined():
                    _stop_all([server.guard for server in self._started])
                    self._started = []
                    if self._ephemeral:
                        delete_server_files(self._place)
                    return
            time.sleep(0.02)

    def _url(self, kind: type[Server]) -> str:
        if kind.name not in self._urls:
            raise Unavailable(part=kind.part, problem="was not asked for")
        return self._urls[kind.name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def ensure_servers(
    data_dir: Path,
    *,
    postgres: bool = True,
    valkey: bool = True,
    ephemeral: bool = False,
    home: Path | None = None,
    postgres_options: Mapping[str, str] | None = None,
) -> EmbeddedServers:
    """Makes the servers of `data_dir` run and answer: joins them if they run already, else starts them.

    `ephemeral`: their files are deleted at their end, even after a kill of this process. `home`: the folder of their
    files, if not the data folder or /var/lib; the same for all processes that join. `postgres_options`: settings of a
    PostgreSQL that this call starts, over the usual ones. Raises Unavailable, with one line, when they cannot run.
    """
    place = place_for(data_dir, home=home)
    urls: dict[str, str] = {}
    owner_url: str | None = None
    started: list[_StartedServer] = []
    with place.starting():
        binaries = server_binaries(place.account)
        wanted: list[Server] = []
        if postgres:
            wanted.append(Postgres(place=place, binaries=binaries, options=postgres_options))
        if valkey:
            wanted.append(Valkey(place=place, binaries=binaries))
        try:
            for server in wanted:
                port, guard = _bring_up(place, server, ephemeral=ephemeral)
                urls[server.name] = server.url(port)
                if isinstance(server, Postgres):
                    owner_url = server.owner_url(port)
                if guard is not None:
                    started.append(_StartedServer(server=server, port=port, guard=guard))
        except BaseException:
            _stop_all([server.guard for server in started])
            raise
        joined = place.mark_joined() if len(started) < len(wanted) else None
    return EmbeddedServers(
        place=place, urls=urls, owner_url=owner_url, started=started, joined=joined, ephemeral=ephemeral
    )


def are_servers_running(data_dir: Path, *, postgres: bool = True, valkey: bool = True) -> bool:
    """Whether a living process keeps these servers of `data_dir` running. Changes nothing."""
    if not (data_dir / "embedded").is_dir():
        return False
    place, binaries = place_for(data_dir), installed_binaries()
    kinds = [*([Postgres] if postgres else []), *([Valkey] if valkey else [])]
    return all(_is_kept(kind(place=place, binaries=binaries)) for kind in kinds)


def erase_servers(data_dir: Path) -> None:
    """Removes all processes, files and data of the embedded servers of `data_dir`.

    Raises Unavailable while another process keeps them running.
    """
    if not (data_dir / "embedded").is_dir():
        return
    place = place_for(data_dir)
    with place.starting():
        binaries = server_binaries(place.account)
        for kind in (Postgres, Valkey):
            running = find_running(kind(place=place, binaries=binaries))
            if running is not None and running.kept:
                raise Unavailable(part=kind.part, problem="is in use by another process")
            if running is not None:
                end_running(running)
        delete_server_files(place)


def _bring_up(place: ServerFolders, server: Server, *, ephemeral: bool) -> tuple[int, Guarded | None]:
    """Joins or starts the server. Returns the port on which it answers, and its guard if this process started it."""
    for attempt in range(_START_TRIES):
        port = _join(place, server)
        if port is not None:
            return port, None
        port = place.choose_port(server.name, fresh=attempt > 0)
        server.prepare(port)
        guard = _guarded(place, server, port, ephemeral=ephemeral)
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


def _guarded(place: ServerFolders, server: Server, port: int, *, ephemeral: bool) -> Guarded:
    with place.open_log(server.name) as log:
        return Guarded.start(server.program(port, ephemeral=ephemeral), output=log)


def _join(place: ServerFolders, server: Server) -> int | None:
    """The port of a server that a living process keeps running; None where there is none. A server without an owner is
    ended.
    """
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
        end_running(running)
    return None


def _is_kept(server: Server) -> bool:
    running = find_running(server)
    return running is not None and running.kept


def _comes_up(server: Server, guard: Guarded, port: int) -> bool:
    """True once it is ready; False if it ended instead (another process may have taken the port)."""
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
    """Stops all at the same time, so that the whole takes only as long as the slowest."""
    for guard in guards:
        guard.ask_to_stop()
    for guard in guards:
        guard.stop()
