"""A trunk over TCP, and over TLS with encrypted sound, with Debian's baresip as the other end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from carrier.lines.sip.trunks import BadTrunk, Trunk
from carrier.lines.sound import telephone_samples
from tests.certificates import certificate
from tests.ports import reserve_ports
from tests.sip.conftest import MakePerson, OnTrunks, trunk_to
from tests.sip.peers import HOST, line_of, prompt, until
from tests.sip.test_sound import HEARD, fits

_SAYS = "<Response><Play>/said.wav</Play><Pause length='1'/><Hangup/></Response>"


async def test_a_call_over_tcp(person: MakePerson, on_trunks: OnTrunks):
    callee = await person()
    view = await on_trunks(trunk_to(callee, transport="tcp"))
    view.app.documents |= {"/start": _SAYS, "/said.wav": prompt()}
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    await until(lambda: bool(line_of(view.carrier).qualities), "the call is measured")
    assert not line_of(view.carrier).qualities[-1]["one_way"]
    (messages, *_) = await line_of(view.carrier).trace(1)
    assert "TX tcp" in messages[0] or " TCP " in messages[0]


async def test_a_call_over_tls_with_encrypted_sound(person: MakePerson, on_trunks: OnTrunks, tmp_path: Path):
    public, both = certificate(tmp_path, "trunk")
    callee = await person(certificate=both)
    view = await on_trunks(
        trunk_to(callee, address=f"{HOST}:{callee.port + 1}", transport="tls", srtp=True), ca_file=str(public)
    )
    view.app.documents |= {"/start": _SAYS, "/said.wav": prompt()}
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    await until(callee.heard_whole, "baresip has written what it heard")
    found = fits(telephone_samples(prompt()), telephone_samples(callee.heard.read_bytes()))
    assert len(found) >= 6
    assert sum(one < HEARD for one in found) <= 1, found
    await until(lambda: bool(line_of(view.carrier).qualities), "the call is measured")
    assert not line_of(view.carrier).qualities[-1]["one_way"]
    (messages, *_) = await line_of(view.carrier).trace(1)
    assert "RTP/SAVP" in messages[0]


async def test_a_connection_that_is_lost_after_the_call_was_sent_is_followed_by_no_other_trunk(
    person: MakePerson, on_trunks: OnTrunks
):
    """The trunk may have rung the telephone before it went away."""
    got: list[bytes] = []

    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(hangs_up, HOST, 0)
    gone = server.sockets[0].getsockname()[1]
    second = await person()
    view = await on_trunks(
        Trunk(name="one", address=f"{HOST}:{gone}", number="96110", transport="tcp"),
        trunk_to(second, name="two", order=2),
    )
    final = await view.app.final(await view.call())
    server.close()
    assert got[0].startswith(b"INVITE ")
    assert (final["CallStatus"], final["SipResponseCode"]) == ("failed", "500")
    states = line_of(view.carrier).board.states
    assert (states["one"].ends, states["two"].placed) == ({"transport": 1}, 0)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_trunk_that_takes_no_connection_is_followed_by_the_next(
    person: MakePerson, on_trunks: OnTrunks, transport: str
):
    second = await person()
    view = await on_trunks(
        Trunk(name="one", address=f"{HOST}:{reserve_ports()}", number="96110", transport=transport),
        trunk_to(second, name="two", order=2),
    )
    view.app.documents["/start"] = "<Response><Hangup/></Response>"
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    assert line_of(view.carrier).board.states["one"].ends == {"transport": 1}


async def test_a_trunk_whose_certificate_is_not_known_gets_no_call(
    person: MakePerson, on_trunks: OnTrunks, tmp_path: Path
):
    _, both = certificate(tmp_path, "trunk")
    other, _ = certificate(tmp_path, "other")
    callee = await person(certificate=both)
    view = await on_trunks(
        trunk_to(callee, address=f"{HOST}:{callee.port + 1}", transport="tls", srtp=True), ca_file=str(other)
    )
    view.app.documents["/start"] = _SAYS
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final["SipResponseCode"]) == ("failed", "403")
    assert not view.app.at("/start")


def test_the_key_of_the_sound_is_never_sent_in_clear():
    with pytest.raises(BadTrunk, match="tls"):
        Trunk(name="x", address="10.0.0.1", number="96110", srtp=True)
