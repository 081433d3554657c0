"""The embedded Valkey: its configuration, how it is started, and how it is asked who it is."""

from __future__ import annotations

import socket
from signal import SIGTERM

from dialer.errors import Unavailable
from dialer.language import Text, mark
from dialer.runtime.binaries import Binaries
from dialer.runtime.guarded import Program, StopStep
from dialer.runtime.place import Place, write_private

PART = mark("embedded Valkey")
NAME = "valkey"
DATABASES = 1024


class Valkey:
    """One data folder's broker. Append-only, so that a restart keeps what was queued."""

    part = PART
    name = NAME
    program_name = "valkey-server"

    def __init__(self, *, place: Place, binaries: Binaries) -> None:
        self._place = place
        self._binaries = binaries
        self.folder = place.folder(NAME)
        self._config = self.folder / "valkey.conf"

    @property
    def marks(self) -> tuple[str, ...]:
        """What tells this server from any other Valkey in the process list."""
        return (str(self._config),)

    def prepare(self, port: int) -> None:
        """The folder and a private configuration exist; the password is in the file, never an argument."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700)
            self._place.account.own(self.folder)
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            "protected-mode yes",
            f"requirepass {self._place.password}",
            f"dir {self.folder}",
            "daemonize no",
            "set-proc-title no",
            f"databases {DATABASES}",
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
        return Program(
            name=PART,
            argv=[str(self._binaries.valkey_server), str(self._config)],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.folder,
            user=self._place.account.user,
            stop_steps=(StopStep(signal=SIGTERM, seconds=10.0),),
            respawn_seconds=0.2,
            erase=(self.folder,) if ephemeral else (),
        )

    def ready(self, port: int) -> bool:
        return self.answers(port)

    def answers(self, port: int) -> bool:
        """True when the server on that port takes our password, runs on our file and has loaded its data."""
        try:
            fields = self._info(port)
        except (OSError, Unavailable):
            return False
        return fields.get("config_file") == str(self._config) and fields.get("loading") == "0"

    def finish(self, port: int) -> None:
        """Nothing to make inside: databases are numbers."""

    def forget_dead_server(self) -> None:
        """It keeps no file about its process."""

    def url(self, port: int) -> str:
        return f"redis://:{self._place.password}@127.0.0.1:{port}/0"

    def _info(self, port: int) -> dict[str, str]:
        """INFO as a mapping. Spoken by hand: importing the client library would cost each command 0.3 s."""
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            connection.sendall(f"AUTH {self._place.password}\r\nINFO\r\nQUIT\r\n".encode())
            reply = bytearray()
            while piece := connection.recv(65536):
                reply += piece
        text = reply.decode(errors="replace")
        if not text.startswith("+OK"):
            raise Unavailable(part=PART, problem=Text("port %(port)s refuses our password", port=port))
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
