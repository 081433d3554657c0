"""Re-sealing: values are sealed, and blind indexes made, again with the current keys, in batches beside the running
service. Each batch is one transaction that also records how far it is, so a killed process loses nothing; one process
works at a time.

A row that another transaction has locked is skipped and done later. A telephone number is indexed anew in all its rows
at once, never while a call holds it, and under the locks of arrivals and of the line group: two rows with different
indexes of one number would count as two numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.calls.pacing import lock_line_group
from dialer.cases.persons import open_person
from dialer.core.access import SERVICE
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.audit import stream
from dialer.db.bulk import RowSet
from dialer.db.key_state import (
    KeyState,
    database_time,
    follow_plan,
    oldest_transaction_since,
    read_key_state,
    write_key_state,
)
from dialer.db.keys import BARE_INDEX_ID
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import BlindKind, KeyMissing, Tampered
from dialer.oversight.correction_store import step_place
from dialer.runtime.services import Services
from dialer.warnings.warning_store import lock_arrivals

_log = logging.getLogger(__name__)

_LOCK: Final = 0x72736C64
_PROGRESS: Final = "reseal"
_SEALING_BYTES: Final = 15
"""Version, key and nonce: no two sealed values have the same."""
_MARK_BYTES: Final = 2
_INDEX_BYTES: Final = 18
SETTLE_SECONDS: Final = 2.0
_PEOPLE: Final = 200
_VALUES: Final = 500
_LARGE_VALUES: Final = 4
_SEVERAL: Final = frozenset({"load_id", "verdict_id"})
"""Key columns that several sealed values share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """A column of sealed values: how its rows are identified, and what each value is bound to."""

    table: sa.Table
    column: str
    row: Callable[[Row], int | str]
    key: str = "id"
    needs: tuple[str, ...] = ()
    """Other columns that `row` reads."""
    at_once: int = _VALUES

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column}"


def _event_place(row: Row) -> str:
    return f"{row['attempt_id'] or row['case_id']}/{row['step']}"


def _transfer_place(row: Row) -> str:
    return f"{row['assignment_id']}/{row['at'].astimezone(UTC).isoformat()}"


def _correction_place(row: Row) -> str:
    return step_place(row["order_id"], row["number"])


SEALED: Final = (
    SealedColumn(table=t.person, column="sealed", row=lambda row: int(row["id"])),
    SealedColumn(table=t.warning, column="sealed", row=lambda row: int(row["id"])),
    SealedColumn(table=t.event, column="sealed", row=_event_place, needs=("attempt_id", "case_id", "step")),
    SealedColumn(
        table=t.outcome,
        column="evidence_sealed",
        row=lambda row: f"case/{row['case_id']}",
        needs=("case_id",),
    ),
    SealedColumn(
        table=t.stop_request, column="sealed", row=lambda row: f"case/{row['case_id']}", needs=("case_id",)
    ),
    SealedColumn(
        table=t.correction_step, column="sealed", row=_correction_place, needs=("order_id", "number")
    ),
    SealedColumn(
        table=t.assignment_transfer, column="why_sealed", row=_transfer_place, needs=("assignment_id", "at")
    ),
    SealedColumn(
        table=t.filed_record, column="sealed", row=lambda row: row["case_number"], needs=("case_number",)
    ),
    SealedColumn(table=t.filed_match, column="why_sealed", row=lambda row: int(row["id"])),
    SealedColumn(
        table=t.staff_factor, column="secret", row=lambda row: int(row["staff_id"]), needs=("staff_id",)
    ),
    SealedColumn(
        table=t.staff_change,
        column="why_sealed",
        row=lambda row: f"{row['kind']}/{row['login']}/{row['asked_by']}",
        needs=("kind", "login", "asked_by"),
    ),
    SealedColumn(
        table=t.sign_in_step,
        column="data",
        row=lambda row: bytes(row["token_hash"]).hex(),
        needs=("token_hash",),
    ),
    *(
        SealedColumn(table=table, column=column, row=lambda row: int(row["id"]))
        for table, column in (
            (t.opening, "sealed"),
            (t.card_question, "sealed"),
            (t.card_question, "reason_sealed"),
            (t.onsite_check, "note_sealed"),
            (t.card_determination, "sealed"),
            (t.card_objection, "sealed"),
            (t.card_objection, "reason_sealed"),
            (t.card_opener, "why_sealed"),
        )
    ),
    SealedColumn(
        table=t.list_reject,
        column="sealed",
        row=lambda row: f"{row['load_id']}/{row['sheet']}/{row['line']}",
        needs=("load_id", "sheet", "line"),
    ),
    SealedColumn(
        table=t.list_file,
        column="sealed",
        row=lambda row: f"{row['load_id']}/{row['part']}",
        key="load_id",
        needs=("part",),
        at_once=_LARGE_VALUES,
    ),
    SealedColumn(
        table=t.signal,
        column="sealed",
        row=lambda row: f"{row['source']}/{row['signal_no']}",
        key="seq",
        needs=("source", "signal_no"),
    ),
    SealedColumn(
        table=t.robot_snapshot,
        column="sealed",
        row=lambda row: f"{row['shard']}/{row['part']}/{row['seq']}",
        needs=("shard", "part", "seq"),
        at_once=_LARGE_VALUES,
    ),
    SealedColumn(
        table=t.verdict, column="sealed", row=lambda row: row["instruction_no"], needs=("instruction_no",)
    ),
    SealedColumn(
        table=t.verdict_reason,
        column="sealed",
        row=lambda row: f"{row['verdict_id']}/{row['rule']}",
        key="verdict_id",
        needs=("rule",),
    ),
    SealedColumn(table=t.webhook, column="secret_sealed", row=lambda row: row["name"], needs=("name",)),
    SealedColumn(
        table=t.notification_rules, column="sealed", row=lambda row: int(row["staff_id"]), key="staff_id"
    ),
    SealedColumn(table=t.push_browser, column="sealed", row=lambda row: str(row["id"])),
    SealedColumn(table=t.recording, column="sealed", row=lambda row: int(row["id"]), at_once=_LARGE_VALUES),
    SealedColumn(
        table=t.transcript,
        column="sealed",
        row=lambda row: int(row["recording_id"]),
        key="recording_id",
        at_once=_LARGE_VALUES,
    ),
    SealedColumn(
        table=t.visit_photo,
        column="sealed",
        row=lambda row: str(row["client_id"]),
        key="client_id",
        at_once=_LARGE_VALUES,
    ),
    SealedColumn(
        table=t.evidence_file, column="sealed", row=lambda row: str(row["id"]), at_once=_LARGE_VALUES
    ),
)
"""Every column that is sealed again. The audit is not among them: its seals cover the sealed reasons."""

INDEXES: Final = (
    (t.person, "name_blind"),
    (t.person, "id_number_blind"),
    (t.person_key, "name_phone_blind"),
    (t.person_phone, "phone_blind"),
    (t.person_phone, "last4_blind"),
    (t.live_number, "phone_blind"),
    (t.list_load, "number_blind"),
)
"""Every column of blind indexes that is made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResealProgress:
    """How far re-sealing is. `part`: index into `PARTS`; `after`: the last key of that part that was done. Counts are
    of rows.
    """

    revision: int
    part: int = 0
    after: str | None = None
    total: Mapping[str, int] = field(default_factory=dict)
    done: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Keys of the rows whose value cannot be opened, by part: they stay as they are."""
    rounds: int = 1
    began_at: str = ""
    ended_at: str = ""

    def plain(self) -> dict[str, Any]:
        names = ("revision", "part", "after", "rounds", "began_at", "ended_at")
        return {name: getattr(self, name) for name in names} | {
            "total": dict(self.total),
            "done": dict(self.done),
            "unreadable": {name: list(keys) for name, keys in self.unreadable.items()},
        }


INDEX_PART: Final = "blind indexes of persons"
PARTS: Final = (INDEX_PART, *(sealed.name for sealed in SEALED))


def read_progress(tx: Tx) -> ResealProgress | None:
    """The progress of re-sealing; None if it has never run."""
    plain = tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == _PROGRESS))
    return None if plain is None else ResealProgress(**plain)


def _note(tx: Tx, progress: ResealProgress) -> None:
    row = {"key": _PROGRESS, "value": progress.plain()}
    tx.execute(insert(t.meta).values(row).on_conflict_do_update(index_elements=["key"], set_=row))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResealBatch:
    """What one batch did. `is_over`: nothing is left; `waits`: nothing can be done now, since calls hold the numbers
    that are left, or another process works.
    """

    rows: int = 0
    is_over: bool = False
    waits: bool = False
    had_locks: bool = False

    @property
    def ends_for_now(self) -> bool:
        return self.is_over or self.waits


def reseal_batch(services: Services, *, settle_seconds: float = SETTLE_SECONDS) -> ResealBatch:
    """Re-seals the next rows in one transaction. The work is over no sooner than `settle_seconds` after the last change
    of the plan, when no process seals with an old key any more.
    """
    with services.store.begin() as tx:
        if not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
            return ResealBatch(waits=True)
        state = read_key_state(tx)
        if state is None or state.resealed:
            return ResealBatch(is_over=True)
        follow_plan(tx)
        progress = read_progress(tx)
        if progress is None or progress.revision != state.plan.revision:
            progress = _begin(tx, services, state)
        return _continue_batch(tx, services, state, progress, settle_seconds=settle_seconds)


def _begin(tx: Tx, services: Services, state: KeyState) -> ResealProgress:
    total = {
        sealed.name: int(
            tx.scalar(sa.select(sa.func.count()).select_from(sealed.table).where(_old_value(sealed, state)))
        )
        for sealed in SEALED
    }
    people = sa.select(sa.func.count()).select_from(t.person).where(_old_index(t.person.c.name_blind, state))
    total[INDEX_PART] = int(tx.scalar(people))
    progress = ResealProgress(
        revision=state.plan.revision, total=total, began_at=services.real.now().isoformat()
    )
    _note(tx, progress)
    return progress


def _continue_batch(
    tx: Tx, services: Services, state: KeyState, progress: ResealProgress, *, settle_seconds: float
) -> ResealBatch:
    if progress.part == len(PARTS):
        return _end(tx, services, state, progress, settled=_settled(tx, state, settle_seconds))
    name = PARTS[progress.part]
    if name != INDEX_PART:
        found = _reseal_values(tx, state, SEALED[progress.part - 1], progress.after)
    elif len(state.plan.index) > 1:
        found = _index_people(tx, state, progress.after)
    else:
        found = _Found()
    step = _add_found(progress, name, found)
    step = replace(step, after=found.after, part=progress.part + (found.after is None))
    _note(tx, step)
    return ResealBatch(rows=found.count, had_locks=name == INDEX_PART and found.count > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was done to some rows. `after`: the key of the last one; None: there are no more."""

    count: int = 0
    after: str | None = None
    unreadable: Sequence[str] = ()


def _add_found(progress: ResealProgress, name: str, found: _Found) -> ResealProgress:
    known = progress.unreadable.get(name, ())
    new = [key for key in found.unreadable if key not in known]
    return replace(
        progress,
        done={**progress.done, name: progress.done.get(name, 0) + found.count},
        unreadable={**progress.unreadable, name: [*known, *new]} if new else progress.unreadable,
    )


def _settled(tx: Tx, state: KeyState, seconds: float) -> bool:
    """Whether every process has read the plan since it changed, and no transaction from before that is open."""
    if state.since is None:
        return True
    changed, oldest = state.since + timedelta(seconds=seconds), oldest_transaction_since(tx)
    return database_time(tx) >= changed and (oldest is None or oldest >= changed)


def _end(
    tx: Tx, services: Services, state: KeyState, progress: ResealProgress, *, settled: bool
) -> ResealBatch:
    """Called after one pass over everything: checks every column for values that are left."""
    if not settled:
        return ResealBatch(waits=True)
    is_left = False
    if len(state.plan.index) > 1:
        found, is_left = _index_rest(tx, state, progress.unreadable.get(INDEX_PART, ()))
        progress = _add_found(progress, INDEX_PART, found)
    if is_left or any(_is_value_left(tx, sealed, state, progress) for sealed in SEALED):
        _note(tx, replace(progress, part=0, after=None, rounds=progress.rounds + 1))
        return ResealBatch(waits=True)
    locked = read_key_state(tx, lock=True)
    if locked is None or locked.plan.revision != state.plan.revision:
        return ResealBatch(waits=True)  # rotated since this batch began
    facts: dict[str, object] = {
        "encryption": state.plan.encryption,
        "index": state.plan.index[0],
        "rows": dict(progress.done),
    }
    OpenAct(tx, SERVICE, services.clock.now).audit("keys_resealed", "keys", facts=facts)
    plan = replace(state.plan, index=state.plan.index[:1])
    state = write_key_state(tx, replace(state, plan=plan, resealed=True, since=database_time(tx)))
    ended = replace(progress, revision=state.plan.revision, ended_at=services.real.now().isoformat())
    _note(tx, ended)
    return ResealBatch(is_over=True)


def _is_value_left(tx: Tx, sealed: SealedColumn, state: KeyState, progress: ResealProgress) -> bool:
    key = sa.cast(sealed.table.c[sealed.key], sa.Text)
    known = progress.unreadable.get(sealed.name, ())
    return _any_row(tx, sealed.table, sa.and_(_old_value(sealed, state), key.not_in(known)))


def _any_row(tx: Tx, table: sa.Table, condition: sa.ColumnElement[bool]) -> bool:
    return bool(tx.scalar(sa.select(sa.exists(sa.select(1).select_from(table).where(condition)))))


def _old_value(sealed: SealedColumn, state: KeyState) -> sa.ColumnElement[bool]:
    """The condition that a value is sealed with another key than the one in use."""
    column = sealed.table.c[sealed.column]
    return sa.and_(column.is_not(None), sa.func.substring(column, 2, 2) != _key_number(state.plan.encryption))


def _old_index(column: sa.ColumnElement[Any], state: KeyState) -> sa.ColumnElement[bool]:
    """The condition that a blind index was made with another key than the one in use."""
    return sa.and_(
        column.is_not(None),
        sa.or_(
            sa.func.octet_length(column) != _INDEX_BYTES,
            sa.func.substring(column, 1, _MARK_BYTES) != _key_number(state.plan.index[0]),
        ),
    )


def _key_number(key_id: int) -> bytes:
    return key_id.to_bytes(_MARK_BYTES, "big")


def uses_of_key(tx: Tx, key_id: int, *, is_index: bool) -> dict[str, int]:
    """How many values of each column use this key now; columns without any are left out. Reads every row."""
    found: dict[str, int] = {}
    if is_index:
        for table, name in INDEXES:
            found[f"{table.name}.{name}"] = _count(tx, table, _made_with(table.c[name], key_id))
    else:
        for sealed in SEALED:
            head = sa.func.substring(sealed.table.c[sealed.column], 2, 2)
            found[sealed.name] = _count(tx, sealed.table, head == _key_number(key_id))
        a = t.audit.c
        keys = (
            sa.func.substring(column, 2, 2) == _key_number(key_id)
            for column in (a.why_sealed, a.seal, a.chain)
        )
        found[AUDIT_LINES] = _count(tx, t.audit, sa.or_(*keys))
    return {name: count for name, count in found.items() if count}


def needs_key(tx: Tx, key_id: int, *, is_index: bool) -> bool:
    """Whether some value can be read with this key; a value that uses it and cannot be read does not need it."""
    if is_index:
        people = sa.union(
            *(
                sa.select(table.c[key]).where(_made_with(table.c[name], key_id))
                for table, name, key in _OF_PERSONS
            )
        ).subquery()
        rows = stream(
            tx, sa.select(t.person.c.id, t.person.c.sealed).join(people, people.c[0] == t.person.c.id)
        )
        lives = _any_row(tx, t.live_number, _made_with(t.live_number.c.phone_blind, key_id))
        return lives or _any_opens(tx, SEALED[0], rows)
    for sealed in SEALED:
        c = sealed.table.c
        head = sa.func.substring(c[sealed.column], 2, 2) == _key_number(key_id)
        rows = stream(
            tx, sa.select(c[sealed.key], c[sealed.column], *(c[name] for name in sealed.needs)).where(head)
        )
        if _any_opens(tx, sealed, rows):
            return True
    return False


def _any_opens(tx: Tx, sealed: SealedColumn, rows: Iterable[Row]) -> bool:
    found = False
    for row in rows:  # to the end, so that the server's cursor is closed
        found = found or _opens(tx, sealed, row)
    return found


def _opens(tx: Tx, sealed: SealedColumn, row: Row) -> bool:
    try:
        tx.vault.open(row[sealed.column], table=sealed.table.name, column=sealed.column, row=sealed.row(row))
    except (Tampered, KeyMissing):
        return False
    return True


def _made_with(column: sa.ColumnElement[Any], key_id: int) -> sa.ColumnElement[bool]:
    """The condition that a blind index was made with this key."""
    is_marked = sa.func.octet_length(column) == _INDEX_BYTES
    if key_id == BARE_INDEX_ID:
        return sa.and_(column.is_not(None), ~is_marked)
    return sa.and_(is_marked, sa.func.substring(column, 1, _MARK_BYTES) == _key_number(key_id))


_OF_PERSONS: Final = (
    (t.person, "name_blind", "id"),
    (t.person, "id_number_blind", "id"),
    (t.person_key, "name_phone_blind", "person_id"),
    (t.person_phone, "phone_blind", "person_id"),
    (t.person_phone, "last4_blind", "person_id"),
)

AUDIT_LINES: Final = "audit"
"""The name of the lines of the audit among the columns that use a key."""


def _count(tx: Tx, table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(condition)))


def _reseal_values(tx: Tx, state: KeyState, sealed_column: SealedColumn, after: str | None) -> _Found:
    """Skips rows that another transaction has locked, so that neither waits for the other."""
    c = sealed_column.table.c
    key, column = c[sealed_column.key], c[sealed_column.column]
    statement = (
        sa.select(key, column, *(c[name] for name in sealed_column.needs))
        .where(_old_value(sealed_column, state))
        .order_by(key)
        .limit(sealed_column.at_once)
        .with_for_update(key_share=True, skip_locked=True)
    )
    if after is not None:
        # Of several values under one key, those already done are no longer old.
        start = sa.cast(sa.literal(after, sa.Text), key.type)
        statement = statement.where(key >= start if sealed_column.key in _SEVERAL else key > start)
    rows = tx.rows(statement)
    given: list[dict[str, Any]] = []
    unreadable = []
    place = {"table": sealed_column.table.name, "column": sealed_column.column}
    for row in rows:
        try:
            sealed = tx.vault.reseal(row[sealed_column.column], **place, row=sealed_column.row(row))
        except (Tampered, KeyMissing) as fault:
            _log.error("%s", fault)
            unreadable.append(str(row[sealed_column.key]))
        else:
            before = bytes(row[sealed_column.column])[:_SEALING_BYTES]
            given.append({"key": str(row[sealed_column.key]), "before": before, "sealed": sealed})
    update = (
        sa.update(sealed_column.table)
        .where(
            key == sa.cast(_RESEALED.c.key, key.type),
            sa.func.substring(column, 1, _SEALING_BYTES) == _RESEALED.c.before,
        )
        .values({sealed_column.column: _RESEALED.c.sealed})
    )
    if given:
        tx.execute(update, _RESEALED.given(given))
    last = str(rows[-1][sealed_column.key]) if len(rows) == sealed_column.at_once else None
    if last == after and not given:
        last = None  # a file of many parts, of which none opens
    return _Found(count=len(given), after=last, unreadable=unreadable)


_RESEALED = RowSet("given", {"key": sa.Text(), "before": sa.LargeBinary(), "sealed": sa.LargeBinary()})


def _index_people(tx: Tx, state: KeyState, after: str | None) -> _Found:
    p = t.person.c
    statement = (
        sa.select(p.id)
        .where(_old_index(p.name_blind, state), p.id > int(after or 0))
        .order_by(p.id)
        .limit(_PEOPLE)
    )
    ids = [row["id"] for row in tx.rows(statement)]
    if not ids:
        return _Found()
    found = _index(tx, ids)
    return replace(found, after=str(ids[-1]) if len(ids) == _PEOPLE else None)


def _index_rest(tx: Tx, state: KeyState, unreadable: Sequence[str]) -> tuple[_Found, bool]:
    """Indexes what a pass by person does not reach, some of it at a time; also returns whether anything is left."""
    phone, key = t.person_phone.c, t.person_key.c
    of_numbers = sa.select(phone.person_id).where(
        sa.or_(_old_index(phone.phone_blind, state), _old_index(phone.last4_blind, state))
    )
    of_keys = sa.select(key.person_id).where(_old_index(key.name_phone_blind, state))
    of_people = sa.select(t.person.c.id).where(
        sa.or_(_old_index(t.person.c.name_blind, state), _old_index(t.person.c.id_number_blind, state))
    )
    each = sa.union(of_people, of_numbers, of_keys).subquery()
    left = sa.select(each.c[0]).where(each.c[0].not_in([int(key) for key in unreadable])).limit(_PEOPLE)
    ids = sorted(row[0] for row in tx.execute(left))
    if ids:
        return _index(tx, ids), True
    # The rests of numbers that nobody has any more: after a call, and of lists that wait for the names on one.
    waiting = t.list_load.c.number_blind
    tx.execute(sa.update(t.list_load).where(_old_index(waiting, state)).values(number_blind=None))
    live = t.live_number.c
    is_old = _old_index(live.phone_blind, state)
    tx.execute(sa.delete(t.live_number).where(is_old, live.attempt_id.is_(None)))
    return _Found(), _any_row(tx, t.live_number, is_old)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The indexes of one person: each number and key as it may be stored, and its new value."""

    person: dict[str, Any]
    phones: list[dict[str, Any]]
    keys: list[dict[str, Any]]


def _index(tx: Tx, ids: Sequence[int]) -> _Found:
    """Indexes these people anew, except those with a number that a call holds."""
    lock_arrivals(tx)
    lock_line_group(tx)
    rows = tx.rows(sa.select(t.person.c.id, t.person.c.sealed).where(t.person.c.id.in_(ids)))
    names = _names_of(tx, ids)
    entries, unreadable = [], []
    for row in rows:
        try:
            entries.append(_entry(tx, row["id"], row["sealed"], names.get(row["id"], ())))
        except (Tampered, KeyMissing) as fault:
            _log.error("%s", fault)
            unreadable.append(str(row["id"]))
    old = {bytes(phone["before"]) for entry in entries for phone in entry.phones}
    held = {
        bytes(row["phone_blind"])
        for row in tx.rows(
            sa.select(t.live_number.c.phone_blind).where(
                t.live_number.c.phone_blind.in_(old), t.live_number.c.attempt_id.is_not(None)
            )
        )
    }
    free = [entry for entry in entries if not held & {phone["before"] for phone in entry.phones}]
    if not free:
        return _Found(unreadable=unreadable)
    phones = {phone["before"]: phone for entry in free for phone in entry.phones}
    keys = {key["before"]: key for entry in free for key in entry.keys}
    if phones:
        given = _NUMBERS.given([phones[before] for before in sorted(phones)])
        tx.execute(_INDEX_PHONES, given)
        tx.execute(_INDEX_RESTS, given)
        tx.execute(_INDEX_CARRIER_CALLS, given)
        tx.execute(_INDEX_WAITING_NAMES, given)
    if keys:
        tx.execute(_INDEX_KEYS, _KEYS.given([keys[before] for before in sorted(keys)]))
    tx.execute(_INDEX_PEOPLE, _PERSONS.given([entry.person for entry in free]))
    return _Found(count=len(free), unreadable=unreadable)


def _names_of(tx: Tx, ids: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
    """Name and phone of every warning of these people: a warning may give another name than the person's own row."""
    w = t.warning.c
    statement = (
        sa.select(w.id, w.sealed, t.case.c.person_id)
        .join(t.case, t.case.c.id == w.case_id)
        .where(t.case.c.person_id.in_(ids))
    )
    found: dict[int, set[tuple[str, str]]] = {}
    for row in tx.rows(statement):
        try:
            record = tx.vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
        except (Tampered, KeyMissing):
            continue  # noted when it is sealed again
        pairs = found.setdefault(row["person_id"], set())
        pairs.update((record["name"], phone) for phone in record.get("phones", ()))
    return found


def _entry(tx: Tx, person_id: int, sealed: bytes, names: Iterable[tuple[str, str]]) -> _Entry:
    blinds = tx.vault.blinds
    person = open_person(tx, person_id=person_id, sealed=sealed)

    def changed(value: str, kind: BlindKind) -> tuple[bytes, tuple[bytes, ...]]:
        new, *before = blinds(value, kind=kind)
        return new, tuple(before)

    phones, keys = [], []
    for phone in person.phones:
        new, before = changed(phone, BlindKind.PHONE)
        last4 = blinds(phone[-4:], kind=BlindKind.PHONE_LAST4)[0]
        phones += [{"before": blind, "phone_blind": new, "last4_blind": last4} for blind in before]
    pairs = {(person.name, phone) for phone in person.phones} | set(names)
    for name, phone in sorted(pairs):
        if name:
            new, before = changed(f"{name}\0{phone}", BlindKind.NAME_PHONE)
            keys += [{"before": blind, "name_phone_blind": new} for blind in before]
    number = blinds(person.id_number, kind=BlindKind.ID_NUMBER)[0] if person.id_number else None
    row = {
        "id": person_id,
        "name_blind": blinds(person.name, kind=BlindKind.NAME)[0],
        "id_number_blind": number,
    }
    return _Entry(person=row, phones=phones, keys=keys)


_NUMBERS = RowSet(
    "given",
    {"before": sa.LargeBinary(), "phone_blind": sa.LargeBinary(), "last4_blind": sa.LargeBinary()},
)
_INDEX_PHONES = (
    sa.update(t.person_phone)
    .where(t.person_phone.c.phone_blind == _NUMBERS.c.before)
    .values(phone_blind=_NUMBERS.c.phone_blind, last4_blind=_NUMBERS.c.last4_blind)
)
_INDEX_RESTS = (
    sa.update(t.live_number)
    .where(t.live_number.c.phone_blind == _NUMBERS.c.before, t.live_number.c.attempt_id.is_(None))
    .values(phone_blind=_NUMBERS.c.phone_blind)
)
_INDEX_CARRIER_CALLS = (
    sa.update(t.carrier_call)
    .where(t.carrier_call.c.phone_blind == _NUMBERS.c.before)
    .values(phone_blind=_NUMBERS.c.phone_blind)
)
"""Calls that the comparison after a restore found, which wait for their lists."""
_INDEX_WAITING_NAMES = (
    sa.update(t.list_load)
    .where(t.list_load.c.number_blind == _NUMBERS.c.before)
    .values(number_blind=_NUMBERS.c.phone_blind)
)
"""Lists of the warnings that wait for the names on one number."""
_KEYS = RowSet("given", {"before": sa.LargeBinary(), "name_phone_blind": sa.LargeBinary()})
_INDEX_KEYS = (
    sa.update(t.person_key)
    .where(t.person_key.c.name_phone_blind == _KEYS.c.before)
    .values(name_phone_blind=_KEYS.c.name_phone_blind)
)
_PERSONS = RowSet.of(t.person, ("id", "name_blind", "id_number_blind"))
_INDEX_PEOPLE = (
    sa.update(t.person)
    .where(t.person.c.id == _PERSONS.c.id)
    .values(
        name_blind=_PERSONS.c.name_blind,
        # A person without a blind index of an id number keeps none: the number was not valid.
        id_number_blind=sa.case(
            (t.person.c.id_number_blind.is_(None), sa.null()), else_=_PERSONS.c.id_number_blind
        ),
    )
)
