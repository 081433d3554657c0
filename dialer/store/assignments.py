"""Assignments: human calls and visits that somebody has to make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.domain.case import Reason
from dialer.domain.effects import HastenErrand, TakeErrand
from dialer.domain.errand import PENDING_STATES, AssignmentState, VisitStage
from dialer.domain.values import Grade, OutcomeKind, Track
from dialer.errors import NotFound, Overtaken
from dialer.language import Text
from dialer.store import tables as t
from dialer.store import units
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    id: int
    case_id: int
    kind: Track
    state: AssignmentState
    grade: Grade
    reason: str
    unit: str
    opened_at: datetime
    sign_by: datetime
    due_at: datetime
    feedback_by: datetime
    signed_at: datetime | None
    signed_by: str
    withdrawn_why: str
    unit_id: int | None = None
    """None: it waits at the centre."""
    token: int = 0
    """Grows with every hand it goes through: whoever acts with an older one has been overtaken."""
    opened_token: int | None = None
    """The claim under which its holder opened the person, which is in the audit."""
    lease_until: datetime | None = None
    """Real. A desk's claim ends then unless it is renewed."""
    raises: int = 0
    """How many levels it rose because nobody signed."""
    transfers: int = 0
    call_at: datetime | None = None
    """The person wants to be rung then."""
    kept_for: str | None = None
    stage: VisitStage = VisitStage.NONE
    done_by: str | None = None
    outcome: str | None = None

    @property
    def is_opened(self) -> bool:
        """Under the claim that counts now."""
        return self.opened_token == self.token


_COLUMNS = (
    "id",
    "case_id",
    "kind",
    "state",
    "reason",
    "unit",
    "opened_at",
    "sign_by",
    "due_at",
    "feedback_by",
    "signed_at",
    "signed_by",
    "withdrawn_why",
    "unit_id",
    "token",
    "opened_token",
    "lease_until",
    "raises",
    "transfers",
    "call_at",
    "kept_for",
    "stage",
    "done_by",
    "outcome",
)


def _assignment(row: Mapping[str, Any]) -> Assignment:
    return Assignment(
        **{
            name: row[name]
            for name in _COLUMNS
            if name not in {"kind", "state", "signed_by", "withdrawn_why", "stage"}
        },
        kind=Track(row["kind"]),
        state=AssignmentState(row["state"]),
        grade=Grade(row["grade"]),
        signed_by=row["signed_by"] or "",
        withdrawn_why=row["withdrawn_why"] or "",
        stage=VisitStage(row["stage"]).under(AssignmentState(row["state"])),
    )


def _select() -> sa.Select[Any]:
    return sa.select(*(t.assignment.c[name] for name in _COLUMNS), t.case.c.grade).join(
        t.case, t.case.c.id == t.assignment.c.case_id
    )


def waiting(
    tx: Tx,
    *,
    kind: Track | None = None,
    scope: int | None = None,
    signed_by: str | None = None,
    limit: int = 100,
) -> list[Assignment]:
    """Open and signed ones, most urgent first: of the unit `scope` and all below it, and of whoever signed for them."""
    statement = _select().where(in_words(t.assignment.c.state, PENDING_STATES))
    if kind is not None:
        statement = statement.where(t.assignment.c.kind == kind.value)
    if scope is not None:
        statement = statement.where(units.within(t.assignment.c.unit_id, scope))
    if signed_by is not None:
        statement = statement.where(
            t.assignment.c.state == AssignmentState.SIGNED.value, t.assignment.c.signed_by == signed_by
        )
    return [_assignment(row) for row in tx.rows(statement.order_by(t.assignment.c.urgency_at).limit(limit))]


def of_case(tx: Tx, case_id: int) -> list[Assignment]:
    """Open and signed ones of a case."""
    statement = _select().where(
        t.assignment.c.case_id == case_id, in_words(t.assignment.c.state, PENDING_STATES)
    )
    return [_assignment(row) for row in tx.rows(statement.order_by(t.assignment.c.id))]


def get(tx: Tx, assignment_id: int) -> Assignment:
    row = tx.one(_select().where(t.assignment.c.id == assignment_id))
    if row is None:
        raise NotFound(kind="assignment", key=assignment_id)
    return _assignment(row)


def lock(tx: Tx, assignment_id: int) -> Assignment:
    """Locked; its case must have been locked before."""
    row = tx.one(_select().where(t.assignment.c.id == assignment_id).with_for_update(of=t.assignment))
    if row is None:
        raise NotFound(kind="assignment", key=assignment_id)
    return _assignment(row)


IDLE = timedelta(minutes=30)


def sign(tx: Tx, assignment_id: int, *, by: str, now: datetime, idle: timedelta = IDLE) -> None:
    """签收: it is this person's from now on, and goes back to the queue when nothing is heard of it until it is overdue
    and for `idle` at least. Raises `Overtaken` when it is somebody else's or over.
    """
    signed = tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == assignment_id, t.assignment.c.state == AssignmentState.OPEN.value)
        .values(
            state=AssignmentState.SIGNED.value,
            signed_by=by,
            signed_at=now,
            token=t.assignment.c.token + 1,
            idle_at=sa.func.greatest(t.assignment.c.due_at, now + idle),
            kept_for=None,
            kept_until=None,
        )
    )
    if not signed.rowcount:
        current = get(tx, assignment_id)
        if current.state is AssignmentState.SIGNED and current.signed_by == by:
            return
        raise overtaken(current)


def overtaken(current: Assignment) -> Overtaken:
    """Who did what to it meanwhile."""
    match current.state:
        case AssignmentState.DONE:
            who, outcome = current.done_by or "", current.outcome or ""
            text = Text(
                "%(who)s has reported it already: %(outcome)s",
                who=who,
                outcome=OutcomeKind(outcome) if outcome else "",
            )
            return Overtaken(text, who=who, what=outcome)
        case AssignmentState.WITHDRAWN:
            why = current.withdrawn_why
            text = Text("it was withdrawn: %(why)s", why=Reason(why) if why in set(Reason) else why)
            return Overtaken(text, who="", what=why)
        case AssignmentState.SIGNED:
            who = current.signed_by
            text = Text("%(who)s has it now", who=who)
            return Overtaken(text, who=who, what=current.state.value)
        case AssignmentState.OPEN:
            text = Text("it went back to the queue")
            return Overtaken(text, who="", what=current.state.value)


def lock_held(tx: Tx, assignment_id: int, *, by: str, token: int | None = None) -> Assignment:
    """Locked, when this person has it: with this very claim, where its token is given. Raises `Overtaken`."""
    current = lock(tx, assignment_id)
    is_held = current.state is AssignmentState.SIGNED and current.signed_by == by
    if not is_held or (token is not None and token != current.token):
        raise overtaken(current)
    return current


def hasten(tx: Tx, case_id: int, effect: HastenErrand) -> None:
    """The case's open or signed assignment of that kind stands at its new place in the queue."""
    tx.execute(
        sa.update(t.assignment)
        .where(
            t.assignment.c.case_id == case_id,
            t.assignment.c.kind == effect.track.value,
            in_words(t.assignment.c.state, PENDING_STATES),
        )
        .values(urgency_at=effect.urgency_at, reason=effect.reason.value)
    )


def opened(tx: Tx, held: Assignment) -> None:
    """The holder of this claim sees the person in clear from now on."""
    tx.execute(sa.update(t.assignment).where(t.assignment.c.id == held.id).values(opened_token=held.token))


def take(tx: Tx, case_id: int, effect: TakeErrand, *, by: str, now: datetime) -> None:
    """The case's open assignment of that kind is this desk's, and goes back to the queue as in `sign`; a signed one
    stays whose it is.
    """
    tx.execute(
        sa.update(t.assignment)
        .where(
            t.assignment.c.case_id == case_id,
            t.assignment.c.kind == effect.track.value,
            t.assignment.c.state == AssignmentState.OPEN.value,
        )
        .values(
            state=AssignmentState.SIGNED.value,
            signed_by=by,
            signed_at=now,
            idle_at=sa.func.greatest(t.assignment.c.due_at, now + IDLE),
        )
    )


def done(tx: Tx, assignment_id: int, *, by: str, outcome: OutcomeKind, now: datetime) -> None:
    tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == assignment_id, in_words(t.assignment.c.state, PENDING_STATES))
        .values(
            state=AssignmentState.DONE.value,
            done_by=by,
            done_at=now,
            outcome=outcome.value,
            signed_by=sa.func.coalesce(t.assignment.c.signed_by, by),
            signed_at=sa.func.coalesce(t.assignment.c.signed_at, now),
        )
    )
