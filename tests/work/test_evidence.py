"""A success by phone rests on a staff call with the person, or on a reason and a second person."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.approvals.actions import InboxReader, approve_outcomes, read_inbox, refuse_outcome
from dialer.cases.timeline import read_case_file
from dialer.core.access import DESK, Role, unrestricted
from dialer.core.case import CaseStatus, VisitStage
from dialer.core.errors import Conflict, Overtaken
from dialer.core.rates import Counts, Period
from dialer.core.text import Lang
from dialer.core.values import (
    AmountKind,
    Amounts,
    Contact,
    Evidence,
    EvidenceKind,
    Grade,
    OutcomeKind,
    ScammerContact,
    Track,
)
from dialer.db import tables as t
from dialer.language.sentences import entry_sentence
from dialer.outcomes.filing import file_for_case
from dialer.outcomes.ledger import CallerSuccesses, SourceAnswers, answers_by_source, successes_by_caller
from dialer.work.assignments import Assignment, Scope
from dialer.work.desk_store import day_of_caller
from dialer.work.tasks import (
    NoCall,
    WorkReport,
    approve_outcome,
    claim_next,
    release_assignment,
    report_assignment,
)
from dialer.work.visits import PhoneAct, take_step
from tests.figures.sources import figures
from tests.work.bureau import Bureau

SUCCESS = WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE, scammer_contact=ScammerContact.YES)
OWN_PHONE = WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE, no_call="用本人手机拨打")


@pytest.fixture
def task(bureau: Bureau) -> Assignment:
    bureau.open_case(grade=Grade.EXTRA_HIGH)
    return claim(bureau)


def claim(bureau: Bureau, by: str = "li") -> Assignment:
    found = claim_next(bureau.services, unrestricted(by), scope=Scope())
    assert found is not None
    return found


def report(bureau: Bureau, task: Assignment, given: WorkReport = SUCCESS, *, by: str = "li") -> int:
    return report_assignment(bureau.services, unrestricted(by), task.id, given)


def counts_of(bureau: Bureau) -> Counts:
    with bureau.tx() as tx:
        return figures(tx, Period(), drill=False, now=bureau.clock.now()).total.counts


def line_of(bureau: Bureau, outcome_id: int) -> dict[str, object]:
    [row] = bureau.rows(sa.select(t.outcome).where(t.outcome.c.id == outcome_id))
    return row


def test_a_success_with_a_call_counts_at_once_and_names_it(bureau: Bureau, task: Assignment):
    bureau.talked(task.id, seconds=20)
    line = line_of(bureau, report(bureau, task))
    assert (line["call_at"], line["call_seconds"], line["reason"]) == (bureau.clock.now(), 20, "reported")
    assert bureau.case_of(task.case_id).status is CaseStatus.WATCHING


def test_no_call_no_success(bureau: Bureau, task: Assignment):
    with pytest.raises(NoCall, match="there is no staff call"):
        report(bureau, task)
    assert bureau.case_of(task.case_id).status is CaseStatus.OPEN
    assert bureau.rows(sa.select(t.outcome)) == []


@pytest.mark.parametrize("how", ["too short", "under way", "of another caller", "before the task was taken"])
def test_a_call_that_does_not_count(bureau: Bureau, task: Assignment, how: str):
    if how == "of another caller":
        release_assignment(bureau.services, unrestricted("li"), task.id, why="x")
        bureau.talked(task.id, by="wang")
        release_assignment(bureau.services, unrestricted("wang"), task.id, why="x")
        bureau.later(seconds=1)
        claim(bureau)
    elif how == "before the task was taken":
        bureau.talked(task.id)
        release_assignment(bureau.services, unrestricted("li"), task.id, why="x")
        bureau.later(seconds=1)
        claim(bureau)
    else:
        bureau.talked(task.id, seconds=19 if how == "too short" else None)
    with pytest.raises(NoCall):
        report(bureau, task)


def test_the_call_that_the_duty_line_took_counts(bureau: Bureau, task: Assignment):
    attempt_id, begun = bureau.attempt_of(task.case_id)["id"], bureau.clock.now()
    bureau.do(
        sa.update(t.assignment).where(t.assignment.c.id == task.id).values(signed_by=DESK, signed_at=begun)
    )
    for step, word, after in (("desk.3", "answered", 0), ("talk.3", "completed", 45)):
        bureau.put(
            t.event,
            case_id=task.case_id,
            attempt_id=attempt_id,
            step=step,
            kind="desk",
            by="",
            at=begun + timedelta(seconds=after),
            facts={"desk": word},
        )
        if after == 0:
            with pytest.raises(NoCall):
                report(bureau, task)
    assert line_of(bureau, report(bureau, task))["call_seconds"] == 45


def test_other_outcomes_need_no_call_and_verify_nobody_without_one(bureau: Bureau, task: Assignment):
    with pytest.raises(NoCall, match="verifies the identity"):
        report(bureau, task, WorkReport(outcome=OutcomeKind.REFUSES, contact=Contact.VERIFIED))
    line = line_of(bureau, report(bureau, task, WorkReport(outcome=OutcomeKind.REFUSES)))
    assert line["contact"] == "unverified"


def test_a_success_without_a_call_counts_nowhere_until_a_second_person_approves(
    bureau: Bureau, task: Assignment
):
    outcome_id = report(bureau, task, OWN_PHONE)
    case = bureau.case_of(task.case_id)
    assert (case.status, case.contact) == (CaseStatus.OPEN, Contact.NONE)
    counts = counts_of(bureau)
    assert (counts.dissuaded, counts.verified_contact, counts.human_calls) == (0, 0, 0)
    with bureau.tx() as tx:
        assert day_of_caller(tx, "li", since=task.opened_at).succeeded == 0
    assert claim_next(bureau.services, unrestricted("wang"), scope=Scope()) is None
    with pytest.raises(Conflict, match="a second person decides this"):
        approve_outcome(bureau.services, unrestricted("li"), outcome_id)
    with pytest.raises(Conflict, match="a second person decides this"):
        approve_outcome(bureau.services, unrestricted("LI"), outcome_id)
    approve_outcome(bureau.services, unrestricted("zhao"), outcome_id)
    case = bureau.case_of(task.case_id)
    assert (case.status, case.contact) == (CaseStatus.WATCHING, Contact.VERIFIED)
    done = bureau.assignment_of(task.case_id)
    assert (done["state"], done["done_by"], done["outcome"]) == ("done", "li", "dissuaded_by_phone")
    counts = counts_of(bureau)
    assert (counts.dissuaded, counts.verified_contact, counts.human_calls) == (1, 1, 1)
    assert len(bureau.rows(sa.select(t.outcome))) == 1


def test_a_success_that_was_reversed_is_none_of_the_day(bureau: Bureau, task: Assignment):
    bureau.talked(task.id)
    report(bureau, task)
    with bureau.tx() as tx:
        assert day_of_caller(tx, "li", since=task.opened_at).succeeded == 1
    file_for_case(bureau.services, unrestricted("zhao"), task.case_id, case_number="A1")
    with bureau.tx() as tx:
        today = day_of_caller(tx, "li", since=task.opened_at)
    assert (today.reported, today.succeeded) == (1, 0)


def test_nobody_approves_and_the_task_is_called_by_another(bureau: Bureau, task: Assignment):
    outcome_id = report(bureau, task, OWN_PHONE)
    bureau.later(seconds=1800)
    again = claim(bureau, "wang")
    assert again.id == task.id
    bureau.talked(task.id, by="wang")
    report(bureau, again, by="wang")
    with pytest.raises(Overtaken):
        approve_outcome(bureau.services, unrestricted("zhao"), outcome_id)
    [approved] = bureau.rows(sa.select(sa.func.count().label("n")).select_from(t.outcome_approval))
    assert approved["n"] == 0


def waiting_for_approval(bureau: Bureau) -> list[int]:
    return [row["outcome_id"] for row in bureau.rows(sa.select(t.outcome_waiting))]


@pytest.mark.parametrize("ends", ["by the report of another", "since an officer reached the person"])
def test_a_success_without_a_call_waits_no_longer_than_its_task(bureau: Bureau, task: Assignment, ends: str):
    proof = Evidence(kind=EvidenceKind.BANK_RECEIPT, reference="R1", shows_fen=100_000)
    given = replace(OWN_PHONE, amounts=Amounts(intended_fen=100_000), evidence=proof)
    outcome_id = report(bureau, task, given)
    assert waiting_for_approval(bureau) == [outcome_id]
    if ends == "by the report of another":
        bureau.later(seconds=1800)
        again = claim(bureau, "wang")
        bureau.talked(task.id, by="wang")
        other = report(bureau, again, WorkReport(outcome=OutcomeKind.REFUSES), by="wang")
        assert not any(row["reverses"] == other for row in bureau.rows(sa.select(t.outcome)))
    else:
        visit = bureau.assignment_of(task.case_id, Track.VISIT)["id"]
        officer = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("wang"))
        take_step(bureau.services, visit, VisitStage.ARRIVED, phone=officer)
        report_assignment(
            bureau.services, unrestricted("wang"), visit, WorkReport(outcome=OutcomeKind.DISSUADED_IN_PERSON)
        )
        assert bureau.assignment_of(task.case_id)["state"] == "withdrawn"
        assert counts_of(bureau).dissuaded == 1
    assert waiting_for_approval(bureau) == []
    [undone] = bureau.rows(sa.select(t.outcome).where(t.outcome.c.reverses == outcome_id))
    assert (undone["recorded_by"], undone["reason"]) == ("robot", "claim_ended")
    with bureau.tx() as tx:
        amounts = figures(tx, Period(), drill=False, now=bureau.clock.now()).total.amounts
        entries = read_case_file(tx, task.case_id).timeline
        told = [
            entry_sentence(entry, Lang.EN) for entry in entries if entry.facts.get("reverses") == outcome_id
        ]
    assert amounts[AmountKind.INTENDED].unapproved_fen == 0
    assert told == [
        f"outcome {outcome_id}, without a call of ours, does not count: its task ended before anybody approved it"
    ]
    with pytest.raises(Overtaken):
        approve_outcome(bureau.services, unrestricted("zhao"), outcome_id)


def test_an_approved_or_refused_success_without_a_call_is_reversed_by_no_end_of_its_task(
    bureau: Bureau, task: Assignment
):
    refused = report(bureau, task, OWN_PHONE)
    refuse_outcome(bureau.services, unrestricted("zhao"), refused, why="无凭证")
    again = claim(bureau)
    approved = report(bureau, again, OWN_PHONE)
    approve_outcome(bureau.services, unrestricted("zhao"), approved)
    assert [row["reason"] for row in bureau.rows(sa.select(t.outcome).order_by(t.outcome.c.id))] == [
        "no_call",
        "money_refused",
        "no_call",
    ]
    with pytest.raises(Conflict, match="approved already by zhao"):
        approve_outcome(bureau.services, unrestricted("qian"), approved)


def test_a_rule_of_no_seconds_asks_for_no_call(bureau: Bureau, task: Assignment):
    bureau.work_rules(least_call_seconds=0)
    assert line_of(bureau, report(bureau, task))["reason"] == "reported"


def test_successes_without_a_call_by_caller_and_answers_by_source(bureau: Bureau, task: Assignment):
    report(bureau, task, OWN_PHONE)
    for answer in (ScammerContact.YES, ScammerContact.NO):
        bureau.open_case(grade=Grade.EXTRA_HIGH)
        other = claim(bureau)
        bureau.talked(other.id)
        report(bureau, other, WorkReport(outcome=OutcomeKind.SAW_THROUGH_IT, scammer_contact=answer))
    with bureau.tx() as tx:
        [caller] = successes_by_caller(tx, Period(), drill=False)
        [source] = answers_by_source(tx, Period(), drill=False)
        facts = [
            entry.facts
            for entry in read_case_file(tx, other.case_id).timeline
            if "call_seconds" in entry.facts
        ]
    assert caller == CallerSuccesses(login="li", successes=3, without_call=1, waiting=1)
    assert source == SourceAnswers(source="bureau", yes=1, no=1, unknown=0)
    assert caller.interval is not None
    assert round(caller.interval.low, 3) == 0.061
    assert [fact["scammer_contact"] for fact in facts] == ["no"]


def test_a_success_without_a_call_waits_in_the_inbox_while_its_task_is_open(bureau: Bureau, task: Assignment):
    claimed = report(bureau, task, OWN_PHONE)
    chief = InboxReader(who="zhao", role=Role.SUPERVISOR, unit_id=None)
    [line] = read_inbox(bureau.services, chief).money
    assert (line.id, line.is_without_call) == (claimed, True)
    assert approve_outcomes(bureau.services, unrestricted("zhao"), [claimed]) == 1
    assert bureau.case_of(task.case_id).status is CaseStatus.WATCHING
    assert read_inbox(bureau.services, chief).total == 0


def test_one_whose_task_is_over_waits_no_longer(bureau: Bureau, task: Assignment):
    report(bureau, task, OWN_PHONE)
    bureau.later(seconds=1801)
    other = claim(bureau, by="wang")
    bureau.talked(other.id, by="wang", seconds=20)
    report(bureau, other, by="wang")
    assert (
        read_inbox(bureau.services, InboxReader(who="zhao", role=Role.SUPERVISOR, unit_id=None)).money == []
    )


def test_a_refused_success_without_a_call_opens_its_task_at_once_and_its_recorder_sees_why(
    bureau: Bureau, task: Assignment
):
    claimed = report(bureau, task, OWN_PHONE)
    assert claim_next(bureau.services, unrestricted("wang"), scope=Scope()) is None
    refuse_outcome(bureau.services, unrestricted("zhao"), claimed, why="没有通话记录")
    li = InboxReader(who="li", role=Role.CALLER, unit_id=None)
    [back] = read_inbox(bureau.services, li).returned
    assert (back.id, back.why, back.is_without_call) == (claimed, "没有通话记录", True)
    assert read_inbox(bureau.services, li).total == 1
    assert read_inbox(bureau.services, InboxReader(who="zhao", role=Role.SUPERVISOR, unit_id=None)).total == 0
    with pytest.raises(Conflict, match="reversed already"):
        approve_outcome(bureau.services, unrestricted("sun"), claimed)
    with bureau.tx() as tx:
        [caller] = successes_by_caller(tx, Period(), drill=False)
        told = [entry_sentence(one, Lang.EN) for one in read_case_file(tx, task.case_id).timeline]
    assert (caller.without_call, caller.waiting) == (1, 0)
    assert f"outcome {claimed}, without a staff call, is refused and does not count" in told
    again = claim(bureau, "wang")
    assert again.id == task.id
    bureau.talked(again.id, by="wang")
    report(bureau, again, by="wang")
    assert read_inbox(bureau.services, li).total == 0
    assert counts_of(bureau).dissuaded == 1


def test_a_refusal_takes_a_task_from_nobody_who_has_it_by_then(bureau: Bureau, task: Assignment):
    claimed = report(bureau, task, OWN_PHONE)
    bureau.later(seconds=1801)
    other = claim(bureau, by="wang")
    refuse_outcome(bureau.services, unrestricted("zhao"), claimed, why="没有通话记录")
    bureau.talked(other.id, by="wang")
    report(bureau, other, by="wang")
    assert bureau.case_of(task.case_id).status is CaseStatus.WATCHING


def test_of_two_claims_of_one_task_one_counts(bureau: Bureau, task: Assignment):
    first = report(bureau, task, OWN_PHONE)
    bureau.later(seconds=1801)
    second = report(bureau, claim(bureau, by="wang"), OWN_PHONE, by="wang")
    with pytest.raises(Overtaken):
        approve_outcomes(bureau.services, unrestricted("zhao"), [first, second])
    assert bureau.case_of(task.case_id).status is CaseStatus.OPEN
    assert approve_outcomes(bureau.services, unrestricted("zhao"), [second]) == 1
    assert bureau.assignment_of(task.case_id)["done_by"] == "wang"
