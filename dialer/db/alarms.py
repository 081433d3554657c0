"""Alarms for supervisors. An alarm is open until somebody acknowledges it, or until the overdue work that it tells of
is done; until then repetitions are counted in its row, so that even a bad night makes only one line per case.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import ROBOT
from dialer.core.case import AssignmentState, StaffTrackState
from dialer.core.errors import NotFound
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Tx, record_of

_UNSEEN = (
    t.alarm.c.code,
    sa.func.coalesce(t.alarm.c.case_id, sa.literal_column("0")),
    sa.func.coalesce(t.alarm.c.load_id, sa.literal_column("0")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that nobody has acknowledged yet."""

    id: int
    code: str
    case_id: int | None
    load_id: int | None
    facts: Mapping[str, object]
    raised_at: datetime
    times: int
    """How often it was raised."""
    last_at: datetime
    owner: str
    """The login of who takes care of it; '' for nobody yet."""
    owner_name: str
    comment: str
    """What the owner says about it."""


def raise_alarm(
    tx: Tx,
    code: AlarmCode,
    *,
    now: datetime,
    case_id: int | None = None,
    load_id: int | None = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Raises an alarm, or counts a repetition if one with this code is open for this case and load. `facts` must have
    nothing personal.
    """
    raise_alarms(tx, [alarm_row(code, at=now, case_id=case_id, load_id=load_id, facts=facts)])


def raise_alarm_once(
    tx: Tx,
    code: AlarmCode,
    *,
    now: datetime,
    facts: Mapping[str, object] | None = None,
    names: Collection[str] = (),
    again_after: timedelta | None = None,
) -> None:
    """As `raise_alarm`, for the whole service, but an open alarm is not counted again. `names`: what the alarm is
    about; if one of them is new, the open alarm is raised again with all names. With `again_after` nothing is raised
    for so long after somebody acknowledged one.
    """
    open_alarm = tx.one(
        sa.select(t.alarm.c.facts)
        .where(
            t.alarm.c.code == code.value,
            t.alarm.c.seen_at.is_(None),
            t.alarm.c.case_id.is_(None),
            t.alarm.c.load_id.is_(None),
        )
        .limit(1)
    )
    if (
        open_alarm is None
        and again_after is not None
        and _was_acknowledged(tx, code, since=now - again_after)
    ):
        return
    known = set() if open_alarm is None else set(open_alarm["facts"].get("names", ()))
    if open_alarm is None or not known.issuperset(names):
        about = {"names": sorted(known.union(names))} if names else {}
        raise_alarm(tx, code, now=now, facts=dict(facts or {}) | about)


def _was_acknowledged(tx: Tx, code: AlarmCode, *, since: datetime) -> bool:
    a = t.alarm.c
    acknowledged = sa.select(a.id).where(
        a.code == code.value, a.case_id.is_(None), a.load_id.is_(None), a.seen_at > since
    )
    return bool(tx.rows(acknowledged.limit(1)))


def alarm_row(
    code: AlarmCode,
    *,
    at: datetime,
    case_id: int | None = None,
    load_id: int | None = None,
    facts: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Makes the row of an alarm for `raise_alarms`."""
    about = dict(facts or {})
    return {"code": code.value, "case_id": case_id, "load_id": load_id, "facts": about, "raised_at": at}


def raise_alarms(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raises these alarms, each made by `alarm_row`, as `raise_alarm` does; repetitions within the batch are counted
    too.
    """
    grouped: dict[tuple[str, int, int], dict[str, Any]] = {}
    for row in rows:
        key = (row["code"], row["case_id"] or 0, row["load_id"] or 0)
        first = grouped.get(key)
        if first is None:
            grouped[key] = dict(row) | {"times": 1, "last_at": row["raised_at"]}
        else:
            first["times"] += 1
            first["last_at"] = max(first["last_at"], row["raised_at"])
    if not grouped:
        return
    statement = insert(t.alarm).values([grouped[key] for key in sorted(grouped)])
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=_UNSEEN,
            index_where=t.alarm.c.seen_at.is_(None),
            set_={
                "times": t.alarm.c.times + statement.excluded.times,
                "last_at": sa.func.greatest(t.alarm.c.last_at, statement.excluded.last_at),
                "facts": sa.case(
                    (statement.excluded.facts == sa.text("'{}'"), t.alarm.c.facts),
                    else_=statement.excluded.facts,
                ),
            },
        )
    )


def unacknowledged_alarms_of(
    tx: Tx, *, limit: int = 100, where: sa.ColumnElement[bool] | None = None
) -> list[Alarm]:
    """At most `limit` open alarms that meet the condition `where`: first those of the whole service, which a bad night
    with thousands of cases must not hide; each kind newest first.
    """
    rows = tx.rows(
        sa.select(t.alarm, t.staff.c.display_name.label("owner_name"))
        .join(t.staff, t.staff.c.login == t.alarm.c.owner, isouter=True)
        .where(t.alarm.c.seen_at.is_(None), sa.true() if where is None else where)
        .order_by(t.alarm.c.case_id.is_not(None), t.alarm.c.raised_at.desc(), t.alarm.c.id.desc())
        .limit(limit)
    )
    return [
        record_of(
            Alarm,
            row,
            facts=_with_current_finding(row["facts"]),
            last_at=row["last_at"] or row["raised_at"],
            owner=row["owner"] or "",
            owner_name=row["owner_name"] or row["owner"] or "",
        )
        for row in rows
    ]


_FORMER_FINDINGS = {
    "robot_without_ring": "robot_without_attempt",
    "ring_without_case": "attempt_without_case",
    "errand_without_assignment": "track_without_assignment",
    "assignment_without_errand": "assignment_without_track",
}
"""Names of the consistency checker's findings in earlier versions, which alarms that are still open may have."""


def _with_current_finding(facts: Mapping[str, object]) -> Mapping[str, object]:
    finding = facts.get("finding")
    return {**facts, "finding": _FORMER_FINDINGS.get(str(finding), finding)} if "finding" in facts else facts


def take_alarm_row(tx: Tx, alarm_id: int, *, by: str, comment: str, where: sa.ColumnElement[bool]) -> bool:
    """Makes `by` the owner of the open alarm, with a comment; False if it is not open any more, or does not meet the
    condition `where`.
    """
    which = sa.and_(t.alarm.c.id == alarm_id, t.alarm.c.seen_at.is_(None), where)
    taken = {"owner": by, "comment": comment}
    return bool(tx.execute(sa.update(t.alarm).where(which).values(taken)).rowcount)


def acknowledge_alarm_row(
    tx: Tx, alarm_id: int, *, by: str, now: datetime, where: sa.ColumnElement[bool] | None = None
) -> bool:
    """Acknowledges the alarm; False if somebody else has done so already. Raises `NotFound`, also for an alarm that
    does not meet the condition `where`.
    """
    which = sa.and_(t.alarm.c.id == alarm_id, sa.true() if where is None else where)
    seen = {"seen_at": now, "seen_by": by}
    found = tx.execute(sa.update(t.alarm).where(which, t.alarm.c.seen_at.is_(None)).values(seen))
    if not found.rowcount and tx.scalar(sa.select(t.alarm.c.id).where(which)) is None:
        raise NotFound(kind="alarm", key=alarm_id)
    return bool(found.rowcount)


def acknowledge_alarms_of_code(
    tx: Tx, code: str, *, by: str, now: datetime, where: sa.ColumnElement[bool]
) -> int:
    """Acknowledges all open alarms with this code that meet the condition `where`. Returns how many."""
    # Locked in the order in which `raise_alarms` writes them.
    found = (
        sa.select(t.alarm.c.id)
        .where(t.alarm.c.code == code, t.alarm.c.seen_at.is_(None), where)
        .order_by(*_UNSEEN)
        .with_for_update()
    )
    return tx.execute(
        sa.update(t.alarm).where(t.alarm.c.id.in_(found)).values(seen_at=now, seen_by=by)
    ).rowcount


_PENDING = frozenset({StaffTrackState.SCHEDULED, StaffTrackState.OPEN})
_DONE = (
    sa.and_(t.alarm.c.code == AlarmCode.HUMAN_OVERDUE.value, ~in_words(t.case.c.human_state, _PENDING)),
    sa.and_(t.alarm.c.code == AlarmCode.VISIT_OVERDUE.value, ~in_words(t.case.c.visit_state, _PENDING)),
    sa.and_(
        t.alarm.c.code == AlarmCode.UNSIGNED.value,
        ~sa.exists().where(
            t.assignment.c.case_id == t.alarm.c.case_id,
            t.assignment.c.state == word_literal(AssignmentState.OPEN),
        ),
    ),
)


def end_alarms_of_done_work(tx: Tx, *, now: datetime) -> int:
    """Ends the open alarms of overdue calls and visits that are not to be done any more, and of assignments that were
    not signed for and now are. Returns how many.
    """
    # Locked in the order in which `raise_alarms` writes them.
    found = (
        sa.select(t.alarm.c.id)
        .join(t.case, t.case.c.id == t.alarm.c.case_id)
        .where(t.alarm.c.seen_at.is_(None), sa.or_(*_DONE))
        .order_by(*_UNSEEN)
        .with_for_update(of=t.alarm)
    )
    ended = sa.update(t.alarm).where(t.alarm.c.id.in_(found)).values(seen_at=now, seen_by=ROBOT)
    return tx.execute(ended).rowcount
