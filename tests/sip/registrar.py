"""Debian's kamailio as a trunk's registrar and proxy, and a network between us and a peer that loses or doubles."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.ports import reserve_ports
from tests.sip.peers import HOST, Peer, is_open, until

USER, PASSWORD = "centre", "right-and-secret"
_MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
_CONFIG = """
debug=0
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("registrar", "min_expires", 1)
modparam("registrar", "default_expires", 60)
request_route {{
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{ loose_route(); t_relay(); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("$td", "{password}", "0")) {{ www_challenge("$td", "1"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("$fd", "{password}", "0")) {{ proxy_challenge("$fd", "1"); exit; }}
        consume_credentials();
    }}
    record_route();
    $du = "sip:{host}:{behind}";
    t_relay();
}}
"""


def missing() -> str:
    """Why a test with kamailio cannot run here; empty if it can."""
    return "" if shutil.which("kamailio") else "Debian's kamailio is not installed: make test-sip, as root"


class Kamailio:
    """Demands digest of every REGISTER and INVITE, and passes calls on to the peer behind it."""

    def __init__(self, folder: Path, *, behind: Peer) -> None:
        self.port = reserve_ports()
        self._folder = folder / f"kamailio-{self.port}"
        self._folder.mkdir()
        self._behind = behind.port
        self._process = self._begin(PASSWORD)

    def _begin(self, password: str) -> subprocess.Popen[bytes]:
        config = self._folder / "kamailio.cfg"
        config.write_text(
            _CONFIG.format(
                host=HOST, port=self.port, modules=_MODULES, password=password, behind=self._behind
            )
        )
        folder = str(self._folder)
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    *("kamailio", "-DD", "-E", "-f", str(config), "-Y", folder, "-w", folder),
                    *("-m", "16", "-M", "4"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    async def ready(self) -> Kamailio:
        await until(lambda: self._process.poll() is not None or is_open(self.port), "it listens")
        assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
        return self

    def _signal(self, which: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, which)

    def freeze(self) -> None:
        """It answers nothing from now on, as a trunk whose network is cut."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """It is gone with all its registrations."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    async def again(self, *, password: str = PASSWORD) -> None:
        """A new one at the same address, which knows of no registration and wants this password."""
        self._process = self._begin(password)
        await self.ready()

    def close(self) -> None:
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGKILL)
        self._process.wait()


Rule = Callable[[str, int], int]
"""How many copies of a message arrive: its kind (`INVITE`, `200 INVITE`), and how often it was sent so far, from 1."""


def loses_the_first(_kind: str, nth: int) -> int:
    """Of each kind."""
    return 0 if nth == 1 else 1


def doubles(_kind: str, _nth: int) -> int:
    return 2


class Network(asyncio.DatagramProtocol):
    """Carries SIP over UDP between us and a peer, by the rule; both see the other at this address."""

    def __init__(self, peer: Peer, rule: Rule) -> None:
        self.port = 0
        self.kinds: dict[str, int] = {}
        self._peer = (HOST, peer.port)
        self._ours: tuple[str, int] | None = None
        self._rule = rule
        self._transport: asyncio.DatagramTransport | None = None

    async def ready(self) -> Network:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        return self

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        to = self._peer
        if addr == self._peer:
            if self._ours is None:
                return
            to = self._ours
        else:
            self._ours = addr
        text = data.decode("utf-8", "surrogateescape")
        kind = _kind(text)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        moved = _CONTACT.sub(rf"\g<1>{self.port}", text).encode("utf-8", "surrogateescape")
        for _ in range(self._rule(kind, self.kinds[kind])):
            self._transport.sendto(moved, to)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


_CONTACT = re.compile(r"(?<=\n)(Contact: *<sip:[^>;]*?:)[0-9]+")


def _kind(text: str) -> str:
    first, _, rest = text.partition("\r\n")
    if not first.startswith("SIP/2.0 "):
        return first.partition(" ")[0]
    method = re.search(r"CSeq: *[0-9]+ ([A-Z]+)", rest, re.IGNORECASE)
    return f"{first.split(' ')[1]} {method[1] if method else ''}"
