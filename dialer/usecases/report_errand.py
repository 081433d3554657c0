"""A caller or an officer says what came of it: a line in the ledger, the assignment done, the case moved on."""

from __future__ import annotations

from dataclasses import replace

from dialer.domain.access import actor_name
from dialer.domain.acts import ActKind
from dialer.domain.effects import RecordOutcome
from dialer.domain.events import ErrandReported
from dialer.domain.machine import decide
from dialer.domain.values import Contact, OutcomeKind
from dialer.outcomes.money import Amounts, must_have_evidence
from dialer.outcomes.reports import contact_of, may_report
from dialer.store import acts, assignments, audits, cases, effects, outcomes
from dialer.store.acts import Act
from dialer.store.book import Book
from dialer.store.seen import check_case_seen
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


def sign_errand(engine: Engine, assignment_id: int, *, by: str) -> None:
    """签收."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        assignments.sign(tx, assignment_id, by=who, now=engine.clock.now())


def report_errand(
    engine: Engine,
    assignment_id: int,
    *,
    by: str,
    outcome: OutcomeKind,
    amounts: Amounts,
    evidence: str,
    contact: Contact | None = None,
    note: str = "",
    token: int | None = None,
) -> int:
    """The outcome's id in the ledger; `note` is kept sealed in the timeline. Raises `Overtaken` when the assignment is
    over (somebody reported before, or the person was reached on another track), or, where the token of a claim is
    given, when that claim is not this person's, or no longer the one that counts.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        outcome_id, must_cancel = report(
            tx,
            engine,
            assignment_id,
            by=who,
            outcome=outcome,
            amounts=amounts,
            evidence=evidence,
            contact=contact,
            note=note,
            token=token,
        )
    if must_cancel:
        engine.nudge("cancel_calls")
    engine.nudge("dial")
    return outcome_id


def report(
    tx: Tx,
    engine: Engine,
    assignment_id: int,
    *,
    by: str,
    outcome: OutcomeKind,
    amounts: Amounts,
    evidence: str,
    contact: Contact | None,
    note: str,
    token: int | None,
) -> tuple[int, bool]:
    """As `report_errand`, in the caller's transaction; and whether the carrier must end a call."""
    must_have_evidence(amounts, evidence)
    now = engine.clock.now()
    case_id = assignments.get(tx, assignment_id).case_id
    stored = cases.lock(tx, [case_id])[case_id]
    assignment = assignments.lock(tx, assignment_id)
    has_claim = token is None or (token == assignment.token and assignment.signed_by == by)
    if not may_report(assignment.state) or not has_claim:
        raise assignments.overtaken(assignment)
    reached = contact if contact is not None else contact_of(outcome)
    event = ErrandReported(track=assignment.kind, outcome=outcome, contact=reached)
    decision = decide(stored.case, event, now, engine.policies.of(stored.case.policy_version))
    assignments.done(tx, assignment_id, by=by, outcome=outcome, now=now)
    outcome_id = outcomes.append(
        tx,
        case_id=case_id,
        assignment_id=assignment_id,
        kind=outcome,
        contact=reached,
        track=assignment.kind,
        reason="reported",
        amounts=amounts,
        evidence=evidence,
        by=by,
        drill=stored.drill,
        now=now,
    )
    book = Book.begin(now)
    # The person's own line stands for what the machine would have recorded.
    rest = [effect for effect in decision.effects if not isinstance(effect, RecordOutcome)]
    book.enter(replace(stored, case=decision.case), rest)
    cases.save(tx, [decision.case], now=now)
    cancels = effects.write(tx, book)
    if note.strip():
        facts = {"assignment_id": assignment_id, "track": assignment.kind.value}
        act = Act(case_id=case_id, kind=ActKind.NOTE, by=by, facts=facts, words=note.strip())
        acts.note(tx, [act], now=now)
    return outcome_id, bool(cancels)


def approve_outcome(engine: Engine, outcome_id: int, *, by: str, seen_by: int | None = None) -> None:
    """A second person stands for it. Raises `NotFound`, also for one of a case that the unit `seen_by` does not see,
    and `Conflict` for whoever recorded it and for one that is approved already.
    """
    who, now = actor_name(by), engine.clock.now()
    with engine.store.begin() as tx:
        case_id = outcomes.case_of(tx, outcome_id)
        check_case_seen(tx, case_id, seen_by)
        outcomes.approve(tx, outcome_id, by=who, now=now)
        audits.write(
            tx,
            who=who,
            act="approve_outcome",
            subject=f"case/{case_id}",
            why="",
            now=now,
            facts={"outcome_id": outcome_id},
        )
