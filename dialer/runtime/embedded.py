"""The embedded PostgreSQL and Valkey: creates, starts, identifies, joins and stops them.

The process that starts the servers ends them: by `stop()`, by leaving the context, or by its own end of any kind. A
process that finds them running joins them and leaves them running. Servers whose owner is gone are ended first.
"""

from __future__ import annotations

import abc
import contextlib
import hashlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGQUIT, SIGTERM
from typing import IO, Self

import psutil

from dialer.core.errors import Unavailable
from dialer.core.text import Text, gettext_noop
from dialer.runtime.guarded import GUARD_SCRIPT, Guarded, Program, StopStep
from dialer.runtime.location import (
    Binaries,
    ServerFolders,
    delete_server_files,
    installed_binaries,
    place_for,
    server_binaries,
    write_private,
)

_log = logging.getLogger(__name__)
_DATABASE = "dialer"
_OWNER = "dialer_owner"
"""Owns the tables, and makes and changes them in migrations. The service's role only reads and writes their rows."""
_READY_LINE = 7
_ROLES = """
SELECT count(*) = 1 AS is_done FROM pg_database
  WHERE datname = 'dialer' AND shobj_description(oid, 'pg_database') = 'two roles' \\gset
\\if :is_done
\\else
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dialer_owner') THEN CREATE ROLE dialer_owner; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dialer') THEN CREATE ROLE dialer; END IF;
END $$;
ALTER ROLE dialer_owner LOGIN CREATEDB PASSWORD '{owner}';
ALTER ROLE dialer LOGIN NOCREATEDB PASSWORD '{service}';
SELECT 'CREATE DATABASE dialer OWNER dialer_owner'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'dialer') \\gexec
\\connect dialer
BEGIN;
REASSIGN OWNED BY dialer TO dialer_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO dialer;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO dialer;
ALTER DEFAULT PRIVILEGES FOR ROLE dialer_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO dialer;
ALTER DEFAULT PRIVILEGES FOR ROLE dialer_owner IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO dialer;
COMMENT ON DATABASE dialer IS 'two roles';
COMMIT;
\\endif
"""
"""Also converts a cluster of an earlier version, whose one role owned the tables: the owner gets them."""


# The environment of the servers: messages in English, times in UTC; and a process of PostgreSQL gives back what a large
# statement took, 20 to 40 MB, instead of keeping it (glibc(3) mallopt: both thresholds fixed, not adjusted).
_ENV = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C",
    "TZ": "UTC",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
    "MALLOC_MMAP_THRESHOLD_": "1048576",
}


class Server(abc.ABC):
    """The server of one data folder. It runs nothing itself: a guard runs `program`."""

    part: str
    name: str
    program_name: str

    def __init__(self, *, place: ServerFolders, binaries: Binaries) -> None:
        self._place = place
        self._binaries = binaries
        self.folder = place.folder(self.name)

    @property
    @abc.abstractmethod
    def marks(self) -> tuple[str, ...]:
        """Parts of a command line that identify the processes of this server among all others."""

    @abc.abstractmethod
    def prepare(self, port: int) -> None:
        """Puts everything into the folder that `program` needs. Call it only when no process of the server is left."""

    @abc.abstractmethod
    def program(self, port: int, *, ephemeral: bool) -> Program:
        """The program for a guard to run. `ephemeral`: the folder is deleted at the end."""

    @abc.abstractmethod
    def answers(self, port: int) -> bool:
        """True when the server on that port accepts the password and serves this folder."""

    def ready(self, port: int) -> bool:
        """True when the server can be used."""
        return self.answers(port)

    def finish(self, port: int) -> None:  # noqa: B027 - Valkey needs nothing here
        """Creates in the running server everything that a client needs."""

    @abc.abstractmethod
    def url(self, port: int) -> str:
        """The address for clients, password included: never to be logged."""


class Postgres(Server):
    """The embedded PostgreSQL."""

    part = gettext_noop("embedded PostgreSQL")
    name = "postgres"
    program_name = "postgres"

    def __init__(self, *, place: ServerFolders, binaries: Binaries) -> None:
        super().__init__(place=place, binaries=binaries)
        # Every process of the server shows the name of the cluster in the process list.
        self._cluster = "dialer-" + hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts in a command line that identify a process of this server."""
        return (f"-D {self.folder} ", f"postgres: {self._cluster}: ")

    def prepare(self, _port: int) -> None:
        """Initialises the cluster, unless there is one already. Raises `Unavailable` for a cluster of another
        version.
        """
        # A process number on disk, recycled meanwhile, must not prevent a start.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        version_file = self.folder / "PG_VERSION"
        if not version_file.exists():
            self._initialise()
        found = version_file.read_text(encoding="ascii").strip()
        wanted = self._run([str(self._binaries.postgres), "--version"]).split()[2].split(".")[0]
        if found != wanted:
            problem = f"its data are of version {found}, the program is {wanted}: dump with the old one first"
            raise Unavailable(part=self.part, problem=problem)

    def program(self, port: int, *, ephemeral: bool) -> Program:
        """Loopback only, every commit on disk, no personal data in the log (no statements, no key values)."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "cluster_name": self._cluster,
            "unix_socket_directories": "",
            "shared_buffers": "128MB",
            "max_connections": "200",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "max_wal_size": "2GB",
            "min_wal_size": "32MB",
            "work_mem": "8MB",
            "maintenance_work_mem": "64MB",
            "effective_cache_size": "1GB",
            "random_page_cost": "1.1",
            "io_method": "sync",
            "max_parallel_workers_per_gather": "1",
            "autovacuum_naptime": "20s",
            "wal_level": "replica",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length_on_error": "0",
            "log_line_prefix": "%m [%p] ",
        }
        argv = [str(self._binaries.postgres), "-D", str(self.folder)]
        for key, value in options.items():
            argv += ["-c", f"{key}={value}"]
        return Program(
            name=self.part,
            argv=argv,
            env=_ENV,
            cwd=self.folder,
            user=self._place.account.user,
            # SIGINT ends sessions and writes a checkpoint; SIGQUIT is a crash, repaired at the next start.
            stop_steps=(StopStep(signal=SIGINT, seconds=20.0), StopStep(signal=SIGQUIT, seconds=5.0)),
            respawn_seconds=0.2,
            erase=(self.folder,) if ephemeral else (),
        )

    def ready(self, port: int) -> bool:
        """True when postmaster.pid names that port and says that the server is ready."""
        try:
            lines = (self.folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return lines[_READY_LINE].strip() == "ready" and int(lines[3]) == port
        except (OSError, ValueError, IndexError):
            return False

    def answers(self, port: int) -> bool:
        """Whether the server at this port is the one of this folder."""
        try:
            return self._ask(port, "show data_directory") == str(self.folder)
        except Unavailable:
            return False

    def finish(self, port: int) -> None:
        """Creates the roles `dialer_owner` and `dialer`, which are no superusers, and the database `dialer`."""
        self._give_own_password(port)
        # The passwords go through standard input: other users could read an argument.
        script = _ROLES.format(owner=self._place.password("owner"), service=self._place.password("service"))
        self._ask(port, script)

    def _give_own_password(self, port: int) -> None:
        """Gives the superuser a password of its own in a cluster of an earlier version, which had one password for
        all.
        """
        shared = self._place.shared_password()
        if shared is None:
            return
        own = self._place.password("superuser")
        try:
            self._ask(port, f"ALTER ROLE postgres PASSWORD '{own}'", password=shared)
        except Unavailable:
            # It has its own password already: the process that set it was killed before it removed the shared one.
            self._ask(port, "SELECT 1")
        self._place.forget_shared_password()

    def url(self, port: int) -> str:
        """The database for the service's role, with its password."""
        return self._url_of(_DATABASE, "service", port)

    def owner_url(self, port: int) -> str:
        """The address for the owner of the tables."""
        return self._url_of(_OWNER, "owner", port)

    def _url_of(self, role: str, whose: str, port: int) -> str:
        return f"postgresql+psycopg://{role}:{self._place.password(whose)}@127.0.0.1:{port}/{_DATABASE}"

    def _initialise(self) -> None:
        """Creates the cluster beside its place, and moves it there when it is complete, so that a kill leaves no part
        of one.
        """
        draft = self.folder.with_name(f"{self.name}.new")
        password_file = self.folder.with_name("initial-password")
        shutil.rmtree(draft, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        draft.mkdir(mode=0o700)
        self._place.account.own(draft)
        try:
            write_private(password_file, self._place.password("superuser"))
            self._place.account.own(password_file)
            self._run(
                [
                    str(self._binaries.initdb), "-D", str(draft), "-U", "postgres", "--encoding=UTF8",
                    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                    "--auth=scram-sha-256", f"--pwfile={password_file}", "--set=scram_iterations=1024",
                ]
            )  # fmt: skip
        finally:
            password_file.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.folder.rmdir()
        draft.rename(self.folder)
        self._place.forget_shared_password()

    def _ask(self, port: int, statement: str, *, password: str | None = None) -> str:
        """The output of a statement of one row, with columns separated by `|`. psql runs it as the superuser, with this
        password or its own.
        """
        argv = [
            str(self._binaries.psql), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port),
            "-U", "postgres", "-d", "postgres", "-f", "-",
        ]  # fmt: skip
        password = password or self._place.password("superuser")
        env = {"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5", "PGCLIENTENCODING": "UTF8"}
        return self._run(argv, env=env, text=statement).strip()

    def _run(self, argv: list[str], *, env: dict[str, str] | None = None, text: str = "") -> str:
        user = self._place.account.user
        name = Path(argv[0]).name
        try:
            done = subprocess.run(  # noqa: S603 - our own program and arguments
                argv,
                input=text.encode(),
                env={**_ENV, **(env or {})},
                cwd="/",
                capture_output=True,
                check=False,
                timeout=120,
                user=None if user is None else user[0],
                group=None if user is None else user[1],
                extra_groups=None if user is None else [],
                umask=0o077,
                start_new_session=True,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(
                part=self.part,
                problem=Text("%(name)s did not run (%(why)s)", name=name, why=type(error).__name__),
            ) from error
        if done.returncode != 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["ended without a message"]
            raise Unavailable(part=self.part, problem=Text("%(name)s: %(line)s", name=name, line=lines[-1]))
        return done.stdout.decode()


VALKEY_DATABASES = 1024


class Valkey(Server):
    """The embedded Valkey. Append-only, so that a restart keeps the queues."""

    part = gettext_noop("embedded Valkey")
    name = "valkey"
    program_name = "valkey-server"

    def __init__(self, *, place: ServerFolders, binaries: Binaries) -> None:
        super().__init__(place=place, binaries=binaries)
        self._config = self.folder / "valkey.conf"

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts in a command line that identify a process of this server."""
        return (str(self._config),)

    def prepare(self, port: int) -> None:
        """Creates the folder and a private configuration; the password is only in that file, not an argument."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700)
            self._place.account.own(self.folder)
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            "protected-mode yes",
            f"requirepass {self._place.password('broker')}",
            f"dir {self.folder}",
            "daemonize no",
            "set-proc-title no",
            f"databases {VALKEY_DATABASES}",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "loglevel notice",
        ]
        self._config.unlink(missing_ok=True)
        write_private(self._config, "\n".join(lines) + "\n")
        self._place.account.own(self._config)

    def program(self, _port: int, *, ephemeral: bool) -> Program:
        """The program for a guard to run; the port is in the configuration. `ephemeral`: its folder is deleted at the
        end.
        """
        return Program(
            name=self.part,
            argv=[str(self._binaries.valkey_server), str(self._config)],
            env=_ENV,
            cwd=self.folder,
            user=self._place.account.user,
            stop_steps=(StopStep(signal=SIGTERM, seconds=10.0),),
            respawn_seconds=0.2,
            erase=(self.folder,) if ephemeral else (),
        )

    def answers(self, port: int) -> bool:
        """Whether the server at this port is the one of this folder and has read its data."""
        try:
            fields = self._info(port)
        except (OSError, Unavailable):
            return False
        return fields.get("config_file") == str(self._config) and fields.get("loading") == "0"

    def url(self, port: int) -> str:
        """The broker, with its password."""
        return f"redis://:{self._place.password('broker')}@127.0.0.1:{port}/0"

    def _info(self, port: int) -> dict[str, str]:
        """INFO as a mapping. Without the client library, whose import would cost each command 0.3 s."""
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            connection.sendall(f"AUTH {self._place.password('broker')}\r\nINFO\r\nQUIT\r\n".encode())
            reply = bytearray()
            while piece := connection.recv(65536):
                reply += piece
        text = reply.decode(errors="replace")
        if not text.startswith("+OK"):
            raise Unavailable(part=self.part, problem=Text("port %(port)s refuses our password", port=port))
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


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
        for one in self._started:
            if one.guard.alive or time.monotonic() < one.due_at or os.getpid() != self._owner:
                continue
            _log.error("the guard of the %s has died: the server is started again", one.server.part)
            try:
                self._start_again(one)
                one.pause_seconds = _FIRST_PAUSE_SECONDS
            except (OSError, Unavailable) as fault:
                _log.exception("the %s could not be started: %s", one.server.part, type(fault).__name__)
                one.due_at = time.monotonic() + one.pause_seconds
                one.pause_seconds = min(one.pause_seconds * 2, _LONGEST_PAUSE_SECONDS)

    def _start_again(self, one: _StartedServer) -> None:
        with self._place.starting():
            one.guard.stop()
            running = find_running(one.server)
            if running is not None:
                end_running(running)
            one.server.prepare(one.port)
            one.guard = _guarded(self._place, one.server, one.port, ephemeral=self._ephemeral)
            if not _comes_up(one.server, one.guard, one.port):
                one.guard.stop()
                raise Unavailable(part=one.server.part, problem="ended at its start")

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
                    _stop_all([one.guard for one in self._started])
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
) -> EmbeddedServers:
    """Makes the servers of `data_dir` run and answer: joins them if they run already, else starts them.

    `ephemeral`: their files are deleted at their end, even after a kill of this process. `home`: the folder of their
    files, if not the data folder or /var/lib; the same for all processes that join. Raises Unavailable, with one line,
    when they cannot run.
    """
    place = place_for(data_dir, home=home)
    urls: dict[str, str] = {}
    owner_url: str | None = None
    started: list[_StartedServer] = []
    with place.starting():
        binaries = server_binaries(place.account)
        kinds = [*([Postgres] if postgres else []), *([Valkey] if valkey else [])]
        wanted: list[Server] = [kind(place=place, binaries=binaries) for kind in kinds]
        try:
            for server in wanted:
                port, guard = _bring_up(place, server, ephemeral=ephemeral)
                urls[server.name] = server.url(port)
                if isinstance(server, Postgres):
                    owner_url = server.owner_url(port)
                if guard is not None:
                    started.append(_StartedServer(server=server, port=port, guard=guard))
        except BaseException:
            _stop_all([one.guard for one in started])
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
