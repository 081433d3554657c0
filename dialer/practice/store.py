"""Rows of practice: attempts with what was said, and beside them what the service has recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.attempts import attempt_update
from dialer.core.attempt import AttemptEvent
from dialer.core.case import AssignmentState, PersonMet
from dialer.core.errors import NotFound
from dialer.core.timeline import ActKind
from dialer.core.values import Contact, OutcomeKind, ScammerContact, Track
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to
from dialer.practice.model import Line, PersonKind
from dialer.practice.scoring import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of one person at one case of the course."""

    id: int
    staff_id: int
    practice_case: str
    case_id: int
    assignment_id: int
    begun_at: datetime
    said: tuple[Line, ...]
    recorded: Recorded | None
    """None until it was reported."""
    reported_at: datetime | None


def add_attempt(
    tx: Tx,
    attempt_id: int,
    *,
    staff_id: int,
    practice_case: str,
    case_id: int,
    assignment_id: int,
    now: datetime,
) -> None:
    """Adds an attempt at which nothing was said so far."""
    tx.execute(
        sa.insert(t.practice_attempt).values(
            id=attempt_id,
            staff_id=staff_id,
            practice_case=practice_case,
            case_id=case_id,
            assignment_id=assignment_id,
            begun_at=now,
        )
    )


def put_off_robot(tx: Tx, case_id: int, *, until: datetime) -> None:
    """Has the robot not call about this new case before then."""
    put_off = attempt_update(AttemptEvent.PUT_OFF).where(t.attempt.c.case_id == case_id)
    tx.execute(put_off.values(not_before=until))


def has_visit_in_hand(tx: Tx, *, by: str) -> bool:
    """Whether this person has signed for a visit and not reported on it."""
    a = t.assignment.c
    held = sa.exists().where(
        a.kind == Track.VISIT.value, a.state == AssignmentState.SIGNED.value, a.signed_by == by
    )
    return bool(tx.scalar(sa.select(held)))


def lock_attempt_of_task(tx: Tx, assignment_id: int, *, staff_id: int) -> Attempt:
    """This person's attempt, locked. Raises `NotFound`."""
    p = t.practice_attempt.c
    row = tx.one(
        sa.select(t.practice_attempt)
        .where(p.assignment_id == assignment_id, p.staff_id == staff_id)
        .with_for_update()
    )
    if row is None:
        raise NotFound(kind="assignment", key=assignment_id)
    return _attempt(row)


def add_line(tx: Tx, attempt_id: int, line: Line, *, now: datetime) -> None:
    """Notes that this was said."""
    p = t.practice_attempt.c
    tx.execute(
        sa.update(t.practice_attempt)
        .where(p.id == attempt_id)
        .values(
            said=sa.func.array_append(p.said, line.value),
            first_said_at=sa.func.coalesce(p.first_said_at, now),
            last_said_at=now,
        )
    )


def attempt_of_task(tx: Tx, assignment_id: int, *, staff_id: int) -> Attempt | None:
    """This person's attempt, or None."""
    p = t.practice_attempt.c
    found = _read(tx, p.assignment_id == assignment_id, p.staff_id == staff_id)
    return found[0] if found else None


def attempt_by_id(tx: Tx, attempt_id: int, *, visible_to: int | None) -> Attempt:
    """The attempt, of somebody of these units. Raises `NotFound`."""
    found = _read(tx, t.practice_attempt.c.id == attempt_id, is_visible_to(t.staff.c.unit_id, visible_to))
    if not found:
        raise NotFound(kind="practice attempt", key=attempt_id)
    return found[0]


def attempts_of(tx: Tx, staff_id: int) -> list[Attempt]:
    """All attempts of this person, oldest first."""
    return _read(tx, t.practice_attempt.c.staff_id == staff_id)


def attempts_in_units(tx: Tx, *, visible_to: int | None) -> list[Attempt]:
    """All attempts of the people of these units, oldest first."""
    return _read(tx, is_visible_to(t.staff.c.unit_id, visible_to))


def choices_of(tx: Tx, staff_ids: Collection[int]) -> dict[int, dict[PersonKind, datetime]]:
    """When which kinds were chosen for these people, by account."""
    c = t.practice_choice.c
    found: dict[int, dict[PersonKind, datetime]] = {}
    for row in tx.rows(sa.select(c.staff_id, c.kind, c.chosen_at).where(c.staff_id.in_(staff_ids))):
        found.setdefault(row["staff_id"], {})[PersonKind(row["kind"])] = row["chosen_at"]
    return found


def choose(tx: Tx, staff_id: int, kinds: Mapping[PersonKind, bool], *, by: str, now: datetime) -> None:
    """Chooses from now on the kinds that are true, and takes back those that are false."""
    c = t.practice_choice.c
    dropped = [kind.value for kind, wanted in kinds.items() if not wanted]
    tx.execute(sa.delete(t.practice_choice).where(c.staff_id == staff_id, c.kind.in_(dropped)))
    rows = [
        {"staff_id": staff_id, "kind": kind.value, "chosen_by": by, "chosen_at": now}
        for kind, wanted in kinds.items()
        if wanted
    ]
    if rows:
        added = insert(t.practice_choice).values(rows)
        news = {"chosen_by": added.excluded.chosen_by, "chosen_at": added.excluded.chosen_at}
        tx.execute(added.on_conflict_do_update(index_elements=["staff_id", "kind"], set_=news))


def _read(tx: Tx, *which: sa.ColumnElement[bool]) -> list[Attempt]:
    p, o, s = t.practice_attempt.c, t.outcome.c, t.stop_payment.c
    reported = (
        sa.select(o.kind, o.contact, o.scammer_contact, o.said.label("ticked"), o.at.label("reported_at"))
        .where(o.assignment_id == p.assignment_id, o.reverses.is_(None))
        .order_by(o.id)
        .limit(1)
        .lateral("reported")
    )
    e = t.event.c
    met = (
        sa.select(e.facts["who"].as_string())
        .where(
            e.case_id == p.case_id,
            e.kind == ActKind.VISIT_SEEN.value,
            e.facts["assignment_id"].as_integer() == p.assignment_id,
        )
        .order_by(e.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            t.practice_attempt,
            *reported.c,
            met.label("met"),
            sa.exists().where(s.case_id == p.case_id).label("stop_asked"),
        )
        .join(t.staff, t.staff.c.id == p.staff_id)
        .outerjoin(reported, sa.true())
        .where(*which)
        .order_by(p.begun_at, p.id)
    )
    return [_attempt(row) for row in tx.rows(statement)]


def _attempt(row: Row) -> Attempt:
    said: Sequence[str] = row["said"]
    lines = tuple(Line(line) for line in said)
    return Attempt(
        id=row["id"],
        staff_id=row["staff_id"],
        practice_case=row["practice_case"],
        case_id=row["case_id"],
        assignment_id=row["assignment_id"],
        begun_at=row["begun_at"],
        said=lines,
        recorded=_recorded(row, lines) if row.get("kind") else None,
        reported_at=row.get("reported_at"),
    )


def _recorded(row: Row, said: tuple[Line, ...]) -> Recorded:
    first, last = row["first_said_at"], row["last_said_at"]
    return Recorded(
        said=said,
        seconds=0.0 if first is None else (last - first).total_seconds(),
        outcome=OutcomeKind(row["kind"]),
        contact=Contact(row["contact"]),
        scammer=ScammerContact(row["scammer_contact"]) if row["scammer_contact"] else None,
        ticked=frozenset(row["ticked"]),
        stop_asked=row["stop_asked"],
        met=PersonMet(row["met"]) if row["met"] else None,
    )
