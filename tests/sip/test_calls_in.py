"""Inbound calls over a trunk, with sipp as the operator and as a stranger."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carrier.config import ServiceClock
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.trunks import Trunk, caller_in
from tests.carrier.stage import ADMIN, HANGUP, App, DeskView, Start
from tests.ports import reserve_ports
from tests.sip.peers import HOST, OF_SOUND, StackProcess, line_of, play, until

STRANGER = "127.0.0.2"
_KEY = '<Response><Gather numDigits="1" timeout="8" action="/key"/><Hangup/></Response>'
_TO = "To: <sip:047896110@[remote_ip]:[remote_port]>"
_FROM = "<sip:13800138000@[local_ip]:[local_port]>"
_SDP = (
    "v=0\no=u 1 1 IN IP[local_ip_type] [local_ip]\ns=-\nc=IN IP[media_ip_type] [media_ip]\nt=0 0\n"
    "m=audio [media_port] RTP/AVP 8 101\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n"
    "a=fmtp:101 0-15\n"
)


def _request(method: str, cseq: str, *, to: str = _TO, more: str = "", body: str = "") -> str:
    length = (
        "Content-Type: application/sdp\nContent-Length: [len]\n\n" + body if body else "Content-Length: 0\n"
    )
    return (
        f"{method} sip:047896110@[remote_ip]:[remote_port] SIP/2.0\n"
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
        f"From: {_FROM};tag=[call_number]\n{to}\nCall-ID: [call_id]\nCSeq: {cseq} {method}\n"
        f"Contact: {_FROM}\nMax-Forwards: 70\n{more}{length}"
    )


def invites(*then: str, more: str = "") -> str:
    invite = _request("INVITE", "1", more=more, body=_SDP)
    return (
        f'<send retrans="500"><![CDATA[\n{invite}\n]]></send>'
        '<recv response="100" optional="true"/><recv response="180" optional="true"/>'
        '<recv response="183" optional="true"/>' + "".join(then)
    )


_SDP_TO_INVITE = f"Contact: {_FROM}\nContent-Type: application/sdp\nContent-Length: [len]\n\n{_SDP}"


def answered() -> str:
    """Our stack confirms the description of the sound with an INVITE of its own."""
    ack = _request("ACK", "1", to="To: [$us]")
    keep = '<action><ereg regexp="&lt;.*" search_in="hdr" header="To:" assign_to="us"/></action>'
    return (
        f'<recv response="200">{keep}</recv><send><![CDATA[\n{ack}\n]]></send><recv request="INVITE" timeout="60000"/>'
        '<send retrans="500"><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n'
        f'[last_CSeq:]\n{_SDP_TO_INVITE}\n]]></send><recv request="ACK"/>'
    )


def hung_up() -> str:
    return (
        '<recv request="BYE" timeout="60000"/><send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n'
        "[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>"
    )


def hangs_up() -> str:
    bye = _request("BYE", "2", to="To: [$us]")
    return f'<send retrans="500"><![CDATA[\n{bye}\n]]></send><recv response="200"/>'


def call(
    folder: Path, port: int, steps: str, *, source: str = HOST, transport: str = "u1"
) -> subprocess.Popen[bytes]:
    """sipp calls our SIP process once; its messages are in sipp-SOURCE.log."""
    own = reserve_ports()
    scenario = folder / f"caller-{own}.xml"
    scenario.write_text(
        f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="caller">{steps}</scenario>'
    )
    return subprocess.Popen(
        [
            *("timeout", "900", "sipp", "-sf", scenario, "-i", source, "-mi", source, "-p", str(own)),
            *(
                "-mp",
                str(own + OF_SOUND),
                "-m",
                "1",
                "-nostdin",
                "-t",
                transport,
                f"{HOST}:{port}",
            ),
            *("-trace_msg", "-message_file", folder / f"sipp-{source}.log", "-message_overwrite", "true"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )


class Desk:
    """A carrier on one trunk whose inbound calls are told to `/in`."""

    def __init__(self, view: DeskView, port: int) -> None:
        self.view = view
        self.port = port

    @property
    def line(self) -> SipLine:
        return line_of(self.view.carrier)


@pytest.fixture
async def desk(bench: Start, app: App) -> AsyncIterator[Desk]:
    port = reserve_ports()
    trunk = Trunk(name="one", address=f"{HOST}:{reserve_ports()}", number="047896110", keep_alive_seconds=0)
    view = await bench(
        make_line=lambda timers: SipLine(timers, trunks=(trunk,)),
        clock=ServiceClock(),
        inbound_url=f"{app.base}/in",
        inbound_status=f"{app.base}/status",
        inbound_number="+8647896110",
    )
    stack = StackProcess(view.carrier.base_url, ADMIN, [trunk], listen=f"{HOST}:{port}")
    await until(lambda: line_of(view.carrier).link is not None, "the SIP process connects")
    yield Desk(view, port)
    stack.close()


async def test_a_call_from_the_trunk_is_answered_and_its_key_is_heard(desk: Desk, tmp_path: Path):
    app = desk.view.app
    app.documents |= {"/in": _KEY, "/key": HANGUP}
    steps = invites(answered(), '<pause milliseconds="600"/>', play("dtmf_2833_1"), hung_up())
    caller = call(tmp_path, desk.port, steps)
    await until(lambda: caller.poll() is not None, "the caller has had the call")
    assert caller.returncode == 0
    asked = next(one for one in app.heard if one.path == "/in")
    assert asked.signed
    assert asked.params["Direction"] == "inbound"
    assert asked.params["From"] == "13800138000"
    assert asked.params["To"] == "+8647896110"
    key = next(one for one in app.heard if one.path == "/key")
    assert key.params["Digits"] == "1"
    await until(lambda: any(one.path == "/status" for one in app.heard), "its end is told")
    ended = next(one for one in app.heard if one.path == "/status")
    assert (ended.params["CallSid"], ended.params["CallStatus"]) == (asked.params["CallSid"], "completed")
    state = desk.line.board.states["one"]
    await until(lambda: not state.in_use, "its channel is free")
    assert (state.received, state.placed) == (1, 0)
    assert desk.line.strangers == 0


async def test_the_person_hangs_up(desk: Desk, tmp_path: Path):
    app = desk.view.app
    app.documents["/in"] = '<Response><Pause length="60"/></Response>'
    caller = call(tmp_path, desk.port, invites(answered(), '<pause milliseconds="500"/>', hangs_up()))
    await until(lambda: any(one.path == "/status" for one in app.heard), "its end is told")
    assert caller.wait() == 0
    await until(lambda: not desk.line.board.states["one"].in_use, "its channel is free")


async def test_a_hidden_number_stays_hidden(desk: Desk, tmp_path: Path):
    app = desk.view.app
    app.documents["/in"] = '<Response><Pause length="1"/><Hangup/></Response>'
    caller = call(tmp_path, desk.port, invites(answered(), hung_up(), more="Privacy: id\n"))
    await until(lambda: caller.poll() is not None, "the caller has had the call")
    assert next(one for one in app.heard if one.path == "/in").params["From"] == "anonymous"


def told(folder: Path, source: str) -> tuple[int, int]:
    """How many messages sipp at this address has sent, and received."""
    log = (folder / f"sipp-{source}.log").read_text(errors="replace")
    return log.count(" message sent "), log.count(" message received ")


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER"])
async def test_an_address_that_is_no_trunk_gets_no_answer_and_is_counted(
    desk: Desk, tmp_path: Path, method: str
):
    app = desk.view.app
    app.documents["/in"] = '<Response><Pause length="1"/><Hangup/></Response>'
    request = _request(method, "1", body=_SDP if method == "INVITE" else "")
    waits = f'<send retrans="500"><![CDATA[\n{request}\n]]></send><recv response="200" timeout="2500"/>'
    stranger = call(tmp_path, desk.port, waits, source=STRANGER)
    assert await asyncio.to_thread(stranger.wait) != 0
    sent, received = told(tmp_path, STRANGER)
    assert (sent >= 2, received) == (True, 0)
    await until(lambda: desk.line.strangers >= sent, "each is counted")
    assert not app.at("/in")
    assert desk.line.board.states["one"].received == 0
    # The trunk beside it is heard.
    caller = call(tmp_path, desk.port, invites(answered(), hung_up()))
    await until(lambda: caller.poll() is not None, "the caller has had the call")
    assert caller.returncode == 0
    assert len(app.at("/in")) == 1


async def test_a_connection_from_an_address_that_is_no_trunk_is_not_made(desk: Desk):
    def connects(source: str) -> bool:
        with socket.socket() as own:
            own.settimeout(1.0)
            own.bind((source, 0))
            try:
                own.connect((HOST, desk.port))
            except (TimeoutError, ConnectionRefusedError):
                return False
        return True

    await until(lambda: connects(HOST), "the stack listens")
    # The filter comes a moment after the socket.
    await until(lambda: not connects(STRANGER), "a stranger gets no answer")
    assert connects(HOST)
    await until(lambda: desk.line.strangers >= 1, "it is counted")


async def test_where_a_trunk_may_call_from_unknown_addresses_a_stranger_is_refused_by_hand(
    bench: Start, app: App, tmp_path: Path
):
    port = reserve_ports()
    trunk = Trunk(name="one", address="localhost", number="047896110", keep_alive_seconds=0)
    view = await bench(
        make_line=lambda timers: SipLine(timers, trunks=(trunk,)),
        clock=ServiceClock(),
        inbound_url=f"{app.base}/in",
    )
    stack = StackProcess(view.carrier.base_url, ADMIN, [trunk], listen=f"{HOST}:{port}")
    try:
        await until(lambda: line_of(view.carrier).link is not None, "the SIP process connects")
        ack = _request("ACK", "1", to="[last_To:]")
        refused = f'<recv response="486"/><send><![CDATA[\n{ack}\n]]></send>'
        caller = call(tmp_path, port, invites(refused), source=STRANGER)
        await until(lambda: line_of(view.carrier).strangers == 1, "it is counted")
        assert await asyncio.to_thread(caller.wait) == 0
        assert not app.at("/in")
    finally:
        stack.close()


@pytest.mark.parametrize(
    ("asserted", "from_", "privacy", "number"),
    [
        ("<sip:13800138000@op>", "<sip:047896110@op>", "", "13800138000"),
        ("", '"x" <sip:+8613800138000@op;user=phone>;tag=1', "none", "+8613800138000"),
        ("<tel:+8613800138000>", "<sip:anonymous@anonymous.invalid>", "", "+8613800138000"),
        ("<tel:+8613800138000>", "<sip:anonymous@anonymous.invalid>", "id", ""),
        ("", "<sip:anonymous@anonymous.invalid>", "", ""),
        ("", "<sip:alice@op>", "", ""),
        ("", '"sip:13900001234@op" <sip:anonymous@anonymous.invalid>', "", ""),
        ("", '"\\"" <sip:13800138000@op>', "", "13800138000"),
        ("<tel:+86-138-0013-8000>", "", "", "+8613800138000"),
    ],
)
def test_whose_number_an_invite_tells(asserted: str, from_: str, privacy: str, number: str):
    assert caller_in(asserted=asserted, from_=from_, privacy=privacy) == number


_TIMERS = "Supported: timer\nSession-Expires: 1800;refresher=uac\n"


async def test_a_caller_that_offers_session_timers_is_answered_without_them(
    desk: Desk, app: App, tmp_path: Path
):
    app.documents["/in"] = '<Response><Pause length="1"/><Hangup/></Response>'
    caller = call(tmp_path, desk.port, invites(answered(), hung_up(), more=_TIMERS))
    assert await asyncio.to_thread(caller.wait) == 0


async def test_a_caller_that_requires_session_timers_is_refused(desk: Desk, tmp_path: Path):
    """The stack has none; docs/trunk.md says so."""
    refused = f'<recv response="420"/><send><![CDATA[\n{_request("ACK", "1", to="[last_To:]")}\n]]></send>'
    caller = call(tmp_path, desk.port, invites(refused, more=f"{_TIMERS}Require: timer\n"))
    assert await asyncio.to_thread(caller.wait) == 0
