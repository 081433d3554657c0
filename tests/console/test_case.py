"""One case: what it is, what happened and why comes next, masked; acts decided on what the page showed."""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
import uuid
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from dialer.case_page.acts import SeenCase, change_grade, note_case
from dialer.cases.reveals import note_work_reveal
from dialer.core.access import Role, unrestricted
from dialer.core.case import CaseStatus, FollowUp
from dialer.core.timeline import ActKind
from dialer.core.values import (
    Amounts,
    Contact,
    Evidence,
    EvidenceKind,
    Grade,
    OutcomeKind,
    TelephonyResult,
)
from dialer.db import tables as t
from dialer.db.alarms import acknowledge_alarms_of_code
from dialer.scripts.rendered import shipped_manifest
from dialer.work.tasks import WorkReport, report_assignment
from dialer.work.visits import PhoneAct, add_photo
from tests.calls.conversation import PhoneCall
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.rows.case import PICTURE, put_recording
from tests.console.town import ConsoleScenario
from tests.control.scene import Scene
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE


class ConsoleScene(Scene, ConsoleScenario):
    """Cases that go through the machine, in the console's own database."""

    def __init__(self, console: ConsoleDesk) -> None:
        ConsoleScenario.__init__(self, console)
        self.lines(calls_per_second=100.0, lines=50)

    def known(self) -> int:
        return self.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER, family_contact="母亲 13911112222")


@pytest.fixture
def scene(console: ConsoleDesk) -> ConsoleScene:
    return ConsoleScene(console)


@pytest.fixture
def chief(console: ConsoleDesk) -> Person:
    return console.person(Role.SUPERVISOR)


@pytest.fixture
def case_id(scene: ConsoleScene) -> int:
    return scene.open_case(person_id=scene.known(), grade=Grade.MEDIUM)


def revision(scene: ConsoleScene, case_id: int) -> int:
    return int(scene.rows(sa.select(t.case.c.revision).where(t.case.c.id == case_id))[0]["revision"])


async def act(
    person: Person, scene: ConsoleScene, case_id: int, path: str, **form: str | int
) -> httpx.Response:
    """Decided on the case as it stands."""
    given = {"expected": revision(scene, case_id), "shown_at": scene.clock.now().isoformat()}
    return await person.post(f"/cases/{case_id}/{path}", **given | form)


async def shown(person: Person, case_id: int) -> str:
    answer = await person.get(f"/cases/{case_id}")
    assert answer.status_code == 200, answer.text
    return text(answer)


def told(scene: ConsoleScene, case_id: int) -> list[str]:
    found = scene.rows(
        sa.select(t.event)
        .where(t.event.c.case_id == case_id, t.event.c.attempt_id.is_(None))
        .order_by(t.event.c.id)
    )
    return [row["kind"] for row in found]


async def test_the_page_says_when_the_follow_up_comes_and_that_one_opened_the_case_again(
    chief: Person, scene: ConsoleScene, case_id: int
):
    day = MORNING + timedelta(days=1)
    scene.do(sa.update(t.attempt).values(state="ended", result="answered", ended_at=MORNING))
    scene.change_case(
        case_id,
        status=CaseStatus.WATCHING.value,
        outcome="dissuaded_by_phone",
        robot_state="done",
        watch_until=MORNING + timedelta(days=7),
        follow_up_by="robot",
        follow_up_at=day,
        due_at=day,
    )
    page = await shown(chief, case_id)
    assert "已安排回访电话" in page or "a follow-up call is planned" in page
    ends = {"watch_until": None, "follow_up_by": None, "follow_up_at": None, "human_state": "open"}
    scene.change_case(case_id, status="open", outcome=None, reopened=True, **ends)
    page = await shown(chief, case_id)
    assert "经回访重新办理" in page or "opened again by a follow-up" in page


async def test_who_what_and_next_are_told_masked(scene: ConsoleScene, chief: Person, case_id: int):
    answer = await chief.get(f"/cases/{case_id}")
    page = text(answer)
    for part in ("medium", "王*", "138****8000", "15****1237", f"Case #{case_id}", "loan", "family contact"):
        assert part in page
    assert "the robot calls (a new warning)" in page
    for hidden in (NAME, "13800138000", ID_NUMBER, "13911112222"):
        assert hidden not in answer.text


async def test_the_place_in_the_queue_and_its_parts_are_told(
    scene: ConsoleScene, chief: Person, case_id: int
):
    for _ in range(3):
        scene.open_case(grade=Grade.EXTRA_HIGH)
    page = await shown(chief, case_id)
    assert "more urgent ones go first: 3" in page
    assert "Queue priority time" in page


async def test_a_ring_is_told_once_with_all_that_was_said_and_each_line_can_be_played(
    scene: ConsoleScene, chief: Person
):
    ring = PhoneCall(scene, grade=Grade.MEDIUM).answered().after(12).presses("1").after(9).presses("2")
    ring.after(20).ends(seconds=45)
    answer = await chief.get(f"/cases/{ring.case_id}")
    page = text(answer)
    for part in ("Call 1 answered", "the right person, verified", "talked 45 s", "pressed 1", "pressed 2"):
        assert part in page
    assert page.count("Call 1") == 1
    clips = re.findall(r'href="(/clips/[0-9a-f]{24}\.wav)"', answer.text)
    assert len(clips) >= 3
    sound = await chief.get(clips[0])
    assert sound.headers["content-type"] == "audio/wav"
    assert sound.content.startswith(b"RIFF")
    assert "private" in sound.headers["cache-control"]


async def test_wrong_keys_are_told_as_such_and_not_as_silence(scene: ConsoleScene, chief: Person):
    call = PhoneCall(scene, grade=Grade.MEDIUM).answered().presses("5", "6", "7")
    call.ends(seconds=60)
    page = text(await chief.get(f"/cases/{call.case_id}"))
    assert "wrong keys pressed" in page
    for key in "567":
        assert f"pressed {key}, which is no choice" in page
    assert "silent" not in page.partition("Call 1")[2].partition("pressed 7")[0]


async def test_silence_after_a_wrong_key_is_silence(scene: ConsoleScene, chief: Person):
    call = PhoneCall(scene, grade=Grade.MEDIUM).answered().presses("5", "")
    call.ends(seconds=60)
    assert "wrong keys pressed" not in text(await chief.get(f"/cases/{call.case_id}"))


async def test_the_story_says_how_much_of_each_prompt_was_heard(scene: ConsoleScene, chief: Person):
    """The question about the fraud is answered after two seconds, and the call ends three seconds into the warning."""
    call = PhoneCall(scene, grade=Grade.MEDIUM).answered().presses("1").after(2).presses("1", at_once=True)
    call.after(3).ends()
    page = text(await chief.get(f"/cases/{call.case_id}"))
    assert page.count("heard to its end") == 3
    assert re.search(r"heard 2\.0 of \d+\.\d s", page)
    assert re.search(r"heard 3\.0 of \d+\.\d s", page)
    assert page.count("not heard") == 1


async def test_the_story_says_in_which_language_a_prompt_was_heard(scene: ConsoleScene, chief: Person):
    """Key 8 after the warning was heard in Mandarin; then it is heard in English too."""
    scene.services = replace(scene.services, centre=replace(scene.services.centre, languages=("en",)))
    call = PhoneCall(scene, grade=Grade.MEDIUM).answered().presses("8").presses("2")
    call.after(20).ends()
    answer = await chief.get(f"/cases/{call.case_id}")
    page = text(answer)
    assert "For English, press 8." in page
    assert "Is this your number?" in page
    assert page.count("heard to its end") == 9
    # The offer at first, the warning and the question, and the farewell.
    assert page.count("heard in English") == 5
    played = set(re.findall(r'href="/clips/([0-9a-f]{24}\.wav)"', answer.text))
    english = {clip.file for clip in shipped_manifest().clips if clip.language == "en"}
    assert len(played & english) >= 4


async def test_nothing_but_prompts_can_be_played(chief: Person):
    for file in (
        "0" * 24 + ".wav",
        "keys.json",
        "..%2f..%2fkeys.json",
        "%2e%2e",
    ):
        assert (await chief.get(f"/clips/{file}")).status_code in {404, 405}


async def test_a_reveal_wants_a_reason_shows_the_person_once_and_is_on_record(
    console: ConsoleDesk, chief: Person, case_id: int
):
    refused = await chief.post(f"/cases/{case_id}/reveal", why=" ")
    assert refused.status_code == 422
    assert NAME not in refused.text
    assert console.audited("reveal") == []
    answer = await chief.post(f"/cases/{case_id}/reveal", reason="contact", why="rings the family")
    for clear in (NAME, "138 0013 8000", ID_NUMBER, "母亲 13911112222"):
        assert clear in text(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert "delay:120s" in answer.text
    [line] = console.audited("reveal")
    assert (line["who"], line["subject"], line["why"]) == (
        "supervisor",
        f"case/{case_id}",
        "rings the family",
    )
    again = await chief.get(f"/cases/{case_id}")
    assert NAME not in again.text
    assert "saw the person in clear: rings the family Supervisor" in text(again)


def test_somebody_who_goes_on_looking_raises_the_alarm_again(scene: ConsoleScene):
    services = scene.services
    rules = services.reveals

    def looks(first: int, last: int) -> int:
        for n in range(first, last):
            with services.store.begin() as tx:
                note_work_reveal(tx, services, who="li", act="reveal", subject=f"case/{n}", why="x")
            scene.later(seconds=rules.seconds / (2 * rules.alarm))
        with services.store.begin() as tx:
            return acknowledge_alarms_of_code(
                tx, "many_reveals", by="zhao", now=scene.clock.now(), where=sa.true()
            )

    assert looks(0, 2 * rules.alarm) == 1
    assert looks(2 * rules.alarm, 6 * rules.alarm) == 1


async def test_somebody_who_looks_at_many_has_to_wait_and_raises_the_alarm(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person
):
    why = {"reason": "review", "why": "checks the day"}
    cases = [scene.open_case() for _ in range(20)]
    for case in cases[:19]:
        assert (await chief.post(f"/cases/{case}/reveal", **why)).status_code == 200
    assert [row for row in console.rows(t.alarm) if row["code"] == "many_reveals"] == []
    assert (await chief.post(f"/cases/{cases[19]}/words", **why)).status_code == 200
    [alarm] = [row for row in console.rows(t.alarm) if row["code"] == "many_reveals"]
    assert alarm["facts"] == {"who": "supervisor", "count": 20}
    for _ in range(10):
        assert (await chief.post(f"/cases/{cases[0]}/reveal", **why)).status_code == 200
    over = await chief.post(f"/cases/{cases[1]}/reveal", **why)
    assert over.status_code == 429
    assert "30 times in 10 minutes" in text(over)
    other = console.signed_in(console.account(Role.OFFICER, login="zhang"))
    assert (await other.post(f"/cases/{cases[1]}/reveal", **why)).status_code == 200
    console.pass_seconds(601)
    assert (await chief.post(f"/cases/{cases[1]}/reveal", **why)).status_code == 200


async def test_of_many_looks_at_once_no_more_than_the_pace_are_answered(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person
):
    case = scene.open_case()
    asked = [chief.post(f"/cases/{case}/reveal", reason="review", why="checks") for _ in range(36)]
    answers = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert set(answers) <= {200, 429, 503}
    assert 1 <= answers.count(200) <= 30
    assert len(console.audited("reveal")) == answers.count(200)


async def test_what_was_written_typed_and_said_is_opened_with_a_reason(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person
):
    ring = PhoneCall(scene).answered().after(12).presses("1", "3").desk("no-answer", taken=False)
    ring.presses("35000", "6217", "1").after(20).ends(seconds=90)
    note_case(scene.services, unrestricted("li"), ring.case_id, words="女儿在场")
    page = await chief.get(f"/cases/{ring.case_id}")
    assert "typed the amount paid" in text(page)
    assert "words hidden" in text(page)
    for hidden in ("女儿在场", "35000", "¥35,000", "6217"):
        assert hidden not in page.text.replace(chief.csrf, "")  # a token may hold any four digits
    answer = await chief.post(
        f"/cases/{ring.case_id}/words", reason="contact", why="hands the case to the bank"
    )
    for clear in ("女儿在场", "35000", "¥35,000", "6217", "just now"):
        assert clear in text(answer)
    [line] = console.audited("conversation")
    assert line["why"] == "hands the case to the bank"
    assert "女儿在场" not in (await chief.get(f"/cases/{ring.case_id}")).text


ACTS = [
    ("call", {}, ActKind.CALL_NOW),
    ("raise", {"grade": "high"}, ActKind.GRADE_RAISED),
    ("lower", {"grade": "low", "why": "a mistake of the list"}, ActKind.GRADE_LOWERED),
    ("caller", {"why": "speaks Mongolian"}, ActKind.PERSON_ASKED),
    ("officer", {}, ActKind.PERSON_ASKED),
    ("close", {"outcome": "mismatch", "why": "the number is wrong"}, ActKind.CLOSED),
    ("opt-out", {"why": "asked for it"}, ActKind.OPTED_OUT),
    ("note", {"words": "the family has been told"}, ActKind.NOTE),
]


@pytest.mark.parametrize(("path", "form", "kind"), ACTS, ids=[path for path, _, _ in ACTS])
async def test_an_act_is_done_said_and_on_record(
    scene: ConsoleScene, chief: Person, case_id: int, path: str, form: dict[str, str], kind: ActKind
):
    answer = await act(chief, scene, case_id, path, **form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case_id}")
    assert told(scene, case_id) == [kind.value]
    page = await chief.get(f"/cases/{case_id}")
    assert 'class="toast"' in page.text
    if form.get("why"):
        assert form["why"] in text(page)


@pytest.mark.parametrize(
    ("then", "place"),
    [
        ("/overdue?kind=human", "/overdue?kind=human"),
        ("//other.example/overdue", "/cases/"),
        ("/overdue.example", "/cases/"),
    ],
)
async def test_an_act_of_another_page_of_ours_comes_back_to_it(
    scene: ConsoleScene, chief: Person, case_id: int, then: str, place: str
):
    answer = await act(chief, scene, case_id, "call", then=then)
    assert answer.headers["location"].startswith(place)


async def test_on_a_stale_page_it_is_said_what_changed_and_what_was_typed_is_kept(
    scene: ConsoleScene, chief: Person, case_id: int
):
    before, seen_at = revision(scene, case_id), scene.clock.now()
    scene.clock.advance(30)
    change_grade(
        SeenCase(services=scene.services, case_id=case_id, actor=unrestricted("li"), revision=before),
        Grade.HIGH,
    )
    scene.clock.advance(30)
    form = {"expected": before, "shown_at": seen_at.isoformat(), "outcome": "mismatch", "why": "写错号码"}
    answer = await chief.post(f"/cases/{case_id}/close", **form)
    assert answer.status_code == 409
    page = text(answer)
    assert "The case has changed: nothing has been done" in page
    assert "grade raised: medium → high li" in page
    assert "写错号码" in page
    assert '<option value="mismatch" selected>' in answer.text
    assert '<details class="act" name="act" id="act-close" open>' in answer.text
    assert scene.case_of(case_id).status is CaseStatus.OPEN
    [now] = set(re.findall(r'name="expected" value="(\d+)"', answer.text))
    again = await chief.post(f"/cases/{case_id}/close", **form | {"expected": now})
    assert again.status_code == 303


async def test_what_is_filled_in_wrongly_is_said_beside_it(scene: ConsoleScene, chief: Person, case_id: int):
    scene.unit("临河分局")
    forms: tuple[tuple[str, dict[str, str], str], ...] = (
        ("close", {"outcome": "", "why": "x"}, "is not chosen"),
        ("close", {"outcome": "mismatch", "why": " "}, "is empty"),
        ("lower", {"grade": "low", "why": ""}, "is empty"),
        ("raise", {"grade": "low", "why": "x"}, "is lower than now"),
        ("lower", {"grade": "high", "why": "x"}, "is higher than now"),
        ("raise", {"grade": "purple"}, "is not chosen"),
        ("duplicate", {"of": "abc"}, "is not a case number"),
        ("duplicate", {"of": "999999"}, "is not there"),
        ("unit", {"unit": "", "why": "x"}, "is empty"),
        ("unit", {"unit": "沙河", "why": "x"}, "names no unit, or more than one"),
        ("opt-out", {"why": ""}, "is empty"),
        ("note", {"words": "  "}, "is empty"),
        ("filed", {"case_number": " "}, "is empty or too long"),
    )
    for path, form, said in forms:
        answer = await act(chief, scene, case_id, path, **form)
        assert answer.status_code == 422, form
        assert said in text(answer)
        assert 'aria-invalid="true"' in answer.text
    assert told(scene, case_id) == []


async def test_a_duplicate_names_a_case_that_one_sees(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person, case_id: int
):
    county, other = scene.unit("临河分局"), scene.unit("五原县局")
    theirs = scene.open_case()
    scene.change_case(theirs, unit_id=other)
    scene.change_case(case_id, unit_id=county)
    caller = console.person(Role.CALLER, unit_id=county)
    assert (await act(caller, scene, case_id, "duplicate", of=theirs)).status_code == 422
    assert (await act(chief, scene, case_id, "duplicate", of=f"#{theirs}")).status_code == 303
    assert f"of case #{theirs}" in await shown(chief, case_id)


async def test_work_goes_to_another_unit(scene: ConsoleScene, chief: Person, case_id: int):
    county = scene.unit("临河分局")
    scene.unit("五原县局")
    page = await chief.get(f"/cases/{case_id}")
    assert '<option value="临河分局"></option>' in page.text
    answer = await act(chief, scene, case_id, "unit", unit="临河分局", why="lives there")
    assert answer.status_code == 303
    page = await shown(chief, case_id)
    assert "transferred to another unit: 临河分局" in page
    assert "lives there" in page
    assert scene.rows(sa.select(t.case.c.unit_id).where(t.case.c.id == case_id)) == [{"unit_id": county}]


async def test_no_case_is_closed_as_a_success(scene: ConsoleScene, chief: Person, case_id: int):
    scene.change_case(case_id, contact=Contact.VERIFIED.value)
    assert 'value="dissuaded_by_phone"' not in (await chief.get(f"/cases/{case_id}")).text
    refused = await act(chief, scene, case_id, "close", outcome="dissuaded_by_phone", why="x")
    assert refused.status_code == 409
    assert "a success comes from a call or a visit" in text(refused)


async def test_what_cannot_be_done_now_says_why(scene: ConsoleScene, chief: Person, case_id: int):
    await act(chief, scene, case_id, "officer")
    await act(chief, scene, case_id, "opt-out", why="asked for it")
    page = await chief.get(f"/cases/{case_id}")
    assert "Send an officer somebody works on it already" in text(page)
    assert "Call now the person asked not to be called by a robot" in text(page)
    refused = await act(chief, scene, case_id, "call")
    assert refused.status_code == 409


async def test_a_person_who_wants_no_follow_up_gets_none_and_the_success_stays(
    scene: ConsoleScene, chief: Person, case_id: int
):
    day = MORNING + timedelta(days=1)
    scene.do(sa.update(t.attempt).values(state="ended", result="answered", ended_at=MORNING))
    scene.change_case(
        case_id,
        status=CaseStatus.WATCHING.value,
        outcome="dissuaded_by_phone",
        robot_state="done",
        watch_until=MORNING + timedelta(days=7),
        follow_up_by="robot",
        follow_up_at=day,
        due_at=day,
    )
    page = await chief.get(f"/cases/{case_id}")
    assert "No more follow-ups" in text(page)
    assert 'id="act-close"' not in page.text
    assert (await act(chief, scene, case_id, "opt-out", why="asked for it")).status_code == 303
    case = scene.case_of(case_id)
    assert (case.status, case.opted_out, case.follow_up) == (CaseStatus.WATCHING, True, FollowUp())
    assert ActKind.OPTED_OUT.value in told(scene, case_id)
    assert "only with a higher grade" in text(page)
    assert (await act(chief, scene, case_id, "allow-calls", why="")).status_code == 422
    assert (await act(chief, scene, case_id, "allow-calls", why="a new fraud")).status_code == 303
    assert not scene.case_of(case_id).opted_out
    assert ActKind.CALLS_ALLOWED.value in told(scene, case_id)


async def test_a_closed_case_takes_a_note_and_a_filed_case(scene: ConsoleScene, chief: Person, case_id: int):
    await act(chief, scene, case_id, "close", outcome="mismatch", why="wrong number")
    page = await chief.get(f"/cases/{case_id}")
    assert "only a note and a case filed with the police" in text(page)
    assert set(re.findall(r'id="act-(\w+)"', page.text)) == {"filed"}
    assert (await act(chief, scene, case_id, "note", words="the family rang")).status_code == 303


async def test_a_filed_case_reverses_a_success(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person, case_id: int
):
    await act(chief, scene, case_id, "caller")
    task_id = scene.assignments_of(case_id)[-1]["id"]
    scene.talked(task_id)
    report_assignment(
        scene.services, unrestricted("li"), task_id, WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE)
    )
    assert scene.case_of(case_id).status is CaseStatus.WATCHING
    answer = await act(chief, scene, case_id, "filed", case_number="A1504022026001")
    assert answer.status_code == 303
    page = await shown(chief, case_id)
    assert "reversed by a filed case" in page
    assert "A1504022026001" in page
    assert scene.case_of(case_id).status is CaseStatus.REVERSED
    [line] = console.audited("file_case")
    assert line["who"] == "supervisor"
    caller = console.person(Role.CALLER)
    assert 'id="act-undo_filed"' not in (await caller.get(f"/cases/{case_id}")).text
    form = {"case_number": "A1504022026001", "why": "输错了案件编号"}
    assert (await act(caller, scene, case_id, "filed/undo", **form)).status_code == 403
    empty = await act(chief, scene, case_id, "filed/undo", **(form | {"why": " "}))
    assert empty.status_code == 422
    assert "is empty" in text(empty)
    unknown = await act(chief, scene, case_id, "filed/undo", **(form | {"case_number": "A2"}))
    assert "does not stand for this case" in text(unknown)
    assert (await act(chief, scene, case_id, "filed/undo", **form)).status_code == 303
    assert scene.case_of(case_id).status is CaseStatus.WATCHING
    [line] = console.audited("undo_filing")
    assert (line["who"], line["facts"]) == ("supervisor", {"case_number": "A1504022026001"})
    page = (await chief.get(f"/cases/{case_id}")).text
    assert 'id="act-undo_filed"' not in page
    assert f"/cases/{case_id}/look-back" not in page


@pytest.mark.parametrize("role", [Role.CLERK, Role.ADMINISTRATOR, Role.AUDITOR])
async def test_who_may_only_look_is_offered_nothing(
    console: ConsoleDesk, scene: ConsoleScene, case_id: int, role: Role
):
    page = (await console.person(role).get(f"/cases/{case_id}")).text
    main = page[page.index("<main") :]
    assert "<form" not in main
    assert "Show in clear" not in main


async def test_a_fall_is_offered_to_those_who_may(console: ConsoleDesk, chief: Person, case_id: int):
    assert 'id="act-lower"' in (await chief.get(f"/cases/{case_id}")).text
    assert 'id="act-lower"' not in (await console.person(Role.CALLER).get(f"/cases/{case_id}")).text


async def test_money_waits_for_a_second_person(console: ConsoleDesk, scene: ConsoleScene, chief: Person):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    work = scene.assignments_of(case_id)[0]["id"]
    scene.talked(work, by="supervisor")
    report_assignment(
        scene.services,
        unrestricted("supervisor"),
        work,
        WorkReport(
            outcome=OutcomeKind.DISSUADED_BY_PHONE,
            amounts=Amounts(intended_fen=100, stopped_fen=2_000_000),
            evidence=Evidence(kind=EvidenceKind.BANK_RECEIPT, reference="银行回单 881", shows_fen=2_000_000),
        ),
    )
    page = await chief.get(f"/cases/{case_id}")
    assert "Stopped at the bank ¥20,000" in text(page)
    assert "waits for a second person" in text(page)
    assert "银行回单" not in page.text
    assert "Approve the money" not in text(page)
    outcome_id = scene.rows(sa.select(t.outcome.c.id).where(t.outcome.c.stopped_fen > 0))[0]["id"]
    refused = await chief.post(f"/cases/{case_id}/outcomes/{outcome_id}/approve")
    assert refused.status_code == 409
    assert "a second person decides this" in text(refused)
    other = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    assert "Approve the money" in await shown(other, case_id)
    done = await other.post(f"/cases/{case_id}/outcomes/{outcome_id}/approve")
    assert done.status_code == 303
    assert "approved by Supervisor" in await shown(chief, case_id)
    assert console.audited("approve_outcome")[0]["who"] == "zhao"
    elsewhere = scene.open_case()
    assert (await other.post(f"/cases/{elsewhere}/outcomes/{outcome_id}/approve")).status_code == 404


async def test_a_photo_is_shown_with_a_reason(console: ConsoleDesk, scene: ConsoleScene, chief: Person):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    visit = next(row["id"] for row in scene.assignments_of(case_id) if row["kind"] == "visit")
    photo_id = uuid.uuid4()
    add_photo(
        scene.services,
        visit,
        phone=PhoneAct(client_id=photo_id, actor=unrestricted("zhang")),
        content=PICTURE,
    )
    path = f"/cases/{case_id}/files/{photo_id}"
    assert path in (await chief.get(f"/cases/{case_id}")).text
    assert (await chief.post(path, why="")).status_code == 422
    assert console.audited("view_photo") == []
    answer = await chief.post(path, reason="contact", why="checks the receipt")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/png", "no-store")
    assert answer.content.startswith(b"\x89PNG")
    assert console.audited("view_photo")[0]["why"] == "checks the receipt"
    assert (await chief.post(f"/cases/{scene.open_case()}/files/{photo_id}", why="x")).status_code == 404


async def test_a_recording_is_listened_to_with_a_reason_by_who_gave_it_and_for_ten_minutes(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person
):
    case_id = scene.case(warning=False)
    sound = b"RIFF....WAVE" + bytes(100)
    recording_id = put_recording(ConsoleScenario(console), case_id, sound=sound)
    path = f"/cases/{case_id}/recordings/{recording_id}"
    page = await chief.get(f"/cases/{case_id}")
    assert path in page.text
    assert hashlib.sha256(sound).hexdigest() in page.text
    assert "<audio" not in page.text
    for wrong in ({"why": "an appeal"}, {"reason": "review", "why": " "}):
        assert (await chief.post(path, **wrong)).status_code == 422
    assert (await chief.get(f"{path}/sound")).status_code == 422
    assert console.audited("hear_recording") == []

    opened = await chief.post(path, reason="review", why="an appeal")
    assert opened.status_code == 200
    found = re.search(r'<audio[^>]* src="([^"]+)"', opened.text)
    assert found is not None
    address = html.unescape(found[1])
    heard = await chief.get(address)
    assert (heard.content, heard.headers["content-type"]) == (sound, "audio/wav")
    assert heard.headers["cache-control"] == "no-store"
    (line,) = console.audited("hear_recording")
    assert (line["why"], line["facts"]) == ("an appeal", {"recording": recording_id, "reason": "review"})
    other = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    assert (await other.get(address)).status_code == 422
    elsewhere = put_recording(ConsoleScenario(console), scene.case(warning=False))
    assert (
        await chief.get(address.replace(f"recordings/{recording_id}/", f"recordings/{elsewhere}/"))
    ).status_code == 404
    console.clock.advance(601)
    assert (await chief.get(address)).status_code == 422
    assert "listened to the recording of a call" in text(await chief.get(f"/cases/{case_id}"))


async def test_of_a_deleted_recording_the_digest_is_left(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person
):
    case_id = scene.case(warning=False)
    recording_id = put_recording(ConsoleScenario(console), case_id)
    gone = {"state": "deleted", "sealed": None, "deleted_at": MORNING}
    scene.do(sa.update(t.recording).where(t.recording.c.id == recording_id).values(**gone))
    page = await chief.get(f"/cases/{case_id}")
    assert "Recording of the call: deleted" in text(page)
    assert hashlib.sha256(b"RIFF....WAVE").hexdigest() in page.text
    assert f"/recordings/{recording_id}" not in page.text
    refused = await chief.post(
        f"/cases/{case_id}/recordings/{recording_id}", reason="review", why="an appeal"
    )
    assert refused.status_code == 409


async def test_the_page_asks_again_only_while_a_call_is_live(scene: ConsoleScene, chief: Person):
    ring = PhoneCall(scene).answered()
    live = await chief.get(f"/cases/{ring.case_id}")
    assert 'hx-trigger="every 4s"' in live.text
    assert "talking now" in text(live)
    part = await chief.part(f"/cases/{ring.case_id}")
    assert "<html" not in part.text
    assert {"now", "story", "acts", "side", "person"} <= set(re.findall(r'id="(\w+)"', part.text))
    ring.after(30).ends(TelephonyResult.ANSWERED, seconds=30)
    scene.change_attempt(scene.attempt_of(ring.case_id)["id"], not_before=MORNING + timedelta(hours=1))
    assert 'hx-trigger="every 4s"' not in (await chief.get(f"/cases/{ring.case_id}")).text


async def test_an_act_is_one_line_and_its_reason_stands_with_it(
    scene: ConsoleScene, chief: Person, case_id: int
):
    await act(chief, scene, case_id, "lower", grade="low", why="a mistake of the list")
    page = await shown(chief, case_id)
    assert "grade lowered: medium → low Supervisor a mistake of the list" in page
    assert page.count("a mistake of the list") == 1


async def test_fifty_rings_ask_the_database_no_more_than_one(scene: ConsoleScene, chief: Person):
    asked: list[str] = []
    sa.event.listen(scene.store.sql_engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    one, many = scene.case(), scene.case(status=CaseStatus.CLOSED)
    scene.attempt(one)
    for n in range(50):
        scene.attempt(many, n=n + 1, sent_at=MORNING + timedelta(minutes=n))
    counts: dict[int, list[int]] = {}
    for case_id in (one, many):
        for _ in range(3):  # on a slow machine what a page keeps for seconds is read once more
            asked.clear()
            page = await shown(chief, case_id)
            counts.setdefault(case_id, []).append(len(asked))
    assert "Call 50" in page
    assert min(counts[many]) <= min(counts[one]) <= 40
