"""Trunks that end a call which is not refreshed (RFC 4028): they are told to refresh it, and are answered each time."""

from __future__ import annotations

import re

import pytest

from tests.carrier.stage import HANGUP
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import (
    acknowledge,
    answer,
    description,
    expect,
    hang_up,
    invited,
    line_of,
    pause,
    refuse,
    ring,
    send_in_dialog,
    until,
)

WAITS = "<Response><Gather numDigits='1' action='/next' timeout='20'></Gather></Response>"


def offered(messages: str) -> list[tuple[str, str]]:
    """The interval and the least one of each INVITE of ours; '' for a header that is missing."""
    parts = [part for part in re.split(r"(?m)^-{10,}.*$", messages) if " received " in part]
    invites = [part for part in parts if "\nINVITE sip:" in part]

    def value(invite: str, name: str) -> str:
        found = re.search(rf"(?m)^{name}: (.*?)\r?$", invite)
        return found[1] if found else ""

    assert all("\nSupported: timer" in invite for invite in invites)
    return [(value(one, "Session-Expires"), value(one, "Min-SE")) for one in invites]


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
async def test_a_trunk_that_wants_timers_refreshes_the_call_and_is_answered(
    peer: MakePeer, on_trunks: OnTrunks, method: str
):
    refresh = (
        [send_in_dialog("UPDATE")]
        if method == "UPDATE"
        else [send_in_dialog("INVITE", body=description(), kind="application/sdp"), acknowledge()]
    )
    phone = await peer(
        ring(), answer(more="Require: timer\nSession-Expires: 90;refresher=uas\n"), pause(300), *refresh,
        pause(300), *refresh, hang_up(),
    )  # fmt: skip
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = WAITS
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    assert await phone.done() == 0, "each refresh is answered with 200"
    assert offered(phone.messages)[0] == ("1800;refresher=uas", "")


def unless_an_hour(*steps: str) -> list[str]:
    """422 to an INVITE that does not offer an hour without a refresh; these steps to one that does."""
    takes = '<ereg regexp="3600" search_in="hdr" header="Session-Expires:" assign_to="hour"/></action>'
    return [
        invited().replace("</action>", takes), '<nop next="takes" test="hour"/>',
        refuse("422 Session Interval Too Small", more="Min-SE: 3600\n"), '<nop next="over"/>',
        '<label id="takes"/>', *steps, '<label id="over"/>',
    ]  # fmt: skip


async def test_a_trunk_that_wants_a_longer_interval_is_dialled_again_with_it_and_then_at_once(
    peer: MakePeer, on_trunks: OnTrunks
):
    """Every call over such a trunk failed."""
    trunk = await peer(*unless_an_hour(ring(), answer(), expect("BYE")), calls=3)
    view = await on_trunks(trunk_to(trunk))
    view.app.documents["/start"] = HANGUP
    for _ in range(2):
        sid = await view.call()
        assert (await view.app.final(sid))["CallStatus"] == "completed"
        assert [one for one in view.app.statuses_of(sid) if one != "ringing"] == [
            "initiated", "in-progress", "completed",
        ]  # fmt: skip
    assert await trunk.done() == 0
    hour = ("3600;refresher=uas", "3600")
    assert offered(trunk.messages) == [("1800;refresher=uas", ""), hour, hour]
    await until(lambda: line_of(view.carrier).board.states["one"].in_use == 0, "the channel is free")


async def test_a_trunk_that_refuses_every_interval_is_dialled_once_more_at_most(
    peer: MakePeer, on_trunks: OnTrunks
):
    trunk = await peer(invited(), refuse("422 Session Interval Too Small", more="Min-SE: 3600\n"), calls=2)
    view = await on_trunks(trunk_to(trunk))
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], await trunk.done()) == ("failed", 0)
    assert len(offered(trunk.messages)) == 2
