"""Assignments (human calls and visits): rows, and every change of who has one, but for transfers to other units.

An assignment is open (in the queue), signed (somebody has it), done or withdrawn. Each change of hands raises its
token, so that an act with an older token is refused as `Overtaken`.

A claim of a person is no job of `dialer.db.jobs`: a desk renews it while somebody talks, and nothing is given up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.cases.effects import IDLE_ASSIGNMENT, reverse_lapsed_successes
from dialer.cases.store import Act, note_acts
from dialer.core.case import PENDING_STATES, AssignmentState, Reason, VisitStage
from dialer.core.errors import NotFound, Overtaken
from dialer.core.text import Text
from dialer.core.timeline import ActKind
from dialer.core.values import FraudType, Grade, OutcomeKind, Track
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import get_unit, is_within_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One human call or visit. A login that is not set is '', a time that is not set is None."""

    id: int
    case_id: int
    kind: Track
    state: AssignmentState
    grade: Grade
    fraud_type: FraudType
    policy_version: int
    """The policy version of its case."""
    reason: Reason
    unit: str
    unit_id: int | None
    """None: it waits at the centre."""
    opened_at: datetime
    sign_by: datetime
    due_at: datetime
    feedback_by: datetime
    signed_at: datetime | None
    signed_by: str
    withdrawn_why: str
    token: int
    opened_token: int | None
    """The claim under which its holder opened the person's data, which is in the audit."""
    lease_until: datetime | None
    """In real time. A desk's claim ends then unless it is renewed."""
    raises: int
    """How many levels it was escalated because nobody signed."""
    transfers: int
    call_at: datetime | None
    """When the person wants to be called."""
    kept_for: str | None
    kept_until: datetime | None
    """Until then it waits for an agreed call or for a second person's approval, and nobody else is offered it."""
    stage: VisitStage
    done_by: str
    outcome: OutcomeKind | None

    @property
    def is_opened(self) -> bool:
        """Whether its holder has opened the person's data under the current claim."""
        return self.opened_token == self.token

    @property
    def is_pending(self) -> bool:
        """Whether somebody still has to do it."""
        return self.state in PENDING_STATES

    def is_held_by(self, who: str) -> bool:
        """Whether this person has signed for it and not reported."""
        return self.state is AssignmentState.SIGNED and self.signed_by == who

    @property
    def until(self) -> datetime:
        """When the time limit that runs now ends: to sign, then to call or arrive, and after an officer's arrival to
        report.
        """
        if self.state is AssignmentState.OPEN:
            return min(self.sign_by, self.due_at)
        return self.feedback_by if self.stage.rank >= VisitStage.ARRIVED.rank else self.due_at

    def is_overdue(self, now: datetime) -> bool:
        """Whether somebody still has to do it and the time limit that runs now has passed, unless it is kept for an
        agreed call or a second person. The function `is_overdue` of this module is the same condition in SQL.
        """
        is_kept = self.kept_until is not None and self.kept_until > now
        return self.is_pending and self.until <= now and not is_kept


_CLAIMS: Final = 0x636C  # "cl"
_COLUMNS = tuple(column for column in t.assignment.c if column.name in Assignment.__dataclass_fields__)


def limit_that_runs() -> sa.ColumnElement[datetime]:
    """The SQL expression of `Assignment.until`."""
    a = t.assignment.c
    arrived = a.stage.in_([stage.value for stage in VisitStage if stage.rank >= VisitStage.ARRIVED.rank])
    signing = (a.state == AssignmentState.OPEN.value, sa.func.least(a.sign_by, a.due_at))
    return sa.case(signing, (arrived, a.feedback_by), else_=a.due_at)


def is_overdue(now: datetime) -> sa.ColumnElement[bool]:
    """The SQL condition of `Assignment.is_overdue`."""
    pending = in_words(t.assignment.c.state, PENDING_STATES)
    return sa.and_(pending, limit_that_runs() <= now, sa.not_(is_kept(now)))


def is_kept(now: datetime) -> sa.ColumnElement[bool]:
    """The SQL condition that an assignment waits for an agreed call or for a second person."""
    return sa.func.coalesce(t.assignment.c.kept_until > now, sa.false())


def overdue_among(tx: Tx, ids: Collection[int], *, now: datetime) -> set[int]:
    """The ids of those of these assignments that are overdue."""
    late = sa.select(t.assignment.c.id).where(t.assignment.c.id.in_(ids), is_overdue(now))
    return {row["id"] for row in tx.rows(late)} if ids else set()


def select_assignments() -> sa.Select[Any]:
    """Selects every column of an `Assignment`, joined with its case."""
    of_case = (t.case.c.grade, t.case.c.fraud_type, t.case.c.policy_version)
    return sa.select(*_COLUMNS, *of_case).join(t.case, t.case.c.id == t.assignment.c.case_id)


def stage_of(row: Row) -> VisitStage:
    """The stage of the visit of this row."""
    return VisitStage(row["stage"]).under(AssignmentState(row["state"]))


def assignment_of(row: Row) -> Assignment:
    """The assignment of a row of `select_assignments`."""
    return record_of(Assignment, row, stage=stage_of(row))


def _read(tx: Tx, statement: sa.Select[Any]) -> list[Assignment]:
    return [assignment_of(row) for row in tx.rows(statement)]


def _read_one(tx: Tx, assignment_id: int, statement: sa.Select[Any]) -> Assignment:
    found = _read(tx, statement.where(t.assignment.c.id == assignment_id))
    if not found:
        raise NotFound(kind="assignment", key=assignment_id)
    return found[0]


def _update(tx: Tx, assignment_id: int, **values: object) -> None:
    tx.execute(sa.update(t.assignment).where(t.assignment.c.id == assignment_id).values(**values))


def note_assignment_act(
    tx: Tx,
    assignment: Assignment,
    kind: ActKind,
    *,
    by: str,
    now: datetime,
    facts: Mapping[str, object],
    words: str = "",
) -> None:
    """Adds the act to the timeline of the case, with the assignment's id beside `facts`; `words` are sealed."""
    about = {"assignment_id": assignment.id, **facts}
    note_acts(tx, [Act(case_id=assignment.case_id, kind=kind, by=by, facts=about, words=words)], now=now)


def note_work(
    act: OpenAct, assignment: Assignment, kind: ActKind, *, facts: Mapping[str, object], words: str = ""
) -> None:
    """As `note_assignment_act`, as part of an act."""
    note_assignment_act(act.tx, assignment, kind, by=act.by, now=act.now, facts=facts, words=words)


def waiting_assignments(tx: Tx, *, kind: Track | None = None, limit: int = 100) -> list[Assignment]:
    """Open and signed assignments, the most urgent first; of one kind if `kind` is given."""
    statement = select_assignments().where(in_words(t.assignment.c.state, PENDING_STATES))
    if kind is not None:
        statement = statement.where(t.assignment.c.kind == kind.value)
    return _read(tx, statement.order_by(t.assignment.c.urgency_at).limit(limit))


def assignments_of_case(tx: Tx, case_id: int) -> list[Assignment]:
    """Open and signed assignments of a case, in the order of their ids."""
    pending = in_words(t.assignment.c.state, PENDING_STATES)
    statement = select_assignments().where(t.assignment.c.case_id == case_id, pending)
    return _read(tx, statement.order_by(t.assignment.c.id))


def get_assignment(tx: Tx, assignment_id: int) -> Assignment:
    """The assignment. Raises `NotFound`."""
    return _read_one(tx, assignment_id, select_assignments())


def lock_assignment(tx: Tx, assignment_id: int) -> Assignment:
    """The assignment, locked; its case must have been locked before. Raises `NotFound`."""
    return _read_one(tx, assignment_id, select_assignments().with_for_update(of=t.assignment))


def lock_work_of_cases(tx: Tx, case_ids: Collection[int]) -> dict[int, Assignment]:
    """All assignments of these cases by id, including those that are over, locked in the order of their ids. The cases
    must have been locked before.
    """
    of_cases = select_assignments().where(t.assignment.c.case_id.in_(case_ids)).order_by(t.assignment.c.id)
    return (
        {work.id: work for work in _read(tx, of_cases.with_for_update(of=t.assignment))} if case_ids else {}
    )


def sign_assignment_for(tx: Tx, assignment_id: int, *, by: str, now: datetime) -> None:
    """签收: signs the assignment for this person. It returns to the queue when its holder does nothing until it is
    overdue, and for at least `IDLE_ASSIGNMENT`. Raises `Overtaken` when somebody else has signed for it or it is over.
    """
    signed = tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == assignment_id, t.assignment.c.state == AssignmentState.OPEN.value)
        .values(
            state=AssignmentState.SIGNED.value,
            signed_by=by,
            signed_at=now,
            token=t.assignment.c.token + 1,
            idle_at=sa.func.greatest(t.assignment.c.due_at, now + IDLE_ASSIGNMENT),
            kept_for=None,
            kept_until=None,
        )
    )
    tx.acts_recorded.add(t.assignment.name)
    if not signed.rowcount and not (current := get_assignment(tx, assignment_id)).is_held_by(by):
        raise overtaken_by(current)


def overtaken_by(current: Assignment) -> Overtaken:
    """The error for an act on this assignment that came too late: who did what to it meanwhile."""
    who, what = "", current.state.value
    match current.state:
        case AssignmentState.DONE:
            who, what = current.done_by, current.outcome.value if current.outcome is not None else ""
            text = Text(
                "%(who)s has reported it already: %(outcome)s", who=who, outcome=current.outcome or ""
            )
        case AssignmentState.WITHDRAWN:
            what = current.withdrawn_why
            text = Text("it was withdrawn: %(why)s", why=Reason(what) if what in set(Reason) else what)
        case AssignmentState.SIGNED:
            who = current.signed_by
            text = Text("%(who)s has it now", who=who)
        case AssignmentState.OPEN:
            text = Text("it went back to the queue")
    return Overtaken(text, who=who, what=what)


def lock_signed_assignment(tx: Tx, assignment_id: int, *, by: str, token: int | None = None) -> Assignment:
    """The assignment, locked, if this person has signed for it, and under the claim `token` if one is given. Raises
    `Overtaken` otherwise.
    """
    current = lock_assignment(tx, assignment_id)
    if not current.is_held_by(by) or (token is not None and token != current.token):
        raise overtaken_by(current)
    return current


def has_arrived(tx: Tx, visit: Assignment, *, by: str) -> bool:
    """Whether this person's arrival is on record, even from before the visit went back to the queue: a phone without a
    connection sends late.
    """
    e = t.event.c
    arrived = sa.select(e.id).where(
        e.case_id == visit.case_id,
        e.kind == ActKind.VISIT_ARRIVED.value,
        e.by == by,
        e.facts["assignment_id"].as_integer() == visit.id,
    )
    return tx.scalar(arrived.limit(1)) is not None


def mark_assignment_opened(tx: Tx, held: Assignment) -> None:
    """The holder of this claim sees the person in clear from now on."""
    _update(tx, held.id, opened_token=held.token)


def finish_assignment(tx: Tx, assignment_id: int, *, by: str, outcome: OutcomeKind, now: datetime) -> None:
    """Ends the assignment with the outcome that was reported, unless it is over; if nobody has signed for it, `by` has.
    A success without a call that was reported of it earlier and that nobody has approved is reversed.
    """
    ended = tx.rows(
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
        .returning(t.assignment.c.case_id)
    )
    reverse_lapsed_successes(tx, [row["case_id"] for row in ended], now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The units whose work a person may take: a unit and all below it, or without a unit the whole centre. Work without
    a unit waits at the centre: people of the top unit may take it.
    """

    unit_id: int | None = None

    def covers(self, tx: Tx) -> sa.ColumnElement[bool]:
        """The condition that a row of `assignment` is in the scope."""
        return self.includes(tx, t.assignment.c.unit_id)

    def includes(self, tx: Tx, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """The condition that the unit in this column is in the scope."""
        if self.unit_id is None:
            return sa.true()
        inside = is_within_unit(column, self.unit_id)
        is_top = get_unit(tx, self.unit_id).parent_id is None
        return sa.or_(inside, column.is_(None)) if is_top else inside


def lock_claims_of(tx: Tx, by: str) -> None:
    """Serialises the claims of this person: of two requests at once, the second sees what the first has claimed."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_CLAIMS, sa.func.hashtext(by))))


def assignment_claimed_by(tx: Tx, by: str, *, real_now: datetime) -> int | None:
    """The id of the human call that this person has under a running lease; None without one."""
    found: int | None = tx.scalar(
        sa.select(t.assignment.c.id)
        .where(
            t.assignment.c.state == word_literal(AssignmentState.SIGNED),
            t.assignment.c.signed_by == by,
            t.assignment.c.kind == Track.HUMAN.value,
            t.assignment.c.lease_until > real_now,
        )
        .order_by(t.assignment.c.id)
        .limit(1)
    )
    return found


def claim_next_assignment(
    tx: Tx, *, by: str, scope: Scope, now: datetime, lease_until: datetime, idle_at: datetime
) -> int | None:
    """The id of the human call claimed: the caller's own call-back that is due, else the most urgent free one. Rows
    that another session has locked are skipped.
    """
    a = t.assignment.c
    free = (a.state == word_literal(AssignmentState.OPEN), a.kind == Track.HUMAN.value, scope.covers(tx))
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
    """Signs the assignment for `by` under a new token; the time of the first signature stays."""
    a = t.assignment.c
    _update(
        tx,
        assignment_id,
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


def is_assignment_visible(tx: Tx, assignment_id: int, scope: Scope) -> bool:
    """Whether the assignment exists and is in the scope."""
    covered = sa.select(t.assignment.c.id).where(t.assignment.c.id == assignment_id, scope.covers(tx))
    return tx.scalar(covered) is not None


def check_assignment_visible(tx: Tx, assignment_id: int, scope: Scope) -> None:
    """Raises `NotFound` for an assignment that does not exist or is not in the scope; the error does not say which."""
    if not is_assignment_visible(tx, assignment_id, scope):
        raise NotFound(kind="assignment", key=assignment_id)


def renew_claim(tx: Tx, assignment_id: int, *, lease_until: datetime | None, idle_at: datetime) -> None:
    """Extends the claim at least to these times; None leaves the lease as it was."""
    a = t.assignment.c
    leases = {"lease_until": sa.func.greatest(a.lease_until, lease_until)} if lease_until is not None else {}
    _update(tx, assignment_id, idle_at=sa.func.greatest(a.due_at, idle_at), **leases)


def keep_for_caller(tx: Tx, assignment_id: int, *, by: str, call_at: datetime, kept_until: datetime) -> None:
    """Returns the assignment to the queue: from `call_at` on it is offered to this caller, from `kept_until` on to
    anybody.
    """
    _return_to_queue(tx, [assignment_id], call_at=call_at, kept_for=by, kept_until=kept_until)


def keep_for_approval(tx: Tx, assignment_id: int, *, until: datetime) -> None:
    """Returns the assignment to the queue; nobody is offered it before `until`."""
    _return_to_queue(tx, [assignment_id], call_at=until, kept_for=None, kept_until=until)


def visits_not_begun(tx: Tx, *, lock_ids: Collection[int] | None = None) -> list[tuple[Assignment, int]]:
    """The visits that somebody has signed for and not set out to, each with the account's id. With `lock_ids` only
    those of them that nobody else works on at this moment, locked.
    """
    a, s = t.assignment.c, t.staff.c
    before = [stage.value for stage in VisitStage if stage.rank < VisitStage.ON_THE_WAY.rank]
    statement = (
        select_assignments()
        .add_columns(s.id.label("staff_id"))
        .join(t.staff, s.login == a.signed_by)
        .where(
            a.state == word_literal(AssignmentState.SIGNED),
            a.kind == Track.VISIT.value,
            a.stage.in_(before),
            a.unit_id.is_not(None),
        )
        .order_by(a.id)
    )
    if lock_ids is not None:
        statement = statement.where(a.id.in_(lock_ids)).with_for_update(of=t.assignment, skip_locked=True)
    return [(assignment_of(row), row["staff_id"]) for row in tx.rows(statement)]


def hand_over_assignments(tx: Tx, ids: Sequence[int], *, rise_at: datetime) -> None:
    """Returns these to the queue; who is on duty has until `rise_at` to sign."""
    _return_to_queue(tx, ids, call_at=None, kept_for=None, kept_until=None, rise_at=rise_at)


def release_assignments(tx: Tx, ids: Sequence[int]) -> None:
    """Returns the assignments to the queue, without a signature; their clocks go on."""
    _return_to_queue(tx, ids, call_at=None, kept_for=None, kept_until=None)


def _return_to_queue(tx: Tx, ids: Sequence[int], **values: object) -> None:
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
            stage=VisitStage.NONE.value,
            **values,
        )
    )
    tx.tasks_after_commit.add("notify")


def lock_idle_assignments(tx: Tx, *, now: datetime, real_now: datetime, limit: int) -> list[Assignment]:
    """Signed assignments whose lease has ended or, without a lease, whose idle time is over; locked."""
    a = t.assignment.c
    # A desk that renews its lease is not idle, however long the call takes.
    idle = sa.case((a.lease_until.is_not(None), a.lease_until <= real_now), else_=a.idle_at <= now)
    return _lock_signed(tx, idle, limit=limit)


def lock_assignments_of(tx: Tx, by: str, *, limit: int) -> list[Assignment]:
    """The assignments that this person has signed for, locked."""
    return _lock_signed(tx, t.assignment.c.signed_by == by, limit=limit)


def _lock_signed(tx: Tx, which: sa.ColumnElement[bool], *, limit: int) -> list[Assignment]:
    statement = (
        select_assignments()
        .where(t.assignment.c.state == word_literal(AssignmentState.SIGNED), which)
        .order_by(t.assignment.c.id)
        .limit(limit)
        .with_for_update(of=t.assignment, skip_locked=True)
    )
    return _read(tx, statement)


def waiting_call_backs(tx: Tx, *, scope: Scope, limit: int = 100) -> list[Assignment]:
    """Agreed calls that wait for their time (`call_at`, `kept_for`), the soonest first."""
    a = t.assignment.c
    agreed = (a.state == word_literal(AssignmentState.OPEN), a.kept_for.is_not(None), scope.covers(tx))
    return _read(tx, select_assignments().where(*agreed).order_by(a.call_at).limit(limit))


def calls_signed_by(tx: Tx, by: str, scope: Scope) -> list[Assignment]:
    """Calls that this person has signed for, the most urgent first."""
    a = t.assignment.c
    signed = (a.state == word_literal(AssignmentState.SIGNED), a.signed_by == by, a.kind == Track.HUMAN.value)
    return _read(tx, select_assignments().where(*signed, scope.covers(tx)).order_by(a.urgency_at).limit(20))


def lock_unsigned_assignments(
    tx: Tx, *, now: datetime, limit: int, without_duty: Mapping[Track, Collection[int]] | None = None
) -> list[Assignment]:
    """Open assignments past their sign-off time for which no alarm was raised, locked, the longest overdue first; also
    those in the units `without_duty` of their track, where nobody can sign. One that is kept for an agreed call is not
    late before the time of that call.
    """
    a = t.assignment.c
    nobody = [
        sa.and_(a.kind == track.value, a.unit_id.in_(sorted(unit_ids)), a.raises == 0)
        for track, unit_ids in (without_duty or {}).items()
        if unit_ids
    ]
    statement = (
        select_assignments()
        .where(
            a.state == AssignmentState.OPEN.value,
            a.escalated_at.is_(None),
            sa.or_(sa.and_(a.sign_by <= now, sa.or_(a.rise_at.is_(None), a.rise_at <= now)), *nobody),
            sa.or_(a.call_at.is_(None), a.kept_until <= now),
        )
        .order_by(a.sign_by)
        .limit(limit)
        .with_for_update(of=t.assignment, skip_locked=True)
    )
    return _read(tx, statement)


def mark_assignments_escalated(tx: Tx, ids: Sequence[int], *, now: datetime) -> None:
    """Records that a supervisor's alarm was raised for these."""
    if ids:
        tx.execute(sa.update(t.assignment).where(t.assignment.c.id.in_(ids)).values(escalated_at=now))
        tx.tasks_after_commit.add("notify")


def escalate_assignment(tx: Tx, assignment_id: int, *, unit_id: int, label: str, rise_at: datetime) -> None:
    """Moves the assignment to the unit above, named `label`, which has until `rise_at` to sign for it. The time limits
    that are reported stay as they were.
    """
    a = t.assignment.c
    _update(
        tx,
        assignment_id,
        unit_id=unit_id,
        unit=label,
        rise_at=rise_at,
        raises=a.raises + 1,
        token=a.token + 1,
    )
    tx.tasks_after_commit.add("notify")
