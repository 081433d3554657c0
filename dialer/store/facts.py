"""Facts about the whole database: whose keys it is sealed with, whether it is a drill, its clock, who is alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.errors import Refusal
from dialer.store import tables as t
from dialer.store.keys import Keys, agrees, fingerprint
from dialer.store.unit_of_work import Tx

_FINGERPRINT = "keys_fingerprint"
_DRILL = "drill"


class WrongKeys(Refusal):
    """This database was sealed with other keys; going on would make rows that nobody can read."""

    def __init__(self) -> None:
        super().__init__(
            "the keys file is not the one this database was made with: set DIALER_KEYS__FILE to the right one"
        )


def check_keys(tx: Tx, keys: Keys) -> None:
    """The database belongs to these keys from its first start on; new ones may join. Raises `WrongKeys`."""
    held = fingerprint(keys)
    tx.execute(
        insert(t.meta).values(key=_FINGERPRINT, value=held).on_conflict_do_nothing(index_elements=["key"])
    )
    stored = tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == _FINGERPRINT))
    if not agrees(stored=stored, keys=keys):
        raise WrongKeys
    if stored != held:
        tx.execute(sa.update(t.meta).where(t.meta.c.key == _FINGERPRINT).values(value=held))


def is_drill(tx: Tx) -> bool:
    return bool(tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == _DRILL)))


def mark_drill(tx: Tx) -> None:
    """Everything in this database is a drill, for good."""
    tx.execute(insert(t.meta).values(key=_DRILL, value=True).on_conflict_do_nothing(index_elements=["key"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """Service time is `epoch` plus `speed` times the real seconds since `anchor_unix`."""

    anchor_unix: float
    epoch: datetime
    speed: float


def read_clock(tx: Tx) -> ClockRow | None:
    """None: the service clock is the machine's."""
    row = tx.one(sa.select(t.service_clock))
    return (
        None if row is None else ClockRow(**{name: row[name] for name in ("anchor_unix", "epoch", "speed")})
    )


def write_clock(tx: Tx, clock: ClockRow) -> None:
    values = {"anchor_unix": clock.anchor_unix, "epoch": clock.epoch, "speed": clock.speed}
    tx.execute(
        insert(t.service_clock)
        .values(id=1, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


def beat(tx: Tx, *, process: str, kind: str, real_now: datetime, facts: Mapping[str, object]) -> None:
    """This process is alive."""
    values = {"kind": kind, "at": real_now, "facts": dict(facts)}
    tx.execute(
        insert(t.heartbeat)
        .values(process=process, **values)
        .on_conflict_do_update(index_elements=["process"], set_=values)
    )


def stop_beating(tx: Tx, *, process: str) -> None:
    tx.execute(sa.delete(t.heartbeat).where(t.heartbeat.c.process == process))


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    process: str
    kind: str
    at: datetime
    facts: Mapping[str, object]


def alive(tx: Tx, *, since: datetime) -> list[Beat]:
    """Processes that have beaten since then (real)."""
    rows = tx.rows(sa.select(t.heartbeat).where(t.heartbeat.c.at >= since).order_by(t.heartbeat.c.process))
    return [Beat(**row) for row in rows]
