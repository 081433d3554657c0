"""The state of the whole database: the settings that it belongs to, whether it is a drill, its clock, the heartbeats of
processes, and whether anything is due. An idle service asks the last question every second, so it is one statement
whose every part is a single index lookup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.attempt import AttemptState
from dialer.core.case import AssignmentState
from dialer.core.errors import Refusal
from dialer.core.notifications import NotificationState
from dialer.core.text import Text
from dialer.core.values import MESSAGES_IN_DOUBT, MessageState
from dialer.db import tables as t
from dialer.db.bulk import in_words, moment, word_literal
from dialer.db.columns import LIVE
from dialer.db.unit_of_work import Tx, record_of

_DRILL = "drill"
_PRACTICE = "practice"
_IDENTITY = "identity"
TERMINAL_ACCOUNTS: Final = "console.terminal_accounts"
"""The setting that says which account a user of a machine has, as the database records it: user=login, with spaces."""
_RESTORED = "restored"
_KEYS_HELD = "keys"

ALIVE_SECONDS = 8.0
"""A process counts as alive while its last heartbeat is no older than this: four heartbeats, and longer than a killed
web process takes to restart.
"""
_ALIVE = timedelta(seconds=ALIVE_SECONDS)


def _meta(tx: Tx, key: str) -> Any:  # noqa: ANN401  # any JSON
    return tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == key))


Identity = Mapping[str, Sequence[str]]
"""The settings that a database belongs to: the values by the name of the setting; one common value is enough for a
match. A secret is represented by its fingerprint.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDifference:
    """A setting that differs between this process and the database."""

    setting: str
    recorded: str
    here: str


class OtherSettings(Refusal):
    """This process is configured for another line or centre than its database: it would call over the wrong line."""

    def __init__(self, differences: Sequence[SettingDifference]) -> None:
        super().__init__(
            Text(
                "this process has other settings than its database (here ≠ database): %(what)s. Correct them, or"
                " change those of the database on purpose with `dialer settings adopt`",
                what=", ".join(
                    f"{difference.setting} {difference.here} ≠ {difference.recorded}"
                    for difference in differences
                ),
            )
        )
        self.differences = tuple(differences)


def recorded_identity(tx: Tx) -> Identity | None:
    """The settings that the database belongs to; None before the first start of a process that makes calls or
    changes.
    """
    recorded: Identity | None = _meta(tx, _IDENTITY)
    return recorded


def recorded_terminal_accounts(tx: Tx) -> Mapping[str, str] | None:
    """The login of each user of a machine who has an account; None before a process of the service has started."""
    recorded = (recorded_identity(tx) or {}).get(TERMINAL_ACCOUNTS)
    if recorded is None:
        return None
    pairs = (pair.partition("=") for value in recorded for pair in value.split())
    return {user: login for user, sign, login in pairs if sign}


def identity_differences(recorded: Identity | None, here: Identity) -> tuple[SettingDifference, ...]:
    """The settings that differ, in the order of `here`. A setting that is not recorded does not differ."""
    return tuple(
        SettingDifference(setting=name, recorded=", ".join(recorded[name]), here=", ".join(values))
        for name, values in here.items()
        if recorded is not None and name in recorded and not set(values) & set(recorded[name])
    )


def record_identity(tx: Tx, identity: Identity) -> None:
    """Records that the database belongs to these settings; other recorded settings stay as they are."""
    recorded = recorded_identity(tx) or {}
    value = {**recorded, **{name: list(values) for name, values in identity.items()}}
    if value != recorded:
        _upsert(tx, t.meta, key="key", row={"key": _IDENTITY, "value": value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The restore that this database came from. All times are real. `compared_at`: when the carrier's calls since the
    backup were compared, or somebody decided to continue without; None: not yet, and no call may leave. `failover`: no
    backup was restored; the database went on at another server, or from an earlier moment of its own history, and
    `backup_at` is the newest call that it knew then.
    """

    backup_at: datetime
    restored_at: datetime
    compared_at: datetime | None = None
    failover: bool = False


def read_restored(tx: Tx) -> Restored | None:
    """The last restore; None if this database was never restored."""
    found = _meta(tx, _RESTORED)
    if found is None:
        return None
    moments = {name: datetime.fromisoformat(value) for name, value in found.items() if isinstance(value, str)}
    return Restored(**moments, failover=found.get("failover", False))


def write_restored(tx: Tx, restored: Restored) -> None:
    """Stores what `read_restored` returns from now on."""
    value: dict[str, object] = {
        "backup_at": restored.backup_at.isoformat(),
        "restored_at": restored.restored_at.isoformat(),
        "compared_at": restored.compared_at and restored.compared_at.isoformat(),
    }
    if restored.failover:  # The release before does not know it.
        value["failover"] = True
    _upsert(tx, t.meta, key="key", row={"key": _RESTORED, "value": value})


def awaited_comparison(tx: Tx) -> Restored | None:
    """The last restore, if the carrier's calls have not been compared since; None: no comparison is needed."""
    restored = read_restored(tx)
    return restored if restored is not None and restored.compared_at is None else None


def is_drill_database(tx: Tx) -> bool:
    """Whether the database is permanently marked as a drill."""
    return bool(_meta(tx, _DRILL))


def mark_drill_database(tx: Tx) -> None:
    """Marks the whole database as a drill, permanently."""
    tx.execute(insert(t.meta).values(key=_DRILL, value=True).on_conflict_do_nothing(index_elements=["key"]))


def is_practice_database(tx: Tx) -> bool:
    """Whether the database belongs to a service for practice, permanently; it is a drill too."""
    return bool(_meta(tx, _PRACTICE))


def mark_practice_database(tx: Tx) -> None:
    """Marks the whole database as one for practice and as a drill, permanently. Raises `RealRecords` if somebody was
    called over a real line.
    """
    refuse_real_records(tx)
    mark_drill_database(tx)
    tx.execute(
        insert(t.meta).values(key=_PRACTICE, value=True).on_conflict_do_nothing(index_elements=["key"])
    )


class RealRecords(Refusal):
    """Real people have been called from this database; simulated calls must not be counted among theirs."""

    def __init__(self) -> None:
        super().__init__(
            "this database holds calls to real people, and the simulated line calls nobody:"
            " set telephony.base_url to the real line, or use another data_dir for a drill"
        )


def refuse_real_records(tx: Tx) -> None:
    """Raises `RealRecords` if somebody was called over a real line."""
    called = sa.select(t.attempt.c.id).where(t.attempt.c.sent_at.is_not(None)).limit(1)
    if not is_drill_database(tx) and tx.scalar(called) is not None:
        raise RealRecords


def become_drill_database(tx: Tx) -> bool:
    """Marks a database from which nobody was ever called as a drill, with all its rows; False if it was one already.
    Raises `RealRecords` if somebody was called: simulated calls must never count as real.
    """
    if is_drill_database(tx):
        return False
    refuse_real_records(tx)
    mark_drill_database(tx)
    for table in (t.warning, t.case, t.attempt, t.assignment):
        tx.execute(sa.update(table).where(~table.c.drill).values(drill=True))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """Service time is `epoch` plus `speed` times the real seconds since `anchor_unix`."""

    anchor_unix: float
    epoch: datetime
    speed: float


def read_service_clock(tx: Tx) -> ClockRow | None:
    """The service clock of a demo or drill; None if the service uses the machine's clock."""
    row = tx.one(sa.select(t.service_clock))
    return None if row is None else record_of(ClockRow, row)


def write_service_clock(tx: Tx, clock: ClockRow) -> None:
    """Sets the clock of a demo or drill; there is one row."""
    _upsert(tx, t.service_clock, key="id", row={"id": 1} | asdict(clock))


def note_heartbeat(
    tx: Tx, *, process: str, kind: str, real_now: datetime, facts: Mapping[str, object]
) -> None:
    """Records that this process is alive, and which keys it has."""
    held = list(tx.vault.keys.held)
    row = {"process": process, "kind": kind, "at": real_now, "facts": {**facts, _KEYS_HELD: held}}
    _upsert(tx, t.heartbeat, key="process", row=row)


def _upsert(tx: Tx, table: sa.Table, *, key: str, row: dict[str, object]) -> None:
    tx.execute(insert(table).values(row).on_conflict_do_update(index_elements=[key], set_=row))


def end_heartbeat(tx: Tx, *, process: str) -> None:
    """Deletes the heartbeat of a process that has ended, so that it does not count as alive."""
    tx.execute(sa.delete(t.heartbeat).where(t.heartbeat.c.process == process))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The last sign of life of a process (real clock)."""

    process: str
    kind: str
    at: datetime
    facts: Mapping[str, object]


def living_processes(tx: Tx, *, real_now: datetime) -> list[Heartbeat]:
    """Processes with a heartbeat within `ALIVE_SECONDS`; parts of the cycle are left out."""
    h = t.heartbeat.c
    alive = (h.kind != PART, h.at >= real_now - _ALIVE)
    rows = tx.rows(sa.select(t.heartbeat).where(*alive).order_by(h.process))
    return [Heartbeat(**row) for row in rows]


def worker_runs(tx: Tx, queue: str, *, real_now: datetime) -> bool:
    """Whether a worker of this queue is alive."""
    h = t.heartbeat.c
    alive = sa.exists().where(
        h.kind == "worker", h.at >= real_now - _ALIVE, h.facts["queues"].contains([queue])
    )
    return bool(tx.scalar(sa.select(alive)))


def processes_without_keys(tx: Tx, key_ids: Iterable[int], *, real_now: datetime) -> list[str]:
    """The names of living processes that do not have all of these keys, or have not reported their keys."""
    h, wanted = t.heartbeat.c, sorted(key_ids)
    statement = sa.select(h.process).where(
        h.kind != PART,
        h.at >= real_now - _ALIVE,
        sa.func.coalesce(~h.facts[_KEYS_HELD].contains(wanted), sa.true()),
    )
    return [row["process"] for row in tx.rows(statement.order_by(h.process))]


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclePart:
    """The last completion of one part of the cycle. Both times are real."""

    at: datetime
    began_at: datetime
    facts: Mapping[str, object]


PART = "part"
"""The kind of the rows of parts of the cycle, which are no processes."""


def note_cycle_part(
    tx: Tx, name: str, *, began_at: datetime, real_now: datetime, facts: Mapping[str, object] | None = None
) -> None:
    """Records that this part of the cycle was completed."""
    held = {"began_at": began_at.isoformat(), **(facts or {})}
    note_heartbeat(tx, process=f"{PART}:{name}", kind=PART, real_now=real_now, facts=held)


def cycle_parts(tx: Tx) -> dict[str, CyclePart]:
    """The last completion of each part, by name."""
    rows = tx.rows(sa.select(t.heartbeat).where(t.heartbeat.c.kind == PART))
    return {
        row["process"].removeprefix(f"{PART}:"): CyclePart(
            at=row["at"], began_at=datetime.fromisoformat(row["facts"]["began_at"]), facts=row["facts"]
        )
        for row in rows
    }


def heartbeats(tx: Tx, *, kind: str) -> list[Heartbeat]:
    """The heartbeats of this kind that were not deleted when their process ended, the latest first."""
    rows = tx.rows(sa.select(t.heartbeat).where(t.heartbeat.c.kind == kind).order_by(t.heartbeat.c.at.desc()))
    return [Heartbeat(**row) for row in rows]


CLOCKS_APART = timedelta(seconds=5)
"""The clocks of two machines differ by less. A time that is further in the future than this was recorded before the
clock was set back: it is unknown how long ago.
"""


def delete_silent_processes(tx: Tx, *, before: datetime, real_now: datetime) -> None:
    """Deletes heartbeats that are older than `before` (real), and those from before the clock was set back: a living
    process sends its next one at once, and an ended one would seem alive.
    """
    h = t.heartbeat.c
    gone = sa.or_(h.at < before, h.at > real_now + CLOCKS_APART)
    tx.execute(sa.delete(t.heartbeat).where(h.kind != PART, gone))


_NOW = moment("now")
_IS_ANYTHING_DUE = sa.select(
    sa.or_(
        # An attempt can leave, is under way, or is due.
        sa.exists().where(t.attempt.c.state == word_literal(AttemptState.READY), ~t.attempt.c.held),
        sa.exists().select_from(t.attempt).where(sa.text(LIVE)),
        sa.exists().where(
            t.attempt.c.state == word_literal(AttemptState.PLANNED), t.attempt.c.not_before <= _NOW
        ),
        sa.exists().where(t.case.c.due_at <= _NOW),
        sa.exists().where(
            t.assignment.c.state == word_literal(AssignmentState.OPEN),
            t.assignment.c.escalated_at.is_(None),
            t.assignment.c.sign_by <= _NOW,
        ),
        sa.exists().where(t.hold.c.ended_at.is_(None), t.hold.c.until <= _NOW),
        sa.exists().where(t.message.c.state == word_literal(MessageState.PLANNED)),
        sa.exists().where(in_words(t.message.c.state, MESSAGES_IN_DOUBT)),
        sa.exists().where(
            t.notification.c.state == word_literal(NotificationState.WAITING),
            t.notification.c.due_at <= _NOW,
        ),
        sa.exists().where(t.notification.c.state == word_literal(NotificationState.SENDING)),
    )
)


UNCHECKED_OPENING = sa.and_(t.opening.c.verdict.is_(None), t.opening.c.result != "in_progress")
"""A condition: an opening from a file, or an existing account, that has no verdict yet."""


def is_opening_unchecked(tx: Tx) -> bool:
    """Whether an opening has no verdict yet."""
    return tx.scalar(sa.select(t.opening.c.id).where(UNCHECKED_OPENING).limit(1)) is not None


def delete_old_deliveries(tx: Tx, *, before: datetime) -> None:
    """Deletes the deliveries that were queued before this moment, including those that still wait, with the log of
    their tries.
    """
    tx.execute(sa.delete(t.webhook_delivery).where(t.webhook_delivery.c.queued_at < before))


def is_anything_due(tx: Tx, *, now: datetime) -> bool:
    """Whether an attempt, case, assignment, pause, message or notification waits for a worker at this moment."""
    return bool(tx.scalar(_IS_ANYTHING_DUE, {"now": now}))


STUCK_COMMIT_SECONDS: Final = 5.0
"""A commit that waits for its synchronous standby this long waits for one that is gone."""
_LONGEST_COMMIT: Final = sa.text(
    "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0) FROM pg_stat_activity"
    " WHERE wait_event = 'SyncRep' AND usename = current_user"
)


def longest_stuck_commit(tx: Tx) -> float:
    """For how many seconds the oldest commit of the service has waited for a synchronous standby."""
    return float(tx.scalar(_LONGEST_COMMIT) or 0.0)


def commit_without_standby(tx: Tx) -> None:
    """Lets the commit of this transaction return when this server has it on its disk."""
    tx.execute(sa.text("SET LOCAL synchronous_commit = local"))
