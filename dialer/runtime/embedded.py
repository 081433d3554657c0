"""The embedded PostgreSQL and Valkey: creates, starts, identifies, joins and stops them.

The process that starts the servers keeps them: it ends them by `stop()`, by leaving the context, or by its own end of
any kind, at which the kernel tells them to stop. A process that finds them running joins them and leaves them running.
Servers whose keeper is gone are ended first. Start them in the main thread (processes.py).
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
from dialer.runtime.location import (
    ServerFolders,
    delete_server_files,
    installed_binaries,
    place_for,
    server_binaries,
)
from dialer.runtime.processes import ChildProcess
from dialer.runtime.servers import Postgres, Server, Valkey

_log = logging.getLogger(__name__)


def find_running(server: Server) -> list[psutil.Process]:
    """The processes of the server. Marks in the command line identify them: a process number on disk may be
    recycled.
    """
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == server.program_name:
                line = " ".join(process.cmdline()) + " "
                if any(mark in line for mark in server.marks) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
    return found


def _is_kept(server: Server, running: Sequence[psutil.Process]) -> bool:
    """Whether the process that started the server lives. The notes of earlier releases do not name it: a guard started
    the server there, and lives no longer than its own starter.
    """
    keeper = server.keeper()
    for process in running:
        with contextlib.suppress(psutil.Error):
            parent = process.parent()
            if parent is not None and (parent.pid == keeper or (keeper is None and _is_guard(parent))):
                return True
    return False


def _is_guard(process: psutil.Process) -> bool:
    return any(part.endswith("/guard.py") for part in process.cmdline())


def end_running(server: Server, running: Sequence[psutil.Process]) -> None:
    """Ends the processes of the server: by the signals that stop it, at last by SIGKILL."""
    alive = list(running)
    for number, seconds in (*server.stop_steps, (signal.SIGKILL, _LEAVE_SECONDS)):
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        _, alive = psutil.wait_procs(alive, timeout=seconds)
        if not alive:
            return


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
_SETTLED_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0


@dataclass(slots=True, kw_only=True)
class _StartedServer:
    server: Server
    port: int
    process: ChildProcess
    started_at: float
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    due_at: float = 0.0
    """When the next start is tried, on the monotonic clock as `started_at`."""


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

    def process_numbers(self) -> dict[str, int]:
        """The first process of each server that this process started, by the name of its program."""
        return {started.server.program_name: started.process.pid for started in self._started}

    def restart_failed(self) -> None:
        """Starts each server that has ended again, at the same port. The process that keeps the servers calls this
        again and again. What ends soon after its start is tried later, with growing pauses.
        """
        for started in self._started:
            now = time.monotonic()
            if os.getpid() != self._owner or not started.process.has_ended() or now < started.due_at:
                continue
            settled = now - started.started_at > _SETTLED_SECONDS
            pause = _FIRST_PAUSE_SECONDS if settled else started.pause_seconds
            started.started_at, started.due_at = now, now + pause
            started.pause_seconds = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            _log.error("the %s has ended: it is started again", started.server.part)
            try:
                self._start_again(started)
            except (OSError, Unavailable) as fault:
                _log.exception("the %s could not be started: %s", started.server.part, type(fault).__name__)

    def _start_again(self, started: _StartedServer) -> None:
        with self._place.starting():
            started.process.stop()
            end_running(started.server, find_running(started.server))
            started.server.prepare(started.port)
            started.process = _launch(self._place, started.server, started.port)

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
                    _stop_all([started.process for started in self._started])
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

    `ephemeral`: their files are deleted when this process stops them. `home`: the folder of their
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
                port, process = _bring_up(place, server)
                urls[server.name] = server.url(port)
                if isinstance(server, Postgres):
                    owner_url = server.owner_url(port)
                if process is not None:
                    began = time.monotonic()
                    started.append(
                        _StartedServer(server=server, port=port, process=process, started_at=began)
                    )
        except BaseException:
            _stop_all([server.process for server in started])
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
    servers = [kind(place=place, binaries=binaries) for kind in kinds]
    return all(_is_kept(server, find_running(server)) for server in servers)


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
            server = kind(place=place, binaries=binaries)
            running = find_running(server)
            if _is_kept(server, running):
                raise Unavailable(part=kind.part, problem="is in use by another process")
            end_running(server, running)
        delete_server_files(place)


def _bring_up(place: ServerFolders, server: Server) -> tuple[int, ChildProcess | None]:
    """Joins or starts the server. Returns the port on which it answers, and its process if this one started it."""
    for attempt in range(_START_TRIES):
        port = _join(place, server)
        if port is not None:
            return port, None
        port = place.choose_port(server.name, fresh=attempt > 0)
        server.prepare(port)
        process = _launch(place, server, port)
        try:
            if _comes_up(server, process, port):
                server.finish(port)
                place.note(server.name, port)
                return port, process
        except BaseException:
            process.stop()
            raise
        process.stop()
    raise Unavailable(
        part=server.part,
        problem=Text("did not start: %(line)s", line=place.last_log_line(server.name)),
    )


def _launch(place: ServerFolders, server: Server, port: int) -> ChildProcess:
    with place.open_log(server.name) as log:
        return ChildProcess.start(server.program(port), output=log.fileno())


def _join(place: ServerFolders, server: Server) -> int | None:
    """The port of a server that a living process keeps running; None where there is none. A server that nobody keeps is
    ended.
    """

    def is_kept() -> bool:
        return _is_kept(server, find_running(server))

    port = place.port(server.name)
    if port is not None and is_kept():
        if not wait_until(lambda: server.answers(port) or not is_kept(), seconds=_JOIN_SECONDS):
            raise Unavailable(
                part=server.part,
                problem=Text("runs, but did not answer for %(seconds)s s", seconds=f"{_JOIN_SECONDS:.0f}"),
            )
        if server.answers(port):
            return port
    end_running(server, find_running(server))
    return None


def _comes_up(server: Server, process: ChildProcess, port: int) -> bool:
    """True once it is ready; False if it ended instead (another process may have taken the port)."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.has_ended(wait_seconds=0.01):
            return False
        if server.ready(port):
            return True
    raise Unavailable(
        part=server.part,
        problem=Text("was not ready after %(seconds)s s", seconds=f"{_START_SECONDS:.0f}"),
    )


def _stop_all(processes: Sequence[ChildProcess]) -> None:
    """Stops all at the same time, so that the whole takes only as long as the slowest."""
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()
