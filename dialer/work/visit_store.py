"""Rows of visits: what lists and pages show (masked), what officers' phones send (each act once), and photos."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.persons import MaskedPerson, mask_person, open_person
from dialer.cases.store import open_act
from dialer.core.access import Role
from dialer.core.case import PENDING_STATES, AssignmentState, TransferState, VisitStage
from dialer.core.errors import Conflict, NotFound
from dialer.core.places import FreeOfficer, middle_of
from dialer.core.presence import PresenceState
from dialer.core.timeline import ActKind
from dialer.core.values import Tag, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import boundaries_of, is_visible_to, is_within_unit
from dialer.work.assignments import Assignment, Scope, select_assignments, stage_of
from dialer.work.transfer_store import transfer_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedAct:
    """The act is on record already."""

    outcome_id: int | None


def note_visit_act_once(
    tx: Tx, client_id: uuid.UUID, *, assignment_id: int, contents: Sequence[bytes], by: str, now: datetime
) -> RepeatedAct | None:
    """Records the act once; None if it is new, else what was recorded before. The first of `contents` is stored; the
    others are the same act as earlier versions of this software wrote it. Raises `Conflict` when its number was used
    for another act.
    """
    digest, *earlier = (hashlib.sha256(content).digest() for content in contents)
    new = tx.scalar(
        insert(t.sent_act)
        .values(client_id=client_id, assignment_id=assignment_id, digest=digest, by=by, at=now)
        .on_conflict_do_nothing(index_elements=["client_id"])
        .returning(t.sent_act.c.client_id)
    )
    if new is not None:
        return None
    row = tx.one(sa.select(t.sent_act).where(t.sent_act.c.client_id == client_id))
    assert row is not None
    if bytes(row["digest"]) not in {digest, *earlier} or row["assignment_id"] != assignment_id:
        raise Conflict("this act number was used for another act", current="repeated")
    return RepeatedAct(outcome_id=row["outcome_id"])


def set_visit_outcome(tx: Tx, client_id: uuid.UUID, outcome_id: int) -> None:
    """Stores which outcome the act of a phone recorded."""
    tx.execute(sa.update(t.sent_act).where(t.sent_act.c.client_id == client_id).values(outcome_id=outcome_id))


def set_visit_stage(tx: Tx, assignment_id: int, stage: VisitStage) -> None:
    """Stores how far the visit is."""
    tx.execute(sa.update(t.assignment).where(t.assignment.c.id == assignment_id).values(stage=stage.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPhoto:
    """A stored photo without its content."""

    client_id: uuid.UUID
    assignment_id: int
    media_type: str
    size_bytes: int
    by: str
    at: datetime


def photos_of_case(tx: Tx, case_id: int) -> list[StoredPhoto]:
    """The photos of a case, oldest first, without the pictures."""
    p = t.visit_photo.c
    columns = (p[name] for name in StoredPhoto.__dataclass_fields__)
    statement = sa.select(*columns).where(p.case_id == case_id).order_by(p.at, p.client_id)
    return [StoredPhoto(**row) for row in tx.rows(statement)]


def count_visit_photos(tx: Tx, assignment_id: int) -> int:
    statement = sa.select(sa.func.count()).where(t.visit_photo.c.assignment_id == assignment_id)
    return int(tx.scalar(statement))


class VisitClock(StrEnum):
    """Which time limit of a visit runs."""

    SIGN = "sign"
    ARRIVE = "arrive"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTransfer:
    """Another unit is asked to take the visit, and has not answered."""

    id: int
    to_unit: str
    to_unit_id: int
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLine(Assignment):
    """One visit, its person masked; `unit` is the unit's name, `holder_name` the display name of its holder."""

    person: MaskedPerson
    amount_at_risk_fen: int | None
    holder_name: str
    transfer: AskedTransfer | None

    @property
    def clock(self) -> VisitClock:
        """Which time limit runs now: until it is signed for, until the officer arrives, or until the report."""
        if self.state is AssignmentState.OPEN:
            return VisitClock.SIGN
        return VisitClock.ARRIVE if self.stage.rank < VisitStage.ARRIVED.rank else VisitClock.REPORT


def _lines() -> sa.Select[Any]:
    a, c, asked = t.assignment.c, t.case.c, t.assignment_transfer
    to_unit = t.unit.alias("to_unit")
    waits = sa.and_(asked.c.assignment_id == a.id, asked.c.state == word_literal(TransferState.ASKED))
    return (
        select_assignments()
        .add_columns(
            c.amount_at_risk_fen,
            c.person_id,
            t.person.c.sealed.label("person_sealed"),
            t.staff.c.display_name.label("holder_name"),
            t.unit.c.name.label("unit_name"),
            asked.c.id.label("transfer_id"),
            asked.c.to_unit_id,
            to_unit.c.name.label("to_unit"),
            asked.c.by.label("transfer_by"),
            asked.c.why.label("transfer_why"),
            asked.c.why_sealed.label("transfer_why_sealed"),
            asked.c.at.label("transfer_at"),
        )
        .join(t.person, t.person.c.id == c.person_id)
        .join(t.staff, t.staff.c.login == a.signed_by, isouter=True)
        .join(t.unit, t.unit.c.id == a.unit_id, isouter=True)
        .join(asked, waits, isouter=True)
        .join(to_unit, to_unit.c.id == asked.c.to_unit_id, isouter=True)
        .where(a.kind == Track.VISIT.value)
    )


def _line(tx: Tx, row: Row) -> VisitLine:
    return record_of(
        VisitLine,
        row,
        stage=stage_of(row),
        unit=row["unit_name"] or row["unit"],
        person=mask_person(open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])),
        holder_name=row["holder_name"] or row["signed_by"] or "",
        transfer=_transfer(tx, row) if row["transfer_id"] is not None else None,
    )


def _transfer(tx: Tx, row: Row) -> AskedTransfer:
    reason = {name: row[f"transfer_{name}"] for name in ("at", "why", "why_sealed")}
    return AskedTransfer(
        id=row["transfer_id"],
        to_unit=row["to_unit"],
        to_unit_id=row["to_unit_id"],
        by=row["transfer_by"],
        why=transfer_reason(tx.vault, {"assignment_id": row["id"], **reason}),
    )


def _in_area(tx: Tx, scope: Scope) -> sa.ColumnElement[bool]:
    """The condition that work belongs to these units, or that its case does: a visit that was escalated stays visible
    below.
    """
    return sa.or_(scope.covers(tx), is_visible_to(t.case.c.unit_id, scope.unit_id))


def waiting_visits(
    tx: Tx, *, scope: Scope, who: str, unit_id: int | None, limit: int
) -> tuple[tuple[VisitLine, ...], int]:
    """The most urgent visits of these units, or with `unit_id` only of that unit and those below: those that `who` has
    signed for, which are always among them, then open ones, then those of others. And how many wait, shown or not.
    """
    a = t.assignment.c
    own = sa.and_(a.state == word_literal(AssignmentState.SIGNED), a.signed_by == who)
    area = _in_area(tx, scope)
    if unit_id is not None:
        area = sa.and_(area, is_within_unit(a.unit_id, unit_id))
    pending = (in_words(a.state, PENDING_STATES), sa.or_(own, area))
    order = (
        sa.case((own, 0), (a.state == word_literal(AssignmentState.OPEN), 1), else_=2),
        a.urgency_at,
        a.id,
    )
    rows = tx.rows(_lines().where(*pending).order_by(*order).limit(limit))
    counted = (
        sa.select(sa.func.count())
        .select_from(t.assignment)
        .join(t.case, t.case.c.id == a.case_id)
        .where(a.kind == Track.VISIT.value, *pending)
    )
    total = len(rows) if len(rows) < limit else int(tx.scalar(counted))
    return tuple(_line(tx, row) for row in rows), total


def visits_asked_of(tx: Tx, *, unit_id: int | None, limit: int) -> tuple[VisitLine, ...]:
    """Visits that another unit asks this one, or one below it, to take; the most urgent first."""
    statement = (
        _lines()
        .where(
            in_words(t.assignment.c.state, PENDING_STATES),
            t.assignment_transfer.c.id.is_not(None),
            is_visible_to(t.assignment_transfer.c.to_unit_id, unit_id),
        )
        .order_by(t.assignment.c.urgency_at, t.assignment.c.id)
        .limit(limit)
    )
    return tuple(_line(tx, row) for row in tx.rows(statement))


def visit_line(tx: Tx, visit_id: int, *, scope: Scope, who: str) -> VisitLine:
    """The visit, masked. Raises `NotFound` for an id that is not a visit's or not visible to this person; the error
    does not say which. Its holder, and everyone who has sent an act about it, sees it in whatever unit it is.
    """
    row = tx.one(_lines().where(t.assignment.c.id == visit_id, _may_see(tx, scope, who)))
    if row is None:
        raise NotFound(kind="visit", key=visit_id)
    return _line(tx, row)


def _may_see(tx: Tx, scope: Scope, who: str) -> sa.ColumnElement[bool]:
    a, sent, asked = t.assignment.c, t.sent_act.c, t.assignment_transfer.alias("asked_here").c
    sent_by = sa.exists().where(sent.assignment_id == a.id, sent.by == who)
    asked_here = sa.exists().where(
        asked.assignment_id == a.id,
        asked.state == word_literal(TransferState.ASKED),
        is_visible_to(asked.to_unit_id, scope.unit_id),
    )
    return sa.or_(_in_area(tx, scope), asked_here, a.signed_by == who, sent_by)


def visit_of_transfer(tx: Tx, transfer_id: int, *, unit_id: int | None) -> VisitLine:
    """The visit of a transfer that this unit, or one below, is asked to take. Raises `NotFound`."""
    asked = t.assignment_transfer.c
    moved = sa.select(asked.assignment_id).where(
        asked.id == transfer_id, is_visible_to(asked.to_unit_id, unit_id)
    )
    row = tx.one(_lines().where(t.assignment.c.id == moved.correlate(None).scalar_subquery()))
    if row is None:
        raise NotFound(kind="transfer", key=transfer_id)
    return _line(tx, row)


def tags_of_case(tx: Tx, case_id: int) -> tuple[Tag, ...]:
    """The tags that the warnings of a case give its person."""
    given = sa.select(sa.func.unnest(t.warning.c.tags).label("tag")).where(t.warning.c.case_id == case_id)
    found = {row["tag"] for row in tx.rows(given.distinct())}
    return tuple(tag for tag in Tag if tag.value in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitAct:
    """One act on a visit. `words` is the text typed with it, '' where it is not opened."""

    at: datetime
    kind: ActKind
    by: str
    facts: dict[str, Any]
    words: str
    has_words: bool


def course_of_visit(tx: Tx, visit: VisitLine, *, who: str, with_words: bool) -> tuple[VisitAct, ...]:
    """The acts of the visit, oldest first. Without `with_words` only the text that `who` typed is opened."""
    e = t.event.c
    statement = (
        sa.select(t.event)
        .where(
            e.case_id == visit.case_id,
            e.attempt_id.is_(None),
            e.kind.in_(list(ActKind)),
            e.facts["assignment_id"].as_integer() == visit.id,
        )
        .order_by(e.id)
    )
    return tuple(
        VisitAct(
            at=row["at"],
            kind=ActKind(row["kind"]),
            by=row["by"],
            facts=dict(row["facts"]),
            words=open_act(tx, row) if row["sealed"] is not None and (with_words or row["by"] == who) else "",
            has_words=row["sealed"] is not None,
        )
        for row in tx.rows(statement)
    )


_MOST_OFFICERS = 200


def free_officers(tx: Tx, *, visible_to: int | None) -> list[FreeOfficer]:
    """The officers of these units who are free now, at most 200, each with the middle of their unit's boundary."""
    s, p = t.staff.c, t.presence.c
    statement = (
        sa.select(s.id, s.display_name, s.unit_id)
        .select_from(t.presence.join(t.staff, s.id == p.staff_id))
        .where(
            p.state == word_literal(PresenceState.FREE),
            s.role == word_literal(Role.OFFICER),
            s.disabled_at.is_(None),
            is_visible_to(s.unit_id, visible_to),
        )
        .order_by(p.since, s.id)
        .limit(_MOST_OFFICERS)
    )
    rows = tx.rows(statement)
    rings = boundaries_of(tx, sorted({row["unit_id"] for row in rows if row["unit_id"] is not None}))
    middles = {unit_id: middle_of(own) for unit_id, own in rings.items()}
    return [
        FreeOfficer(
            staff_id=row["id"],
            name=row["display_name"],
            unit_id=row["unit_id"],
            place=middles.get(row["unit_id"]),
        )
        for row in rows
    ]
