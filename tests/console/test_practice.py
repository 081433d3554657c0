"""Practice on the console: a case is called or visited, reported and scored; who has practised is seen."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from dialer.core.access import Role
from dialer.core.attempt import AttemptState
from dialer.core.text import Lang
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.practice.model import (
    GUIDE,
    MOST_LINES,
    Course,
    Line,
    PersonKind,
    PracticeCase,
    course,
    true_outcome,
)
from dialer.runtime.services import Application
from dialer.web.console import SESSION_COOKIE
from tests.console.desk import PASSWORD, ConsoleDesk, Person, form_csrf, text
from tests.practice.callers import well_said


@pytest.fixture
def console_app(console_app: Application) -> Application:
    """A service for practice, as `dialer practice` starts it."""
    services = console_app.services
    work = replace(services.work, least_call_seconds=0)
    return replace(console_app, services=replace(services, drill=True, practice=True, work=work))


async def test_a_browser_that_is_signed_in_to_the_real_service_on_this_host_stays_so(console: ConsoleDesk):
    caller = console.account(Role.CALLER, login="chen")
    client = console.stranger()
    client.cookies.set(SESSION_COOKIE, "of-the-real-service", domain="test.local")
    page = await client.get("/sign-in")
    form = {"csrf": form_csrf(page), "login": caller.login, "password": PASSWORD}
    entered = await client.post("/sign-in", data=form)
    assert entered.status_code == 303
    assert client.cookies[SESSION_COOKIE] == "of-the-real-service"
    assert (await client.get("/practice")).status_code == 200
    names = [cookie.partition("=")[0] for cookie in entered.headers.get_list("set-cookie")]
    assert {name.endswith("_practice") for name in names} == {True}


async def taken(caller: Person, key: str) -> tuple[int, str]:
    """The task of this case, and the token of its claim."""
    assert (await caller.post(f"/practice/cases/{key}")).headers["location"] == "/desk"
    found = re.search(r'data-task="(\d+)" data-token="(\d+)"', (await caller.get("/desk")).text)
    assert found is not None
    return int(found[1]), found[2]


async def speak(caller: Person, task_id: int, **said: str) -> httpx.Response:
    """As the panel beside the desk sends it."""
    fields = {"csrf": caller.csrf} | said
    return await caller.client.post(f"/practice/talk/{task_id}", data=fields, headers={"HX-Request": "true"})


async def practise(caller: Person, case: PracticeCase, said: tuple[Line, ...] | None = None) -> None:
    """One attempt, reported as it was."""
    lines = well_said(case) if said is None else said
    task_id, token = await taken(caller, case.key)
    for line in lines:
        assert (await speak(caller, task_id, line=line.value)).status_code == 200
    if case.kind is PersonKind.PAID:
        found = re.search(r'name="case" value="(\d+)"', (await caller.get("/desk")).text)
        assert found is not None
        await caller.post("/desk/stop-payments", case=found[1])
    fields: dict[str, object] = {
        "csrf": caller.csrf,
        "token": token,
        "outcome": true_outcome(case, lines).value,
        "verified": "yes" if Line.WHO in lines else "no",
        "scammer": case.scammer.value,
        "said": [line.value for line in lines if line in GUIDE],
        "following": "1",
    }
    answer = await caller.client.post(f"/desk/tasks/{task_id}/report", data=fields)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/practice"), text(answer)


def one(kind: PersonKind) -> PracticeCase:
    return next(case for case in course() if case.kind is kind)


async def test_a_case_is_taken_spoken_reported_and_scored(console: ConsoleDesk):
    caller, case = console.person(Role.CALLER), one(PersonKind.BELIEVES)
    page = text(await caller.get("/practice"))
    assert "Practice: invented people" in page
    assert "0 of 10" in page
    task_id, token = await taken(caller, case.key)
    desk = await caller.get("/desk")
    assert f'hx-get="/practice/talk/{task_id}"' in desk.text
    assert case.name in desk.text
    part = text(await caller.part(f"/practice/talk/{task_id}"))
    assert case.hello["en"] in part
    assert "When did you pay" in part
    part = text(await speak(caller, task_id, line="said"))
    assert "First prove that you are police" in part
    part = text(await speak(caller, task_id, words="May I have your full name, please?"))
    assert "here are the last four" in part
    console.pass_seconds(20)
    assert "What do you mean?" in text(await speak(caller, task_id, words="Nice weather."))
    assert "empty" in text(await speak(caller, task_id, words="  "))
    assert "empty" in text(await speak(caller, task_id, line="card"))
    [row] = console.rows(t.practice_attempt)
    assert (row["said"], row["practice_case"]) == (["said", "who", "other"], case.key)
    assert (row["last_said_at"] - row["first_said_at"]).total_seconds() == 20
    report = await caller.post(
        f"/desk/tasks/{task_id}/report",
        token=token,
        outcome="refuses",
        verified="yes",
        scammer="no",
        said="who",
    )
    assert report.headers["location"] == "/practice"
    assert f"/practice/attempts/{row['id']}" in (await caller.get("/practice")).text
    result = text(await caller.get(f"/practice/attempts/{row['id']}"))
    for told in (
        "not passed",
        "A detail of the case was named before the identity was asked.",
        "The outcome was half believes, and refuses is recorded.",
        "It was said before the person listened, and not again.",
        "False police were not explained.",
        "Ticked and not said: 0. Said and not ticked: 1.",
        "20 seconds from the first line to the last, of 300.",
        "(something else)",
        case.about["en"],
    ):
        assert told in result, told


async def test_a_course_of_ten_passed_cases_has_a_certificate(console: ConsoleDesk):
    caller, chief = console.person(Role.CALLER), console.person(Role.SUPERVISOR)
    address = f"/practice/certificate/{caller.member.id}"
    for case in course():
        assert "has completed" not in text(await caller.get(address))
        await practise(caller, case)
    page = text(await caller.get("/practice"))
    assert "10 of 10" in page
    assert "not passed" not in page
    certificate = text(await caller.get(address))
    assert "has completed the course of ten practice calls" in certificate
    assert "with 100 points of 100" in certificate
    assert "has completed" in text(await chief.get(address))
    people = await chief.get("/practice/people")
    assert "10 / 10" in text(people)
    assert address in people.text
    assert "Practice of Caller" in text(await chief.get(f"/practice/people/{caller.member.id}"))
    with console.app.services.store.begin() as tx:
        assert (
            tx.scalar(t.attempt.select().where(t.attempt.c.sent_at.is_not(None)).exists().select()) is False
        )


async def test_the_best_attempt_counts_and_a_later_worse_one_takes_nothing_away(console: ConsoleDesk):
    caller, case = console.person(Role.CALLER), one(PersonKind.ANGRY)
    await practise(caller, case, (Line.OPEN,))
    assert "not passed" in text(await caller.get("/practice"))
    await practise(caller, case)
    await practise(caller, case, (Line.OPEN,))
    page = text(await caller.get("/practice"))
    assert "1 of 10" in page
    assert "100 passed" in page
    assert len(console.rows(t.practice_attempt)) == 3
    assert len({row["person_id"] for row in console.rows(t.case)}) == 3


async def test_one_case_at_a_time_and_only_of_the_course(console: ConsoleDesk):
    caller = console.person(Role.CALLER)
    task_id, token = await taken(caller, "angry_loan")
    refused = await caller.post("/practice/cases/angry_rebate")
    assert refused.status_code == 409
    assert "you have a case in hand" in text(refused)
    await caller.post(f"/desk/tasks/{task_id}/release", token=token, why="later")
    assert (await speak(caller, task_id, line="open")).status_code == 200
    assert console.rows(t.practice_attempt)[0]["said"] == []
    assert (await caller.post("/practice/cases/nobody")).status_code == 404
    assert "no report" in text(await caller.get("/practice"))
    [row] = console.rows(t.practice_attempt)
    assert "not scored" in text(await caller.get(f"/practice/attempts/{row['id']}"))


async def test_the_robot_does_not_call_while_somebody_practises(console: ConsoleDesk):
    caller = console.person(Role.CALLER)
    await taken(caller, one(PersonKind.ANGRY).key)
    services = console.app.services
    with services.store.begin() as tx:
        [attempt] = tx.rows(sa.select(t.attempt.c.state, t.attempt.c.not_before))
    assert attempt["state"] == AttemptState.PLANNED.value
    assert attempt["not_before"] >= services.clock.now() + timedelta(days=29)


async def test_a_talk_ends_after_so_many_sentences(console: ConsoleDesk):
    caller = console.person(Role.CALLER)
    task_id, _ = await taken(caller, "angry_loan")
    for _ in range(MOST_LINES):
        await speak(caller, task_id, line="open")
    assert "hangs up after 60 sentences" in text(await speak(caller, task_id, line="who"))
    assert len(console.rows(t.practice_attempt)[0]["said"]) == MOST_LINES


async def test_nobody_sees_the_attempts_of_others_but_the_supervisor_of_the_unit(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        county = add_unit(tx, name="临河", parent_id=city)
        elsewhere = add_unit(tx, name="五原", parent_id=city)
    caller = console.person(Role.CALLER, unit_id=county)
    await practise(caller, one(PersonKind.SCAMMER))
    [row] = console.rows(t.practice_attempt)
    paths = [
        f"/practice/attempts/{row['id']}",
        f"/practice/certificate/{caller.member.id}",
        f"/practice/people/{caller.member.id}",
    ]
    own, other = (
        console.person(Role.SUPERVISOR, unit_id=county),
        console.person(Role.SUPERVISOR, unit_id=elsewhere),
    )
    colleague = console.person(Role.CALLER)
    for path in paths:
        assert (await own.get(path)).status_code == 200
        assert (await other.get(path)).status_code == 404
        assert (await colleague.get(path)).status_code in {403, 404}
    assert "1 / 10" in text(await own.get("/practice/people"))
    assert "1 / 10" not in text(await other.get("/practice/people"))
    task = f"/practice/talk/{row['assignment_id']}"
    assert "no practice case of yours" in text(await colleague.part(task))
    assert (await speak(colleague, row["assignment_id"], line="open")).status_code == 404


async def test_the_real_service_has_no_practice(console_app: Application):
    services = replace(console_app.services, practice=False)
    console = ConsoleDesk(replace(console_app, services=services))
    caller = console.person(Role.CALLER)
    page = text(await caller.get("/practice"))
    assert "dialer practice" in page
    assert "invented people, a database of its own" not in page
    assert 'href="/practice"' not in (await caller.get("/desk")).text
    refused = await caller.post("/practice/cases/angry_loan")
    assert refused.status_code == 409
    assert console.rows(t.practice_attempt) == []
    await console.close()


async def test_a_trainer_chooses_kinds_until_they_are_passed(console: ConsoleDesk):
    caller, chief = console.person(Role.CALLER), console.person(Role.SUPERVISOR)
    angry, address = one(PersonKind.ANGRY), f"/practice/people/{caller.member.id}"
    await practise(caller, angry)
    console.pass_seconds(60)
    fields = {"csrf": chief.csrf, "kind": ["angry", "elderly", "?"]}
    assert (await chief.client.post(address + "/kinds", data=fields)).headers["location"] == address
    assert "angry, elderly" in text(await chief.get("/practice/people"))
    assert "Your trainer has chosen for you: angry elderly" in text(await caller.get("/practice"))
    first = chosen(console)
    console.pass_seconds(60)
    await practise(caller, angry, (Line.OPEN,))
    await chief.client.post(address + "/kinds", data=fields)
    assert chosen(console) == first, "what is due already stays"
    await practise(caller, angry)
    assert "Your trainer has chosen for you: elderly" in text(await caller.get("/practice"))
    await chief.client.post(address + "/kinds", data={"csrf": chief.csrf, "kind": "paid"})
    assert "Your trainer has chosen for you: has paid already" in text(await caller.get("/practice"))
    assert [row["facts"]["kinds"] for row in console.audited("practice_choose")] == [
        ["angry", "elderly"],
        ["paid"],
    ]
    other = console.signed_in(console.account(Role.SUPERVISOR, login="far", unit_id=unit(console)))
    assert (await other.post(address + "/kinds", kind="paid")).status_code == 404
    assert (await caller.post(address + "/kinds", kind="paid")).status_code == 403


def chosen(console: ConsoleDesk) -> list[object]:
    with console.app.services.store.begin() as tx:
        return [dict(row) for row in tx.rows(t.practice_choice.select().order_by(t.practice_choice.c.kind))]


def unit(console: ConsoleDesk) -> int:
    with console.app.services.store.begin() as tx:
        return add_unit(tx, name="五原", parent_id=None)


def at_door(kind: PersonKind) -> PracticeCase:
    return next(case for case in course(Course.VISITS) if case.kind is kind)


async def deed(officer: Person, visit_id: int, what: str, **fields: str) -> None:
    """One act as the officer's phone sends it."""
    sent = {"csrf": officer.csrf, "client_id": str(uuid.uuid4())} | fields
    answer = await officer.client.post(
        f"/visits/{visit_id}/{what}", data=sent, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200, answer.text


async def visit(officer: Person, case: PracticeCase) -> None:
    """One attempt, reported as it was."""
    taken_to = (await officer.post(f"/practice/cases/{case.key}")).headers["location"]
    visit_id = int(taken_to.removeprefix("/visits/"))
    page = await officer.get(taken_to)
    assert f'hx-get="/practice/talk/{visit_id}"' in page.text
    assert case.name in page.text
    assert "nobody is at the door yet" in text(await speak(officer, visit_id, line="card"))
    closed = text(await officer.part(f"/practice/talk/{visit_id}"))
    assert "Press Arrived first" in closed
    assert case.hello[Lang.EN] not in closed
    for stage in ("accepted", "on_the_way", "arrived"):
        await deed(officer, visit_id, "step", stage=stage)
    assert case.hello[Lang.EN] in text(await officer.part(f"/practice/talk/{visit_id}"))
    for line in well_said(case):
        assert "door yet" not in text(await speak(officer, visit_id, line=line.value))
    if case.kind is PersonKind.PAID:
        await officer.post(f"/visits/{visit_id}/paid")
    await deed(officer, visit_id, "seen", who=case.met.value)
    fields = {"outcome": case.won.value}
    fields |= {"scammer": case.scammer.value} if case.is_person else {}
    await deed(officer, visit_id, "report", **fields)
    assert 'href="/practice"' in (await officer.get(taken_to)).text


async def test_an_officer_visits_every_person_of_the_course(console: ConsoleDesk):
    officer, chief = console.person(Role.OFFICER), console.person(Role.SUPERVISOR)
    for case in course(Course.VISITS):
        await visit(officer, case)
    page = text(await officer.get("/practice"))
    assert "6 of 6" in page
    assert "not passed" not in page
    certificate = text(await officer.get(f"/practice/certificate/{officer.member.id}"))
    assert "has completed the course of 6 practice visits" in certificate
    assert "with 100 points of 100" in certificate
    people = text(await chief.get("/practice/people"))
    assert "officer Visits 6 / 6" in people
    page = await chief.get(f"/practice/people/{officer.member.id}")
    assert "a neighbour; nobody is at home" in text(page)
    assert 'value="scammer"' not in page.text


async def test_a_visit_that_met_the_family_dissuaded_nobody(console: ConsoleDesk):
    officer, case = console.person(Role.OFFICER), at_door(PersonKind.FAMILY)
    taken_to = (await officer.post(f"/practice/cases/{case.key}")).headers["location"]
    visit_id = int(taken_to.removeprefix("/visits/"))
    await deed(officer, visit_id, "step", stage="arrived")
    assert "I am his wife" in text(await speak(officer, visit_id, words="这是我的警察证"))
    await speak(officer, visit_id, line="said")
    await deed(officer, visit_id, "seen", who="person")
    await deed(officer, visit_id, "report", outcome="dissuaded_in_person", scammer="yes")
    [row] = console.rows(t.practice_attempt)
    result = text(await officer.get(f"/practice/attempts/{row['id']}"))
    for told in (
        "not passed",
        "The police card was shown first.",
        "The case was told to somebody who is not the person.",
        "Nobody asked where the person is and how to reach them.",
        "Met: the truth is family, and the person is recorded.",
        "The outcome was cannot find yet, and dissuaded in person is recorded.",
        case.about["en"],
    ):
        assert told in result, told


async def test_each_role_has_its_own_course(console: ConsoleDesk):
    officer, caller = console.person(Role.OFFICER), console.person(Role.CALLER)
    assert (await officer.post("/practice/cases/angry_loan")).status_code == 404
    assert (await caller.post("/practice/cases/visit_angry_loan")).status_code == 404
    await officer.post("/practice/cases/visit_angry_loan")
    refused = await officer.post("/practice/cases/visit_family_rebate")
    assert refused.status_code == 409
    assert "you have a case in hand" in text(refused)
    kinds = {row["kind"] for row in console.rows(t.assignment)}
    assert kinds == {"visit"}
