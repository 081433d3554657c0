"""Rows of signals and of the robot's state. A signal is sealed, except for the columns by which it is found.

One transaction at a time writes signals, so `seq` follows the order of the commits: a reader that has seen a number has
seen all signals below it, and never misses one that is committed later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final, get_args, get_type_hints

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.db import tables as t
from dialer.db.bulk import CopyIn, RowSet
from dialer.db.jobs import DATABASE_CLOCK, JobClaim, JobTable
from dialer.db.tables.signals import SIGNAL_DAYS
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import Vault
from dialer.signals.model import Item, ItemKind, Signal, SignalKind, SignalReading

SHARDS: Final = 8
"""The number of parts of the robot's state, by the hash of the person. The shard is stored with each signal, so the
number never changes.
"""
EVERY_SHARD: Final = -1
_LOCK: Final = 0x7369676E
_DAY_SECONDS: Final = 86_400
_ENVELOPE: Final = frozenset({"source", "signal_no", "kind", "event_at", "received_at", "person", "items"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSignal:
    """A signal with its place in the order of arrival, and the personal values that a warning is made of."""

    seq: int
    shard: int
    signal: Signal
    phone: str
    id_number: str
    items: Mapping[ItemKind, str]


class SignalCodec:
    """Computes keyed hashes of persons and items, and seals and opens signals. The secret of the hashes is never
    rotated: the hashes are deleted with the signals.
    """

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        key = vault.derived(b"signals")
        self._person = hashlib.blake2b(key=key, digest_size=16, person=b"person")
        self._item = hashlib.blake2b(key=key, digest_size=16, person=b"item")

    def person(self, phone: str, id_number: str) -> bytes:
        """The hash of the phone, which most sources know; of the id number if there is no phone."""
        digest = self._person.copy()
        digest.update((f"p{phone}" if phone else f"i{id_number}").encode())
        return digest.digest()

    def item(self, kind: ItemKind, value: str) -> bytes:
        """The hash of an item in its plain form."""
        digest = self._item.copy()
        digest.update(f"{kind.value}\0{value}".encode())
        return digest.digest()

    def seal(self, reading: SignalReading) -> bytes:
        """Seals everything except the envelope, for the row of its source and number."""
        signal = reading.signal
        facts = {name: value for name, default in _facts() if (value := getattr(signal, name)) != default}
        record = {
            "phone": reading.phone,
            "id_number": reading.id_number,
            "items": {kind.value: value for kind, value in reading.items.items()},
            "facts": facts,
        }
        place = signal_place(signal.source, signal.signal_no)
        return self.vault.seal_record(record, table="signal", column="sealed", row=place)

    def open(self, row: Row) -> StoredSignal:
        """Opens a row. Raises `Tampered` and `KeyMissing`."""
        source, number = row["source"], row["signal_no"]
        place = signal_place(source, number)
        record = self.vault.open_record(row["sealed"], table="signal", column="sealed", row=place)
        plain = {ItemKind(kind): value for kind, value in record.get("items", {}).items()}
        kinds = _kinds()
        facts: dict[str, Any] = {
            name: kinds[name](value) if name in kinds else value
            for name, value in record.get("facts", {}).items()
        }
        person = row["person_hash"]
        return StoredSignal(
            seq=row["seq"],
            shard=row["shard"],
            signal=Signal(
                source=source,
                signal_no=number,
                kind=SignalKind(row["kind"]),
                event_at=row["event_at"],
                received_at=row["received_at"],
                person=None if person is None else bytes(person),
                items=tuple(Item(kind, self.item(kind, value)) for kind, value in plain.items()),
                **facts,
            ),
            phone=record.get("phone", ""),
            id_number=record.get("id_number", ""),
            items=plain,
        )


@cache
def _facts() -> tuple[tuple[str, object], ...]:
    """The names and defaults of the fields outside the envelope."""
    return tuple((field.name, field.default) for field in fields(Signal) if field.name not in _ENVELOPE)


@cache
def _kinds() -> Mapping[str, type[StrEnum]]:
    """The fields outside the envelope that are enumerations, with their classes."""
    hints = get_type_hints(Signal)
    return {
        name: kind
        for name, _ in _facts()
        for kind in (hints[name], *get_args(hints[name]))
        if isinstance(kind, type) and issubclass(kind, StrEnum)
    }


def signal_place(source: str, signal_no: str) -> str:
    """The row name to which the seal of a signal is bound."""
    return f"{source}/{signal_no}"


def shard_of(person: bytes | None) -> int:
    """The shard that a person belongs to; `EVERY_SHARD` for a change of a list, which has no person."""
    return EVERY_SHARD if person is None else person[0] % SHARDS


def slot_of(moment: datetime) -> int:
    """The number of the partition for a day of arrival, in UTC."""
    return int(moment.timestamp() // _DAY_SECONDS) % SIGNAL_DAYS


_KEYS = RowSet.of(t.signal, ("source", "signal_no"))
_IS_GIVEN = sa.and_(t.signal.c.source == _KEYS.c.source, t.signal.c.signal_no == _KEYS.c.signal_no)
_KNOWN = sa.select(t.signal.c.source, t.signal.c.signal_no).join(_KEYS.clause, _IS_GIVEN)
_COPY = CopyIn(
    t.signal,
    (
        "seq", "slot", "shard", "kind", "source", "signal_no", "event_at", "received_at", "person_hash", "sealed",
    ),
)  # fmt: skip


def lock_signals(tx: Tx) -> None:
    """Lets this transaction alone write signals until it ends."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _given(keys: Iterable[tuple[str, str]]) -> dict[str, str]:
    return _KEYS.given([{"source": source, "signal_no": number} for source, number in keys])


def known_signals(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (source, number) are stored, whatever the day. Call `lock_signals` first."""
    return {(row[0], row[1]) for row in tx.execute(_KNOWN, _given(keys))}


def write_signals(tx: Tx, readings: Sequence[tuple[SignalReading, bytes]]) -> int:
    """Stores readings with their sealed values; returns the last number. Call `lock_signals` first."""
    numbers = tx.execute(
        sa.text("SELECT nextval('signal_seq') FROM generate_series(1, :n)"), {"n": len(readings)}
    ).scalars()
    rows = []
    minutes: dict[tuple[str, datetime], int] = {}
    seq = 0
    for (reading, sealed), number in zip(readings, numbers, strict=True):
        seq, signal = int(number), reading.signal
        at = signal.received_at
        rows.append(
            (
                seq, slot_of(at), shard_of(signal.person), signal.kind.value, signal.source, signal.signal_no,
                signal.event_at, at, signal.person, sealed,
            )
        )  # fmt: skip
        minute = (signal.source, at.replace(second=0, microsecond=0))
        minutes[minute] = minutes.get(minute, 0) + 1
    _COPY.write(tx, rows)
    statement = insert(t.signal_minute).values(
        [{"source": source, "at": at, "n": n} for (source, at), n in sorted(minutes.items())]
    )
    more = {"n": t.signal_minute.c.n + statement.excluded.n}
    tx.execute(statement.on_conflict_do_update(index_elements=["source", "at"], set_=more))
    return seq


def is_behind(tx: Tx) -> bool:
    """Whether a signal is stored that its shard has not evaluated."""
    s, shard = t.signal.c, t.robot_shard.c
    seqs = {row["shard"]: row["seq"] for row in tx.rows(sa.select(shard.shard, shard.seq))}
    done = min(seqs.values(), default=0)
    for row in tx.rows(
        sa.select(s.shard, sa.func.max(s.seq).label("seq")).where(s.seq > done).group_by(s.shard)
    ):
        if row["seq"] > seqs.get(row["shard"], done):
            return True
    return False


_READ = (
    sa.select(t.signal)
    .where(
        t.signal.c.seq > sa.bindparam("after", type_=sa.BigInteger),
        t.signal.c.shard == sa.any_(sa.bindparam("shards", type_=sa.ARRAY(sa.SmallInteger))),
    )
    .order_by(t.signal.c.seq)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


def read_signals(tx: Tx, *, after: int, shards: Collection[int], limit: int) -> list[Row]:
    """Rows of these shards and of every shard, after the number `after`, in the order of arrival, for
    `SignalCodec.open`.
    """
    return tx.rows(_READ, {"after": after, "shards": sorted({*shards, EVERY_SHARD}), "limit": limit})


def read_period(tx: Tx, *, after: int, start: datetime, end: datetime, limit: int) -> list[Row]:
    """Rows that arrived from `start` to before `end`, after the number `after`, in the order of arrival."""
    c = t.signal.c
    where = (c.seq > after, c.received_at >= start, c.received_at < end)
    return tx.rows(sa.select(t.signal).where(*where).order_by(c.seq).limit(limit))


def start_of_newest(tx: Tx, most: int, *, since: datetime, until: datetime) -> datetime:
    """The minute since which at most this many signals have arrived by `until`; not before `since`."""
    m = t.signal_minute.c
    so_far = sa.func.sum(sa.func.sum(m.n)).over(order_by=m.at.desc())
    minutes = sa.select(m.at, so_far.label("n")).where(m.at >= since, m.at < until).group_by(m.at).subquery()
    last_left_out = tx.scalar(sa.select(sa.func.max(minutes.c.at)).where(minutes.c.n > most))
    return since if last_left_out is None else min(last_left_out + timedelta(minutes=1), until)


def delete_old_signals(tx: Tx, *, before: datetime) -> int:
    """Empties the partitions of the days that ended by `before`; returns how many."""
    end = datetime.fromtimestamp(before.timestamp() // _DAY_SECONDS * _DAY_SECONDS, UTC)
    empty = sa.text("SELECT empty_signal_day(:slot, :before)")
    emptied = sum(bool(tx.scalar(empty, {"slot": slot, "before": end})) for slot in range(SIGNAL_DAYS))
    tx.execute(sa.delete(t.signal_minute).where(t.signal_minute.c.at < end))
    return emptied


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A shard that this process has taken, and how far it is evaluated: up to the signal `seq`."""

    shard: int
    seq: int
    claim: JobClaim


_SHARDS: Final = JobTable(kind="shard", waits=sa.true(), due=t.robot_shard.c.until, unset_is_due=True)


def take_shards(tx: Tx, *, holder: str, gone: Sequence[str], most: int, seconds: float) -> list[Shard]:
    """Takes up to `most` shards that nobody holds, or that a process in `gone` holds, for `seconds`."""
    if most <= 0:
        return []
    rows = [{"shard": shard} for shard in range(SHARDS)]
    tx.execute(insert(t.robot_shard).values(rows).on_conflict_do_nothing(index_elements=["shard"]))
    c = t.robot_shard.c
    taken = _SHARDS.take(
        tx,
        real_now=DATABASE_CLOCK,
        lease=timedelta(seconds=seconds),
        limit=most,
        order=c.shard,
        or_if=c.holder.in_(["", *gone]),
        returning=[c.seq],
        holder=holder,
    )
    shards = [Shard(shard=row["shard"], seq=row["seq"], claim=_SHARDS.claim_of(row)) for row in taken]
    return sorted(shards, key=lambda shard: shard.shard)


def renew_shards(tx: Tx, claims: Iterable[JobClaim], *, holder: str, seconds: float) -> set[int]:
    """Renews, for `seconds` from now, those of these shards that this process still holds; returns them, locked until
    the transaction ends. Nothing may be written for any other shard.
    """
    # A process of the previous release takes a shard without a new token.
    is_ours = t.robot_shard.c.holder == holder
    return _SHARDS.renew_all(tx, claims, is_ours, until=DATABASE_CLOCK + timedelta(seconds=seconds))


def release_shards(tx: Tx, claims: Collection[JobClaim], *, holder: str) -> None:
    """Releases those of these shards that this process still holds: another process can take them at once."""
    held = renew_shards(tx, claims, holder=holder, seconds=0.0)
    for claim in claims:
        if claim.key in held:
            _SHARDS.hand_back(tx, claim, due=None, holder="")


def shard_holders(tx: Tx) -> list[str]:
    """The processes that hold a shard."""
    holder = t.robot_shard.c.holder
    return list(tx.execute(sa.select(holder).where(holder != "").distinct()).scalars())


def advance_shards(tx: Tx, shards: Collection[int], *, seq: int, rules_hash: str, now: datetime) -> None:
    """Records that these shards have evaluated everything up to `seq`."""
    c = t.robot_shard.c
    tx.execute(
        sa.update(t.robot_shard)
        .where(c.shard.in_(shards), c.seq < seq)
        .values(seq=seq, rules_hash=rules_hash, at=now)
    )


_PART_BYTES: Final = 1 << 20


def snapshot_place(shard: int, part: int, seq: int) -> str:
    """The row name to which the seal of a part of a snapshot is bound."""
    return f"{shard}/{part}/{seq}"


def write_snapshot(
    tx: Tx,
    shard: int,
    content: bytes,
    *,
    seq: int,
    rules_hash: str,
    fingerprint: str,
    persons: int,
    too_late: int,
    now: datetime,
) -> None:
    """Stores the state of a shard after all signals up to `seq`, in place of the snapshot before."""
    tx.execute(sa.delete(t.robot_snapshot).where(t.robot_snapshot.c.shard == shard))
    for part, at in enumerate(range(0, max(1, len(content)), _PART_BYTES)):
        place = snapshot_place(shard, part, seq)
        piece = tx.vault.seal(
            content[at : at + _PART_BYTES], table="robot_snapshot", column="sealed", row=place
        )
        row = {"shard": shard, "part": part, "seq": seq, "rules_hash": rules_hash, "at": now, "sealed": piece}
        tx.execute(sa.insert(t.robot_snapshot).values(row))
    figures = {"fingerprint": fingerprint, "persons": persons, "too_late": too_late}
    tx.execute(sa.update(t.robot_shard).where(t.robot_shard.c.shard == shard).values(figures))


def read_snapshot(tx: Tx, shard: int) -> tuple[int, bytes] | None:
    """The newest snapshot, as its `seq` and the state; None if there is none."""
    c = t.robot_snapshot.c
    rows = tx.rows(sa.select(t.robot_snapshot).where(c.shard == shard).order_by(c.part))
    pieces = []
    for row in rows:
        place = snapshot_place(shard, row["part"], row["seq"])
        pieces.append(tx.vault.open(row["sealed"], table="robot_snapshot", column="sealed", row=place))
    return (rows[0]["seq"], b"".join(pieces)) if rows else None


def signal_rows(tx: Tx, keys: Iterable[tuple[str, str]]) -> list[Row]:
    """The rows of these (source, number) that are still stored, for `SignalCodec.open`."""
    return tx.rows(sa.select(t.signal).join(_KEYS.clause, _IS_GIVEN), _given(keys))
