"""Carries strikes out: on processes by signal, on servers by signal and by their own commands, on the carrier over its
admin API. What is down already cannot be struck; that costs nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import psutil
import psycopg
import redis

from chaos.schedule import Injection
from dialer.runtime.local import CarrierAccess
from dialer.runtime.supervisor import Supervisor

_ASK_SECONDS = 3.0


class Injections:
    """One service's troubles. Whatever is stopped goes on by itself; `end` makes everything go on at once."""

    def __init__(
        self,
        *,
        supervisor: Supervisor,
        carrier: CarrierAccess,
        database_url: str,
        broker_url: str,
        load_again: Callable[[], None],
    ) -> None:
        self._supervisor = supervisor
        self._carrier = carrier
        self._database_url = database_url.replace("postgresql+psycopg", "postgresql")
        self._broker_url = broker_url
        self._load_again = load_again
        self._going_on: list[tuple[float, Callable[[], None]]] = []
        self._lock = threading.Lock()

    def inject(self, inject: Injection) -> None:  # noqa: C901, PLR0912 - one line a kind
        params = dict(inject.params)
        match inject.what:
            case "kill":
                self._signal(str(params["who"]), signal.SIGKILL)
            case "end":
                self._signal(str(params["who"]), signal.SIGTERM)
            case "stop":
                self._stop([pid for pid in [self._pid(str(params["who"]))] if pid], params)
            case "kill_server":
                # The first one is the parent of its others, if it has any.
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
                self._later(float(str(params["for_seconds"])), self._fault_off(knobs))
            case other:
                raise ValueError(other)

    def tend(self) -> None:
        """What was to go on by now goes on."""
        now = time.monotonic()
        with self._lock:
            due = [act for at, act in self._going_on if at <= now]
            self._going_on = [(at, act) for at, act in self._going_on if at > now]
        for act in due:
            act()

    def end(self) -> None:
        """No fault stands any more; False is never the answer, so ask until the carrier has heard it."""
        with self._lock:
            due, self._going_on = [act for _, act in self._going_on], []
        for act in due:
            act()

    def clear_carrier(self) -> bool:
        """Whether the carrier has heard that no fault is to strike any more."""
        return self._ask("DELETE", "/admin/faults", None)

    def _fault_off(self, knobs: Mapping[str, Any]) -> Callable[[], None]:
        def off() -> None:
            self._ask("PUT", "/admin/faults", dict.fromkeys(knobs))

        return off

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        with self._lock:
            self._going_on.append((time.monotonic() + seconds, act))

    def _pid(self, name: str) -> int | None:
        return next((child.pid for child in self._supervisor.children() if child.name == name), None)

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

        self._later(float(str(params["for_seconds"])), go_on)

    def _server(self, name: str) -> list[int]:
        """Its processes, the parent first."""
        found: list[psutil.Process] = []
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.name() == name:
                    found.append(process)
        mine = {process.pid for process in found}
        with contextlib.suppress(psutil.Error):
            found.sort(key=lambda process: process.ppid() in mine)
        return [process.pid for process in found]

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
            with urllib.request.urlopen(request, timeout=_ASK_SECONDS) as response:  # noqa: S310
                response.read()
        except (OSError, ValueError) as fault:
            if isinstance(fault, urllib.error.HTTPError):
                fault.close()
            return False
        return True


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
