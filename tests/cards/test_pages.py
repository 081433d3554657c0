"""The pages of the counter, the desk and the restrictions, as people use them."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.cards.openings.institutions import bind_teller
from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from tests.cards.street import BANK, OTHER_BANK, Street, id_number
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario


def teller(console: ConsoleDesk, street: Street, bank: str = BANK) -> Person:
    person = console.signed_in(console.account(Role.TELLER, login=f"teller-{bank == BANK}".lower()))
    bind_teller(
        street.services, unrestricted("test"), login=person.member.login, institution=bank, code=f"{bank}1"
    )
    return person


FORM = {"opening_no": "A-1", "product": "account_1", "name": "王小明", "phone": "13800138001"}


async def test_a_teller_checks_asks_and_decides_and_the_customer_gets_a_slip(
    console: ConsoleDesk, street: Street
):
    at_counter, desk = teller(console, street), console.person(Role.CALLER)
    for n in range(3):
        street.enter(street.record(7, hours_ago=n + 1, opening_no=f"B-{n}"))
    wrong = await at_counter.post("/counter", **FORM, id_number="123")
    assert wrong.status_code == 422
    assert "is not a valid id number" in text(wrong)
    done = await at_counter.post("/counter", **FORM, id_number=id_number(7))
    assert done.status_code == 303
    path = done.headers["location"]
    page = text(await at_counter.get(path))
    assert "ask the desk" in page
    assert "the verification desk is asked before this card is opened" in page
    assert "within 24 hours" not in page
    assert "王小明" not in page
    await at_counter.post(f"{path}/ask", note="说不清用途")
    assert "Your question waits. Before it: 0." in text(await at_counter.get(path))
    assert "河套银行" in text(await desk.part("/cards/desk"))
    [question] = console.rows(t.card_question)
    own = f"/cards/desk/questions/{question['id']}"
    assert "王小明" not in text(await desk.get(own))
    assert (await desk.post(f"{own}/claim")).status_code == 303
    assert "王小明" in text(await desk.get(own))
    refused = await desk.post(f"{own}/answer", answer="advise_refusal", reason=" ", basis="第十六条")
    assert refused.status_code == 422
    await desk.post(f"{own}/answer", answer="advise_refusal", reason="用途不明", basis="反诈法第十六条")
    told = text(await at_counter.get(path))
    assert "advise refusal · 用途不明" in told
    assert (await at_counter.post(f"{path}/result", result="refused", why="")).status_code == 422
    assert console.rows(t.opening)[-1]["result"] == "in_progress"
    await at_counter.post(f"{path}/result", result="refused", why="用途不明")
    slip = text(await at_counter.get(f"{path}/slip"))
    for part in ("refused", "用途不明", "Your right to object", "96110", "within 15 days"):
        assert part in slip
    assert (await at_counter.post(f"{path}/object", words="我要申诉")).status_code == 303
    assert (await teller(console, street, OTHER_BANK).get(path)).status_code == 404


async def test_a_teller_learns_of_nobody_at_risk_before_the_card_is_open(
    console: ConsoleDesk, street: Street
):
    """It said of each customer whether a fraud is under way, in words and by where the time went."""
    at_counter = teller(console, street)
    street.warned(street.record(1))  # now there is a case of person 1
    for n in range(3):
        street.enter(street.record(2, hours_ago=n + 1))
    pages = []
    for n in (1, 2):
        form = FORM | {"opening_no": f"N-{n}", "id_number": id_number(n)}
        done = await at_counter.post("/counter", **form)
        assert done.status_code == 303
        path = done.headers["location"]
        shown = text(await at_counter.get(path))
        pages.append(shown.replace(f"N-{n}", ""))
        assert "Who asked you to open this card today" in shown
        assert "victim" not in shown
    assert pages[0] == pages[1]
    assert "possible victim" not in text(await at_counter.get("/counter"))
    await at_counter.post(f"{path}/result", result="refused", why="用途不明")
    assert "within 24 hours" not in text(await at_counter.get(path)), (
        "a refusal costs nothing and tells nothing"
    )
    form = FORM | {"opening_no": "N-3", "id_number": id_number(2)}
    path = (await at_counter.post("/counter", **form)).headers["location"]
    await at_counter.post(f"{path}/result", result="opened", number="")
    assert "within 24 hours" not in text(await at_counter.get(path)), "not without the number of the card"
    form = FORM | {"opening_no": "N-4", "id_number": id_number(2)}
    path = (await at_counter.post("/counter", **form)).headers["location"]
    await at_counter.post(f"{path}/result", result="opened", number="6222000011112222")
    assert "cards within 24 hours" in text(await at_counter.get(path))


async def test_a_teller_without_an_outlet_does_nothing(console: ConsoleDesk):
    nobody = console.person(Role.TELLER)
    assert "belongs to no outlet yet" in text(await nobody.get("/counter"))
    assert (await nobody.post("/counter", **FORM, id_number=id_number(1))).status_code == 404
    assert (await nobody.get("/cases")).status_code == 403
    assert (await nobody.get("/board")).status_code == 403


async def test_two_people_restrict_a_person_and_another_lifts_it(console: ConsoleDesk, street: Street):
    officer, supervisor = console.person(Role.OFFICER), console.person(Role.SUPERVISOR)
    form = {
        "name": "王小明",
        "id_number": id_number(7),
        "document_no": "巴公反字1号",
        "authority": "巴彦淖尔市公安局",
        "from_on": "2026-11-01",
        "years": "2",
    }
    assert (await officer.post("/cards/restrictions", **form)).status_code == 303
    [row] = console.rows(t.card_determination)
    own = f"/cards/restrictions/{row['id']}"
    assert (await officer.post(f"{own}/approve")).status_code == 403
    assert (await supervisor.post(f"{own}/approve")).status_code == 303
    at_counter = teller(console, street)
    done = await at_counter.post("/counter", **FORM, id_number=id_number(7))
    page = text(await at_counter.get(done.headers["location"]))
    assert "document 巴公反字1号, from 2026-11-01 until 2028-11-01" in page
    await officer.post(f"{own}/object", words="认定有误")
    [objection] = console.rows(t.card_objection)
    path = f"/cards/objections/{objection['id']}/uphold"
    assert (await supervisor.post(path, reason="属实")).status_code == 409
    second = console.signed_in(console.account(Role.SUPERVISOR, login="second"))
    assert (await second.post(path, reason="属实")).status_code == 303
    # The open page asks for its notices every twenty seconds.
    assert "it no longer applies" in text(await at_counter.part("/counter"))
    told = await at_counter.get("/counter")
    assert "it no longer applies" in text(told)
    found = re.search(r'action="(/counter/notices/[0-9]+/seen)"', told.text)
    assert found is not None
    await at_counter.post(found[1])
    assert "it no longer applies" not in text(await at_counter.get("/counter"))


async def test_a_ring_is_drawn_and_signed_for(console: ConsoleDesk, street: Street):
    away = {"home": "410101", "purpose": "买牛羊周转资金", "limit_fen": 50_000_000}
    for n in (11, 12, 13):
        street.check(street.record(n, **away))
    officer = console.person(Role.OFFICER)
    listed = await officer.get("/cards/openers")
    found = re.search(r'href="(/cards/rings/[0-9]+)"', listed.text)
    assert found is not None
    drawn = await officer.get(found[1])
    assert drawn.text.count("<circle") == 4
    assert "purpose of 3 persons" in text(drawn)
    [row] = console.rows(t.card_opener)
    own = f"/cards/openers/{row['id']}"
    assert (await officer.post(f"{own}/confirm", why="x")).status_code == 409
    assert (await officer.post(f"{own}/sign")).status_code == 303
    assert (await officer.post(f"{own}/confirm", why="核实为团伙")).status_code == 303
    assert "confirmed" in text(await officer.get("/cards/openers?state=confirmed"))


def confirmed_finding(street: Street, n: int = 7, *, hours: int = 24, **columns: object) -> int:
    """A finding about a person with openings at two banks, which `officer` has confirmed."""
    checked = street.check(street.record(n))
    street.check(street.record(n), street.outlets[OTHER_BANK])
    now = street.services.clock.now()
    with street.services.store.begin() as tx:
        opening = tx.one(sa.select(t.opening).where(t.opening.c.id == checked.opening_id))
        assert opening is not None
        values = {
            "person_blind": opening["person_blind"], "opening_id": checked.opening_id, "findings": [],
            "listed_at": now, "expires_at": now + timedelta(hours=hours),
            "state": "confirmed", "decided_by": "officer", "decided_at": now,
        }  # fmt: skip
        made = sa.insert(t.card_opener).values(values | columns).returning(t.card_opener.c.id)
        return int(tx.scalar(made))


async def test_an_objection_to_a_finding_is_taken_checked_and_lifts_it(console: ConsoleDesk, street: Street):
    opener_id = confirmed_finding(street)
    own = f"/cards/openers/{opener_id}"
    officer, clerk = (
        console.person(Role.OFFICER),
        console.signed_in(console.account(Role.OFFICER, login="two")),
    )
    assert f'action="{own}/object"' in (await clerk.get("/cards/openers")).text
    for _ in range(2):  # pressed twice
        assert (await clerk.post(f"{own}/object", words="我不认识他们")).status_code == 303
    another = await clerk.post(f"{own}/object", words="还有话说")
    assert another.status_code == 409
    assert "an objection to this is open already" in text(another)
    assert f'action="{own}/object"' not in another.text
    assert (await clerk.post("/cards/openers/999/object", words="x")).status_code == 404
    shown = text(await officer.get("/cards/restrictions"))
    assert f"Finding {opener_id} 我不认识他们" in shown
    [objection] = console.rows(t.card_objection)
    path = f"/cards/objections/{objection['id']}/uphold"
    for person in (officer, clerk):
        assert (await person.post(path, reason="查证属实")).status_code == 409
    second = console.signed_in(console.account(Role.SUPERVISOR, login="second"))
    assert (await second.post(path, reason="查证属实")).status_code == 303
    assert [one["state"] for one in console.rows(t.card_opener)] == ["lifted"]
    told = [one["outlet_id"] for one in console.rows(t.outlet_notice)]
    assert sorted(told) == sorted({street.bank.id, street.outlets[OTHER_BANK].id})
    assert (await clerk.post(f"{own}/object", words="还是要申诉")).status_code == 409


async def test_a_check_at_the_counter_says_nothing_by_its_time(console: ConsoleDesk, street: Street):
    at_counter, least = teller(console, street), street.services.cards.answer_seconds
    begun = time.monotonic()
    assert (await at_counter.post("/counter", **FORM, id_number=id_number(7))).status_code == 303
    assert time.monotonic() - begun >= least > 0


@pytest.mark.parametrize(("button", "state"), [("confirm", "confirmed"), ("lift", "lifted")])
async def test_each_button_of_a_signed_finding_decides_what_it_says(
    console: ConsoleDesk, street: Street, button: str, state: str
):
    signed = confirmed_finding(street, state="signed", decided_by=None, decided_at=None)
    officer = console.person(Role.OFFICER)
    assert (await officer.post(f"/cards/openers/{signed}/sign")).status_code in {303, 409}
    done = await officer.post(f"/cards/openers/{signed}/{button}", why="查证属实")
    assert done.status_code == 303, text(done)
    assert [one["state"] for one in console.rows(t.card_opener)] == [state]


@pytest.mark.parametrize(
    "columns",
    [{"state": "signed", "decided_by": None, "decided_at": None}, {"state": "lifted"}, {"hours": 0}],
)
async def test_nobody_objects_to_a_finding_that_does_not_hold(
    console: ConsoleDesk, street: Street, columns: dict[str, Any]
):
    own = f"/cards/openers/{confirmed_finding(street, **columns)}"
    officer = console.person(Role.OFFICER)
    assert f'action="{own}/object"' not in (await officer.get("/cards/openers")).text
    assert (await officer.post(f"{own}/object", words="x")).status_code == 409
    assert console.rows(t.card_objection) == []


async def test_a_person_of_a_ring_objects_to_the_refusal(console: ConsoleDesk, street: Street):
    for n in (11, 12, 13):
        street.check(street.record(n, home="410101", purpose="买牛羊周转资金", limit_fen=50_000_000))
    officer = console.person(Role.OFFICER)
    [row] = console.rows(t.card_opener)
    own = f"/cards/openers/{row['id']}"
    await officer.post(f"{own}/sign")
    await officer.post(f"{own}/confirm", why="核实为团伙")
    assert f'action="{own}/object"' not in (await officer.get("/cards/openers")).text
    answer = await officer.post(f"{own}/object", words="x")
    assert answer.status_code == 409
    assert "objects to the refusal of the opening" in text(answer)


async def test_an_objection_to_an_earlier_finding_lifts_no_later_one(console: ConsoleDesk, street: Street):
    opener_id = confirmed_finding(street)
    own = f"/cards/openers/{opener_id}"
    await console.signed_in(console.account(Role.OFFICER, login="two")).post(f"{own}/object", words="x")
    [objection] = console.rows(t.card_objection)
    console.pass_seconds(86_400 * 2)
    again = {"decided_by": "second", "decided_at": street.services.clock.now()}
    with street.services.store.begin() as tx:
        tx.execute(sa.update(t.card_opener).values(again))
    second = console.signed_in(console.account(Role.SUPERVISOR, login="second"))
    path = f"/cards/objections/{objection['id']}"
    answer = await second.post(f"{path}/uphold", reason="属实")
    assert answer.status_code == 409
    assert [one["state"] for one in console.rows(t.card_opener)] == ["confirmed"]
    assert (await second.post(f"{path}/reject", reason="认定已变更")).status_code == 303


async def test_a_unit_takes_objections_to_the_findings_that_it_sees(console: ConsoleDesk, street: Street):
    opener_id = confirmed_finding(street)
    unit_id = ConsoleScenario(console).unit("五原县局")
    away = console.signed_in(console.account(Role.OFFICER, login="away", unit_id=unit_id))
    assert (await away.post(f"/cards/openers/{opener_id}/object", words="x")).status_code == 404
    assert console.rows(t.card_objection) == []


async def test_the_stream_says_when_a_question_has_come(console: ConsoleDesk, street: Street):
    desk = console.person(Role.CALLER)
    live = await desk.get("/cards/desk/live")
    assert "event: changed" in live.text


async def test_a_session_has_four_streams_and_leaves_room_to_others(console: ConsoleDesk, street: Street):
    desk, path, as_stream = console.person(Role.CALLER), "/cards/desk/live", {"accept": "text/event-stream"}
    watching = [asyncio.create_task(desk.client.get(path, headers=as_stream)) for _ in range(4)]
    mounted = [getattr(route, "app", None) for route in console.web.routes]
    (pages,) = [one for one in mounted if hasattr(getattr(one, "state", None), "console_context")]
    for _ in range(3000):
        if hasattr(pages.state, "card_streams") and pages.state.card_streams.open.total() == 4:
            break
        await asyncio.sleep(0.01)
    assert (await desk.client.get(path, headers=as_stream)).status_code == 503
    assert (await console.person(Role.SUPERVISOR).get(path)).status_code == 200
    pages.state.card_streams.stop()
    assert {one.status_code for one in await asyncio.gather(*watching)} == {200}
    assert pages.state.card_streams.open.total() == 0


async def test_a_teller_checks_a_customer_who_leaves_nothing_but_the_id(console: ConsoleDesk, street: Street):
    at_counter = teller(console, street)
    bare = {"opening_no": "A-2", "name": "王小明", "id_number": id_number(7)}
    done = await at_counter.post("/counter", **bare)
    assert done.status_code == 303
    assert (await at_counter.get(done.headers["location"])).status_code == 200
    assert [row["verdict"] for row in console.rows(t.opening)] == ["clear"]
