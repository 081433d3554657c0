"""The programs of the embedded PostgreSQL and Valkey: how each is prepared, run, asked and addressed."""

from __future__ import annotations

import abc
import contextlib
import hashlib
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGINT, SIGQUIT, SIGTERM, Signals
from typing import ClassVar

from dialer.core.errors import Unavailable
from dialer.core.text import Text, gettext_noop
from dialer.runtime.location import Binaries, ServerFolders, write_private
from dialer.runtime.processes import Program

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
    """The server of one data folder. It runs nothing itself: `embedded` starts its `program`."""

    part: str
    name: str
    program_name: str
    stop_steps: ClassVar[Sequence[tuple[Signals, float]]]

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

    def program(self, port: int) -> Program:
        """The program to start. When its starter is killed, it gets its first signal to stop from the kernel."""
        return Program(
            argv=self._argv(port),
            env=_ENV,
            folder=self.folder,
            user=self._place.account.user,
            stop_steps=self.stop_steps,
            last_signal=self.stop_steps[0][0],
        )

    @abc.abstractmethod
    def _argv(self, port: int) -> list[str]: ...

    def keeper(self) -> int | None:
        """The number of the process that started it last; None if it never ran."""
        return self._place.noted(self.name, "keeper")

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
    # SIGINT ends sessions and writes a checkpoint; SIGQUIT is a crash, repaired at the next start.
    stop_steps = ((SIGINT, 20.0), (SIGQUIT, 5.0))

    def __init__(
        self, *, place: ServerFolders, binaries: Binaries, options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(place=place, binaries=binaries)
        self._options = options or {}
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

    def _argv(self, port: int) -> list[str]:
        # Loopback only, every commit on disk, no personal data in the log (no statements, no key values).
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
            **self._options,
        }
        argv = [str(self._binaries.postgres), "-D", str(self.folder)]
        for key, value in options.items():
            argv += ["-c", f"{key}={value}"]
        return argv

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
    stop_steps = ((SIGTERM, 10.0),)

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

    def _argv(self, _port: int) -> list[str]:
        return [str(self._binaries.valkey_server), str(self._config)]

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
