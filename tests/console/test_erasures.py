"""Erasures in the console: one supervisor asks, another one confirms, holds refuse; certificates are shown."""

from __future__ import annotations

import pytest

from dialer.core.access import Role, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, NotPermitted
from dialer.db import tables as t
from dialer.retention.erasure import ask_erasure, confirm_erasure
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import NAME, PHONE


async def test_two_supervisors_erase_and_a_hold_stands_in_their_way(console: ConsoleDesk):
    town = ConsoleScenario(console)
    person = town.person(name=NAME, phones=(PHONE,))
    case_id = town.case(person_id=person, status=CaseStatus.CLOSED, warning=False)
    zhao = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    sun = console.signed_in(console.account(Role.SUPERVISOR, login="sun"))
    auditor = console.person(Role.AUDITOR)
    of = {"case": str(case_id), "why": "本人要求删除"}

    assert (await zhao.post("/erasures/ask", **of | {"why": " "})).status_code == 422
    assert (await zhao.post("/erasures/hold", **of)).status_code == 303
    held = await zhao.post("/erasures/ask", **of)
    assert (held.status_code, "legal hold" in text(held)) == (409, True)
    assert "本人要求删除" in text(await auditor.get("/erasures"))
    assert (await sun.post("/erasures/lift", **of)).status_code == 303
    assert (await zhao.post("/erasures/ask", **of)).status_code == 303
    request = console.rows(t.erasure)[0]["id"]

    own = await zhao.get("/erasures")
    assert f"confirm-{request}" not in own.text
    refused = await zhao.post(f"/erasures/{request}/confirm")
    assert (refused.status_code, "second person" in text(refused)) == (409, True)
    register = console.app.settings.register_of_erasures()
    with pytest.raises(Conflict, match="second person"):
        confirm_erasure(console.app.services, unrestricted("Zhao"), request, register=register)
    assert f"confirm-{request}" in (await sun.get("/erasures")).text
    assert (await sun.post(f"/erasures/{request}/confirm")).status_code == 303
    shown = text(await auditor.get("/erasures"))
    assert "person.sealed" in shown
    assert "Certificate" in shown
    assert NAME not in (await zhao.get(f"/cases/{case_id}")).text
    assert console.app.settings.register_of_erasures().exists()


async def test_an_account_whose_role_may_not_is_refused_at_the_terminal_too(console: ConsoleDesk):
    town = ConsoleScenario(console)
    case_id = town.case(person_id=town.person(name=NAME, phones=(PHONE,)), status=CaseStatus.CLOSED)
    caller = console.account(Role.CALLER, login="li").actor
    with pytest.raises(NotPermitted, match="li may not do this; roles that may: supervisor"):
        ask_erasure(console.app.services, caller, case_id, why="x")
