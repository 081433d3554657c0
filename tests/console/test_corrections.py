"""The pages of orders to correct: from a unit's record to an order, the unit's answer, and the decision."""

from __future__ import annotations

import re

import pytest

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.units import add_unit
from tests.console.desk import ConsoleDesk, Person, text


@pytest.fixture
def units(console: ConsoleDesk) -> dict[str, int]:
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        return {"city": city, "station": add_unit(tx, name="城关派出所", parent_id=city)}


@pytest.fixture
def chief(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login="wang"))


@pytest.fixture
def officer(console: ConsoleDesk, units: dict[str, int]) -> Person:
    return console.signed_in(console.account(Role.OFFICER, login="ann", unit_id=units["station"]))


def form(units: dict[str, int], **changed: str) -> dict[str, str]:
    return {
        "unit": str(units["station"]),
        "text": "三条高危预警超时签收",
        "deadline": "2026-11-28T18:00",
        "month": "2026-11",
    } | changed


async def issued(chief: Person, units: dict[str, int]) -> str:
    answer = await chief.post("/corrections/new", **form(units))
    return str(answer.headers["location"])


async def test_an_order_is_issued_answered_and_closed(
    console: ConsoleDesk, chief: Person, officer: Person, units: dict[str, int]
):
    page = text(await chief.get("/corrections/new", unit=units["station"], month="2026-11"))
    assert "What is to be corrected" in page
    address = await issued(chief, units)
    assert "to be signed for" in text(await chief.get(address))
    seen = text(await officer.get("/corrections"))
    assert "城关派出所" in seen
    assert "record of 2026-11" in seen
    shown = text(await officer.get(address))
    assert "三条高危预警超时签收" in shown
    assert "Accept the answer" not in shown
    await officer.post(address, event="signed")
    await officer.post(address, event="answered", text="已整改")
    back = await chief.post(address, event="sent_back", text="原因未查明", deadline="")
    assert back.status_code == 422
    assert "is not a time" in text(back)
    await chief.post(address, event="sent_back", text="原因未查明", deadline="2026-12-02T12:00")
    await officer.post(address, event="answered", text="查明：交接班漏接")
    closed = await chief.post(address, event="closed")
    assert closed.headers["location"] == address
    page = text(await chief.get(address))
    assert "Course of the order" in page
    assert "原因未查明" in page
    assert "What can be done" not in page
    assert "No orders to correct" in text(await chief.get("/corrections"))
    assert "closed" in text(await chief.get("/corrections", show="all"))
    assert [line["act"] for line in console.rows(t.audit) if line["subject"].startswith("correction/")] == [
        "issue_correction",
        "sign_correction",
        "answer_correction",
        "send_back_correction",
        "answer_correction",
        "close_correction",
    ]


async def test_an_order_that_moved_on_is_shown_with_the_reason(
    chief: Person, officer: Person, units: dict[str, int]
):
    address = await issued(chief, units)
    await officer.post(address, event="answered", text="已整改")
    late = await officer.post(address, event="answered", text="又一次")
    assert late.status_code == 409
    assert "look at its page again" in text(late)


@pytest.mark.parametrize(
    ("field", "typed"), [("unit", ""), ("text", " "), ("deadline", "soon"), ("case", "x"), ("month", "x")]
)
async def test_what_is_wrong_is_said_at_its_field(
    console: ConsoleDesk, chief: Person, units: dict[str, int], field: str, typed: str
):
    answer = await chief.post("/corrections/new", **form(units, **{field: typed}))
    assert answer.status_code == 422
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', answer.text, re.DOTALL)
    assert console.rows(t.correction_order) == []


async def test_the_record_of_a_unit_and_a_case_lead_to_the_form(
    console: ConsoleDesk, chief: Person, units: dict[str, int]
):
    answer = await chief.get("/corrections/new", unit=units["station"], month="2026-11")
    assert re.search(rf'<option value="{units["station"]}" selected', answer.text)
    assert (await chief.get("/corrections/new", case="77")).status_code == 404
    officer = console.person(Role.OFFICER, unit_id=units["station"])
    assert "New order" not in text(await officer.get("/corrections"))
