"""Injects faults: into processes by signals, into servers by signals and commands, into the carrier by its admin API,
into the way to the database by a delay. A fault in a part that is down has no effect.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial

import psutil
import psycopg
import redis

from chaos.distance import Distance
from chaos.schedule import SECOND_HOST, Injection
from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.local import CarrierAccess
from dialer.runtime.supervisor import Supervisor

_ASK_SECONDS = 3.0
_TURN_SECONDS = 0.5
_STOPPED_SHARE = 0.8
"""Of each turn, for a process that is starved."""


class Injections:
    """The faults of one service. Stopped processes continue after their time, at `end` at once."""

    def __init__(
        self,
        *,
        supervisor: Supervisor,
        carrier: CarrierAccess,
        servers: EmbeddedServers,
        distance: Distance,
        load_again: Callable[[], None],
    ) -> None:
        self._supervisor = supervisor
        self._carrier = carrier
        self._servers = servers
        self._distance = distance
        self._database_url = servers.database_url.replace("postgresql+psycopg", "postgresql")
        self._broker_url = servers.broker_url
        self._load_again = load_again
        self._delayed: list[tuple[float, Callable[[], object]]] = []

    def inject(self, fault: Injection) -> None:  # noqa: C901, PLR0912 - one case for each kind of fault
        params = fault.params
        match fault.what:
            case "kill":
                self._signal(str(params["who"]), signal.SIGKILL)
            case "end":
                self._signal(str(params["who"]), signal.SIGTERM)
            case "stop":
                self._stop([pid for pid in (self._pid(str(params["who"])),) if pid], params)
            case "freeze_host":
                self._stop([pid for name in SECOND_HOST if (pid := self._pid(name))], params)
            case "starve":
                self._starve(str(params["who"]), float(str(params["for_seconds"])))
            case "slow_database":
                self._distance.set(float(str(params["milliseconds"])) / 1000)
                self._later(params["for_seconds"], lambda: self._distance.set(0.0))
            case "kill_server":
                # The first process is the parent of the others.
                for pid in self._server(str(params["who"]))[:1]:
                    _send(pid, signal.SIGKILL)
            case "stop_server":
                self._stop(self._server(str(params["who"])), params)
            case "cut_database":
                self._cut_database()
            case "cut_broker":
                self._broker(lambda client: client.client_kill_filter(_type="normal", skipme=True))
            case "flush_broker":
                self._broker(lambda client: client.flushall())
            case "crash_carrier":
                self._ask("POST", "/admin/crash", {"memory": params["memory"]})
            case "load_again":
                self._load_again()
            case "carrier_faults":
                knobs = params["knobs"]
                assert isinstance(knobs, dict)
                self._ask("PUT", "/admin/faults", knobs)
                off = dict.fromkeys(knobs)
                self._later(params["for_seconds"], lambda: self._ask("PUT", "/admin/faults", off))
            case other:
                raise ValueError(other)

    def tend(self) -> None:
        """Continues what is due to continue."""
        self._continue(until=time.monotonic())

    def end(self) -> None:
        """Continues everything that is stopped."""
        self._continue(until=math.inf)

    def _continue(self, *, until: float) -> None:
        due = [act for at, act in self._delayed if at <= until]
        self._delayed = [(at, act) for at, act in self._delayed if at > until]
        for act in due:
            act()

    def clear_carrier(self) -> bool:
        """Clears the faults of the carrier; says whether the carrier answered."""
        return self._ask("DELETE", "/admin/faults", None)

    def _later(self, seconds: object, act: Callable[[], object]) -> None:
        self._delayed.append((time.monotonic() + float(str(seconds)), act))

    def _pid(self, name: str) -> int | None:
        return self._supervisor.pids().get(name)

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = self._pid(name)
        if pid is not None:
            _send(pid, number)

    def _stop(self, pids: list[int], params: Mapping[str, object]) -> None:
        for pid in pids:
            _send(pid, signal.SIGSTOP)

        def go_on() -> None:
            for pid in pids:
                _send(pid, signal.SIGCONT)

        self._later(params["for_seconds"], go_on)

    def _starve(self, name: str, seconds: float) -> None:
        """Lets the process run for a fifth of each half second, also if it is started again meanwhile."""
        for turn in range(math.ceil(seconds / _TURN_SECONDS)):
            begins = turn * _TURN_SECONDS
            self._later(begins, partial(self._signal, name, signal.SIGSTOP))
            self._later(begins + _STOPPED_SHARE * _TURN_SECONDS, partial(self._signal, name, signal.SIGCONT))

    def _server(self, name: str) -> list[int]:
        """The processes of the server, the parent first."""
        try:
            parent = psutil.Process(self._servers.process_numbers()[name])
            return [process.pid for process in (parent, *parent.children(recursive=True))]
        except psutil.NoSuchProcess:
            return []

    def _cut_database(self) -> None:
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(self._database_url, connect_timeout=3, autocommit=True) as connection,
        ):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    def _broker(self, act: Callable[[redis.Redis], object]) -> None:
        with (
            contextlib.suppress(redis.RedisError, OSError),
            redis.Redis.from_url(self._broker_url, socket_timeout=3, socket_connect_timeout=3) as client,
        ):
            act(client)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> bool:
        request = urllib.request.Request(  # noqa: S310 - our own carrier, on loopback
            self._carrier.base_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._carrier.admin_token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_ASK_SECONDS) as response:  # noqa: S310 - an address of our own
                response.read()
        except (OSError, ValueError) as fault:
            if isinstance(fault, urllib.error.HTTPError):
                fault.close()
            return False
        return True


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
