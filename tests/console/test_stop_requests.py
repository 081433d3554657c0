"""止付: a bank is asked on a form, its answer is a second person's report, and what nobody follows up is overdue."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import SERVICE, RevealReason, Role
from dialer.core.errors import Invalid
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.audit import write_audit
from dialer.retention.erasing import erase_people
from dialer.work.stop_requests import (
    StopForm,
    raise_unanswered,
    stop_numbers_of,
    stop_requests_of,
    waiting_stop_requests,
)
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario, stop_request
from tests.outcomes.town import MORNING

ACCOUNT = "6222 0200-00 1234"
FORM = {"bank": " 工商银行 ", "account": ACCOUNT, "amount": "5,000", "receipt": "ZF 77"}


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def case_id(scenario: ConsoleScenario) -> int:
    waits = {"human_state": "scheduled", "human_at": MORNING + timedelta(days=1)}
    return scenario.case(person_id=scenario.person(), warning=False, **waits)


@pytest.fixture
def payment(scenario: ConsoleScenario, case_id: int) -> int:
    return scenario.put(t.stop_payment, case_id=case_id, opened_at=MORNING, drill=False)


@pytest.fixture
def caller(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.CALLER, login="li"))


@pytest.fixture
def chief(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))


async def test_a_bank_is_asked_and_the_task_is_done_with_it(
    console: ConsoleDesk, caller: Person, case_id: int, payment: int
):
    for _ in range(2):  # pressed twice
        asked = await caller.post(f"/desk/stop-payments/{payment}/requests", **FORM, back=str(case_id))
        assert asked.headers["location"].startswith(f"/cases/{case_id}")
    [task], [row] = console.rows(t.stop_payment), console.rows(t.stop_request)
    assert (task["result"], task["done_by"]) == ("asked", "li")
    assert (row["bank"], row["amount_fen"], row["state"], row["recorded_by"]) == (
        "工商银行",
        500_000,
        "asked",
        "li",
    )
    assert row["follow_up_by"] == row["asked_at"] + timedelta(minutes=30)
    assert b"1234" not in row["sealed"]
    assert [line["facts"] for line in console.audited("ask_bank")] == [
        {"stop_payment": payment, "stop_request": row["id"]}
    ]
    for path in ("/desk", f"/cases/{case_id}"):
        page = text(await caller.get(path))
        assert "工商银行 ****1234 ¥5,000" in page
        assert "62220200001234" not in page
        assert "overdue" not in page
    # Another bank may be asked under the same task.
    again = await caller.post(f"/desk/stop-payments/{payment}/requests", **(FORM | {"bank": "农业银行"}))
    assert again.headers["location"] == "/desk"
    assert [one["bank"] for one in console.rows(t.stop_request)] == ["工商银行", "农业银行"]


async def test_what_is_wrong_in_the_form_is_refused_and_the_task_waits(
    console: ConsoleDesk, caller: Person, payment: int
):
    for wrong in (
        {"bank": " "},
        {"account": "12345"},
        {"account": "6222<script>"},
        {"account": "1" * 33},
        {"amount": ""},
        {"amount": "0"},
        {"amount": "-5"},
        {"at": "2999-01-01T00:00"},
        {"at": "yesterday"},
        {"receipt": "x" * 101},
    ):
        answer = await caller.post(f"/desk/stop-payments/{payment}/requests", **(FORM | wrong))
        assert answer.status_code == 422
        assert console.rows(t.stop_request) == []
        assert console.rows(t.stop_payment)[0]["done_at"] is None


async def test_the_answer_of_the_bank_is_the_report_of_another_person(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person, chief: Person, case_id: int, payment: int
):
    request = stop_request(scenario, case_id, payment, recorded_by="li")
    path = f"/desk/stop-requests/{request}/report"
    own = await caller.post(path, result="stopped", stopped="5000")
    assert own.status_code == 409
    assert "a second person decides this" in text(own)
    for wrong in ("", "0", "5000.01"):
        assert (await chief.post(path, result="stopped", stopped=wrong)).status_code == 422
    for wrong in ("", "asked", "perhaps"):
        assert (await chief.post(path, result=wrong)).status_code == 422
    assert console.rows(t.stop_request)[0]["state"] == "asked"
    assert (await chief.post(path, result="stopped", stopped="4,999.50")).status_code == 303
    [row] = console.rows(t.stop_request)
    assert (row["state"], row["stopped_fen"], row["confirmed_by"]) == ("stopped", 499_950, "zhao")
    assert (await chief.post(path, result="refused")).status_code == 409
    assert "Banks that have not answered" not in text(await chief.get("/desk"))
    page = text(await chief.get(f"/cases/{case_id}"))
    assert "stopped by the bank: ¥4,999.50" in page
    assert [line["why"] for line in console.audited("report_bank")] == ["stopped"]


async def test_no_answer_gives_a_new_time_and_what_passes_it_is_overdue(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person, case_id: int, payment: int
):
    request = stop_request(scenario, case_id, payment, recorded_by="li")
    now = console.app.services.clock.now()
    scenario.put(
        t.stop_payment,
        case_id=scenario.case(person_id=scenario.person(name="乙"), warning=False),
        opened_at=now,
        drill=False,
    )
    with scenario.tx() as tx:
        [waiting] = waiting_stop_requests(tx)
        assert not waiting.is_overdue(waiting.follow_up_by - timedelta(seconds=1))
        assert waiting.is_overdue(waiting.follow_up_by)
    assert (await caller.post(f"/desk/stop-requests/{request}/report", result="no_answer")).status_code == 303
    [row] = console.rows(t.stop_request)
    assert (row["state"], row["times_unanswered"], row["confirmed_by"]) == ("no_answer", 1, None)
    assert row["follow_up_by"] >= now + timedelta(minutes=30)
    assert "asked again, no answer" in text(await caller.get("/desk"))


async def test_an_overdue_request_is_shown_on_desk_and_case(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person, case_id: int, payment: int
):
    asked = console.app.services.clock.now() - timedelta(hours=1)
    moments = {"asked_at": asked, "recorded_at": asked, "follow_up_by": asked + timedelta(minutes=30)}
    stop_request(scenario, case_id, payment, **moments)
    for path in ("/desk", f"/cases/{case_id}"):
        assert "overdue: ask for the answer" in text(await caller.get(path))


async def test_the_account_is_in_clear_where_the_words_were_opened(
    scenario: ConsoleScenario, chief: Person, case_id: int, payment: int
):
    stop_request(scenario, case_id, payment)
    opened = await chief.post(f"/cases/{case_id}/words", reason=next(iter(RevealReason)).value, why="止付")
    assert "62220200001234" in text(opened)
    assert "receipt ZF 1" in text(opened)
    assert "62220200001234" not in text(await chief.get(f"/cases/{case_id}"))


def test_the_account_is_erased_with_its_person(scenario: ConsoleScenario, case_id: int, payment: int):
    request = stop_request(scenario, case_id, payment)
    with scenario.tx() as tx:
        assert stop_numbers_of(tx, case_id)[request].account == "62220200001234"
        person = tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == case_id))
    with scenario.store.begin() as tx:
        assert erase_people(OpenAct(tx, SERVICE, lambda: MORNING), [person])["stop_request.sealed"] == 1
    with scenario.tx() as tx:
        assert stop_numbers_of(tx, case_id) == {}
        assert stop_requests_of(tx, case_id)[0].account_masked == "****"


def test_the_database_refuses_what_cannot_be(scenario: ConsoleScenario, case_id: int, payment: int):
    for columns, check in (
        ({"amount_fen": 0}, "form"),
        ({"bank": ""}, "form"),
        ({"state": "refused"}, "confirmed"),
        ({"confirmed_by": "zhao", "confirmed_at": MORNING}, "confirmed"),
        ({"state": "refused", "confirmed_by": "asker", "confirmed_at": MORNING}, "second_person"),
        ({"state": "stopped", "confirmed_by": "zhao", "confirmed_at": MORNING}, "stopped_fen"),
        (
            {"state": "stopped", "confirmed_by": "zhao", "confirmed_at": MORNING, "stopped_fen": 500_001},
            "stopped_fen",
        ),
        ({"follow_up_by": MORNING}, "times"),
    ):
        with pytest.raises(sa.exc.IntegrityError, match=f"ck_stop_request_{check}"):
            stop_request(scenario, case_id, payment, **columns)


def test_an_account_is_compared_without_spaces():
    assert StopForm(bank="x", account=ACCOUNT, amount_fen=1, asked_at=MORNING).digits == "62220200001234"
    with pytest.raises(Invalid, match="6 to 32"):
        StopForm(bank="x", account="一二三四五六七", amount_fen=1, asked_at=MORNING)


async def test_what_nobody_follows_up_raises_an_alarm_once_for_each_time(
    console: ConsoleDesk, caller: Person, chief: Person, case_id: int, payment: int
):
    services = console.app.services
    await caller.post(f"/desk/stop-payments/{payment}/requests", **FORM)
    [row] = console.rows(t.stop_request)
    console.pass_seconds(29 * 60)
    assert raise_unanswered(services) == 0
    console.pass_seconds(2 * 60)
    assert [raise_unanswered(services) for _ in range(3)] == [1, 0, 0]
    [alarm] = console.rows(t.alarm)
    assert (alarm["code"], alarm["case_id"], alarm["times"]) == ("stop_unanswered", case_id, 1)
    assert alarm["facts"]["stop_request"] == row["id"]
    chief, caller = (console.signed_in(one.member) for one in (chief, caller))  # their sessions have expired
    assert "a bank's answer to a stop-payment request is overdue" in text(await chief.get("/control"))
    # Seen, it is not raised anew before the bank was asked again.
    await chief.post(f"/control/alarms/{alarm['id']}/seen")
    assert raise_unanswered(services) == 0
    await caller.post(f"/desk/stop-requests/{row['id']}/report", result="no_answer")
    assert raise_unanswered(services) == 0
    console.pass_seconds(31 * 60)
    assert raise_unanswered(services) == 1
    assert [one["seen_at"] is None for one in console.rows(t.alarm)] == [False, True]
    # The bank has answered.
    chief = console.signed_in(chief.member)
    await chief.post(f"/desk/stop-requests/{row['id']}/report", result="refused")
    console.pass_seconds(3600)
    assert raise_unanswered(services) == 0


async def test_a_case_without_a_unit_is_the_root_unit_s_in_the_list_and_in_every_act(
    console: ConsoleDesk, scenario: ConsoleScenario, case_id: int, payment: int
):
    root = scenario.unit("市局")
    county = console.person(Role.CALLER, unit_id=scenario.unit("临河分局", root))
    assert (await county.post(f"/desk/stop-payments/{payment}/requests", **FORM)).status_code == 404
    here = console.signed_in(console.account(Role.CALLER, login="wu", unit_id=root))
    assert f"/desk/stop-payments/{payment}/" in (await here.get("/desk")).text
    assert (await here.post(f"/desk/stop-payments/{payment}/requests", **FORM)).status_code == 303
    [request] = console.rows(t.stop_request)
    path = f"/desk/stop-requests/{request['id']}/report"
    assert (await county.post(path, result="refused")).status_code == 404
    chief = console.signed_in(console.account(Role.SUPERVISOR, login="qian", unit_id=root))
    assert (await chief.post(path, result="refused")).status_code == 303


@pytest.mark.parametrize("act", ["requests", "done", "report"])
async def test_who_has_the_call_in_hand_stops_the_payment_though_the_case_has_gone_to_another_unit(
    console: ConsoleDesk, scenario: ConsoleScenario, case_id: int, payment: int, act: str
):
    here, there = scenario.unit("临河分局"), scenario.unit("五原分局")
    caller = console.person(Role.CALLER, unit_id=here)
    work = scenario.assignment(case_id, unit_id=here)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(unit_id=there))
    request = stop_request(scenario, case_id, payment) if act == "report" else 0
    path = (
        f"/desk/stop-requests/{request}/report" if act == "report" else f"/desk/stop-payments/{payment}/{act}"
    )
    fields = {"requests": FORM, "done": {"result": "too_late"}, "report": {"result": "refused"}}[act]
    assert (await caller.post(path, **fields)).status_code == 404
    with scenario.tx() as tx:
        held = {"state": "signed", "signed_by": caller.member.login, "signed_at": MORNING}
        tx.execute(sa.update(t.assignment).where(t.assignment.c.id == work).values(held))
    assert (await caller.post(path, **fields)).status_code == 303


def open_tasks(console: ConsoleDesk) -> list[int]:
    return [row["case_id"] for row in console.rows(t.stop_payment) if row["done_at"] is None]


async def test_a_caller_who_is_told_that_money_was_sent_opens_the_task(
    console: ConsoleDesk, caller: Person, case_id: int
):
    assert "Money sent: stop the payment" in text(await caller.get(f"/cases/{case_id}"))
    for _ in range(2):  # pressed twice
        told = await caller.post("/desk/stop-payments", case=str(case_id), back=str(case_id))
        assert told.headers["location"].startswith(f"/cases/{case_id}")
    assert open_tasks(console) == [case_id]
    assert [alarm["code"] for alarm in console.rows(t.alarm)] == ["already_paid"]
    assert len(console.audited("report_paid")) == 1
    page = text(await caller.get(f"/cases/{case_id}"))
    assert "Money sent: stop the payment" not in page
    assert "the bank is to be asked" in page


async def test_a_second_account_is_a_task_again_after_the_first_is_done(
    console: ConsoleDesk, caller: Person, case_id: int, payment: int
):
    await caller.post(f"/desk/stop-payments/{payment}/requests", **FORM, back=str(case_id))
    await caller.post("/desk/stop-payments", case=str(case_id))
    assert open_tasks(console) == [case_id]


async def test_an_officer_at_the_door_has_the_centre_ask_the_bank(
    console: ConsoleDesk, scenario: ConsoleScenario, case_id: int
):
    officer = console.signed_in(console.account(Role.OFFICER, login="wang"))
    visit = scenario.assignment(
        case_id, kind="visit", state="signed", signed_by="wang", signed_at=console.clock.now()
    )
    assert "Money sent: stop the payment" in text(await officer.get(f"/visits/{visit}"))
    assert (await officer.post(f"/visits/{visit}/paid")).headers["location"] == f"/visits/{visit}"
    assert open_tasks(console) == [case_id]


@pytest.mark.parametrize("case", ["", "999", "x"])
async def test_a_case_that_is_not_there_gets_no_task(console: ConsoleDesk, caller: Person, case: str):
    assert (await caller.post("/desk/stop-payments", case=case)).status_code in {404, 422}
    assert open_tasks(console) == []


async def test_a_caller_of_another_unit_opens_no_task(console: ConsoleDesk, scenario: ConsoleScenario):
    case_id = scenario.case(
        person_id=scenario.person(name="王"), warning=False, unit_id=scenario.unit("临河")
    )
    elsewhere = console.account(Role.CALLER, login="sun", unit_id=scenario.unit("五原"))
    answer = await console.signed_in(elsewhere).post("/desk/stop-payments", case=str(case_id))
    assert answer.status_code == 404
    assert open_tasks(console) == []


async def test_the_timeline_of_the_case_has_each_step_of_a_stop_payment(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person, chief: Person, case_id: int, payment: int
):
    await caller.post(f"/desk/stop-payments/{payment}/requests", **FORM)
    [request] = console.rows(t.stop_request)
    path = f"/desk/stop-requests/{request['id']}/report"
    await caller.post(path, result="no_answer")
    await chief.post(path, result="stopped", stopped="4000")
    later = scenario.put(t.stop_payment, case_id=case_id, opened_at=MORNING, drill=False)
    await chief.post(f"/desk/stop-payments/{later}/done", result="too_late")
    with console.app.services.store.begin() as tx:
        write_audit(tx, who="zhao", act="report_paid", subject=f"case/{case_id}", why="", now=MORNING)
    story = text(await chief.get(f"/cases/{case_id}"))
    for told in (
        "reported that the person has sent money",
        "a payment is to be stopped",
        "工商银行 was asked to stop 5,000.00 yuan",
        "asked the bank again, no answer",
        "工商银行: stopped by the bank, stopped 4,000.00 yuan",
        "stop payment ended: too late",
    ):
        assert story.count(told) == (2 if told == "a payment is to be stopped" else 1), told
