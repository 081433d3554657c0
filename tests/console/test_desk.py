"""The desk: one task at a time, claimed with a lease, opened once a claim, reported and followed by the next."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from dialer.calls.number_marks import watch_number
from dialer.core.access import Role
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.intake.allowed_numbers import AllowedNumbers
from dialer.runtime.services import Application
from dialer.work.tasks import return_idle_assignments
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def caller(console: ConsoleDesk) -> Person:
    return console.person(Role.CALLER)


def put(
    scenario: ConsoleScenario, *, grade: Grade = Grade.HIGH, person_id: int | None = None, **columns: object
) -> int:
    """A call that waits; its id."""
    owner = person_id or scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    case_id = scenario.case(
        person_id=owner,
        grade=grade,
        fraud_type=FraudType.LOAN,
        warning=False,
        human_state="open",
        human_at=MORNING + timedelta(hours=4),
        robot_state="done",
    )
    return scenario.assignment(case_id, **columns)


async def taken(caller: Person) -> tuple[int, str]:
    """The task of the page, and the token of its claim."""
    assert (await caller.post("/desk/next")).headers["location"] == "/desk"
    page = (await caller.get("/desk")).text
    found = re.search(r'data-task="(\d+)" data-token="(\d+)"', page)
    assert found is not None
    return int(found[1]), found[2]


def state(console: ConsoleDesk, task_id: int) -> dict[str, Any]:
    [row] = [dict(row) for row in console.rows(t.assignment) if row["id"] == task_id]
    return row


async def test_the_queue_is_counted_by_grade_without_names(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(
        scenario,
        grade=Grade.EXTRA_HIGH,
        opened_at=MORNING - timedelta(minutes=30),
        due_at=MORNING - timedelta(minutes=1),
    )
    put(scenario, grade=Grade.LOW, person_id=scenario.person())
    page = text(await caller.get("/desk"))
    assert "extra high 1 longest wait 30 min 1 overdue" in page
    assert "low 1 longest wait 0 s" in page
    assert NAME not in page
    part = await caller.part("/desk/room")
    assert "<html" not in part.text
    assert "extra high" in part.text


async def test_the_most_urgent_is_taken_and_opened_with_one_line_in_the_audit(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario, grade=Grade.LOW, person_id=scenario.person(), urgency_at=MORNING + timedelta(hours=1))
    urgent = put(scenario, grade=Grade.EXTRA_HIGH)
    task_id, _ = await taken(caller)
    assert task_id == urgent
    for _ in range(3):
        page = text(await caller.get("/desk"))
    for told in (
        NAME,
        "138 0013 8000",
        ID_NUMBER,
        "Were you asked to pay before the loan?",
        "A fee before the loan is fraud.",
    ):
        assert told in page
    assert [(row["who"], row["why"], row["facts"]["assignment_id"]) for row in console.audited("reveal")] == [
        ("caller", "desk", urgent)
    ]
    assert len(console.audited("conversation")) == 1


async def test_an_empty_queue(console: ConsoleDesk, caller: Person):
    answer = await caller.post("/desk/next")
    assert answer.headers["location"] == "/desk"
    assert "Queue empty" in text(await caller.get("/desk"))


async def test_a_claim_made_elsewhere_is_masked_until_it_is_opened(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    task_id = put(
        scenario,
        state="signed",
        signed_by="caller",
        signed_at=MORNING,
        token=3,
        lease_until=MORNING + timedelta(minutes=1),
    )
    page = await caller.get("/desk")
    assert NAME not in page.text
    assert "138****8000" in page.text
    await caller.post(f"/desk/tasks/{task_id}/open", token=3)
    assert NAME in (await caller.get("/desk")).text


async def report(caller: Person, task_id: int, token: str, **fields: str) -> httpx.Response:
    return await caller.post(f"/desk/tasks/{task_id}/report", token=token, **fields)


async def test_a_report_is_kept_and_the_next_task_comes(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    first = put(scenario)
    second = put(scenario, person_id=scenario.person(), urgency_at=MORNING + timedelta(minutes=1))
    task_id, token = await taken(caller)
    assert task_id == first
    scenario.talked(task_id, by="caller")
    answer = await report(
        caller,
        task_id,
        token,
        outcome="dissuaded_by_phone",
        verified="yes",
        scammer="yes",
        intended="50,000",
        evidence_kind="photo",
        evidence_yuan="50000",
        evidence="截图 17",
        note="已加家属微信",
        said="who",
        following="1",
    )
    assert answer.headers["location"] == "/desk"
    assert f'data-task="{second}"' in (await caller.get("/desk")).text
    [line] = console.rows(t.outcome)
    assert (line["kind"], line["contact"], line["intended_fen"], line["recorded_by"]) == (
        "dissuaded_by_phone",
        "verified",
        5_000_000,
        "caller",
    )
    assert (line["scammer_contact"], line["said"], line["call_seconds"]) == ("yes", ["who"], 60)
    assert state(console, first)["state"] == "done"
    shown = text(await console.person(Role.SUPERVISOR).get(f"/cases/{line['case_id']}"))
    assert "talked 1 min" in shown
    assert "Said in it identity verified" in shown
    assert "Scammer in contact yes" in shown
    room = text(await caller.get("/desk/room"))
    assert NAME not in room


async def test_an_outcome_and_an_identity_without_a_call_claim_nothing(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    """One key for the outcome, one for the identity, one for the scammer, and Enter, six seconds after the claim."""
    put(scenario)
    task_id, token = await taken(caller)
    console.pass_seconds(6)
    fields = {"outcome": "dissuaded_by_phone", "verified": "yes", "scammer": "yes"}
    answer = await report(caller, task_id, token, **fields)
    assert answer.status_code == 422
    assert "there is no staff call" in text(answer)
    assert "Why there is no staff call" in text(answer)
    no_success = await report(caller, task_id, token, **fields | {"outcome": "refuses"})
    assert "only a staff call with the person verifies the identity" in text(no_success)
    assert console.rows(t.outcome) == []
    answer = await report(caller, task_id, token, no_call="用本人手机拨打", **fields)
    assert "a second person must approve it" in text(await caller.get(answer.headers["location"]))
    [case] = console.rows(t.case)
    assert (case["status"], case["contact"]) == ("open", "none")
    chief, page = console.person(Role.SUPERVISOR), f"/cases/{case['id']}"
    assert "without a staff call with evidence waits for a second person" in text(await chief.get(page))
    listed = text(await chief.get("/rates/callers"))
    assert "Caller 1 1 100.0% 20.7–100.0% 1" in listed
    too_fast = "Caller 1 1 1 100.0% 20.7–100.0% Too few cases to compare"
    assert too_fast in listed
    [line] = console.rows(t.outcome)
    await chief.post(f"{page}/outcomes/{line['id']}/approve")
    [case] = console.rows(t.case)
    assert (case["status"], case["outcome"], case["contact"]) == (
        "watching",
        "dissuaded_by_phone",
        "verified",
    )


async def test_a_reason_that_was_not_needed_waits_for_nobody(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    task_id, token = await taken(caller)
    scenario.talked(task_id, by=caller.member.login)
    fields = {
        "outcome": "dissuaded_by_phone",
        "verified": "yes",
        "scammer": "no",
        "no_call": "用本人手机拨打",
    }
    answer = await report(caller, task_id, token, **fields)
    said = text(await caller.get(answer.headers["location"]))
    assert "Report saved." in said
    assert "second person" not in said
    assert console.rows(t.outcome)[0]["reason"] == "reported"


async def test_what_was_ticked_stands_under_the_note(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    task_id, token = (put(scenario), "")
    task_id, token = await taken(caller)
    await report(
        caller,
        task_id,
        token,
        outcome="half_believes",
        verified="no",
        scammer="no",
        note="再想想",
        said="asked",
    )
    [row] = [row for row in console.rows(t.event) if row["kind"] == "note"]
    with console.app.services.store.begin() as tx:
        place = f"{row['case_id']}/{row['step']}"
        words = tx.vault.open(row["sealed"], table="event", column="sealed", row=place).decode()
    assert words == "再想想\nTicked: scene asked"
    [line] = console.rows(t.outcome)
    assert line["contact"] == "unverified"


async def test_faults_stand_at_their_fields_and_the_input_stays(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    task_id, token = await taken(caller)
    faults: tuple[tuple[dict[str, str], str], ...] = (
        ({}, "choose the outcome"),
        ({"outcome": "half_believes"}, "say whether the identity was verified"),
        ({"outcome": "half_believes", "verified": "no"}, "say whether a scammer was in contact"),
        ({"outcome": "dissuaded_by_phone", "verified": "no"}, "a success needs the verified contact"),
        ({"outcome": "dissuaded_by_phone", "verified": "yes", "intended": "lots"}, "is not an amount"),
        (
            {"outcome": "dissuaded_by_phone", "verified": "yes", "intended": "50000"},
            "money on record needs its evidence",
        ),
        ({"outcome": "transferred", "verified": "yes"}, "choose the outcome"),
    )
    for fields, said in faults:
        answer = await report(caller, task_id, token, note="写了半天", **fields)
        assert answer.status_code == 422, fields
        assert said in text(answer)
        assert "写了半天" in answer.text
    assert console.rows(t.outcome) == []


async def test_money_of_another_outcome_is_not_asked_for_and_not_kept(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    task_id, token = await taken(caller)
    refused = {"outcome": "refuses", "verified": "no", "scammer": "unknown"}
    await report(caller, task_id, token, intended="50000", evidence="", **refused)
    [line] = console.rows(t.outcome)
    assert line["intended_fen"] == 0


async def test_a_lost_lease_is_shown_and_the_input_stays(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    task_id, token = await taken(caller)
    console.pass_seconds(91)
    assert return_idle_assignments(console.app.services) == 1
    live = await caller.part(f"/desk/tasks/{task_id}/live", token=token)
    assert "went back to the queue" in text(live)
    assert "Take it again" in text(live)
    assert (await caller.post(f"/desk/tasks/{task_id}/beat", token=token)).status_code == 409
    refused = {"outcome": "refuses", "verified": "no", "scammer": "unknown"}
    answer = await report(caller, task_id, token, note="写了半天", **refused)
    assert answer.status_code == 409
    assert "写了半天" in answer.text
    assert NAME not in answer.text
    await caller.post(f"/desk/tasks/{task_id}/reclaim", token=token)
    assert f'data-task="{task_id}"' in (await caller.get("/desk")).text


async def test_a_heartbeat_renews_the_lease(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person):
    put(scenario)
    task_id, token = await taken(caller)
    for _ in range(4):
        console.pass_seconds(60)
        assert (await caller.post(f"/desk/tasks/{task_id}/beat", token=token)).status_code == 204
        assert return_idle_assignments(console.app.services) == 0


async def test_other_work_with_the_person_is_shown(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    owner = scenario.person(name=NAME, phones=(PHONE,))
    task_id = put(scenario, person_id=owner)
    case_id = state(console, task_id)["case_id"]
    scenario.attempt(case_id, result=None, answered_at=MORNING)
    console.account(Role.OFFICER, login="sun")
    scenario.assignment(
        case_id, kind="visit", state="signed", signed_by="sun", stage="on_the_way", signed_at=MORNING
    )
    other = scenario.case(person_id=owner, fraud_type=FraudType.ROMANCE, warning=False)
    scenario.assignment(other, state="signed", signed_by="zhao", signed_at=MORNING)
    task_id, token = await taken(caller)
    for page in (await caller.get("/desk"), await caller.part(f"/desk/tasks/{task_id}/live", token=token)):
        told = text(page)
        assert "The robot is speaking with the person now" in told
        assert "Officer Officer: on the way" in told
        assert f"zhao has signed for a call to the same person (case #{other})" in told


async def test_an_appointment_comes_back_to_its_caller(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    task_id, token = await taken(caller)
    await caller.post(f"/desk/tasks/{task_id}/call-back", token=token, soon="15", agreed="开会")
    assert state(console, task_id)["call_at"] == MORNING + timedelta(minutes=15)
    page = text(await caller.get("/desk"))
    assert "10:15" in page
    assert "Queue empty" in page
    console.pass_seconds(16 * 60)
    assert (await taken(caller))[0] == task_id


@pytest.mark.parametrize(("fields", "said"), [({}, "is not a time"), ({"at": "2026-11-25T09:00"}, "is past")])
async def test_an_appointment_needs_a_time_to_come(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person, fields: dict[str, str], said: str
):
    put(scenario)
    task_id, token = await taken(caller)
    answer = await caller.post(f"/desk/tasks/{task_id}/call-back", token=token, **fields)
    assert answer.status_code == 422
    assert said in text(answer)
    assert 'data-opened="call-back"' in answer.text


async def test_a_local_time_is_the_centres(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person):
    put(scenario)
    task_id, token = await taken(caller)
    await caller.post(f"/desk/tasks/{task_id}/call-back", token=token, soon="at", at="2026-11-25T11:15")
    assert state(console, task_id)["call_at"] == MORNING + timedelta(minutes=75)


async def test_release_needs_a_reason(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person):
    put(scenario)
    task_id, token = await taken(caller)
    assert (await caller.post(f"/desk/tasks/{task_id}/release", token=token)).status_code == 422
    await caller.post(f"/desk/tasks/{task_id}/release", token=token, why="会蒙语的同事更合适")
    assert state(console, task_id)["state"] == "open"


async def test_a_colleague_is_asked_first(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person):
    put(scenario)
    task_id, token = await taken(caller)
    li = console.signed_in(console.account(Role.CALLER, login="li"))
    path = f"/desk/tasks/{task_id}/transfer"
    assert "is not a caller at a desk" in text(
        await caller.post(path, token=token, to="person:nobody", why="x")
    )
    assert "choose who takes it over" in text(await caller.post(path, token=token, why="x"))
    await caller.post(path, token=token, to="person:li", why="会蒙语")
    assert "No task waits for you now." not in text(await caller.get("/desk"))
    await caller.post("/desk/next")
    assert "data-task" not in (await caller.get("/desk")).text
    assert (await taken(li))[0] == task_id


async def test_another_unit_accepts_or_refuses(console: ConsoleDesk, scenario: ConsoleScenario):
    city = scenario.unit("市局")
    county, other = scenario.unit("临河分局", city), scenario.unit("五原县局", city)
    here, there = console.person(Role.CALLER, unit_id=county), console.person(Role.CALLER, unit_id=other)
    put(scenario, unit_id=county)
    task_id, token = await taken(here)
    for _ in range(2):
        answer = await here.post(
            f"/desk/tasks/{task_id}/transfer", token=token, to=f"unit:{other}", why="住五原"
        )
        assert answer.headers["location"] == "/desk"
        page = await there.get("/desk")
        assert "住五原" in page.text
        assert NAME not in page.text
        found = re.findall(r"/desk/transfers/(\d+)/refuse", page.text)
        await there.post(f"/desk/transfers/{found[-1]}/refuse", why="不归我们")
        assert state(console, task_id)["unit_id"] == county
    await here.post(f"/desk/tasks/{task_id}/transfer", token=token, to=f"unit:{other}", why="住五原")
    [transfer_id] = re.findall(r"/desk/transfers/(\d+)/accept", (await there.get("/desk")).text)
    await there.post(f"/desk/transfers/{transfer_id}/accept")
    assert state(console, task_id)["unit_id"] == other
    assert "Signed for by you" in text(await there.get("/desk"))
    await there.post(f"/desk/tasks/{task_id}/reclaim")
    assert f'data-task="{task_id}"' in (await there.get("/desk")).text
    assert NAME in (await there.get("/desk")).text


@pytest.mark.parametrize(("act", "fields"), [("accept", {}), ("refuse", {"why": "不归我们"})])
async def test_the_desk_answers_no_transfer_of_a_visit(
    console: ConsoleDesk, scenario: ConsoleScenario, act: str, fields: dict[str, str]
):
    city = scenario.unit("市局")
    county, other = scenario.unit("临河分局", city), scenario.unit("五原县局", city)
    visit = put(scenario, kind="visit", unit_id=county)
    await console.person(Role.SUPERVISOR).post(f"/units/work/{visit}/transfer", unit="五原县局", why="x")
    [transfer] = console.rows(t.assignment_transfer)
    there = console.person(Role.CALLER, unit_id=other)
    assert (await there.post(f"/desk/transfers/{transfer['id']}/{act}", **fields)).status_code == 404
    assert console.rows(t.assignment_transfer)[0]["state"] == "asked"


async def test_a_unit_that_is_asked_already_or_that_has_it_is_not_asked_again(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    city = scenario.unit("市局")
    county, other = scenario.unit("临河分局", city), scenario.unit("五原县局", city)
    here = console.person(Role.CALLER, unit_id=county)
    put(scenario, unit_id=county)
    task_id, token = await taken(here)
    path = f"/desk/tasks/{task_id}/transfer"
    answer = await here.post(path, token=token, to=f"unit:{county}", why="写了半天")
    assert answer.status_code == 409
    assert "it is that unit's already" in text(answer)
    assert "写了半天" in answer.text
    await here.post(path, token=token, to=f"unit:{other}", why="住五原")
    assert "it is on its way to another unit already" in text(
        await here.post(path, token=token, to=f"unit:{other}", why="住五原")
    )


async def test_a_colleague_who_does_not_see_the_unit_is_refused(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    city = scenario.unit("市局")
    county, other = scenario.unit("临河分局", city), scenario.unit("五原县局", city)
    console.account(Role.CALLER, login="far", unit_id=other)
    console.account(Role.OFFICER, login="sun", unit_id=county)
    here = console.person(Role.CALLER, unit_id=city)
    put(scenario, unit_id=county)
    task_id, token = await taken(here)
    path = f"/desk/tasks/{task_id}/transfer"
    assert "does not see the work of this unit" in text(
        await here.post(path, token=token, to="person:far", why="x")
    )
    assert "is not a caller at a desk" in text(await here.post(path, token=token, to="person:sun", why="x"))


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("release", {"why": "写了半天"}),
        ("call-back", {"soon": "15", "agreed": "写了半天"}),
        ("transfer", {"to": "person:li", "why": "写了半天"}),
    ],
)
async def test_the_input_is_shown_when_the_task_was_lost(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person, act: str, fields: dict[str, str]
):
    console.account(Role.CALLER, login="li")
    put(scenario)
    task_id, token = await taken(caller)
    console.pass_seconds(91)
    return_idle_assignments(console.app.services)
    answer = await caller.post(f"/desk/tasks/{task_id}/{act}", token=token, **fields)
    assert answer.status_code == 409
    assert "写了半天" in text(answer)
    assert "went back to the queue" in text(answer)


async def test_a_caller_has_one_task_at_a_time(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    await taken(caller)
    second = put(
        scenario, person_id=scenario.person(), state="signed", signed_by="caller", signed_at=MORNING, token=1
    )
    assert (await caller.post(f"/desk/tasks/{second}/reclaim")).status_code == 409


async def test_the_duty_line_s_person_is_parked_in(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    first = put(scenario)
    await taken(caller)
    handed = put(
        scenario,
        person_id=scenario.person(name="张大海"),
        state="signed",
        signed_by="duty desk",
        signed_at=MORNING,
        reason="wants_officer",
    )
    await caller.post(f"/desk/tasks/{handed}/reclaim", park="yes")
    page = await caller.get("/desk")
    assert "张大海" in page.text
    assert state(console, handed)["signed_by"] == "caller"
    assert state(console, first)["kept_for"] == "caller"


async def test_the_duty_line_sees_a_handed_over_person_at_once(
    console_app: Application, console: ConsoleDesk, scenario: ConsoleScenario
):
    number = "+8647896111"
    telephony = replace(console_app.telephony, officer_number=number)
    services = replace(console_app.services, numbers=AllowedNumbers(extensions=(number,)))
    desk = ConsoleDesk(replace(console_app, telephony=telephony, services=services))
    duty, other = desk.person(Role.CALLER), desk.signed_in(desk.account(Role.CALLER, login="li"))
    await duty.post("/desk/extension", extension=number)
    first = put(scenario)
    handed = put(
        scenario, person_id=scenario.person(), state="signed", signed_by="duty desk", signed_at=MORNING
    )
    assert f'data-duty="{handed}"' in (await duty.get("/desk")).text
    page = await other.get("/desk")
    assert "data-duty" not in page.text
    assert "The duty line has handed over a call" in text(page)
    # Somebody who is at another task is told, and that one is kept.
    task_id, token = await taken(duty)
    assert task_id == first
    live = await duty.part(f"/desk/tasks/{task_id}/live", token=token)
    assert "The duty line has handed over a call to you." in text(live)
    await duty.post(f"/desk/tasks/{handed}/reclaim", park="yes")
    assert f'data-task="{handed}"' in (await duty.get("/desk")).text
    # The other one comes too late, and is told so.
    await other.post(f"/desk/tasks/{handed}/reclaim")
    assert "Somebody else has this task now" in text(await other.get("/desk"))
    await desk.close()


async def test_a_task_of_another_caller_is_not_reclaimed(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    other = put(scenario, state="signed", signed_by="zhao", signed_at=MORNING)
    waiting = put(scenario, person_id=scenario.person())
    for task_id in (other, waiting):
        answer = await caller.post(f"/desk/tasks/{task_id}/reclaim", token=7)
        assert answer.headers["location"] == "/desk"
        page = await caller.get("/desk")
        assert "Somebody else has this task now" in text(page)
        assert "data-task" not in page.text
        assert NAME not in page.text
    assert state(console, other)["signed_by"] == "zhao"
    assert state(console, waiting)["state"] == "open"


async def test_stop_payments_stand_on_top(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person):
    task_id = put(scenario)
    payment = scenario.put(
        t.stop_payment, case_id=state(console, task_id)["case_id"], opened_at=MORNING, drill=False
    )
    assert "Money transferred" in text(await caller.get("/desk"))
    await taken(caller)
    assert "Money transferred" in text(await caller.get("/desk"))
    await caller.post(f"/desk/stop-payments/{payment}/done", result="too_late")
    assert "Money transferred" not in text(await caller.get("/desk"))
    [row] = console.rows(t.stop_payment)
    assert (row["done_by"], row["result"]) == ("caller", "too_late")


async def test_the_desk_s_telephone(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person):
    assert "is not a telephone" in text(await caller.post("/desk/extension", extension="<Dial>"))
    for elsewhere in ("110", "+19001234567", "sip:x@anyhost", "13800138000"):
        answer = await caller.post("/desk/extension", extension=elsewhere)
        assert "is not a telephone of the centre" in text(answer)
    await caller.post("/desk/extension", extension=" 80-01 ")
    [row] = [row for row in console.rows(t.staff) if row["login"] == "caller"]
    assert row["extension"] == "8001"
    assert [line["facts"] for line in console.audited("extension")] == [{"extension": "8001"}]


async def test_a_call_refused_by_the_network_is_shown_and_frees_the_number(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    await caller.post("/desk/extension", extension="8001")
    task_id, token = await taken(caller)
    answer = await caller.post(f"/desk/tasks/{task_id}/call", token=token, number=0)
    assert answer.status_code == 422
    assert "did not take the call" in text(answer)
    with console.app.services.store.begin() as tx:
        numbers = tx.rows(t.live_number.select())
        assert [(row["attempt_id"], len(row["called_at"])) for row in numbers] == [(None, 0)]
    page = text(await caller.get("/desk"))
    assert "failed" in page
    assert "Today: calls 1" in page


async def test_without_a_call_nothing_is_held_and_an_unknown_change_is_refused(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    task_id, token = await taken(caller)
    page = f"/desk/tasks/{task_id}/talk"
    for change in ("hold", "resume", "mute", "unmute"):
        assert "no call is under way" in text(await caller.post(page, token=token, change=change))
    assert (await caller.post(page, token=token, change="louder")).status_code == 422
    assert "data-hold" not in (await caller.get("/desk")).text


@pytest.mark.parametrize(
    ("talk", "said", "buttons"),
    [
        ({}, "the person is being called or is on the line", ["hold", "mute"]),
        ({"in_room": True}, "The person is on the line", ["hold", "mute"]),
        ({"in_room": True, "hold_since": MORNING}, "The person is being put on hold", ["resume", "mute"]),
        (
            {"in_room": True, "hold_since": MORNING, "is_held": True},
            "The person is on hold and hears that they should wait",
            ["resume", "mute"],
        ),
        ({"in_room": True, "is_held": True}, "The person is being taken back", ["hold", "mute"]),
        ({"in_room": True, "mutes": True}, "You are being muted", ["hold", "unmute"]),
        (
            {"in_room": True, "mutes": True, "is_muted": True},
            "You are muted: the person does not hear you",
            ["hold", "unmute"],
        ),
        ({"in_room": True, "is_muted": True}, "You are still muted", ["hold", "mute"]),
    ],
)
async def test_the_page_says_what_the_network_has_confirmed(
    console: ConsoleDesk,
    scenario: ConsoleScenario,
    caller: Person,
    talk: dict[str, Any],
    said: str,
    buttons: list[str],
):
    put(scenario)
    await caller.post("/desk/extension", extension="8001")
    task_id, token = await taken(caller)
    await caller.post(f"/desk/tasks/{task_id}/call", token=token, number=0)
    with console.app.services.store.begin() as tx:
        tx.execute(t.desk_call.update().values(state="joined", settled=False, joined_at=MORNING, **talk))
    page = await caller.part(f"/desk/tasks/{task_id}/live", token=token)
    assert said in text(page)
    assert re.findall(r'name="change" value="(\w+)"', page.text) == buttons
    other = await caller.part(f"/desk/tasks/{task_id}/live", token="0")
    assert 'name="change"' not in other.text


async def test_only_the_own_units_work_is_given(console: ConsoleDesk, scenario: ConsoleScenario):
    city = scenario.unit("市局")
    county, other = scenario.unit("临河分局", city), scenario.unit("五原县局", city)
    put(scenario, unit_id=other)
    mine = put(scenario, unit_id=county, person_id=scenario.person(), urgency_at=MORNING + timedelta(hours=1))
    here = console.person(Role.CALLER, unit_id=county)
    assert (await taken(here))[0] == mine


@pytest.mark.parametrize("code", [603, 607])
async def test_before_a_call_the_desk_says_that_our_number_is_marked(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person, code: int
):
    put(scenario)
    at = console.clock.now() - timedelta(hours=2)
    for _ in range(3):
        case_id = scenario.case(person_id=scenario.person())
        scenario.attempt(case_id, result="rejected", sent_at=at, ended_at=at, sip_code=code)
    is_marked = code == 607
    assert watch_number(console.app.services) is is_marked
    await taken(caller)
    said = "Our number +8647896110 shows as a nuisance"
    assert (said in text(await caller.get("/desk"))) is is_marked
    page = text(await console.person(Role.SUPERVISOR).get("/control"))
    told = "+8647896110: 3 of 3 calls of 24 hours were refused as unwanted, since"
    assert (told in page) is is_marked
