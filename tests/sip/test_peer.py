"""The simulated people behind a SIP trunk, called by our own stack: what each does is what the simulated line says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from carrier.config import ServiceClock
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.peer import PeerConfig, SipPeer, called_number, greetings, read_packet
from carrier.lines.sip.trunks import Trunk
from carrier.people import AnsweredBy, Behaviour, PeopleConfig, Pickup
from dialer.demo.run import free_sip_port
from tests.carrier.stage import ADMIN, HANGUP, TO, App, DeskView, Start
from tests.sip.peers import HOST, StackProcess, line_of, prompt, until

GREETING, MAILBOX = greetings()
Begin = Callable[..., Awaitable[tuple[DeskView, SipPeer]]]


def one(**values: Any) -> Behaviour:  # noqa: ANN401 - fields of a behaviour
    soon = {
        "ring_after_seconds": (0.05, 0.05),
        "answer_after_seconds": (0.2, 0.2),
        "key_after_seconds": (0.2, 0.2),
    }
    return Behaviour(**{"name": "x", "share": 1, **soon, **values})


@pytest.fixture
async def town(bench: Start, app: App) -> AsyncIterator[Begin]:
    """A carrier on one trunk, whose every number is such a person's."""
    peers: list[SipPeer] = []
    stacks: list[StackProcess] = []

    async def begin(who: Behaviour) -> tuple[DeskView, SipPeer]:
        service = free_sip_port()
        port = free_sip_port(without=service)
        config = PeerConfig(
            port=port,
            service_port=service,
            people=PeopleConfig(behaviours=(who,)),
            seed="1",
            greeting=GREETING,
            long_greeting=MAILBOX,
        )
        peer = SipPeer(config)
        await peer.start()
        peers.append(peer)
        trunk = Trunk(name="one", address=f"{HOST}:{port}", number="047896110", keep_alive_seconds=1.0)
        view = await bench(
            make_line=lambda timers: SipLine(timers, trunks=(trunk,)),
            clock=ServiceClock(),
            inbound_url=f"{app.base}/in",
            inbound_status=f"{app.base}/in-status",
            inbound_number="+8647896110",
        )
        stacks.append(StackProcess(view.carrier.base_url, ADMIN, [trunk], listen=f"{HOST}:{service}"))
        await until(lambda: line_of(view.carrier).link is not None, "the SIP process connects")
        return view, peer

    yield begin
    for stack in stacks:
        stack.close()
    for peer in peers:
        await peer.stop()


_ASKS = (
    '<Response><Gather numDigits="1" timeout="8" actionOnEmptyResult="true" action="%s"><Play>/said.wav</Play>'
    "</Gather></Response>"
)


async def test_a_person_presses_a_key_for_each_question_after_hearing_it(town: Begin):
    view, peer = await town(one(keys=("1", "3")))
    app = view.app
    app.documents |= {
        "/start": _ASKS % "/second",
        "/second": _ASKS % "/last",
        "/last": HANGUP,
        "/said.wav": prompt(),
    }
    sid = await view.call(
        machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{app.base}/verdict"
    )
    await until(lambda: bool(app.at("/last")), "both keys have come")
    assert [app.at(path)[0].params["Digits"] for path in ("/second", "/last")] == ["1", "3"]
    final = await app.final(sid)
    assert (final["CallStatus"], final["SipResponseCode"]) == ("completed", "200")
    assert app.at("/verdict")[0].params["AnsweredBy"] == "human"
    await until(lambda: not peer.calls, "nothing is left of the call")
    await until(lambda: bool(line_of(view.carrier).qualities), "the call is measured")
    assert not line_of(view.carrier).qualities[-1]["one_way"]


@pytest.mark.parametrize(
    ("who", "status", "code", "line_result"),
    [
        (one(pickup=Pickup.BUSY), "busy", "486", None),
        (one(pickup=Pickup.REJECTED), "busy", "603", None),
        (one(pickup=Pickup.POWERED_OFF), "failed", "480", "powered_off"),
        (one(pickup=Pickup.INVALID), "failed", "404", None),
        (one(pickup=Pickup.BLOCKED), "failed", "403", None),
        (one(pickup=Pickup.NO_ANSWER), "no-answer", "487", None),
    ],
    ids=["busy", "rejected", "powered_off", "invalid", "blocked", "no_answer"],
)
async def test_whoever_does_not_answer_has_their_code(
    town: Begin, who: Behaviour, status: str, code: str, line_result: str | None
):
    view, peer = await town(who)
    final = await view.app.final(await view.call(timeout=1))
    assert (final["CallStatus"], final["SipResponseCode"]) == (status, code)
    assert final.get("X-LineResult") == line_result
    await until(lambda: not peer.calls, "nothing is left of the call")


async def test_a_mailbox_is_told_by_its_greeting_and_its_beep(town: Begin):
    view, _ = await town(one(answered_by=AnsweredBy.MACHINE_START))
    app = view.app
    app.documents["/start"] = "<Response><Pause length='9'/></Response>"
    sid = await view.call(
        machine_detection="DetectMessageEnd",
        async_amd="true",
        async_amd_status_callback=f"{app.base}/verdict",
    )
    final = await app.final(sid)
    (told,) = app.at("/verdict")
    assert told.params["AnsweredBy"] == "machine_end_beep"
    assert 5000 <= int(told.params["MachineDetectionDuration"]) <= 8000
    assert final["X-LineResult"] == "voicemail"


async def test_a_person_hangs_up(town: Begin):
    view, peer = await town(one(hang_up_after_seconds=(0.5, 0.5)))
    view.app.documents["/start"] = "<Response><Pause length='30'/></Response>"
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    await until(lambda: not peer.calls, "nothing is left of the call")


@pytest.mark.parametrize("hides", [False, True], ids=["shown", "hidden"])
async def test_a_person_calls_back(town: Begin, hides: bool):
    view, peer = await town(one(hides_number=hides, waits_seconds=20.0))
    app = view.app
    app.documents |= {
        "/in": (
            '<Response><Gather finishOnKey="#" timeout="8" action="/number"><Play>/said.wav</Play></Gather></Response>'
        ),
        "/number": HANGUP,
        "/said.wav": prompt(),
    }
    # Until its first OPTIONS is answered the stack takes no calls.
    state = line_of(view.carrier).board.states["one"]
    state.is_reachable = False
    await until(lambda: state.is_reachable, "the trunk answers")
    peer.line.call_in(TO)
    await until(lambda: bool(app.at("/in")), "the call is told")
    assert app.at("/in")[0].params["From"] == ("anonymous" if hides else TO.removeprefix("+86"))
    if hides:
        await until(lambda: bool(app.at("/number")), "the number is typed")
        assert app.at("/number")[0].params["Digits"] == TO.removeprefix("+86")
    else:
        view.carrier.exchange.halt()
    await until(lambda: not peer.calls, "nothing is left of the call")


async def test_an_options_request_is_answered(town: Begin):
    view, _ = await town(one())
    state = line_of(view.carrier).board.states["one"]
    await until(lambda: state.is_reachable, "it answers")
    assert not line_of(view.carrier).strangers


@pytest.mark.parametrize(
    ("user", "number"),
    [("13800138000", "+8613800138000"), ("047896111", "+8647896111"), ("8001", "8001")],
)
def test_whom_a_dialled_number_is(user: str, number: str):
    assert called_number(user) == number


def test_a_message_is_read_with_short_names_and_folded_noise_is_not():
    packet = read_packet(b"BYE sip:x@y SIP/2.0\r\nv: SIP/2.0/UDP a\r\ni: 7\r\nVia: SIP/2.0/UDP b\r\n\r\n")
    assert packet is not None
    assert (packet.method, packet.first("call-id")) == ("BYE", "7")
    assert packet.every("via") == ["SIP/2.0/UDP a", "SIP/2.0/UDP b"]
    assert read_packet(b"\0\0\0\0") is None
