"""Trunks against kamailio and sipp: digest, registration, outbound proxy, keep-alive, fail-over and rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from carrier.lines.sip.board import TrunkState
from tests.carrier.stage import HANGUP, DeskView
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import Peer, answer, expect, line_of, pause, refuse, ring, until
from tests.sip.registrar import PASSWORD, USER, Kamailio, missing

TALK = "<Response><Pause length='30'/></Response>"
ANSWERS = (ring(), pause(100), answer(), expect("BYE"))
needs_kamailio = pytest.mark.skipif(bool(missing()), reason=missing() or "it is there")
MakeProxy = Callable[[Peer], Awaitable[Kamailio]]


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[MakeProxy]:
    """Starts kamailio in front of a peer."""
    made: list[Kamailio] = []

    async def begin(behind: Peer) -> Kamailio:
        made.append(Kamailio(tmp_path, behind=behind))
        return await made[-1].ready()

    yield begin
    for one in made:
        one.close()


def registered(at: Kamailio, **values: Any) -> Any:  # noqa: ANN401 - fields of a trunk
    return trunk_to(at, **{"user": USER, "password": PASSWORD, "registers": True, **values})  # type: ignore[arg-type]


def state(view: DeskView, name: str = "one") -> TrunkState:
    return line_of(view.carrier).board.states[name]


def problem(view: DeskView, name: str = "one") -> str:
    line = line_of(view.carrier)
    return state(view, name).problem(line.timers.monotonic())


async def completed(view: DeskView) -> dict[str, str]:
    view.app.documents["/start"] = HANGUP
    return await view.app.final(await view.call())


@needs_kamailio
async def test_a_trunk_that_demands_digest_is_registered_and_calls(
    peer: MakePeer, proxy: MakeProxy, on_trunks: OnTrunks
):
    phone = await peer(*ANSWERS)
    view = await on_trunks(registered(await proxy(phone)))
    await until(lambda: not problem(view), "it is registered")
    assert (await completed(view))["CallStatus"] == "completed"
    assert await phone.done() == 0
    assert PASSWORD not in phone.messages
    assert "From: <sip:047896110@" in phone.messages


@needs_kamailio
async def test_with_a_wrong_password_no_call_is_sent_and_the_password_is_never_said(
    peer: MakePeer, proxy: MakeProxy, on_trunks: OnTrunks, capfd: pytest.CaptureFixture[str]
):
    phone = await peer(*ANSWERS)
    view = await on_trunks(registered(await proxy(phone), password="wrong-and-secret"))
    final = await completed(view)
    assert (final["CallStatus"], final["SipResponseCode"]) == ("failed", "403")
    assert problem(view) == "not_registered"
    assert phone.messages == ""
    assert "wrong-and-secret" not in str(line_of(view.carrier).as_json())
    assert "wrong-and-secret" not in "".join(capfd.readouterr())


@needs_kamailio
async def test_a_call_refused_for_its_credentials_is_ours_and_rests_the_trunk(
    peer: MakePeer, proxy: MakeProxy, on_trunks: OnTrunks
):
    phone = await peer(*ANSWERS)
    by_address = trunk_to(await proxy(phone), user=USER, password="wrong-and-secret")  # type: ignore[arg-type]
    view = await on_trunks(by_address)
    finals = [await completed(view) for _ in range(3)]
    assert {(final["CallStatus"], final["SipResponseCode"]) for final in finals} == {("failed", "403")}
    assert problem(view) == "resting"
    assert set(state(view).ends) <= {"401", "407"}
    assert phone.messages == ""


@needs_kamailio
async def test_an_outbound_proxy_is_used_for_a_domain_that_has_no_address(
    peer: MakePeer, proxy: MakeProxy, on_trunks: OnTrunks
):
    phone = await peer(*ANSWERS)
    through = await proxy(phone)
    view = await on_trunks(registered(through, address="ims.example.invalid", proxy=through.address))
    await until(lambda: not problem(view), "it is registered")
    assert (await completed(view))["CallStatus"] == "completed"
    assert "INVITE sip:13800138000@ims.example.invalid" in phone.messages


@needs_kamailio
async def test_a_lost_registration_sends_calls_elsewhere_until_it_is_there_again(
    peer: MakePeer, proxy: MakeProxy, on_trunks: OnTrunks
):
    phone, other = await peer(*ANSWERS, calls=2), await peer(*ANSWERS)
    registrar = await proxy(phone)
    view = await on_trunks(
        registered(registrar, register_seconds=2),
        trunk_to(other, name="two", order=2),
        register_wait_seconds=0.5,
    )
    await until(lambda: not problem(view), "it is registered")
    await completed(view)
    registrar.kill()
    await registrar.again(password="another")
    await until(lambda: problem(view) == "not_registered", "the registration is lost")
    await completed(view)
    assert (state(view).placed, state(view, "two").placed) == (1, 1)
    registrar.kill()
    await registrar.again()
    await until(lambda: not problem(view), "it is registered again")
    assert (await completed(view))["CallStatus"] == "completed"
    assert state(view).placed == 2


@needs_kamailio
async def test_a_trunk_that_cannot_be_reached_is_found_by_options_and_used_again_when_it_is_back(
    peer: MakePeer, proxy: MakeProxy, on_trunks: OnTrunks
):
    phone, other = await peer(*ANSWERS), await peer(*ANSWERS)
    trunk = await proxy(phone)
    values = {"user": USER, "password": PASSWORD, "keep_alive_seconds": 0.2}
    view = await on_trunks(
        trunk_to(trunk, **values),  # type: ignore[arg-type]
        trunk_to(other, name="two", order=2),
    )
    trunk.freeze()
    await until(lambda: problem(view) == "unreachable", "it does not answer OPTIONS")
    assert (await completed(view))["CallStatus"] == "completed"
    assert state(view, "two").placed == 1
    trunk.thaw()
    await until(lambda: not problem(view), "it answers again")
    assert (await completed(view))["CallStatus"] == "completed"
    assert state(view).placed == 1


@pytest.mark.parametrize(
    "status", ["500 Server Internal Error", "503 Service Unavailable", "504 Server Time-out"]
)
async def test_a_trunk_that_answers_with_5xx_is_followed_by_the_next(
    peer: MakePeer, on_trunks: OnTrunks, status: str
):
    broken, phone = await peer(ring("100 Trying"), refuse(status)), await peer(*ANSWERS)
    view = await on_trunks(trunk_to(broken), trunk_to(phone, name="two", order=2))
    view.app.documents["/start"] = HANGUP
    sid = await view.call()
    assert (await view.app.final(sid))["CallStatus"] == "completed"
    assert view.app.statuses_of(sid) == ["initiated", "ringing", "in-progress", "completed"]
    assert (state(view).placed, state(view, "two").placed) == (1, 1)
    assert await phone.done() == 0


async def test_no_other_trunk_is_tried_once_the_phone_may_have_rung(peer: MakePeer, on_trunks: OnTrunks):
    rings_then_fails, phone = await peer(ring(), refuse("503 Service Unavailable")), await peer(*ANSWERS)
    view = await on_trunks(trunk_to(rings_then_fails), trunk_to(phone, name="two", order=2))
    final = await completed(view)
    assert (final["CallStatus"], final["SipResponseCode"]) == ("failed", "403")
    assert state(view, "two").placed == 0
    assert phone.messages == ""


async def test_two_trunks_share_the_calls_and_when_one_is_killed_the_other_takes_them(
    peer: MakePeer, on_trunks: OnTrunks
):
    one, two = await peer(*ANSWERS, calls=10), await peer(*ANSWERS, calls=20)
    values = {"calls_per_second": 50.0, "keep_alive_seconds": 0.2}
    view = await on_trunks(trunk_to(one, **values), trunk_to(two, name="two", **values))
    view.app.documents["/start"] = TALK
    sids = [await view.call(f"+8613800138{n:03d}") for n in range(6)]
    await view.app.until(lambda: all("in-progress" in view.app.statuses_of(sid) for sid in sids))
    assert (state(view).in_use, state(view, "two").in_use) == (3, 3)
    one.close()
    await until(lambda: problem(view) == "unreachable", "the killed one is missed")
    more = [await view.call(f"+8613800139{n:03d}") for n in range(4)]
    await view.app.until(lambda: all("in-progress" in view.app.statuses_of(sid) for sid in more))
    assert (state(view).placed, state(view, "two").placed) == (3, 7)
    numbers = [line for line in two.messages.splitlines() if line.startswith("INVITE ")]
    assert len(set(numbers)) == 7
    view.carrier.exchange.halt()


@pytest.mark.parametrize("number", ["+12025550123", "+85223456789", "+861680012345", "110", "119"])
async def test_a_number_outside_the_dial_plan_never_leaves_the_house(
    peer: MakePeer, on_trunks: OnTrunks, number: str
):
    phone = await peer(*ANSWERS)
    view = await on_trunks(trunk_to(phone), desk_numbers=("8001",))
    with pytest.raises(Exception, match="not authorized"):
        await view.call(number)
    assert phone.messages == ""
