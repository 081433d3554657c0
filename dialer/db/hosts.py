"""Faults that look like others: hosts of which no process reports while those of others do, and commits that wait for a
standby. One cause makes one alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.system_state import ALIVE_SECONDS, PART, STUCK_COMMIT_SECONDS, longest_stuck_commit
from dialer.db.unit_of_work import Tx

_SILENT: Final = timedelta(seconds=15)
"""Longer than a killed process needs to start again, and than clocks of two machines may differ."""
_LATELY: Final = timedelta(minutes=3)
"""A host that fell silent longer ago explains nothing of what happens now, and is no news."""
_ALIVE: Final = timedelta(seconds=ALIVE_SECONDS)
_SEEMS_SILENT: Final = timedelta(seconds=5)
"""Two heartbeats and a half: a host that stopped before a webhook was missed (six seconds) seems silent by then."""
_NEEDED: Final = frozenset({"web", "worker"})
"""Without a process of each of these kinds no call leaves."""
_HOSTS = (
    sa.select(
        sa.func.split_part(t.heartbeat.c.process, ":", 2).label("host"),
        sa.func.max(t.heartbeat.c.at).label("at"),
        sa.func.array_agg(sa.distinct(t.heartbeat.c.kind)).label("kinds"),
    )
    .where(t.heartbeat.c.kind != PART)
    .group_by(sa.text("1"))
    .order_by(sa.text("1"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentHost:
    """A host whose processes did not end, and do not report. `at`: the last heartbeat of any of them (real clock)."""

    name: str
    at: datetime
    kinds: Sequence[str]
    """What ran on it."""
    missing: Sequence[str]
    """Those of `kinds` that no host that reports has."""


def silent_hosts(tx: Tx, *, real_now: datetime, after: timedelta = _SILENT) -> list[SilentHost]:
    """The hosts that fell silent within the last minutes; none if no other host reports, for then the fault is not
    one of theirs.
    """
    rows = tx.rows(_HOSTS)
    reporting = {kind for row in rows if row["at"] >= real_now - _ALIVE for kind in row["kinds"]}
    if not reporting:
        return []
    return [
        SilentHost(
            name=row["host"],
            at=row["at"],
            kinds=sorted(row["kinds"]),
            missing=sorted(set(row["kinds"]) - reporting),
        )
        for row in rows
        if real_now - _LATELY <= row["at"] < real_now - after
    ]


def raise_alarm_of_hosts(tx: Tx, hosts: Sequence[SilentHost], *, now: datetime) -> None:
    """Raises the alarm for these hosts, unless one about them is open."""
    if not hosts:
        return
    last = max(hosts, key=lambda host: host.at)
    problem = Text(
        gettext_noop("host %(host)s does not answer: its last heartbeat was at %(at)s; on it ran %(kinds)s"),
        host=last.name,
        at=f"{last.at:%H:%M:%S} UTC",
        kinds=", ".join(last.kinds),
    )
    fix = Text(
        gettext_noop(
            "see whether the machine runs and reaches the database; calls go on by the other hosts, and it joins"
            " by itself"
        )
    )
    needed = sorted(_NEEDED.intersection(*(host.missing for host in hosts)))
    if needed:
        fix = Text(
            gettext_noop(
                "no call leaves: no other host runs %(kinds)s. Start it on another one, or see whether the machine"
                " runs and reaches the database"
            ),
            kinds=", ".join(needed),
        )
    raise_alarm_once(
        tx,
        AlarmCode.HOST_SILENT,
        now=now,
        facts={"problem": problem.plain(), "fix": fix.plain()},
        names=[host.name for host in hosts],
    )


def raise_alarm_with_cause(
    tx: Tx,
    code: AlarmCode,
    *,
    now: datetime,
    real_now: datetime,
    facts: Mapping[str, object] | None = None,
    may_wait: bool = False,
) -> None:
    """As `raise_alarm_once`; but where the cause has an alarm of its own, that is the alarm. If the fault lasts longer
    than a host that fell silent explains it, it has its own. `may_wait`: none yet while a host seems to fall silent.
    """
    if has_cause_of_its_own(tx, now=now, real_now=real_now):
        return
    if may_wait and silent_hosts(tx, real_now=real_now, after=_SEEMS_SILENT):
        return
    raise_alarm_once(tx, code, now=now, facts=facts)


def has_cause_of_its_own(tx: Tx, *, now: datetime, real_now: datetime) -> bool:
    """Whether calls may have stopped because a host has just fallen silent, whose alarm is raised, or because commits
    wait for a standby: a web process raises that alarm, as no commit of this transaction would end.
    """
    if longest_stuck_commit(tx) >= STUCK_COMMIT_SECONDS:
        return True
    hosts = silent_hosts(tx, real_now=real_now)
    raise_alarm_of_hosts(tx, hosts, now=now)
    return bool(hosts)
