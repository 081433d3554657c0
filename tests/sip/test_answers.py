"""What counts as an answer and as heard: only sound that left us, and that the far side does not report as lost."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from tests.carrier.stage import HANGUP
from tests.ports import reserve_ports
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import (
    HOST,
    acknowledge,
    answer,
    answer_as,
    description,
    expect,
    line_of,
    pause,
    prompt,
    ring,
    send_in_dialog,
    until,
)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(
            "m=audio [media_port] RTP/AVP 18\na=rtpmap:18 G729/8000", id="a codec that we did not offer"
        ),
        pytest.param("m=audio 0 RTP/AVP 8\na=rtpmap:8 PCMA/8000", id="no port"),
        pytest.param("m=audio [media_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\na=inactive", id="inactive"),
        pytest.param("", id="no description"),
    ],
)
async def test_an_answer_that_lets_no_sound_of_ours_leave_is_no_answer(
    peer: MakePeer, on_trunks: OnTrunks, sound: str
):
    """It counted as answered, and the opening as heard, and held the line for 222 seconds."""
    phone = await peer(ring(), answer_as(sound), expect("BYE"))
    second = await peer(ring(), answer(), expect("BYE"))
    view = await on_trunks(trunk_to(phone), trunk_to(second, name="two", order=2))
    view.app.documents["/start"] = "<Response><Pause length='30'/></Response>"
    sid = await view.call()
    final = await view.app.final(sid)
    assert view.app.statuses_of(sid) == ["initiated", "ringing", "failed"]
    assert (final["SipResponseCode"], final.get("X-LineResult")) == ("488", None)
    assert await phone.done() == 0, "it is hung up"
    line = line_of(view.carrier)
    await until(lambda: line.board.states["one"].in_use == 0, "the channel is free")
    assert line.board.states["one"].ends == {"no_way": 1}
    assert not view.app.at("/start")
    assert "INVITE" not in second.messages, "a person who has answered is not rung again"


async def test_an_answer_whose_sound_is_described_a_moment_later_is_an_answer(
    peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path
):
    resumes = send_in_dialog("INVITE", body=description(), kind="application/sdp")
    phone = await peer(
        ring(),
        answer_as("m=audio [media_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\na=inactive"),
        pause(100),
        resumes,
        acknowledge(),
        expect("BYE"),
    )
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = HANGUP
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    assert await phone.done() == 0


class Listener(asyncio.DatagramProtocol):
    """A telephone's sound: it sends silence for each packet of ours, and reports once, by RTCP, how many of them it
    lost.
    """

    def __init__(self, *, lost: int) -> None:
        self._lost = lost
        self._heard = 0
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self.transport is not None
        sequence, ours = struct.unpack(">2xH4xI", data[:12])
        self._heard += 1
        rtp = struct.pack(">BBHII", 0x80, 8, self._heard, self._heard * 160, _SOURCE) + b"\xd5" * 160
        self.transport.sendto(rtp, addr)
        if self._heard == _REPORTS_AT:
            report = struct.pack(
                ">BBHIIIIII", 0x81, 200, 12, _SOURCE, 1, 0, 0, self._heard, 160 * self._heard
            )
            about_us = struct.pack(">IIIIII", ours, self._lost, sequence, 0, 0, 0)
            self.transport.sendto(report + about_us, (addr[0], addr[1] + 1))


_SOURCE = 4711
_REPORTS_AT = 75


@pytest.mark.parametrize(("lost", "unplayed"), [(70, "true"), (3, None)])
async def test_a_prompt_that_did_not_arrive_by_the_far_sides_own_report_is_not_heard(
    peer: MakePeer, on_trunks: OnTrunks, lost: int, unplayed: str | None
):
    port = reserve_ports()
    loop = asyncio.get_running_loop()
    listener = Listener(lost=lost)
    transport, _ = await loop.create_datagram_endpoint(lambda: listener, local_addr=(HOST, port))
    listener.transport = transport
    try:
        phone = await peer(
            ring(), answer_as(f"m=audio {port} RTP/AVP 8\na=rtpmap:8 PCMA/8000"), expect("BYE")
        )
        view = await on_trunks(trunk_to(phone))
        view.app.documents |= {
            "/start": "<Response><Play>/said.wav</Play><Redirect>/next</Redirect></Response>",
            "/said.wav": prompt(),
            "/next": HANGUP,
        }
        assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
        (asked,) = view.app.at("/next")
        assert asked.params.get("X-Unplayed") == unplayed
    finally:
        transport.close()
