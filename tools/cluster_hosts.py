"""Hosts of the cluster drill: network namespaces of one machine, joined by a bridge, and the processes in them."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dialer.runtime.location import server_account
from tools.drills import ROOT

HOSTS: Final = 3
_PROGRAMS: Final = {
    "patroni": "patroni",
    "etcd": "etcd-server",
    "nginx": "nginx-light",
    "ip": "iproute2",
    "setpriv": "util-linux",
}
"""What a machine needs, and the package of Debian that has it."""


class CannotRun(Exception):
    """What this machine lacks, in one line."""


class Host:
    """One of the three: a network namespace, and the processes in it."""

    def __init__(self, number: int, network: Network, folder: Path) -> None:
        self.number = number
        self.name = f"host{number}"
        self.space = f"{network.name}h{number}"
        self.address = network.address(number)
        self.folder = folder / self.name
        self._network = network
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self, name: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None, user: bool = False
    ) -> int:
        """A process of the host; `user`: not as root. Returns its number."""
        account = server_account()
        switch = ["setpriv", "--reuid", str(account.uid), "--regid", str(account.gid), "--clear-groups"]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.space, *(switch if user else []), *argv],  # noqa: S607 - of the search path
                env=dict(os.environ if env is None else env), cwd=ROOT if not user else "/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._started.append(process)
        return process.pid

    def processes(self) -> list[int]:
        """The numbers of all processes of the host."""
        told = run("ip", "netns", "pids", self.space)
        return [int(line) for line in told.split()]

    def processes_of(self, words: bytes) -> list[int]:
        """The numbers of those with these words in the command line."""
        found = []
        for process in self.processes():
            with suppress(OSError):
                if words in Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" "):
                    found.append(process)
        return found

    def signal(self, number: signal.Signals) -> None:
        """To everything on the host, until nothing new has appeared meanwhile."""
        done: set[int] = set()
        while new := set(self.processes()) - done:
            for process in new:
                with suppress(ProcessLookupError):
                    os.kill(process, number)
            done |= new

    def kill(self) -> None:
        """Everything on the host ends at once, and it answers nobody any more, as without power."""
        self.plug(is_in=False)
        self.signal(signal.SIGKILL)
        for process in self._started:
            process.wait()
        self._started.clear()

    def plug(self, *, is_in: bool) -> None:
        """The cable of the host."""
        run("ip", "link", "set", f"{self.space}o", "up" if is_in else "down")


class Network:
    """A bridge that the hosts are connected to, at which the carrier and nginx listen. Needs root."""

    def __init__(self, seed: str) -> None:
        chosen = random.Random(seed)  # noqa: S311  # an address that others hardly use, no secret
        self.name = f"dc{secrets.token_hex(2)}"
        self._first = f"10.{chosen.randrange(64, 250)}.{chosen.randrange(250)}"
        self.own_address = f"{self._first}.254"
        self.range = f"{self._first}.0/24"

    def address(self, number: int) -> str:
        return f"{self._first}.{number}"

    @contextmanager
    def hosts(self, folder: Path) -> Iterator[list[Host]]:
        """The hosts, connected, with empty folders; afterwards nothing of them is left."""
        made = [Host(number, self, folder) for number in range(1, HOSTS + 1)]
        try:
            run("ip", "link", "add", self.name, "type", "bridge")
            run("ip", "address", "add", f"{self.own_address}/24", "dev", self.name)
            run("ip", "link", "set", self.name, "up")
            for host in made:
                self._connect(host)
            yield made
        finally:
            for host in made:
                with suppress(subprocess.CalledProcessError):
                    host.signal(signal.SIGCONT)
                    host.kill()
                    run("ip", "netns", "del", host.space)
            with suppress(subprocess.CalledProcessError):
                run("ip", "link", "del", self.name)

    def _connect(self, host: Host) -> None:
        inside, outside = f"{host.space}i", f"{host.space}o"
        run("ip", "netns", "add", host.space)
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", host.space)
        run("ip", "link", "set", outside, "master", self.name, "up")
        for words in (
            ("address", "add", f"{host.address}/24", "dev", inside),
            ("link", "set", inside, "up"),
            ("link", "set", "lo", "up"),
        ):
            run("ip", "-n", host.space, *words)
        host.folder.mkdir()
        server_account().own(host.folder)


def check_machine() -> None:
    """Installs what Debian has and this machine lacks. Raises `CannotRun`, with what to do, where a program or right is
    missing.
    """
    if os.geteuid() != 0:
        raise CannotRun("it makes network namespaces, for which it must run as root")
    missing = _missing()
    if missing and shutil.which("apt-get"):
        sys.stderr.write(f"cluster drill: installs {' '.join(missing)}\n")
        for words in (("update",), ("install", "-y", "--no-install-recommends", *missing)):
            with suppress(subprocess.CalledProcessError):
                run("apt-get", "-qq", *words)
        missing = _missing()
    if missing:
        raise CannotRun(f"apt-get install --no-install-recommends {' '.join(missing)}")
    try:
        run("ip", "netns", "add", "dialer-probe")
        run("ip", "netns", "del", "dialer-probe")
    except subprocess.CalledProcessError as fault:
        raise CannotRun(f"network namespaces: {fault.stderr.strip()}") from fault


def _missing() -> list[str]:
    """The packages of Debian that this machine lacks."""
    missing = {package for program, package in _PROGRAMS.items() if shutil.which(program) is None}
    if not Path("/usr/lib/python3/dist-packages/etcd").is_dir():
        missing.add("python3-etcd")
    return sorted(missing)


def run(*words: str) -> str:
    """What a program prints. Raises `CalledProcessError`."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
