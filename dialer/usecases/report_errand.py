"""A caller or an officer says what came of it: a line in the ledger, the assignment done, the case moved on."""

from __future__ import annotations

from dataclasses import replace

from dialer.domain.effects import RecordOutcome
from dialer.domain.events import ErrandReported
from dialer.domain.machine import decide
from dialer.domain.values import Contact, OutcomeKind
from dialer.errors import Conflict, Invalid
from dialer.outcomes.money import Amounts, must_have_evidence
from dialer.outcomes.reports import contact_of, may_report
from dialer.store import assignments, cases, effects, outcomes
from dialer.store.book import ROBOT, Book
from dialer.usecases.engine import Engine


def sign_errand(engine: Engine, assignment_id: int, *, by: str) -> None:
    """签收."""
    with engine.store.begin() as tx:
        assignments.sign(tx, assignment_id, by=_named(by), now=engine.clock.now())


def report_errand(
    engine: Engine,
    assignment_id: int,
    *,
    by: str,
    outcome: OutcomeKind,
    amounts: Amounts,
    evidence: str,
    contact: Contact | None = None,
) -> int:
    """The outcome's id in the ledger. Raises `Conflict` when the assignment is over: somebody reported before, or the
    person was reached on another track.
    """
    _named(by)
    must_have_evidence(amounts, evidence)
    with engine.store.begin() as tx:
        now = engine.clock.now()
        case_id = assignments.get(tx, assignment_id).case_id
        stored = cases.lock(tx, [case_id])[case_id]
        assignment = assignments.lock(tx, assignment_id)
        if not may_report(assignment.state):
            raise Conflict(
                f"assignment {assignment_id} is {assignment.state} already"
                + (f" ({assignment.withdrawn_why})" if assignment.withdrawn_why else ""),
                current=assignment.state.value,
            )
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
    if cancels:
        engine.nudge("cancel_calls")
    engine.nudge("dial")
    return outcome_id


def approve_outcome(engine: Engine, outcome_id: int, *, by: str) -> None:
    """A second person stands for it."""
    with engine.store.begin() as tx:
        outcomes.approve(tx, outcome_id, by=_named(by), now=engine.clock.now())


def _named(by: str) -> str:
    name = by.strip()
    if not name:
        raise Invalid(field="by", problem="is empty", mend="who does this")
    if name == ROBOT:
        raise Invalid(field="by", problem="is the robot's own name")
    return name
