"""Rows of sources: what each may send without a person looking at it, and how many of its warnings went on. A
source that is not known yet is on probation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.sources import GeneralLimits, Sent, SourceLimits, StoredCounts, with_sent
from dialer.db import tables as t
from dialer.db.alarms import Alarm, unacknowledged_alarms_of
from dialer.db.unit_of_work import Row, Tx, record_of

_s = t.source.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source as it is stored."""

    name: str
    on_probation: bool
    own_limits: SourceLimits
    """Those that a person has set for it."""
    counts: StoredCounts
    sent: Sent
    """In the minute, hour and day that end now."""

    def limits(self, general: GeneralLimits) -> SourceLimits:
        """The limits that hold: its own, and the general ones wherever a person has set none."""
        return self.own_limits.or_else(general.probation if self.on_probation else general.regular)


def lock_sources(tx: Tx, names: Collection[str], *, now: datetime) -> dict[str, Source]:
    """The sources of these names, by name, which nobody else counts for until the transaction ends; those that are not
    known yet are stored. A transaction that takes arrivals locks these before.
    """
    statement = sa.select(t.source).where(_s.name.in_(sorted(names))).order_by(_s.name).with_for_update()
    rows = tx.rows(statement)
    if len(rows) < len(names):
        add_sources(tx, names)
        rows = tx.rows(statement)
    return {row["name"]: _source(row, now) for row in rows}


def count_sent(
    tx: Tx, sources: Mapping[str, Source], counts: Mapping[str, tuple[int, int]], *, now: datetime
) -> None:
    """Counts warnings that go on for their sources, which `lock_sources` has returned in this transaction: for each
    source those below extra high, and the extra-high ones.
    """
    changed = {
        name: with_sent(sources[name].counts, now, warnings=below, extra_high=urgent)
        for name, (below, urgent) in counts.items()
        if below or urgent
    }
    write_counts(tx, changed)


def write_counts(tx: Tx, changed: Mapping[str, StoredCounts]) -> None:
    """Stores the counts of sources that `lock_sources` has returned in this transaction."""
    if changed:
        given = [{"key": name, "sent": counts} for name, counts in sorted(changed.items())]
        tx.execute(sa.update(t.source).where(_s.name == sa.bindparam("key")), given)


def add_sources(tx: Tx, names: Collection[str]) -> None:
    """Stores the sources that are not known yet, on probation."""
    values = [{"name": name} for name in sorted(names)]
    tx.execute(insert(t.source).values(values).on_conflict_do_nothing())


def sources_named(tx: Tx, names: Collection[str], *, now: datetime) -> dict[str, Source]:
    """Those of these sources that are known, by name."""
    return {
        row["name"]: _source(row, now)
        for row in tx.rows(sa.select(t.source).where(_s.name.in_(sorted(names))))
    }


def limits_of_source(
    tx: Tx, name: str, *, general: GeneralLimits, now: datetime
) -> tuple[SourceLimits, bool]:
    """The limits that hold for the source, and whether it is on probation, as one is that is not known yet."""
    found = sources_named(tx, [name], now=now).get(name)
    return (general.probation, True) if found is None else (found.limits(general), found.on_probation)


def all_sources(tx: Tx, *, now: datetime) -> list[Source]:
    """All sources, by name."""
    return [_source(row, now) for row in tx.rows(sa.select(t.source).order_by(_s.name))]


def source_alarms(tx: Tx, name: str) -> list[Alarm]:
    """The unacknowledged alarms about this source, newest first."""
    facts = t.alarm.c.facts
    about = sa.or_(facts["source"].astext == name, facts["names"].contains([name]))
    return unacknowledged_alarms_of(tx, where=about)


def set_source(tx: Tx, name: str, limits: SourceLimits, *, on_probation: bool) -> bool:
    """Sets what the source may send. False if no source of this name is known."""
    values: dict[str, object] = {field.name: getattr(limits, field.name) for field in fields(limits)}
    values |= {
        "most_grade": None if limits.most_grade is None else limits.most_grade.value,
        "units": list(limits.units),
        "signal_kinds": list(limits.signal_kinds),
        "list_kinds": list(limits.list_kinds),
        "on_probation": on_probation,
    }
    return bool(tx.execute(sa.update(t.source).where(_s.name == name).values(**values)).rowcount)


def _source(row: Row, now: datetime) -> Source:
    counts: StoredCounts = row["sent"]
    own = record_of(SourceLimits, row)
    return Source(
        name=row["name"],
        on_probation=row["on_probation"],
        own_limits=own,
        counts=counts,
        sent=Sent.at(counts, now),
    )
