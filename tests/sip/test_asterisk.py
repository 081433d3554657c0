"""An exchange as a trunk: Asterisk, with the settings that docs/trunk.md gives. Debian 13 has no Asterisk: these tests
run where one is in PATH, with chan_pjsip, res_srtp and app_mixmonitor.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carrier.config import ServiceClock
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.trunks import Trunk
from carrier.lines.sound import telephone_samples
from tests.carrier.stage import ADMIN, HANGUP, App, DeskView, Start
from tests.ports import reserve_ports
from tests.sip.conftest import MakePerson
from tests.sip.peers import HOST, StackProcess, is_open, line_of, prompt, until
from tests.sip.test_sound import HEARD, fits
from tests.sip.test_transports import certificate

pytestmark = pytest.mark.skipif(
    shutil.which("asterisk") is None, reason="Asterisk is not installed, and Debian 13 has none"
)

_SAYS = "<Response><Play>/said.wav</Play><Gather numDigits='1' timeout='10' action='/key'/></Response>"
_PASSWORD = "a-word-of-the-trunk"

_ENDPOINT = """
[dialer]
type = endpoint
context = from-dialer
disallow = all
allow = alaw
aors = dialer
trust_id_inbound = yes
send_pai = yes
direct_media = no
{more}
[dialer]
type = aor
{contact}
[dialer]
type = identify
endpoint = dialer
match = 127.0.0.1
"""

_DIALPLAN = """
[from-dialer]
exten => 13800138000,1,Answer()
 same => n,MixMonitor({folder}/all.wav,r({folder}/heard.wav))
 same => n,Playtones(400/500,0/500)
 same => n,Wait(8)
 same => n,SendDTMF(5)
 same => n,Wait(30)
exten => 13800138001,1,Hangup(17)
exten => 13800138002,1,Hangup(1)
exten => 13800138003,1,Ringing()
 same => n,Wait(30)
exten => 13800138004,1,Hangup(34)
exten => 13800138005,1,Ringing()
 same => n,Wait(1)
 same => n,Hangup(21)
exten => 13800138006,1,Dial(PJSIP/person,30)
[from-operator]
exten => 96110,1,Set(CALLERID(num)=13800138000)
 same => n,Dial(PJSIP/96110@dialer)
[callers]
exten => caller,1,MixMonitor({folder}/all.wav,r({folder}/heard.wav))
 same => n,Playtones(400/500,0/500)
 same => n,Wait(8)
 same => n,SendDTMF(5)
 same => n,Wait(30)
"""


class Exchange:
    """Asterisk on this machine: SIP over UDP at `port`, over TLS at the port after it; our SIP process at `ours`."""

    def __init__(
        self, folder: Path, *, ours: int, digest: bool = False, tls: bool = False, person: str = ""
    ) -> None:
        self.port, self.ours = reserve_ports(), ours
        self.folder = folder / "asterisk"
        etc = self.folder / "etc"
        etc.mkdir(parents=True)
        self.public, both = certificate(folder, "exchange")
        more = "media_encryption = sdes\n" if tls else ""
        more += "auth = dialer\n[dialer]\ntype = auth\nusername = dialer\n" if digest else ""
        more += f"password = {_PASSWORD}\n" if digest else ""
        to_us = f"sip:{HOST}:{ours + 1}\\;transport=tls" if tls else f"sip:{HOST}:{ours}"
        contact = "max_contacts = 1" if digest else f"contact = {to_us}\nqualify_frequency = 30"
        (etc / "pjsip.conf").write_text(
            f"[udp]\ntype = transport\nprotocol = udp\nbind = {HOST}:{self.port}\n"
            f"[tls]\ntype = transport\nprotocol = tls\nmethod = tlsv1_2\nbind = {HOST}:{self.port + 1}\n"
            f"cert_file = {both}\npriv_key_file = {both}\n"
            + _ENDPOINT.format(more=more, contact=contact)
            + f"[person]\ntype = endpoint\ndisallow = all\nallow = alaw\naors = person\ndirect_media = no\n"
            f"[person]\ntype = aor\ncontact = sip:person@{person or HOST}\n"
        )
        (etc / "extensions.conf").write_text(_DIALPLAN.format(folder=self.folder))
        (etc / "rtp.conf").write_text("[general]\nrtpstart = 10000\nrtpend = 20000\n")
        (etc / "modules.conf").write_text("[modules]\nautoload = yes\n")
        (etc / "logger.conf").write_text("[logfiles]\nmessages = notice,warning,error\n")
        folders = "".join(
            f"{name} => {self.folder}\n" for name in ("astrundir", "astlogdir", "astspooldir", "astdbdir")
        )
        self.conf = etc / "asterisk.conf"
        self.conf.write_text(f"[directories]\nastetcdir => {etc}\n{folders}")
        self._process = subprocess.Popen(
            ["timeout", "120", "asterisk", "-f", "-C", self.conf],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def heard(self) -> Path:
        return self.folder / "heard.wav"

    async def ready(self) -> Exchange:
        await until(lambda: self._process.poll() is not None or is_open(self.port), "it listens")
        assert self._process.poll() is None, "asterisk does not start"
        await until(lambda: "fully booted" in self.asks("core waitfullybooted"), "it has read its dialplan")
        return self

    def asks(self, command: str) -> str:
        done = subprocess.run(
            ["asterisk", "-C", self.conf, "-rx", command], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def has_written(self) -> bool:
        """No call is up, and the file of what a call has heard is closed."""
        data = self.heard.read_bytes() if self.heard.exists() else b""
        at = data.find(b"data")
        length = int.from_bytes(data[at + 4 : at + 8], "little") if at > 0 else 0
        is_closed = length > 0 and len(data) >= at + 8 + length
        return is_closed and "0 active channels" in self.asks("core show channels")

    def calls_us(self) -> None:
        """A call to the hotline comes from outside, and is led to the dialer."""
        self.asks("channel originate Local/96110@from-operator extension caller@callers")

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


class Wired:
    """The exchange, and a carrier on a trunk to it."""

    def __init__(self, exchange: Exchange, view: DeskView) -> None:
        self.exchange, self.view = exchange, view


@pytest.fixture
async def wired(
    bench: Start, app: App, tmp_path: Path, request: pytest.FixtureRequest, person: MakePerson
) -> AsyncIterator[Wired]:
    """`param`: udp, digest or tls."""
    how = getattr(request, "param", "udp")
    ours = reserve_ports()
    callee = await person() if how == "udp" else None
    exchange = Exchange(
        tmp_path, ours=ours, digest=how == "digest", tls=how == "tls", person=callee.address if callee else ""
    )
    known = {"user": "dialer", "password": _PASSWORD, "registers": True} if how == "digest" else {}
    sealed = {"transport": "tls", "srtp": True} if how == "tls" else {}
    trunk = Trunk(
        name="asterisk",
        address=f"{HOST}:{exchange.port + (how == 'tls')}",
        number="047896110",
        keep_alive_seconds=0 if how == "tls" else 2,
        **known,
        **sealed,
    )
    view = await bench(
        make_line=lambda timers: SipLine(timers, trunks=(trunk,)),
        clock=ServiceClock(),
        inbound_url=f"{app.base}/in",
        inbound_status=f"{app.base}/status",
        inbound_number="+8647896110",
    )
    _, both = certificate(tmp_path, "dialer")
    files = {"ca_file": str(exchange.public), "certificate_file": str(both)} if how == "tls" else {}
    stack = StackProcess(view.carrier.base_url, ADMIN, [trunk], listen=f"{HOST}:{ours}", **files)
    app.documents |= {"/start": _SAYS, "/in": _SAYS, "/said.wav": prompt(), "/key": HANGUP}
    try:
        await exchange.ready()
        line = line_of(view.carrier)
        await until(lambda: line.link is not None, "the SIP process connects")
        await until(lambda: not line.as_json()["trunks"][0]["problem"], "the trunk works")
        yield Wired(exchange, view)
    finally:
        stack.close()
        exchange.close()


def _heard_whole(exchange: Exchange) -> None:
    found = fits(telephone_samples(prompt()), telephone_samples(exchange.heard.read_bytes()))
    assert len(found) >= 6
    assert sum(one < HEARD for one in found) <= 1, found


@pytest.mark.parametrize("wired", ["udp", "digest", "tls"], indirect=True)
async def test_a_call_out_with_sound_and_a_key(wired: Wired):
    view, exchange = wired.view, wired.exchange
    line = line_of(view.carrier)
    final = await view.app.final(await view.call())
    assert final["CallStatus"] == "completed", await line.trace(1)
    assert [one.params["Digits"] for one in view.app.at("/key")] == ["5"]
    await until(lambda: bool(line.qualities), "the call is measured")
    assert not line.qualities[-1]["one_way"]
    assert line.qualities[-1]["gaps"] == 0
    await until(exchange.has_written, "Asterisk has written what it heard")
    _heard_whole(exchange)


@pytest.mark.parametrize("wired", ["udp", "digest", "tls"], indirect=True)
async def test_a_call_in_with_sound_and_a_key(wired: Wired):
    view, exchange = wired.view, wired.exchange
    exchange.calls_us()
    await until(lambda: bool(view.app.at("/status")), "the call is over")
    assert view.app.at("/in")[0].params["From"] == "13800138000"
    assert [one.params["Digits"] for one in view.app.at("/key")] == ["5"]
    await until(exchange.has_written, "Asterisk has written what it heard")
    _heard_whole(exchange)


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [("1", "busy", "486"), ("2", "failed", "404"), ("4", "failed", "403"), ("5", "busy", "603")],
)
async def test_causes_of_the_exchange_are_results(wired: Wired, last: str, status: str, code: str):
    """Asterisk sends the Q.850 cause in the header Reason."""
    final = await wired.view.app.final(await wired.view.call(to=f"+861380013800{last}"))
    assert (final["CallStatus"], final["SipResponseCode"]) == (status, code)
    (messages, *_) = await line_of(wired.view.carrier).trace(1)
    assert any("Q.850" in message for message in messages)


async def test_a_telephone_that_rings_for_ever_is_cancelled(wired: Wired):
    final = await wired.view.app.final(await wired.view.call(to="+8613800138003", timeout=3))
    assert final["CallStatus"] == "no-answer"
    assert "0 active channels" in wired.exchange.asks("core show channels")


async def test_a_person_behind_the_exchange_hears_us_and_is_heard(wired: Wired):
    final = await wired.view.app.final(await wired.view.call(to="+8613800138006", time_limit=8))
    assert final["CallStatus"] == "completed"
    line = line_of(wired.view.carrier)
    await until(lambda: bool(line.qualities), "the call is measured")
    assert not line.qualities[-1]["one_way"]


async def test_an_exchange_that_is_gone_is_told_of(wired: Wired):
    line = line_of(wired.view.carrier)
    assert line.as_json()["trunks"][0]["problem"] == ""
    wired.exchange.close()
    await until(lambda: line.as_json()["trunks"][0]["problem"] == "unreachable", "OPTIONS find it out")
