"""Warnings of sources that wait for a person to release them: one list for each source and limit, and one more for the
extra-high ones, with the rows as they were sent. It is loaded when it is approved, and its file is deleted when it is
withdrawn.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from dialer.core.access import ROBOT
from dialer.core.case import CaseStatus
from dialer.core.events import AlarmCode
from dialer.core.sources import HoldReason
from dialer.core.values import LoadState
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx, record_of
from dialer.warnings.list_store import AWAITS_APPROVAL, create_load

_c = t.list_load.c
_WAITS = sa.and_(AWAITS_APPROVAL, _c.state == LoadState.HELD.value, _c.held_for.is_not(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldList:
    """Warnings of one source that wait for release for one reason."""

    id: int
    """Of the list."""
    source: str
    held_for: HoldReason
    extra_high: bool
    """Whether they are the extra-high ones; those below are in another list."""
    total: int
    """How many warnings wait."""
    created_at: datetime
    """When the first of them came."""
    number_blind: bytes | None
    """The blind index of the number that all their people have, of those that wait for the reason NAMES."""
    from_load_id: int | None
    """The list whose rows they are; None: they came another way."""


class HeldContent(NamedTuple):
    """What makes two waiting warnings the same."""

    source: str
    number: str
    """The instruction number; '' where the content alone says which it is."""
    digest: str
    """Of what it says of whom."""


_COLUMNS = (
    _c.id,
    _c.source,
    _c.held_for,
    _c.extra_high,
    _c.total,
    _c.created_at,
    _c.number_blind,
    _c.from_load_id,
)


def add_to_held_list(
    tx: Tx,
    *,
    source: str,
    reason: HoldReason,
    extra_high: bool,
    heading: bytes,
    rows: bytes,
    contents: Collection[HeldContent],
    number_blind: bytes | None = None,
    from_load_id: int | None = None,
    now: datetime,
) -> int:
    """Adds rows to the list in which such warnings wait, which is made with this heading if there is none; returns its
    id. `contents`: of each row; none of them waits yet.
    """
    count, place = len(contents), 0
    found = tx.one(
        sa.select(_c.id)
        .where(
            _WAITS,
            _c.source == source,
            _c.held_for == reason.value,
            _c.extra_high == extra_high,
            _c.number_blind.is_not_distinct_from(number_blind),
            _c.from_load_id.is_not_distinct_from(from_load_id),
        )
        .order_by(_c.id)
        .limit(1)
        .with_for_update()
    )
    if found is None:
        load_id = create_load(
            tx,
            filename=f"{source}.csv",
            source=source,
            content=io.BytesIO(heading + rows),
            by=ROBOT,
            now=now,
            state=LoadState.HELD,
            needs_approval=True,
        )
        values: dict[str, object] = {
            "held_for": reason.value,
            "extra_high": extra_high,
            "number_blind": number_blind,
            "from_load_id": from_load_id,
            "total": count,
            "early_line": count,
        }
    else:
        load_id, part = found["id"], t.list_file.c.part
        place = tx.scalar(sa.select(sa.func.max(part)).where(t.list_file.c.load_id == load_id)) + 1
        sealed = tx.vault.seal(rows, table="list_file", column="sealed", row=f"{load_id}/{place}")
        tx.execute(sa.insert(t.list_file).values(load_id=load_id, part=place, sealed=sealed))
        values = {
            "total": _c.total + count,
            "early_line": _c.early_line + count,
            "size_bytes": _c.size_bytes + len(rows),
        }
    tx.execute(sa.update(t.list_load).where(_c.id == load_id).values(**values))
    waits = [
        {
            "source": one.source,
            "instruction_no": one.number,
            "digest": one.digest,
            "load_id": load_id,
            "part": place,
        }
        for one in contents
    ]
    tx.execute(sa.insert(t.held_warning), waits)
    return load_id


def waiting_among(tx: Tx, contents: Collection[HeldContent]) -> set[HeldContent]:
    """Everything that waits under the source and number of one of these, also with other content."""
    h = t.held_warning.c
    keys = {(one.source, one.number) for one in contents}
    statement = sa.select(h.source, h.instruction_no, h.digest).where(
        sa.tuple_(h.source, h.instruction_no).in_(list(keys))
    )
    return {HeldContent(row["source"], row["instruction_no"], row["digest"]) for row in tx.rows(statement)}


def held_lists(tx: Tx, *, source: str | None = None) -> list[HeldList]:
    """What waits, of all sources or of one: extra-high warnings first, then the oldest."""
    of_source = sa.true() if source is None else _c.source == source
    statement = sa.select(*_COLUMNS).where(_WAITS, of_source).order_by(_c.extra_high.desc(), _c.id)
    return [record_of(HeldList, row) for row in tx.rows(statement)]


def waiting_of_list(tx: Tx, load_id: int) -> int:
    """How many rows of this list wait now."""
    waiting = sa.select(sa.func.coalesce(sa.func.sum(_c.total), 0)).where(_WAITS, _c.from_load_id == load_id)
    return int(tx.scalar(waiting))


def lists_held_from(tx: Tx, load_id: int) -> list[int]:
    """The lists with rows of this list that wait, or that were released and can be withdrawn, the oldest first."""
    statement = (
        sa.select(_c.id)
        .where(
            _c.from_load_id == load_id,
            _c.state.not_in([LoadState.WITHDRAWN.value, LoadState.FAILED.value]),
        )
        .order_by(_c.id)
    )
    return [row["id"] for row in tx.rows(statement)]


def held_with_numbers_of(tx: Tx, person_id: int) -> list[HeldList]:
    """What waits because of the names on a number of this person, the oldest first."""
    p = t.person_phone.c
    numbers = sa.select(p.phone_blind).where(p.person_id == person_id)
    statement = sa.select(*_COLUMNS).where(_WAITS, _c.number_blind.in_(numbers)).order_by(_c.id)
    return [record_of(HeldList, row) for row in tx.rows(statement)]


def cases_of_others_with_numbers_of(tx: Tx, person_id: int) -> list[int]:
    """The open cases of other people with a number of this person, the oldest first."""
    own, theirs = t.person_phone.alias("own"), t.person_phone.c
    statement = (
        sa.select(t.case.c.id)
        .join(t.person_phone, theirs.person_id == t.case.c.person_id)
        .join(own, own.c.phone_blind == theirs.phone_blind)
        .where(
            own.c.person_id == person_id,
            theirs.person_id != person_id,
            t.case.c.status == CaseStatus.OPEN.value,
        )
        .distinct()
        .order_by(t.case.c.id)
    )
    return [row["id"] for row in tx.rows(statement)]


def late_extra_high(tx: Tx, *, before: datetime) -> list[HeldList]:
    """Lists of extra-high warnings that have waited since before this moment, without an alarm about it since then."""
    a = t.alarm.c
    told = sa.exists().where(
        a.code == AlarmCode.EXTRA_HIGH_WAITS.value,
        a.load_id == _c.id,
        sa.func.coalesce(a.last_at, a.raised_at) > before,
    )
    statement = (
        sa.select(*_COLUMNS).where(_WAITS, _c.extra_high, _c.created_at <= before, ~told).order_by(_c.id)
    )
    return [record_of(HeldList, row) for row in tx.rows(statement)]
