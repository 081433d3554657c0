"""The newest draft of the rules beside the live ones: whom each would warn, and the hours of lines and desks that this
needs. The robot evaluates each signal by both; only the live verdicts are sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.signals.budget import BudgetPolicy, needed_hours

_s, _p = t.shadow.c, t.shadow_person.c
Grades = tuple[Grade | None, Grade | None]
"""The grades of one person by the live rules and by the draft. None: below the threshold."""


class VerdictDifference(StrEnum):
    """How the verdict of the draft on a person differs from the live one."""

    NEW = "new"
    LOST = "lost"
    REGRADED = "regraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowLoad:
    """Warnings, each of which is a call, and the hours of lines and desks that they need."""

    warnings: int
    line_hours: float
    desk_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowStatus:
    """A draft since `started_at`: covers all persons whose verdict changed since then, by the live rules or by the
    draft.
    """

    number: int
    started_at: datetime
    live: ShadowLoad
    draft: ShadowLoad
    differences: Mapping[VerdictDifference, int]


def start_shadow(tx: Tx, version_id: int, *, now: datetime) -> None:
    """Starts this draft beside the live rules, and deletes the results of an earlier draft. A draft that runs already
    continues.
    """
    tx.execute(sa.delete(t.shadow).where(_s.version_id != version_id))
    tx.execute(insert(t.shadow).values(version_id=version_id, started_at=now).on_conflict_do_nothing())


def end_shadow(tx: Tx) -> None:
    """Ends the draft that runs beside the live rules."""
    tx.execute(sa.delete(t.shadow))


def write_shadow_grades(tx: Tx, version_id: int, grades: Mapping[bytes, Grades], *, now: datetime) -> None:
    """Stores the grades of these persons by both. Does nothing if the draft no longer runs."""
    runs = sa.select(_s.version_id).where(_s.version_id == version_id)
    if not grades or not tx.rows(runs.with_for_update(read=True, key_share=True)):
        return
    rows = [
        {
            "version_id": version_id,
            "person_hash": person,
            "live_grade": live.value if live else None,
            "draft_grade": draft.value if draft else None,
            "changed_at": now,
        }
        for person, (live, draft) in sorted(grades.items())
    ]
    statement = insert(t.shadow_person)
    new = {name: statement.excluded[name] for name in ("live_grade", "draft_grade", "changed_at")}
    tx.execute(statement.on_conflict_do_update(index_elements=["version_id", "person_hash"], set_=new), rows)


def delete_old_shadow_grades(tx: Tx, *, before: datetime) -> int:
    """Deletes the grades of persons whose verdicts have not changed since `before`; returns how many."""
    return tx.execute(sa.delete(t.shadow_person).where(_p.changed_at < before)).rowcount


_IS: Final = {
    VerdictDifference.NEW: sa.and_(_p.live_grade.is_(None), _p.draft_grade.is_not(None)),
    VerdictDifference.LOST: sa.and_(_p.live_grade.is_not(None), _p.draft_grade.is_(None)),
    VerdictDifference.REGRADED: _p.live_grade != _p.draft_grade,
}


def persons_with(difference: VerdictDifference) -> sa.Select[tuple[bytes]]:
    """The hashes of the persons for whom the running draft has this difference."""
    return sa.select(_p.person_hash).where(_IS[difference])


class Side(StrEnum):
    """The two sets of rules that run side by side."""

    LIVE = "live"
    DRAFT = "draft"


def persons_warned(side: Side) -> sa.Select[tuple[bytes]]:
    """The hashes of the persons whom this side warns, among those whose verdict changed by either."""
    grade = _p.live_grade if side is Side.LIVE else _p.draft_grade
    return sa.select(_p.person_hash).where(grade.is_not(None))


def read_shadow(tx: Tx) -> ShadowStatus | None:
    """The counts as of now; None when no draft runs beside the live rules."""
    v = t.rule_version.c
    found = tx.rows(sa.select(v.number, _s.started_at).join(t.shadow, _s.version_id == v.id))
    if not found:
        return None
    rows = tx.rows(
        sa.select(_p.live_grade, _p.draft_grade, sa.func.count().label("n")).group_by(
            _p.live_grade, _p.draft_grade
        )
    )
    live: dict[Grade, int] = {}
    draft: dict[Grade, int] = {}
    for row in rows:
        for side, name in ((live, "live_grade"), (draft, "draft_grade")):
            if row[name] is not None:
                side[Grade(row[name])] = side.get(Grade(row[name]), 0) + row["n"]
    counted = tx.rows(
        sa.select(
            *(sa.func.count().filter(how).label(difference.value) for difference, how in _IS.items())
        ).select_from(t.shadow_person)
    )[0]
    return ShadowStatus(
        number=found[0]["number"],
        started_at=found[0]["started_at"],
        live=_load(live),
        draft=_load(draft),
        differences={difference: int(counted[difference.value]) for difference in VerdictDifference},
    )


def _load(counts: Mapping[Grade, int]) -> ShadowLoad:
    lines, desks = needed_hours(counts, BudgetPolicy())
    return ShadowLoad(warnings=sum(counts.values()), line_hours=lines, desk_hours=desks)
