"""Trials of one version against another: which ran when, and what became of the people who heard them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from dialer.domain.reach import Reach
from dialer.domain.values import Contact, OutcomeKind, TelephonyResult
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx

DISSUADED = (OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.DISSUADED_IN_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`grade` '' is any that has no trial of its own. `ended_at` None: it is running."""

    id: int
    script_id: str
    grade: str
    weights: Mapping[int, float]
    live: int
    """The number of the version that was live."""
    set_by: str
    reason: str
    at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """People whose first answered ring of a trial spoke this version, and what became of them."""

    number: int
    people: int = 0
    verified: int = 0
    dissuaded: int = 0
    hung_up_early: int = 0
    defrauded: int = 0


def begin(
    tx: Tx,
    *,
    approval_id: int,
    script_id: str,
    grade: str,
    weights: Mapping[int, float],
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Holds for new calls; no weights end it."""
    tx.execute(
        sa.insert(t.script_trial).values(
            approval_id=approval_id,
            script_id=script_id,
            grade=grade,
            weights={str(number): weight for number, weight in weights.items()},
            set_by=by,
            reason=reason,
            at=now,
        )
    )


def newest(tx: Tx, script_id: str, grade: str) -> Trial | None:
    """The running one, else the last that ran."""
    trial, approval, version = t.script_trial, t.script_approval, t.script_version
    row = tx.one(
        sa.select(trial, version.c.number)
        .join(approval, approval.c.id == trial.c.approval_id)
        .join(version, version.c.id == approval.c.version_id)
        .where(
            trial.c.script_id == script_id,
            trial.c.grade == grade,
            trial.c.weights != sa.cast({}, trial.c.weights.type),
        )
        .order_by(trial.c.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    later = sa.select(trial.c.at).where(
        trial.c.script_id == script_id, trial.c.grade == grade, trial.c.id > row["id"]
    )
    went_live = (
        sa.select(approval.c.at)
        .join(version, version.c.id == approval.c.version_id)
        .where(version.c.script_id == script_id, approval.c.goes_live, approval.c.id > row["approval_id"])
    )
    ended = tx.scalar(sa.select(sa.func.min(sa.union_all(later, went_live).subquery().c[0])))
    return Trial(
        id=row["id"],
        script_id=script_id,
        grade=grade,
        weights={int(number): weight for number, weight in row["weights"].items()},
        live=row["number"],
        set_by=row["set_by"],
        reason=row["reason"],
        at=row["at"],
        ended_at=ended,
    )


def grades_of(tx: Tx, script_id: str) -> list[str]:
    """Grades that ever had a trial of their own."""
    rows = tx.rows(
        sa.select(t.script_trial.c.grade)
        .where(t.script_trial.c.script_id == script_id, t.script_trial.c.grade != "")
        .distinct()
    )
    return sorted(row["grade"] for row in rows)


def heard(tx: Tx, trial: Trial, *, drill: bool, other_grades: list[str]) -> dict[int, Heard]:
    """By the version's number. A person counts once, with the version of their first answered ring, by the grade that
    their case began with: neither can have been changed by what was said.
    """
    a, version = t.attempt, t.script_version
    first_grade = (
        sa.select(t.warning.c.grade)
        .where(t.warning.c.case_id == a.c.case_id)
        .order_by(t.warning.c.loaded_at, t.warning.c.id)
        .limit(1)
        .scalar_subquery()
    )
    within = [a.c.sent_at >= trial.at]
    if trial.ended_at is not None:
        within.append(a.c.sent_at < trial.ended_at)
    rung = (
        sa.select(
            a.c.person_id,
            a.c.case_id,
            a.c.script_version_id,
            a.c.reach,
            version.c.number,
            first_grade.label("grade"),
        )
        .join(version, version.c.id == a.c.script_version_id)
        .where(
            version.c.script_id == trial.script_id,
            version.c.number.in_(list(trial.weights)),
            a.c.result == TelephonyResult.ANSWERED.value,
            a.c.drill.is_(drill),
            *within,
        )
        .order_by(a.c.person_id, a.c.sent_at, a.c.id)
    )
    first = rung.ext(distinct_on(a.c.person_id)).subquery("first")
    spoken = (
        sa.select(a.c.id)
        .where(
            a.c.case_id == first.c.case_id,
            a.c.script_version_id == first.c.script_version_id,
            a.c.contact == Contact.VERIFIED.value,
        )
        .exists()
    )
    filed = sa.select(t.filed_case.c.id).where(t.filed_case.c.case_id == first.c.case_id).exists()

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(condition)

    statement = (
        sa.select(
            first.c.number,
            sa.func.count().label("people"),
            count(spoken).label("verified"),
            count(t.case.c.outcome.in_([kind.value for kind in DISSUADED])).label("dissuaded"),
            count(first.c.reach == Reach.HUNG_UP_EARLY.value).label("hung_up_early"),
            count(filed).label("defrauded"),
        )
        .join(t.case, t.case.c.id == first.c.case_id)
        .group_by(first.c.number)
    )
    if trial.grade:
        statement = statement.where(first.c.grade == trial.grade)
    elif other_grades:
        statement = statement.where(first.c.grade.not_in(other_grades))
    found = {row["number"]: Heard(**dict(row)) for row in tx.rows(statement)}
    return {number: found.get(number, Heard(number=number)) for number in sorted(trial.weights)}


def any_filed(tx: Tx) -> bool:
    """Whether cases that were filed with the police have been loaded at all."""
    return tx.scalar(sa.select(t.filed_case.c.id).limit(1)) is not None
