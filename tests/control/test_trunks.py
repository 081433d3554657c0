"""Trunks as the service tells them: the alarm needs two looks, and the doctor names one thing to fix."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from aiohttp import web

from carrier.lines.sip.options import ask_options
from carrier.lines.sip.trace import SipMessages, mask_message
from carrier.lines.sip.trunks import Trunk
from dialer.control import trunks
from dialer.control.trunks import (
    TrunksNow,
    TrunkStatus,
    check_trunks,
    note_test_call,
    read_trunks,
    watch_trunks,
)
from dialer.core.access import unrestricted
from dialer.core.errors import Invalid, Unavailable
from dialer.core.text import Lang, Text
from dialer.core.values import TrunkProblem
from dialer.language.words import sentence
from dialer.runtime.local import CarrierAccess
from tests.control.scene import Scene

WORKS = TrunkStatus(
    name="one", order=1, channels=30, in_use=0, placed=0, received=0, registers=False, problem=None
)


@pytest.fixture
async def carrier() -> AsyncIterator[tuple[CarrierAccess, dict[str, str]]]:
    """A carrier whose only trunk has the problem that the test sets."""
    told = {"problem": "unreachable"}

    async def trunks(_request: web.Request) -> web.Response:
        one = {
            name: getattr(WORKS, name)
            for name in ("name", "order", "channels", "in_use", "placed", "received")
        }
        return web.json_response(
            {
                "strangers": 2,
                "calls_in_refused": 5,
                "trunks": [one | {"registers": False, "ends": {"503": 3}, **told}],
            }
        )

    app = web.Application()
    app.router.add_get("/admin/trunks", trunks)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = int(runner.addresses[0][1])
    access = CarrierAccess(port=port, account_sid="AC" + "0" * 32, auth_token="t", admin_token="a")
    yield access, told
    await runner.cleanup()


@pytest.fixture(autouse=True)
def stack_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of a trunk needs no SIP stack, and is tested without it too."""
    monkeypatch.setattr(trunks, "has_stack", lambda: True)


@contextmanager
def server(answer: str) -> Iterator[str]:
    """A SIP server that answers every OPTIONS so; its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))

        def serve() -> None:
            data, peer = own.recvfrom(65_535)
            assert data.startswith(b"OPTIONS ")
            own.sendto(answer.encode(), peer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{own.getsockname()[1]}"


def trunk(address: str) -> Trunk:
    return Trunk(name="one", address=address, number="047896110")


SDP = "v=0\r\nm=audio 0 RTP/AVP 8 18\r\na=rtpmap:8 PCMA/8000\r\n"


def test_a_trunk_that_answers_is_ok():
    with server(f"SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n{SDP}") as address:
        (check,) = check_trunks([trunk(address)], TrunksNow(trunks=(WORKS,)))
    assert check.ok
    assert "OPTIONS 200" in str(check.detail)
    assert "PCMA/G729" in str(check.detail)


@pytest.mark.parametrize(
    ("answer", "problem", "fix"),
    [
        ("SIP/2.0 200 OK\r\n\r\nm=audio 0 RTP/AVP 18\r\n", None, "allow PCMA"),
        ("SIP/2.0 200 OK\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\n\r\n", None, "clocks"),
        ("SIP/2.0 403 Forbidden\r\n\r\n", TrunkProblem.NOT_REGISTERED, "user and password"),
        ("SIP/2.0 200 OK\r\n\r\n", TrunkProblem.RESTING, "trunk trace"),
        ("SIP/2.0 200 OK\r\n\r\n", TrunkProblem.NO_PROCESS, "dialer sip"),
    ],
)
def test_the_first_thing_to_fix_is_named(answer: str, problem: TrunkProblem | None, fix: str):
    with server(answer) as address:
        now = TrunksNow(trunks=(replace(WORKS, problem=problem),))
        (check,) = check_trunks([trunk(address)], now)
    assert not check.ok
    assert fix in str(check.fix)


@pytest.mark.parametrize(
    "said", ["SIP/2.0 ", "SIP/2.0 abc OK\r\n\r\n", "SIP/2.0 20", "SIP/2.0 999 x\r\n\r\n"]
)
def test_what_is_no_answer_of_a_sip_server_is_none(said: str):
    with server(said) as address:
        host, _, port = address.partition(":")
        assert ask_options(host, int(port), within_seconds=0.1) is None


def test_an_address_that_does_not_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        (check,) = check_trunks([trunk(f"127.0.0.1:{silent.getsockname()[1]}")], None)
    assert "firewall" in str(check.fix)


async def test_the_alarm_stands_after_two_looks(scene: Scene, carrier: tuple[CarrierAccess, dict[str, str]]):
    access, told = carrier
    first = await asyncio.to_thread(watch_trunks, scene.services, access, before=frozenset())
    assert first == {"one"}
    assert scene.alarms_of(None) == {}
    await asyncio.to_thread(watch_trunks, scene.services, access, before=first)
    assert scene.alarms_of(None) == {"trunk_failing": 1}
    await asyncio.to_thread(watch_trunks, scene.services, access, before=first)
    assert scene.alarms_of(None) == {"trunk_failing": 1}
    (alarm,) = scene.rows(sa.text("SELECT facts FROM alarm WHERE code = 'trunk_failing'"))
    problem = Text.of_plain(alarm["facts"]["problem"])
    assert sentence(problem, Lang.ZH) == "中继：one（无应答）"
    assert sentence(problem, Lang.EN) == "trunks: one (does not answer)"
    told["problem"] = ""
    assert await asyncio.to_thread(watch_trunks, scene.services, access, before=first) == frozenset()
    found = await asyncio.to_thread(read_trunks, access)
    assert (found.strangers, found.calls_in_refused, found.trunks[0].ends) == (2, 5, {"503": 3})


def test_an_alarm_of_an_earlier_version_stays_readable():
    stored = {"text": "trunks: %(names)s", "values": {"names": "one (not_registered)"}}
    assert sentence(Text.of_plain(stored), Lang.ZH) == "中继：one (not_registered)"


def test_a_carrier_that_is_gone_is_unavailable():
    access = CarrierAccess(port=1, account_sid="AC" + "0" * 32, auth_token="t", admin_token="a")
    with pytest.raises(Unavailable):
        read_trunks(access)


def test_a_test_call_needs_a_name_and_its_number_is_not_in_the_audit(scene: Scene):
    with pytest.raises(Invalid):
        note_test_call(scene.services, unrestricted(""), number="+8613800138000")
    note_test_call(scene.services, unrestricted("wang"), number="+8613800138000")
    (line,) = scene.rows(sa.text("SELECT who, facts FROM audit WHERE act = 'trunk_call'"))
    assert line["who"] == "wang"
    assert "13800138000" not in str(line["facts"])


def test_numbers_and_credentials_of_a_message_are_masked():
    message = (
        'INVITE sip:13800138000@10.0.0.1:5060 SIP/2.0\r\nFrom: "047896110" <sip:+86478961100@x>;tag=1\r\n'
        "P-Asserted-Identity: <tel:047896110>\r\nProxy-Authorization: Digest username=u, response=abc\r\n"
        "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK12345678901\r\n"
    )
    shown = mask_message(message)
    for hidden in ("13800138000", "86478961100", "047896110", "abc", "username"):
        assert hidden not in shown
    assert "sip:138****8000@10.0.0.1:5060" in shown
    assert "branch=z9hG4bK12345678901" in shown


@pytest.mark.parametrize(
    ("message", "hidden"),
    [
        ("From: 张三 <sip:a@x>;tag=1\r\n", "张三"),
        ('P-Asserted-Identity: "Zhang San" <sip:a@x>\r\n', "Zhang"),
        ("Contact: <tel:+86-138-0013-8000>\r\n", "0013"),
        ("X-Caller: 13800138000\r\n", "13800138000"),
        ('Reason: Q.850;cause=1;text="13800138000 is not in use"\r\n', "13800138000"),
        ("Content-Type: application/dtmf-relay\r\n\r\nSignal=7\r\nDuration=160\r\n", "7"),
        ("Content-Type: application/dtmf\r\n\r\n7", "7"),
        ("Content-Type: application/sdp\r\n\r\nv=0\r\no=13800138000 1 1 IN IP4 10.0.0.1\r\n", "13800138000"),
    ],
)
def test_names_keys_and_numbers_anywhere_are_masked(message: str, hidden: str):
    assert hidden in message
    assert hidden not in mask_message(message)


def test_what_is_no_number_of_a_telephone_stays():
    lines = "Call-ID: 12345678901@a\r\nCSeq: 1234567 INVITE\r\nContact: <sip:gw@10.0.0.1>\r\na=ssrc:1234567890 c\r\n"
    assert mask_message(lines) == lines


@pytest.mark.parametrize(
    "line",
    [
        "INVITE sip:%2B8613800138000@10.0.0.1 SIP/2.0",
        "X-Caller: num=13800138000",
        "Call-ID: 13800138000-77@pbx",
        "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK.13800138000",
    ],
)
def test_a_mobile_is_masked_wherever_it_stands(line: str):
    assert "0138000" not in mask_message(line + "\r\n")


def test_the_trace_keeps_little_of_a_long_message():
    messages = SipMessages()
    text = f"RX udp 10.0.0.1:5060 -> 10.0.0.2:5060\r\nINFO sip:a@b SIP/2.0\r\nCall-ID: a\r\nX: {'x' * 60_000}\r\n"
    messages.emit(logging.makeLogRecord({"msg": text}))
    ((shown,),) = messages.newest(1)
    assert "INFO sip:a@b" in shown
    assert len(shown) < 5000
