"""Assignments: human calls and visits that somebody has to make.

The queue of people's work: the next one is claimed with a lease, and what nobody works on comes back by itself.

Assignments that nobody has signed for in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.cases.effects import IDLE_ASSIGNMENT
from dialer.core.case import PENDING_STATES, AssignmentState, Reason, VisitStage
from dialer.core.errors import NotFound, Overtaken
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.org.unit_store import get_unit, is_within_unit


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


def waiting_assignments(
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
        statement = statement.where(is_within_unit(t.assignment.c.unit_id, scope))
    if signed_by is not None:
        statement = statement.where(
            t.assignment.c.state == AssignmentState.SIGNED.value, t.assignment.c.signed_by == signed_by
        )
    return [_assignment(row) for row in tx.rows(statement.order_by(t.assignment.c.urgency_at).limit(limit))]


def assignments_of_case(tx: Tx, case_id: int) -> list[Assignment]:
    """Open and signed ones of a case."""
    statement = _select().where(
        t.assignment.c.case_id == case_id, in_words(t.assignment.c.state, PENDING_STATES)
    )
    return [_assignment(row) for row in tx.rows(statement.order_by(t.assignment.c.id))]


def get_assignment(tx: Tx, assignment_id: int) -> Assignment:
    row = tx.one(_select().where(t.assignment.c.id == assignment_id))
    if row is None:
        raise NotFound(kind="assignment", key=assignment_id)
    return _assignment(row)


def lock_assignment(tx: Tx, assignment_id: int) -> Assignment:
    """Locked; its case must have been locked before."""
    row = tx.one(_select().where(t.assignment.c.id == assignment_id).with_for_update(of=t.assignment))
    if row is None:
        raise NotFound(kind="assignment", key=assignment_id)
    return _assignment(row)


def sign_assignment_for(
    tx: Tx, assignment_id: int, *, by: str, now: datetime, idle: timedelta = IDLE_ASSIGNMENT
) -> None:
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
        current = get_assignment(tx, assignment_id)
        if current.state is AssignmentState.SIGNED and current.signed_by == by:
            return
        raise overtaken_by(current)


def overtaken_by(current: Assignment) -> Overtaken:
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


def lock_signed_assignment(tx: Tx, assignment_id: int, *, by: str, token: int | None = None) -> Assignment:
    """Locked, when this person has it: with this very claim, where its token is given. Raises `Overtaken`."""
    current = lock_assignment(tx, assignment_id)
    is_held = current.state is AssignmentState.SIGNED and current.signed_by == by
    if not is_held or (token is not None and token != current.token):
        raise overtaken_by(current)
    return current


def opened(tx: Tx, held: Assignment) -> None:
    """The holder of this claim sees the person in clear from now on."""
    tx.execute(sa.update(t.assignment).where(t.assignment.c.id == held.id).values(opened_token=held.token))


def finish_assignment(tx: Tx, assignment_id: int, *, by: str, outcome: OutcomeKind, now: datetime) -> None:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose work a person may take: a unit's and all below it, or, without one, the whole centre's. Work without a unit
    waits at the centre: whoever sees the top of the tree may take it.
    """

    unit_id: int | None = None

    def covers(self, tx: Tx) -> sa.ColumnElement[bool]:
        return self.includes(tx, t.assignment.c.unit_id)

    def includes(self, tx: Tx, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """For a WHERE: the row of this column is of these units."""
        if self.unit_id is None:
            return sa.true()
        inside = is_within_unit(column, self.unit_id)
        is_top = get_unit(tx, self.unit_id).parent_id is None
        return sa.or_(inside, column.is_(None)) if is_top else inside


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    id: int
    case_id: int
    kind: Track
    by: str
    """Who had it."""


def assignment_claimed_by(tx: Tx, by: str, *, kind: Track, real_now: datetime) -> int | None:
    """What this desk holds already."""
    found: int | None = tx.scalar(
        sa.select(t.assignment.c.id)
        .where(
            t.assignment.c.state == word(AssignmentState.SIGNED),
            t.assignment.c.signed_by == by,
            t.assignment.c.kind == kind.value,
            t.assignment.c.lease_until > real_now,
        )
        .order_by(t.assignment.c.id)
        .limit(1)
    )
    return found


def claim_next_assignment(
    tx: Tx, *, by: str, kind: Track, scope: Scope, now: datetime, lease_until: datetime, idle_at: datetime
) -> int | None:
    """The id of the one that is this desk's now: its own call-back whose time has come, else the most urgent one that
    nobody has. What another session looks at this very moment is passed over.
    """
    a = t.assignment.c
    free = (a.state == word(AssignmentState.OPEN), a.kind == kind.value, scope.covers(tx))
    due = sa.or_(a.call_at.is_(None), a.call_at <= now)
    own = sa.select(a.id).where(*free, a.kept_for == by, due).order_by(a.call_at)
    anybody = (
        sa.select(a.id)
        .where(*free, due, sa.or_(a.kept_until.is_(None), a.kept_until <= now))
        .order_by(a.urgency_at, a.id)
    )
    for queue in (own, anybody):
        found: int | None = tx.scalar(queue.limit(1).with_for_update(skip_locked=True))
        if found is not None:
            hand_assignment_to(tx, found, by=by, now=now, lease_until=lease_until, idle_at=idle_at)
            return found
    return None


def hand_assignment_to(
    tx: Tx, assignment_id: int, *, by: str, now: datetime, lease_until: datetime, idle_at: datetime
) -> None:
    """It is this desk's, under a new token; when it was signed first stays."""
    a = t.assignment.c
    tx.execute(
        sa.update(t.assignment)
        .where(a.id == assignment_id)
        .values(
            state=AssignmentState.SIGNED.value,
            signed_by=by,
            signed_at=sa.func.coalesce(a.signed_at, now),
            token=a.token + 1,
            lease_until=lease_until,
            idle_at=sa.func.greatest(a.due_at, idle_at),
            call_at=None,
            kept_for=None,
            kept_until=None,
        )
    )


def is_assignment_visible(tx: Tx, assignment_id: int, scope: Scope) -> bool:
    covered = sa.select(t.assignment.c.id).where(t.assignment.c.id == assignment_id, scope.covers(tx))
    return tx.scalar(covered) is not None


def check_assignment_visible(tx: Tx, assignment_id: int, scope: Scope) -> None:
    """Raises `NotFound` for work that is not there, or not of these units: which, is not told."""
    if not is_assignment_visible(tx, assignment_id, scope):
        raise NotFound(kind="assignment", key=assignment_id)


def renew_claim(tx: Tx, assignment_id: int, *, lease_until: datetime | None, idle_at: datetime) -> None:
    """A word of whoever has it. Without a lease the desk's stays as it was."""
    values = {"idle_at": sa.func.greatest(t.assignment.c.due_at, idle_at)}
    if lease_until is not None:
        values["lease_until"] = sa.func.greatest(t.assignment.c.lease_until, lease_until)
    tx.execute(sa.update(t.assignment).where(t.assignment.c.id == assignment_id).values(**values))


def keep_for_caller(tx: Tx, assignment_id: int, *, by: str, call_at: datetime, kept_until: datetime) -> None:
    """Back in the queue until the person wants to be rung; this caller's first, then anybody's."""
    _free(tx, [assignment_id], call_at=call_at, kept_for=by, kept_until=kept_until)


def release_assignments(tx: Tx, ids: Sequence[int]) -> None:
    """Open again for whoever takes them. Their clocks go on, and nobody has signed for them."""
    _free(tx, ids, call_at=None, kept_for=None, kept_until=None)


def _free(tx: Tx, ids: Sequence[int], **values: object) -> None:
    tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id.in_(ids))
        .values(
            state=AssignmentState.OPEN.value,
            signed_by=None,
            signed_at=None,
            token=t.assignment.c.token + 1,
            lease_until=None,
            idle_at=None,
            escalated_at=None,
            **values,
        )
    )


def lock_idle_assignments(tx: Tx, *, now: datetime, real_now: datetime, limit: int) -> list[GivenBack]:
    """Signed ones whose desk is silent, or of which nothing was heard until they were overdue; locked."""
    a = t.assignment.c
    # Where a desk keeps its lease alive somebody sits before it, however long the call takes.
    silent = sa.case((a.lease_until.is_not(None), a.lease_until <= real_now), else_=a.idle_at <= now)
    return _lock_signed(tx, silent, limit=limit)


def lock_assignments_of(tx: Tx, by: str, *, limit: int) -> list[GivenBack]:
    """Everything that this person has signed for, locked."""
    return _lock_signed(tx, t.assignment.c.signed_by == by, limit=limit)


def _lock_signed(tx: Tx, which: sa.ColumnElement[bool], *, limit: int) -> list[GivenBack]:
    statement = (
        sa.select(t.assignment.c.id, t.assignment.c.case_id, t.assignment.c.kind, t.assignment.c.signed_by)
        .where(t.assignment.c.state == word(AssignmentState.SIGNED), which)
        .order_by(t.assignment.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        GivenBack(id=row["id"], case_id=row["case_id"], kind=Track(row["kind"]), by=row["signed_by"] or "")
        for row in tx.rows(statement)
    ]


def waiting_call_backs(tx: Tx, *, scope: Scope, limit: int = 100) -> list[tuple[int, int, datetime, str]]:
    """Agreed calls that wait for their time: assignment, case, when, with whom; the soonest first."""
    a = t.assignment.c
    statement = (
        sa.select(a.id, a.case_id, a.call_at, a.kept_for)
        .where(a.state == word(AssignmentState.OPEN), a.kept_for.is_not(None), scope.covers(tx))
        .order_by(a.call_at)
        .limit(limit)
    )
    return [(row["id"], row["case_id"], row["call_at"], row["kept_for"]) for row in tx.rows(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedAssignment:
    id: int
    case_id: int
    kind: Track
    unit: str
    unit_id: int | None
    sign_by: datetime
    grade: Grade
    policy_version: int


def lock_unsigned_assignments(tx: Tx, *, now: datetime, limit: int) -> list[UnsignedAssignment]:
    """Open ones past their sign-off time that no supervisor has been told of, locked, the longest overdue first. One
    that is kept for an agreed call is not late before that time.
    """
    a = t.assignment.c
    names = ("id", "case_id", "kind", "unit", "unit_id", "sign_by")
    statement = (
        sa.select(*(a[name] for name in names), t.case.c.grade, t.case.c.policy_version)
        .join(t.case, t.case.c.id == a.case_id)
        .where(
            a.state == AssignmentState.OPEN.value,
            a.escalated_at.is_(None),
            a.sign_by <= now,
            sa.or_(a.rise_at.is_(None), a.rise_at <= now),
            sa.or_(a.call_at.is_(None), a.kept_until <= now),
        )
        .order_by(a.sign_by)
        .limit(limit)
        .with_for_update(of=t.assignment, skip_locked=True)
    )
    return [
        UnsignedAssignment(**dict(row) | {"kind": Track(row["kind"]), "grade": Grade(row["grade"])})
        for row in tx.rows(statement)
    ]


def mark_assignments_escalated(tx: Tx, ids: Sequence[int], *, now: datetime) -> None:
    """A supervisor's alarm stands for these."""
    if ids:
        tx.execute(sa.update(t.assignment).where(t.assignment.c.id.in_(ids)).values(escalated_at=now))


def escalate_assignment(tx: Tx, assignment_id: int, *, unit_id: int, label: str, rise_at: datetime) -> None:
    """The unit above has it, and until `rise_at` to sign. The clocks that are reported stay as they were."""
    tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == assignment_id)
        .values(
            unit_id=unit_id,
            unit=label,
            rise_at=rise_at,
            raises=t.assignment.c.raises + 1,
            token=t.assignment.c.token + 1,
        )
    )
