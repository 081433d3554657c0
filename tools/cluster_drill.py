"""Three hosts on one machine, broken while people are called: PostgreSQL under Patroni and etcd, two brokers, nginx in
front, and on each host a web process, a worker and a scheduler. Counts at the carrier that everybody was called once.

    python -m tools.cluster_drill [--seed S] [--only STRIKE,...] [--untimed] [--json]

Each host is a network namespace with an address of its own, so that one is cut off as by its cable; its files are made
from the templates in deploy. It needs root, and of Debian, which it installs: patroni, python3-etcd, etcd-server,
nginx-light, iproute2. Prints a line for each strike, and ends with 1 if anything is wrong, with 3 where it cannot run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any, Final

import httpx
import psycopg

from bench.people import phone, write_list
from carrier.people import Behaviour
from carrier.server import RunningCarrier
from chaos.checks import check
from dialer.db.keys import create
from dialer.runtime.location import installed_binaries, server_account
from tools.cluster_hosts import HOSTS, CannotRun, Host, Network, check_machine, run
from tools.drills import ROOT, Drill, DrillFailed, carrier_of_a_drill

_CANNOT_RUN = 3
_TEMPLATES = ROOT / "deploy" / "cluster"
_POSTGRES, _ETCD, _ETCD_PEERS, _PATRONI, _BROKER, _WEB = 5432, 2379, 2380, 8008, 6379, 8001
_FRONT, _CARRIER = 8080, 8081
"""Where nginx listens, for the carrier's webhooks and for what the service asks of the carrier."""
_BROKERS = 2
_CALLS_PER_SECOND = 8
_LEFT_BEFORE_A_STRIKE = 800
"""People who are still to be called when a strike begins: more than are called until it is over."""
_LISTED = 1200
_FAILOVER_SECONDS, _OTHER_SECONDS = 45.0, 10.0
"""The longest time without a new call, after a failover of the database and after any other strike."""
_MOST_SILENT = 10
"""Calls of one strike that somebody answered while no webhook reached the database."""
_FLOWING_CALLS = 40
"""Calls after which they flow again."""
_SAMPLE_SECONDS = 0.02
_READY_SECONDS = 180.0
_FROZEN_SECONDS, _SHORT_SECONDS = 60.0, 15.0
_TALKS = Behaviour(
    name="listens, and is not the person",
    share=1,
    keys=("2",),
    ring_after_seconds=(0.3, 0.8),
    answer_after_seconds=(0.5, 1.5),
    key_after_seconds=(1.0, 3.0),
    verdict_after_seconds=0.1,
)
"""A person who is called once is not called again, and calls are long enough that some live at every strike."""


class Cluster(Drill):
    """Three hosts under calls."""

    def __init__(
        self,
        carrier: RunningCarrier,
        folder: Path,
        network: Network,
        hosts: list[Host],
        *,
        seed: str,
        is_timed: bool,
    ) -> None:
        super().__init__(carrier, folder)
        self.network = network
        self.hosts = hosts
        self.random = random.Random(seed)  # noqa: S311  # a choice that repeats, no secret
        self.listed = 0
        self.is_timed = is_timed
        self.struck = 0
        self._programs = _programs(folder)
        self._passwords = {
            whose: secrets.token_hex(16)
            for whose in ("superuser", "replication", "service", "owner", "broker")
        }
        self._nginx: subprocess.Popen[bytes] | None = None
        self._database: dict[int, int] = {}
        self._brokers: dict[int, int] = {}
        self._moments: list[tuple[float, int]] = []

    # The parts of a host.

    def environment(self, host: Host) -> dict[str, str]:
        places = "&".join(f"host={one.address}:{_POSTGRES}" for one in self.hosts)
        brokers = [f"redis://:{self._passwords['broker']}@{one.address}:{_BROKER}/0" for one in self.hosts]
        return self.settings() | {
            "DIALER_DATA_DIR": str(host.folder / "data"),
            "DIALER_KEYS__FILE": str(self.folder / "keys.toml"),
            "DIALER_DATABASE__URL": self._address_of("dialer", "service", places),
            "DIALER_BROKER__URL": ";".join(brokers[:_BROKERS]),
            "DIALER_WEB__HOST": host.address,
            "DIALER_WEB__PORT": str(_WEB),
            "DIALER_WEB__PROXIES": json.dumps([f"{self.network.own_address}/32"]),
            # The carrier's own machine, where nginx listens too; another machine would need https.
            "DIALER_WEB__PUBLIC_URL": f"http://127.0.0.1:{_FRONT}",
            "DIALER_WEB__CHECK_PUBLIC_URL": "false",
            "DIALER_TELEPHONY__BASE_URL": f"http://127.0.0.1:{_CARRIER}",
            "DIALER_MONITORING__NETWORKS": json.dumps([self.network.range]),
            "DIALER_TELEPHONY__CALLS_PER_SECOND": str(_CALLS_PER_SECOND),
            "DIALER_TELEPHONY__LINES": "400",
            "DIALER_TELEPHONY__SILENCE_SECONDS": "10",
            "DIALER_LOG__FORMAT": "json",
        }

    def _address_of(self, user: str, whose: str, places: str) -> str:
        return (
            f"postgresql+psycopg://{user}:{self._passwords[whose]}@/dialer?{places}"
            "&target_session_attrs=read-write"
        )

    def _owner(self, host: Host) -> dict[str, str]:
        service = self.environment(host)["DIALER_DATABASE__URL"]
        places = service.split("?", 1)[1].removesuffix("&target_session_attrs=read-write")
        return {"DIALER_DATABASE__OWNER_URL": self._address_of("dialer_owner", "owner", places)}

    def start_etcd(self, host: Host) -> None:
        peers = ",".join(f"{one.name}=http://{one.address}:{_ETCD_PEERS}" for one in self.hosts)
        here, there = f"http://{host.address}:{_ETCD}", f"http://{host.address}:{_ETCD_PEERS}"
        argv = [
            "etcd", "--name", host.name, "--data-dir", str(host.folder / "etcd"), "--logger", "zap",
            "--log-level", "error", "--listen-client-urls", here, "--advertise-client-urls", here,
            "--listen-peer-urls", there, "--initial-advertise-peer-urls", there, "--initial-cluster", peers,
        ]  # fmt: skip
        host.start("etcd", argv, user=True)

    def start_database(self, host: Host) -> None:
        """Patroni, which starts PostgreSQL."""
        path = host.folder / "patroni.yml"
        if not path.exists():
            text = Template((_TEMPLATES / "patroni.yml").read_text(encoding="utf-8")).substitute(
                name=host.name,
                address=host.address,
                network=self.network.range,
                etcd_hosts=json.dumps([f"{one.address}:{_ETCD}" for one in self.hosts]),
                synchronous='"quorum"',
                data=host.folder / "postgres",
                programs=self._programs,
                passwords=host.folder / "pgpass",
                superuser_password=self._passwords["superuser"],
                replication_password=self._passwords["replication"],
                watchdog='"off"',
            )
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
            server_account().own(path)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "PYTHON"))}
        self._database[host.number] = host.start("patroni", ["patroni", str(path)], env=env, user=True)

    def start_broker(self, host: Host) -> None:
        if host.number > _BROKERS:
            return
        path = host.folder / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text(
            f"bind {host.address}\nport {_BROKER}\nrequirepass {self._passwords['broker']}\n"
            f'dir {host.folder}\nsave ""\n',
            encoding="utf-8",
        )
        server_account().own(path)
        program = str(installed_binaries().valkey_server)
        self._brokers[host.number] = host.start("valkey", [program, str(path)])

    def start_service(self, host: Host) -> None:
        self.start_way_to_carrier(host)
        for part in ("web", "worker", "scheduler"):
            host.start(part, [sys.executable, "-m", "dialer", part], env=self.environment(host))

    def start_host(self, host: Host) -> None:
        """As after power came back."""
        host.plug(is_in=True)
        self.start_etcd(host)
        self.start_database(host)
        self.start_broker(host)
        self.start_service(host)

    def start_nginx(self) -> None:
        """In front of the web processes, as shipped but for certificates."""
        kept = (
            (_TEMPLATES.parent / "nginx" / "dialer.conf")
            .read_text(encoding="utf-8")
            .replace("listen 443 ssl;", f"listen 127.0.0.1:{_FRONT};")
            .splitlines()
        )
        left_out = ("ssl_", "listen [::]", "http2 ", "server 127.")
        lines = [line for line in kept if not line.strip().startswith(left_out)]
        servers = "".join(f"    server {host.address}:{_WEB} max_fails=0;\n" for host in self.hosts)
        text = "\n".join(lines).replace("    keepalive 32;", f"{servers}    keepalive 32;")
        passing = (
            f"server {{ listen {self.network.own_address}:{_CARRIER};"
            f" location / {{ proxy_pass {self.carrier.base_url}; }} }}"
        )
        path = _nginx_settings(self.folder, f"{text}\n{passing}")
        self._nginx = subprocess.Popen(["nginx", "-c", str(path)], stderr=subprocess.DEVNULL)  # noqa: S607 - of the search path

    def start_way_to_carrier(self, host: Host) -> None:
        """The service speaks http to its own machine alone: another nginx there passes it on."""
        there = f"http://{self.network.own_address}:{_CARRIER}"
        passing = f"server {{ listen 127.0.0.1:{_CARRIER}; location / {{ proxy_pass {there}; }} }}"
        host.start("nginx", ["nginx", "-c", str(_nginx_settings(host.folder, passing))])

    # What the cluster says.

    async def _patroni(self, host: Host, path: str) -> Any:  # noqa: ANN401 - JSON
        """None where it does not answer."""
        with suppress(httpx.HTTPError, ValueError):
            async with httpx.AsyncClient(timeout=2) as client:
                return (await client.get(f"http://{host.address}:{_PATRONI}{path}")).json()
        return None

    async def primary(self) -> Host | None:
        """The host whose PostgreSQL takes changes; None where none says so."""
        for host in self.hosts:
            said = await self._patroni(host, "/patroni")
            if said and said.get("state") == "running" and said.get("role") in {"primary", "master"}:
                return host
        return None

    async def the_primary(self) -> Host:
        deadline = time.monotonic() + _READY_SECONDS
        while (found := await self.primary()) is None:
            self.must(time.monotonic() < deadline, "no host became the primary")
            await asyncio.sleep(0.2)
        return found

    async def whole(self) -> None:
        """Waits until one host is the primary, both others follow it, and all three web processes are ready."""
        deadline = time.monotonic() + _READY_SECONDS
        lacks = ""
        while time.monotonic() < deadline:
            primary = await self.primary()
            lacks = "no primary" if primary is None else await self._lacks(primary)
            if not lacks:
                return
            await asyncio.sleep(0.3)
        raise DrillFailed(f"the cluster is not whole: {lacks}")

    async def _lacks(self, primary: Host) -> str:
        said = await self._patroni(primary, "/cluster")
        members = said["members"] if said else []
        following = [one for one in members if one.get("state") in {"streaming", "running"}]
        if len(following) < HOSTS:
            return f"{[(one.get('name'), one.get('role'), one.get('state')) for one in members]}"
        async with httpx.AsyncClient(timeout=2) as client:
            for host in self.hosts:
                try:
                    answer = await client.get(f"http://{host.address}:{_WEB}/health/ready")
                except httpx.HTTPError as fault:
                    return f"the web process of {host.name}: {fault!r}"
                if not answer.is_success:
                    return f"the web process of {host.name}: {answer.text}"
        return ""

    def _connect(self, host: Host) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=host.address, port=_POSTGRES, user="postgres", dbname="dialer",
            password=self._passwords["superuser"], autocommit=True, connect_timeout=5,
        )  # fmt: skip

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connect(await self.the_primary()) as connection:
            return connection.execute(statement.encode()).fetchall()

    # The run.

    async def run(self, strikes: Sequence[str]) -> None:
        create(self.folder / "keys.toml")
        self.start_nginx()
        for host in self.hosts:
            self.start_etcd(host)
        for host in self.hosts:
            self.start_database(host)
            self.start_broker(host)
        await self._make_database()
        for host in self.hosts:
            self.start_service(host)
        await self.whole()
        sampling = asyncio.create_task(self._sample())
        try:
            for name in strikes:
                await self._strike(name)
            await self._settle()
        finally:
            sampling.cancel()
        await self._judge(is_asynchronous=any(name in _LOSING for name in strikes))

    async def _make_database(self) -> None:
        primary = await self.the_primary()
        service, owner = self._passwords["service"], self._passwords["owner"]
        with psycopg.connect(
            host=primary.address, port=_POSTGRES, user="postgres", dbname="postgres",
            password=self._passwords["superuser"], autocommit=True,
        ) as connection:  # fmt: skip
            connection.execute(f"CREATE ROLE dialer_owner LOGIN PASSWORD '{owner}'".encode())
            connection.execute(f"CREATE ROLE dialer LOGIN PASSWORD '{service}'".encode())
            connection.execute("CREATE DATABASE dialer OWNER dialer_owner")
            given = "ALTER DEFAULT PRIVILEGES FOR ROLE dialer_owner GRANT"
        with self._connect(primary) as connection:
            connection.execute(f"{given} SELECT, INSERT, UPDATE, DELETE ON TABLES TO dialer".encode())
            connection.execute(f"{given} USAGE, SELECT, UPDATE ON SEQUENCES TO dialer".encode())
        host = self.hosts[0]
        await self.command(self.environment(host) | self._owner(host), "migrate")

    async def _load(self) -> None:
        """A list of people; the same once more if that failed, which counts nobody twice."""
        path = self.folder / f"list{self.listed}.csv"
        if not path.exists():
            write_list(path, _LISTED, grade="中危", first=self.listed)
        await self.command(self.environment(self.hosts[0]), "load", str(path), "--source", "drill")
        self.listed += _LISTED

    async def _strike(self, name: str) -> None:
        self.struck += 1
        strike, seconds = _STRIKES[name], _FAILOVER_SECONDS if name in _FAILOVERS else _OTHER_SECONDS
        await self.whole()
        while self.listed - self.calls() < _LEFT_BEFORE_A_STRIKE:
            await self._load()
        await self._flowing()
        began = time.monotonic()
        await strike(self)
        await self._flowing()
        await self.whole()
        pause, after = self._longest_pause(began)
        lines = [f"{name}: {pause:.1f} s without a new call, {after:.1f} s after the strike"]
        if name in _FAILOVERS:
            lines += [f"  {told}" for told in await self._told_of_failover(began)]
        sys.stderr.write("\n".join(lines) + "\n")
        self.figures[f"{name}_seconds"] = round(pause, 1)
        too_long = self.is_timed and pause > seconds
        self.must(not too_long, f"{name}: {pause:.1f} s without a new call; at most {seconds:.0f} s")

    async def _told_of_failover(self, began: float) -> list[str]:
        """What the audit says of it, by seconds since the strike."""
        struck = time.time() - (time.monotonic() - began)
        found = await self.rows(
            "SELECT extract(epoch FROM at), act FROM audit"
            " WHERE act IN ('failover', 'restore.compared', 'resume') ORDER BY id"
        )
        return [f"{float(at) - struck:.1f} s: {act}" for at, act in found if at > struck]

    async def _flowing(self) -> None:
        """Calls leave as before."""
        goal = self.calls() + _FLOWING_CALLS
        await self.until(lambda: self.calls() >= goal, f"{_FLOWING_CALLS} calls were placed")

    async def _sample(self) -> None:
        while True:
            calls = self.calls()
            if not self._moments or self._moments[-1][1] != calls:
                self._moments.append((time.monotonic(), calls))
            await asyncio.sleep(_SAMPLE_SECONDS)

    def _longest_pause(self, since: float) -> tuple[float, float]:
        """The longest time without a new call since then, and how long after it that began, in seconds."""
        moments = [since, *(moment for moment, _ in self._moments if moment > since)]
        return max((after - before, before - since) for before, after in pairwise(moments))

    async def _settle(self) -> None:
        """Everybody is called. Warnings that came in the last moments before a failover are loaded once more, as the
        manual says.
        """
        for path in sorted(self.folder.glob("list*.csv")):
            await self.command(self.environment(self.hosts[0]), "load", str(path), "--source", "drill")
        await self.until(lambda: self.calls() >= self.listed, "everybody was called")
        await self.until(lambda: not self.under_way(), "the last calls were over")
        deadline = time.monotonic() + _READY_SECONDS
        while await self.rows("SELECT 1 FROM attempt WHERE state <> 'ended' LIMIT 1"):
            self.must(time.monotonic() < deadline, "call attempts are not over")
            await asyncio.sleep(0.5)

    async def _judge(self, *, is_asynchronous: bool) -> None:
        await self._count_people()
        if not is_asynchronous:
            primary = await self.the_primary()
            address = (
                f"postgresql://postgres:{self._passwords['superuser']}@{primary.address}:{_POSTGRES}/dialer"
            )
            verdict = await asyncio.to_thread(check, address, self.folder / "carrier")
            self.must(verdict.is_clean, "; ".join(verdict.wrong))
        host = self.hosts[0]
        report = await self.command(self.environment(host), "audit", "verify", "--json")
        self.must(report["whole"], "the audit is not whole")

    async def _count_people(self) -> None:
        """By the carrier's own records, telephone by telephone: everybody was called, and nobody again but whose call
        had none of our prompts.
        """
        numbers = [f"+86{phone(n)}" for n in range(self.listed)]
        calls = [sum(1 for _ in self.carrier.exchange.newest_first(to=number)) for number in numbers]
        [(silent,)] = await self.rows("SELECT count(*) FROM attempt WHERE result = 'dead_air'")
        heard_twice = await self.rows(
            "SELECT case_id FROM attempt WHERE result <> 'dead_air' GROUP BY case_id HAVING count(*) > 1"
        )
        again, never = sum(calls) - len(calls), calls.count(0)
        self.figures |= {"people": len(numbers), "silent_calls": silent, "called_again": again}
        self.must(not never, f"{never} people were never called")
        self.must(not heard_twice, f"{len(heard_twice)} people were called twice")
        self.must(again <= silent, f"{again} calls were made again, but {silent} were silent")
        most = _MOST_SILENT * self.struck
        self.must(silent < most, f"{silent} calls were silent; below {most} for {self.struck} strikes")

    def watch(self) -> None:
        self.must(self._nginx is not None and self._nginx.poll() is None, "nginx has ended")

    def end(self) -> None:
        if self._nginx is not None:
            self._nginx.terminate()
            self._nginx.wait()

    # The strikes. Each ends with everything running again.

    async def other_host(self) -> Host:
        primary = await self.the_primary()
        return self.random.choice([host for host in self.hosts if host is not primary])

    async def brokers_killed_in_turn(self) -> None:
        for host in self.hosts[:_BROKERS]:
            os.kill(self._brokers[host.number], signal.SIGKILL)
            await self._flowing()
            self.start_broker(host)
            await asyncio.sleep(_SHORT_SECONDS)

    async def host_frozen(self) -> None:
        host = await self.other_host()
        host.signal(signal.SIGSTOP)
        await asyncio.sleep(_FROZEN_SECONDS)
        host.signal(signal.SIGCONT)

    async def host_killed(self) -> None:
        host = await self.other_host()
        host.kill()
        await asyncio.sleep(_SHORT_SECONDS)
        self.start_host(host)

    async def host_cut_from_database(self) -> None:
        """It still reaches the carrier, and people."""
        primary, host = await self.the_primary(), await self.other_host()
        words = ("-n", host.space, "route")
        run("ip", *words, "add", "blackhole", f"{primary.address}/32")
        await asyncio.sleep(_FROZEN_SECONDS)
        run("ip", *words, "del", "blackhole", f"{primary.address}/32")

    async def etcd_without_quorum(self) -> None:
        """Two of three are gone; the primary goes on while it reaches both other hosts."""
        gone = [host for host in self.hosts if host is not await self.the_primary()]
        for host in gone:
            for process in host.processes_of(b"etcd --name"):
                os.kill(process, signal.SIGKILL)
        await asyncio.sleep(_FROZEN_SECONDS / 2)
        for host in gone:
            self.start_etcd(host)

    async def primary_killed(self) -> None:
        """Its whole host, without power."""
        host = await self.the_primary()
        host.kill()
        await self._another_than(host)
        await self._flowing()
        self.start_host(host)

    async def primary_cut_off(self) -> None:
        """It lives, and reaches nobody."""
        host = await self.the_primary()
        host.plug(is_in=False)
        await self._another_than(host)
        await self._flowing()
        host.plug(is_in=True)

    async def primary_killed_with_lag(self) -> None:
        """Asynchronous replication, and what the primary committed in its last seconds has reached nobody."""
        host = await self.the_primary()
        async with httpx.AsyncClient(timeout=5) as client:
            changed = await client.patch(
                f"http://{host.address}:{_PATRONI}/config", json={"synchronous_mode": "off"}
            )
        self.must(changed.is_success, f"Patroni refused: {changed.text}")
        await self._until_asynchronous()
        receivers = [pid for one in self.hosts if one is not host for pid in one.processes_of(b"walreceiver")]
        self.must(len(receivers) == HOSTS - 1, "not two hosts follow the primary")
        for receiver in receivers:
            os.kill(receiver, signal.SIGSTOP)
        before = self.calls()
        await self.until(
            lambda: self.calls() > before + _CALLS_PER_SECOND, "calls left that nobody will know"
        )
        host.kill()
        for receiver in receivers:
            with suppress(ProcessLookupError):
                os.kill(receiver, signal.SIGCONT)
        self.figures["calls_not_replicated"] = self.calls() - before
        await self._another_than(host)
        await self._flowing()
        self.start_host(host)

    async def _until_asynchronous(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while await self.rows("SELECT 1 WHERE current_setting('synchronous_standby_names') <> ''"):
            self.must(time.monotonic() < deadline, "commits still wait for another host")
            await asyncio.sleep(0.2)

    async def _another_than(self, host: Host) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        began = time.monotonic()
        while True:
            for one in self.hosts:
                if one is host:
                    continue
                said = await self._patroni(one, "/patroni")
                if said and said.get("state") == "running" and said.get("role") in {"primary", "master"}:
                    sys.stderr.write(
                        f"  {one.name} takes changes {time.monotonic() - began:.1f} s after the strike\n"
                    )
                    return
            self.must(time.monotonic() < deadline, "no other host became the primary")
            await asyncio.sleep(0.1)


_STRIKES: Final[Mapping[str, Callable[[Cluster], Awaitable[None]]]] = {
    "brokers_killed_in_turn": Cluster.brokers_killed_in_turn,
    "host_frozen": Cluster.host_frozen,
    "host_killed": Cluster.host_killed,
    "host_cut_from_database": Cluster.host_cut_from_database,
    "etcd_without_quorum": Cluster.etcd_without_quorum,
    "primary_killed": Cluster.primary_killed,
    "primary_cut_off": Cluster.primary_cut_off,
    "primary_killed_with_lag": Cluster.primary_killed_with_lag,
}
_FAILOVERS = frozenset({"primary_killed", "primary_cut_off", "primary_killed_with_lag"})
_LOSING = frozenset({"primary_killed_with_lag"})
"""After them the database lacks what it had committed."""


def _programs(folder: Path) -> Path:
    """PostgreSQL's programs of the wheel, where the user of the servers reaches them."""
    installed = installed_binaries().postgres_folder
    if server_account().reaches(installed / "postgres"):
        return installed
    package = installed.parent.parent
    shutil.copytree(package, folder / package.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"


def _nginx_settings(folder: Path, servers: str) -> Path:
    """The file of an nginx that keeps everything in `folder`."""
    path, own = folder / "nginx.conf", folder / "nginx"
    own.mkdir(exist_ok=True)
    folders = "".join(
        f" {kind}_temp_path {own}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path.write_text(
        f"daemon off; pid {own}/pid; error_log {own}/error.log; worker_processes 1;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off;{folders}\n{servers}\n}}\n",
        encoding="utf-8",
    )
    return path


async def drill(
    folder: Path, *, seed: str, strikes: Sequence[str], is_timed: bool = True
) -> dict[str, float | int]:
    """The figures. Raises `DrillFailed`."""
    network = Network(seed)
    with network.hosts(folder) as hosts:
        async with carrier_of_a_drill(folder, _TALKS) as carrier:
            made = Cluster(carrier, folder, network, hosts, seed=seed, is_timed=is_timed)
            try:
                await made.run(strikes)
            finally:
                made.end()
    return made.figures


def _stop(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seed", default="", help="the order of the strikes and the hosts they strike")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(_STRIKES)}")
    parser.add_argument(
        "--untimed", action="store_true", help="however long nobody is called: on a machine with other work"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args(arguments)
    seed = given.seed or secrets.token_hex(3)
    strikes = [name for name in given.only.split(",") if name] or list(_STRIKES)
    if unknown := set(strikes) - _STRIKES.keys():
        parser.error(f"no such strike: {', '.join(sorted(unknown))}")
    random.Random(seed).shuffle(strikes)  # noqa: S311  # an order that repeats, no secret
    # What loses records comes last: until then the rows must agree with the carrier's journal.
    strikes.sort(key=lambda name: name in _LOSING)
    try:
        check_machine()
    except CannotRun as lacks:
        sys.stderr.write(f"cluster drill: cannot run here: {lacks}\n")
        return _CANNOT_RUN
    folder = given.keep or Path(tempfile.mkdtemp(prefix="dialer-cluster-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    began = time.monotonic()
    # Hosts are taken apart also when the drill is ended from outside.
    signal.signal(signal.SIGTERM, _stop)
    try:
        figures = asyncio.run(drill(folder, seed=seed, strikes=strikes, is_timed=not given.untimed))
    except DrillFailed as fault:
        sys.stderr.write(f"cluster drill: seed {seed}: {fault}\n")
        return 1
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    figures["whole_seconds"] = round(time.monotonic() - began, 1)
    if given.json:
        sys.stdout.write(json.dumps({"seed": seed} | figures) + "\n")
        return 0
    sys.stdout.write(
        f"cluster drill, seed {seed}: {figures['people']} people, none left out, none called again but for"
        f" {figures['called_again']} of {figures['silent_calls']} silent calls; {figures['whole_seconds']} s in all\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
