"""PostgreSQL and Valkey beside the program, for as long as it runs.

The process that starts the servers ends them: by `stop()`, by leaving the context, or by its own end of any kind. A
process that finds them running joins them and leaves them running. Servers whose owner is gone are ended first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import psutil

from dialer.core.errors import Unavailable
from dialer.language import Text
from dialer.runtime.guarded import GUARD_SCRIPT, Guarded
from dialer.runtime.location import Place, delete_server_files, place_for, server_binaries
from dialer.runtime.servers import (
    POSTGRES_NAME,
    POSTGRES_PART,
    VALKEY_NAME,
    VALKEY_PART,
    Postgres,
    Server,
    Valkey,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The processes of a server and its guard. `guarded`: there is a guard; `kept`: one whose own parent lives."""

    processes: tuple[psutil.Process, ...]
    guarded: bool
    kept: bool


def find_running(server: Server) -> Running | None:
    """None without processes. Marks in the command line identify them: a process number on disk may be recycled."""
    processes: list[psutil.Process] = []
    guarded = kept = False
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            name = process.name()
            if name == server.program_name:
                line = " ".join(process.cmdline()) + " "
                if any(mark in line for mark in server.marks) and process.status() != psutil.STATUS_ZOMBIE:
                    processes.append(process)
            elif name.startswith("python") and _is_guard(process, server.folder):
                guarded = True
                kept = kept or process.ppid() == int(process.cmdline()[-2])
                processes.append(process)
    return Running(processes=tuple(processes), guarded=guarded, kept=kept) if processes else None


def end_running(running: Running, *, seconds: float) -> None:
    """The processes are gone. A guard gets `seconds` to end them; then they get signals, at last SIGKILL."""
    _, alive = psutil.wait_procs(running.processes, timeout=seconds if running.guarded else 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if not alive:
            return
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        _, alive = psutil.wait_procs(alive, timeout=seconds)


def wait_until(condition: Callable[[], bool], *, seconds: float, step_seconds: float = 0.02) -> bool:
    """True as soon as the condition is true; False when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_seconds)
    return True


def _is_guard(process: psutil.Process, folder: Path) -> bool:
    line = process.cmdline()
    return len(line) > 2 and line[-1] == str(folder) and Path(line[-3]).name == GUARD_SCRIPT.name  # noqa: PLR2004


_START_TRIES = 4
_START_SECONDS = 120.0
_JOIN_SECONDS = 30.0
_LEAVE_SECONDS = 5.0


class EmbeddedServers:
    """Running servers, kept running by the process that started them; a process that joined only delays their end."""

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
        """The SQLAlchemy address of the database `dialer`, password included: never to be logged."""
        return self._url(POSTGRES_NAME, POSTGRES_PART)

    @property
    def broker_url(self) -> str:
        """The address of the broker, password included: never to be logged."""
        return self._url(VALKEY_NAME, VALKEY_PART)

    @property
    def started(self) -> bool:
        """True when this process started at least one of them and has not stopped it yet."""
        return bool(self._guards)

    def stop(self, *, batch_wait_seconds: float = 3.0) -> None:
        """Servers that this process started are gone; processes that joined get up to `batch_wait_seconds` to finish.

        No effect when called again, or in a forked copy of the process.
        """
        if os.getpid() != self._owner:
            return
        if self._joined is not None:
            self._joined.close()
            self._joined = None
        deadline = time.monotonic() + batch_wait_seconds
        while self._guards:
            with self._place.starting():
                if time.monotonic() >= deadline or not self._place.anyone_joined():
                    _stop_all(self._guards)
                    self._guards = []
                    if self._ephemeral:
                        delete_server_files(self._place)
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
    """The servers of `data_dir` run and answer: joined if they ran already, else started by this process.

    `ephemeral`: their files are deleted at their end, even after a kill of this process. `home`: the folder of their
    files, if not the data folder or /var/lib; the same for all processes that join.
    Raises Unavailable, with one line, when they cannot run.
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
    """No process, file or data of the embedded servers of `data_dir` is left.

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
        delete_server_files(place)


def _bring_up(place: Place, server: Server, *, ephemeral: bool) -> tuple[int, Guarded | None]:
    """The server answers on the returned port. With a guard if this process started it."""
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
    """The port of a server that a living process keeps. None: there is none, and servers without an owner are ended."""
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
    """All stop at the same time, so that only the slowest sets the time."""
    for guard in guards:
        guard.ask_to_stop()
    for guard in guards:
        guard.stop()
