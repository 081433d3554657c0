"""A line of the ledger holds all that was reported; who decides it, and what is counted by caller and by source."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.cases.store import Act, note_acts
from dialer.core.case import NO_CALL
from dialer.core.errors import Conflict, NotFound
from dialer.core.intervals import Standing
from dialer.core.rates import Period
from dialer.core.timeline import ActKind
from dialer.core.values import (
    AmountKind,
    Amounts,
    Contact,
    Evidence,
    EvidenceKind,
    FraudType,
    Grade,
    OutcomeKind,
    ScammerContact,
    Track,
)
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.db.units import add_unit
from dialer.outcomes.ledger import (
    AmountsConflict,
    CallerSuccesses,
    OutcomeLine,
    ProvenCall,
    RecordedOutcome,
    SourceAnswers,
    answers_by_source,
    append_outcome,
    approve_outcome_row,
    conflicting_lines,
    correct_outcome_row,
    incidents_of,
    recorded_outcome,
    refuse_outcome_row,
    reports_by_caller,
    successes_by_caller,
)
from tests.outcomes.town import MORNING, Scenario

SECOND = timedelta(seconds=1)
LATER = MORNING + timedelta(hours=1)


def line_of(town: Scenario, outcome_id: int) -> dict[str, object]:
    """With the evidence opened."""
    with town.tx() as tx:
        row = tx.one(sa.select(t.outcome).where(t.outcome.c.id == outcome_id))
        assert row is not None
        sealed, place = row["evidence_sealed"], f"case/{row['case_id']}"
        if sealed is None or sealed == b"-":  # the town seals nothing
            opened = None
        else:
            opened = tx.vault.open(sealed, table="outcome", column="evidence_sealed", row=place).decode()
    return {name: value for name, value in row.items() if name != "evidence_sealed"} | {"evidence": opened}


def test_a_line_holds_all_that_was_reported(town: Scenario):
    case_id = town.case()
    task = town.assignment(case_id)
    with town.tx() as tx:
        outcome_id = append_outcome(
            tx,
            OutcomeLine(
                case_id=case_id,
                assignment_id=task,
                kind=OutcomeKind.DISSUADED_BY_PHONE,
                contact=Contact.VERIFIED,
                track=Track.HUMAN,
                reason="reported",
                amounts=Amounts(intended_fen=1, stopped_fen=2, returned_fen=3),
                evidence="回单 881",
                drill=True,
                scammer_contact=ScammerContact.NO,
                said=["bank", "police"],
                call=ProvenCall(at=MORNING, talk_seconds=75),
                proof=Evidence(kind=EvidenceKind.PHOTO, reference="回单 881", shows_fen=9),
            ),
            by="li",
            now=LATER,
        )
        bare = append_outcome(
            tx,
            OutcomeLine(
                case_id=case_id,
                assignment_id=None,
                kind=OutcomeKind.CANNOT_FIND,
                contact=Contact.NONE,
                track=None,
                reason="x",
                amounts=Amounts(),
                evidence="",
                drill=False,
                reverses=outcome_id,
            ),
            by="bai",
            now=MORNING,
        )
        assert recorded_outcome(tx, outcome_id) == RecordedOutcome(
            case_id=case_id,
            assignment_id=task,
            kind=OutcomeKind.DISSUADED_BY_PHONE,
            contact=Contact.VERIFIED,
            reason="reported",
            recorded_by="li",
        )
        with pytest.raises(NotFound) as missing:
            recorded_outcome(tx, bare + 1)
    assert (missing.value.kind, missing.value.key) == ("outcome", bare + 1)
    told = {
        "id": outcome_id,
        "case_id": case_id,
        "assignment_id": task,
        "attempt_id": None,
        "kind": "dissuaded_by_phone",
        "contact": "verified",
        "track": "human",
        "reason": "reported",
        "intended_fen": 1,
        "stopped_fen": 2,
        "returned_fen": 3,
        "evidence": "回单 881",
        "evidence_kind": "photo",
        "evidence_fen": 9,
        "recorded_by": "li",
        "at": LATER,
        "reverses": None,
        "drill": True,
        "scammer_contact": "no",
        "said": ["bank", "police"],
        "call_at": MORNING,
        "call_seconds": 75,
    }
    assert line_of(town, outcome_id) == told
    nothing = dict.fromkeys(
        ("assignment_id", "track", "evidence", "evidence_kind", "evidence_fen", "scammer_contact", "call_at",
         "call_seconds")
    )  # fmt: skip
    assert line_of(town, bare) == told | nothing | {
        "id": bare,
        "kind": "cannot_find",
        "contact": "none",
        "reason": "x",
        "intended_fen": 0,
        "stopped_fen": 0,
        "returned_fen": 0,
        "recorded_by": "bai",
        "at": MORNING,
        "reverses": outcome_id,
        "drill": False,
        "said": [],
    }


@pytest.mark.parametrize("kind", AmountKind)
def test_an_amount_conflicts_with_one_of_its_kind_of_the_same_case(town: Scenario, kind: AmountKind):
    case_id, name = town.case(), f"{kind}_fen"
    evidence = {"evidence_kind": "photo", "evidence_fen": 70}
    first = town.outcome(case_id, **{name: 10}, recorded_by="sun", at=LATER, **evidence)
    second = town.outcome(case_id, **{name: 20})
    approved = town.outcome(case_id, **{name: 30})
    town.approve(approved)
    gone = town.outcome(case_id, **{name: 40})
    town.outcome(case_id, reverses=gone)
    for other in set(AmountKind) - {kind}:
        town.outcome(case_id, **{f"{other}_fen": 50})
    town.outcome(town.case(), **{name: 60})
    with town.tx() as tx:
        found = conflicting_lines(tx, [first, second, gone])
    assert {one: [line.id for line in lines] for one, lines in found.items()} == {
        first: [approved, second],
        second: [approved, first],
        gone: [approved, first, second],
    }
    _, line = found[second]
    amounts = {each: getattr(line, f"{each}_fen") for each in AmountKind}
    assert amounts == dict.fromkeys(AmountKind, 0) | {kind: 10}
    assert (line.evidence_kind, line.evidence_fen) == (EvidenceKind.PHOTO, 70)
    assert (line.recorded_by, line.at, line.approved_by) == ("sun", LATER, "")
    assert found[first][0].approved_by == "zhao"


def test_of_one_case_an_amount_counts_once(town: Scenario):
    case_id = town.case(drill=True)
    task = town.assignment(case_id)
    first = town.outcome(case_id, intended_fen=10, drill=True, assignment_id=task)
    town.approve(first)
    second = town.outcome(case_id, intended_fen=20)
    with town.tx() as tx, pytest.raises(AmountsConflict) as refused:
        approve_outcome_row(tx, second, by="zhao", now=LATER)
    assert (refused.value.outcome_id, refused.value.others) == (second, (first,))
    assert refused.value.current == "counted"
    assert f"as outcome {first}, which is approved" in str(refused.value)
    with town.tx() as tx:
        assert approve_outcome_row(tx, second, by="zhao", now=LATER, in_place=True) == (first,)
        [approval] = tx.rows(sa.select(t.outcome_approval).where(t.outcome_approval.c.outcome_id == second))
        reversal = tx.scalar(sa.select(t.outcome.c.id).where(t.outcome.c.reverses == first))
    assert approval == {"outcome_id": second, "recorded_by": "li", "approved_by": "zhao", "at": LATER}
    before, line = line_of(town, first), line_of(town, reversal)
    changed = {"id": reversal, "reason": "money_replaced", "intended_fen": 0, "recorded_by": "zhao", "at": LATER,
               "reverses": first, "evidence": None}  # fmt: skip
    assert line == before | changed
    assert (line["assignment_id"], line["drill"], line["track"]) == (task, True, "human")


def mark(tx: Tx, case_id: int, *, of: int) -> None:
    note_acts(tx, [Act(case_id=case_id, kind=ActKind.DUPLICATE, by="li", facts={"of": of})], now=LATER)


def test_cases_marked_as_duplicates_are_one_incident_also_through_others(town: Scenario):
    a, b, c, d, apart = (town.case() for _ in range(5))
    with town.tx() as tx:
        mark(tx, a, of=b)
        mark(tx, c, of=b)
        mark(tx, b, of=d)
        found = incidents_of(tx, [a, d, apart])
        assert incidents_of(tx, []) == {}
    whole = frozenset({a, b, c, d})
    assert found == {a: whole, d: whole, apart: {apart}}


def test_duplicates_of_a_case_are_found_by_an_index(town: Scenario):
    asked: list[str] = []
    with town.tx() as tx:
        sa.event.listen(tx.connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        incidents_of(tx, [1])
        tx.execute(sa.text("SET LOCAL enable_seqscan = off"))
        [statement] = [one for one in asked if "= ANY" in one and "'of')::bigint = ANY" in one]
        plan = tx.connection.exec_driver_sql("EXPLAIN " + statement, {"param_1": [1]}).scalars().all()
    assert "ix_event_duplicate_of" in "".join(plan)


def test_an_amount_counts_once_for_a_case_and_its_duplicate(town: Scenario):
    with town.tx() as tx:
        unit, other = (add_unit(tx, name=name, parent_id=None) for name in ("甲区", "乙区"))
    kept, twin, apart = town.case(unit_id=unit), town.case(unit_id=other), town.case()
    first, second = town.outcome(kept, stopped_fen=10), town.outcome(twin, stopped_fen=20)
    town.outcome(apart, stopped_fen=30)
    town.approve(first)
    with town.tx() as tx:
        assert conflicting_lines(tx, [first, second]) == {}
        mark(tx, twin, of=kept)
        found = conflicting_lines(tx, [first, second])
        assert {one: [(line.id, line.case_id) for line in lines] for one, lines in found.items()} == {
            first: [(second, twin)],
            second: [(first, kept)],
        }
        assert list(conflicting_lines(tx, [first, second], visible_to=unit)) == [second]
        with pytest.raises(AmountsConflict) as refused:
            approve_outcome_row(tx, second, by="zhao", now=LATER)
        assert refused.value.others == (first,)
        assert approve_outcome_row(tx, second, by="zhao", now=LATER, in_place=True) == (first,)


def test_amounts_that_conflict_with_nothing_reverse_nothing(town: Scenario):
    line = town.outcome(town.case(), intended_fen=10)
    with town.tx() as tx:
        assert approve_outcome_row(tx, line, by="zhao", now=LATER) == ()
        assert tx.scalar(sa.select(t.outcome.c.id).where(t.outcome.c.reverses == line)) is None


def test_a_line_is_decided_once_by_somebody_else(town: Scenario):
    def refused(outcome_id: int, by: str) -> str:
        with town.tx() as tx, pytest.raises(Conflict) as fault:
            approve_outcome_row(tx, outcome_id, by=by, now=LATER)
        with town.tx() as tx, pytest.raises(Conflict) as again:
            refuse_outcome_row(tx, outcome_id, by=by, why="x", now=LATER)
        assert str(again.value) == str(fault.value)
        return fault.value.current

    line = town.outcome(town.case(), intended_fen=10)
    assert refused(line, "LI") == "same_person"
    town.approve(line)
    assert refused(line, "sun") == "approved"
    other = town.outcome(town.case(), intended_fen=10)
    with town.tx() as tx:
        refuse_outcome_row(tx, other, by="zhao", why="x", now=LATER)
    assert refused(other, "sun") == "reversed"
    with town.tx() as tx, pytest.raises(NotFound) as missing:
        approve_outcome_row(tx, 10**9, by="zhao", now=LATER)
    assert (missing.value.kind, missing.value.key) == ("outcome", 10**9)


@pytest.mark.parametrize("kind", AmountKind)
def test_a_refusal_reverses_the_amounts_with_its_reason_sealed(town: Scenario, kind: AmountKind):
    case_id = town.case()
    task = town.assignment(case_id)
    given = {"assignment_id": task, "drill": True, "track": "robot", "scammer_contact": None}
    line = town.outcome(case_id, **{f"{kind}_fen": 10}, **given)
    with town.tx() as tx:
        refusal = refuse_outcome_row(tx, line, by="zhao", why="没有凭证", now=LATER)
    changed = {"id": refusal, "reason": "money_refused", f"{kind}_fen": 0, "recorded_by": "zhao", "at": LATER,
               "reverses": line, "evidence": "没有凭证"}  # fmt: skip
    with town.tx() as tx:
        before = tx.one(sa.select(t.outcome).where(t.outcome.c.id == line))
    assert before is not None
    kept = {name: value for name, value in before.items() if name != "evidence_sealed"}
    assert line_of(town, refusal) == kept | changed


def test_what_waits_for_no_approval_is_not_refused(town: Scenario):
    line = town.outcome(town.case())
    with town.tx() as tx, pytest.raises(Conflict, match="has no amounts") as refused:
        refuse_outcome_row(tx, line, by="zhao", why="x", now=LATER)
    assert refused.value.current == "no amounts"
    claim = town.outcome(town.case(), reason=NO_CALL, evidence_sealed=b"-")
    with town.tx() as tx:
        assert refuse_outcome_row(tx, claim, by="zhao", why="x", now=LATER) > claim


def test_the_recorder_answers_a_refusal_once(town: Scenario):
    case_id = town.case()
    task = town.assignment(case_id)
    line = town.outcome(case_id, intended_fen=10, assignment_id=task, drill=True)
    proof = Evidence(kind=EvidenceKind.PHOTO, reference="回单 882", shows_fen=8)
    with town.tx() as tx:
        with pytest.raises(NotFound) as missing:
            correct_outcome_row(tx, line, amounts=Amounts(), evidence=None, by="li", now=LATER)
        assert (missing.value.kind, missing.value.key) == ("outcome", line)
        refusal = refuse_outcome_row(tx, line, by="zhao", why="x", now=MORNING)
        with pytest.raises(NotFound):
            correct_outcome_row(tx, line, amounts=Amounts(), evidence=None, by="bai", now=LATER)
        mended = Amounts(intended_fen=7, stopped_fen=6, returned_fen=5)
        answer = correct_outcome_row(tx, line, amounts=mended, evidence=proof, by="li", now=LATER)
    told = line_of(town, answer)
    assert told | {"id": 0} == {
        "id": 0,
        "case_id": case_id,
        "assignment_id": task,
        "attempt_id": None,
        "kind": "dissuaded_by_phone",
        "contact": "verified",
        "track": "human",
        "reason": "money_corrected",
        "intended_fen": 7,
        "stopped_fen": 6,
        "returned_fen": 5,
        "evidence": "回单 882",
        "evidence_kind": "photo",
        "evidence_fen": 8,
        "recorded_by": "li",
        "at": LATER,
        "reverses": refusal,
        "drill": True,
        "scammer_contact": None,
        "said": [],
        "call_at": None,
        "call_seconds": None,
    }
    with town.tx() as tx, pytest.raises(Conflict) as refused:
        correct_outcome_row(tx, line, amounts=Amounts(), evidence=None, by="li", now=LATER)
    assert refused.value.current == "reversed"


def test_a_refusal_is_accepted_without_amounts_and_of_a_follow_up_stays_one(town: Scenario):
    for reason, kept in (("reported", "money_corrected"), ("follow_up", "follow_up")):
        line = town.outcome(town.case(), intended_fen=10, reason=reason)
        with town.tx() as tx:
            refuse_outcome_row(tx, line, by="zhao", why="x", now=MORNING)
            answer = correct_outcome_row(tx, line, amounts=Amounts(), evidence=None, by="li", now=LATER)
        told = line_of(town, answer)
        assert (told["reason"], told["evidence"], told["evidence_kind"]) == (kept, None, None)


def test_what_was_undone_otherwise_is_not_corrected(town: Scenario):
    claim = town.outcome(town.case(), reason=NO_CALL, evidence_sealed=b"-")
    undone = town.outcome(town.case(), intended_fen=10)
    with town.tx() as tx:
        for line in (claim, undone):
            refuse_outcome_row(tx, line, by="zhao", why="x", now=MORNING)
    town.outcome(town.case(), reverses=undone, reason="case_filed")
    for line in (claim, undone):
        with town.tx() as tx, pytest.raises(Conflict, match="reversed already") as refused:
            correct_outcome_row(tx, line, amounts=Amounts(), evidence=None, by="li", now=LATER)
        assert refused.value.current == "reversed"


DAY = timedelta(days=1)


def test_the_successes_of_each_caller(town: Scenario):
    """From the start of a window to its end, of reports by phone alone, not of corrections and follow-ups."""
    now = MORNING + 10 * DAY
    with town.tx() as tx:
        unit = add_unit(tx, name="东区", parent_id=None)

    def success(by: str, **columns: object) -> int:
        return town.outcome(town.case(unit_id=unit), **({"recorded_by": by, "at": now} | columns))

    called = {"call_at": now, "call_seconds": 40}
    claimed = {"reason": NO_CALL, "evidence_sealed": b"-"}
    success("li", **called)
    success("li", **called, kind="saw_through_it")
    waiting, approved, refused = (success("bai", **claimed) for _ in range(3))
    town.approve(approved, recorded_by="bai")
    with town.tx() as tx:
        refuse_outcome_row(tx, refused, by="zhao", why="x", now=now)
    success("an")
    success("sun", **called)
    town.outcome(town.case(), recorded_by="sun", at=now)  # of no unit
    for left_out in (
        {"at": now - SECOND}, {"at": now + DAY}, {"drill": True}, {"track": "visit"}, {"track": "robot"},
        {"reverses": waiting}, {"kind": "refuses"}, {"reason": "follow_up"},
    ):  # fmt: skip
        success("nobody", **left_out)
    period = Period(start=now, end=now + DAY)
    with town.tx() as tx:
        found = successes_by_caller(tx, period, drill=False, visible_to=unit)
        every = successes_by_caller(tx, period, drill=False)
    assert found == [
        CallerSuccesses(login="bai", successes=3, without_call=3, waiting=0),
        CallerSuccesses(login="an", successes=1, without_call=1, waiting=0),
        CallerSuccesses(login="li", successes=2, without_call=0, waiting=0),
        CallerSuccesses(login="sun", successes=1, without_call=0, waiting=0),
    ]
    assert [(one.login, one.successes) for one in every] == [("bai", 3), ("an", 1), ("sun", 2), ("li", 2)]


def test_the_reports_of_each_caller(town: Scenario):
    """Too fast: spoken to sooner than twenty seconds after the task was taken."""
    now = MORNING + 20 * DAY

    def reported(
        by: str, after: int, *, kind: str = "refuses", claimed: bool = False, **columns: object
    ) -> None:
        case_id = town.case(grade=columns.pop("grade", Grade.LOW), fraud_type=FraudType.LOAN)  # type: ignore[arg-type]
        signed = {"state": "signed", "signed_by": by, "signed_at": now - timedelta(seconds=after)}
        if claimed:  # the task is nobody's: who had it when is in the timeline
            signed = {}
            for ago, who in ((90, by), (after, by), (1, "another")):
                town.put(
                    t.event,
                    case_id=case_id,
                    step=f"claimed.{ago}",
                    kind="claimed",
                    by=who,
                    at=now - timedelta(seconds=ago),
                    facts={},
                )
        task = town.assignment(case_id, **signed)
        given = {"recorded_by": by, "at": now, "assignment_id": task, "kind": kind} | columns
        town.outcome(case_id, **given)

    reported("li", 19)
    reported("li", 20)
    reported("li", 5, kind="cannot_find")
    reported("li", 60, kind="dissuaded_by_phone", grade=Grade.HIGH)
    reported("bai", 60)
    reported("an", 60)
    reported("an", 60)
    reported("sun", 19, claimed=True)
    reported("sun", 21, claimed=True)
    for left_out in (
        {"at": now - SECOND}, {"at": now + DAY}, {"drill": True}, {"track": "visit"}, {"reason": "follow_up"},
        {"reverses": 1}, {"assignment_id": None},
    ):  # fmt: skip
        reported("nobody", 1, **left_out)
    with town.tx() as tx:
        found = reports_by_caller(
            tx, Period(start=now, end=now + DAY), drill=False, least_seconds=20, visible_to=None
        )
    assert [(one.login, one.reports, one.successes, one.too_fast) for one in found] == [
        ("li", 4, 1, 1),
        ("sun", 2, 0, 1),
        ("an", 2, 0, 0),
        ("bai", 1, 0, 0),
    ]
    first = found[0]
    assert first.interval is not None
    assert first.interval.low < 0.25 < first.interval.high
    assert first.compared.standing is Standing.TOO_FEW
    assert first.compared.compared == 3  # of the kind of case that others had too


def test_the_answers_of_each_source(town: Scenario):
    """The latest answer of a case, by whoever got it."""
    now = MORNING + 30 * DAY

    def case(source: str) -> int:
        return town.case(source=source)

    def asked(case_id: int, answer: str, **columns: object) -> None:
        town.outcome(case_id, **({"at": now, "scammer_contact": answer} | columns))

    bank = case("bank")
    asked(bank, "no")
    asked(bank, "unknown", at=now + SECOND)
    for answer in ("yes", "no"):
        asked(case("通联"), answer)
    for answer in ("already_paid", "in_contact", "none"):
        called = case("通联")
        town.attempt(called, sent_at=now, result="answered", answer=answer)
    told = case("通联")
    asked(told, "no", at=now + SECOND)
    town.attempt(told, sent_at=now, result="answered", answer="already_paid")
    asked(case("别处"), "yes", at=now - SECOND)
    asked(case("别处"), "yes", at=now + DAY)
    asked(case("别处"), "yes", drill=True)
    town.attempt(case("别处"), sent_at=now, result="answered", answer="already_paid", drill=True)
    town.attempt(case("别处"), sent_at=now - SECOND, result="answered", answer="already_paid")
    asked(case("another"), "unknown")
    with town.tx() as tx:
        found = answers_by_source(tx, Period(start=now, end=now + DAY), drill=False)
    assert found == [
        SourceAnswers(source="通联", yes=3, no=2, unknown=0),
        SourceAnswers(source="another", yes=0, no=0, unknown=1),
        SourceAnswers(source="bank", yes=0, no=0, unknown=1),
    ]
    assert found[0].interval is not None
    assert found[0].interval.low < 0.4 < found[0].interval.high
    assert found[1].interval is None
