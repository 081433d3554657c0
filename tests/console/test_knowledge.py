"""Knowledge cards on the console: read, searched, drafted, decided by a second person, and ticked beside a call."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import Role
from dialer.core.values import FraudType
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.knowledge.actions import seed_cards
from dialer.knowledge.store import CardVersion, live_cards
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE

TYPED = {
    "fraud_type": "loan",
    "reason": "本地新手法",
    "title_zh": "贷款新套路",
    "course_zh": "加好友\n交押金",
    "objections_zh": "我已经签了合同\n合同是假的，请不要交钱。",
    "never_zh": "先交一点",
}


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def loan(console: ConsoleDesk) -> CardVersion:
    with console.app.services.store.begin() as tx:
        seed_cards(tx, now=console.clock.now())
        return live_cards(tx, [FraudType.LOAN])[0]


async def test_a_card_is_drafted_by_one_person_and_approved_by_another(
    console: ConsoleDesk, loan: CardVersion
):
    author, reader = console.person(Role.SUPERVISOR), console.person(Role.CALLER)
    second = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    form = await author.get(f"/knowledge/{loan.card_id}/draft")
    assert loan.content.chinese.objections[0].answer in form.text
    sent = await author.post("/knowledge", card=loan.card_id, **TYPED)
    address = sent.headers["location"]
    assert address == f"/knowledge/{loan.card_id}?version=2"
    assert "贷款新套路" not in (await reader.get("/knowledge")).text
    assert address not in (await author.get("/approvals")).text
    assert address in (await second.get("/approvals")).text
    own, page = await author.get(address), await second.get(address)
    assert "a second person approves it" in text(own)
    assert "Approve the version" not in text(own)
    assert "Live so far: version 1" in text(page)
    assert (await author.post(f"/knowledge/{loan.card_id}/approve", number=2)).status_code == 409
    assert (await second.post(f"/knowledge/{loan.card_id}/withdraw", number=2)).status_code == 409
    assert (await second.post(f"/knowledge/{loan.card_id}/refuse", number=2, why="")).status_code == 422
    assert (await second.post(f"/knowledge/{loan.card_id}/approve", number=2)).status_code == 303
    assert "贷款新套路" in (await reader.get("/knowledge")).text
    assert "This card has no English words" in text(await reader.get(f"/knowledge/{loan.card_id}"))
    [line] = console.audited("approve_card")
    assert (line["who"], line["subject"], line["facts"]) == (
        "zhao",
        f"knowledge_card/{loan.card_id}",
        {"number": 2},
    )
    [line] = console.audited("draft_card")
    assert line["why"] == "本地新手法"


async def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(
    console: ConsoleDesk, loan: CardVersion
):
    author = console.person(Role.SUPERVISOR)
    answer = await author.post("/knowledge", **(TYPED | {"objections_zh": "我已经签了合同"}))
    assert answer.status_code == 422
    assert "has no answer below: 我已经签了合同" in text(answer)
    assert "加好友\n交押金" in answer.text
    answer = await author.post("/knowledge", **(TYPED | {"fraud_type": "?"}))
    assert (answer.status_code, "is not chosen" in text(answer)) == (422, True)
    assert (await author.post("/knowledge", **(TYPED | {"card": "x"}))).status_code == 404
    assert console.audited("draft_card") == []


async def test_a_card_is_refused_withdrawn_and_retired(console: ConsoleDesk, loan: CardVersion):
    author = console.person(Role.SUPERVISOR)
    second = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    path = f"/knowledge/{loan.card_id}"
    await author.post("/knowledge", card=loan.card_id, **TYPED)
    assert (await author.post("/knowledge", card=loan.card_id, **TYPED)).status_code == 409
    assert (await second.post(f"{path}/refuse", number=2, why="太长")).status_code == 303
    assert "Refused by Supervisor: 太长" in text(await author.get(f"{path}?version=2"))
    await author.post("/knowledge", card=loan.card_id, **TYPED)
    assert (await author.post(f"{path}/withdraw", number=3)).status_code == 303
    assert (await author.post(f"{path}/retire", reason="")).status_code == 422
    assert (await author.post(f"{path}/retire", reason="过时")).status_code == 303
    assert "callers no longer get the card" in text(await second.get(f"{path}?version=4"))
    assert (await second.post(f"{path}/approve", number=4)).status_code == 303
    assert "This card is retired" in text(await author.get(path))
    assert path not in (await author.get("/knowledge")).text
    assert (await second.post(f"{path}/approve", number=9)).status_code == 404
    assert (await second.get(f"{path}?version=9")).status_code == 404


async def test_accounts_of_a_unit_read_cards_and_change_none(console: ConsoleDesk, loan: CardVersion):
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        unit = add_unit(tx, name="东区", parent_id=city)
    chief = console.person(Role.SUPERVISOR, unit_id=unit)
    page = await chief.get(f"/knowledge/{loan.card_id}")
    assert "Change the card" not in text(page)
    assert "Add a card" not in text(await chief.get("/knowledge"))
    assert (await chief.get("/knowledge/new")).status_code == 403
    assert (await chief.post("/knowledge", **TYPED)).status_code == 403
    assert console.audited("draft_card") == []


async def test_a_search_finds_answers_while_typing_and_keeps_what_is_ticked(
    console: ConsoleDesk, loan: CardVersion
):
    caller = console.person(Role.CALLER)
    page = text(await caller.get("/knowledge", q="false police"))
    assert "They said that you are the false police." in page
    assert "No card says this" in text(await caller.get("/knowledge", q="zzz"))
    part = await caller.part("/knowledge/search", q="解冻费")
    assert "<html" not in part.text
    assert 'type="checkbox"' not in part.text
    ticked = f"{loan.id}-2"
    part = await caller.part("/knowledge/search", q="安全账户", boxes="1", used=ticked)
    assert re.findall(r'value="([^"]+)" checked', part.text) == [ticked]
    assert part.text.count('form="report"') > 1
    again = await caller.part("/knowledge/search", q="解冻费", boxes="1", used=ticked)
    assert again.text.count(f'value="{ticked}"') == 1
    assert (await caller.get("/knowledge/search", q="x")).headers["location"] == "/knowledge?q=x"


def uses(console: ConsoleDesk) -> set[tuple[int, int, int]]:
    """Version, passage and assignment of each use."""
    with console.app.services.store.begin() as tx:
        rows = tx.rows(sa.select(t.knowledge_use))
    return {(row["version_id"], row["passage"], row["assignment_id"]) for row in rows}


async def taken(scenario: ConsoleScenario, caller: Person, **columns: object) -> tuple[int, str]:
    owner = scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    case_id = scenario.case(
        person_id=owner,
        fraud_type=FraudType.LOAN,
        warning=False,
        human_state="open",
        human_at=MORNING + timedelta(hours=4),
        robot_state="done",
    )
    scenario.assignment(case_id, **columns)
    await caller.post("/desk/next")
    found = re.search(r'data-task="(\d+)" data-token="(\d+)"', (await caller.get("/desk")).text)
    assert found is not None
    return int(found[1]), found[2]


async def test_what_a_caller_ticks_beside_the_call_is_counted_with_the_report(
    console: ConsoleDesk, scenario: ConsoleScenario, loan: CardVersion
):
    caller, chief = console.person(Role.CALLER), console.person(Role.SUPERVISOR)
    task_id, token = await taken(scenario, caller)
    page = await caller.get("/desk")
    assert "The money is in my account, I only cannot draw it." in text(page)
    assert "Paid order brushing" not in text(page)
    with console.app.services.store.begin() as tx:
        police = live_cards(tx, [FraudType.POLICE_IMPERSONATION])[0]
    used = [f"{loan.id}-1", f"{police.id}-1", f"{loan.id}-999", "x"]
    form = {"csrf": caller.csrf, "token": token, "used": used}
    path = f"/desk/tasks/{task_id}/report"
    again = await caller.client.post(path, data=form)
    assert again.status_code == 422
    assert re.findall(r'name="used" value="([^"]+)" checked', again.text) == [
        f"{police.id}-1",
        f"{loan.id}-1",
    ]
    assert uses(console) == set()
    done = await caller.client.post(
        path, data=form | {"outcome": "refuses", "verified": "no", "scammer": "yes"}
    )
    assert done.status_code == 303
    assert uses(console) == {(loan.id, 1, task_id), (police.id, 1, task_id)}
    figures = text(await chief.get(f"/knowledge/{loan.card_id}"))
    assert "The whole card 1 0.0% 0.0–79.3% 0" in figures
    assert "Calls with it" in text(await chief.get("/knowledge"))
    assert "Calls with it" not in text(await caller.get("/knowledge"))


async def test_a_call_to_the_family_has_no_cards(
    console: ConsoleDesk, scenario: ConsoleScenario, loan: CardVersion
):
    caller = console.person(Role.CALLER)
    await taken(scenario, caller, reason="family_call")
    assert "The money is in my account" not in text(await caller.get("/desk"))
