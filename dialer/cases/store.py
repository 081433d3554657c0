"""Rows of cases: reads and locks them, and writes back what decisions changed. Also the acts of staff in the timelines,
whose text is sealed. Takes and returns lists.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from dialer.core.case import RUNNING_STATUSES, Case, CaseStatus, FollowUp, Robot, StaffTrack
from dialer.core.timeline import STORED_ACTS, ActKind
from dialer.db import tables as t
from dialer.db.bulk import CopyIn, IdSet, RowSet, among, in_words, raw_column
from dialer.db.unit_of_work import Row, Tx, record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """A case with its columns that are not part of decisions."""

    case: Case
    person_id: int
    source: str
    unit: str
    drill: bool
    first_attempt_at: datetime | None
    unit_id: int | None = None
    """None while the case is unassigned."""
    revision: int = 1
    """Incremented with every change."""


_TRACKS: Mapping[str, type[Any]] = {
    "robot": Robot,
    "human": StaffTrack,
    "visit": StaffTrack,
    "follow_up": FollowUp,
}
_FIXED = {"id", "opened_at", "policy_version", *_TRACKS}
_OWN_COLUMNS = (*(column.name for column in fields(Case) if column.name not in _FIXED), "due_at")
_TRACK_FIELDS = tuple((track, column.name) for track, kind in _TRACKS.items() for column in fields(kind))
_STATE_COLUMNS = (*_OWN_COLUMNS, *(f"{track}_{name}" for track, name in _TRACK_FIELDS))


def case_to_columns(case: Case) -> dict[str, Any]:
    """The columns that a decision may change."""
    return dict(zip(_STATE_COLUMNS, (*_values(_own, case), *_values(_tracks, case)), strict=True))


_AS_IS = {int, bool, type(None), datetime}
_own = attrgetter(*_OWN_COLUMNS)
_tracks = attrgetter(*(f"{track}.{name}" for track, name in _TRACK_FIELDS))


def _values(columns: attrgetter[tuple[object, ...]], case: Case) -> list[object]:
    return [value if type(value) in _AS_IS else _plain(value) for value in columns(case)]


def _plain(value: object) -> object:
    """The value in the form that the driver writes."""
    if isinstance(value, frozenset):
        return sorted(map(_plain, value), key=str)
    return value.value if isinstance(value, StrEnum) else value


def case_from_row(row: Row) -> Case:
    """The case of a row of the table."""
    tracks = {track: record_of(kind, row, prefix=f"{track}_") for track, kind in _TRACKS.items()}
    return record_of(Case, row, **tracks)


def stored_from_row(row: Row) -> StoredCase:
    """As `case_from_row`, with the columns that are not part of decisions."""
    return record_of(StoredCase, row, case=case_from_row(row))


def get_case(tx: Tx, case_id: int) -> StoredCase | None:
    """The case, not locked; None if there is no case with this id."""
    row = tx.one(sa.select(t.case).where(t.case.c.id == case_id))
    return None if row is None else stored_from_row(row)


def assign_case_to_unit(tx: Tx, case_id: int, *, unit_id: int, label: str) -> None:
    """Assigns the case, which the caller has locked, to the unit. `label` is the unit's name as shown."""
    tx.execute(
        sa.update(t.case)
        .where(t.case.c.id == case_id)
        .values(unit_id=unit_id, unit=label, revision=t.case.c.revision + 1)
    )


_IDS = IdSet("ids", t.case.c.id)
_LOCK = (
    sa.select(*(raw_column(column) for column in t.case.c))
    .where(_IDS.clause)
    .order_by(t.case.c.id)
    .with_for_update()
)


def lock_cases(tx: Tx, ids: Iterable[int]) -> dict[int, StoredCase]:
    """These cases by id, locked in id order until the end of the transaction."""
    return {row["id"]: stored_from_row(row) for row in tx.rows(_LOCK, _IDS.given(ids))}


def lock_due_cases(tx: Tx, *, now: datetime, limit: int) -> dict[int, StoredCase]:
    """Cases by id whose time has come, earliest first, locked; those that another session has locked are left out."""
    statement = (
        sa.select(t.case)
        .where(t.case.c.due_at <= now)
        .order_by(t.case.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return {row["id"]: stored_from_row(row) for row in tx.rows(statement)}


def lock_cases_of_people(tx: Tx, person_ids: Sequence[int]) -> dict[int, list[StoredCase]]:
    """The open and watched cases of each person, oldest first, locked."""
    if not person_ids:
        return {}
    statement = (
        sa.select(t.case)
        .where(
            among(t.case.c.person_id, person_ids),
            in_words(t.case.c.status, RUNNING_STATUSES),
        )
        .order_by(t.case.c.id)
        .with_for_update()
    )
    found: dict[int, list[StoredCase]] = {}
    for row in tx.rows(statement):
        found.setdefault(row["person_id"], []).append(stored_from_row(row))
    return found


_CHANGED = RowSet(
    "given",
    {name: t.case.c[name].type for name in ("id", *_STATE_COLUMNS)}
    | {"settled": sa.Boolean(), "watching": sa.Boolean(), "now": sa.DateTime(timezone=True)},
)
_UPDATE = (
    sa.update(t.case)
    .where(t.case.c.id == _CHANGED.c.id)
    .values(
        {name: _CHANGED.c[name] for name in _STATE_COLUMNS}
        | {
            "revision": t.case.c.revision + 1,
            "settled_at": sa.case(
                (_CHANGED.c.settled, sa.func.coalesce(t.case.c.settled_at, _CHANGED.c.now)), else_=None
            ),
            "succeeded_at": sa.case(
                (_CHANGED.c.watching, sa.func.coalesce(t.case.c.succeeded_at, _CHANGED.c.now)),
                else_=t.case.c.succeeded_at,
            ),
        }
    )
)


def save_cases(tx: Tx, cases: Iterable[Case], *, now: datetime) -> None:
    """Writes back what decisions changed in cases that this transaction has locked."""
    rows: list[dict[str, Any]] = [
        case_to_columns(case)
        | {
            "id": case.id,
            "now": now,
            "settled": case.status.is_settled,
            "watching": case.status is CaseStatus.WATCHING,
        }
        for case in cases
    ]
    if rows:
        tx.execute(_UPDATE, _CHANGED.given(rows))


def take_next_ids(tx: Tx, table: sa.Table, count: int) -> list[int]:
    """`count` new ids for a table, taken from its sequence."""
    if count == 0:
        return []
    statement = sa.text(
        "SELECT array_agg(nextval(CAST(pg_get_serial_sequence(:name, 'id') AS regclass)))"
        " FROM generate_series(1, :count)"
    )
    found: list[int] = tx.scalar(statement, {"name": f'"{table.name}"', "count": count})
    return found


class NewCases:
    """Makes the rows of new cases of one load. The columns that cases with the same tracks share are made once."""

    def __init__(self, load_id: int | None) -> None:
        self._load_id = load_id
        self._tracks: dict[tuple[int, int, int], tuple[Case, list[object]]] = {}

    def row(self, stored: StoredCase) -> tuple[object, ...]:
        """The row for `insert_cases`. The case has its id already."""
        case = stored.case
        alike = (id(case.robot), id(case.human), id(case.visit))
        known = self._tracks.get(alike)
        if known is None:
            # The case is kept too: the ids of its tracks are valid only while they live.
            known = self._tracks[alike] = (case, _values(_tracks, case))
        return (
            case.id,
            stored.person_id,
            self._load_id,
            stored.source,
            stored.unit,
            stored.unit_id,
            stored.drill,
            case.policy_version,
            case.opened_at,
            *_values(_own, case),
            *known[1],
        )


def insert_cases(tx: Tx, rows: Iterable[tuple[object, ...]]) -> None:
    """Inserts new cases, whose rows `NewCases` has made."""
    _COPY.write(tx, rows)


_NEW_COLUMNS = (
    "id",
    "person_id",
    "load_id",
    "source",
    "unit",
    "unit_id",
    "drill",
    "policy_version",
    "opened_at",
)
_COPY = CopyIn(t.case, (*_NEW_COLUMNS, *_STATE_COLUMNS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act of staff or of the clock. `facts` has nothing personal; `words` is typed text, which is stored sealed."""

    case_id: int
    kind: ActKind
    by: str
    facts: Mapping[str, object] = field(default_factory=dict)
    words: str = ""


def note_acts(tx: Tx, acts: Sequence[Act], *, now: datetime) -> None:
    """Adds the acts to the timelines of their cases."""
    rows = []
    for act in acts:
        step = f"act.{act.kind}.{uuid.uuid4().hex}"
        sealed = (
            tx.vault.seal(act.words.encode(), table="event", column="sealed", row=f"{act.case_id}/{step}")
            if act.words
            else None
        )
        rows.append(
            {
                "case_id": act.case_id,
                "step": step,
                "kind": act.kind.value,
                "at": now,
                "by": act.by,
                "facts": dict(act.facts),
                "sealed": sealed,
            }
        )
    if rows:
        tx.execute(sa.insert(t.event), rows)
        tx.acts_recorded.add(t.event.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAct:
    """An act with its typed text in clear."""

    at: datetime
    kind: ActKind
    by: str
    words: str


def words_of_case(tx: Tx, case_id: int) -> list[WrittenAct]:
    """What staff wrote about this case, oldest first."""
    statement = (
        sa.select(t.event)
        .where(t.event.c.case_id == case_id, t.event.c.attempt_id.is_(None), t.event.c.sealed.is_not(None))
        .order_by(t.event.c.id)
    )
    return [
        WrittenAct(at=row["at"], kind=ActKind(row["kind"]), by=row["by"], words=open_act(tx, row))
        for row in tx.rows(statement)
        if row["kind"] in STORED_ACTS
    ]


def last_act_of_case(tx: Tx, case_id: int) -> Row | None:
    """The newest act of staff or the clock on this case."""
    return tx.one(
        sa.select(t.event)
        .where(t.event.c.case_id == case_id, t.event.c.attempt_id.is_(None), t.event.c.kind.in_(STORED_ACTS))
        .order_by(t.event.c.id.desc())
        .limit(1)
    )


def open_act(tx: Tx, row: Row) -> str:
    """The text of this act in clear: only for users who may read it."""
    place = f"{row['case_id']}/{row['step']}"
    return tx.vault.open(row["sealed"], table="event", column="sealed", row=place).decode()
