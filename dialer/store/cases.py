"""Cases: read under a lock, write back what a decision made of them. Lists in, lists out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.case import Case, CaseStatus, Errand, ErrandState, Reason, Robot, RobotState
from dialer.domain.values import Contact, FraudType, Grade, OutcomeKind, Tag
from dialer.store import tables as t
from dialer.store.copying import CopyIn
from dialer.store.rowset import IdSet, RowSet, plain
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """A case with what the store knows beside the domain's part."""

    case: Case
    person_id: int
    source: str
    unit: str
    drill: bool
    first_attempt_at: datetime | None
    unit_id: int | None = None
    """None: what the list said names no unit, and a person sorts it."""
    revision: int = 1
    """Grows with every change."""


_STATE_COLUMNS = (
    "grade",
    "fraud_type",
    "status",
    "outcome",
    "contact",
    "numbers",
    "warnings",
    "amount_at_risk_fen",
    "missed",
    "opted_out",
    "tags",
    "expires_at",
    "due_at",
    "watch_until",
    "robot_state",
    "robot_attempts",
    "robot_tries",
    "robot_own_faults",
    "robot_number",
    "robot_dead_numbers",
    "robot_at",
    "robot_patience_at",
    "robot_reason",
    "human_state",
    "human_at",
    "human_tries",
    "human_reason",
    "visit_state",
    "visit_at",
    "visit_tries",
    "visit_reason",
)


def to_columns(case: Case) -> dict[str, Any]:
    """The columns that a decision may change."""
    return dict(zip(_STATE_COLUMNS, (*_own(case), *_tracks(case)), strict=True))


def _own(case: Case) -> tuple[object, ...]:
    return (
        case.grade.value,
        case.fraud_type.value,
        case.status.value,
        case.outcome.value if case.outcome else None,
        case.contact.value,
        case.numbers,
        case.warnings,
        case.amount_at_risk_fen,
        case.missed,
        case.opted_out,
        sorted(tag.value for tag in case.tags),
        case.expires_at,
        case.due_at,
        case.watch_until,
    )


def _tracks(case: Case) -> tuple[object, ...]:
    robot = case.robot
    return (
        robot.state.value,
        robot.attempts,
        robot.tries,
        robot.own_faults,
        robot.number,
        sorted(robot.dead_numbers),
        robot.at,
        robot.patience_at,
        robot.reason.value,
        *_errand_columns(case.human),
        *_errand_columns(case.visit),
    )


def _errand_columns(errand: Errand) -> tuple[object, ...]:
    return (errand.state.value, errand.at, errand.tries, errand.reason.value)


def from_row(row: Mapping[str, Any]) -> Case:
    return Case(
        id=row["id"],
        grade=Grade(row["grade"]),
        fraud_type=FraudType(row["fraud_type"]),
        opened_at=row["opened_at"],
        policy_version=row["policy_version"],
        numbers=row["numbers"],
        status=CaseStatus(row["status"]),
        outcome=OutcomeKind(row["outcome"]) if row["outcome"] else None,
        contact=Contact(row["contact"]),
        expires_at=row["expires_at"],
        amount_at_risk_fen=row["amount_at_risk_fen"],
        missed=row["missed"],
        opted_out=row["opted_out"],
        tags=frozenset(Tag(tag) for tag in row["tags"]),
        warnings=row["warnings"],
        robot=Robot(
            state=RobotState(row["robot_state"]),
            attempts=row["robot_attempts"],
            tries=row["robot_tries"],
            own_faults=row["robot_own_faults"],
            number=row["robot_number"],
            dead_numbers=frozenset(row["robot_dead_numbers"]),
            at=row["robot_at"],
            patience_at=row["robot_patience_at"],
            reason=Reason(row["robot_reason"]),
        ),
        human=_errand(row, "human"),
        visit=_errand(row, "visit"),
        watch_until=row["watch_until"],
    )


def _errand(row: Mapping[str, Any], track: str) -> Errand:
    return Errand(
        state=ErrandState(row[f"{track}_state"]),
        at=row[f"{track}_at"],
        tries=row[f"{track}_tries"],
        reason=Reason(row[f"{track}_reason"]),
    )


def _stored(row: Mapping[str, Any]) -> StoredCase:
    return StoredCase(
        case=from_row(row),
        person_id=row["person_id"],
        source=row["source"],
        unit=row["unit"],
        drill=row["drill"],
        first_attempt_at=row["first_attempt_at"],
        unit_id=row["unit_id"],
        revision=row["revision"],
    )


def get(tx: Tx, case_id: int) -> StoredCase | None:
    """As it stands, not locked."""
    row = tx.one(sa.select(t.case).where(t.case.c.id == case_id))
    return None if row is None else _stored(row)


def put_in_unit(tx: Tx, case_id: int, *, unit_id: int, label: str) -> None:
    """It is that unit's from now on; locked before."""
    tx.execute(
        sa.update(t.case)
        .where(t.case.c.id == case_id)
        .values(unit_id=unit_id, unit=label, revision=t.case.c.revision + 1)
    )


_IDS = IdSet("ids", t.case.c.id)
_LOCK = (
    sa.select(*(plain(column) for column in t.case.c))
    .where(_IDS.clause)
    .order_by(t.case.c.id)
    .with_for_update()
)


def lock(tx: Tx, ids: Iterable[int]) -> dict[int, StoredCase]:
    """These cases, locked in id order to the end of the transaction."""
    return {row["id"]: _stored(row) for row in tx.rows(_LOCK, _IDS.given(ids))}


def lock_due(tx: Tx, *, now: datetime, limit: int) -> dict[int, StoredCase]:
    """Cases whose time has come, earliest first, locked; those that another session holds are left out."""
    statement = (
        sa.select(t.case)
        .where(t.case.c.due_at <= now)
        .order_by(t.case.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return {row["id"]: _stored(row) for row in tx.rows(statement)}


def lock_of_people(tx: Tx, person_ids: Sequence[int]) -> dict[int, list[StoredCase]]:
    """Each person's open and watched cases, oldest first, locked."""
    if not person_ids:
        return {}
    statement = (
        sa.select(t.case)
        .where(
            t.case.c.person_id == sa.any_(sa.literal(list(person_ids), sa.ARRAY(sa.BigInteger))),
            t.case.c.status.in_([CaseStatus.OPEN.value, CaseStatus.WATCHING.value]),
        )
        .order_by(t.case.c.id)
        .with_for_update()
    )
    found: dict[int, list[StoredCase]] = {}
    for row in tx.rows(statement):
        found.setdefault(row["person_id"], []).append(_stored(row))
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


def save(tx: Tx, cases: Iterable[Case], *, now: datetime) -> None:
    """Writes back what decisions changed; the rows were locked by this transaction."""
    rows: list[dict[str, Any]] = [
        to_columns(case)
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


def note_first_attempts(tx: Tx, ids: Sequence[int], *, at: datetime) -> None:
    """The first ring of these cases left us at `at`; earlier ones stand."""
    if ids:
        tx.execute(_NOTE_FIRST, {**_IDS.given(ids), "at": at})


_NOTE_FIRST = (
    sa.update(t.case)
    .where(
        t.case.c.id.in_(
            sa.select(t.case.c.id)
            .where(_IDS.clause, t.case.c.first_attempt_at.is_(None))
            .order_by(t.case.c.id)
            .with_for_update()
        )
    )
    .values(first_attempt_at=sa.bindparam("at", type_=sa.DateTime(timezone=True)))
)


def next_ids(tx: Tx, table: sa.Table, count: int) -> list[int]:
    """`count` fresh ids of a table, taken from its own sequence."""
    if count == 0:
        return []
    statement = sa.text(
        "SELECT array_agg(nextval(CAST(pg_get_serial_sequence(:name, 'id') AS regclass)))"
        " FROM generate_series(1, :count)"
    )
    found: list[int] = tx.scalar(statement, {"name": f'"{table.name}"', "count": count})
    return found


_INSERT_COLUMNS = (
    "id",
    "person_id",
    "load_id",
    "source",
    "unit",
    "unit_id",
    "drill",
    "policy_version",
    "opened_at",
    *_STATE_COLUMNS,
)


class NewCases:
    """Rows of new cases of one load. What cases that begin alike have in common is made once."""

    def __init__(self, load_id: int | None) -> None:
        self._load_id = load_id
        self._tracks: dict[tuple[int, int, int], tuple[Case, tuple[object, ...]]] = {}

    def row(self, stored: StoredCase) -> tuple[object, ...]:
        """For `insert`; the id was taken before."""
        case = stored.case
        alike = (id(case.robot), id(case.human), id(case.visit))
        known = self._tracks.get(alike)
        if known is None:
            # The case is kept beside: its tracks live as long as their names here.
            known = self._tracks[alike] = (case, _tracks(case))
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
            *_own(case),
            *known[1],
        )


def insert(tx: Tx, rows: Iterable[tuple[object, ...]]) -> None:
    """New cases, as `NewCases` made their rows."""
    _COPY.write(tx, rows)


_COPY = CopyIn(t.case, _INSERT_COLUMNS)


def amount_at_risk(tx: Tx, case_id: int) -> int | None:
    """In fen; None where no list said one."""
    amount: int | None = tx.scalar(sa.select(t.case.c.amount_at_risk_fen).where(t.case.c.id == case_id))
    return amount
